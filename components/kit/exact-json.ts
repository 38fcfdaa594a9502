/** JSON whose numbers keep every digit, also those that a double cannot hold. */

/** Neither `JSON.rawJSON` nor the third argument of a reviver is among the types yet. */
const json = JSON as unknown as {
  parse(text: string, reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown): unknown;
  rawJSON(text: string): { readonly rawJSON: string };
  isRawJSON(value: unknown): value is { readonly rawJSON: string };
};

/** As `JSON.parse`, but for numbers that a double cannot hold: these `JSON.stringify` writes as they came. Throws as `JSON.parse` does. */
export function parseExactly(text: string): unknown {
  return json.parse(text, (_key, value, { source }) => (typeof value !== 'number' || source === undefined || isExact(value, source) ? value : json.rawJSON(source)));
}

/** As `JSON.parse`, but every number that `JSON.stringify` would write otherwise it writes as it came: `12.50`, `1e3`, and those of many digits. */
export function parseVerbatim(text: string): unknown {
  return json.parse(text, (_key, value, { source }) => (typeof value !== 'number' || source === undefined || String(value) === source ? value : json.rawJSON(source)));
}

/** The text of a number that was kept as such; undefined for everything else. */
export function exactNumberText(value: unknown): string | undefined {
  return json.isRawJSON(value) ? value.rawJSON : undefined;
}

function isExact(value: number, source: string): boolean {
  if (Number.isInteger(value)) return Number.isSafeInteger(value);
  // Doubles tell apart all decimals of 15 digits.
  return Number.isFinite(value) && source.replace(/e.*$/i, '').replaceAll(/[-.]/g, '').replace(/^0+/, '').length <= 15;
}
