/** Which dead letters are meant: where they came from, filters, and the order in which they are looked through. */
import type { DeadLetterRow, Ledger } from '@mecha/components/kit';

export type SourceKind = 'topic' | 'binding';

/** Where a letter came from. */
export interface LetterSource {
  readonly kind: SourceKind;
  readonly component: string;
  /** '' for a binding. */
  readonly topic: string;
}

export interface LetterFilter {
  readonly kind?: SourceKind;
  readonly component?: string;
  /** As the app names it. */
  readonly topic?: string;
  /** Part of the reason, in any case. */
  readonly reason?: string;
  /** Dead from then on; milliseconds since the epoch. */
  readonly since?: number;
  /** Dead before then. */
  readonly until?: number;
}

/** A place in the order of letters. */
export interface LetterPlace {
  readonly at: number;
  readonly id: string;
}

const PAGE = 500;

export function sourceOf({ pubsub, topic, deadLetterTopic }: Pick<DeadLetterRow, 'pubsub' | 'topic' | 'deadLetterTopic'>): LetterSource {
  // Of a topic there are letters only where there is a dead-letter topic.
  return deadLetterTopic === '' ? { kind: 'binding', component: pubsub, topic: '' } : { kind: 'topic', component: pubsub, topic };
}

/** The id that the message or event had when it was given to the app: the last part of the letter's. */
export function messageIdOf({ id }: Pick<DeadLetterRow, 'id'>): string {
  return decodeURIComponent(id.split('/').at(-1) ?? id);
}

/**
 * Letters of the app that the filter means, newest first, from behind `before`. The ledger bounds how many there are; they are read
 * by pages, and so may change meanwhile.
 */
export async function* newestFirst(ledger: Pick<Ledger, 'deadLetters'>, appId: string, filter: LetterFilter, before?: LetterPlace): AsyncGenerator<DeadLetterRow, void, void> {
  const { since = -Infinity, until = Infinity } = filter;
  let from = before ?? (until === Infinity ? undefined : { at: until, id: '' });
  for (;;) {
    const page = await ledger.deadLetters({ appId, limit: PAGE, ...(from === undefined ? {} : { before: from }) });
    for (const row of page) {
      if (row.at < since) return;
      if (row.at < until && isMeant(row, filter)) yield row;
    }
    const last = page.at(-1);
    if (!last || page.length < PAGE) return;
    from = { at: last.at, id: last.id };
  }
}

/** The oldest first, at most `limit` of them, from behind `after`: the order in which they are sent again. `more`: there are newer ones. */
export async function oldestFirst(ledger: Pick<Ledger, 'deadLetters'>, appId: string, filter: LetterFilter, limit: number, after?: LetterPlace): Promise<{ readonly rows: readonly DeadLetterRow[]; readonly more: boolean }> {
  const found: DeadLetterRow[] = [];
  let count = 0;
  for await (const row of newestFirst(ledger, appId, filter)) {
    if (after && (row.at < after.at || (row.at === after.at && row.id <= after.id))) break;
    count += 1;
    found.push(row);
    // What is kept is bounded by what is asked for, not by what there is.
    if (found.length >= 2 * limit + PAGE) found.splice(0, found.length - limit);
  }
  return { rows: found.slice(-limit).reverse(), more: count > limit };
}

function isMeant(row: DeadLetterRow, { kind, component, topic, reason }: LetterFilter): boolean {
  const source = sourceOf(row);
  return (
    (kind === undefined || source.kind === kind) &&
    (component === undefined || source.component === component) &&
    (topic === undefined || (source.kind === 'topic' && source.topic === topic)) &&
    (reason === undefined || row.reason.toLowerCase().includes(reason.toLowerCase()))
  );
}
