/**
 * The limit on calls into the app (`--app-max-concurrency`): first come, first served, shared by everything that one
 * channel does but health probes. Waiting is bounded too, so that a stuck app cannot fill the memory.
 */

/** Too many calls wait for a place already; the call was not made. */
export class TooManyWaiting extends Error {
  constructor(waitingMax: number) {
    super(`the app is at its concurrency limit and ${waitingMax} calls are waiting already`);
    this.name = 'TooManyWaiting';
  }
}

export interface ConcurrencyLimit {
  /**
   * A place for one call; the function gives it back, and calling that twice does no harm. Rejects with the signal's
   * reason when it aborts first, and with `TooManyWaiting` when the queue is full.
   */
  acquire(signal: AbortSignal): Promise<() => void>;
}

const WAITING_MAX = 10_000;
const nothingToRelease = () => {};

/** `most` undefined: no limit. */
export function createConcurrencyLimit(most: number | undefined, waitingMax = WAITING_MAX): ConcurrencyLimit {
  if (most === undefined) {
    return {
      acquire: async (signal) => {
        signal.throwIfAborted();
        return nothingToRelease;
      },
    };
  }
  let free = most;
  /** In order of arrival; an entry that gave up is removed at once. */
  const waiting = new Set<() => void>();

  function place(): () => void {
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      const [next] = waiting;
      if (next === undefined) {
        free++;
        return;
      }
      waiting.delete(next);
      next();
    };
  }

  return {
    async acquire(signal) {
      signal.throwIfAborted();
      if (free > 0) {
        free--;
        return place();
      }
      if (waiting.size >= waitingMax) throw new TooManyWaiting(waitingMax);
      return new Promise((resolve, reject) => {
        const give = () => {
          signal.removeEventListener('abort', giveUp);
          resolve(place());
        };
        const giveUp = () => {
          waiting.delete(give);
          reject(signal.reason);
        };
        waiting.add(give);
        signal.addEventListener('abort', giveUp, { once: true });
      });
    },
  };
}
