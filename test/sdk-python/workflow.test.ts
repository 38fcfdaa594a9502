/**
 * Workflows written with the official Python SDK, as it comes from the registry, against a real sidecar. Unlike the others it keeps histories
 * between turns, so that it is sent the new part alone; it fails on a resume of what is not suspended.
 */
// needs: python
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { pythonWith } from '../tools/python.ts';
import { workflowSuite } from '../tools/workflow-suite.ts';

const sdk = {
  name: 'Python',
  obtain: async () => ({ command: await pythonWith('sdk', ['dapr==1.19.0']), args: [join(import.meta.dirname, 'worker.py')] }),
  lacks: [],
  keepsHistory: true,
  changedCode: { is: 'failed', words: /called call_activity with ID=1, but .* create_timer/ },
} as const;

workflowSuite(sdk, ({ world }) => {
  describe('Python: what it alone has', () => {
    test('a worker that keeps one history at a time asks for the others, and every workflow ends, each step once', async () => {
      await world().killAll();
      const forgetful = await world().startApp('', 'flows', { HISTORIES_MAX: '1' });
      const ids: string[] = [];
      for (let n = 0; n < 10; n++) ids.push(await forgetful.ask<string>('start', 'chain', 1, `forgotten-${n}`, 0));
      for (const id of ids) expect(await forgetful.ask('wait', id)).toMatchObject({ status: 'COMPLETED', output: '6' });
      for (const id of ids) expect((await world().runs(id)).map(({ input }) => input)).toEqual([1, 2, 3, 4, 5]);
    });
  });
});
