/**
 * Removes definitions whose machine was deleted, once no execution needs them.
 *
 * 1. What was deleted is on a list that the deletion itself has written; a sweep may fail or never come and is made up for by the next.
 * 2. A definition stays as long as an execution of a deleted machine is open, or any machine or published version has the same text.
 * 3. It stays for a minute in any case, for a start that had read the machine before it was deleted.
 */
import type { Clock, Ledger } from '@mecha/components/kit';
import type { Deleted, MachineStore } from './machine-store.ts';

export const GRACE_MS = 60_000;
const AGAIN_MS = 10 * 60_000;
const OPEN = ['pending', 'running', 'suspended', 'stalled'] as const;

export interface DefinitionSweepParts {
  readonly app: string;
  readonly ledger: Ledger;
  readonly store: MachineStore;
  readonly clock: Clock;
  readonly onTrouble: (error: unknown) => void;
}

export class DefinitionSweep {
  readonly #parts: DefinitionSweepParts;
  #cancel: (() => void) | undefined;
  #stopped = false;

  constructor(parts: DefinitionSweepParts) {
    this.#parts = parts;
  }

  /** After a deletion, and when there may be some of a process before. */
  soon(afterMs = GRACE_MS): void {
    if (this.#stopped || this.#cancel) return;
    this.#cancel = this.#parts.clock.after(afterMs, () => {
      this.#cancel = undefined;
      void this.sweep().then(
        (left) => left > 0 && this.soon(AGAIN_MS),
        (error: unknown) => {
          this.#parts.onTrouble(error);
          this.soon(AGAIN_MS);
        },
      );
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
  }

  /** How many are still on the list. */
  async sweep(): Promise<number> {
    const { store, clock } = this.#parts;
    const deleted = await store.deleted();
    const due = new Map<string, Deleted[]>();
    for (const one of deleted) due.set(one.version, [...(due.get(one.version) ?? []), one]);
    const done: string[] = [];
    for (const [version, entries] of due) {
      if (entries.some(({ at }) => at > clock.now() - GRACE_MS)) continue;
      if ((await this.#anyOpen(entries)) === false && (await store.dropDefinition(version)) !== 'changed') done.push(version);
    }
    await store.forgetDeleted(done);
    return deleted.filter(({ version }) => !done.includes(version)).length;
  }

  async #anyOpen(entries: readonly Deleted[]): Promise<boolean> {
    for (const { machine, version } of entries) {
      for (const idPrefix of [`execution:${machine}:`, `execution:${machine}/`, `express:${machine}:`, `express:${machine}/`]) {
        for (let cursor: string | undefined; ; ) {
          const page = await this.#parts.ledger.workflows.list({ app: this.#parts.app, idPrefix, statuses: OPEN, limit: 200, ...(cursor === undefined ? {} : { cursor }) });
          if (page.instances.some((row) => row.version === version)) return true;
          cursor = page.cursor;
          if (cursor === undefined) break;
        }
      }
    }
    return false;
  }
}
