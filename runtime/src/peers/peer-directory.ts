/**
 * Who is there: the live sidecars of the host by app id, read from the ledger's registry and kept for at most a second.
 * The registry is the truth; this is a short memory of it, and dropping a row here drops it there.
 */
import type { Clock, Ledger, SidecarRow } from '@mecha/components/kit';
import { messageOf } from '../errors.ts';
import type { Log } from '../telemetry/log.ts';

export interface PeerTarget {
  readonly appId: string;
  readonly namespace: string;
}

const FRESH_MS = 1000;
const TURNS_MAX = 10_000;

export class PeerDirectory {
  readonly #ledger: Ledger;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #unwatch: () => void;
  /** Whose turn it is, per app. */
  readonly #turns = new Map<string, number>();
  #rows: readonly SidecarRow[] = [];
  #readAt = Number.NEGATIVE_INFINITY;
  #reading: Promise<void> | undefined;

  constructor(parts: { ledger: Ledger; clock: Clock; log: Log }) {
    this.#ledger = parts.ledger;
    this.#clock = parts.clock;
    this.#log = parts.log;
    this.#unwatch = parts.ledger.watch('sidecars', () => {
      this.#readAt = Number.NEGATIVE_INFINITY;
    });
  }

  /** All instances of an app, another one first at each call. */
  async instancesOf(target: PeerTarget): Promise<readonly SidecarRow[]> {
    await this.#refresh(FRESH_MS);
    let found = this.#matching(target);
    if (found.length === 0) {
      // It may have started a moment ago, and its wake-up be under way.
      await this.#refresh(0);
      found = this.#matching(target);
    }
    if (found.length < 2) return found;
    const key = `${target.namespace}\0${target.appId}`;
    if (this.#turns.size >= TURNS_MAX) this.#turns.clear();
    const turn = (this.#turns.get(key) ?? 0) % found.length;
    this.#turns.set(key, turn + 1);
    return [...found.slice(turn), ...found.slice(0, turn)];
  }

  /** The sockets of all live processes. */
  async sockets(): Promise<ReadonlySet<string>> {
    await this.#refresh(FRESH_MS);
    return new Set(this.#rows.map((row) => row.socketPath));
  }

  /** Nobody answers there: the row goes at once, for everybody. */
  async drop(row: SidecarRow, reason: string): Promise<void> {
    this.#rows = this.#rows.filter((other) => other.instanceId !== row.instanceId);
    this.#log.warn({ peer: row.appId, instanceId: row.instanceId, reason }, 'a sidecar of this host is gone; its entry is removed');
    try {
      await this.#ledger.commit([{ type: 'sidecar.remove', instanceId: row.instanceId }]);
    } catch (error) {
      this.#log.warn({ peer: row.appId, reason: messageOf(error) }, 'the entry of a sidecar that is gone could not be removed');
    }
  }

  close(): void {
    this.#unwatch();
  }

  #matching(target: PeerTarget): SidecarRow[] {
    return this.#rows.filter((row) => row.appId === target.appId && row.namespace === target.namespace);
  }

  async #refresh(freshMs: number): Promise<void> {
    if (this.#clock.now() - this.#readAt < freshMs) return;
    this.#reading ??= this.#read().finally(() => (this.#reading = undefined));
    await this.#reading;
  }

  async #read(): Promise<void> {
    const at = this.#clock.now();
    // Set before reading: what is touched while the read is under way makes the next call read again.
    this.#readAt = at;
    try {
      this.#rows = await this.#ledger.liveSidecars();
    } catch (error) {
      this.#readAt = Number.NEGATIVE_INFINITY;
      throw error;
    }
  }
}
