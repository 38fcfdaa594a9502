/**
 * The events of one partition, one after the other.
 *
 * Owns: the order, the wait before a retry (which holds up this partition and no other: Kafka knows only one position
 * per partition), the count of tries, and how far the partition is settled.
 * Does not own: fetching and committing (`group.ts`).
 *
 * Invariants
 * K1  `settled` is the offset after the last event that was acknowledged; it never passes one that was not.
 * K2  After `revoke` nothing is delivered any more and `settled` stays as it is: the partition is another's.
 * K3  An event is enqueued once: what the library fetches again after another join is passed over.
 */
import type { KafkaMessage } from 'kafkajs';
import type { Clock, Settlement } from '@mecha/components/kit';

/** How long an event that was released (its app is away) stays before it is offered again. */
const RELEASED_MS = 1_000;

export interface PartitionParts {
  readonly deliver: (message: KafkaMessage, attempt: number) => Promise<Settlement>;
  /** `settled` has moved, or the queue has become shorter. */
  readonly progressed: () => void;
  readonly clock: Clock;
  /** Nothing is delivered until `open`: where to begin is not known yet. */
  readonly gated: boolean;
}

export class Partition {
  readonly #parts: PartitionParts;
  readonly #queue: KafkaMessage[] = [];
  #bytes = 0;
  #attempt = 1;
  #settled: bigint | undefined;
  /** The lowest offset that was not enqueued yet. */
  #next = 0n;
  #gated: boolean;
  #paused = false;
  #stopped = false;
  #revoked = false;
  #running: Promise<void> | undefined;
  #cutWait: (() => void) | undefined;

  constructor(parts: PartitionParts) {
    this.#parts = parts;
    this.#gated = parts.gated;
  }

  get settled(): bigint | undefined {
    return this.#settled;
  }
  get waiting(): number {
    return this.#queue.length;
  }
  get waitingBytes(): number {
    return this.#bytes;
  }
  /** A delivery is under way, or waits for its retry. */
  get busy(): boolean {
    return this.#running !== undefined;
  }

  enqueue(messages: readonly KafkaMessage[]): void {
    for (const message of messages) {
      const offset = BigInt(message.offset);
      if (offset < this.#next) continue;
      this.#next = offset + 1n;
      this.#queue.push(message);
      this.#bytes += sizeOf(message);
    }
    this.#run();
  }

  /** Where to begin is known: nothing before `offset` is delivered. Without effect on what is open. */
  open(offset?: bigint): void {
    if (!this.#gated) return;
    this.#gated = false;
    if (offset !== undefined) {
      if (offset > this.#next) this.#next = offset;
      while (this.#queue[0] && BigInt(this.#queue[0].offset) < offset) this.#drop();
    }
    this.#run();
  }

  /** Delivers nothing more for now; resolves when what is under way has been settled. */
  pause(): Promise<void> {
    this.#paused = true;
    this.#cutWait?.();
    return this.#running ?? Promise.resolve();
  }

  resume(): void {
    this.#paused = false;
    this.#run();
  }

  /** As `pause`, for good. */
  stop(): Promise<void> {
    this.#stopped = true;
    return this.pause();
  }

  /** The partition is no longer this consumer's. */
  revoke(): void {
    this.#revoked = true;
    this.#queue.length = 0;
    this.#bytes = 0;
    void this.stop();
  }

  get #idle(): boolean {
    return this.#gated || this.#paused || this.#stopped || this.#queue.length === 0;
  }

  #run(): void {
    if (this.#running || this.#idle) return;
    this.#running = this.#deliverAll().finally(() => {
      this.#running = undefined;
      // Something may have come, or been allowed again, while the last one was on its way out.
      this.#run();
    });
  }

  async #deliverAll(): Promise<void> {
    while (!this.#idle) {
      const message = this.#queue[0] as KafkaMessage;
      const settlement = await this.#parts.deliver(message, this.#attempt);
      if (this.#revoked) return;
      switch (settlement.action) {
        case 'ack':
          this.#settled = BigInt(message.offset) + 1n;
          this.#attempt = 1;
          this.#drop();
          this.#parts.progressed();
          break;
        case 'retry':
          this.#attempt += 1;
          await this.#wait(settlement.delayMs);
          break;
        case 'release':
          await this.#wait(RELEASED_MS);
          break;
      }
    }
  }

  #drop(): void {
    const dropped = this.#queue.shift();
    if (dropped) this.#bytes -= sizeOf(dropped);
  }

  #wait(ms: number): Promise<void> {
    if (this.#paused || this.#stopped) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        cancel();
        this.#cutWait = undefined;
        resolve();
      };
      const cancel = this.#parts.clock.after(ms, done);
      this.#cutWait = done;
    });
  }
}

const sizeOf = ({ key, value }: KafkaMessage): number => (key?.length ?? 0) + (value?.length ?? 0);
