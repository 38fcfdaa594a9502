/**
 * Workflows written with the official Go SDK, as it comes from the module proxy, against a real sidecar. Of the suite's SDKs it alone gives no
 * completion tokens back and numbers its actions from 0; it can list instances, read histories and run a workflow again from a step.
 */
// needs: go
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { goProgram } from '../tools/go.ts';
import { freePorts } from '../tools/processes.ts';
import { workflowSuite } from '../tools/workflow-suite.ts';

const sdk = {
  name: 'Go',
  obtain: async () => ({ command: await goProgram('sdk', join(import.meta.dirname, 'app')), args: [] }),
  lacks: [],
  keepsHistory: false,
  changedCode: { is: 'stalled', words: /a timer under the id 0, where event 2 of the history is taskScheduled add_one.*(?:CallActivity for 'add_one' and|CreateTimer with) sequence number \d/ },
} as const;

workflowSuite(sdk, ({ app, world, ended }) => {
  describe('Go: what it alone has', () => {
    test('a workflow that has ended is run again from a step, the steps before it are not', async () => {
      const { id } = await ended('chain', 1);
      const again = await app().ask<string>('rerun', id, 3);
      expect(await app().ask('wait', again)).toMatchObject({ status: 'COMPLETED', output: '6' });
      expect(await app().ask('list')).toEqual(expect.arrayContaining([id, again]));
      expect(await app().ask('history', again)).toBe(await app().ask('history', id));
    });

    test('state, events and calls by the same client', async () => {
      await app().ask('save', 'statestore', 'bolt', { stock: 7 });
      expect(await app().ask('get', 'statestore', 'bolt')).toBe('{"stock":7}');
      await app().ask('subscribe', 'pubsub', 'orders');
      await app().ask('publish', 'pubsub', 'orders', { id: 7 });
      expect(await app().ask('receive')).toEqual({ id: 7 });
      const [port = 0] = await freePorts(1);
      const greeter = await world().startAppAt('greeter', port);
      expect(await app().ask('invoke', 'greeter', 'greet', 'Ada')).toBe('hello Ada');
      await greeter.kill();
    });
  });
});
