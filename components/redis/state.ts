/**
 * `state.redis`: state in a Redis server, in the layout that other sidecars of this wire contract read and write.
 *
 * Owns: that layout, and the one script through which every write goes.
 *
 * Layout: a HASH at the full key; `data` = the value's bytes as given (JSON text, or raw), `version` = decimal integer,
 * one higher with each write, which is the etag; `first-write` = `0` once the key was written with first-write
 * concurrency. A plain string key, as older data has it, is read as a value without an etag and replaced by the next write.
 *
 * Invariants
 * R1  A write is one script: it first checks every condition, as if the operations came one after the other, and then
 *     writes all keys, expiries and outbox records, or nothing. MULTI would not take back what went before a failure.
 * R2  Nothing is acknowledged before the server answered; a lost answer is an error, not a second try.
 * R3  A set without a TTL leaves an expiry alone, as this layout's other users do; TTL <= 0 takes it away.
 */
import {
  defineComponent,
  EtagError,
  field,
  type BulkOutcome,
  type ComponentContext,
  type DeleteState,
  type GetState,
  type OptionsOf,
  type SetState,
  type StateOperation,
  type StateRecord,
  type StateStore,
  type TransactState,
} from '@mecha/components/kit';
import { connectionMetadata, plainError, RedisConnection, type RedisClient } from './connection.ts';
import { createOutbox, encodeRecord, outboxKeys } from './outbox.ts';
import { defineScript, runScript, type ScriptArgument } from './script.ts';

const metadata = {
  ...connectionMetadata,
  ttlInSeconds: field.integer('Expiry in seconds of every value that is set without one of its own; none when absent.', { maximum: 2 ** 31 - 1 }),
  queryIndexes: field.noEffect('Search schemas for the query API.', 'the query API needs the RediSearch module and is not offered on Redis'),
} as const;

type Options = OptionsOf<typeof metadata>;

/** Replicas must have a strong write within this time; the layout's other users wait as long. */
const REPLICAS_WAIT_MS = 1_000;
const LOG_AGAIN_MS = 60_000;

/**
 * KEYS: one per operation, then two per outbox record (records, due).
 * ARGV: number of operations; per operation kind (s d), condition (- none, e etag, f first-write), etag, data, TTL
 *       ('' = leave the expiry, '0' = take it away, else seconds); per outbox record id and record.
 * Reply: 0, or the place (from 1) of the operation whose condition did not hold.
 */
const writeScript = defineScript(`
local count = tonumber(ARGV[1])
local seen, versions = {}, {}

for i = 1, count do
  local key, base = KEYS[i], 2 + (i - 1) * 5
  local kind, condition = ARGV[base], ARGV[base + 1]
  local known = seen[key]
  if not known then
    local holds = redis.call('TYPE', key).ok
    local version = holds == 'hash' and redis.call('HGET', key, 'version') or false
    known = { exists = holds ~= 'none', version = version, foreign = holds ~= 'none' and holds ~= 'hash' }
    seen[key] = known
  end
  if condition == 'e' and known.version ~= ARGV[base + 2] then return i end
  if condition == 'f' and known.exists then return i end
  if kind == 's' then
    local number = known.version and string.match(known.version, '^%d+$') and #known.version < 16 and tonumber(known.version) or 0
    known.version = string.format('%.0f', number + 1)
    known.exists = true
    versions[i] = known.version
  else
    known.version = false
    known.exists = false
  end
end

for i = 1, count do
  local key, base = KEYS[i], 2 + (i - 1) * 5
  if ARGV[base] == 's' then
    if seen[key].foreign then
      redis.call('DEL', key)
      seen[key].foreign = false
    end
    redis.call('HSET', key, 'data', ARGV[base + 3], 'version', versions[i])
    if ARGV[base + 1] == 'f' then redis.call('HSET', key, 'first-write', 0) end
    local ttl = ARGV[base + 4]
    if ttl == '0' then
      redis.call('PERSIST', key)
    elseif ttl ~= '' then
      redis.call('EXPIRE', key, ttl)
    end
  else
    redis.call('DEL', key)
  end
end

local place, argument = count + 1, 2 + count * 5
if KEYS[place] then
  local time = redis.call('TIME')
  local now = time[1] * 1000000 + time[2]
  while KEYS[place] do
    redis.call('HSET', KEYS[place], ARGV[argument], ARGV[argument + 1])
    redis.call('ZADD', KEYS[place + 1], string.format('%.0f', now), ARGV[argument])
    place, argument, now = place + 2, argument + 2, now + 1
  end
end
return 0
`);

/** KEYS key. Reply: data, version, milliseconds left (-1 = for ever); nothing when there is no such key. */
const readScript = defineScript(`
local holds = redis.call('TYPE', KEYS[1]).ok
if holds == 'none' then return {} end
local left = redis.call('PTTL', KEYS[1])
if holds == 'hash' then
  local values = redis.call('HMGET', KEYS[1], 'data', 'version')
  return { values[1] or '', values[2] or '', left }
end
if holds == 'string' then return { redis.call('GET', KEYS[1]), '', left } end
return redis.error_reply('WRONGTYPE the key holds a value of type ' .. holds .. ', which is not state of this store')
`);

