/**
 * What a job carries, in the two forms in which it comes and goes: JSON as it was written (HTTP), or a protobuf message of any type (gRPC).
 * It is kept in the form in which it came; each side is given the one it speaks.
 */
import type { Init } from '@mecha/specs/codec.ts';
import type { Any } from '@mecha/specs/gen/any.gen.ts';
import { Struct, Value } from '@mecha/specs/gen/struct.gen.ts';
import { BytesValue, StringValue } from '@mecha/specs/gen/wrappers.gen.ts';
import { jsonOfStruct, jsonOfValue, valueOf } from '../json/struct-value.ts';

export interface JobData {
  /** Of the message in `value`; undefined: `value` is JSON text. */
  readonly typeUrl?: string;
  readonly value: Uint8Array;
}

const PREFIX = 'type.googleapis.com/';
const VALUE_TYPE = Value.typeName;

const typeNameOf = (typeUrl: string): string => typeUrl.slice(typeUrl.lastIndexOf('/') + 1);
const textOf = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');

/** JSON becomes a `google.protobuf.Value`. */
export function anyOfData({ typeUrl, value }: JobData): Init<Any> {
  return typeUrl === undefined ? { typeUrl: `${PREFIX}${VALUE_TYPE}`, value: Value.encode(valueOf(JSON.parse(textOf(value)))) } : { typeUrl, value };
}

/** The body for an app that speaks HTTP: JSON as it was written or as the message says; of any other message its bytes, trimmed of blanks. */
export function bodyOfData({ typeUrl, value }: JobData): Uint8Array {
  if (typeUrl === undefined) return value;
  const json = jsonOfMessage(typeUrl, value);
  if (typeNameOf(typeUrl) === VALUE_TYPE && json !== undefined) return Buffer.from(json);
  return trimmed(value);
}

/** `{"@type":…,"value":…}`, as people are shown it. A message of a type that is not known here is shown as its bytes in base64. */
export function jsonOfData({ typeUrl, value }: JobData): string {
  const type = typeUrl ?? `${PREFIX}${VALUE_TYPE}`;
  const json = typeUrl === undefined ? textOf(value) : (jsonOfMessage(typeUrl, value) ?? JSON.stringify(Buffer.from(value).toString('base64')));
  return `{"@type":${JSON.stringify(type)},"value":${json}}`;
}

/** JSON text; undefined: the type is not known here, or the bytes are not of it. */
function jsonOfMessage(typeUrl: string, bytes: Uint8Array): string | undefined {
  try {
    switch (typeNameOf(typeUrl)) {
      case VALUE_TYPE:
        return JSON.stringify(jsonOfValue(Value.decode(bytes)));
      case Struct.typeName:
        return JSON.stringify(jsonOfStruct(Struct.decode(bytes)));
      case StringValue.typeName:
        return JSON.stringify(StringValue.decode(bytes).value);
      case BytesValue.typeName:
        return JSON.stringify(Buffer.from(BytesValue.decode(bytes).value).toString('base64'));
      default:
        return undefined;
    }
  } catch {
    // SDKs name these types and send JSON text in their place.
    return undefined;
  }
}

function trimmed(bytes: Uint8Array): Uint8Array {
  const isBlank = (byte: number | undefined): boolean => byte === 0x20 || (byte !== undefined && byte >= 0x09 && byte <= 0x0d);
  let [from, to] = [0, bytes.length];
  while (from < to && isBlank(bytes[from])) from++;
  while (to > from && isBlank(bytes[to - 1])) to--;
  return bytes.subarray(from, to);
}
