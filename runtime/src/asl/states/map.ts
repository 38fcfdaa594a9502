/**
 * Map inside the execution: a thread per iteration, as many at a time as MaxConcurrency says. An iteration that ends gives
 * its place to the next one; the result is the list of outputs in the order of the items.
 */
import { BLOCKED, type Behaviour, type Outcome } from '../behaviour.ts';
import type { State } from '../definition.ts';
import type { MapDoing, Thread } from '../snapshot.ts';
import type { Turn } from '../turn.ts';
import { itemContext, iterationInput, mapItems, maxConcurrency, tolerance } from './map-input.ts';

export const map: Behaviour = {
  async start(turn, thread, state) {
    const scope = turn.scope(thread);
    const { values, keys } = await mapItems(turn, scope, state);
    const concurrency = await maxConcurrency(scope, state, turn.limits.inlineMapConcurrencyMax);
    const started = turn.emit(thread.id, 'MapStateStarted', 'mapStateStartedEventDetails', { length: values.length });
    // Read for their faults; iterations inside an execution tolerate none.
    await tolerance(scope, state);
    if (values.length === 0) return succeeded(turn, thread, started, []);
    turn.does(thread.id, { kind: 'map', items: values, ...(keys ? { keys } : {}), concurrency, next: 0, running: 0, results: values.map(() => null) });
    for (let at = 0; at < Math.min(concurrency, values.length); at++) await startIteration(turn, thread, state, started);
    return BLOCKED;
  },

  async childDone(turn, thread, state, child, output) {
    const done = turn.note(child.at, 'MapIterationSucceeded', 'mapIterationSucceededEventDetails', { name: state.name, index: child.index });
    const { results, running, ...doing } = turn.doing(thread.id, 'map');
    const after: MapDoing = { ...doing, results: turn.place(results, child.index, output), running: running - 1 };
    turn.change(thread.id, { at: done, doing: after });
    if (after.next < after.items.length) await startIteration(turn, thread, state, child.at);
    else if (after.running === 0) return succeeded(turn, thread, done, after.results);
    return BLOCKED;
  },

  childFailed(turn, thread, state, child) {
    turn.note(child.at, 'MapIterationFailed', 'mapIterationFailedEventDetails', { name: state.name, index: child.index });
    turn.change(thread.id, { at: child.at });
  },
};

function succeeded(turn: Turn, thread: Thread, at: number, result: MapDoing['results']): Outcome {
  turn.note(at, 'MapStateSucceeded');
  turn.change(thread.id, { at });
  return { kind: 'result', result };
}

async function startIteration(turn: Turn, thread: Thread, state: State, previous: number): Promise<void> {
  const doing = turn.doing(thread.id, 'map');
  const index = doing.next;
  const items = { values: doing.items, ...(doing.keys ? { keys: doing.keys } : {}) };
  const item = itemContext(items, index);
  const at = turn.note(previous, 'MapIterationStarted', 'mapIterationStartedEventDetails', { name: state.name, index });
  const input = await iterationInput(turn, turn.thread(thread.id), state, items, item, index);
  turn.does(thread.id, { ...doing, next: index + 1, running: doing.running + 1 });
  turn.spawn(state.roots[0] ?? '', { input, at, index, parent: thread.id, item });
}
