/**
 * Values of PostgreSQL as JSON text, made from the text in which the server sends them, so that no number loses a digit on
 * the way through a double. What JSON has no form for (an interval, an address, a range) is a string.
 */

/** A value's text and its type's number -> JSON text. */
export type ToJson = (text: string) => string;

const TYPE = { bool: 16, bytea: 17, int8: 20, int2: 21, int4: 23, oid: 26, json: 114, float4: 700, float8: 701, date: 1082, timestamp: 1114, timestamptz: 1184, numeric: 1700, jsonb: 3802 } as const;
/** Type of an array -> type of its elements. Others come as the server writes them. */
const ARRAYS: ReadonlyMap<number, number> = new Map([
  [1000, TYPE.bool], [1001, TYPE.bytea], [1016, TYPE.int8], [1005, TYPE.int2], [1007, TYPE.int4], [1028, TYPE.oid], [199, TYPE.json], [1021, TYPE.float4], [1022, TYPE.float8],
  [1182, TYPE.date], [1115, TYPE.timestamp], [1185, TYPE.timestamptz], [1231, TYPE.numeric], [3807, TYPE.jsonb],
  // bpchar, varchar, text, name, uuid
  [1014, 25], [1015, 25], [1009, 25], [1003, 25], [2951, 25],
]);

const quoted: ToJson = (text) => JSON.stringify(text);
/** NaN and the infinities are no JSON numbers. */
const number: ToJson = (text) => (/^-?\d/.test(text) ? text : quoted(text));
const time = (zone: string): ToJson => (text) => {
  const match = /^(\d{4,}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?)(?:([+-]\d\d)(:?\d\d)?)?$/.exec(text);
  if (!match) return quoted(text);
  const [, date = '', clock = '', hours, minutes = ':00'] = match;
  const offset = hours === undefined ? zone : `${hours}${minutes.startsWith(':') ? minutes : `:${minutes}`}`;
  return quoted(`${date}T${clock}${offset === '+00:00' ? 'Z' : offset}`);
};

const byType: ReadonlyMap<number, ToJson> = new Map<number, ToJson>([
  [TYPE.bool, (text) => (text === 't' ? 'true' : 'false')],
  [TYPE.bytea, (text) => quoted(text.startsWith(String.raw`\x`) ? Buffer.from(text.slice(2), 'hex').toString('base64') : text)],
  [TYPE.int8, number], [TYPE.int2, number], [TYPE.int4, number], [TYPE.oid, number], [TYPE.float4, number], [TYPE.float8, number], [TYPE.numeric, number],
  [TYPE.json, (text) => text],
  [TYPE.jsonb, (text) => text],
  // Clients of this wire contract read a date as a time.
  [TYPE.date, (text) => quoted(/^\d{4,}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00Z` : text)],
  [TYPE.timestamp, time('Z')],
  [TYPE.timestamptz, time('')],
]);

export function toJsonOf(type: number): ToJson {
  const element = ARRAYS.get(type);
  if (element === undefined) return byType.get(type) ?? quoted;
  const one = byType.get(element) ?? quoted;
  return (text) => arrayToJson(text, one);
}

/** `{1,NULL,"a b",{2}}` as JSON; bounds that are written before it (`[0:1]={…}`) are left out. */
function arrayToJson(text: string, one: ToJson): string {
  const token = /\{|\}|,|"((?:[^"\\]|\\.)*)"|([^{},"]+)/gs;
  token.lastIndex = Math.max(text.indexOf('{'), 0);
  let json = '';
  for (let match = token.exec(text); match; match = token.exec(text)) {
    const [sign, inQuotes, bare] = match;
    if (inQuotes !== undefined) json += one(inQuotes.replaceAll(/\\(.)/gs, '$1'));
    else if (bare !== undefined) json += bare === 'NULL' ? 'null' : one(bare);
    else json += sign === '{' ? '[' : sign === '}' ? ']' : ',';
  }
  return json;
}