function createState(context: ComponentContext<Options>): StateStore {
  const { options, clock, log } = context;
  const connection = new RedisConnection(options, context);
  const outbox = createOutbox({ client: () => connection.client, appId: context.appId, clock, log });
  let replicas = 0;
  let strong: Promise<RedisClient> | undefined;
  let warnedAt = Number.NEGATIVE_INFINITY;

  /** A connection of its own: waiting for replicas holds up everything behind it. */
  const strongClient = (): Promise<RedisClient> => {
    strong ??= connection.open().catch((error: unknown) => {
      strong = undefined;
      throw error;
    });
    return strong;
  };

  const warnReplicas = (confirmed: number): void => {
    if (clock.now() - warnedAt < LOG_AGAIN_MS) return;
    warnedAt = clock.now();
    log.warn({ confirmed, replicas }, `a strong write was not confirmed by all replicas within ${REPLICAS_WAIT_MS} ms`);
  };

  const write = async (operations: readonly StateOperation[], records: TransactState['outbox'] = []): Promise<void> => {
    if (operations.length === 0 && records.length === 0) return;
    const keys = operations.map(({ key }) => key);
    const args: ScriptArgument[] = [operations.length];
    for (const operation of operations) args.push(...argumentsOf(operation, options.ttlInSeconds));
    for (const record of records) {
      const { records: recordsKey, due } = outboxKeys(record.appId);
      keys.push(recordsKey, due);
      args.push(record.id, encodeRecord(record));
    }
    const isStrong = replicas > 0 && operations.some(({ options: own }) => own?.consistency === 'strong');
    const client = isStrong ? await strongClient() : connection.client;
    const refused = Number(await runScript(client, writeScript, keys, args).catch(explainSlots));
    if (refused > 0) throw new EtagError('mismatch', keys[refused - 1] ?? '');
    for (const appId of new Set(records.map((record) => record.appId))) outbox.announce(appId);
    if (!isStrong) return;
    const confirmed = Number(await client.wait(replicas, REPLICAS_WAIT_MS));
    if (confirmed < replicas) warnReplicas(confirmed);
  };

  const read = async (key: string): Promise<StateRecord | undefined> => {
    const reply = (await runScript(connection.client, readScript, [key], [])) as readonly [Buffer, Buffer, number] | readonly [];
    const [data, version, leftMs] = reply;
    if (!data || !version || leftMs === undefined) return undefined;
    return {
      key,
      data,
      ...(version.length > 0 ? { etag: version.toString() } : {}),
      ...(leftMs >= 0 ? { expiresAt: clock.now() + leftMs } : {}),
    };
  };

  const set = async (request: SetState): Promise<void> => write([{ type: 'upsert', ...request }]);
  const remove = async (request: DeleteState): Promise<void> => write([{ type: 'delete', ...request }]);
  const outcomeOf = (work: Promise<void>): Promise<BulkOutcome> => work.then(() => undefined, asError);

  return {
    async connect(signal) {
      strong = undefined;
      await connection.connect(signal);
      replicas = connection.isCluster ? 0 : await countReplicas(connection.client);
    },
    ping: () => connection.ping(),
    async close() {
      outbox.close();
      await connection.close();
    },

    get: (request) => read(request.key),
    set,
    delete: remove,

    // Handed in together, these travel together.
    bulkGet: (requests: readonly GetState[]) => Promise.all(requests.map(({ key }) => read(key).catch(asError))),
    bulkSet: (requests) => Promise.all(requests.map((request) => outcomeOf(set(request)))),
    bulkDelete: (requests) => Promise.all(requests.map((request) => outcomeOf(remove(request)))),

    transact: ({ operations, outbox: records }) => write(operations, records),
    // A script may touch keys of one slot only, and state and outbox share none in a cluster.
    ...(connection.isCluster ? {} : { outbox }),
  };
}

/** Five arguments of the write script. */
function argumentsOf(operation: StateOperation, ttlDefault: number | undefined): readonly ScriptArgument[] {
  const { type, etag, options } = operation;
  const kind = type === 'upsert' ? 's' : 'd';
  const expected = etag ? versionOf(operation.key, etag) : '';
  const condition = etag ? 'e' : type === 'upsert' && options?.concurrency === 'first-write' ? 'f' : '-';
  if (type === 'delete') return [kind, condition, expected, '', ''];
  const { data } = operation.value;
  const ttl = operation.ttlSeconds ?? ttlDefault;
  return [kind, condition, expected, Buffer.from(data.buffer, data.byteOffset, data.byteLength), ttl === undefined ? '' : Math.max(ttl, 0)];
}

/** An etag of this store is a version number; what is none was never given out by it. */
function versionOf(key: string, etag: string): string {
  if (!/^[+-]?\d{1,19}$/.test(etag)) throw new EtagError('invalid', key, new Error('the etag is not a whole number'));
  return BigInt(etag.replace('+', '')).toString();
}

async function countReplicas(client: RedisClient): Promise<number> {
  const info = await client.info('replication').catch((error: unknown) => {
    throw plainError(error);
  });
  return Number(/^connected_slaves:(\d+)/m.exec(info)?.[1] ?? 0);
}

function explainSlots(error: unknown): never {
  if (!(error instanceof Error) || !error.message.startsWith('CROSSSLOT')) throw error;
  throw new Error('the keys of this transaction lie in different slots of the Redis cluster; give them a common part in braces, such as {order-7}', { cause: error });
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

export default defineComponent({
  type: 'state.redis',
  versions: ['v1'],
  status: 'stable',
  title: 'Redis',
  description: 'State in Redis or Valkey hashes, with etags, expiry, transactions in one script, and an outbox.',
  durability: 'As durable as the server is told to be. With appendonly yes and appendfsync always an acknowledged write survives a crash; everysec can lose about a second, and snapshots alone lose all since the last one. A failover can lose what the replica had not received.',
  metadata,
  features: ['ETAG', 'TRANSACTIONAL', 'TTL'],
  library: 'ioredis',
  create: createState,
});
