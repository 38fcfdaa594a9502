/**
 * One consumer of one group of one Redis stream.
 *
 * Owns: reading, who holds which entry, settling, and what heals a group or a connection that was lost.
 * Does not own: connections and options (`pubsub.ts`), retries and dead letters (the block above).
 *
 * The server knows of each entry read: it is *pending*, held by one consumer, and idle for so long. From this follows:
 * - An entry stays pending from its first read until its acknowledgement; while it is queued, delivered or waiting for
 *   its retry here, its idle time is set back before `processingTimeoutMs` is reached, so that no other replica takes it.
 * - Entries of consumers that died grow idle and are taken over after `processingTimeoutMs`. Those of the living look dead too after
 *   the machine slept or the server was away: whoever notices that his own look is late first leaves them time to say that they live.
 * - An entry that is handed back goes to a consumer that never reads, `mecha:released`; every replica looks there each second.
 * - What is kept fresh or handed back is claimed only while the server still counts it as this consumer's: the list of what is
 *   held here is older than the server's.
 * - How often an entry was tried stands in a hash beside the stream, written only when a try failed, so that a healthy
 *   stream pays nothing for it.
 *
 * Bounds: at `queueDepth` entries queued, or `WAITING_MAX` waiting for a retry, reading stops. What is on its way then still
 * comes in, and so does what waited.
 */
import type { Clock, ComponentLog, Settlement, SubscribeRequest, Subscription } from '@mecha/components/kit';
import { plainError, type RedisClient } from './connection.ts';
import { runScript } from './script.ts';
import type { Slots } from './slots.ts';
import { attemptsKey, claimScript, decodeEntry, ensureGroup, entriesOf, forgetScript, leaveScript, takeScript, type Entry, type RawEntry } from './stream.ts';

/** The longest that one read waits for an entry. */
export const BLOCK_MS = 1_000;
const RELEASED = 'mecha:released';
const WAITING_MAX = 10_000;
const RELEASED_POLL_MS = 1_000;
const TRY_AGAIN_MS = 500;
const INTERRUPT_AGAIN_MS = 20;
const ATTEMPTS_KEPT_SECONDS = 7 * 24 * 3600;
const LOG_AGAIN_MS = 60_000;
/** Ids in one command, or in its answer. */
const BATCH = 500;
const CONSUMER_FORGOTTEN_MS = 3_600_000;

/** Held entries are made fresh three times before they would look dead. */
const freshEveryMs = (processingTimeoutMs: number): number => Math.max(Math.floor(processingTimeoutMs / 3), 50);

export interface StreamSubscriptionParts {
  readonly request: SubscribeRequest;
  readonly group: string;
  /** Name of this consumer, unique among all instances. */
  readonly consumer: string;
  readonly client: () => RedisClient;
  /** A connection that only this subscription reads on. */
  readonly reader: RedisClient;
  readonly releaseReader: () => void;
  readonly slots: Slots;
  readonly queueDepth: number;
  /** 0 = entries of other consumers are never taken over. */
  readonly processingTimeoutMs: number;
  readonly redeliverIntervalMs: number;
  readonly clock: Clock;
  readonly log: ComponentLog;
}

export class StreamSubscription implements Subscription {
  readonly #parts: StreamSubscriptionParts;
  readonly #topic: string;
  readonly #attemptsKey: string;
  /** Every entry that this consumer holds and knows of, in whatever state. */
  readonly #held = new Set<string>();
  /** Of those: on their way back to the server, which has not answered yet. */
  readonly #leaving = new Set<string>();
  readonly #waiting = new Map<string, () => void>();
  #queue: Entry[] = [];
  #delivering = 0;
  #paused = false;
  #closing = false;
  /** All was handed back: nothing is claimed for this consumer any more. */
  #left = false;
  /** Beyond this id something may be pending here that was read and never arrived; undefined: nothing is. */
  #lookBehind: string | undefined;
  #takeFrom = '-';
  #lookedAt: number;
  #looksLeftOut = 0;
  #readerId: number | undefined;
  readonly #wakers = new Set<() => void>();
  readonly #timers = new Set<() => void>();
  readonly #loggedAt = new Map<string, number>();
  #reading: Promise<void> = Promise.resolve();
  #closed: Promise<void> | undefined;

  constructor(parts: StreamSubscriptionParts) {
    this.#parts = parts;
    this.#topic = parts.request.topic;
    this.#attemptsKey = attemptsKey(this.#topic, parts.group);
    this.#lookedAt = parts.clock.now();
  }

