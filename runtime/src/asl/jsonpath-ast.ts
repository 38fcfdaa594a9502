/** What JSONPath text means: the words shared by its parser, its filters and its evaluation. */
import type { Json } from './json.ts';

export type Step =
  | { readonly kind: 'names'; readonly names: readonly string[] }
  | { readonly kind: 'indexes'; readonly indexes: readonly number[] }
  | { readonly kind: 'slice'; readonly from?: number; readonly to?: number; readonly by: number }
  | { readonly kind: 'wildcard' }
  | { readonly kind: 'descend' }
  | { readonly kind: 'filter'; readonly filter: Filter }
  | { readonly kind: 'function'; readonly name: PathFunction };

export type PathFunction = 'length' | 'min' | 'max' | 'avg' | 'sum' | 'keys';

export interface JsonPath {
  readonly text: string;
  /** `$`, `$$`, `@` (inside filters) or the name of a variable. */
  readonly root: string;
  readonly steps: readonly Step[];
  readonly definite: boolean;
}

/** What the roots stand for. */
export interface PathRoots {
  readonly data: Json;
  context(): Json;
  /** undefined: no such variable. */
  variable(name: string): Json | undefined;
}

/** A definite path that leads nowhere; `reason` is worded as the real service's library words it. */
export interface Missing {
  readonly missing: true;
  readonly reason: string;
}

export type Found = { readonly missing: false; readonly value: Json } | Missing;

export class PathInvalid extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'PathInvalid';
  }
}

export type Lookup = (path: JsonPath, current: Json) => Found;
/** Whether one item is kept. */
export type Filter = (current: Json, lookup: Lookup) => boolean;
