/** Numbers in fields and messages. */
import type { Json } from './json.ts';

export const isInteger = (value: Json | undefined): value is number => typeof value === 'number' && Number.isSafeInteger(value);

/** A value inside a message: texts without quotes. */
export const numberText = (value: Json): string => (typeof value === 'string' ? value : JSON.stringify(value));
