/**
 * An item of state to be saved or deleted, as callers of the state API and answers to input bindings write it: JSON over HTTP, a
 * message over gRPC. Both are read here and nowhere else, so that an answer can say all that a call can.
 *
 * Does not own: what a store makes of it, and whether its words are such that there are (`blocks/state/state.ts`).
 */
import { StateOptionsStateConcurrency, StateOptionsStateConsistency, type StateItem, type StateOptions } from '@mecha/specs/gen/common.gen.ts';
import type { StateValue } from '@mecha/components/kit';
import { BadJson, asObject, hasMember, jsonBytes, member, parseJson, stringMapMember, stringMember, type JsonObject } from '../json/lenient-json.ts';

/** `concurrency` and `consistency` are the writer's words, not yet checked. */
export interface DeleteItem {
  readonly key: string;
  readonly etag?: string | undefined;
  readonly concurrency?: string | undefined;
  readonly consistency?: string | undefined;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}
export interface SaveItem extends DeleteItem {
  readonly value: StateValue;
}

const JSON_TYPE = 'application/json';

/** `metadata` of the call wins over the item's own. Throws `BadJson` when a member has another type. */
export function deleteItemOfJson(item: JsonObject, metadata: Readonly<Record<string, string>> = {}): DeleteItem {
  const optionsValue = member(item, 'options');
  const options = optionsValue === undefined ? {} : asObject(optionsValue, '"options"');
  const contentType = stringMember(item, 'contentType');
  return {
    key: stringMember(item, 'key') ?? '',
    etag: stringMember(item, 'etag'),
    concurrency: stringMember(options, 'concurrency'),
    consistency: stringMember(options, 'consistency'),
    metadata: { ...(contentType ? { contentType } : {}), ...stringMapMember(item, 'metadata'), ...metadata },
  };
}

/** As `deleteItemOfJson`; an absent value is `null`. */
export function saveItemOfJson(item: JsonObject, metadata: Readonly<Record<string, string>> = {}): SaveItem {
  const value = hasMember(item, 'value') ? member(item, 'value') : null;
  return { ...deleteItemOfJson(item, metadata), value: { data: jsonBytes(value), binary: false } };
}

/** As it came. */
export function deleteItemOfMessage({ key, etag, options, metadata }: StateItem): DeleteItem {
  return { key, etag: etag?.value, ...wordsOf(options), metadata };
}

/** Bytes stay bytes, unless the item says that they are JSON; throws `BadJson` when they are not. */
export function saveItemOfMessage(item: StateItem): SaveItem {
  return { ...deleteItemOfMessage(item), value: item.metadata['contentType'] === JSON_TYPE ? jsonValue(item) : { data: item.value, binary: true } };
}

function jsonValue({ key, value }: StateItem): StateValue {
  try {
    parseJson(value);
  } catch (error) {
    if (error instanceof BadJson) throw new BadJson(`the value of key ${key} is not JSON: ${error.message}`);
    throw error;
  }
  return { data: value, binary: false };
}

/** Options in the words of HTTP, which the state block knows. A number that the contract does not have is passed on, for the block to refuse. */
export function wordsOf(options: StateOptions | undefined): Pick<DeleteItem, 'concurrency' | 'consistency'> {
  return { concurrency: concurrencyWord(options?.concurrency), consistency: consistencyWord(options?.consistency) };
}

function concurrencyWord(value: number | undefined): string | undefined {
  switch (value) {
    case undefined:
    case StateOptionsStateConcurrency.CONCURRENCY_UNSPECIFIED:
      return undefined;
    case StateOptionsStateConcurrency.CONCURRENCY_FIRST_WRITE:
      return 'first-write';
    case StateOptionsStateConcurrency.CONCURRENCY_LAST_WRITE:
      return 'last-write';
    default:
      return String(value);
  }
}

/** One of these words alone, as reads have it. */
export function consistencyWord(value: number | undefined): string | undefined {
  switch (value) {
    case undefined:
    case StateOptionsStateConsistency.CONSISTENCY_UNSPECIFIED:
      return undefined;
    case StateOptionsStateConsistency.CONSISTENCY_EVENTUAL:
      return 'eventual';
    case StateOptionsStateConsistency.CONSISTENCY_STRONG:
      return 'strong';
    default:
      return String(value);
  }
}
