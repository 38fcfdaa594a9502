/** Stopping threads half-way, when a sibling failed or the execution ends. */
import type { State, StateType } from './definition.ts';
import { mapRunCounts } from './map-run-counts.ts';
import { abandon, promote, record, scopeOf } from './saga.ts';
import { placeOf, type MapRunDoing, type Thread } from './snapshot.ts';
import type { Turn } from './turn.ts';

/** States whose being stopped half-way the history mentions. */
const MENTIONED: ReadonlySet<StateType> = new Set<StateType>(['Task', 'Wait', 'Map', 'Parallel']);

/** Ends everything below a thread, and what it waits for itself; `at` is the event that was the cause. */
export async function stopChildren(turn: Turn, id: string, at: number): Promise<void> {
  const thread = turn.thread(id);
  cancelWork(turn, thread);
  if (thread.doing.kind !== 'parallel' && thread.doing.kind !== 'map') return;
  const state = turn.stateOf(thread);
  for (const child of turn.childrenOf(id)) await abort(turn, child, state, at);
}

async function abort(turn: Turn, thread: Thread, above: State, at: number): Promise<void> {
  const state = turn.stateOf(thread);
  for (const child of turn.childrenOf(thread.id)) await abort(turn, child, state, at);
  if (thread.entered.id > 0 && thread.doing.kind !== 'enter' && MENTIONED.has(state.type)) turn.note(at, `${state.type}StateAborted`);
  if (above.type === 'Map') turn.note(at, 'MapIterationAborted', 'mapIterationAbortedEventDetails', { name: above.name, index: thread.index });
  await recordUncertain(turn, thread);
  cancelWork(turn, thread);
  abandon(turn, thread.id);
  if (thread.parent !== undefined && scopeOf(turn, thread) === thread.id) promote(turn, thread.id, scopeOf(turn, turn.thread(thread.parent)));
  turn.remove(thread.id);
}

/** A task that is stopped while it runs may have been done. */
export async function recordUncertain(turn: Turn, thread: Thread): Promise<void> {
  const { kind } = thread.doing;
  if (kind === 'task' || (kind === 'retry' && thread.uncertain)) await record(turn, thread, turn.stateOf(thread), null, thread.input);
}

/** Nobody will listen to what the thread asked for. */
function cancelWork(turn: Turn, { id, doing }: Thread): void {
  if ('timer' in doing) turn.cancel([doing.timer]);
  if ('id' in doing) turn.cancel([doing.id]);
  if (doing.kind !== 'mapRun') return;
  turn.cancel(doing.asked === undefined ? [] : [doing.asked]);
  turn.cancelFor(placeOf(id, ''));
  closeMapRun(turn, doing);
}

/** The execution is over, or has only its sagas left. */
export function dropThreads(turn: Turn): void {
  for (const { doing } of turn.threads()) if (doing.kind === 'mapRun') closeMapRun(turn, doing);
  turn.removeAll();
}

/** A run that did not come to its end. */
function closeMapRun(turn: Turn, doing: MapRunDoing): void {
  turn.send({ type: 'closeMapRun', mapRunArn: doing.arn, status: 'ABORTED', counts: mapRunCounts(doing, true) });
}
