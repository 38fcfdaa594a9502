/** The port of secret stores. */
import type { Connectable } from './connectable.ts';

/** One secret: name -> value; most stores give one pair, some several. */
export type Secret = Readonly<Record<string, string>>;

export interface SecretStore extends Connectable {
  /** Rejects with an error that names the secret, never a value, when it does not exist. */
  get(request: { readonly name: string; readonly metadata: Readonly<Record<string, string>> }): Promise<Secret>;
  /** Every secret that this store may show, by name. */
  getAll(request: { readonly metadata: Readonly<Record<string, string>> }): Promise<Readonly<Record<string, Secret>>>;
}
