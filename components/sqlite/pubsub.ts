/**
 * `pubsub.sqlite`: the durable embedded broker. Topics, consumer groups, redelivery and retention are the ledger's; this
 * file moves messages between it and the block, a bounded number at a time.
 *
 * Invariants
 * P1  At most `maxInFlight` deliveries of a subscription are under way.
 * P2  A message is acknowledged only by the block's settlement; a waiting retry holds no place.
 * P3  Closing waits for deliveries under way and settles them.
 */
import { randomUUID } from 'node:crypto';
import { LedgerRefused, PublishRefused, defineComponent, field } from '../kit/index.ts';
import type {
  BulkPublishOutcome,
  ClaimedMessage,
  Clock,
  ComponentLog,
  Delivery,
  Ledger,
  LedgerOperation,
  PubSub,
  PublishMessage,
  Settlement,
  SubscribeRequest,
  Subscription,
  TopicRetention,
} from '../kit/index.ts';

/** Without a wake-up or a due retry the log is looked at this often. */
const POLL_MS = 1000;
/** A group says that it lives this often; unseen ones are dropped after seven days. */
const SEEN_EVERY_MS = 3600_000;
const FAILURE_PAUSE_MS = 500;

export default defineComponent({
  type: 'pubsub.sqlite',
  versions: ['v1'],
  status: 'stable',
  title: 'SQLite (embedded broker)',
  description: 'Durable topics with consumer groups in the ledger of this host: nothing to install, every acknowledged event survives a crash.',
  metadata: {
    connectionString: field.string('Path of a ledger file of its own; absent, the ledger of the data folder, shared by all apps of the host.'),
    consumerID: field.string('The consumer group; the app id unless given.'),
    maxInFlight: field.integer('Deliveries of one subscription under way at a time.', { default: 64, minimum: 1, maximum: 10_000 }),
    retention: field.duration('How long messages are kept at least, acknowledged or not.', { default: 24 * 3600_000, integerUnit: 's' }),
    retentionBytes: field.size('Most bytes of messages a topic holds; at the limit publishing is refused.', { default: 1024 ** 3 }),
  },
  features: [],
  create({ appId, options, ledger, openLedger, clock, log }): PubSub {
    const group = options.consumerID?.trim() || appId;
    const retention: TopicRetention = { retentionMs: options.retention, bytesMax: options.retentionBytes };
    let own: Ledger | undefined = options.connectionString === undefined ? ledger : undefined;
    const subscriptions = new Set<LedgerSubscription>();
    const current = (): Ledger => {
      if (!own) throw new Error('the ledger file is not open yet');
      return own;
    };

    return {
      async connect() {
        if (own) return;
        if (!openLedger) throw new Error('connectionString needs a host that can open ledger files');
        own = await openLedger(options.connectionString ?? '');
      },
      async close() {
        await Promise.all([...subscriptions].map((subscription) => subscription.close()));
      },
      async publish(message) {
        try {
          await current().commit([append(message, retention)]);
        } catch (error) {
          throw refusal(error, message.topic, retention);
        }
      },
      async publishBulk(messages): Promise<BulkPublishOutcome> {
        // One by one as far as conflicts go, and all of one turn in one commit of the writer.
        const outcomes = await Promise.allSettled(messages.map((message) => current().commit([append(message, retention)])));
        return {
          failed: outcomes.flatMap((outcome, index) =>
            outcome.status === 'rejected' ? [{ index, error: refusal(outcome.reason, messages[index]?.topic ?? '', retention) }] : [],
          ),
        };
      },
      async subscribe(request) {
        await current().openGroup(request.topic, group);
        const subscription = new LedgerSubscription({ ledger: current(), group, request, maxInFlight: options.maxInFlight, clock, log });
        subscriptions.add(subscription);
        subscription.onClosed = () => subscriptions.delete(subscription);
        return subscription;
      },
    };
  },
});

function append(message: PublishMessage, retention: TopicRetention): LedgerOperation {
  return {
    type: 'topic.append',
    topic: message.topic,
    retention,
    message: {
      id: randomUUID(),
      data: message.data,
      metadata: message.metadata,
      ...(message.contentType === undefined ? {} : { contentType: message.contentType }),
    },
  };
}

function refusal(error: unknown, topic: string, retention: TopicRetention): Error {
  if (error instanceof LedgerRefused && error.code === 'topic-full') {
    return new PublishRefused('topic-full', `topic ${topic} is full: it holds retentionBytes (${retention.bytesMax}) of messages that are not acknowledged by every group or still within retention`);
  }
  return error instanceof Error ? error : new Error(String(error));
}

