/** What the engine makes of answers in which the SDKs differ: each of these was met with one of them. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Ledger, LedgerOperation } from '@mecha/components/kit';
import { createKeptLog, realClock, until } from '@mecha/components/kit/testing.ts';
import { createMemoryLedger } from '../ledger/memory-ledger.ts';
import { Engine } from './engine.ts';
import { ExecutorUnavailable, type TurnResult, type WorkflowExecutor } from './executor.ts';
import type { HistoryEvent, WorkflowAction } from './vocabulary.ts';

let ledger: Ledger;
let engine: Engine;
beforeEach(() => {
  ledger = createMemoryLedger({ clock: realClock });
});
afterEach(async () => {
  await engine.stop();
  await ledger.close();
});

/** Answers each turn with what the function makes of past and new events. */
function run(answer: (past: readonly HistoryEvent[], fresh: readonly HistoryEvent[]) => readonly WorkflowAction[]): void {
  engine = new Engine({ appId: 'a', namespace: 'default', ledger, clock: { ...realClock, now: () => 1_790_000_000_000 }, random: Math.random, newId: () => crypto.randomUUID(), log: createKeptLog(), settings: { pollMs: 200 } });
  const executor: WorkflowExecutor = { style: 'replay', inline: false, runTurn: async ({ past, newEvents }): Promise<TurnResult> => ({ actions: answer(past, newEvents) }) };
  engine.attachExecutor(executor);
  engine.start();
}

test('(users 28) an id that is ordered twice stalls with the event that has it, what is ordered now, and what the worker says of it', async () => {
  run((past) => {
    if (past.length === 0) return [{ kind: 'scheduleTask', id: 0, name: 'reserve' }];
    const failure = { errorType: 'E', errorMessage: 'a previous execution called reserve' };
    return [{ kind: 'createTimer', id: 0, fireAt: '2099-01-01T00:00:00.000000000Z' }, { kind: 'complete', id: 1, status: 'failed', failure }];
  });
  const { instanceId } = await engine.operations.start({ name: 'order' });
  await until(async () => (await engine.queries.get(instanceId))?.turn === 1);
  await engine.operations.raiseEvent(instanceId, 'go');
  await until(async () => (await engine.queries.get(instanceId))?.status === 'stalled');
  expect((await engine.queries.get(instanceId))?.reason).toBe('non-deterministic: the answer orders a timer under the id 0, where event 2 of the history is taskScheduled reserve: a stale answer, or code that does not repeat itself; the worker says: a previous execution called reserve');
});

test('(users 22) events of one millisecond with the same data differ in their instants', async () => {
  const seen: number[] = [];
  run((_past, fresh) => {
    for (const event of fresh) if (event.kind === 'eventRaised') seen.push(event.at);
    return seen.length < 50 ? [] : [{ kind: 'complete', id: 0, status: 'completed' }];
  });
  const { instanceId } = await engine.operations.start({ name: 'count' });
  await Promise.all(Array.from({ length: 50 }, () => engine.operations.raiseEvent(instanceId, 'item', '7')));
  await engine.queries.waitFor(instanceId, 'end', AbortSignal.timeout(10_000));
  expect(new Set(seen).size).toBe(50);
  expect(new Set(seen.map(Math.floor))).toEqual(new Set([1_790_000_000_000]));
});

test('(users 22) the turns of one millisecond differ in their instants, of which workers make unique ids, also after continue-as-new', async () => {
  const begun: number[] = [];
  run((_past, fresh) => {
    for (const event of fresh) if (event.kind === 'workflowStarted') begun.push(event.at);
    return [begun.length < 20 ? { kind: 'continueAsNew', id: 0 } : { kind: 'complete', id: 0, status: 'completed' }];
  });
  const { instanceId } = await engine.operations.start({ name: 'again' });
  await engine.queries.waitFor(instanceId, 'end', AbortSignal.timeout(10_000));
  expect(new Set(begun).size).toBe(20);
});

test.each([
  ['in another case leaves a wait its end: not every SDK takes it', 'APPROVE', 1],
  ['of that very name ends a wait that would have ended by itself', 'approve', 0],
])('an event %s', async (_what, name, timers) => {
  run((past) => (past.length === 0 ? [{ kind: 'createTimer', id: 0, fireAt: '2099-01-01T00:00:00.000000000Z', origin: { type: 'externalEvent', name: 'approve' } }] : []));
  const { instanceId } = await engine.operations.start({ name: 'patient' });
  await until(async () => (await engine.queries.get(instanceId))?.turn === 1);
  await engine.operations.raiseEvent(instanceId, name);
  await until(async () => (await engine.queries.get(instanceId))?.turn === 2);
  expect((await engine.queries.waits(instanceId)).filter(({ on }) => on === 'event')).toHaveLength(timers);
});

test('(users 24) an activity that is given back and claimed here again before the giving back is known runs, and does not wait for its lease', async () => {
  const commit = ledger.commit.bind(ledger);
  let runs = 0;
  // The answer to a return comes late; what it made ready is claimed meanwhile.
  Object.defineProperty(ledger, 'commit', {
    value: async (batch: readonly LedgerOperation[]) => {
      const results = await commit(batch);
      if (batch.some(({ type }) => type === 'workflow.return')) await until(() => runs === 2);
      return results;
    },
  });
  engine = new Engine({ appId: 'a', namespace: 'default', ledger, clock: realClock, random: Math.random, newId: () => crypto.randomUUID(), log: createKeptLog(), settings: { pollMs: 200, leaseMs: 600_000 } });
  engine.attachExecutor({
    style: 'replay', inline: false,
    runTurn: async ({ past }) => ({ actions: [past.length === 0 ? { kind: 'scheduleTask', id: 0, name: 'act' } : { kind: 'complete', id: 1, status: 'completed' }] }),
  });
  engine.attachActivities({
    runActivity: async () => {
      if (++runs === 1) throw new ExecutorUnavailable();
      return { kind: 'completed' };
    },
  });
  engine.start();
  const { instanceId } = await engine.operations.start({ name: 'order' });
  await engine.queries.waitFor(instanceId, 'end', AbortSignal.timeout(10_000));
  expect(runs).toBe(2);
});

test('who is asked for a turn is told when the engine waits for it no more', async () => {
  const asked: AbortSignal[] = [];
  engine = new Engine({ appId: 'a', namespace: 'default', ledger, clock: realClock, random: Math.random, newId: () => crypto.randomUUID(), log: createKeptLog(), settings: { pollMs: 200, turnTimeoutMs: 50 } });
  engine.attachExecutor({ style: 'replay', inline: false, runTurn: (_turn, signal) => {
    asked.push(signal);
    return asked.length === 1 ? new Promise(() => undefined) : Promise.resolve({ actions: [{ kind: 'complete', id: 1, status: 'completed' }] });
  } });
  engine.start();
  const { instanceId } = await engine.operations.start({ name: 'any' });
  await engine.queries.waitFor(instanceId, 'end', AbortSignal.timeout(10_000));
  expect(asked.map(({ aborted }) => aborted)).toEqual([true, false]);
});
