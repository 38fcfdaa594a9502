/**
 * One member of one consumer group, for all topics of a component.
 *
 * Owns: the consumer of the library and its restarts, which partitions are ours, fetching ahead, committing.
 * Does not own: the order within a partition (`partition.ts`), the form of records (`pubsub.ts`).
 *
 * How it differs from handing the library a callback per message: the library's loop only fills queues, so one slow
 * partition holds up neither the others nor the heartbeat that keeps the membership; a full queue pauses its partition.
 *
 * Invariants
 * G1  An offset is committed only after every event before it was settled.
 * G2  What belongs to a partition that was taken away is never committed by us.
 * G3  The library cannot change topics while it runs: a changed set restarts it, gathered over `GATHER_MS`. Before
 *     leaving the group on purpose, deliveries under way get `QUIESCE_MS` to settle, and their offsets are committed.
 * G4  A consumer that crashed is started again for ever, with back-off.
 * G5  A session has one member id. With another one the group went on without us, while the library may still hand out
 *     what it fetched before: the session ends, and the next one begins at what is committed.
 * G6  After a wait nothing is done on the word of an assignment that another join has replaced.
 *
 * Limit of G5: under one id, a partition that goes and comes back by two joins within a single fetch may be given what that
 * fetch still brings; the library joins besides a fetch only when the metadata of a topic changed.
 *
 * Bounds: at most `AHEAD_MESSAGES` events or `AHEAD_BYTES` (and one fetch more) wait per partition.
 */
import type { Admin, Consumer, ConsumerConfig, EachBatchPayload, Kafka, KafkaMessage } from 'kafkajs';
import type { Clock, ComponentLog, Settlement, Subscription } from '@mecha/components/kit';
import { asError, errorType, RETRIES } from './client.ts';
import { Partition } from './partition.ts';

const GATHER_MS = 50;
const QUIESCE_MS = 5_000;
const JOIN_MS = 60_000;
const JOIN_TRIES = 5;
const AHEAD_MESSAGES = 500;
const AHEAD_BYTES = 2 * 1024 * 1024;
const RECOVER_FIRST_MS = 500;
const RECOVER_MOST_MS = 3_000;
const WARN_AGAIN_MS = 60_000;
const COMMIT_EVERY_MS = 100;
const FLUSH_TRIES = 5;
const CREATE_TRIES = 15;
const CREATE_WAIT_MS = 200;

export interface GroupParts {
  readonly kafka: Kafka;
  readonly admin: () => Promise<Admin>;
  readonly consumer: ConsumerConfig;
  /** A group without a position begins at the newest event instead of the oldest. */
  readonly fromNewest: boolean;
  readonly clock: Clock;
  readonly log: ComponentLog;
}

export type DeliverMessage = (topic: string, partition: number, message: KafkaMessage, attempt: number) => Promise<Settlement>;

interface Topic {
  readonly deliver: DeliverMessage;
  readonly partitions: Map<number, Partition>;
  paused: boolean;
}

/** One consumer of the library, from its start to its end. */
interface Session {
  readonly consumer: Consumer;
  /** Topic -> partitions, as of the last join. */
  assigned: ReadonlyMap<string, ReadonlySet<number>>;
  /** Undefined while it is not a member. */
  memberId: string | undefined;
  /** Places whose fetching was paused. */
  readonly paused: Set<string>;
}

export class ConsumerGroup {
  readonly #parts: GroupParts;
  readonly #topics = new Map<string, Topic>();
  /** Names of topics that are being looked for and are not in `#topics` yet. */
  readonly #adding = new Set<string>();
  readonly #committed = new Map<string, bigint>();
  #session: Session | undefined;
  #restart: Promise<void> | undefined;
  #chain: Promise<void> = Promise.resolve();
  #recovering = false;
  #committing = false;
  #warnedAt = Number.NEGATIVE_INFINITY;
  #closed = false;

  constructor(parts: GroupParts) {
    this.#parts = parts;
  }

