/**
 * What an HTTP app's answer to an input binding asks the sidecar to do: save state, call bindings (behaviour.md 5.2). An answer
 * that does not have the documented form in these fields asks for nothing: it is the app's own.
 *
 * ```json
 * { "storeName": "orders", "state": [{ "key": "o-1", "value": 1 }], "to": ["mail"], "concurrency": "parallel", "data": "hello" }
 * ```
 */
import { asObject, jsonBytes, member, parseJson, stringMapMember, type JsonObject } from '../json/lenient-json.ts';
import { membersOf } from '../json/json-members.ts';
import type { AppBindingReply } from './channel.ts';

/** Undefined: nothing is asked for. */
export function bindingReplyOf(body: Uint8Array): AppBindingReply | undefined {
  if (body.length === 0) return undefined;
  let object: JsonObject;
  try {
    object = asObject(parseJson(body), 'the answer');
  } catch {
    // Whatever else an app writes in a 2xx answer is its own.
    return undefined;
  }
  const storeName = member(object, 'storeName');
  const states = typeof storeName === 'string' && storeName !== '' ? statesOf(member(object, 'state')) : [];
  const to = member(object, 'to');
  const targets = Array.isArray(to) && to.every((name) => typeof name === 'string' && name !== '') ? (to as string[]) : [];
  if (states.length === 0 && targets.length === 0) return undefined;
  const concurrency = member(object, 'concurrency');
  return {
    storeName: typeof storeName === 'string' ? storeName : '',
    states,
    to: targets,
    parallel: typeof concurrency === 'string' && concurrency.toLowerCase() === 'parallel',
    data: Buffer.from(membersOf(Buffer.from(body).toString('utf8')).findLast(({ name }) => name.toLowerCase() === 'data')?.text ?? 'null'),
  };
}

/** One item or a list of them. */
function statesOf(state: unknown): AppBindingReply['states'] {
  const items = Array.isArray(state) ? (state as unknown[]) : state === undefined ? [] : [state];
  const states: AppBindingReply['states'][number][] = [];
  for (const item of items) {
    if (typeof item !== 'object' || item === null) return [];
    const key = member(item as JsonObject, 'key');
    if (typeof key !== 'string' || key === '') return [];
    const etag = member(item as JsonObject, 'etag');
    states.push({
      key,
      value: { data: jsonBytes(member(item as JsonObject, 'value')), binary: false },
      ...(typeof etag === 'string' ? { etag } : {}),
      metadata: stringMapMember(item as JsonObject, 'metadata') ?? {},
    });
  }
  return states;
}
