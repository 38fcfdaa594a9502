/**
 * One subscription of `pubsub.sqlite`: takes messages of a group from the ledger, has them delivered, writes back what
 * became of them.
 *
 * A claim costs a commit, so a consumer that is done before the next claim has come would wait for the disk half of its
 * time. Therefore a claim asks for as many more as were done during the one before: a fast consumer always has work, and
 * a slow one keeps no message from its siblings.
 *
 * Owns: how many are under way, when to look for more, and that every claim is settled. Does not own: topics, groups,
 * leases and redelivery times, which are the ledger's.
 *
 * Invariants
 * P1  At most `maxInFlight` deliveries are under way; what is claimed ahead and what is still to be written is bounded too.
 * P2  A message is acknowledged by the block's settlement alone; one that waits for its retry holds no place.
 * P3  What was claimed ahead goes back untouched by a pause or close; `close` resolves when every claim is settled, or the
 *     ledger is closed and has given them back itself.
 * P4  Whoever hands a message back does not take another for a moment: an app that is away must not make us spin.
 */
import {
  LedgerRefused,
  type ClaimedMessage,
  type Clock,
  type ComponentLog,
  type Delivery,
  type Ledger,
  type LedgerOperation,
  type Settlement,
  type SubscribeRequest,
  type Subscription,
} from '@mecha/components/kit';

export interface LedgerSubscriptionParts {
  readonly ledger: Ledger;
  readonly group: string;
  readonly request: SubscribeRequest;
  readonly maxInFlight: number;
  readonly clock: Clock;
  readonly log: ComponentLog;
}

/** Without a wake-up or a retry falling due, the log is looked at this often. */
const POLL_MS = 1_000;
/** How often a group says that it lives; the ledger forgets one that it has not seen for days. */
const SEEN_EVERY_MS = 3_600_000;
const REST_MS = 100;
const FAILURE_PAUSE_FIRST_MS = 100;
const FAILURE_PAUSE_MOST_MS = 5_000;
const LOG_AGAIN_MS = 60_000;
/** Most messages claimed ahead, and most settlements waiting to be written, in multiples of `maxInFlight`. */
const AHEAD_FACTOR = 4;
const SETTLING_FACTOR = 8;
const SETTLE_BATCH_MAX = 256;
/** While closing, a settlement that cannot be written is left to the end of the lease after so many tries. */
const SETTLE_TRIES_CLOSING = 5;

export class LedgerSubscription implements Subscription {
  readonly #parts: LedgerSubscriptionParts;
  readonly #unwatch: () => void;
  #state: 'open' | 'paused' | 'closed' = 'open';
  #delivering = 0;
  /** Claimed, and waiting for a place. */
  #ahead: ClaimedMessage[] = [];
  /** Deliveries that ended since the last claim began; as many may be claimed ahead by the next. */
  #ended = 0;
  #aheadMost = 0;
  /** Settled by the block, not yet by the ledger; those of one turn of the event loop are one commit. */
  #settlements: LedgerOperation[] = [];
  #settling = 0;
  #pulling = false;
  #claiming = false;
  /** Something happened while a claim was under way: claim again. */
  #again = false;
  #resting = false;
  #cancelTimer = (): void => undefined;
  #seenAt: number;
  #failures = 0;
  #loggedAt = Number.NEGATIVE_INFINITY;
  #closing: Promise<void> | undefined;
  readonly #idle: (() => void)[] = [];

  /** The group must be open in the ledger. */
  constructor(parts: LedgerSubscriptionParts) {
    this.#parts = parts;
    this.#seenAt = parts.clock.now();
    this.#unwatch = parts.ledger.watch(`topic/${parts.request.topic}`, () => this.#pull());
    this.#pull();
  }

