/**
 * Tells the other processes of the host which channels of the shared ledger this one has just touched, so that they need
 * not poll. Best effort: a wake-up that is lost costs the ledger's fallback interval and nothing else.
 *
 * Per process there is one message under way; channels touched meanwhile go together in the next.
 */
import type { Ledger, LedgerChannel } from '@mecha/components/kit';

export interface WakeForwarderParts {
  readonly ledger: Pick<Ledger, 'onTouched'>;
  /** Sockets of the other live processes. */
  readonly others: () => Promise<Iterable<string>>;
  /** Rejects when nobody took it. */
  readonly send: (socketPath: string, channels: readonly LedgerChannel[]) => Promise<void>;
  readonly onFailure: (socketPath: string, error: unknown) => void;
}

/** More different channels than this at once, and the fallback has to find the rest. */
const CHANNELS_MAX = 4096;

/** The returned function ends it. */
export function forwardWakes(parts: WakeForwarderParts): () => void {
  const touched = new Set<LedgerChannel>();
  /** By socket, while a message is under way: what to send next. */
  const underWay = new Map<string, Set<LedgerChannel>>();
  let scheduled = false;
  let ended = false;

  async function flush(): Promise<void> {
    scheduled = false;
    const channels = [...touched];
    touched.clear();
    let others: Iterable<string>;
    try {
      others = await parts.others();
    } catch (error) {
      parts.onFailure('', error);
      return;
    }
    for (const socketPath of others) {
      const next = underWay.get(socketPath);
      if (next) addBounded(next, channels);
      else void sendAll(socketPath, channels);
    }
  }

  async function sendAll(socketPath: string, channels: readonly LedgerChannel[]): Promise<void> {
    const next = new Set<LedgerChannel>();
    underWay.set(socketPath, next);
    let batch = channels;
    try {
      while (batch.length > 0 && !ended) {
        await parts.send(socketPath, batch);
        batch = [...next];
        next.clear();
      }
    } catch (error) {
      parts.onFailure(socketPath, error);
    } finally {
      underWay.delete(socketPath);
    }
  }

  const stop = parts.ledger.onTouched((channels) => {
    addBounded(touched, channels);
    if (scheduled) return;
    scheduled = true;
    setImmediate(() => void flush());
  });
  return () => {
    ended = true;
    stop();
  };
}

function addBounded(set: Set<LedgerChannel>, channels: readonly LedgerChannel[]): void {
  for (const channel of channels) {
    if (set.size >= CHANNELS_MAX) return;
    set.add(channel);
  }
}
