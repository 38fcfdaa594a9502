// Written by scripts/generate-proto.ts from specs/proto/google/protobuf/struct.proto; not by hand.
// JSON values as messages.
import { NO_BYTES, createCodec, keepUnknown, readEntry, readNested, type Codec, type Init, type Reader, type Writer } from '../codec.ts';

export const NullValue = {
  NULL_VALUE: 0,
} as const;

export interface Struct {
  fields: Record<string, Value>;
  unknown?: Uint8Array | undefined;
}
function writeStruct(m: Init<Struct>, w: Writer): Writer {
  if (m.fields) {
    for (const [k, v] of Object.entries(m.fields)) {
      if (v === undefined) continue;
      w.uint32(10).fork().uint32(10).string(k);
      Value.write(v, w.uint32(18).fork()).ldelim();
      w.ldelim();
    }
  }
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readStruct(r: Reader, depth: number, target?: Struct): Struct {
  const m: Struct = target ?? { fields: {} };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        readEntry(r, m.fields, Value.decode(NO_BYTES), (r) => readNested(r, depth, Value.read), 18);
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const Struct: Codec<Struct> = createCodec('google.protobuf.Struct', writeStruct, readStruct);

export interface Value {
  nullValue?: number | undefined;
  numberValue?: number | undefined;
  stringValue?: string | undefined;
  boolValue?: boolean | undefined;
  structValue?: Struct | undefined;
  listValue?: ListValue | undefined;
  unknown?: Uint8Array | undefined;
}
function writeValue(m: Init<Value>, w: Writer): Writer {
  if (m.nullValue !== undefined) w.uint32(8).int32(m.nullValue);
  if (m.numberValue !== undefined) w.uint32(17).double(m.numberValue);
  if (m.stringValue !== undefined) w.uint32(26).string(m.stringValue);
  if (m.boolValue !== undefined) w.uint32(32).bool(m.boolValue);
  if (m.structValue) Struct.write(m.structValue, w.uint32(42).fork()).ldelim();
  if (m.listValue) ListValue.write(m.listValue, w.uint32(50).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readValue(r: Reader, depth: number, target?: Value): Value {
  const m: Value = target ?? { nullValue: undefined, numberValue: undefined, stringValue: undefined, boolValue: undefined, structValue: undefined, listValue: undefined };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 8:
        m.nullValue = r.int32();
        m.numberValue = undefined;
        m.stringValue = undefined;
        m.boolValue = undefined;
        m.structValue = undefined;
        m.listValue = undefined;
        break;
      case 17:
        m.numberValue = r.double();
        m.nullValue = undefined;
        m.stringValue = undefined;
        m.boolValue = undefined;
        m.structValue = undefined;
        m.listValue = undefined;
        break;
      case 26:
        m.stringValue = r.stringVerify();
        m.nullValue = undefined;
        m.numberValue = undefined;
        m.boolValue = undefined;
        m.structValue = undefined;
        m.listValue = undefined;
        break;
      case 32:
        m.boolValue = r.bool();
        m.nullValue = undefined;
        m.numberValue = undefined;
        m.stringValue = undefined;
        m.structValue = undefined;
        m.listValue = undefined;
        break;
      case 42:
        m.structValue = readNested(r, depth, Struct.read, m.structValue);
        m.nullValue = undefined;
        m.numberValue = undefined;
        m.stringValue = undefined;
        m.boolValue = undefined;
        m.listValue = undefined;
        break;
      case 50:
        m.listValue = readNested(r, depth, ListValue.read, m.listValue);
        m.nullValue = undefined;
        m.numberValue = undefined;
        m.stringValue = undefined;
        m.boolValue = undefined;
        m.structValue = undefined;
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const Value: Codec<Value> = createCodec('google.protobuf.Value', writeValue, readValue);

export interface ListValue {
  values: Value[];
  unknown?: Uint8Array | undefined;
}
function writeListValue(m: Init<ListValue>, w: Writer): Writer {
  if (m.values) for (const v of m.values) Value.write(v, w.uint32(10).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readListValue(r: Reader, depth: number, target?: ListValue): ListValue {
  const m: ListValue = target ?? { values: [] };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.values.push(readNested(r, depth, Value.read));
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const ListValue: Codec<ListValue> = createCodec('google.protobuf.ListValue', writeListValue, readListValue);
