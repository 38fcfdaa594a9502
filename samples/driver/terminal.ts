/** What drivers of samples say, and what they hear: lines, one line of progress, Ctrl-C, wrong arguments. */

export function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

let shownAt = 0;
let shown = '';
/** One line that is rewritten on a terminal, and now and then a line elsewhere, where it has changed. */
export function progress(text: string, last: boolean): void {
  const now = Date.now();
  if (process.stdout.isTTY) process.stdout.write(`\r  ${text}   ${last ? '\n' : ''}`);
  else if (last || (now - shownAt > 1000 && text !== shown)) {
    [shownAt, shown] = [now, text];
    say(`  ${text}`);
  }
}

export function whenInterrupted(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
}

export function positive(flag: string, text: string, most = 1_000_000): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0 && value <= most) return value;
  throw new Error(`${flag} takes a whole number from 1 to ${most}, not '${text}'`);
}

export function oneOf<T extends string>(flag: string, text: string, words: readonly T[]): T {
  const found = words.find((word) => word === text);
  if (found) return found;
  throw new Error(`${flag} takes one of ${words.join(', ')}, not '${text}'`);
}

/** Runs a driver; its number is the exit code, its error one line and the exit code 1. */
export async function runMain(main: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await main();
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
