/** The gRPC face of the state block (grpc-api.md 5.2): decode, pipeline, encode. */
import type { Init } from '@mecha/specs/codec.ts';
import { Dapr } from '@mecha/specs/gen/dapr.gen.ts';
import type { StateItem } from '@mecha/specs/gen/common.gen.ts';
import type { BulkStateItem } from '@mecha/specs/gen/state.gen.ts';
import { BadJson } from '../../json/lenient-json.ts';
import type { Pipeline } from '../../pipeline.ts';
import { unary, type GrpcMethod } from '../../servers/grpc-face.ts';
import { consistencyWord, deleteItemOfMessage, saveItemOfMessage, wordsOf, type DeleteItem, type SaveItem } from '../../state/state-item.ts';
import { errors } from './state-errors.ts';
import { operationOf, type BulkGetItem, type StateBlock, type TransactionItem } from './state.ts';

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
      await pipeline.run(call, () => state.delete(call, { store: storeName, item: { key, etag: etag?.value, ...wordsOf(options), metadata } }));
      return {};
    }),

    unary(Dapr.DeleteBulkState, async (request) => {
      const call = request.call('state.deleteBulk');
      const { storeName, states } = request.message;
      await pipeline.run(call, () => state.deleteBulk(call, { store: storeName, items: states.map(deleteItemOfMessage) }));
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

function saveItem(item: StateItem): SaveItem {
  try {
    return saveItemOfMessage(item);
  } catch (error) {
    if (error instanceof BadJson) throw errors.malformed(error.message);
    throw error;
  }
}

/** The content type has no say here: a transaction's bytes are taken as they are. */
function transactionItem(word: string, item: StateItem | undefined): TransactionItem {
  const operation = operationOf(word);
  const common: DeleteItem = item ? deleteItemOfMessage(item) : { key: '' };
  return operation === 'upsert' ? { operation, ...common, value: { data: item?.value ?? Buffer.alloc(0), binary: true } } : { operation, ...common };
}
