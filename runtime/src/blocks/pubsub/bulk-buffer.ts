/**
 * Events of a bulk subscription, collected until there are enough or the first has waited long enough, then offered
 * together: one call per route. Holds at most what the broker has in flight; a shutdown gives back what was not offered.
 */
import type { Clock } from '@mecha/components/kit';
import { messageOf } from '../../errors.ts';
import type { OfferAll, Offered, RoutedEvent } from './app-attempts.ts';

export interface BulkBufferParts {
  readonly offerAll: OfferAll;
  readonly messagesMax: number;
  /** Milliseconds that the first event of a batch waits for others. */
  readonly awaitMs: number;
  readonly draining: AbortSignal;
  readonly clock: Clock;
}

interface Waiting {
  readonly event: RoutedEvent;
  readonly resolve: (offered: Offered) => void;
}

const NOT_OFFERED: Offered = { answer: { outcome: 'away', reason: 'the sidecar is shutting down' }, attempts: 0 };

export class BulkBuffer {
  readonly #parts: BulkBufferParts;
  #waiting: Waiting[] = [];
  #cancelTimer: (() => void) | undefined;

  constructor(parts: BulkBufferParts) {
    this.#parts = parts;
    parts.draining.addEventListener('abort', () => this.#giveBack(), { once: true });
  }

  /** Never rejects. */
  offer(event: RoutedEvent): Promise<Offered> {
    if (this.#parts.draining.aborted) return Promise.resolve(NOT_OFFERED);
    const { promise, resolve } = Promise.withResolvers<Offered>();
    this.#waiting.push({ event, resolve });
    if (this.#waiting.length >= this.#parts.messagesMax) this.#flush();
    else this.#cancelTimer ??= this.#parts.clock.after(this.#parts.awaitMs, () => this.#flush());
    return promise;
  }

  #flush(): void {
    const routes = Map.groupBy(this.#take(), ({ event }) => event.path);
    for (const batch of routes.values()) void this.#offerBatch(batch);
  }

  async #offerBatch(batch: readonly Waiting[]): Promise<void> {
    try {
      const offered = await this.#parts.offerAll(batch.map(({ event }) => event));
      for (const [index, { resolve }] of batch.entries()) resolve(offered[index] ?? NOT_OFFERED);
    } catch (error) {
      // Nobody may wait for ever for a batch that broke.
      for (const { resolve } of batch) resolve({ answer: { outcome: 'retry', reason: messageOf(error) }, attempts: 1 });
    }
  }

  #giveBack(): void {
    for (const { resolve } of this.#take()) resolve(NOT_OFFERED);
  }

  #take(): Waiting[] {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    const taken = this.#waiting;
    this.#waiting = [];
    return taken;
  }
}
