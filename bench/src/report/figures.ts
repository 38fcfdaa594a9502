/** Figures as words, the same in every table and chart: short, and no more exact than a measurement is. */

/** `12,345`; below a hundred with what it takes for three figures: `12.3`, `0.123`. */
export function numberWords(value: number): string {
  if (value === 0) return '0';
  const size = Math.abs(value);
  const digits = size >= 99.95 ? 0 : size >= 9.995 ? 1 : size >= 0.9995 ? 2 : 3;
  const [whole = '', rest] = size.toFixed(digits).split('.');
  const grouped = whole.replaceAll(/\B(?=(?:\d{3})+$)/g, ',');
  return `${value < 0 ? '-' : ''}${grouped}${rest === undefined ? '' : `.${rest}`}`;
}

/** `1,024` for a count, which is never cut. */
export function countWords(value: number): string {
  return Number.isInteger(value) ? String(value).replaceAll(/\B(?=(?:\d{3})+$)/g, ',') : numberWords(value);
}

/** `1k`, `12.5k`, `1M`: for the ticks of an axis and the names of loads. */
export function shortWords(value: number): string {
  for (const [size, sign] of [[1e9, 'G'], [1e6, 'M'], [1e3, 'k']] as const) {
    if (Math.abs(value) >= size) return `${Number((value / size).toPrecision(3))}${sign}`;
  }
  return String(Number(value.toPrecision(3)));
}

/** `512 B`, `1 KB`, `64 KB` of 1024 each: sizes of payloads. */
export function sizeWords(bytes: number): string {
  for (const [size, unit] of [[1024 ** 2, 'MB'], [1024, 'KB']] as const) {
    if (bytes >= size) return `${Number((bytes / size).toPrecision(3))} ${unit}`;
  }
  return `${bytes} B`;
}

/** `86.2 MB` of a million bytes each, as `npm run measure` has it. */
export function memoryWords(bytes: number): string {
  return `${numberWords(bytes / 1e6)} MB`;
}

/** `+0.310`, `-0.020`: milliseconds more or less than another. */
export function differenceWords(milliseconds: number): string {
  return milliseconds > 0 ? `+${numberWords(milliseconds)}` : numberWords(milliseconds);
}

/** `0.45`, `7.50`, `12.3`; below a tenth with two figures, however small: `0.0042`. */
export function ratioWords(ratio: number): string {
  if (ratio >= 9.995) return numberWords(ratio);
  return ratio >= 0.0995 || ratio <= 0 ? ratio.toFixed(2) : String(Number(ratio.toPrecision(2)));
}
