/** A map that holds so many values and forgets the one that was asked for longest ago. */
export class RecentMap<V> {
  readonly #most: number;
  readonly #onForgotten: (value: V) => void;
  /** In order of use: the first is the one unused longest. */
  readonly #values = new Map<string, V>();

  constructor(most: number, onForgotten: (value: V) => void = () => undefined) {
    this.#most = most;
    this.#onForgotten = onForgotten;
  }

  get size(): number {
    return this.#values.size;
  }

  values(): IterableIterator<V> {
    return this.#values.values();
  }

  /** The value of `key`, made when there is none. */
  get(key: string, make: () => V): V {
    const known = this.#values.get(key);
    const value = known ?? make();
    this.#values.delete(key);
    this.#values.set(key, value);
    if (known !== undefined || this.#values.size <= this.#most) return value;
    for (const [oldest, forgotten] of this.#values) {
      this.#values.delete(oldest);
      this.#onForgotten(forgotten);
      break;
    }
    return value;
  }
}
