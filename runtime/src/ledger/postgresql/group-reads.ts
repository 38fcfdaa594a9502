/**
 * Reads of one kind that wait together share a statement: all that this turn of the event loop asks for, and all that is asked
 * for while the statement before is under way. None joins one that was sent already, so each sees whatever was committed before it was asked.
 */
import { LedgerRefused } from '@mecha/components/kit';

const WAITING_MAX = 50_000;

interface Asked<Key, Answer> {
  readonly key: Key;
  readonly resolve: (answer: Answer | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/** `readAll` answers with what it found, by the place of its key, and is asked for `most` at once. */
export function groupReads<Key, Answer>(most: number, readAll: (keys: readonly Key[]) => Promise<ReadonlyMap<number, Answer>>): (key: Key) => Promise<Answer | undefined> {
  const waiting: Asked<Key, Answer>[] = [];
  let isReading = false;

  async function read(): Promise<void> {
    await new Promise<void>((resolve) => setImmediate(resolve));
    while (waiting.length > 0) {
      const asked = waiting.splice(0, most);
      try {
        const found = await readAll(asked.map(({ key }) => key));
        for (const [place, { resolve }] of asked.entries()) resolve(found.get(place));
      } catch (error) {
        for (const { reject } of asked) reject(error);
      }
    }
    isReading = false;
  }

  return (key) =>
    new Promise((resolve, reject) => {
      if (waiting.length >= WAITING_MAX) throw new LedgerRefused('overloaded', 'too many reads wait for the database');
      waiting.push({ key, resolve, reject });
      if (isReading) return;
      isReading = true;
      void read();
    });
}
