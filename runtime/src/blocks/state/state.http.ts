/** The HTTP face of the state block (http-api.md 5): decode, pipeline, encode. */
import {
  BadJson,
  asArray,
  asObject,
  integerMember,
  member,
  parseJson,
  stringMapMember,
  stringMember,
  type JsonObject,
} from '../../json/lenient-json.ts';
import type { Pipeline } from '../../pipeline.ts';
import { BodyTooLarge, type HttpReply, type HttpRequest, type HttpRoute } from '../../servers/http-face.ts';
import { deleteItemOfJson, saveItemOfJson } from '../../state/state-item.ts';
import { errors } from './state-errors.ts';
import { operationOf, type BulkGetItem, type StateBlock, type TransactionItem } from './state.ts';

const NO_CONTENT: HttpReply = { status: 204 };
const DESERIALIZING = 'failed deserializing HTTP body: ';

export function stateHttp(state: StateBlock, pipeline: Pipeline): HttpRoute[] {
  const route = (methods: string[], path: string, handle: HttpRoute['handle']): HttpRoute => ({ methods, versions: ['v1.0'], path, group: 'state', handle });
  return [
    route(['GET'], '/state/:store/:key', get),
    route(['POST', 'PUT'], '/state/:store', save),
    route(['DELETE'], '/state/:store/:key', remove),
    route(['POST', 'PUT'], '/state/:store/bulk', bulkGet),
    route(['POST', 'PUT'], '/state/:store/transaction', transact),
  ];

  async function get(request: HttpRequest): Promise<HttpReply> {
    const call = request.call('state.get');
    const found = await pipeline.run(call, () =>
      state.get(call, {
        store: param(request, 'store'),
        key: param(request, 'key'),
        consistency: request.query.get('consistency') ?? undefined,
        metadata: request.metadata,
      }),
    );
    if (!found) return NO_CONTENT;
    const headers: Record<string, string> = {};
    if (found.etag !== undefined) headers['ETag'] = found.etag;
    for (const [name, value] of Object.entries(found.metadata)) headers[`metadata.${name}`] = value;
    return { status: 200, headers, body: found.data };
  }

  async function save(request: HttpRequest): Promise<HttpReply> {
    const call = request.call('state.save');
    await pipeline.run(call, async () => {
      const items = await decode(request, '', (body) =>
        asArray(body, 'the body').map((item, index) => saveItemOfJson(asObject(item, `item ${index}`), request.metadata)),
      );
      await state.save(call, { store: param(request, 'store'), items });
    });
    return NO_CONTENT;
  }

  async function remove(request: HttpRequest): Promise<HttpReply> {
    const call = request.call('state.delete');
    const ifMatch = request.headers['if-match'];
    await pipeline.run(call, () =>
      state.delete(call, {
        store: param(request, 'store'),
        item: {
          key: param(request, 'key'),
          etag: ifMatch,
          concurrency: request.query.get('concurrency') ?? undefined,
          consistency: request.query.get('consistency') ?? undefined,
          metadata: request.metadata,
        },
      }),
    );
    return NO_CONTENT;
  }

  async function bulkGet(request: HttpRequest): Promise<HttpReply> {
    const call = request.call('state.bulkGet');
    const items = await pipeline.run(call, async () => {
      const wanted = await decode(request, DESERIALIZING, (body) => {
        const object = asObject(body, 'the body');
        return {
          keys: asArray(member(object, 'keys') ?? [], '"keys"').map((key) => textOf(key, 'a key')),
          parallelism: integerMember(object, 'parallelism') ?? 0,
          metadata: { ...stringMapMember(object, 'metadata'), ...request.metadata },
        };
      });
      return state.bulkGet(call, { store: param(request, 'store'), ...wanted });
    });
    return { status: 200, body: `[${items.map(bulkItemJson).join(',')}]` };
  }

  async function transact(request: HttpRequest): Promise<HttpReply> {
    const call = request.call('state.transact');
    await pipeline.run(call, async () => {
      const store = param(request, 'store');
      state.checkTransactions(store);
      const decoded = await decode(request, DESERIALIZING, (body) => {
        const object = asObject(body, 'the body');
        return {
          operations: asArray(member(object, 'operations') ?? [], '"operations"').map((item, index) =>
            transactionItem(asObject(item, `operation ${index}`), request.metadata),
          ),
          metadata: { ...stringMapMember(object, 'metadata'), ...request.metadata },
        };
      });
      await state.transact(call, { store, ...decoded });
    });
    return NO_CONTENT;
  }
}

function param(request: HttpRequest, name: string): string {
  return request.params[name] ?? '';
}

/** Reads and decodes the body; whatever is wrong with it is the block's `malformed` error. */
async function decode<T>(request: HttpRequest, prefix: string, read: (body: unknown) => T): Promise<T> {
  try {
    return read(parseJson(await request.body()));
  } catch (error) {
    if (error instanceof BadJson || error instanceof BodyTooLarge) throw errors.malformed(prefix + error.message);
    throw error;
  }
}

function textOf(value: unknown, what: string): string {
  if (typeof value === 'string') return value;
  throw new BadJson(`${what} must be a string, not ${typeof value}`);
}

function transactionItem(item: JsonObject, queryMetadata: Readonly<Record<string, string>>): TransactionItem {
  const operation = operationOf(stringMember(item, 'operation') ?? '');
  const request = asObject(member(item, 'request') ?? {}, '"request"');
  return operation === 'upsert'
    ? { operation, ...saveItemOfJson(request, queryMetadata) }
    : { operation, ...deleteItemOfJson(request, queryMetadata) };
}

/** `data` is the stored JSON as it is; bytes that are no JSON come as that item's error instead of breaking the answer. */
function bulkItemJson(item: BulkGetItem): string {
  const { data, ...rest } = item;
  if (data === undefined || data.length === 0) return JSON.stringify(rest);
  const text = Buffer.from(data).toString('utf8');
  try {
    JSON.parse(text);
  } catch {
    return JSON.stringify({ ...rest, error: 'the stored value is not JSON; read it by its key' });
  }
  const fields = [`"key":${JSON.stringify(item.key)}`, `"data":${text}`];
  if (item.etag !== undefined) fields.push(`"etag":${JSON.stringify(item.etag)}`);
  if (item.metadata !== undefined) fields.push(`"metadata":${JSON.stringify(item.metadata)}`);
  return `{${fields.join(',')}}`;
}
