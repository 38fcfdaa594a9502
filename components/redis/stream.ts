/**
 * The data of a stream and its group on the server: the form of entries, the keys, and the scripts that move entries
 * between consumers in one step. Who does what when is `stream-subscription.ts`.
 */
import { plainError, type RedisClient } from './connection.ts';
import { defineScript } from './script.ts';

/** One event of a stream, as a consumer of a group has it. */
export interface Entry {
  readonly id: string;
  readonly data: Buffer;
  readonly metadata: Readonly<Record<string, string>>;
  readonly attempt: number;
}

/** An entry as the server gives it; no fields when it was trimmed while it was pending. */
export type RawEntry = readonly [id: Buffer, fields: readonly Buffer[] | null];

const DATA = Buffer.from('data');
const METADATA = Buffer.from('metadata');

/**
 * Takes entries over from a consumer (ARGV 3), or from any (''), that were idle for long enough.
 * KEYS stream, attempts; ARGV group, taker, consumer, idle ms, most entries, id to go on from.
 * Reply: id to go on from next time ('-' = from the start), then id, fields and failed tries of each entry.
 */
export const takeScript = defineScript(`
local group, taker, owner, idle, most, start = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[6]
local reply, pages, pending = { '-' }, 0, nil
repeat
  if owner == '' then
    pending = redis.call('XPENDING', KEYS[1], group, start, '+', 100)
  else
    pending = redis.call('XPENDING', KEYS[1], group, start, '+', 100, owner)
  end
  for _, entry in ipairs(pending) do
    local id = entry[1]
    local time, sequence = string.match(id, '(%d+)-(%d+)')
    start = time .. '-' .. string.format('%.0f', sequence + 1)
    if entry[3] >= idle then
      local claimed = redis.call('XCLAIM', KEYS[1], group, taker, 0, id)[1]
      if claimed then
        table.insert(reply, id)
        table.insert(reply, claimed[2])
        table.insert(reply, tonumber(redis.call('HGET', KEYS[2], id) or 0))
      else
        redis.call('XACK', KEYS[1], group, id)
        redis.call('HDEL', KEYS[2], id)
      end
    end
    if #reply > most * 3 then
      reply[1] = start
      return reply
    end
  end
  pages = pages + 1
until #pending < 100 or pages == 50
if #pending == 100 then reply[1] = start end
return reply
`);

/** Claims for a consumer those of some entries that another still holds; it may be itself. KEYS stream; ARGV group, holder, taker, ids. */
export const claimScript = defineScript(`
for i = 4, #ARGV do
  local held = redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[i], ARGV[i], 1, ARGV[2])
  if #held > 0 then redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[3], 0, ARGV[i], 'JUSTID') end
end
return 0
`);

/** Hands back all that a consumer holds, and forgets the consumer. KEYS stream; ARGV group, consumer, released. */
export const leaveScript = defineScript(`
local pending
repeat
  pending = redis.call('XPENDING', KEYS[1], ARGV[1], '-', '+', 100, ARGV[2])
  for _, entry in ipairs(pending) do
    redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[3], 0, entry[1], 'JUSTID')
  end
until #pending < 100
return redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], ARGV[2])
`);

/** Forgets consumers of this kind that hold nothing and have not been seen for long. KEYS stream; ARGV group, prefix, idle ms. */
export const forgetScript = defineScript(`
for _, info in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])) do
  local consumer = {}
  for i = 1, #info, 2 do consumer[info[i]] = info[i + 1] end
  if consumer.pending == 0 and consumer.idle > tonumber(ARGV[3]) and string.sub(consumer.name, 1, #ARGV[2]) == ARGV[2] then
    redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], consumer.name)
  end
end
return 0
`);

/** Makes the group, from the oldest entry on, and the stream if there is none. Rejects when the server cannot be reached. */
export async function ensureGroup(client: RedisClient, topic: string, group: string): Promise<void> {
  try {
    await client.xgroup('CREATE', topic, group, '0', 'MKSTREAM');
  } catch (error) {
    const plain = plainError(error);
    if (!plain.message.startsWith('BUSYGROUP')) throw plain;
  }
}

/** In a cluster it must lie in the slot of the stream: a topic with a brace has its own tag, another becomes one. */
export function attemptsKey(topic: string, group: string): string {
  return `mecha:attempts:${topic.includes('{') ? topic : `{${topic}}`}:${group}`;
}

/** One stream was asked for: `[[name, entries]]`, or null when the wait ended without any. */
export function entriesOf(reply: unknown): readonly RawEntry[] {
  const [stream] = (reply ?? []) as readonly (readonly [Buffer, readonly RawEntry[]])[];
  return stream?.[1] ?? [];
}

export function decodeEntry(id: string, fields: readonly Buffer[], attempt: number): Entry {
  let data: Buffer = Buffer.alloc(0);
  let metadata: Record<string, string> = {};
  for (let index = 0; index + 1 < fields.length; index += 2) {
    const value = fields[index + 1] as Buffer;
    if (fields[index]?.equals(DATA)) data = value;
    else if (fields[index]?.equals(METADATA)) metadata = decodeMetadata(value.toString());
  }
  return { id, data, metadata, attempt };
}

/** What others left there that is no object of texts is passed over. */
function decodeMetadata(text: string): Record<string, string> {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return {};
    return Object.fromEntries(Object.entries(parsed).filter(([, value]) => typeof value === 'string'));
  } catch {
    return {}; // metadata is an extra: the event itself must not be lost over it
  }
}
