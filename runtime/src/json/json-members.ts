/**
 * Takes JSON apart one level deep and leaves the parts as they are written, so that what only passes through keeps every
 * digit and every byte.
 */

/** One member of an object or element of an array: `name` decoded ('' in arrays), `text` as written. */
export interface JsonMember {
  readonly name: string;
  readonly text: string;
}

/**
 * The members of the object, or elements of the array, that `text` holds. The caller has made sure that `text` is valid
 * JSON and has an object or an array at its top; members come in their order, repeated names included.
 */
export function membersOf(text: string): JsonMember[] {
  const members: JsonMember[] = [];
  let at = skipBlanks(text, 0);
  const isObject = text[at] === '{';
  at = skipBlanks(text, at + 1);
  while (at < text.length && text[at] !== '}' && text[at] !== ']') {
    let name = '';
    if (isObject) {
      const end = endOfString(text, at);
      name = JSON.parse(text.slice(at, end)) as string;
      at = skipBlanks(text, skipBlanks(text, end) + 1);
    }
    const end = endOfValue(text, at);
    members.push({ name, text: text.slice(at, end) });
    at = skipBlanks(text, end);
    if (text[at] === ',') at = skipBlanks(text, at + 1);
  }
  return members;
}

const BYTE_ORDER_MARK = 0xfeff;

function skipBlanks(text: string, from: number): number {
  let at = text.charCodeAt(from) === BYTE_ORDER_MARK ? from + 1 : from;
  while (at < text.length && text.charCodeAt(at) <= 0x20) at++;
  return at;
}

/** `from` is the opening quote; the answer is behind the closing one. */
function endOfString(text: string, from: number): number {
  let at = from + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at + 1;
}

function endOfValue(text: string, from: number): number {
  let depth = 0;
  let at = from;
  while (at < text.length) {
    const char = text[at];
    if (char === '"') {
      at = endOfString(text, at);
      if (depth === 0) return at;
      continue;
    }
    if (char === '{' || char === '[') depth++;
    else if (char === '}' || char === ']') {
      if (depth === 0) break;
      depth--;
      if (depth === 0) return at + 1;
    } else if (depth === 0 && (char === ',' || text.charCodeAt(at) <= 0x20)) break;
    at++;
  }
  return at;
}
