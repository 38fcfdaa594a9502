/** The shutdown block: answers at once, then the sidecar drains and stops; forced, it exits with code 1. */

export interface ShutdownBlock {
  shutdown(request: { force: boolean }): void;
}

export interface ShutdownBlockParts {
  /** Begins the orderly stop. */
  readonly stop: () => void;
  /** Ends the process with code 1, no drain. */
  readonly exit: () => void;
}

/** Long enough for the answer to leave (http-api.md 18.4). */
const FORCED_EXIT_DELAY_MS = 100;

export function createShutdownBlock(parts: ShutdownBlockParts): ShutdownBlock {
  return {
    shutdown({ force }) {
      if (force) setTimeout(parts.exit, FORCED_EXIT_DELAY_MS);
      else setImmediate(parts.stop);
    },
  };
}
