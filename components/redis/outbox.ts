/**
 * The outbox of a Redis store: three keys per app, written by the same script as the state.
 *
 *   mecha:outbox:{<app id>}:records    HASH  record id -> record as JSON
 *   mecha:outbox:{<app id>}:due        ZSET  record id by the time it may be claimed, microseconds of the server's clock
 *   mecha:outbox:{<app id>}:attempts   HASH  record id -> claims so far
 *
 * A claim moves the record's due time past its lease, so a lease that ran out needs nobody's help. All times are the
 * server's: the clocks of sidecars do not matter.
 *
 * Does not own: the script that adds records (`state.ts` does), nor publishing them.
 */
import type { ClaimedOutboxRecord, Clock, ComponentLog, OutboxRecord, OutboxSource } from '@mecha/components/kit';
import { plainError, type RedisClient } from './connection.ts';
import { defineScript, runScript } from './script.ts';

/** How often to look for records that nobody announced: another sidecar's, or those whose lease ran out. */
const POLL_MS = 1_000;
/** Claimed ids whose app is remembered; the oldest are forgotten, and then taken for this sidecar's own. */
const REMEMBERED_MAX = 100_000;

/** KEYS records due attempts; ARGV limit, lease in microseconds. Reply: id, record, earlier claims, id, ... */
const claimScript = defineScript(`
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local claimed = {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', string.format('%.0f', now), 'LIMIT', 0, ARGV[1])) do
  local record = redis.call('HGET', KEYS[1], id)
  if record then
    redis.call('ZADD', KEYS[2], string.format('%.0f', now + ARGV[2]), id)
    local attempts = redis.call('HINCRBY', KEYS[3], id, 1)
    table.insert(claimed, id)
    table.insert(claimed, record)
    table.insert(claimed, tostring(attempts - 1))
  else
    redis.call('ZREM', KEYS[2], id)
  end
end
return claimed
`);

/** KEYS records due attempts; ARGV ids */
const removeScript = defineScript(`
for _, id in ipairs(ARGV) do
  redis.call('HDEL', KEYS[1], id)
  redis.call('ZREM', KEYS[2], id)
  redis.call('HDEL', KEYS[3], id)
end
return 0
`);

/** KEYS due; ARGV delay in microseconds, ids. XX: a record that was removed meanwhile stays away. */
const releaseScript = defineScript(`
local time = redis.call('TIME')
local due = string.format('%.0f', time[1] * 1000000 + time[2] + ARGV[1])
for index = 2, #ARGV do
  redis.call('ZADD', KEYS[1], 'XX', due, ARGV[index])
end
return 0
`);

/** KEYS due; reply 1 when a record may be claimed. */
const dueScript = defineScript(`
local time = redis.call('TIME')
return redis.call('ZCOUNT', KEYS[1], '-inf', string.format('%.0f', time[1] * 1000000 + time[2]))
`);

/** The keys of one app's outbox; the braces keep them in one slot. */
export function outboxKeys(appId: string): { readonly records: string; readonly due: string; readonly attempts: string } {
  const prefix = `mecha:outbox:{${appId}}`;
  return { records: `${prefix}:records`, due: `${prefix}:due`, attempts: `${prefix}:attempts` };
}

export function encodeRecord(record: OutboxRecord): string {
  const { data, ...rest } = record;
  return JSON.stringify({ ...rest, data: Buffer.from(data).toString('base64') });
}

function decodeRecord(text: string, attempt: number): ClaimedOutboxRecord {
  const { data, ...rest } = JSON.parse(text) as Omit<OutboxRecord, 'data'> & { data: string };
  return { ...rest, data: Buffer.from(data, 'base64'), attempt };
}

export interface RedisOutbox extends OutboxSource {
  /** Records of this app were just written by this process. */
  announce(appId: string): void;
  /** Ends the look-outs. */
  close(): void;
}

export interface RedisOutboxParts {
  /** Throws while there is no connection. */
  readonly client: () => RedisClient;
  readonly appId: string;
  readonly clock: Clock;
  readonly log: ComponentLog;
}

export function createOutbox({ client, appId: ownAppId, clock, log }: RedisOutboxParts): RedisOutbox {
  const listeners = new Map<string, Set<() => void>>();
  /** `remove` and `release` name ids only. */
  const appOf = new Map<string, string>();
  let cancelPoll: (() => void) | undefined;

  const announce = (appId: string): void => {
    for (const listener of listeners.get(appId) ?? []) queueMicrotask(listener);
  };

  const byApp = (ids: readonly string[]): ReadonlyMap<string, readonly string[]> => Map.groupBy(ids, (id) => appOf.get(id) ?? ownAppId);

  const poll = async (): Promise<void> => {
    for (const appId of listeners.keys()) {
      try {
        if (Number(await runScript(client(), dueScript, [outboxKeys(appId).due], [])) > 0) announce(appId);
      } catch (error) {
        log.debug({ reason: plainError(error).message }, 'could not look for outbox records; looking again');
      }
    }
  };

  const schedulePoll = (): void => {
    if (cancelPoll || listeners.size === 0) return;
    cancelPoll = clock.after(POLL_MS, () => {
      void poll().finally(() => {
        cancelPoll = undefined;
        schedulePoll();
      });
    });
  };

  return {
    announce,

    async claim({ appId, limit, leaseMs }) {
      const keys = outboxKeys(appId);
      const reply = await runScript(client(), claimScript, [keys.records, keys.due, keys.attempts], [limit, Math.round(leaseMs * 1000)]);
      const texts = (reply as readonly Buffer[]).map(String);
      const claimed: ClaimedOutboxRecord[] = [];
      for (let index = 0; index + 2 < texts.length; index += 3) {
        const [id = '', text = '', attempt = '0'] = texts.slice(index, index + 3);
        appOf.set(id, appId);
        claimed.push(decodeRecord(text, Number(attempt)));
      }
      for (const id of appOf.keys()) {
        if (appOf.size <= REMEMBERED_MAX) break;
        appOf.delete(id);
      }
      return claimed;
    },

    async remove(ids) {
      for (const [appId, own] of byApp(ids)) {
        const keys = outboxKeys(appId);
        await runScript(client(), removeScript, [keys.records, keys.due, keys.attempts], own);
        for (const id of own) appOf.delete(id);
      }
    },

    async release(ids, delayMs) {
      for (const [appId, own] of byApp(ids)) {
        await runScript(client(), releaseScript, [outboxKeys(appId).due], [Math.round(delayMs * 1000), ...own]);
      }
    },

    onRecords(appId, listener) {
      const own = listeners.get(appId) ?? new Set();
      own.add(listener);
      listeners.set(appId, own);
      schedulePoll();
      return () => {
        own.delete(listener);
        if (own.size === 0 && listeners.get(appId) === own) listeners.delete(appId);
      };
    },

    async pending(appId) {
      try {
        return await client().hlen(outboxKeys(appId).records);
      } catch (error) {
        throw plainError(error);
      }
    },

    close() {
      listeners.clear();
      cancelPoll?.();
      cancelPoll = undefined;
    },
  };
}
