/**
 * Which messages of a topic may go, and when (L5 of `components/kit/ledger.ts`): the one place that removes messages.
 *
 * Nothing goes that a group has still to read (behind its cursor) or has open (a row in `deliveries`). Each look is bounded,
 * with a million messages in the topic as with ten.
 */
import type { LedgerOperation } from '@mecha/components/kit';
import type { Sql } from './workflow-schema.ts';

/** Messages that an append to a full topic looks at, and removes, at a time. */
const LOOK_ROWS = 500;
/** Looks in which an append to a full topic may find nothing but messages that some group has open. */
const FRUITLESS_LOOKS_MAX = 2;
/** Topics of which it is kept where the last look ended. */
const LOOKED_THROUGH_MAX = 10_000;

/**
 * The counters of topics and groups, from the schema that had none: `appended` and `trimmed` of a topic count its messages from
 * its beginning, `taken` of a group those that its cursor has passed, `waiting` and `in_flight` its rows in `deliveries`.
 */
export const COUNTERS_SCHEMA = `
ALTER TABLE topics ADD COLUMN appended INTEGER NOT NULL DEFAULT 0;
ALTER TABLE topics ADD COLUMN trimmed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE groups ADD COLUMN taken INTEGER NOT NULL DEFAULT 0;
ALTER TABLE groups ADD COLUMN waiting INTEGER NOT NULL DEFAULT 0;
ALTER TABLE groups ADD COLUMN in_flight INTEGER NOT NULL DEFAULT 0;
UPDATE topics SET appended = (SELECT COUNT(*) FROM messages m WHERE m.topic = topics.id);
UPDATE groups SET
  taken = (SELECT COUNT(*) FROM messages m WHERE m.topic = groups.topic AND m.sequence <= groups.cursor),
  waiting = (SELECT COUNT(*) FROM deliveries d WHERE d.grp = groups.id AND d.session IS NULL),
  in_flight = (SELECT COUNT(*) FROM deliveries d WHERE d.grp = groups.id AND d.session IS NOT NULL);
`;

/** What was removed. `more`: there is more to look at. */
interface Trimmed {
  readonly rows: number;
  readonly bytes: number;
  readonly more: boolean;
}
/** Crosses the thread by its fields. */
class TopicFull extends Error {
  constructor(topic: string, bytesMax: number) {
    super(`topic ${topic} has no room: it may hold ${bytesMax} bytes of messages, and those it holds are still to be acknowledged, or within their retention and without a group`);
    this.name = 'TopicFull';
  }
}

export class TopicRoom {
  readonly #sql: Sql;
  /** By topic: up to here the last looks found nothing but open messages. Only where the next begins; kept over a rollback. */
  readonly #lookedThrough = new Map<number, number>();

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  /**
   * L5 at the limit. A look frees up to `LOOK_ROWS` messages, so that most appends find room; more looks follow only while the
   * message itself is larger than what they freed. Where a limit was lowered, each append frees at least what it brings.
   */
  make(id: number, { topic, message, retention }: Extract<LedgerOperation, { type: 'topic.append' }>, now: number): void {
    const { bytes } = this.#sql('SELECT bytes FROM topics WHERE id = ?').get(id) as { bytes: number };
    const size = message.data.length;
    let tooMany = bytes + size - retention.bytesMax;
    if (tooMany <= 0) return;
    if (size > retention.bytesMax) throw new TopicFull(topic, retention.bytesMax);
    const { groups } = this.#sql('SELECT COUNT(*) AS groups FROM groups WHERE topic = ?').get(id) as { groups: number };
    const publishedUntil = groups > 0 ? Number.MAX_SAFE_INTEGER : now - retention.retentionMs;
    let missing = size;
    for (let fruitless = 0; fruitless < FRUITLESS_LOOKS_MAX; ) {
      const { rows, bytes: freed, more } = this.trim(id, publishedUntil, LOOK_ROWS);
      tooMany -= freed;
      missing -= freed;
      if (tooMany <= 0 || (more && missing <= 0)) return;
      if (!more) break;
      if (rows === 0) fruitless++;
    }
    throw new TopicFull(topic, retention.bytesMax);
  }

  /**
   * L5: looks at the oldest `limit` messages and removes those that every group has done with and that were published until
   * then. Where all of these are open (an app that fails may have any number waiting), looks at as many more, beginning where
   * the last look ended, and from the front again after the end.
   */
  trim(topic: number, publishedUntil: number, limit: number): Trimmed {
    const { cursor } = this.#sql('SELECT MIN(cursor) AS cursor FROM groups WHERE topic = ?').get(topic) as { cursor: number | null };
    const range = { through: cursor ?? Number.MAX_SAFE_INTEGER, publishedUntil, limit };
    const { last: lastOfOldest, ...oldest } = this.#look(topic, { ...range, from: 0 });
    if (oldest.rows > 0 || !oldest.more) return oldest;
    if (this.#publishedAt(lastOfOldest) > publishedUntil) return { ...oldest, more: false };
    const after = Math.max(lastOfOldest, this.#lookedThrough.get(topic) ?? 0);
    const { last, ...next } = this.#look(topic, { ...range, from: after + 1 });
    if (next.rows > 0) return { ...next, more: true };
    this.#lookedThrough.delete(topic);
    if (next.more && this.#publishedAt(last) <= publishedUntil) {
      if (this.#lookedThrough.size >= LOOKED_THROUGH_MAX) this.#lookedThrough.clear();
      this.#lookedThrough.set(topic, last);
    }
    // Of what lies between the oldest and where this look began, something may have been acknowledged by now.
    return { ...next, more: next.more || after > lastOfOldest };
  }

  #look(topic: number, { from, through, publishedUntil, limit }: { readonly from: number; readonly through: number; readonly publishedUntil: number; readonly limit: number }): Trimmed & { readonly last: number } {
    // The limit comes first: a million messages that are still to be kept must not be looked through.
    const { looked, last } = this.#sql(
      'SELECT COUNT(*) AS looked, MAX(sequence) AS last FROM (SELECT sequence FROM messages INDEXED BY messages_topic WHERE topic = ? AND sequence BETWEEN ? AND ? ORDER BY sequence LIMIT ?)',
    ).get(topic, from, through, limit) as { looked: number; last: number | null };
    if (last === null) return { rows: 0, bytes: 0, more: false, last: from };
    const gone = this.#sql(
      `DELETE FROM messages AS m INDEXED BY messages_topic WHERE topic = ? AND sequence BETWEEN ? AND ? AND published_at <= ?
         AND NOT EXISTS (SELECT 1 FROM groups g CROSS JOIN deliveries d WHERE g.topic = m.topic AND d.grp = g.id AND d.sequence = m.sequence) RETURNING LENGTH(data) AS size`,
    ).all(topic, from, last, publishedUntil) as { size: number }[];
    const bytes = gone.reduce((sum, { size }) => sum + size, 0);
    if (gone.length > 0) this.#sql('UPDATE topics SET bytes = bytes - ?, trimmed = trimmed + ? WHERE id = ?').run(bytes, gone.length, topic);
    return { rows: gone.length, bytes, more: looked === limit, last };
  }

  #publishedAt(sequence: number): number {
    const row = this.#sql('SELECT published_at AS publishedAt FROM messages WHERE sequence = ?').get(sequence) as { publishedAt: number } | undefined;
    return row?.publishedAt ?? 0;
  }
}
