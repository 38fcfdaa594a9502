/** When a sidecar begins to run workflows: with work in the ledger, and not before. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Ledger } from '@mecha/components/kit';
import { realClock, until } from '@mecha/components/kit/testing.ts';
import { createMemoryLedger } from '../ledger/memory-ledger.ts';
import { createLog } from '../telemetry/log.ts';
import { createWorkflows, type Workflows } from './workflows.ts';

let ledger: Ledger;
let claims = 0;
const running: Workflows[] = [];
beforeEach(() => {
  claims = 0;
  ledger = createMemoryLedger({ clock: realClock });
});
afterEach(async () => {
  for (const one of running.splice(0)) await one.stop?.();
  await ledger.close();
});
const unused = (): never => {
  throw new Error('no task is run here');
};
/** The object, with its members looked at as they are taken. */
function seen<T extends object>(object: T, look: (name: string | symbol) => unknown): T {
  return new Proxy(object, {
    get: (target, name) => {
      const other = look(name);
      if (other !== undefined) return other;
      const member = Reflect.get(target, name, target) as unknown;
      return typeof member === 'function' ? (member as () => unknown).bind(target) : member;
    },
  });
}
function begin(): Workflows {
  const workflows = seen(ledger.workflows, (name) => void (claims += name === 'claimInstances' ? 1 : 0));
  const counted = seen(ledger, (name) => (name === 'workflows' ? workflows : undefined));
  const made = createWorkflows({
    appId: 'app', namespace: 'default', ledger: counted, clock: realClock, random: Math.random, log: createLog({ level: 'error', json: true, appId: 'app', version: '0', write: () => undefined }), declared: [], gracefulShutdownMs: 5000,
    blocks: { invocation: { invoke: unused }, state: { get: unused, save: unused, delete: unused }, pubsub: { publish: unused }, bindings: { invoke: unused }, workflow: { start: unused, raiseEvent: unused, terminate: unused }, jobs: { schedule: unused, delete: unused } },
  });
  running.push(made);
  void made.start?.();
  return made;
}
const create = (app: string, instanceId: string) =>
  ledger.commit([{ type: 'workflow.create', app, instanceId, executionId: 'e', name: 'w', ifExists: 'terminal', message: { kind: 'event', event: '{"kind":"executionStarted"}' } }]);
const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 200));

test('no engine runs while there is no work of this app, whatever wakes it', async () => {
  begin();
  ledger.wake(['workflow/default/app']);
  await create('default/other', '1');
  ledger.wake(['workflow/default/app']);
  await pause();
  expect(claims).toBe(0);
});

test('work that another process puts there is taken up, and so is work that was there before', async () => {
  begin();
  await pause();
  expect(claims).toBe(0);
  await create('default/app', '1');
  await until(() => claims > 0);
  await running.pop()?.stop?.();
  claims = 0;
  begin();
  await until(() => claims > 0);
});

test('nothing is begun any more once it stops, and who asks is told', async () => {
  const workflows = begin();
  await workflows.stop?.();
  await expect(workflows.states()).rejects.toMatchObject({ code: 'ERR_SHUTTING_DOWN' });
  await create('default/app', '1');
  await pause();
  expect(claims).toBe(0);
});
