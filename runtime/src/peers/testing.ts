/**
 * For tests: the registry part of a ledger that several "processes" share, each with watchers of its own, as two
 * processes on one file have. Everything else of the port rejects.
 */
import type { Ledger, LedgerChannel, LedgerOperation, SidecarRow } from '@mecha/components/kit';

export interface SharedRegistry {
  readonly rows: Map<string, SidecarRow>;
  /** One process's view; `touch` stands for a commit that touched channels, `woken` tells what `wake` was called with. */
  openLedger(): Ledger & { touch(channels: readonly LedgerChannel[]): void; readonly woken: (listener: (channels: readonly LedgerChannel[]) => void) => void };
}

export function createSharedRegistry(): SharedRegistry {
  const rows = new Map<string, SidecarRow>();
  return { rows, openLedger: () => openLedger(rows) };
}

function openLedger(rows: Map<string, SidecarRow>): ReturnType<SharedRegistry['openLedger']> {
  const watchers = new Map<LedgerChannel, Set<() => void>>();
  const touchedListeners = new Set<(channels: readonly LedgerChannel[]) => void>();
  const wokenListeners = new Set<(channels: readonly LedgerChannel[]) => void>();
  const notHere = () => Promise.reject(new Error('not part of the registry'));

  function notify(channels: readonly LedgerChannel[]): void {
    for (const channel of channels) for (const listener of watchers.get(channel) ?? []) listener();
  }
  function touch(channels: readonly LedgerChannel[]): void {
    notify(channels);
    for (const listener of touchedListeners) listener(channels);
  }
  function apply(operation: LedgerOperation): void {
    if (operation.type === 'sidecar.put') rows.set(operation.sidecar.instanceId, operation.sidecar);
    else if (operation.type === 'sidecar.remove') rows.delete(operation.instanceId);
  }

  return {
    kind: 'memory',
    async commit(batch) {
      batch.forEach(apply);
      touch(['sidecars']);
      return batch.map(() => ({}));
    },
    liveSidecars: async () => [...rows.values()],
    watch(channel, listener) {
      const listeners = watchers.get(channel) ?? new Set();
      watchers.set(channel, listeners.add(listener));
      return () => void listeners.delete(listener);
    },
    onTouched(listener) {
      touchedListeners.add(listener);
      return () => void touchedListeners.delete(listener);
    },
    wake(channels) {
      notify(channels);
      for (const listener of wokenListeners) listener(channels);
    },
    touch,
    woken: (listener) => void wokenListeners.add(listener),
    readState: notHere,
    openGroup: notHere,
    claimMessages: notHere,
    topicStatus: notHere,
    deadLetters: notHere,
    deadLetter: notHere,
    outbox: {
      onRecords: () => () => {},
      claim: notHere,
      release: notHere,
      remove: notHere,
      pending: notHere,
    },
    get workflows(): never {
      throw new Error('this ledger has no workflows');
    },
    get jobs(): never {
      throw new Error('this ledger has no jobs');
    },
    close: async () => {},
  };
}
