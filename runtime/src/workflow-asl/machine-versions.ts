/**
 * Published versions of state machines and the aliases that name them: one row of the ledger for each machine, so that an alias never
 * names a version that is gone. A version is a definition by its own version, with what belonged to it; it never changes.
 */
import { LedgerConflict, type Ledger } from '@mecha/components/kit';

export interface PublishedVersion {
  readonly number: number;
  /** Of the definition. */
  readonly definition: string;
  readonly roleArn: string;
  /** Milliseconds since the epoch, as all dates here. */
  readonly createdAt: number;
  readonly revisionId?: string;
  readonly description?: string;
}
export interface Route {
  readonly version: number;
  /** Of all executions, in per cent. */
  readonly weight: number;
}
export interface Alias {
  readonly name: string;
  readonly routes: readonly Route[];
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly description?: string;
}
export interface Published {
  /** Numbers are given once, also when their version is gone. */
  readonly last: number;
  readonly versions: readonly PublishedVersion[];
  readonly aliases: readonly Alias[];
}

export const VERSIONS_MAX = 1000;
export const ALIASES_MAX = 100;
const NONE: Published = { last: 0, versions: [], aliases: [] };
const TRIES_MAX = 20;

export const publishedKey = (machine: string): string => `published/${machine}`;

export class MachineVersions {
  readonly #ledger: Ledger;
  readonly #table: string;

  constructor(ledger: Ledger, table: string) {
    this.#ledger = ledger;
    this.#table = table;
  }

  async of(machine: string): Promise<Published> {
    return (await this.#read(machine)).published;
  }

  /** `change` is asked again when somebody else was faster; what it returns unchanged is not written. Rejects with what it throws. */
  async change(machine: string, change: (published: Published) => Published): Promise<Published> {
    for (let attempt = 1; ; attempt++) {
      const { published, etag } = await this.#read(machine);
      const next = change(published);
      if (next === published) return published;
      const guard = etag === undefined ? { ifAbsent: true } : { ifEtag: etag };
      try {
        await this.#ledger.commit([{ type: 'state.set', table: this.#table, key: publishedKey(machine), data: Buffer.from(JSON.stringify(next)), binary: false, ...guard }]);
        return next;
      } catch (error) {
        if (!(error instanceof LedgerConflict) || attempt >= TRIES_MAX) throw error;
      }
    }
  }

  async #read(machine: string): Promise<{ readonly published: Published; readonly etag?: string }> {
    const [row] = await this.#ledger.readState(this.#table, [publishedKey(machine)]);
    return row ? { published: JSON.parse(Buffer.from(row.data).toString('utf8')) as Published, etag: row.etag } : { published: NONE };
  }
}

/** One of the routes, by their weights. */
export function routeOf({ routes }: Alias, random: () => number): Route | undefined {
  let left = random() * 100;
  return routes.find(({ weight }) => (left -= weight) < 0) ?? routes.findLast(({ weight }) => weight > 0);
}
