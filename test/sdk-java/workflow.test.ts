/**
 * Workflows written with the official Java SDK, as it comes from Maven Central, against a real sidecar. It is sent the whole history at each
 * turn, numbers its actions from 0, uses the same child id again when it retries, never says Hello, does not show the custom status, takes an
 * event's name as it is, carries events over in no order, and does not see that the code has changed under a history.
 */
// needs: java
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { javaProgram } from '../tools/java.ts';
import { workflowSuite } from '../tools/workflow-suite.ts';

const sdk = {
  name: 'Java',
  obtain: () => javaProgram('sdk', join(import.meta.dirname, 'app'), 'Worker'),
  lacks: ['custom status is read', 'recursive terminate', 'event names in any case', 'carried events keep their order'],
  keepsHistory: false,
} as const;

workflowSuite(sdk, ({ ended }) => {
  describe('Java: what it alone has', () => {
    test('(users 22) unique ids that workflows make are others after each continue-as-new', async () => {
      const { output } = await ended('uuids', { left: 20, seen: [] });
      expect(new Set(JSON.parse(output ?? '[]') as string[]).size).toBe(40);
    });
  });
});
