// Written by scripts/generate-proto.ts from specs/proto/google/protobuf/wrappers.proto; not by hand.
// Scalars that can be absent, from the time before `optional`.
import { NO_BYTES, createCodec, keepUnknown, toNumber, type Codec, type Init, type Reader, type Writer } from '../codec.ts';

export interface DoubleValue {
  value: number;
  unknown?: Uint8Array | undefined;
}
function writeDoubleValue(m: Init<DoubleValue>, w: Writer): Writer {
  if (m.value !== undefined && !Object.is(m.value, 0)) w.uint32(9).double(m.value);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readDoubleValue(r: Reader, _depth: number, target?: DoubleValue): DoubleValue {
  const m: DoubleValue = target ?? { value: 0 };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 9:
        m.value = r.double();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const DoubleValue: Codec<DoubleValue> = createCodec('google.protobuf.DoubleValue', writeDoubleValue, readDoubleValue);

export interface FloatValue {
  value: number;
  unknown?: Uint8Array | undefined;
}
function writeFloatValue(m: Init<FloatValue>, w: Writer): Writer {
  if (m.value !== undefined && !Object.is(m.value, 0)) w.uint32(13).float(m.value);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readFloatValue(r: Reader, _depth: number, target?: FloatValue): FloatValue {
  const m: FloatValue = target ?? { value: 0 };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 13:
        m.value = r.float();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const FloatValue: Codec<FloatValue> = createCodec('google.protobuf.FloatValue', writeFloatValue, readFloatValue);

export interface Int64Value {
  value: number;
  unknown?: Uint8Array | undefined;
}
function writeInt64Value(m: Init<Int64Value>, w: Writer): Writer {
  if (m.value) w.uint32(8).int64(m.value);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readInt64Value(r: Reader, _depth: number, target?: Int64Value): Int64Value {
  const m: Int64Value = target ?? { value: 0 };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 8:
        m.value = toNumber(r.int64());
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const Int64Value: Codec<Int64Value> = createCodec('google.protobuf.Int64Value', writeInt64Value, readInt64Value);

export interface UInt64Value {
  value: number;
  unknown?: Uint8Array | undefined;
}
function writeUInt64Value(m: Init<UInt64Value>, w: Writer): Writer {
  if (m.value) w.uint32(8).uint64(m.value);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readUInt64Value(r: Reader, _depth: number, target?: UInt64Value): UInt64Value {
  const m: UInt64Value = target ?? { value: 0 };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 8:
        m.value = toNumber(r.uint64());
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const UInt64Value: Codec<UInt64Value> = createCodec('google.protobuf.UInt64Value', writeUInt64Value, readUInt64Value);

export interface Int32Value {
  value: number;
  unknown?: Uint8Array | undefined;
}
function writeInt32Value(m: Init<Int32Value>, w: Writer): Writer {
  if (m.value) w.uint32(8).int32(m.value);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readInt32Value(r: Reader, _depth: number, target?: Int32Value): Int32Value {
  const m: Int32Value = target ?? { value: 0 };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 8:
        m.value = r.int32();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const Int32Value: Codec<Int32Value> = createCodec('google.protobuf.Int32Value', writeInt32Value, readInt32Value);

export interface UInt32Value {
  value: number;
  unknown?: Uint8Array | undefined;
}
function writeUInt32Value(m: Init<UInt32Value>, w: Writer): Writer {
  if (m.value) w.uint32(8).uint32(m.value);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readUInt32Value(r: Reader, _depth: number, target?: UInt32Value): UInt32Value {
  const m: UInt32Value = target ?? { value: 0 };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 8:
        m.value = r.uint32();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const UInt32Value: Codec<UInt32Value> = createCodec('google.protobuf.UInt32Value', writeUInt32Value, readUInt32Value);

export interface BoolValue {
  value: boolean;
  unknown?: Uint8Array | undefined;
}
function writeBoolValue(m: Init<BoolValue>, w: Writer): Writer {
  if (m.value) w.uint32(8).bool(m.value);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readBoolValue(r: Reader, _depth: number, target?: BoolValue): BoolValue {
  const m: BoolValue = target ?? { value: false };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 8:
        m.value = r.bool();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const BoolValue: Codec<BoolValue> = createCodec('google.protobuf.BoolValue', writeBoolValue, readBoolValue);

export interface StringValue {
  value: string;
  unknown?: Uint8Array | undefined;
}
function writeStringValue(m: Init<StringValue>, w: Writer): Writer {
  if (m.value) w.uint32(10).string(m.value);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readStringValue(r: Reader, _depth: number, target?: StringValue): StringValue {
  const m: StringValue = target ?? { value: '' };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.value = r.stringVerify();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const StringValue: Codec<StringValue> = createCodec('google.protobuf.StringValue', writeStringValue, readStringValue);

export interface BytesValue {
  value: Uint8Array;
  unknown?: Uint8Array | undefined;
}
function writeBytesValue(m: Init<BytesValue>, w: Writer): Writer {
  if (m.value?.length) w.uint32(10).bytes(m.value);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readBytesValue(r: Reader, _depth: number, target?: BytesValue): BytesValue {
  const m: BytesValue = target ?? { value: NO_BYTES };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.value = r.bytes();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const BytesValue: Codec<BytesValue> = createCodec('google.protobuf.BytesValue', writeBytesValue, readBytesValue);
