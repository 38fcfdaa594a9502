/** JSON values as `google.protobuf.Value`, and back. Numbers are doubles on that wire. */
import type { Init } from '@mecha/specs/codec.ts';
import { NullValue, type Struct, type Value } from '@mecha/specs/gen/struct.gen.ts';

export function structOf(entries: readonly (readonly [string, unknown])[]): Init<Struct> {
  return { fields: Object.fromEntries(entries.map(([name, value]) => [name, valueOf(value)])) };
}

export function valueOf(value: unknown): Init<Value> {
  switch (typeof value) {
    case 'string':
      return { stringValue: value };
    case 'number':
      return { numberValue: value };
    case 'boolean':
      return { boolValue: value };
    default:
      if (Array.isArray(value)) return { listValue: { values: value.map(valueOf) } };
      if (typeof value === 'object' && value !== null) return { structValue: structOf(Object.entries(value)) };
      return { nullValue: NullValue.NULL_VALUE };
  }
}

export function jsonOfStruct({ fields }: Struct): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, jsonOfValue(value)]));
}

export function jsonOfValue(value: Value): unknown {
  const { structValue, listValue, stringValue, numberValue, boolValue } = value;
  if (structValue !== undefined) return jsonOfStruct(structValue);
  if (listValue !== undefined) return listValue.values.map(jsonOfValue);
  return stringValue ?? numberValue ?? boolValue ?? null;
}
