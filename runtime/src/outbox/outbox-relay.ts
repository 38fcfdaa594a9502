/**
 * The one relay of all outboxes of an app: claims records where their state was written, publishes them, and removes them
 * only after the broker acknowledged (`components/kit/outbox.ts`).
 *
 * Invariants
 *  1. A record is removed only after its publish resolved. A crash anywhere leads to a second publish, never to a loss.
 *  2. Publishes are begun in the order in which the records were written; a failure delays its record and those that come
 *     after it for the same pub/sub component, and no others.
 *  3. At most `IN_FLIGHT_MAX` publishes per store are under way, each shorter than the lease of its claim.
 *
 * It is woken by the stores and looks by itself only as a fallback.
 */
import { randomUUID } from 'node:crypto';
import type { ClaimedOutboxRecord, Clock, OutboxRecord, OutboxSource } from '@mecha/components/kit';
import { messageOf } from '../errors.ts';
import type { Part } from '../lifecycle.ts';
import { createLogLimit } from '../log-limit.ts';
import type { Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { waitFor } from '../wait.ts';

export interface RelayedStore {
  readonly storeName: string;
  readonly source: OutboxSource;
  readonly appId: string;
}

export interface OutboxRelayParts {
  readonly appId: string;
  /** The stores that have an outbox now; asked again and again, since stores become ready late. */
  readonly sources: () => readonly RelayedStore[];
  /** Resolves when the broker has it. The signal ends its retries. */
  readonly publish: (record: OutboxRecord, signal: AbortSignal) => Promise<void>;
  readonly clock: Clock;
  /** 0 <= x < 1, for jitter. */
  readonly random?: () => number;
  readonly log: Log;
  readonly metrics: Metrics;
}

const LEASE_MS = 30_000;
/** A publish that has not ended by then counts as failed, while its lease still holds. */
const PUBLISH_TIMEOUT_MS = 20_000;
const IN_FLIGHT_MAX = 128;
const CLAIM_MAX = 64;
const POLL_MS = 1000;
const BACKOFF_FIRST_MS = 200;
const BACKOFF_MOST_MS = 30_000;
const LOG_INTERVAL_MS = 10_000;
const PENDING_EVERY_POLLS = 15;

export function createOutboxRelay(parts: OutboxRelayParts): Part {
  const lanes = new Map<string, Lane>();
  const mayLog = createLogLimit(parts.clock, LOG_INTERVAL_MS);
  let cancelLook: (() => void) | undefined;
  let stopped = false;

  /** Stores that are new get a lane; later looks are the fallback for wake-ups that were lost. */
  function look(): void {
    if (stopped) return;
    for (const store of parts.sources()) {
      let lane = lanes.get(store.storeName);
      if (lane && lane.source !== store.source) {
        void lane.close(AbortSignal.abort());
        lane = undefined;
      }
      lane ??= new Lane(store, parts, mayLog);
      lanes.set(store.storeName, lane);
      lane.look();
    }
    cancelLook = parts.clock.after(POLL_MS, look);
  }

  async function close(cut: AbortSignal): Promise<void> {
    stopped = true;
    cancelLook?.();
    await Promise.all(Array.from(lanes.values(), (lane) => lane.close(cut)));
  }

  return { name: 'outbox relay', start: look, drain: close, stop: () => close(AbortSignal.abort()) };
}

/** One store's records on their way out. */
class Lane {
  readonly source: OutboxSource;
  readonly #store: RelayedStore;
  readonly #parts: OutboxRelayParts;
  readonly #mayLog: (key: string) => number | undefined;
  readonly #owner: string;
  readonly #closing = new AbortController();
  readonly #unsubscribe: () => void;
  readonly #inFlight = new Set<Promise<void>>();
  /** Published, not yet removed from the store. */
  #published: string[] = [];
  #removing: Promise<void> | undefined;
  /** By pub/sub component that fails: how often in a row, and until when it rests. */
  readonly #resting = new Map<string, { failures: number; until: number }>();
  #claimFailures = 0;
  #claimRestsUntil = 0;
  #working: Promise<void> | undefined;
  #again = false;
  #looks = 0;

  constructor(store: RelayedStore, parts: OutboxRelayParts, mayLog: (key: string) => number | undefined) {
    this.source = store.source;
    this.#store = store;
    this.#parts = parts;
    this.#mayLog = mayLog;
    this.#owner = `${store.appId}-${randomUUID()}`;
    this.#unsubscribe = store.source.onRecords(store.appId, () => this.#wake());
  }

  /** The fallback's look. */
  look(): void {
    this.#wake();
    if (this.#looks++ % PENDING_EVERY_POLLS === 0) void this.#gaugePending();
  }

  /** Ends claiming, and waits for what is claimed until `cut` aborts; the rest is handed back. Idempotent, never rejects. */
  async close(cut: AbortSignal): Promise<void> {
    this.#unsubscribe();
    this.#closing.abort();
    const late = new Promise<void>((resolve) => {
      if (cut.aborted) resolve();
      else cut.addEventListener('abort', () => resolve(), { once: true });
    });
    const done = (async () => {
      await this.#working;
      await Promise.all(this.#inFlight);
      await this.#removing;
    })();
    await Promise.race([done, late]);
  }

  #wake(): void {
    if (this.#closing.signal.aborted) return;
    this.#again = true;
    this.#working ??= this.#work();
  }

  /** Claims as long as there is something and room for it. Never rejects. */
  async #work(): Promise<void> {
    // Never within the call that woke it: a store may wake its listeners in the midst of its commit.
    await Promise.resolve();
    while (this.#again && !this.#closing.signal.aborted && this.#parts.clock.now() >= this.#claimRestsUntil) {
      this.#again = false;
      if (this.#inFlight.size > IN_FLIGHT_MAX - CLAIM_MAX) {
        await Promise.race(this.#inFlight);
        this.#again = true;
        continue;
      }
      await this.#claim();
    }
    this.#working = undefined;
  }

  async #claim(): Promise<void> {
    const { appId, storeName } = this.#store;
    try {
      const records = await this.source.claim({ appId, owner: this.#owner, limit: CLAIM_MAX, leaseMs: LEASE_MS });
      this.#claimFailures = 0;
      if (records.length === CLAIM_MAX) this.#again = true;
      await this.#handOut(records);
    } catch (error) {
      this.#claimFailures += 1;
      this.#claimRestsUntil = this.#parts.clock.now() + this.#delayMs(this.#claimFailures);
      this.#warn(`claim ${storeName}`, { store: storeName, err: error }, `the outbox of ${storeName} cannot be read: ${messageOf(error)}`);
    }
  }

  async #handOut(records: readonly ClaimedOutboxRecord[]): Promise<void> {
    const now = this.#parts.clock.now();
    const resting = new Map<number, string[]>();
    for (const record of records) {
      const restsMs = (this.#resting.get(record.pubsub)?.until ?? 0) - now;
      if (this.#closing.signal.aborted) resting.set(0, [...(resting.get(0) ?? []), record.id]);
      else if (restsMs > 0) resting.set(restsMs, [...(resting.get(restsMs) ?? []), record.id]);
      else {
        const publishing = this.#publish(record).finally(() => this.#inFlight.delete(publishing));
        this.#inFlight.add(publishing);
      }
    }
    for (const [delayMs, ids] of resting) await this.#release(ids, delayMs);
  }

  /** Never rejects. */
  async #publish(record: ClaimedOutboxRecord): Promise<void> {
    const { metrics, log } = this.#parts;
    const labels = { component: record.pubsub, topic: record.topic };
    try {
      await this.#publishInTime(record);
    } catch (error) {
      metrics.count('outbox_publish_count', { ...labels, success: 'false' });
      const delayMs = this.#rest(record.pubsub);
      const fields = { store: this.#store.storeName, pubsub: record.pubsub, topic: record.topic, id: record.id, attempt: record.attempt + 1, delayMs };
      this.#warn(`publish ${record.pubsub}/${record.topic}`, fields, `an outbox event could not be published and stays: ${messageOf(error)}`);
      await this.#release([record.id], delayMs);
      return;
    }
    this.#resting.delete(record.pubsub);
    metrics.count('outbox_publish_count', { ...labels, success: 'true' });
    log.debug({ id: record.id, topic: record.topic }, 'outbox event published');
    this.#published.push(record.id);
    this.#removing ??= this.#remove();
    await this.#removing;
  }

  async #publishInTime(record: ClaimedOutboxRecord): Promise<void> {
    const over = new AbortController();
    const late = new AbortController();
    const timeout = waitFor(this.#parts.clock, PUBLISH_TIMEOUT_MS, over.signal).then(() => {
      if (over.signal.aborted) return;
      late.abort();
      throw new Error(`no acknowledgement within ${PUBLISH_TIMEOUT_MS} ms`);
    });
    try {
      await Promise.race([this.#parts.publish(record, late.signal), timeout]);
    } finally {
      over.abort();
    }
  }

  /** Removes in groups what was published meanwhile. A record that stays is published again: a duplicate, never a loss. */
  async #remove(): Promise<void> {
    // Acknowledgements that arrive in one turn of the loop share one removal.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#published.length > 0) {
      const ids = this.#published;
      this.#published = [];
      try {
        await this.source.remove(ids);
      } catch (error) {
        const { storeName } = this.#store;
        this.#warn(`remove ${storeName}`, { store: storeName, records: ids.length, err: error }, `published outbox events of ${storeName} could not be removed and will be published again`);
      }
    }
    this.#removing = undefined;
  }

  /** Never rejects: a record that is not released comes back when its lease ends. */
  async #release(ids: readonly string[], delayMs: number): Promise<void> {
    try {
      await this.source.release(ids, Math.ceil(delayMs));
    } catch (error) {
      const { storeName } = this.#store;
      this.#warn(`release ${storeName}`, { store: storeName, err: error }, `outbox events of ${storeName} wait for the end of their lease`);
      return;
    }
    this.#parts.clock.after(delayMs + 1, () => this.#wake());
  }

  /** The component rests, longer with every failure; failures of publishes that were begun together count once. */
  #rest(pubsub: string): number {
    const now = this.#parts.clock.now();
    const resting = this.#resting.get(pubsub) ?? { failures: 0, until: 0 };
    if (resting.until <= now) {
      resting.failures += 1;
      resting.until = now + this.#delayMs(resting.failures);
      this.#resting.set(pubsub, resting);
    }
    return resting.until - now;
  }

  #delayMs(failures: number): number {
    const { random = Math.random } = this.#parts;
    return Math.min(BACKOFF_MOST_MS, BACKOFF_FIRST_MS * 2 ** Math.min(failures - 1, 10)) * (0.75 + 0.25 * random());
  }

  async #gaugePending(): Promise<void> {
    const { appId, storeName } = this.#store;
    try {
      this.#parts.metrics.gauge('outbox_pending', { component: storeName }, await this.source.pending(appId));
    } catch (error) {
      this.#warn(`pending ${storeName}`, { store: storeName, err: error }, `the outbox of ${storeName} cannot be counted: ${messageOf(error)}`);
    }
  }

  #warn(key: string, fields: Record<string, unknown>, message: string): void {
    const heldBack = this.#mayLog(key);
    if (heldBack !== undefined) this.#parts.log.warn(heldBack > 0 ? { ...fields, notLogged: heldBack } : fields, message);
  }
}
