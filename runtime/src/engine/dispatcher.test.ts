/** When the dispatcher looks again. */
import { expect, test } from 'vitest';
import type { Clock, Ledger } from '@mecha/components/kit';
import { createKeptLog, createTurnedClock, until } from '@mecha/components/kit/testing.ts';
import { createMemoryLedger } from '../ledger/memory-ledger.ts';
import { Engine } from './engine.ts';
import { functionExecutor } from './testing.ts';

test('a timer that falls due while the dispatcher looks fires at once, not after the pause that is for what nobody takes', async () => {
  const turned = createTurnedClock();
  // A busy process: time passes, and no timer of its own is run meanwhile.
  let passedMs = 0;
  const clock: Clock = { now: () => turned.now() + passedMs, after: turned.after };
  const raw = createMemoryLedger({ clock });
  let isBusy = false;
  let looks = 0;
  const workflows: Ledger['workflows'] = {
    ...raw.workflows,
    expired: async (request) => {
      if (isBusy) passedMs = 20;
      const found = await raw.workflows.expired(request);
      looks++;
      return found;
    },
  };
  const ledger = new Proxy(raw, {
    get(target, name) {
      if (name === 'workflows') return workflows;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
  const engine = new Engine({ appId: 'a', namespace: 'default', ledger, clock, random: Math.random, newId: () => crypto.randomUUID(), log: createKeptLog(), settings: { pollMs: 100_000 } });
  engine.attachExecutor(
    functionExecutor({
      *nap(context) {
        yield context.timer(1000);
        return 'awake';
      },
    }),
  );
  engine.start();
  const rest = () => new Promise((resolve) => setTimeout(resolve, 20));
  await engine.operations.start({ name: 'nap', instanceId: '1' });
  await until(() => engine.load.turns === 0);
  await rest();
  turned.turn(990);
  await rest();
  const before = looks;
  isBusy = true;
  await engine.operations.raiseEvent('1', 'whatever');
  await until(() => looks > before && engine.load.turns === 0);
  await rest();
  turned.turn(5);
  await engine.queries.waitFor('1', 'end', AbortSignal.timeout(5000));
  expect(await engine.queries.get('1')).toMatchObject({ status: 'completed', output: '"awake"' });
  await engine.stop();
  await raw.close();
});
