/** Writing by reference path: ResultPath. */
import { isArray, isObject, member, withMember, type Json } from './json.ts';
import type { JsonPath } from './jsonpath-ast.ts';
import { StateError, STATES } from './state-error.ts';

/**
 * A copy of `target` with `value` at the path; objects on the way are made, list items must be there. The error is
 * States.ResultPathMatchFailure.
 */
export function writeAt(target: Json, path: JsonPath, value: Json): Json {
  return write(target, path, 0, value);
}

function write(target: Json, path: JsonPath, depth: number, value: Json): Json {
  const step = path.steps[depth];
  if (!step) return value;
  if (step.kind === 'names') {
    const name = step.names[0] ?? '';
    if (!isObject(target)) throw cannot(path, name, target);
    return withMember(target, name, write(member(target, name) ?? {}, path, depth + 1, value));
  }
  const index = step.kind === 'indexes' ? (step.indexes[0] ?? 0) : -1;
  if (!isArray(target) || index < 0 || index >= target.length) throw cannot(path, String(index), target);
  return target.with(index, write(target[index] ?? null, path, depth + 1, value));
}

const TARGET_SHOWN_MAX = 1_000;

function cannot(path: JsonPath, step: string, target: Json): StateError {
  return new StateError(STATES.resultPathMatchFailure, `Unable to apply step "${step}" of the ResultPath '${path.text}' to input ${JSON.stringify(target).slice(0, TARGET_SHOWN_MAX)}`);
}
