/** The gRPC face of the state block (grpc-api.md 5.2): decode, pipeline, encode. */
import type { Init } from '@mecha/specs/codec.ts';
import { Dapr } from '@mecha/specs/gen/dapr.gen.ts';
import { StateOptionsStateConcurrency, StateOptionsStateConsistency, type StateItem, type StateOptions } from '@mecha/specs/gen/common.gen.ts';
import type { BulkStateItem } from '@mecha/specs/gen/state.gen.ts';
import type { StateValue } from '@mecha/components/kit';
import { BadJson, parseJson } from '../../json/lenient-json.ts';
import type { Pipeline } from '../../pipeline.ts';
import { unary, type GrpcMethod } from '../../servers/grpc-face.ts';
import { errors } from './state-errors.ts';
import { operationOf, type BulkGetItem, type DeleteItem, type SaveItem, type StateBlock, type TransactionItem } from './state.ts';

const JSON_TYPE = 'application/json';

export function stateGrpc(state: StateBlock, pipeline: Pipeline): GrpcMethod[] {
  return [
    unary(Dapr.GetState, async (request) => {
      const call = request.call('state.get');
      const { storeName, key, consistency, metadata } = request.message;
      const found = await pipeline.run(call, () => state.get(call, { store: storeName, key, consistency: consistencyWord(consistency), metadata }));
      return found ?? {};
    }),

    unary(Dapr.GetBulkState, async (request) => {
      const call = request.call('state.bulkGet');
      const { storeName, keys, parallelism, metadata } = request.message;
      const items = await pipeline.run(call, () => state.bulkGet(call, { store: storeName, keys, parallelism, metadata }));
      return { items: items.map(bulkItem) };
    }),

    unary(Dapr.SaveState, async (request) => {
      const call = request.call('state.save');
      const { storeName, states } = request.message;
      await pipeline.run(call, () => state.save(call, { store: storeName, items: states.map(saveItem) }));
      return {};
    }),

    unary(Dapr.DeleteState, async (request) => {
      const call = request.call('state.delete');
      const { storeName, key, etag, options, metadata } = request.message;
      await pipeline.run(call, () => state.delete(call, { store: storeName, item: { key, etag: etag?.value, ...words(options), metadata } }));
      return {};
    }),

    unary(Dapr.DeleteBulkState, async (request) => {
      const call = request.call('state.deleteBulk');
      const { storeName, states } = request.message;
      await pipeline.run(call, () => state.deleteBulk(call, { store: storeName, items: states.map(deleteItem) }));
      return {};
    }),

    unary(Dapr.ExecuteStateTransaction, async (request) => {
      const call = request.call('state.transact');
      const { storeName, operations, metadata } = request.message;
      await pipeline.run(call, async () => {
        state.checkTransactions(storeName);
        const items = operations.map(({ operationType, request: item }) => transactionItem(operationType, item));
        await state.transact(call, { store: storeName, operations: items, metadata });
      });
      return {};
    }),
  ];
}

function bulkItem({ key, data, etag, metadata, error }: BulkGetItem): Init<BulkStateItem> {
  return { key, data, etag, metadata, error };
}

/** Bytes stay bytes, unless the item says that they are JSON. */
function saveItem(item: StateItem): SaveItem {
  return { ...deleteItem(item), value: item.metadata['contentType'] === JSON_TYPE ? jsonValue(item) : { data: item.value, binary: true } };
}

function jsonValue(item: StateItem): StateValue {
  try {
    parseJson(item.value);
  } catch (error) {
    if (error instanceof BadJson) throw errors.malformed(`the value of key ${item.key} is not JSON: ${error.message}`);
    throw error;
  }
  return { data: item.value, binary: false };
}

function deleteItem({ key, etag, options, metadata }: StateItem): DeleteItem {
  return { key, etag: etag?.value, ...words(options), metadata };
}

/** The content type has no say here: a transaction's bytes are taken as they are. */
function transactionItem(word: string, item: StateItem | undefined): TransactionItem {
  const operation = operationOf(word);
  const common: DeleteItem = item ? deleteItem(item) : { key: '' };
  return operation === 'upsert' ? { operation, ...common, value: { data: item?.value ?? Buffer.alloc(0), binary: true } } : { operation, ...common };
}

function words(options: StateOptions | undefined): { concurrency: string | undefined; consistency: string | undefined } {
  return { concurrency: concurrencyWord(options?.concurrency), consistency: consistencyWord(options?.consistency) };
}

/** A number that the contract does not have is passed on, for the block to refuse by name. */
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

function consistencyWord(value: number | undefined): string | undefined {
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
