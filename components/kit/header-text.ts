/**
 * Text in HTTP headers. Node gives and takes a header as its bytes, one character each; the field writes text there as UTF-8,
 * so that is what leaves and what is tried first when reading.
 */

const PLAIN = /^[\t\u0020-\u007e]*$/;
const LATIN = /^[\t\u0020-\u007e\u0080-\u00ff]*$/;
const CONTROL = /(?!\t)\p{Cc}/u;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The text as Node writes it; undefined where it holds a line break or another control character, which no header can. */
export function headerFromText(text: string): string | undefined {
  if (PLAIN.test(text)) return text;
  return CONTROL.test(text) ? undefined : Buffer.from(text).toString('latin1');
}

/** The text that a header holds, as Node gives it: of UTF-8, or of Latin-1 where it is no UTF-8. */
export function textFromHeader(header: string): string {
  if (PLAIN.test(header) || !LATIN.test(header)) return header;
  try {
    return utf8.decode(Buffer.from(header, 'latin1'));
  } catch {
    return header; // Latin-1: each byte is its character already
  }
}
