/** Something the reader can act upon: printed as one line, without a stack, with exit code 2. */
export class Problem extends Error {}

/** One line; a failed attempt at several addresses says what became of the first. */
export function wordsOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return wordsOf(error.errors[0]);
  return (error instanceof Error ? error.message : String(error)).trim().split('\n')[0] ?? '';
}

/** Whether the system refused something (a file, a port, a connection): no mistake of the program's. */
export function isRefusal(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'code' in error && ('syscall' in error || error instanceof AggregateError);
}
