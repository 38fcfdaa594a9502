/** Every instance's way of living, whatever its port. */
export interface Connectable {
  /**
   * Reaches the backend. The runtime calls it again with back-off after a rejection, for ever; it must be safe to call
   * after a failed try. Resolves when calls can be served. Absent: ready at once.
   */
  connect?(signal: AbortSignal): Promise<void>;
  /** Rejects when the backend cannot be reached now. Absent: no probe. */
  ping?(): Promise<void>;
  /** Releases everything; safe after a failed connect, and twice. */
  close?(): Promise<void>;
}