  /** Adds a topic, once at a time; resolves when this member has joined with it. The topic exists, or the brokers make it. */
  async add(name: string, deliver: DeliverMessage): Promise<Subscription> {
    if (this.#topics.has(name) || this.#adding.has(name)) throw new Error(`topic ${name} is already subscribed to`);
    this.#adding.add(name);
    try {
      await this.#ensureTopic(name);
    } finally {
      this.#adding.delete(name);
    }
    const topic: Topic = { deliver, partitions: new Map(), paused: false };
    this.#topics.set(name, topic);
    try {
      await this.#restartSoon();
    } catch (error) {
      this.#topics.delete(name);
      this.#recover();
      throw error;
    }
    let closed: Promise<void> | undefined;
    return {
      pause: async () => this.#pause(name, topic),
      resume: async () => this.#resume(name, topic),
      close: () => (closed ??= this.#remove(name, topic)),
    };
  }

  #pause(name: string, topic: Topic): void {
    if (this.#topics.get(name) !== topic) return;
    topic.paused = true;
    for (const partition of topic.partitions.values()) void partition.pause();
    this.#steerAll(name, topic);
  }

  #resume(name: string, topic: Topic): void {
    if (this.#topics.get(name) !== topic) return;
    topic.paused = false;
    for (const partition of topic.partitions.values()) partition.resume();
    this.#steerAll(name, topic);
  }

  /** Settles what is under way, commits, and gives the topic's partitions back. */
  async #remove(name: string, topic: Topic): Promise<void> {
    if (this.#topics.get(name) !== topic) return;
    topic.paused = true;
    this.#steerAll(name, topic);
    await Promise.all([...topic.partitions.values()].map((partition) => partition.stop()));
    await this.#flush();
    this.#topics.delete(name);
    const left = this.#restartSoon().catch(() => this.#recover());
    // With other topics left there is no hurry: what is given back late is late for nobody here.
    if (this.#topics.size === 0) await left;
  }

  async close(): Promise<void> {
    this.#closed = true;
    const partitions = [...this.#topics.values()].flatMap((topic) => [...topic.partitions.values()]);
    await Promise.all(partitions.map((partition) => partition.stop()));
    // A start that is under way ends by itself when it sees that it is no longer wanted.
    await this.#within(QUIESCE_MS, this.#chain);
    await this.#endSession();
    this.#topics.clear();
  }

  // --- sessions --------------------------------------------------------------------------------------------------

  /** Asks for a restart with the topics of then; all who ask within `GATHER_MS` share one. */
  #restartSoon(): Promise<void> {
    this.#restart ??= new Promise<void>((resolve, reject) => {
      this.#parts.clock.after(GATHER_MS, () => {
        this.#restart = undefined;
        this.#chain = this.#chain.catch(() => undefined).then(() => this.#restartNow());
        this.#chain.then(resolve, reject);
      });
    });
    return this.#restart;
  }

  async #restartNow(): Promise<void> {
    await this.#endSession();
    for (let tries = 1; !this.#closed && this.#topics.size > 0; tries += 1) {
      try {
        return await this.#startSession();
      } catch (error) {
        // A broker that has just started is not ready for groups, and says so.
        if (tries === JOIN_TRIES || !isTransient(error)) throw error;
        await this.#sleep(RECOVER_FIRST_MS);
      }
    }
  }

  async #startSession(): Promise<void> {
    const topics = [...this.#topics.keys()];
    const { kafka, consumer: config } = this.#parts;
    const consumer = kafka.consumer({ ...config, retry: { ...RETRIES, restartOnFailure: () => Promise.resolve(false) } });
    const session: Session = { consumer, assigned: new Map(), memberId: undefined, paused: new Set() };
    const joined = Promise.withResolvers<void>();
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      void this.#joined(session, payload.memberId, payload.memberAssignment).then((isLatest) => {
        if (isLatest) joined.resolve();
      });
    });
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      joined.reject(payload.error);
      session.memberId = undefined;
      if (this.#session !== session) return;
      this.#warnStopped(payload.error);
      this.#recover();
    });
    const cancelTimer = this.#parts.clock.after(JOIN_MS, () => joined.reject(new Error(`the consumer group was not joined within ${JOIN_MS / 1000} s`)));
    const opened = (async () => {
      await consumer.connect();
      // Also with `fromNewest`: an offset that retention took away must lead to the oldest event kept, not past all of them.
      await consumer.subscribe({ topics, fromBeginning: true });
    })();
    try {
      await Promise.race([opened, joined.promise]);
      if (this.#closed) throw new Error('the subscription was closed while it was being started');
      this.#session = session;
      await Promise.all([consumer.run({ autoCommit: false, eachBatch: (batch) => this.#take(session, batch) }), joined.promise]);
      if (this.#session !== session) throw new Error('the membership was lost while the consumer group was being joined');
    } catch (error) {
      if (this.#session === session) this.#session = undefined;
      await consumer.disconnect().catch(() => undefined);
      // Brokers that say nothing are tried for longer than `JOIN_MS`: what opens after all is closed again.
      void opened.then(() => consumer.disconnect()).catch(() => undefined);
      throw asError(error);
    } finally {
      cancelTimer();
    }
  }

  #warnStopped({ message }: Error): void {
    const now = this.#parts.clock.now();
    if (now - this.#warnedAt < WARN_AGAIN_MS) return;
    this.#warnedAt = now;
    this.#parts.log.warn({ reason: message }, 'the Kafka consumer stopped; starting it again');
  }

  /** Leaves the group, if it was joined, with everything settled that can be. */
  async #endSession(): Promise<void> {
    const session = this.#session;
    if (!session) return;
    const partitions = [...this.#topics.values()].flatMap((topic) => [...topic.partitions.values()]);
    await this.#within(QUIESCE_MS, Promise.all(partitions.map((partition) => partition.pause())));
    await this.#flush();
    this.#session = undefined;
    this.#revoke(() => false);
    await this.#leave(session);
  }

  /** Ends a session that the group went on without (G5): nothing of it is settled or committed any more. */
  #abandon(session: Session): void {
    this.#revoke(() => false);
    this.#session = undefined;
    // In line with starts and ends of other sessions, and not awaited: the library waits for its own join meanwhile.
    this.#chain = this.#chain.catch(() => undefined).then(() => this.#leave(session));
    this.#recover();
  }

  async #leave({ consumer }: Session): Promise<void> {
    await consumer.disconnect().catch((error: unknown) => {
      this.#parts.log.debug({ reason: asError(error).message }, 'the Kafka consumer did not leave its group in order');
    });
  }

  /** Starts over until it works. */
  #recover(delayMs = RECOVER_FIRST_MS): void {
    if (this.#recovering || this.#closed || this.#topics.size === 0) return;
    this.#recovering = true;
    this.#parts.clock.after(delayMs, () => {
      this.#recovering = false;
      this.#restartSoon().catch((error: unknown) => {
        this.#parts.log.debug({ reason: asError(error).message }, 'the Kafka consumer could not be started; trying on');
        this.#recover(Math.min(delayMs * 2, RECOVER_MOST_MS));
      });
    });
  }

  /** Makes the brokers create a missing topic, apart from the running consumer, which a topic that cannot be had would stop. */
  async #ensureTopic(name: string): Promise<void> {
    const scout = this.#parts.kafka.consumer({ groupId: this.#parts.consumer.groupId, allowAutoTopicCreation: true, retry: RETRIES });
    try {
      await scout.connect();
      // A broker answers that the topic is unknown even as it begins to create it.
      for (let tries = 1; ; tries += 1) {
        try {
          return await scout.subscribe({ topics: [name] });
        } catch (error) {
          if (errorType(error) !== 'UNKNOWN_TOPIC_OR_PARTITION') throw error;
          if (tries === CREATE_TRIES) {
            throw new Error(`topic ${name} does not exist, and the brokers do not create topics by themselves (auto.create.topics.enable)`, { cause: error });
          }
        }
        await this.#sleep(CREATE_WAIT_MS);
      }
    } finally {
      await scout.disconnect().catch(() => undefined);
    }
  }

  // --- partitions ------------------------------------------------------------------------------------------------

  /** Resolves when the places to begin at are known, or the session has ended; with false when another join came first, which will know. */
  async #joined(session: Session, memberId: string, assignment: Readonly<Record<string, readonly number[]>>): Promise<boolean> {
    if (this.#session !== session) return true;
    if (session.memberId !== undefined && session.memberId !== memberId) {
      this.#abandon(session);
      return true;
    }
    const assigned = new Map(Object.entries(assignment).map(([topic, partitions]) => [topic, new Set(partitions)] as const));
    this.#revoke((topic, partition) => session.memberId === memberId && (assigned.get(topic)?.has(partition) ?? false));
    session.memberId = memberId;
    session.assigned = assigned;
    for (const [name, partitions] of assigned) {
      const topic = this.#topics.get(name);
      for (const number of topic ? partitions : []) if (topic && !topic.partitions.has(number)) this.#begin(name, topic, number);
    }
    this.#commitSoon();
    if (!this.#parts.fromNewest) return true;
    while (this.#isCurrent(session, assigned) && !(await this.#findStart(session))) await this.#sleep(RECOVER_FIRST_MS);
    return session.assigned === assigned;
  }

  #isCurrent(session: Session, assigned: Session['assigned']): boolean {
    return this.#session === session && session.assigned === assigned;
  }

  #begin(name: string, topic: Topic, number: number): void {
    const partition: Partition = new Partition({
      deliver: (message, attempt) => topic.deliver(name, number, message, attempt),
      progressed: () => {
        this.#commitSoon();
        this.#steer(name, topic, number, partition);
      },
      clock: this.#parts.clock,
      gated: this.#parts.fromNewest,
    });
    if (topic.paused) void partition.pause();
    topic.partitions.set(number, partition);
    // The library keeps a pause over a rebalance, also of what was another's in between.
    this.#steer(name, topic, number, partition);
  }

  #revoke(keep: (topic: string, partition: number) => boolean): void {
    for (const [name, topic] of this.#topics) {
      for (const [number, partition] of topic.partitions) {
        if (keep(name, number)) continue;
        partition.revoke();
        topic.partitions.delete(number);
        this.#committed.delete(placeOf(name, number));
      }
    }
  }

  /**
   * With `fromNewest`: gives each partition that has no position one, at its end as of now, and commits it, so that the
   * group begins at the moment of its first subscription and loses nothing that comes after, whatever happens next.
   * Returns whether it succeeded, or is no longer asked for.
   */
  async #findStart(session: Session): Promise<boolean> {
    const { admin, consumer, log } = this.#parts;
    const { assigned } = session;
    try {
      const broker = await admin();
      for (const { topic, partitions } of await broker.fetchOffsets({ groupId: consumer.groupId, topics: [...assigned.keys()] })) {
        const missing = partitions.filter(({ partition, offset }) => offset === '-1' && assigned.get(topic)?.has(partition));
        // A partition that was added later, to a topic that the group already reads, is read from its beginning.
        const isKnown = partitions.some(({ offset }) => offset !== '-1');
        const ends = missing.length > 0 ? await broker.fetchTopicOffsets(topic) : [];
        const starts = missing.map(({ partition }) => {
          const end = ends.find((entry) => entry.partition === partition);
          return { topic, partition, offset: (isKnown ? end?.low : end?.high) ?? '0' };
        });
        if (!this.#isCurrent(session, assigned)) return true;
        if (starts.length > 0) await session.consumer.commitOffsets(starts);
        if (!this.#isCurrent(session, assigned)) return true;
        for (const start of starts) session.consumer.seek(start);
        for (const [number, partition] of this.#topics.get(topic)?.partitions ?? []) {
          // Also where it was committed before: what was fetched until then may come from further back.
          const begin = [...starts, ...partitions].find((entry) => entry.partition === number);
          partition.open(begin && BigInt(begin.offset));
        }
      }
      return true;
    } catch (error) {
      log.debug({ reason: asError(error).message }, 'could not find where to begin reading; trying again');
      return false;
    }
  }

  async #take(session: Session, { batch, heartbeat }: EachBatchPayload): Promise<void> {
    const topic = this.#topics.get(batch.topic);
    const partition = topic?.partitions.get(batch.partition);
    if (this.#session === session && topic && partition) {
      partition.enqueue(batch.messages);
      this.#steer(batch.topic, topic, batch.partition, partition);
    }
    await heartbeat();
  }

  /** Pauses fetching where enough waits or nothing is wanted, and takes it up again where there is room. */
  #steer(name: string, topic: Topic, number: number, partition: Partition): void {
    const session = this.#session;
    if (!session?.memberId) return;
    const place = placeOf(name, number);
    const paused = session.paused.has(place);
    const isFull = partition.waiting >= AHEAD_MESSAGES || partition.waitingBytes >= AHEAD_BYTES;
    const hasRoom = partition.waiting <= AHEAD_MESSAGES / 4 && partition.waitingBytes <= AHEAD_BYTES / 4;
    try {
      if (!paused && (topic.paused || isFull)) {
        session.consumer.pause([{ topic: name, partitions: [number] }]);
        session.paused.add(place);
      } else if (paused && !topic.paused && hasRoom) {
        session.consumer.resume([{ topic: name, partitions: [number] }]);
        session.paused.delete(place);
      }
    } catch (error) {
      // The consumer is on its way down; the next one is steered when it brings its first events.
      this.#parts.log.debug({ reason: asError(error).message }, 'the Kafka consumer took no pause or resume');
    }
  }

  #steerAll(name: string, topic: Topic): void {
    for (const [number, partition] of topic.partitions) this.#steer(name, topic, number, partition);
  }

  // --- committing ------------------------------------------------------------------------------------------------

  /** Commits now, and then at most every `COMMIT_EVERY_MS` for as long as there is something to commit. */
  #commitSoon(): void {
    if (this.#committing) return;
    this.#committing = true;
    void this.#commitAll()
      .then(
        () => COMMIT_EVERY_MS,
        (error: unknown) => {
          // Joining again, or the next event, brings the next try; until then the events may come a second time.
          this.#parts.log.debug({ reason: asError(error).message }, 'offsets were not committed; trying again');
          return RECOVER_FIRST_MS;
        },
      )
      .then((pauseMs) => this.#sleep(pauseMs))
      .then(() => {
        this.#committing = false;
        if (this.#session && this.#uncommitted().length > 0) this.#commitSoon();
      });
  }

  #uncommitted(): readonly { topic: string; partition: number; offset: string }[] {
    const offsets: { topic: string; partition: number; offset: string }[] = [];
    for (const [topic, { partitions }] of this.#topics) {
      for (const [partition, { settled }] of partitions) {
        if (settled === undefined || settled === this.#committed.get(placeOf(topic, partition))) continue;
        offsets.push({ topic, partition, offset: settled.toString() });
      }
    }
    return offsets;
  }

  async #commitAll(): Promise<void> {
    const session = this.#session;
    const offsets = this.#uncommitted();
    if (!session?.memberId || offsets.length === 0) return;
    await session.consumer.commitOffsets([...offsets]);
    if (this.#session !== session) return;
    for (const { topic, partition, offset } of offsets) this.#committed.set(placeOf(topic, partition), BigInt(offset));
  }

  /** Commits what is settled, now; gives up after a few tries, and then the events come again. */
  async #flush(): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.#commitAll();
      } catch (error) {
        if (tries < FLUSH_TRIES) await this.#sleep(COMMIT_EVERY_MS * tries);
        else return this.#parts.log.warn({ reason: asError(error).message }, 'offsets could not be committed; some events will come a second time');
      }
    }
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#parts.clock.after(ms, resolve));
  }

  /** Until the work ended, well or not, but no longer than `ms`. */
  async #within(ms: number, work: Promise<unknown>): Promise<void> {
    await Promise.race([Promise.allSettled([work]), this.#sleep(ms)]);
  }
}

/** The broker's own word that the same request may succeed later. */
function isTransient(error: unknown): boolean {
  return errorType(error) !== undefined && (error as { retriable?: unknown }).retriable === true;
}

const placeOf = (topic: string, partition: number): string => `${topic}/${partition}`;
