/** The app of the workflow scenarios: the official JavaScript SDK as it comes, with workflows whose activities do nothing. Arguments: host, gRPC port. */
import dapr, { type WorkflowActivityContext, type WorkflowContext } from '@dapr/dapr';

const STEPS = 5;
const BRANCHES = 100;
const TIMER_SECONDS = 1;

// The SDK's worker takes no logger, and tells of every turn.
console.info = console.debug = console.log = (): void => undefined;

const addOne = (_context: WorkflowActivityContext, value: number): number => Number(value) + 1;

async function* chain(context: WorkflowContext) {
  // Not 0: the SDK takes that for no input.
  let value = 1;
  for (let step = 0; step < STEPS; step++) value = (yield context.callActivity(addOne, value)) as number;
  return value;
}
async function* fanout(context: WorkflowContext) {
  const results = (yield context.whenAll(Array.from({ length: BRANCHES }, (_, index) => context.callActivity(addOne, index + 1)))) as number[];
  return results.length;
}
async function* timer(context: WorkflowContext) {
  yield context.createTimer(TIMER_SECONDS);
  return TIMER_SECONDS;
}

const [, , host = '127.0.0.1', port = '50001'] = process.argv;
const runtime = new dapr.WorkflowRuntime({ daprHost: host, daprPort: port });
for (const workflow of [chain, fanout, timer]) runtime.registerWorkflow(workflow as never);
runtime.registerActivity(addOne as never);
await runtime.start();
process.stderr.write('worker started\n');
// Its stream alone does not keep a process.
setInterval(() => undefined, 60_000);
