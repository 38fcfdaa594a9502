/**
 * Dead letters of one app, of topics and of input bindings alike: seen, sent again, dropped.
 *
 * Owns: whose turn it is with a letter, and what becomes of it. Does not own: how it reaches the app (`resend` of the blocks
 * that gave it up), how long it is kept (`letter-retention.ts`).
 *
 * Invariants
 *  1. A letter goes back to the subscription or binding that it came from, never to its topic: other subscribers do not get it again.
 *  2. It is removed only after the app took it. A process that dies in between leaves it, so it is sent at least once and never lost.
 *  3. Of all sidecars that share the ledger one at a time deals with a letter (`letter-claim.ts`).
 *  4. One that the app did not take stays where it was in the order, with the new reason and its attempts counted.
 */
import type { Clock, DeadLetter, DeadLetterRow, Ledger, LedgerOperation } from '@mecha/components/kit';
import { messageOf, type MechaError } from '../../errors.ts';
import type { Part } from '../../lifecycle.ts';
import { errors as pipelineErrors } from '../../pipeline.ts';
import type { Resend, Resent } from '../../resend.ts';
import { AttemptTimedOut } from '../../resilience/resilience.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import { errors } from './dead-letters-errors.ts';
import { claimLetter, unlessClaimed } from './letter-claim.ts';
import { messageIdOf, newestFirst, oldestFirst, sourceOf, type LetterFilter, type LetterPlace, type LetterSource, type SourceKind } from './letter-query.ts';

export interface DeadLettersParts {
  readonly appId: string;
  readonly ledger: Pick<Ledger, 'commit' | 'deadLetters' | 'deadLetter'>;
  readonly clock: Clock;
  readonly metrics: Metrics;
  /** The ways back, by what the letters came from. */
  readonly resend: Readonly<Record<SourceKind, Resend>>;
}

export interface LettersPage {
  readonly letters: readonly DeadLetterRow[];
  /** The last letter, when there are more. */
  readonly next?: LetterPlace;
}

/** `busy`: another is sending it. `gone`: it is there no more. `unsettled`: the ledger could not be told what came of it. */
export type Replay = Resent | { readonly outcome: 'busy' | 'gone' } | { readonly outcome: 'unsettled'; readonly reason: string };

/** Of many, oldest first. */
export interface ManyRequest {
  readonly filter: LetterFilter;
  /** Most letters that one call looks at. */
  readonly limit: number;
  /** Only those behind it. */
  readonly after?: LetterPlace;
}
export interface ManyReplayed {
  readonly replayed: number;
  /** Those that stay, and why. */
  readonly left: readonly { readonly id: string; readonly replay: Replay }[];
  /** The last letter looked at, when there are more. */
  readonly next?: LetterPlace;
}
export interface ManyDropped {
  readonly dropped: number;
  /** Those that another is sending at this moment. */
  readonly busy: number;
  readonly next?: LetterPlace;
}

/** Ids are the ledger's. */
export interface DeadLettersBlock extends Pick<Part, 'drain'> {
  /** Newest first. */
  list(request: { readonly filter: LetterFilter; readonly limit: number; readonly before?: LetterPlace }): Promise<LettersPage>;
  /** Rejects with `MechaError` when there is none. */
  get(id: string): Promise<DeadLetter>;
  /** Resolves when the app took it and the letter is removed; rejects with `MechaError`. */
  replay(id: string): Promise<void>;
  /** One after the other; ends early after `REPLAY_BEGINS_MS`. */
  replayMany(request: ManyRequest): Promise<ManyReplayed>;
  drop(id: string): Promise<void>;
  dropMany(request: ManyRequest): Promise<ManyDropped>;
}

/** How long an app may take for one letter. */
const ANSWER_MS = 60_000;
/** A call that sends many begins with none after so long. */
export const REPLAY_BEGINS_MS = 20_000;
/** Letters dropped at a time. */
const DROPS_AT_ONCE = 50;

