/**
 * What the interpreter takes from outside. It has no clock, no randomness and no ids of its own, so that a turn can be
 * replayed and simulated.
 */
export interface Ports {
  /** Milliseconds since 1970; the same throughout a turn. */
  readonly now: number;
  /** At least 0, less than 1. */
  readonly random: () => number;
  readonly uuid: () => string;
  /** The token that completes the task with this id; the same for the same id. */
  readonly taskToken: (taskId: string) => string;
}
