/** A metadata field in words, the same in `mecha components describe` and in the docs. */
import type { MetadataField } from '@mecha/components/kit';

const UNITS: readonly (readonly [number, string])[] = [
  [3_600_000, 'h'],
  [60_000, 'm'],
  [1_000, 's'],
  [1, 'ms'],
];
const SIZES: readonly (readonly [number, string])[] = [
  [1024 ** 3, 'Gi'],
  [1024 ** 2, 'Mi'],
  [1024, 'Ki'],
];

/** The default as a user would write it; undefined when there is none worth telling. */
export function defaultText(field: MetadataField): string | undefined {
  const value = field.default;
  if (value === undefined || value === '' || field.type === 'group') return undefined;
  if (field.type === 'duration') return durationText(Number(value));
  if (field.type === 'size') return sizeText(Number(value));
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : JSON.stringify(value);
}

/** required, allowed words, default, other spellings, secret: what there is to say, in this order. */
export function fieldNotes(field: MetadataField): string[] {
  const standard = defaultText(field);
  return [
    field.required ? 'required' : '',
    field.values ? field.values.join(' | ') : '',
    standard === undefined ? '' : `default ${standard}`,
    field.aliases ? `also ${field.aliases.join(', ')}` : '',
    field.secret ? 'secret' : '',
  ].filter((note) => note !== '');
}

function durationText(ms: number): string {
  const [size, unit] = (ms === 0 ? undefined : UNITS.find(([unitMs]) => ms % unitMs === 0)) ?? [1, 'ms'];
  return `${ms / size}${unit}`;
}

function sizeText(bytes: number): string {
  const fitting = bytes === 0 ? undefined : SIZES.find(([size]) => bytes % size === 0);
  return fitting ? `${bytes / fitting[0]}${fitting[1]}` : String(bytes);
}
