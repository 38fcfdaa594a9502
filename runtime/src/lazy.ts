/**
 * What is loaded when it is first asked for: a block, a library, whatever most sidecars never need. The one form of it.
 *
 * 1. All who ask while it is being loaded wait for the same loading, and what is there stays.
 * 2. A loading that fails is forgotten: each who waited gets its error, and whoever asks next tries anew.
 * 3. What shuts down asks `whenLoaded`, which begins nothing; from then on `refusal` keeps others from beginning.
 */
export class Lazy<T> {
  readonly #load: () => Promise<T>;
  readonly #refusal: () => Error | undefined;
  #loading: Promise<T> | undefined;
  #loaded: T | undefined;

  /** `refusal`: why nothing may be loaded any more. What is there, or under way, is given all the same. */
  constructor(load: () => Promise<T>, refusal: () => Error | undefined = () => undefined) {
    this.#load = load;
    this.#refusal = refusal;
  }

  /** Undefined until it is there. */
  get loaded(): T | undefined {
    return this.#loaded;
  }

  /** Loads it if nobody has. */
  get(): Promise<T> {
    if (this.#loading) return this.#loading;
    const refused = this.#refusal();
    if (refused) return Promise.reject(refused);
    const loading = (async () => this.#load())();
    this.#loading = loading;
    loading.then(
      (loaded) => (this.#loaded = loaded),
      () => (this.#loading = undefined),
    );
    return loading;
  }

  /** What is there, or will be once the loading under way has ended; undefined: nothing is, or it failed. Never rejects. */
  async whenLoaded(): Promise<T | undefined> {
    return this.#loading?.catch(() => undefined);
  }
}