interface SubscriptionParts {
  readonly ledger: Ledger;
  readonly group: string;
  readonly request: SubscribeRequest;
  readonly maxInFlight: number;
  readonly clock: Clock;
  readonly log: ComponentLog;
}

class LedgerSubscription implements Subscription {
  readonly #parts: SubscriptionParts;
  readonly #unwatch: () => void;
  #inFlight = 0;
  #paused = false;
  #closed = false;
  #claiming = false;
  /** Something happened while a claim was under way: claim again. */
  #again = false;
  #cancelTimer = (): void => undefined;
  #seenAt: number;
  #idle: (() => void)[] = [];
  #closing: Promise<void> | undefined;
  onClosed = (): void => undefined;

  constructor(parts: SubscriptionParts) {
    this.#parts = parts;
    this.#seenAt = parts.clock.now();
    this.#unwatch = parts.ledger.watch(`topic/${parts.request.topic}`, () => this.#pull());
    this.#pull();
  }

  async pause(): Promise<void> {
    this.#paused = true;
  }

  async resume(): Promise<void> {
    this.#paused = false;
    this.#pull();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#closed = true;
    this.#unwatch();
    this.#cancelTimer();
    if (this.#inFlight > 0 || this.#claiming) await new Promise<void>((resolve) => this.#idle.push(resolve));
    this.onClosed();
  }

  #pull(): void {
    if (this.#closed || this.#paused) return;
    if (this.#claiming) {
      this.#again = true;
      return;
    }
    if (this.#inFlight >= this.#parts.maxInFlight) return;
    void this.#claim();
  }

  async #claim(): Promise<void> {
    const { ledger, group, request, maxInFlight, clock, log } = this.#parts;
    this.#claiming = true;
    this.#again = false;
    this.#cancelTimer();
    let waitMs = POLL_MS;
    try {
      if (clock.now() - this.#seenAt > SEEN_EVERY_MS) {
        this.#seenAt = clock.now();
        await ledger.openGroup(request.topic, group);
      }
      const claim = await ledger.claimMessages({ topic: request.topic, group, limit: maxInFlight - this.#inFlight });
      for (const message of claim.messages) this.#take(message);
      if (claim.more) this.#again = true;
      if (claim.nextDueAt !== undefined) waitMs = Math.min(waitMs, Math.max(0, claim.nextDueAt - clock.now()));
    } catch (error) {
      if (!this.#closed) log.warn({ topic: request.topic, err: error }, 'messages could not be claimed; trying on');
      waitMs = FAILURE_PAUSE_MS;
      this.#again = false;
    }
    this.#claiming = false;
    if (this.#closed) return this.#settled();
    if (this.#again) this.#pull();
    else this.#cancelTimer = clock.after(waitMs, () => this.#pull());
  }

  #take(message: ClaimedMessage): void {
    this.#inFlight++;
    void this.#deliver(message).finally(() => {
      this.#inFlight--;
      if (this.#closed) this.#settled();
      else this.#pull();
    });
  }

  async #deliver(message: ClaimedMessage): Promise<void> {
    const { request } = this.#parts;
    const ref = { topic: message.topic, group: message.group, sequence: message.sequence };
    // What was claimed while the subscription was being closed or paused goes back untouched.
    const settlement: Settlement = this.#closed || this.#paused ? { action: 'release' } : await request.deliver(toDelivery(message));
    await this.#settle(
      settlement.action === 'ack'
        ? { type: 'message.ack', ...ref }
        : settlement.action === 'retry'
          ? { type: 'message.retry', ...ref, dueAt: this.#parts.clock.now() + settlement.delayMs }
          : { type: 'message.release', ...ref },
    );
  }

  /** Tries until the ledger has it: an unsettled message would stay leased as long as this process lives. */
  async #settle(operation: LedgerOperation): Promise<void> {
    const { ledger, clock, log, request } = this.#parts;
    for (;;) {
      try {
        await ledger.commit([operation]);
        return;
      } catch (error) {
        if (error instanceof LedgerRefused && error.code === 'closed') return;
        log.warn({ topic: request.topic, err: error }, 'a settlement could not be written; trying on');
        await new Promise<void>((resolve) => clock.after(FAILURE_PAUSE_MS, resolve));
      }
    }
  }

  #settled(): void {
    if (this.#inFlight > 0 || this.#claiming) return;
    for (const resolve of this.#idle.splice(0)) resolve();
  }
}

function toDelivery(message: ClaimedMessage): Delivery {
  return {
    id: String(message.sequence),
    topic: message.topic,
    data: message.data,
    metadata: message.metadata,
    attempt: message.attempt,
    ...(message.contentType === undefined ? {} : { contentType: message.contentType }),
  };
}
