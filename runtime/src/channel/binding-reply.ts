/**
 * What an app's answer to an input binding asks the sidecar to do: save state, call bindings (behaviour.md 5.2).
 *
 * ```json
 * { "storeName": "orders", "state": [{ "key": "o-1", "value": 1 }], "to": ["mail"], "concurrency": "parallel", "data": "hello" }
 * ```
 *
 * Rules, the same for both protocols
 *  1. Items of state are read as the state API reads them, with all that they may say.
 *  2. All or nothing: an answer in which a field has another form asks for nothing, not for the rest of it. The field's answers over
 *     HTTP mean nothing, so one that looks different is the app's own, and no failure of the event.
 *  3. Only the form is looked at here. What has it and cannot be done (no such store, an unknown word) fails when it is done.
 */
import { BindingEventResponseBindingEventConcurrency, type BindingEventResponse } from '@mecha/specs/gen/appcallback.gen.ts';
import type { StateItem } from '@mecha/specs/gen/common.gen.ts';
import { BadJson, asArray, asObject, member, parseJson, stringMember, type JsonObject } from '../json/lenient-json.ts';
import { membersOf } from '../json/json-members.ts';
import { saveItemOfJson, saveItemOfMessage, type SaveItem } from '../state/state-item.ts';
import type { AppBindingReply, BindingAnswer } from './channel.ts';

/** As in `BindingAnswer`. */
type Reading = Pick<Extract<BindingAnswer, { outcome: 'success' }>, 'reply' | 'malformed'>;

const NOTHING: Reading = { reply: undefined };

/** Never throws for what an app may write. */
export function replyOfJson(body: Uint8Array): Reading {
  let object: JsonObject;
  try {
    object = asObject(parseJson(body), 'the answer');
  } catch (error) {
    if (error instanceof BadJson) return NOTHING;
    throw error;
  }
  const [state, to] = [member(object, 'state'), member(object, 'to')];
  if (state === undefined && to === undefined) return NOTHING;
  return readingOf(() => ({
    storeName: stringMember(object, 'storeName') ?? '',
    states: statesOf(state),
    to: asArray(to ?? [], '"to"').map(nameOf),
    parallel: stringMember(object, 'concurrency')?.toLowerCase() === 'parallel',
    // As it is written, with every digit.
    data: Buffer.from(membersOf(Buffer.from(body).toString('utf8')).findLast(({ name }) => name.toLowerCase() === 'data')?.text ?? 'null'),
  }));
}

/** Never throws for what an app may write. */
export function replyOfMessage({ storeName, states, to, data, concurrency }: BindingEventResponse): Reading {
  return readingOf(() => ({
    storeName,
    states: states.map(itemOfMessage),
    to: to.map(nameOf),
    parallel: concurrency === BindingEventResponseBindingEventConcurrency.PARALLEL,
    data,
  }));
}

function readingOf(read: () => AppBindingReply): Reading {
  try {
    const reply = read();
    const { storeName, states, to } = reply;
    if (states.some(({ key }) => key === '')) throw new BadJson('an item of "state" has no "key"');
    if (states.length > 0 && storeName === '') throw new BadJson('there is "state" and no "storeName"');
    return states.length === 0 && to.length === 0 ? NOTHING : { reply };
  } catch (error) {
    if (error instanceof BadJson) return { reply: undefined, malformed: error.message };
    throw error;
  }
}

/** One item or a list of them. */
function statesOf(state: unknown): SaveItem[] {
  const items = Array.isArray(state) ? (state as unknown[]) : state === undefined ? [] : [state];
  return items.map((item, index) => saveItemOfJson(asObject(item, `item ${index} of "state"`)));
}

/** Why JSON is none is not passed on: that quotes it, and this goes into the log. */
function itemOfMessage(item: StateItem, index: number): SaveItem {
  try {
    return saveItemOfMessage(item);
  } catch (error) {
    throw error instanceof BadJson ? new BadJson(`the value of item ${index} of "state" is said to be JSON and is not`) : error;
  }
}

function nameOf(name: unknown): string {
  if (typeof name === 'string' && name !== '') return name;
  throw new BadJson('"to" must be a list of names of bindings');
}
