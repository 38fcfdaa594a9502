/** How much may be under way at once: in all, and of one name. */
export interface ConcurrencyLimits {
  readonly max: number;
  readonly perName?: Readonly<Record<string, number>>;
}

export class Limiter {
  readonly #limits: ConcurrencyLimits;
  readonly #byName = new Map<string, number>();
  #taken = 0;

  constructor(limits: ConcurrencyLimits) {
    this.#limits = limits;
  }

  get taken(): number {
    return this.#taken;
  }
  get room(): number {
    return Math.max(0, this.#limits.max - this.#taken);
  }
  roomFor(name: string): number {
    const most = this.#limits.perName?.[name];
    return most === undefined ? this.room : Math.max(0, Math.min(this.room, most - (this.#byName.get(name) ?? 0)));
  }
  /** What a claim may take of each name that has a limit of its own. */
  get claimLimits(): Record<string, number> {
    return Object.fromEntries(Object.keys(this.#limits.perName ?? {}).map((name) => [name, this.roomFor(name)]));
  }

  take(name: string): void {
    this.#taken += 1;
    this.#byName.set(name, (this.#byName.get(name) ?? 0) + 1);
  }
  tryTake(name: string): boolean {
    if (this.roomFor(name) === 0) return false;
    this.take(name);
    return true;
  }
  give(name: string): void {
    this.#taken -= 1;
    const left = (this.#byName.get(name) ?? 0) - 1;
    if (left > 0) this.#byName.set(name, left);
    else this.#byName.delete(name);
  }
}
