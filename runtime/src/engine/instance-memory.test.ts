/** Two memories of one instance, as they come about when answers of the ledger overtake each other; what is forgotten, and what it costs. */
import { expect, test } from 'vitest';
import type { WorkflowLedger } from '@mecha/components/kit';
import { realClock } from '@mecha/components/kit/testing.ts';
import { createMemoryLedger } from '../ledger/memory-ledger.ts';
import type { WorkflowExecutor } from './executor.ts';
import { InstanceMemory, newMemory, type Remembered } from './instance-memory.ts';
import { INLINE_MAX, store } from './payloads.ts';
import type { HistoryEvent } from './vocabulary.ts';

const MB = 1024 * 1024;
const workflows = createMemoryLedger({ clock: realClock }).workflows;
const executor = (style: 'replay' | 'snapshot', forgotten: string[] = []): WorkflowExecutor => ({ style, inline: true, runTurn: () => ({ actions: [] }), forget: ({ executionId }) => void forgotten.push(executionId) });
function memoryOf(turn: number, { row = 1, by = executor('snapshot') }: { row?: number; by?: WorkflowExecutor } = {}): Remembered {
  return newMemory({ row, app: 'n/a', instanceId: `${row}`, executionId: `x${turn}`, name: 'w', createdAt: 0, fence: turn, turn, events: 0, bytes: 0, status: 'running' }, by);
}
function offer(memory: Remembered, settled: string[], name: string): void {
  memory.mailbox.push({ activity: 1, attempt: 1, event: { kind: 'taskCompleted', id: -1, at: 0, taskId: 1 }, settle: (recorded) => void settled.push(`${name} ${recorded}`) });
}

test('of two memories of one instance the later stays, whichever is kept first, and what was offered to the other is settled as not recorded', () => {
  for (const order of ['older first', 'newer first']) {
    const memories = new InstanceMemory(workflows, MB, 10, MB);
    const [older, newer] = [memoryOf(1), memoryOf(2)];
    const settled: string[] = [];
    const [first, second] = order === 'older first' ? [older, newer] : [newer, older];
    memories.keep(first);
    offer(older, settled, 'older');
    offer(newer, settled, 'newer');
    memories.keep(second);
    expect([memories.get(1) === newer, memories.size, settled, newer.mailbox.length], order).toEqual([true, 1, ['older false'], 1]);
    memories.keep(newer);
    expect([memories.get(1) === newer, settled.length], 'kept again').toEqual([true, 1]);
  }
});

test('one that is forgotten twice, or after another took its place, settles once and leaves the other', () => {
  const memories = new InstanceMemory(workflows, MB, 10, MB);
  const [older, newer] = [memoryOf(1), memoryOf(2)];
  const settled: string[] = [];
  memories.keep(older);
  memories.keep(newer);
  offer(older, settled, 'late');
  memories.forget(older);
  memories.forget(older);
  expect([memories.get(1) === newer, settled]).toEqual([true, ['late false']]);
});

test('the least recently used goes first, but for one at work or with results to come; executors are told', () => {
  const forgotten: string[] = [];
  const by = executor('snapshot', forgotten);
  const memories = new InstanceMemory(workflows, MB, 2, MB);
  const [working, waiting, idle] = [1, 2, 3].map((row) => memoryOf(row, { row, by }));
  if (!working || !waiting || !idle) throw new Error('three were made');
  working.working = Promise.resolve();
  for (const one of [working, idle]) memories.keep(one);
  offer(waiting, [], 'waiting');
  memories.keep(waiting);
  memories.keep(memoryOf(4, { row: 4, by }));
  expect([memories.get(1) === working, memories.get(2) === waiting, memories.get(3), forgotten]).toEqual([true, true, undefined, ['x3']]);
});

test('payloads count: a history that names more than the bound is refused by name, and one that fits is counted whole', async () => {
  const events: HistoryEvent[] = [{ kind: 'taskCompleted', id: -1, at: 0, taskId: 1, result: 'r'.repeat(INLINE_MAX * 2) }];
  const { text, payloads = [] } = store(events);
  const ledger = { ...workflows, history: async () => [{ first: 0, count: 1, data: text }], payload: async () => payloads[0]?.data } satisfies WorkflowLedger;
  const known = { ...memoryOf(1), events: 1, bytes: text.length };
  const roomy = await new InstanceMemory(ledger, MB, 10, MB).recall(known, executor('replay'));
  expect([roomy.past, roomy.payloadBytes]).toEqual([events, INLINE_MAX * 2]);
  await expect(new InstanceMemory(ledger, MB, 10, INLINE_MAX).recall(known, executor('replay'))).rejects.toMatchObject({ name: 'TurnRejected', reason: 'payload-too-large' });
});
