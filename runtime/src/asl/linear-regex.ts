/**
 * Regular expressions in time linear in their text: authors of definitions and senders of data cannot stop the process with
 * one. What cannot be matched that way (look-around, back-references) is refused when the expression is read.
 */
import { RE2JS } from 're2js';

/** Whether a text contains a match. Throws on expressions that are not understood. */
export function linearRegex(pattern: string, flags: string): (text: string) => boolean {
  const compiled = compile(pattern, flags);
  return (text) => compiled.matcher(text).find();
}

function compile(pattern: string, flags: string): RE2JS {
  return RE2JS.compile(pattern, (flags.includes('i') ? RE2JS.CASE_INSENSITIVE : 0) | (flags.includes('m') ? RE2JS.MULTILINE : 0));
}

const COMPILED_MAX = 500;
const compiledByText = new Map<string, RE2JS>();

/** As much of the built-in RegExp as the JSONata library uses: made from a literal, `lastIndex`, `exec`. */
export class LinearRegExp {
  lastIndex = 0;
  readonly #compiled: RE2JS;

  constructor(literal: RegExp) {
    const key = `${literal.flags}/${literal.source}`;
    let compiled = compiledByText.get(key);
    if (!compiled) {
      compiled = compile(literal.source, literal.flags);
      if (compiledByText.size >= COMPILED_MAX) compiledByText.clear();
      compiledByText.set(key, compiled);
    }
    this.#compiled = compiled;
  }

  exec(text: string): RegExpExecArray | null {
    const matcher = this.#compiled.matcher(text);
    if (this.lastIndex > text.length || !matcher.find(this.lastIndex)) {
      this.lastIndex = 0;
      return null;
    }
    const groups = Array.from({ length: matcher.groupCount() + 1 }, (_, group) => matcher.group(group) ?? undefined);
    this.lastIndex = matcher.end();
    return Object.assign(groups, { index: matcher.start(), input: text }) as unknown as RegExpExecArray;
  }
}
