/** Expressions of one definition, each parsed once: what validation parsed is what execution evaluates. */
import { parseIntrinsic, type IntrinsicCall } from './intrinsic-call.ts';
import { parseQuery, type Query } from './jsonata-query.ts';
import type { JsonPath } from './jsonpath-ast.ts';
import { parseJsonPath } from './jsonpath.ts';
import type { Limits } from './limits.ts';

export class Expressions {
  readonly limits: Limits;
  readonly #paths = new Map<string, JsonPath>();
  readonly #calls = new Map<string, IntrinsicCall>();
  readonly #queries = new Map<string, Query>();

  constructor(limits: Limits) {
    this.limits = limits;
  }

  /** Throws PathInvalid. */
  path(text: string): JsonPath {
    return known(this.#paths, text, parseJsonPath);
  }

  /** Throws IntrinsicInvalid. */
  call(text: string): IntrinsicCall {
    return known(this.#calls, text, parseIntrinsic);
  }

  /** Throws what the library says. */
  query(expression: string): Query {
    return known(this.#queries, expression, (text) => parseQuery(text, this.limits));
  }
}

function known<T>(parsed: Map<string, T>, text: string, parse: (text: string) => T): T {
  let result = parsed.get(text);
  if (result === undefined) {
    result = parse(text);
    parsed.set(text, result);
  }
  return result;
}
