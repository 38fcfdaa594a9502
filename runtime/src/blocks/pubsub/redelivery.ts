/** The block's own rule for what an app could not take: the same above every broker. */

/** Attempts after which an event goes to its dead-letter topic. */
export const ATTEMPTS_MAX = 5;
const FIRST_MS = 100;
const MOST_MS = 10_000;
/** Where there is no dead-letter topic the event stays, and is tried more and more rarely. */
const MOST_WITHOUT_DEAD_LETTER_MS = 60_000;
const JITTER = 0.3;

/**
 * Milliseconds before the attempt that follows `failed` failed ones: 100 ms doubling to 10 s, to 60 s for events that
 * have nowhere else to go; up to 30 % less by chance, so that what failed together does not return together.
 */
export function redeliveryDelayMs(failed: number, hasDeadLetterTopic: boolean, random: () => number): number {
  const most = hasDeadLetterTopic ? MOST_MS : MOST_WITHOUT_DEAD_LETTER_MS;
  const delay = Math.min(most, FIRST_MS * 2 ** Math.min(Math.max(failed, 1) - 1, 20));
  return Math.round(delay * (1 - JITTER * random()));
}
