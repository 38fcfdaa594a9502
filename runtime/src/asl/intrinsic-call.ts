/** The grammar of intrinsic functions, `States.Format('order {}', $.id)`: text to call. */
import type { JsonPath } from './jsonpath-ast.ts';
import { readPath } from './jsonpath.ts';
import { Reader } from './text-reader.ts';

export interface IntrinsicCall {
  readonly kind: 'call';
  readonly name: string;
  readonly arguments: readonly IntrinsicArgument[];
  readonly text: string;
}

export type IntrinsicArgument =
  | IntrinsicCall
  | { readonly kind: 'path'; readonly path: JsonPath }
  /** `parts`: the text cut at each `{}`, for States.Format. */
  | { readonly kind: 'value'; readonly value: string | number | boolean | null; readonly parts?: readonly string[] };

export class IntrinsicInvalid extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'IntrinsicInvalid';
  }
}

const NESTING_MAX = 10;
/** Fewest and most arguments. */
export const INTRINSIC_ARITY: Readonly<Record<string, readonly [number, number]>> = {
  'States.Format': [1, Infinity],
  'States.StringToJson': [1, 1],
  'States.JsonToString': [1, 1],
  'States.Array': [0, Infinity],
  'States.ArrayPartition': [2, 2],
  'States.ArrayContains': [2, 2],
  'States.ArrayRange': [3, 3],
  'States.ArrayGetItem': [2, 2],
  'States.ArrayLength': [1, 1],
  'States.ArrayUnique': [1, 1],
  'States.Base64Encode': [1, 1],
  'States.Base64Decode': [1, 1],
  'States.Hash': [2, 2],
  'States.JsonMerge': [3, 3],
  'States.MathRandom': [2, 3],
  'States.MathAdd': [2, 2],
  'States.StringSplit': [2, 2],
  'States.UUID': [0, 0],
};

const NAME = /States\.[A-Za-z0-9]+/y;
const NUMBER = /-?(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?(?=[\s,)])/y;
const WORD = /(?:true|false|null)(?=[\s,)])/y;

export function parseIntrinsic(text: string): IntrinsicCall {
  const reader = new Reader(text.trim(), (message) => new IntrinsicInvalid(message));
  const call = readCall(reader, 1);
  reader.blanks();
  if (!reader.ended()) reader.fail(`unexpected '${reader.peek()}' after the call`);
  return call;
}

function readCall(reader: Reader, depth: number): IntrinsicCall {
  const start = reader.at;
  if (depth > NESTING_MAX) reader.fail(`calls are nested deeper than ${NESTING_MAX}`);
  const name = reader.match(NAME);
  if (name === undefined) reader.fail('a function such as States.Format was expected');
  const arity = Object.hasOwn(INTRINSIC_ARITY, name) ? INTRINSIC_ARITY[name] : undefined;
  if (!arity) reader.fail(`there is no function ${name}`);
  reader.blanks();
  reader.expect('(');
  const found: IntrinsicArgument[] = [];
  reader.blanks();
  if (!reader.take(')')) {
    do {
      reader.blanks();
      found.push(readArgument(reader, depth));
      reader.blanks();
    } while (reader.take(','));
    reader.expect(')');
  }
  const [least, most] = arity;
  if (found.length < least || found.length > most) reader.fail(`${name} takes ${least === most ? least : `${least} to ${most}`} arguments, not ${found.length}`);
  return { kind: 'call', name, arguments: found, text: reader.text.slice(start, reader.at) };
}

function readArgument(reader: Reader, depth: number): IntrinsicArgument {
  const next = reader.peek();
  if (next === '$') return { kind: 'path', path: readPath(reader) };
  if (next === "'") return readText(reader);
  if (reader.text.startsWith('States.', reader.at)) return readCall(reader, depth + 1);
  const word = reader.match(WORD);
  if (word !== undefined) return { kind: 'value', value: word === 'null' ? null : word === 'true' };
  const number = reader.match(NUMBER);
  if (number === undefined) reader.fail("an argument was expected: a path, a 'text', a number, true, false, null or a call");
  return { kind: 'value', value: Number(number) };
}

/** Escapes: `\'`, `\\`, `\{` and `\}`. An escaped brace does not open a place of States.Format. */
function readText(reader: Reader): IntrinsicArgument {
  reader.expect("'");
  let value = '';
  let part = '';
  const parts: string[] = [];
  const add = (text: string): void => {
    value += text;
    part += text;
  };
  for (;;) {
    if (reader.ended()) reader.fail('a text does not end');
    if (reader.take("'")) return { kind: 'value', value, parts: [...parts, part] };
    if (reader.take('{}')) {
      value += '{}';
      parts.push(part);
      part = '';
    } else if (reader.take('\\')) {
      const escaped = reader.next();
      if (!"'\\{}".includes(escaped) || escaped === '') reader.fail(`\\${escaped} is no escape: there are \\' \\\\ \\{ \\}`);
      add(escaped);
    } else add(reader.next());
  }
}