  async pause(): Promise<void> {
    if (this.#state === 'open') this.#state = 'paused';
    this.#giveBackAhead();
  }

  async resume(): Promise<void> {
    if (this.#state === 'paused') this.#state = 'open';
    this.#pull();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#state = 'closed';
    this.#unwatch();
    this.#cancelTimer();
    this.#giveBackAhead();
    while (this.#delivering > 0 || this.#settling > 0 || this.#claiming) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  #places(): number {
    const { maxInFlight } = this.#parts;
    return Math.min(maxInFlight + this.#aheadMost - this.#delivering - this.#ahead.length, maxInFlight * SETTLING_FACTOR - this.#settling);
  }

  /** Once per turn of the event loop, so that the places which became free in it are filled by one claim. */
  #pull(): void {
    if (this.#pulling || this.#state !== 'open' || this.#resting) return;
    if (this.#claiming) {
      this.#again = true;
      return;
    }
    this.#pulling = true;
    setImmediate(() => {
      this.#pulling = false;
      if (this.#state === 'open' && !this.#resting && this.#places() > 0) void this.#claim();
    });
  }

  async #claim(): Promise<void> {
    const { ledger, group, request, clock } = this.#parts;
    this.#claiming = true;
    this.#again = false;
    this.#ended = 0;
    this.#cancelTimer();
    let waitMs = POLL_MS;
    try {
      if (clock.now() - this.#seenAt >= SEEN_EVERY_MS) {
        await ledger.openGroup(request.topic, group);
        this.#seenAt = clock.now();
      }
      const claim = await ledger.claimMessages({ topic: request.topic, group, limit: this.#places() });
      this.#failures = 0;
      for (const message of claim.messages) this.#take(message);
      if (claim.more) this.#again = true;
      if (claim.nextDueAt !== undefined) waitMs = Math.min(waitMs, Math.max(0, claim.nextDueAt - clock.now()));
    } catch (error) {
      if (isClosed(error)) this.#state = 'closed';
      // Closed meanwhile: nobody tries on.
      if (this.#state !== 'closed') waitMs = this.#failed(error, 'messages could not be claimed; trying on');
      this.#again = false;
    }
    this.#claiming = false;
    this.#aheadMost = Math.min(this.#ended, this.#parts.maxInFlight * AHEAD_FACTOR);
    if (this.#again) this.#pull();
    if (this.#state !== 'closed') this.#cancelTimer = clock.after(waitMs, () => this.#pull());
    this.#lookIdle();
  }

  #take(message: ClaimedMessage): void {
    // Asked for before the subscription was paused or closed, come after.
    if (this.#state !== 'open') this.#settle(message, { action: 'release' });
    else if (this.#delivering < this.#parts.maxInFlight) void this.#deliver(message);
    else this.#ahead.push(message);
  }

  #giveBackAhead(): void {
    for (const message of this.#ahead.splice(0)) this.#settle(message, { action: 'release' });
  }

  async #deliver(message: ClaimedMessage): Promise<void> {
    this.#delivering++;
    const settlement = await this.#parts.request.deliver(deliveryOf(message));
    this.#delivering--;
    this.#ended++;
    if (settlement.action === 'release') this.#rest();
    this.#settle(message, settlement);
    const next = this.#ahead.shift();
    if (next) void this.#deliver(next);
    this.#pull();
  }

  #rest(): void {
    this.#giveBackAhead();
    if (this.#resting) return;
    this.#resting = true;
    this.#parts.clock.after(REST_MS, () => {
      this.#resting = false;
      this.#pull();
    });
  }

  #settle({ topic, group, sequence }: ClaimedMessage, settlement: Settlement): void {
    const ref = { topic, group, sequence };
    this.#settling++;
    this.#settlements.push(
      settlement.action === 'retry'
        ? { type: 'message.retry', ...ref, dueAt: this.#parts.clock.now() + settlement.delayMs }
        : { type: settlement.action === 'ack' ? 'message.ack' : 'message.release', ...ref },
    );
    if (this.#settlements.length === 1) setImmediate(() => void this.#flush());
  }

  async #flush(): Promise<void> {
    const settlements = this.#settlements;
    this.#settlements = [];
    for (let from = 0; from < settlements.length; from += SETTLE_BATCH_MAX) {
      const batch = settlements.slice(from, from + SETTLE_BATCH_MAX);
      await this.#commit(batch);
      this.#settling -= batch.length;
    }
    this.#pull();
    this.#lookIdle();
  }

  /** Tries until the ledger has it: an unsettled message would stay with this process for as long as that lives. */
  async #commit(batch: readonly LedgerOperation[]): Promise<void> {
    const { ledger, clock } = this.#parts;
    for (let triesClosing = 0; triesClosing < SETTLE_TRIES_CLOSING; ) {
      try {
        await ledger.commit(batch);
        this.#failures = 0;
        return;
      } catch (error) {
        if (isClosed(error)) return;
        const pauseMs = this.#failed(error, 'settlements could not be written; trying on');
        if (this.#state === 'closed') triesClosing++;
        await new Promise<void>((resolve) => clock.after(pauseMs, resolve));
      }
    }
  }

  /** How long to wait before the next try. */
  #failed(error: unknown, message: string): number {
    const { clock, log, request } = this.#parts;
    if (clock.now() - this.#loggedAt >= LOG_AGAIN_MS) {
      this.#loggedAt = clock.now();
      log.warn({ topic: request.topic, err: error }, message);
    }
    return Math.min(FAILURE_PAUSE_FIRST_MS * 2 ** this.#failures++, FAILURE_PAUSE_MOST_MS);
  }

  #lookIdle(): void {
    for (const resolve of this.#idle.splice(0)) resolve();
  }
}

function isClosed(error: unknown): boolean {
  return error instanceof LedgerRefused && error.code === 'closed';
}

function deliveryOf({ sequence, topic, data, metadata, attempt, contentType }: ClaimedMessage): Delivery {
  return { id: String(sequence), topic, data, metadata, attempt, ...(contentType === undefined ? {} : { contentType }) };
}
