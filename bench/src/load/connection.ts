/** The port between a loop and a protocol: one slot carries one operation at a time. */
export interface Slot {
  /** Sends the request with this number and calls back once, later, with the error's words where it failed. */
  send(number: number, done: (error?: string) => void): void;
}

export interface Connections {
  readonly slots: readonly Slot[];
  /** Resolves, in words, when there is nobody left to send to; a load need not go on then. */
  readonly broken: Promise<string>;
  close(): void;
}
