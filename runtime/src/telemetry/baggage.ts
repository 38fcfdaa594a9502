/** W3C baggage (https://www.w3.org/TR/baggage/): checked where it comes in, passed on as it came. */

const BYTES_MAX = 8192;
const MEMBERS_MAX = 180;
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const VALUE = /^[!#-+\u002d-:<-\u005b\]-~]*$/;

/** What is wrong with the value of a `baggage` header; undefined when nothing is. One that is empty says nothing. */
export function baggageProblem(baggage: string): string | undefined {
  if (baggage.trim() === '') return undefined;
  if (baggage.length > BYTES_MAX) return `longer than ${BYTES_MAX} bytes`;
  const members = baggage.split(',');
  if (members.length > MEMBERS_MAX) return `more than ${MEMBERS_MAX} list members`;
  const bad = members.find((member) => !isMember(member));
  return bad === undefined ? undefined : `invalid list member ${JSON.stringify(bad.slice(0, 80))}`;
}

/** `key=value`, and properties after semicolons, which need no value. Read piece by piece: one expression for all would go over blanks again and again. */
function isMember(member: string): boolean {
  return member.split(';').every((part, index) => {
    const at = part.indexOf('=');
    if (at < 0) return index > 0 && TOKEN.test(part.trim());
    return TOKEN.test(part.slice(0, at).trim()) && VALUE.test(part.slice(at + 1).trim());
  });
}
