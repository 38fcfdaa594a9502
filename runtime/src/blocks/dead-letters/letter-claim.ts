/**
 * Who deals with a dead letter: one sidecar at a time, of all that share the ledger. A claim is a row of the ledger's state
 * under a lease, named like the letter; its etag is the fence.
 *
 * Invariants
 *  1. A letter has at most one claim that is live; what is to be done with the letter stands in the transaction that ends the claim,
 *     so a claim that was lost changes nothing.
 *  2. The lease is renewed as long as the claim is held. What a killed process held is free when its lease is over.
 */
import { LedgerConflict, type Clock, type Ledger, type LedgerOperation } from '@mecha/components/kit';

/** No state store can have a table of this name. */
const TABLE = 'mecha/dead-letters';
const LEASE_MS = 10_000;
const RENEW_MS = 3000;
const NOTHING = new Uint8Array(0);

export interface ClaimParts {
  readonly ledger: Pick<Ledger, 'commit'>;
  readonly clock: Clock;
}

/** Undefined: another has it. */
export async function claimLetter(parts: ClaimParts, id: string): Promise<LetterClaim | undefined> {
  const expiresAt = parts.clock.now() + LEASE_MS;
  const [result] = (await unlessConflict(parts.ledger.commit([lease(id, expiresAt, { ifAbsent: true })]))) ?? [];
  return result?.etag === undefined ? undefined : new LetterClaim(parts, id, result.etag, expiresAt);
}

/** Does this with a letter that nobody has claimed, in one transaction; false: somebody has. */
export async function unlessClaimed({ ledger, clock }: ClaimParts, id: string, operations: readonly LedgerOperation[]): Promise<boolean> {
  const free: readonly LedgerOperation[] = [lease(id, clock.now() + LEASE_MS, { ifAbsent: true }), { type: 'state.delete', table: TABLE, key: id }];
  return (await unlessConflict(ledger.commit([...free, ...operations]))) !== undefined;
}

export class LetterClaim {
  readonly #parts: ClaimParts;
  readonly #id: string;
  readonly #lost = new AbortController();
  #etag: string;
  #expiresAt: number;
  #ended = false;
  #renewing: Promise<void> | undefined;
  #cancel = (): void => undefined;

  constructor(parts: ClaimParts, id: string, etag: string, expiresAt: number) {
    this.#parts = parts;
    this.#id = id;
    this.#etag = etag;
    this.#expiresAt = expiresAt;
    this.#renewLater();
  }

  /** Aborts when the claim is this process's no longer. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** Ends the claim, and does this with the letter in the same transaction; false: the claim was lost before, and nothing was done. */
  async end(operations: readonly LedgerOperation[] = []): Promise<boolean> {
    this.#ended = true;
    this.#cancel();
    await this.#renewing;
    if (this.#lost.signal.aborted) return false;
    return (await unlessConflict(this.#parts.ledger.commit([{ type: 'state.delete', table: TABLE, key: this.#id, ifEtag: this.#etag }, ...operations]))) !== undefined;
  }

  #renewLater(): void {
    this.#cancel = this.#parts.clock.after(RENEW_MS, () => {
      this.#renewing = this.#renew();
    });
  }

  /** Never rejects: a ledger that cannot be written now is tried again until the lease is over. */
  async #renew(): Promise<void> {
    const { ledger, clock } = this.#parts;
    const expiresAt = clock.now() + LEASE_MS;
    try {
      const [result] = await ledger.commit([lease(this.#id, expiresAt, { ifEtag: this.#etag })]);
      this.#etag = result?.etag ?? this.#etag;
      this.#expiresAt = expiresAt;
    } catch (error) {
      if (error instanceof LedgerConflict || clock.now() >= this.#expiresAt) {
        this.#lost.abort();
        return;
      }
    }
    if (!this.#ended) this.#renewLater();
  }
}

function lease(id: string, expiresAt: number, condition: { readonly ifAbsent: true } | { readonly ifEtag: string }): LedgerOperation {
  return { type: 'state.set', table: TABLE, key: id, data: NOTHING, binary: true, expiresAt, ...condition };
}

async function unlessConflict<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof LedgerConflict) return undefined;
    throw error;
  }
}