export function createDeadLettersBlock(parts: DeadLettersParts): DeadLettersBlock {
  return new LetterDesk(parts);
}

class LetterDesk implements DeadLettersBlock {
  readonly #parts: DeadLettersParts;
  readonly #running = new Set<Promise<unknown>>();
  readonly #draining = new AbortController();
  readonly #cut = new AbortController();

  constructor(parts: DeadLettersParts) {
    this.#parts = parts;
  }

  async list({ filter, limit, before }: Parameters<DeadLettersBlock['list']>[0]): Promise<LettersPage> {
    const { ledger, appId } = this.#parts;
    const letters: DeadLetterRow[] = [];
    for await (const row of newestFirst(ledger, appId, filter, before)) {
      const last = letters.at(-1);
      if (letters.length === limit && last) return { letters, next: placeOf(last) };
      letters.push(row);
    }
    return { letters };
  }

  async get(id: string): Promise<DeadLetter> {
    const { ledger, appId } = this.#parts;
    const letter = await ledger.deadLetter({ appId, id });
    if (!letter) throw errors.notFound(shownId(id));
    return letter;
  }

  async replay(id: string): Promise<void> {
    const failure = failureOf(id, await this.#replay(id));
    if (failure) throw failure;
  }

  async replayMany({ filter, limit, after }: ManyRequest): Promise<ManyReplayed> {
    const { ledger, appId, clock } = this.#parts;
    const { rows, more } = await oldestFirst(ledger, appId, filter, limit, after);
    const begun = clock.now();
    const left: { id: string; replay: Replay }[] = [];
    /** What was away for one letter is not asked for the next. */
    const away = new Map<string, Replay>();
    let replayed = 0;
    for (const [index, row] of rows.entries()) {
      const source = sourceKey(sourceOf(row));
      const replay = away.get(source) ?? (await this.#replay(row.id));
      if (replay.outcome === 'taken') replayed += 1;
      else if (replay.outcome !== 'gone') left.push({ id: row.id, replay });
      if (replay.outcome === 'away') away.set(source, replay);
      const isLast = index === rows.length - 1;
      const isOver = this.#draining.signal.aborted || clock.now() - begun >= REPLAY_BEGINS_MS;
      if (isOver || isLast) return { replayed, left, ...(more || !isLast ? { next: placeOf(row) } : {}) };
    }
    return { replayed, left };
  }

  async drop(id: string): Promise<void> {
    const letter = await this.get(id);
    if (!(await this.#drop(letter))) throw errors.busy(shownId(id));
  }

  async dropMany({ filter, limit, after }: ManyRequest): Promise<ManyDropped> {
    const { ledger, appId } = this.#parts;
    const { rows, more } = await oldestFirst(ledger, appId, filter, limit, after);
    let dropped = 0;
    for (let from = 0; from < rows.length; from += DROPS_AT_ONCE) {
      const outcomes = await Promise.all(rows.slice(from, from + DROPS_AT_ONCE).map((row) => this.#drop(row)));
      dropped += outcomes.filter((done) => done).length;
    }
    const last = rows.at(-1);
    return { dropped, busy: rows.length - dropped, ...(more && last ? { next: placeOf(last) } : {}) };
  }

  /** Begins no more; those under way end, or are called off when `signal` aborts. */
  async drain(signal: AbortSignal): Promise<void> {
    this.#draining.abort();
    const end = (): void => this.#cut.abort();
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
    await Promise.allSettled(this.#running);
    signal.removeEventListener('abort', end);
  }

  async #drop(row: Pick<DeadLetterRow, 'id' | 'pubsub' | 'topic' | 'deadLetterTopic'>): Promise<boolean> {
    const done = await unlessClaimed(this.#parts, row.id, [{ type: 'dead-letter.remove', id: row.id }]);
    if (done) this.#parts.metrics.count('dead_letter_dropped_count', { ...labelsOf(row), by: 'request' });
    return done;
  }

  #replay(id: string): Promise<Replay> {
    if (this.#draining.signal.aborted) return Promise.reject(pipelineErrors.shuttingDown());
    const replaying = this.#replayOne(id).finally(() => this.#running.delete(replaying));
    this.#running.add(replaying);
    return replaying;
  }

  async #replayOne(id: string): Promise<Replay> {
    const { ledger, appId, metrics, clock } = this.#parts;
    const claim = await claimLetter(this.#parts, id);
    if (!claim) return { outcome: 'busy' };
    let letter: DeadLetter | undefined;
    try {
      // Only now: whoever had it before may have removed it.
      letter = await ledger.deadLetter({ appId, id });
    } catch (error) {
      await claim.end();
      throw error;
    }
    if (!letter) {
      await claim.end();
      return { outcome: 'gone' };
    }
    const resent = await this.#offer(letter, claim.lost);
    const operations: LedgerOperation[] = [];
    if (resent.outcome === 'taken') operations.push({ type: 'dead-letter.remove', id });
    if (resent.outcome === 'failed') operations.push({ type: 'dead-letter.add', letter: { ...letter, reason: resent.reason, attempts: letter.attempts + resent.attempts, resentAt: clock.now() } });
    const outcome = resent.outcome === 'taken' ? 'the app took it' : 'the app did not take it';
    let replay: Replay = resent;
    try {
      if (!(await claim.end(operations))) replay = { outcome: 'unsettled', reason: `${outcome}, and the claim on it was lost meanwhile` };
    } catch (error) {
      replay = { outcome: 'unsettled', reason: `${outcome}, and the ledger could not be told: ${messageOf(error)}` };
    }
    metrics.count('dead_letter_replay_count', { ...labelsOf(letter), outcome: replay.outcome });
    return replay;
  }

  async #offer(letter: DeadLetter, lost: AbortSignal): Promise<Resent> {
    const { clock, resend } = this.#parts;
    const { kind, component, topic } = sourceOf(letter);
    const { data, metadata, contentType, attempts } = letter;
    const late = new AbortController();
    const tooLate = new AttemptTimedOut(ANSWER_MS);
    const cancel = clock.after(ANSWER_MS, () => late.abort(tooLate));
    const event = { component, topic, id: messageIdOf(letter), data, metadata, attempt: attempts + 1, ...(contentType === undefined ? {} : { contentType }) };
    const resent = await resend[kind](event, AbortSignal.any([late.signal, lost, this.#cut.signal]));
    cancel();
    if (!late.signal.aborted || resent.outcome === 'taken') return resent;
    return { outcome: 'failed', reason: tooLate.message, attempts: resent.outcome === 'failed' ? resent.attempts : 1 };
  }
}

/** What the caller is told of one that was not taken. */
function failureOf(id: string, replay: Replay): MechaError | undefined {
  switch (replay.outcome) {
    case 'taken':
      return undefined;
    case 'gone':
      return errors.notFound(shownId(id));
    case 'busy':
      return errors.busy(shownId(id));
    case 'no-receiver':
      return errors.noReceiver(replay.reason);
    case 'away':
      return errors.appAway(replay.reason);
    case 'failed':
      return errors.notTaken(replay.reason);
    case 'unsettled':
      return errors.notSettled(replay.reason);
  }
}

const ID_SHOWN_MAX = 200;
const shownId = (id: string): string => (id.length > ID_SHOWN_MAX ? `${id.slice(0, ID_SHOWN_MAX)}…` : id);
const placeOf = ({ at, id }: DeadLetterRow): LetterPlace => ({ at, id });
const sourceKey = ({ kind, component, topic }: LetterSource): string => JSON.stringify([kind, component, topic]);

function labelsOf(letter: Parameters<typeof sourceOf>[0]): { component: string; topic: string } {
  const { component, topic } = sourceOf(letter);
  return { component, topic };
}
