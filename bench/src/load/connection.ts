/** The port between a loop and a protocol: one slot carries one operation at a time. */
export interface Slot {
  /** Sends the request with this number and calls back once, later, with the error's words where it failed. */
  send(number: number, done: (error?: string) => void): void;
}

/** Operations of two requests: the second is sent when the first has been answered well. */
export function chained(first: Connections, second: Connections): Connections {
  return {
    slots: first.slots.map((slot, index): Slot => {
      const next = second.slots[index];
      if (!next) throw new RangeError('both parts of an operation need as many slots');
      return { send: (number, done) => slot.send(number, (error) => (error === undefined ? next.send(number, done) : done(error))) };
    }),
    broken: Promise.race([first.broken, second.broken]),
    close() {
      first.close();
      second.close();
    },
  };
}

export interface Connections {
  readonly slots: readonly Slot[];
  /** Resolves, in words, when there is nobody left to send to; a load need not go on then. */
  readonly broken: Promise<string>;
  close(): void;
}
