/** What every check is given. */
import { nearest } from '@mecha/components/kit/nearest.ts';
import type { QueryLanguage, StateType } from '../definition.ts';
import type { Diagnostics } from '../diagnostic.ts';
import type { Expressions } from '../expressions.ts';
import type { JsonObject } from '../json.ts';
import type { Resource } from '../resource.ts';

/** What a resource is named for: the work of a state, or the items or results of a distributed Map. */
export type ResourceRole = 'task' | 'reader' | 'writer';

export interface Context {
  readonly diagnostics: Diagnostics;
  readonly expressions: Expressions;
  readonly express: boolean;
  /** Why this host cannot do what a resource names; undefined when it can. */
  readonly refuse: ((resource: Resource, role: ResourceRole) => string | undefined) | undefined;
}

/** A state under inspection. */
export interface Inspected {
  readonly name: string;
  readonly path: string;
  readonly type: StateType;
  readonly language: QueryLanguage;
  readonly fields: JsonObject;
}

/** `did you mean 'Next'?`; not searched for when nobody will read it. */
export function suggestion(context: Context, word: string, words: Iterable<string>): string | undefined {
  if (context.diagnostics.full) return undefined;
  const found = nearest(word, words);
  return found === undefined ? undefined : `did you mean '${found}'?`;
}
