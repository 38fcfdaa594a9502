/**
 * The one canonical form of a request path. Routing, access decisions and forwarding all use this form and nothing else,
 * so that no spelling of a path can be judged as one thing and delivered as another.
 *
 * Invariants of a result:
 *  1. It begins with `/`, holds ASCII only, no `//`, no `.` or `..` segment, and no trailing slash (but for `/` itself).
 *  2. Every `%` begins a valid upper-case escape, and the whole decodes to UTF-8 without control characters.
 *  3. What needs no escape has none, except `+`, `;`, `/` and `\`, which mean something else unescaped: they stay as written.
 *  4. No way of decoding it once, with `/` or `\` as separator, yields a segment that climbs.
 *  5. The canonical form of a canonical path is itself.
 */

/** Plain paths, which are nearly all of them, are their own canonical form: no escape, no segment that begins with a dot. */
const PLAIN = /^(?:\/[\w~!$&'()*+,;=:@-][\w.~!$&'()*+,;=:@-]*)+$/;
const NOT_BYTES = /[^\u0000-\u00ff]/;
const NOT_ASCII = /[^\u0000-\u007f]/g;
/** Never legal in a path: the query and fragment marks, and the separator of another system. */
const FORBIDDEN = /[?#\\]/;
const CONTROL = /\p{Cc}/u;
const ESCAPE = /%([0-9A-Fa-f]{2})/g;
const BAD_ESCAPE = /%(?![0-9A-Fa-f]{2})/;
/** Characters that are written without escape; those of invariant 3 are missing, they are handled as written. */
const UNESCAPED = /[\w.~!$&'()*,=:@-]/;
const NEEDS_ESCAPE = /[^\w.~!$&'()*+,;=:@%/-]/g;
/** `..;x` is `..` to servers that cut path parameters off. */
const DOT_SEGMENT = /^\.{1,2}(?:;|$)/;

/**
 * The canonical form of the path of an HTTP request (one character per byte, as Node's parser gives it; no query), or
 * undefined when it has none: a bad escape, bytes that are not UTF-8, control characters, `?`, `#`, a backslash, or a dot
 * segment hidden behind an escape. Plain `.` and `..` segments are resolved and never climb above the root.
 */
export function canonicalPath(rawPath: string): string | undefined {
  if (PLAIN.test(rawPath)) return rawPath;
  if (!rawPath.startsWith('/') || FORBIDDEN.test(rawPath) || BAD_ESCAPE.test(rawPath) || NOT_BYTES.test(rawPath)) return undefined;
  const kept: string[] = [];
  for (const written of rawPath.replace(NOT_ASCII, escapeByte).split('/')) {
    if (written === '' || written === '.') continue;
    if (written === '..') {
      kept.pop();
      continue;
    }
    const segment = canonicalSegment(written);
    if (segment === undefined) return undefined;
    kept.push(segment);
  }
  return `/${kept.join('/')}`;
}

/**
 * The same for a method name that came as text (gRPC): with or without a leading slash, escapes allowed as in a path.
 * The result has no leading slash.
 */
export function canonicalMethod(method: string): string | undefined {
  if (!method.isWellFormed()) return undefined;
  const escaped = method.replace(/[^\u0000-\u007f]+/g, encodeURIComponent);
  return canonicalPath(escaped.startsWith('/') ? escaped : `/${escaped}`)?.slice(1);
}

function canonicalSegment(written: string): string | undefined {
  let decoded: string;
  try {
    decoded = decodeURIComponent(written);
  } catch {
    // Escapes that are not UTF-8: no two programs agree on what they mean.
    return undefined;
  }
  if (CONTROL.test(decoded) || decoded.split(/[/\\]/).some((part) => DOT_SEGMENT.test(part))) return undefined;
  return written
    .replace(ESCAPE, (escape, hex: string) => {
      const character = String.fromCharCode(Number.parseInt(hex, 16));
      return UNESCAPED.test(character) ? character : escape.toUpperCase();
    })
    .replace(NEEDS_ESCAPE, escapeByte);
}

/** One character that stands for one byte. */
function escapeByte(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
}
