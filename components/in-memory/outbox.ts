/** Outbox records of an in-memory store: one list in the order written, leases by time. Nothing outlives the process. */
import type { ClaimedOutboxRecord, Clock, OutboxRecord, OutboxSource } from '@mecha/components/kit';

interface Entry {
  readonly record: OutboxRecord;
  attempt: number;
  /** From when on it may be claimed, milliseconds since the epoch. */
  freeAt: number;
}

export interface InMemoryOutbox extends OutboxSource {
  add(records: readonly OutboxRecord[]): void;
}

export function createInMemoryOutbox(clock: Clock): InMemoryOutbox {
  const entries = new Map<string, Entry>();
  const listeners = new Map<string, Set<() => void>>();

  const notify = (appId: string): void => {
    for (const listener of listeners.get(appId) ?? []) listener();
  };

  return {
    add(records) {
      for (const record of records) entries.set(record.id, { record: { ...record, data: Buffer.from(record.data) }, attempt: 0, freeAt: 0 });
      for (const appId of new Set(records.map((record) => record.appId))) notify(appId);
    },
    async claim({ appId, limit, leaseMs }) {
      const claimed: ClaimedOutboxRecord[] = [];
      const now = clock.now();
      for (const entry of entries.values()) {
        if (claimed.length >= limit) break;
        if (entry.record.appId !== appId || entry.freeAt > now) continue;
        claimed.push({ ...entry.record, attempt: entry.attempt });
        entry.attempt++;
        entry.freeAt = now + leaseMs;
      }
      return claimed;
    },
    async remove(ids) {
      for (const id of ids) entries.delete(id);
    },
    async release(ids, delayMs) {
      const apps = new Set<string>();
      for (const id of ids) {
        const entry = entries.get(id);
        if (!entry) continue;
        entry.freeAt = clock.now() + delayMs;
        apps.add(entry.record.appId);
      }
      clock.after(delayMs, () => apps.forEach(notify));
    },
    onRecords(appId, listener) {
      const ours = listeners.get(appId) ?? new Set();
      listeners.set(appId, ours);
      const own = (): void => listener();
      ours.add(own);
      return () => {
        ours.delete(own);
        if (ours.size === 0 && listeners.get(appId) === ours) listeners.delete(appId);
      };
    },
    async pending(appId) {
      let count = 0;
      for (const { record } of entries.values()) if (record.appId === appId) count++;
      return count;
    },
  };
}
