/** Transitions of one root: targets that exist, states that can be reached, an end that can be reached. */
import { isArray, isObject, type Json } from '../json.ts';
import { suggestion, type Context, type Inspected } from './context.ts';

interface Transition {
  readonly to: string;
  readonly location: string;
  readonly field: string;
}

/** `elsewhere`: the roots of all states of the machine, by name. */
export function checkGraph(context: Context, path: string, startAt: Json | undefined, states: ReadonlyMap<string, Inspected>, elsewhere: ReadonlyMap<string, string>): void {
  const known = (transition: Transition): boolean => {
    if (states.has(transition.to)) return true;
    const other = elsewhere.get(transition.to);
    const hint = other === undefined ? suggestion(context, transition.to, states.keys()) : `the state is in ${other === '' ? 'the machine itself' : other}; a transition cannot leave its branch`;
    context.diagnostics.error(transition.location, `Missing '${transition.field}' target: ${transition.to}`, hint, 'MISSING_TRANSITION_TARGET');
    return false;
  };
  const next = new Map<string, readonly string[]>();
  let ends = false;
  for (const state of states.values()) {
    next.set(state.name, transitionsOf(state).filter(known).map(({ to }) => to));
    ends ||= state.type === 'Succeed' || state.type === 'Fail' || state.fields['End'] === true;
  }
  if (states.size > 0 && !ends) context.diagnostics.error(`${path}/States`, 'No state ends: there is no terminal state', "give a state 'End': true, or add a Succeed or Fail state", 'MISSING_END_STATE');
  if (typeof startAt !== 'string' || !known({ to: startAt, location: `${path}/StartAt`, field: 'StartAt' })) return;
  const reached = new Set<string>([startAt]);
  for (const name of reached) for (const to of next.get(name) ?? []) reached.add(to);
  for (const { name, path: location } of states.values()) {
    if (!reached.has(name)) context.diagnostics.error(location, `State '${name}' is not reachable`, `no Next, Default or Catch that can be reached from '${startAt}' leads to it`, 'UNREACHABLE_STATE');
  }
}

function transitionsOf({ path, fields }: Inspected): Transition[] {
  const found: Transition[] = [];
  const add = (to: Json | undefined, location: string, field: string): void => {
    if (typeof to === 'string') found.push({ to, location: `${location}/${field}`, field });
  };
  add(fields['Next'], path, 'Next');
  add(fields['Default'], path, 'Default');
  for (const list of ['Choices', 'Catch']) {
    const entries = fields[list];
    if (isArray(entries)) for (const [at, entry] of entries.entries()) if (isObject(entry)) add(entry['Next'], `${path}/${list}/${at}`, 'Next');
  }
  return found;
}
