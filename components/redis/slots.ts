/** A number of places that several takers share; who finds none is called when one is given back, in turn. */
export class Slots {
  #free: number;
  readonly #waiting = new Set<() => void>();

  constructor(count: number) {
    this.#free = Math.max(count, 1);
  }

  /** Takes a place; when there is none, `whenFree` is called once one may be had. */
  take(whenFree: () => void): boolean {
    if (this.#free > 0) {
      this.#free -= 1;
      return true;
    }
    this.#waiting.add(whenFree);
    return false;
  }

  give(): void {
    this.#free += 1;
    // One that has nothing more to do takes none; the place is then the next one's.
    for (const next of this.#waiting) {
      if (this.#free === 0) return;
      this.#waiting.delete(next);
      next();
    }
  }
}
