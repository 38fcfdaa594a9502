/**
 * Workflows written with the official Python SDK, as it comes from the registry, against a real sidecar. Unlike the others it keeps histories
 * between turns, so that it is sent the new part alone; it fails on a resume of what is not suspended.
 */
import { join } from 'node:path';
import { pythonWith } from '../tools/python.ts';
import { workflowSuite } from '../tools/workflow-suite.ts';

workflowSuite({
  name: 'Python',
  obtain: async () => ({ command: await pythonWith('sdk', ['dapr==1.19.0']), args: [join(import.meta.dirname, 'worker.py')] }),
  lacks: [],
  keepsHistory: true,
  changedCode: { is: 'failed', words: /called call_activity with ID=1, but .* create_timer/ },
});
