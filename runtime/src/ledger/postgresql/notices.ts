/**
 * Wake-ups between the processes that share a ledger: LISTEN and NOTIFY on a connection of their own.
 *
 * A notice is a hint. It is sent after the commit that it tells of, and not within it, where the server would let all commits that
 * notify wait for one another. What was touched meanwhile goes together; whoever was not listening looks at everything when it
 * listens again, and from time to time besides.
 */
import type { Clock, LedgerChannel } from '@mecha/components/kit';
import type { Connection, ConnectionKeeper } from '@mecha/components/postgresql/connection.ts';
import { isLost } from './failures.ts';

/** Under load the next notice waits so long. */
const PAUSE_MS = 5;
/** The server takes 8,000. */
const PAYLOAD_BYTES_MAX = 7_500;
const WAITING_MAX = 2_000;
const ALL = '*';

export interface NoticesOptions {
  readonly schema: string;
  readonly session: number;
  readonly timers: Clock;
  readonly wake: (channels: readonly LedgerChannel[]) => void;
  readonly wakeAll: () => void;
  readonly onTrouble: (error: unknown) => void;
}

export class Notices {
  readonly #options: NoticesOptions;
  #keeper: ConnectionKeeper | undefined;
  #connection: Connection | undefined;
  #touched = new Set<LedgerChannel>();
  #sending: Promise<void> | undefined;
  #closed = false;

  constructor(options: NoticesOptions) {
    this.#options = options;
  }

  /** Whether notices of others come in. */
  get isListening(): boolean {
    return this.#connection !== undefined;
  }

  keep(keeper: ConnectionKeeper): void {
    this.#keeper = keeper;
    keeper.keep();
  }

  /** For each connection that the keeper has. */
  readonly listen = async (connection: Connection): Promise<void> => {
    const { schema, wakeAll } = this.#options;
    connection.onNotice((payload) => this.#read(payload));
    await connection.script(`SET synchronous_commit = off; LISTEN "mecha_${schema}"`);
    this.#connection = connection;
    void connection.ended.then(() => {
      if (this.#connection === connection) this.#connection = undefined;
    });
    wakeAll();
  };

  #read(payload: string): void {
    const { session, wake, wakeAll } = this.#options;
    const [from, ...channels] = payload.split('\n');
    if (from === String(session)) return;
    if (channels[0] === ALL) wakeAll();
    else wake(channels);
  }

  /** Tells the others, soon. */
  send(channels: readonly LedgerChannel[]): void {
    if (this.#closed) return;
    for (const channel of channels) this.#touched.add(channel);
    if (this.#touched.size > WAITING_MAX) this.#touched = new Set([ALL]);
    this.#sending ??= this.#sendAll();
  }

  async #sendAll(): Promise<void> {
    const { schema, timers, onTrouble } = this.#options;
    while (this.#touched.size > 0 && this.#connection) {
      const payloads = payloadsOf(this.#options.session, this.#touched);
      this.#touched.clear();
      try {
        for (const payload of payloads) await this.#connection.query('SELECT pg_notify($1, $2)', [`mecha_${schema}`, payload]);
      } catch (error) {
        if (!isLost(error)) onTrouble(error);
      }
      if (!this.#closed) await new Promise<void>((resolve) => timers.after(PAUSE_MS, resolve));
    }
    // Without a connection the others find it by looking.
    if (!this.#connection) this.#touched.clear();
    this.#sending = undefined;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#sending;
    await this.#keeper?.close();
  }
}

function payloadsOf(session: number, channels: ReadonlySet<LedgerChannel>): string[] {
  const payloads: string[] = [];
  let payload = String(session);
  for (const channel of channels) {
    if (channel === ALL || Buffer.byteLength(channel) > PAYLOAD_BYTES_MAX || channel.includes('\n')) return [`${session}\n${ALL}`];
    if (Buffer.byteLength(payload) + Buffer.byteLength(channel) >= PAYLOAD_BYTES_MAX) {
      payloads.push(payload);
      payload = String(session);
    }
    payload += `\n${channel}`;
  }
  return [...payloads, payload];
}
