/** Who waits for which channel of a ledger, and who forwards what this process touched. */
import type { LedgerChannel } from '@mecha/components/kit';

export interface Watches {
  watch(channel: LedgerChannel, listener: () => void): () => void;
  onTouched(listener: (channels: readonly LedgerChannel[]) => void): () => void;
  /** This process touched these: its own watchers are called, and the forwarders. */
  touch(channels: readonly LedgerChannel[]): void;
  /** Somebody else did. */
  wake(channels: readonly LedgerChannel[]): void;
  wakeAll(): void;
  clear(): void;
}

export function createWatches(): Watches {
  const watchers = new Map<LedgerChannel, Set<() => void>>();
  const forwarders = new Set<(channels: readonly LedgerChannel[]) => void>();
  function wake(channels: Iterable<LedgerChannel>): void {
    for (const channel of channels) for (const listener of [...(watchers.get(channel) ?? [])]) listener();
  }
  return {
    watch(channel, listener) {
      const listeners = watchers.get(channel) ?? new Set();
      watchers.set(channel, listeners);
      const own = () => listener();
      listeners.add(own);
      return () => {
        listeners.delete(own);
        if (listeners.size === 0) watchers.delete(channel);
      };
    },
    onTouched(listener) {
      forwarders.add(listener);
      return () => forwarders.delete(listener);
    },
    touch(channels) {
      wake(channels);
      for (const listener of forwarders) listener(channels);
    },
    wake,
    wakeAll: () => wake([...watchers.keys()]),
    clear() {
      watchers.clear();
      forwarders.clear();
    },
  };
}
