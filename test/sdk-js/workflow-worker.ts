/**
 * A workflow worker as an app has one: the official JavaScript SDK, its workflows and activities. A process of its own, so that it can be
 * killed. Each activity that runs leaves a line in the file of RUNS: name, instance, input, process.
 */
import { appendFileSync, existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import dapr, { type WorkflowActivityContext, type WorkflowContext } from '@dapr/dapr';

const { WorkflowRuntime } = dapr;
const quiet = (): void => undefined;
// The SDK's worker takes no logger.
console.info = console.debug = quiet;

const ran = (name: string, context: WorkflowActivityContext, input: unknown): void =>
  appendFileSync(process.env['RUNS'] ?? '/dev/null', `${JSON.stringify({ name, instance: context.getWorkflowInstanceId(), input, pid: process.pid })}\n`);

const addOne = (context: WorkflowActivityContext, input: number): number => {
  ran('addOne', context, input);
  return Number(input) + 1;
};
const slowAddOne = async (context: WorkflowActivityContext, input: number): Promise<number> => {
  ran('slowAddOne', context, input);
  await sleep(300);
  return Number(input) + 1;
};
const failAlways = (context: WorkflowActivityContext, input: string): never => {
  ran('failAlways', context, input);
  throw new TypeError(`no luck with ${input}`);
};
let refusals = 0;
const failTwice = (context: WorkflowActivityContext, input: string): string => {
  ran('failTwice', context, input);
  if (refusals++ < 2) throw new Error('not yet');
  return 'at last';
};

async function* chain(context: WorkflowContext, input: number) {
  let value = input;
  for (let step = 0; step < 5; step++) value = yield context.callActivity(addOne, value);
  return value;
}
async function* slowChain(context: WorkflowContext, input: number) {
  let value = input;
  for (let step = 0; step < 5; step++) value = yield context.callActivity(slowAddOne, value);
  return value;
}
async function* fan(context: WorkflowContext, count: number) {
  const results: number[] = yield context.whenAll(Array.from({ length: count }, (_, index) => context.callActivity(addOne, index + 1)));
  return results.reduce((sum, one) => sum + one, 0);
}
async function* nap(context: WorkflowContext, seconds: number) {
  const before = context.getCurrentUtcDateTime().getTime();
  yield context.createTimer(seconds);
  return context.getCurrentUtcDateTime().getTime() - before;
}
async function* approval(context: WorkflowContext): AsyncGenerator<unknown, unknown, unknown> {
  context.setCustomStatus('waiting');
  const first = yield context.waitForExternalEvent('approve');
  return { first };
}
async function* collect(context: WorkflowContext, count: number): AsyncGenerator<unknown, unknown, unknown> {
  const seen: unknown[] = [];
  while (seen.length < count) seen.push(yield context.waitForExternalEvent('item'));
  return seen;
}
async function* late(context: WorkflowContext): AsyncGenerator<unknown, unknown, unknown> {
  yield context.createTimer(0.5);
  return yield context.waitForExternalEvent('early');
}
async function* family(context: WorkflowContext, input: number) {
  const one: number = yield context.callChildWorkflow(chain, input);
  const both: number[] = yield context.whenAll([context.callChildWorkflow(chain, one), context.callChildWorkflow(chain, one + 1)]);
  return both;
}
async function* household(context: WorkflowContext): AsyncGenerator<unknown, unknown, unknown> {
  return yield context.callChildWorkflow(approval);
}
async function* brokenFamily(context: WorkflowContext): AsyncGenerator<unknown, unknown, unknown> {
  try {
    yield context.callChildWorkflow(broken, 'child');
  } catch (error) {
    return `the child failed: ${String(error)}`;
  }
  return 'the child did not fail';
}
async function* broken(context: WorkflowContext, input: string): AsyncGenerator<unknown, unknown, unknown> {
  return yield context.callActivity(failAlways, input);
}
async function* retried(context: WorkflowContext, input: string): AsyncGenerator<unknown, unknown, unknown> {
  for (let attempt = 1; ; attempt++) {
    try {
      return [attempt, yield context.callActivity(failTwice, input)];
    } catch (error) {
      if (attempt === 3) throw error;
      yield context.createTimer(0.1);
    }
  }
}
async function* countdown(context: WorkflowContext, { left, seen }: { left: number; seen: unknown[] }): AsyncGenerator<unknown, unknown, unknown> {
  const value = yield context.callActivity(addOne, left);
  if (left === 1) return [...seen, value];
  context.continueAsNew({ left: left - 1, seen: [...seen, value] }, true);
  return undefined;
}
async function* race(context: WorkflowContext): AsyncGenerator<unknown, unknown, unknown> {
  const approved = context.waitForExternalEvent('approve');
  const winner = yield context.whenAny([approved, context.createTimer(30)]);
  return winner === approved ? 'approved' : 'too late';
}
async function echo(_context: WorkflowContext, input: unknown): Promise<unknown> {
  return input;
}

/** A step of a saga: leaves its line. The one named `pay` does not end before its till is open: there is a file; `ship` never comes to pass. */
const doStep = async (context: WorkflowActivityContext, step: string): Promise<string> => {
  ran(`do ${step} ${context.getWorkflowActivityId()}`, context, step);
  while (step === 'pay' && !existsSync(`${process.env['RUNS']}.till`)) await sleep(20);
  if (step === 'ship') throw new Error('there is no ship');
  return `${step} done`;
};
/** Its compensation; that of `pay` fails until the bank is open: there is a file. */
const undoStep = async (context: WorkflowActivityContext, step: string): Promise<string> => {
  ran(`undo ${step}`, context, step);
  await sleep(100);
  if (step === 'pay' && !existsSync(`${process.env['RUNS']}.bank`)) throw new Error('the bank does not answer');
  return `${step} undone`;
};
async function* saga(context: WorkflowContext): AsyncGenerator<unknown, unknown, unknown> {
  const done: string[] = [];
  try {
    for (const step of ['reserve', 'pay', 'ship']) {
      done.push(step);
      yield context.callActivity(doStep, step);
    }
    return 'shipped';
  } catch (error) {
    const undone: string[] = [];
    for (const step of done.toReversed()) {
      for (let again = true; again; ) {
        try {
          yield context.callActivity(undoStep, step);
          again = false;
        } catch {
          context.setCustomStatus(`stuck at ${step}`);
          yield context.createTimer(0.05);
        }
      }
      undone.push(step);
    }
    return { why: String(error).includes('there is no ship'), undone };
  }
}
/** Sleeps in its second version where it called an activity in the first, as nobody should. */
async function* changed(context: WorkflowContext): AsyncGenerator<unknown, unknown, unknown> {
  yield process.env['CODE'] === 'second' ? context.createTimer(0.001) : context.callActivity(addOne, 1);
  return yield context.waitForExternalEvent('go');
}
async function* steps(context: WorkflowContext, count: number): AsyncGenerator<unknown, unknown, unknown> {
  for (let step = 0; step < count; step++) yield context.callActivity(addOne, step);
  return count;
}

const [, , host = '127.0.0.1', port = '50001'] = process.argv;
const runtime = new WorkflowRuntime({ daprHost: host, daprPort: port });
for (const workflow of [chain, slowChain, fan, nap, approval, collect, late, family, household, brokenFamily, broken, retried, countdown, race, echo, saga, changed, steps]) runtime.registerWorkflow(workflow as never);
for (const activity of [addOne, slowAddOne, failAlways, failTwice, doStep, undoStep]) runtime.registerActivity(activity as never);
await runtime.start();
process.on('SIGTERM', () => void runtime.stop().then(() => process.exit(0)));
setInterval(quiet, 60_000);
console.log('worker started');
