/**
 * The dead letters of one sidecar's app: the block that shows, sends and drops them, loaded with the first call, and their
 * retention, looked at now and then and loaded when there are any.
 *
 * Owns: when that is. Does not own: letters (`blocks/dead-letters/`).
 */
import type { DeadLettersBlock, DeadLettersParts } from '../blocks/dead-letters/dead-letters.ts';
import type { LetterRetention, LetterRetentionParts } from '../blocks/dead-letters/letter-retention.ts';
import { Lazy } from '../lazy.ts';
import type { Part } from '../lifecycle.ts';

export type KeptLettersParts = DeadLettersParts & LetterRetentionParts;

export interface KeptLetters extends Part {
  /** Loads what is not there yet. */
  block(): Promise<DeadLettersBlock>;
}

const LOOK_EVERY_MS = 60_000;

export function createKeptLetters(parts: KeptLettersParts): KeptLetters {
  const { appId, ledger, clock } = parts;
  const log = parts.log.scoped('mecha.deadletters');
  const block = new Lazy(async () => (await import('../blocks/dead-letters/dead-letters.ts')).createDeadLettersBlock(parts));
  const retention = new Lazy<LetterRetention>(async () => {
    const { LetterRetention: Retention } = await import('../blocks/dead-letters/letter-retention.ts');
    return new Retention({ ...parts, log });
  });
  let cancel = (): void => undefined;
  let stopped = false;

  /** Never rejects. */
  async function look(): Promise<void> {
    try {
      if (!retention.loaded && (await ledger.deadLetters({ appId, limit: 1 })).length > 0) await retention.get();
      if (!stopped) await retention.loaded?.sweep();
    } catch (error) {
      if (!stopped) log.warn({ err: error }, 'dead letters that are past their retention could not be removed; tried again');
    }
    if (!stopped) cancel = clock.after(LOOK_EVERY_MS, () => void look());
  }

  return {
    name: 'dead letters',
    block: () => block.get(),
    start() {
      void look();
    },
    async drain(signal) {
      await (await block.whenLoaded())?.drain?.(signal);
    },
    async stop() {
      stopped = true;
      cancel();
      await (await block.whenLoaded())?.drain?.(AbortSignal.abort());
    },
  };
}
