/**
 * The dead letters of one sidecar's app: the block that shows, sends and drops them, loaded with the first call, and their
 * retention, looked at now and then and loaded when there are any.
 *
 * Owns: when that is. Does not own: letters (`blocks/dead-letters/`).
 */
import type { DeadLettersBlock, DeadLettersParts } from './blocks/dead-letters/dead-letters.ts';
import type { LetterRetention, LetterRetentionParts } from './blocks/dead-letters/letter-retention.ts';
import type { Part } from './lifecycle.ts';

export type KeptLettersParts = DeadLettersParts & LetterRetentionParts;

export interface KeptLetters extends Part {
  /** Loads what is not there yet. */
  block(): Promise<DeadLettersBlock>;
}

const LOOK_EVERY_MS = 60_000;

export function createKeptLetters(parts: KeptLettersParts): KeptLetters {
  const { appId, ledger, clock } = parts;
  const log = parts.log.scoped('mecha.deadletters');
  let block: Promise<DeadLettersBlock> | undefined;
  let retention: LetterRetention | undefined;
  let cancel = (): void => undefined;
  let stopped = false;

  /** Never rejects. */
  async function look(): Promise<void> {
    try {
      if (!retention && (await ledger.deadLetters({ appId, limit: 1 })).length > 0) {
        const { LetterRetention: Retention } = await import('./blocks/dead-letters/letter-retention.ts');
        retention = new Retention({ ...parts, log });
      }
      if (!stopped) await retention?.sweep();
    } catch (error) {
      if (!stopped) log.warn({ err: error }, 'dead letters that are past their retention could not be removed; tried again');
    }
    if (!stopped) cancel = clock.after(LOOK_EVERY_MS, () => void look());
  }

  return {
    name: 'dead letters',
    block: () => (block ??= import('./blocks/dead-letters/dead-letters.ts').then(({ createDeadLettersBlock }) => createDeadLettersBlock(parts))),
    start() {
      void look();
    },
    async drain(signal) {
      await (await block?.catch(() => undefined))?.drain?.(signal);
    },
    async stop() {
      stopped = true;
      cancel();
      await (await block?.catch(() => undefined))?.drain?.(AbortSignal.abort());
    },
  };
}
