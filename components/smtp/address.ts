/**
 * Addresses of mails as metadata gives them: `ada@example.org` or `Ada Lovelace <ada@example.org>`, several joined by `;`.
 *
 * Stricter than mail's own grammar, on purpose: no comments, groups, routes or quoted local parts, and no control
 * characters. What is let through here reads the same to every mail server, so no text can become a second recipient or a
 * further header.
 */

export interface MailAddress {
  /** Empty when there is none. */
  readonly name: string;
  readonly address: string;
}

const ADDRESS_LENGTH_MAX = 254;
const NAME_LENGTH_MAX = 200;
export const RECIPIENTS_MAX = 1_000;
/** Neither separators of the grammar nor what a command line of SMTP is made of. */
const ADDRESS = /^[^\s\p{Cc}\p{Cf}@,;:<>()[\]"\\]+@[^\s\p{Cc}\p{Cf}@,;:<>()[\]"\\]+$/u;
const CONTROL = /[\p{Cc}\u2028\u2029]/u;

/** Throws what is wrong in words that do not repeat the text. */
export function parseAddresses(text: string): readonly MailAddress[] {
  if (CONTROL.test(text)) throw new Error('holds a line break or another control character');
  const entries = text.split(';').map((entry) => entry.trim()).filter((entry) => entry !== '');
  if (entries.length > RECIPIENTS_MAX) throw new Error(`names more than ${RECIPIENTS_MAX} addresses`);
  return entries.map(parseAddress);
}

function parseAddress(entry: string): MailAddress {
  const named = /^([^<>]*)<([^<>]*)>$/.exec(entry);
  const address = (named?.[2] ?? entry).trim();
  const name = (named?.[1] ?? '').trim().replace(/^"([^"\\]*)"$/, '$1');
  if (!ADDRESS.test(address) || address.length > ADDRESS_LENGTH_MAX || name.length > NAME_LENGTH_MAX || name.includes('"')) {
    throw new Error('must be addresses such as ada@example.org or Ada <ada@example.org>, joined by ;');
  }
  return { name, address };
}

/** A header's text: one line, of a length that servers take. Throws what is wrong. */
export function checkHeaderText(text: string): string {
  if (CONTROL.test(text)) throw new Error('holds a line break or another control character');
  if (text.length > NAME_LENGTH_MAX * 10) throw new Error(`is longer than ${NAME_LENGTH_MAX * 10} characters`);
  return text;
}
