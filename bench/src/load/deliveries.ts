/** Which events are on their way: an operation that publishes ends when its event has reached the app. */
export class Deliveries {
  readonly #expected = new Map<number, () => void>();
  readonly #arrived = new Set<number>();
  #duplicates = 0;

  expect(number: number, arrived: () => void): void {
    this.#expected.set(number, arrived);
  }

  /** The publish failed: nothing will come, or nobody waits for it. */
  forget(number: number): void {
    this.#expected.delete(number);
  }

  arrive(number: number): void {
    const arrived = this.#expected.get(number);
    if (arrived) {
      this.#expected.delete(number);
      this.#arrived.add(number);
      arrived();
    } else if (this.#arrived.has(number)) {
      this.#duplicates++;
    }
  }

  get waiting(): number {
    return this.#expected.size;
  }

  /** How many came more than once; forgets them and all that is waited for. */
  settle(): { readonly lost: number; readonly duplicates: number } {
    const settled = { lost: this.#expected.size, duplicates: this.#duplicates };
    this.#expected.clear();
    this.#arrived.clear();
    this.#duplicates = 0;
    return settled;
  }
}
