/** Wait: until an instant, or for some seconds. What is over at once needs no timer. */
import { BLOCKED, type Behaviour } from '../behaviour.ts';
import type { State } from '../definition.ts';
import { isInteger, numberText } from '../numbers.ts';
import { evaluateTyped, findPath, type Scope } from '../scope.ts';
import { queryError, runtimeError } from '../state-error.ts';
import { effectiveInput, exitWithInput, isJsonata } from '../state-io.ts';
import { parseTimestamp } from '../timestamp.ts';
import type { Json } from '../json.ts';

const SECONDS_MAX = 2 ** 31;
const BAD_FORMAT = 'an ISO-8601 extended offset date-time format string';

export const wait: Behaviour = {
  async start(turn, thread, state) {
    const scope = turn.scope(thread);
    const dueMs = await due(scope, state, turn.ports.now);
    if (dueMs - turn.ports.now > SECONDS_MAX * 1000) throw runtimeError('Wait state delay is too long.');
    if (dueMs <= turn.ports.now) return { kind: 'exit', exit: await exitWithInput(scope, state) };
    turn.does(thread.id, { kind: 'wait', timer: turn.startTimer(thread.id, dueMs) });
    return BLOCKED;
  },

  async event(turn, thread, state, event) {
    return event.type === 'timerFired' ? { kind: 'exit', exit: await exitWithInput(turn.scope(thread), state) } : BLOCKED;
  },
};

async function due(scope: Scope, state: State, now: number): Promise<number> {
  const { Seconds, Timestamp, SecondsPath, TimestampPath } = state.fields;
  if (Seconds !== undefined) return now + (await seconds(scope, state, Seconds)) * 1000;
  if (typeof SecondsPath === 'string') return now + secondsAt(scope, SecondsPath, effectiveInput(scope, state)) * 1000;
  if (Timestamp !== undefined) {
    const text = isJsonata(state) ? String(await evaluateTyped(scope, Timestamp, 'Timestamp', 'string')) : String(Timestamp);
    const instant = parseTimestamp(text);
    if (instant === undefined) throw queryError(`The Timestamp field cannot be parsed as ${BAD_FORMAT}: ${text}`, 'Timestamp', true);
    return instant;
  }
  const path = String(TimestampPath);
  const found = findPath(scope, path, effectiveInput(scope, state));
  if (found.missing) throw runtimeError(`The TimestampPath parameter does not reference an input value: ${path}`);
  const instant = typeof found.value === 'string' ? parseTimestamp(found.value) : undefined;
  if (instant === undefined) throw runtimeError(`The TimestampPath parameter does not reference a valid ISO-8601 extended offset date-time format string: ${path} == ${numberText(found.value)}`);
  return instant;
}

async function seconds(scope: Scope, state: State, field: Json): Promise<number> {
  const value = isJsonata(state) ? await evaluateTyped(scope, field, 'Seconds', 'number') : field;
  if (!isInteger(value) || value < 0) throw queryError(`The Seconds field must be a non-negative integer but was: ${JSON.stringify(value)}`, 'Seconds', true);
  return value;
}

function secondsAt(scope: Scope, path: string, input: Json): number {
  const found = findPath(scope, path, input);
  if (found.missing) throw runtimeError(`The SecondsPath parameter does not reference an input value: ${path}`);
  if (!isInteger(found.value)) throw runtimeError(`The SecondsPath parameter cannot be parsed as a long value: ${path} == ${numberText(found.value)}`);
  if (found.value < 0) throw runtimeError(`The SecondsPath parameter references a negative value: ${path} == ${found.value}`);
  return found.value;
}