  /** Begins intake; the group exists. */
  start(): void {
    const { reader, processingTimeoutMs, redeliverIntervalMs } = this.#parts;
    reader.on('ready', () => void this.#learnReaderId());
    void this.#learnReaderId();
    this.#reading = this.#read();
    this.#repeat(RELEASED_POLL_MS, () => this.#take(RELEASED, 0));
    if (processingTimeoutMs > 0) {
      this.#repeat(freshEveryMs(processingTimeoutMs), () => this.#keepFresh(), () => !this.#left);
      if (redeliverIntervalMs > 0) {
        void this.#attempt(() => this.#takeOver());
        this.#repeat(redeliverIntervalMs, () => this.#takeOver());
      }
    }
    void this.#attempt(async () => {
      const { client, group } = this.#parts;
      await runScript(client(), forgetScript, [this.#topic], [group, `${group}@`, CONSUMER_FORGOTTEN_MS]);
    });
  }

  /** Does not wait for the server, which may be away: a close must not wait behind it. */
  pause(): Promise<void> {
    this.#paused = true;
    void this.#giveBackQueue();
    return Promise.resolve();
  }

  resume(): Promise<void> {
    this.#paused = false;
    this.#wake();
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    const { client, group, consumer, releaseReader } = this.#parts;
    this.#closing = true;
    for (const cancel of this.#waiting.values()) cancel();
    this.#waiting.clear();
    this.#queue = [];
    this.#wake();
    await this.#endReading();
    releaseReader();
    // What is in flight stays this consumer's, and fresh, until it is settled; then all that is left is handed back.
    while (this.#delivering > 0) await this.#wakened();
    this.#left = true;
    for (const cancel of this.#timers) cancel();
    this.#held.clear();
    await this.#attempt(() => runScript(client(), leaveScript, [this.#topic], [group, consumer, RELEASED]));
  }

  // --- reading ---------------------------------------------------------------------------------------------------

  async #read(): Promise<void> {
    while (!this.#closing) {
      if (this.#room() === 0) {
        await this.#wakened();
        continue;
      }
      try {
        if (this.#lookBehind === undefined) this.#accept(await this.#readNew());
        else await this.#readHeld(this.#lookBehind);
      } catch (error) {
        if (this.#closing) return;
        this.#lookBehind = '0';
        await this.#heal(plainError(error));
      }
    }
  }

  /** How many more entries may be taken in. */
  #room(): number {
    if (this.#paused || this.#closing) return 0;
    if (this.#waiting.size >= WAITING_MAX) {
      this.#warn('waiting', { waiting: this.#waiting.size }, 'too many events wait for a retry; no new ones are read until some are settled');
      return 0;
    }
    return Math.max(this.#parts.queueDepth - this.#queue.length, 0);
  }

  async #readNew(): Promise<readonly RawEntry[]> {
    const { reader, group, consumer } = this.#parts;
    const reply = await reader.xreadgroupBuffer('GROUP', group, consumer, 'COUNT', this.#room(), 'BLOCK', BLOCK_MS, 'STREAMS', this.#topic, '>');
    return entriesOf(reply);
  }

  /** A page of what the server counts as this consumer's, though its delivery was lost on the way. */
  async #readHeld(from: string): Promise<void> {
    const { client, reader, group, consumer, queueDepth } = this.#parts;
    // Set anew by what is lost meanwhile; a failure here begins it again.
    this.#lookBehind = undefined;
    // What is settled while the page is on its way is in it, and no longer held when it arrives.
    const known = new Set(this.#held);
    const page = entriesOf(await reader.xreadgroupBuffer('GROUP', group, consumer, 'COUNT', Math.min(queueDepth, BATCH), 'STREAMS', this.#topic, from));
    const entries = page.filter(([id]) => !known.has(id.toString()));
    const attempts = entries.length > 0 ? await client().hmget(this.#attemptsKey, ...entries.map(([id]) => id.toString())) : [];
    this.#accept(entries, attempts.map(Number));
    this.#lookBehind ??= page.at(-1)?.[0].toString();
  }

  async #heal(error: Error): Promise<void> {
    // UNBLOCKED: the stream vanished under a read that waited.
    if (/NOGROUP|^UNBLOCKED/.test(error.message)) {
      this.#warn('group', { group: this.#parts.group }, 'the consumer group is gone; making it again from the oldest entry');
      if (await this.#attempt(() => ensureGroup(this.#parts.client(), this.#topic, this.#parts.group))) return;
    } else {
      this.#warn('read', { reason: error.message }, 'cannot read from the stream; trying on');
    }
    await this.#sleep(TRY_AGAIN_MS);
  }

  #accept(entries: readonly RawEntry[], attempts: readonly number[] = []): void {
    const unwanted: string[] = [];
    entries.forEach(([rawId, fields], index) => {
      const id = rawId.toString();
      if (this.#held.has(id)) return;
      if (!fields) void this.#settleAck(id, 1);
      else {
        this.#held.add(id);
        if (this.#paused || this.#closing) unwanted.push(id);
        else this.#queue.push(decodeEntry(id, fields, (attempts[index] ?? 0) + 1));
      }
    });
    if (unwanted.length > 0) void this.#giveBack(unwanted);
    this.#pump();
  }

  /** Takes over what died with its consumer. */
  async #takeOver(): Promise<void> {
    const { clock, processingTimeoutMs, redeliverIntervalMs } = this.#parts;
    const now = clock.now();
    const roundMs = freshEveryMs(processingTimeoutMs);
    if (now - this.#lookedAt > redeliverIntervalMs + roundMs) this.#looksLeftOut = Math.ceil(roundMs / redeliverIntervalMs) + 1;
    this.#lookedAt = now;
    if (this.#looksLeftOut > 0) this.#looksLeftOut -= 1;
    else this.#takeFrom = await this.#take('', processingTimeoutMs, this.#takeFrom);
  }

  async #take(owner: string, idleMs: number, from = '-'): Promise<string> {
    const room = this.#room();
    if (room === 0) return from;
    const { client, group, consumer } = this.#parts;
    const taking = runScript(client(), takeScript, [this.#topic, this.#attemptsKey], [group, consumer, owner, idleMs, room, from]);
    const reply = (await taking.catch((error: unknown) => {
      // What was taken may be pending here by now.
      this.#lookBehind = '0';
      throw error;
    })) as readonly unknown[];
    const entries: RawEntry[] = [];
    const attempts: number[] = [];
    for (let index = 1; index + 2 < reply.length; index += 3) {
      // Handed back a moment ago and here again, before the answer to the former was heard.
      if (owner === RELEASED) this.#forgetLeaving(String(reply[index]));
      entries.push([reply[index] as Buffer, reply[index + 1] as readonly Buffer[]]);
      attempts.push(reply[index + 2] as number);
    }
    this.#accept(entries, attempts);
    return String(reply[0]);
  }

  /** Ends a read that waits, instead of waiting with it; again and again, for the read may be on its way to the server. */
  async #endReading(): Promise<void> {
    let reading = true;
    const ended = this.#reading.then(() => {
      reading = false;
    });
    while (reading && this.#readerId !== undefined) {
      const id = this.#readerId;
      await this.#attempt(() => this.#parts.client().client('UNBLOCK', id));
      await Promise.race([ended, new Promise<void>((resolve) => void this.#parts.clock.after(INTERRUPT_AGAIN_MS, resolve))]);
    }
    await ended;
  }

  async #learnReaderId(): Promise<void> {
    this.#readerId = undefined;
    const { reader } = this.#parts;
    // A cluster client has several connections; its read ends by itself within BLOCK_MS.
    if (reader.isCluster) return;
    this.#readerId = await reader.client('ID').catch(() => undefined);
  }

  // --- delivering and settling -----------------------------------------------------------------------------------

  readonly #pump = (): void => {
    const { slots } = this.#parts;
    if (this.#closing) return;
    while (this.#queue.length > 0 && slots.take(this.#pump)) {
      const entry = this.#queue.shift() as Entry;
      this.#delivering += 1;
      void this.#deliver(entry).finally(() => {
        this.#delivering -= 1;
        slots.give();
        this.#wake();
      });
    }
  };

  async #deliver(entry: Entry): Promise<void> {
    const { id, data, metadata, attempt } = entry;
    const settlement = await this.#parts.request.deliver({ id, topic: this.#topic, data, metadata, attempt });
    await this.#settle(entry, settlement);
  }

  async #settle({ id, attempt }: Entry, settlement: Settlement): Promise<void> {
    switch (settlement.action) {
      case 'ack':
        return this.#settleAck(id, attempt);
      case 'release':
        return this.#giveBack([id]);
      case 'retry':
        await this.#insist(() => this.#recordAttempt(id, attempt));
        if (this.#closing) return this.#giveBack([id]);
        return this.#waitForRetry(id, attempt, settlement.delayMs);
    }
  }

  async #settleAck(id: string, attempt: number): Promise<void> {
    const { client, group } = this.#parts;
    await this.#insist(() => client().xack(this.#topic, group, id));
    this.#held.delete(id);
    if (attempt > 1) await this.#attempt(() => client().hdel(this.#attemptsKey, id));
  }

  async #recordAttempt(id: string, attempt: number): Promise<void> {
    const { client } = this.#parts;
    await Promise.all([client().hset(this.#attemptsKey, id, attempt), client().expire(this.#attemptsKey, ATTEMPTS_KEPT_SECONDS)]);
  }

  #waitForRetry(id: string, attempt: number, delayMs: number): void {
    const cancel = this.#parts.clock.after(delayMs, () => {
      this.#waiting.delete(id);
      this.#wake();
      void this.#queueAgain(id, attempt);
    });
    this.#waiting.set(id, cancel);
  }

  /** Reads the entry again (only its id was kept) and queues it. */
  async #queueAgain(id: string, attempt: number): Promise<void> {
    if (this.#closing) return;
    if (this.#paused) return this.#giveBack([id]);
    const { client } = this.#parts;
    let found: readonly RawEntry[] = [];
    const wasRead = await this.#attempt(async () => {
      found = await client().xrangeBuffer(this.#topic, id, id);
    });
    if (this.#closing) return;
    if (!wasRead) return this.#waitForRetry(id, attempt, TRY_AGAIN_MS);
    const fields = found[0]?.[1];
    if (!fields) {
      this.#warn('vanished', { id }, 'an event that waited for its retry is no longer in the stream (trimmed or flushed)');
      return this.#settleAck(id, attempt + 1);
    }
    if (this.#paused) return this.#giveBack([id]);
    this.#queue.push(decodeEntry(id, fields, attempt + 1));
    this.#pump();
  }

  /** Leaves entries to whoever looks first, this consumer too; their tries so far still count. */
  async #giveBack(ids: readonly string[]): Promise<void> {
    for (const id of ids) this.#leaving.add(id);
    await this.#insist(async () => {
      for (const batch of batchesOf(ids.filter((id) => this.#leaving.has(id)))) await this.#claim(RELEASED, batch);
    });
    for (const id of ids) this.#forgetLeaving(id);
  }

  #forgetLeaving(id: string): void {
    if (this.#leaving.delete(id)) this.#held.delete(id);
  }

  async #giveBackQueue(): Promise<void> {
    const ids = this.#queue.map(({ id }) => id);
    this.#queue = [];
    if (ids.length > 0) await this.#giveBack(ids);
  }

  /** Sets the idle time of all held entries back to nothing. */
  async #keepFresh(): Promise<void> {
    for (const batch of batchesOf([...this.#held])) {
      if (this.#left) return;
      await this.#claim(this.#parts.consumer, batch);
    }
  }

  /** What is no longer this consumer's stays where it is. */
  async #claim(taker: string, ids: readonly string[]): Promise<void> {
    const { client, group, consumer } = this.#parts;
    await runScript(client(), claimScript, [this.#topic], [group, consumer, taker, ...ids]);
  }

  // --- time and failures -----------------------------------------------------------------------------------------

  /** Does it until it succeeds; while closing only once more, for then what is left pending finds another consumer. */
  async #insist(work: () => Promise<unknown>): Promise<void> {
    while (!(await this.#attempt(work)) && !this.#closing) await this.#sleep(TRY_AGAIN_MS);
  }

  /** Whether it succeeded; a failure is logged at a bounded rate. A group that is gone has nothing left to settle. */
  async #attempt(work: () => Promise<unknown>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      const { message } = plainError(error);
      if (message.includes('NOGROUP')) return true;
      this.#warn('command', { reason: message }, 'a command of the subscription failed; trying on');
      return false;
    }
  }

  /** Repeats while `wanted`, by default until the close begins; the next time `ms` after the last one ended. */
  #repeat(ms: number, work: () => Promise<unknown>, wanted: () => boolean = () => !this.#closing): void {
    const cancel = this.#parts.clock.after(ms, () => {
      this.#timers.delete(cancel);
      void this.#attempt(work).then(() => {
        if (wanted()) this.#repeat(ms, work, wanted);
      });
    });
    this.#timers.add(cancel);
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        cancel();
        this.#wakers.delete(done);
        resolve();
      };
      const cancel = this.#parts.clock.after(ms, done);
      if (this.#closing) done();
    });
  }

  /** Until a place became free, intake was resumed, or the subscription is being closed. */
  #wakened(): Promise<void> {
    return new Promise((resolve) => void this.#wakers.add(resolve));
  }

  #wake(): void {
    for (const waker of this.#wakers) waker();
    this.#wakers.clear();
  }

  #warn(kind: string, fields: Record<string, unknown>, message: string): void {
    const now = this.#parts.clock.now();
    if (now - (this.#loggedAt.get(kind) ?? Number.NEGATIVE_INFINITY) < LOG_AGAIN_MS) return;
    this.#loggedAt.set(kind, now);
    this.#parts.log.warn({ topic: this.#topic, ...fields }, message);
  }
}

function* batchesOf(ids: readonly string[]): Iterable<readonly string[]> {
  for (let from = 0; from < ids.length; from += BATCH) yield ids.slice(from, from + BATCH);
}
