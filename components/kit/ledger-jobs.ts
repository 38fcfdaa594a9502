/**
 * The part of the ledger's port that jobs stand on: one row per job, with the tick that is due next. The ledger knows rows, instants
 * and leases; what a schedule means, and when a tick follows another, it does not (`definition` is text of the block's).
 *
 * A tick is claimed under a lease, and whoever claimed it settles it: `job.next`, `job.retry`, `job.release` or `job.end`.
 *
 * Invariants, which the conformance suite holds on every implementation:
 * J1  A tick is held by one owner at a time. It comes free by its settlement, when its lease ends, or when its holder's process is gone.
 * J2  Only the latest claim of a row settles it: each claim raises `fence`, and a settlement that names another is not applied. A job that was
 *     put again, deleted or has expired is another row or none: nothing of the old one reaches it.
 * J3  A claim never gives an owner what it holds already, so a clock that jumps does not make one process run a tick beside itself.
 * J4  Nothing is claimed before its instant. `ticks`, `dueAt` and `claimedAt` of a tick stay the same however often it is claimed, until it is settled
 *     (a tick that was given back has not begun: its next claim is its first).
 * J5  Claims, settlements and reads cost the same with a million rows that are not concerned.
 *
 * Durable when it resolves (L2 of `ledger.ts`): `job.put`, `job.delete`, `job.delete-prefix`. Claims and settlements are as safe from a
 * crash of the process, and a power failure may undo the last of them: their ticks are given once more.
 */

export interface NewJob {
  /** `namespace/app id`; opaque here. */
  readonly app: string;
  /** Unique in its app, among jobs that have not expired. */
  readonly name: string;
  /** Opaque. */
  readonly definition: string;
  readonly data: Uint8Array;
  /** Instant of the first tick. Milliseconds since the epoch, as all instants. */
  readonly dueAt: number;
  /** From then on the job is as if it were not there. */
  readonly expiresAt?: number;
  /** The name is taken: false refuses, true replaces what is there. */
  readonly overwrite: boolean;
}

export interface LedgerJob {
  /** Unique for ever, also when the name is used again. */
  readonly row: number;
  readonly app: string;
  readonly name: string;
  readonly definition: string;
  readonly data: Uint8Array;
  readonly createdAt: number;
  /** Instant of the tick that comes next, or is under way. */
  readonly dueAt: number;
  readonly expiresAt?: number;
  /** As the settlements say. */
  readonly ticks: number;
  /** Of the next tick or the one under way: 1 for the first; counts `job.retry`, not releases or lost leases. */
  readonly attempt: number;
  /** When this tick was claimed first. */
  readonly claimedAt?: number;
  /** Who has it under a lease. */
  readonly owner?: string;
  /** From when it may be claimed (by another): its instant, its next try, or the end of the lease. */
  readonly freeAt: number;
}

export interface ClaimedJob extends LedgerJob {
  readonly claimedAt: number;
  readonly fence: number;
}

/** What a settlement hits: one claim. */
export interface JobClaim {
  readonly row: number;
  readonly fence: number;
}

export type JobOperation =
  /** Result: `{}`. Rejects with `LedgerConflict` (the name) when it is taken and not to be replaced. */
  | ({ readonly type: 'job.put' } & NewJob)
  /** Result: `{ deleted }`. */
  | { readonly type: 'job.delete'; readonly app: string; readonly name: string }
  /** At most `limit` jobs whose names begin so, exactly; '' is all. Result: `{ count }`; there may be more when it is `limit`. */
  | { readonly type: 'job.delete-prefix'; readonly app: string; readonly prefix: string; readonly limit: number }
  /** The four settlements. Result: `{ applied }` (J2). The tick is over, `ticks` is set, and the next one is due then. */
  | ({ readonly type: 'job.next'; readonly dueAt: number; readonly ticks: number } & JobClaim)
  /** The tick is to be tried again, not before `freeAt`. */
  | ({ readonly type: 'job.retry'; readonly freeAt: number } & JobClaim)
  /** Given back as if it had not been claimed: to be claimed again at once. */
  | ({ readonly type: 'job.release' } & JobClaim)
  /** The job is over and removed. */
  | ({ readonly type: 'job.end' } & JobClaim);

export interface JobLedger {
  /** Leases ticks that are due and free, earliest first. `more`: the limit was reached. */
  claim(request: { readonly app: string; readonly owner: string; readonly limit: number; readonly leaseMs: number }): Promise<{ readonly jobs: readonly ClaimedJob[]; readonly more: boolean }>;
  /** Puts off the end of leases; returns the rows that are no longer this owner's. What it holds, did not name and has run out comes free. */
  renew(request: { readonly owner: string; readonly leaseMs: number; readonly jobs: readonly JobClaim[] }): Promise<{ readonly lost: readonly number[] }>;
  /** When a claim of this app may find something: the earliest `freeAt`; undefined when it has no job. */
  nextAt(app: string): Promise<number | undefined>;
  find(app: string, name: string): Promise<LedgerJob | undefined>;
  /** By name, in the order of UTF-8 bytes; names begin with `prefix`, exactly. `after`: the last name seen. */
  list(query: { readonly app: string; readonly prefix?: string; readonly limit: number; readonly after?: string }): Promise<readonly LedgerJob[]>;
}

/** The least text that comes, in the order of code points, after all that begin with `prefix`; undefined: there is none. */
export function endOfPrefix(prefix: string): string | undefined {
  const points = [...prefix].map((character) => character.codePointAt(0) ?? 0);
  for (let last = points.pop(); last !== undefined; last = points.pop()) {
    if (last === 0x10_ffff) continue;
    // Between U+D7FF and U+E000 lie surrogates, which are no characters.
    return String.fromCodePoint(...points, last === 0xd7ff ? 0xe000 : last + 1);
  }
  return undefined;
}
