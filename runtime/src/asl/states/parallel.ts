/** Parallel: a thread per branch; the result is the list of their outputs. */
import { BLOCKED, type Behaviour } from '../behaviour.ts';
import { workInput } from '../state-io.ts';

export const parallel: Behaviour = {
  async start(turn, thread, state) {
    const input = await workInput(turn.scope(thread), state);
    const started = turn.emit(thread.id, 'ParallelStateStarted');
    turn.does(thread.id, { kind: 'parallel', results: state.roots.map(() => null), running: state.roots.length });
    for (const [index, root] of state.roots.entries()) turn.spawn(root, { input, at: started, index, parent: thread.id });
    return BLOCKED;
  },

  childDone(turn, thread, _state, child, output) {
    const { results, running } = turn.doing(thread.id, 'parallel');
    const after = turn.place(results, child.index, output);
    turn.change(thread.id, { at: child.at, doing: { kind: 'parallel', results: after, running: running - 1 } });
    if (running > 1) return BLOCKED;
    turn.note(child.at, 'ParallelStateSucceeded');
    return { kind: 'result', result: after };
  },
};
