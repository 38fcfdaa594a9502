/**
 * A process that runs workflows of a shared ledger until it is killed: both kinds of executors, activities that take a moment. Says `open`.
 * Arguments: path of the ledger, then the address of a database if that is to be it.
 */
import { writeSync } from 'node:fs';
import { systemClock } from '@mecha/runtime/clock.ts';
import { Engine } from '@mecha/runtime/engine/engine.ts';
import { functionActivities, functionExecutor, type WorkflowFunction } from '@mecha/runtime/engine/testing.ts';
import { openLedger } from '@mecha/runtime/ledger/open-ledger.ts';
import { createLog } from '@mecha/runtime/telemetry/log.ts';

const order: WorkflowFunction = function* (context) {
  let sum = Number(context.input);
  for (let n = 0; n < 3; n++) sum = Number(yield context.activity('add', sum));
  yield context.timer(20);
  sum += Number(yield context.child('far', sum));
  const all = (yield context.all([1, 2, 3].map((value) => context.activity('add', value)))) as number[];
  return all.reduce((total, one) => total + one, sum);
};
const far: WorkflowFunction = function* (context) {
  return yield context.activity('add', context.input, { retry: { attemptsMax: 100, firstDelayMs: 10 } });
};

const [path = '', address] = process.argv.slice(2);
const log = createLog({ level: 'fatal', json: true, appId: 'test', version: '0' });
const { ledger, clock } = await openLedger({ path, address, clock: systemClock, random: Math.random, log });
const engine = new Engine({ appId: 'worker', namespace: 'default', ledger, clock, random: Math.random, newId: () => crypto.randomUUID(), log, settings: { pollMs: 200 } });
engine.attachExecutor(functionExecutor({ order }));
engine.attachExecutor(functionExecutor({ far }, { inline: false }));
engine.attachActivities(
  functionActivities({
    add: async (input, { instanceId, taskId }) => {
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 10));
      // Said before the result is recorded: what a crash leaves to be run again.
      writeSync(1, `ran ${instanceId}/${taskId}\n`);
      return Number(input) + 1;
    },
  }),
);
engine.start();
writeSync(1, 'open\n');
// The clock's timers keep no process alive.
setInterval(() => undefined, 60_000);
