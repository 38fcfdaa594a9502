/**
 * What the generated codecs share. Each generated message is an interface and, under the same name, a `Codec`: two plain
 * functions over the reader and writer of protobufjs, so that nothing is built at run time and nothing is looked up.
 *
 * Invariants
 *  1. Fields that this version of the contract does not know are kept as received in `unknown` and written back
 *     (not those inside an entry of a map).
 *  2. A field without presence is never written when it holds its default, and always there after decoding.
 *  3. Decoding never reads past a message's own length, nests at most `NESTING_MAX` deep, and refuses text that is not UTF-8.
 *  4. Whole 64-bit numbers are `number`; beyond 2^53 they lose their last digits.
 */
import protobuf from 'protobufjs/minimal.js';

export type Reader = protobuf.Reader;
export type Writer = protobuf.Writer;

/** A message as its writer takes it: every field may be left out, at every depth. */
export type Init<T> = T extends Uint8Array
  ? T
  : T extends readonly (infer E)[]
    ? readonly Init<E>[]
    : T extends object
      ? { readonly [K in keyof T]?: Init<T[K]> | undefined }
      : T;

export interface Codec<T> {
  /** Full name: `dapr.proto.runtime.v1.GetStateRequest`. */
  readonly typeName: string;
  encode(message: Init<T>): Buffer;
  /** Byte fields are views of `bytes`, not copies. Throws on anything that is not such a message. */
  decode(bytes: Uint8Array): T;
  /** For messages that hold this one. */
  readonly write: WriteMessage<T>;
  readonly read: ReadMessage<T>;
}

export type WriteMessage<T> = (message: Init<T>, writer: Writer) => Writer;
/** Reads up to the reader's end into `target`, or into a new message. */
export type ReadMessage<T> = (reader: Reader, depth: number, target?: T) => T;

/** One method of a service, as its server and its client need it. */
export interface Method<Request, Response> {
  /** `/dapr.proto.runtime.v1.Dapr/GetState`. */
  readonly path: string;
  readonly requestStream: boolean;
  readonly responseStream: boolean;
  readonly request: Codec<Request>;
  readonly response: Codec<Response>;
}

const NESTING_MAX = 100;
export const NO_BYTES: Uint8Array = Buffer.alloc(0);

export function createCodec<T>(typeName: string, write: WriteMessage<T>, read: ReadMessage<T>): Codec<T> {
  return {
    typeName,
    write,
    read,
    encode: (message) => write(message, protobuf.Writer.create()).finish() as Buffer,
    decode: (bytes) => read(protobuf.Reader.create(asBuffer(bytes)), 0),
  };
}

/** A field of message type; a second occurrence is merged into the first, as the format asks. */
export function readNested<T>(reader: Reader, depth: number, read: ReadMessage<T>, target?: T): T {
  if (depth >= NESTING_MAX) throw new RangeError(`messages are nested more than ${NESTING_MAX} deep`);
  const outerEnd = enter(reader);
  const message = read(reader, depth + 1, target);
  reader.len = outerEnd;
  return message;
}

/** One entry of a map field with text keys. */
export function readEntry<V>(reader: Reader, into: Record<string, V>, initial: V, readValue: (reader: Reader) => V, valueTag: number): void {
  const outerEnd = enter(reader);
  let key = '';
  let value = initial;
  while (reader.pos < reader.len) {
    const tag = reader.tag();
    if (tag === 10) key = reader.stringVerify();
    else if (tag === valueTag) value = readValue(reader);
    else reader.skipType(tag & 7, 0, tag >>> 3);
  }
  reader.len = outerEnd;
  // A caller's key must not become the prototype.
  if (key === '__proto__') Object.defineProperty(into, key, { value, enumerable: true, writable: true, configurable: true });
  else into[key] = value;
}

/** A field that is not known: its bytes, tag included, joined to those that are kept already. `start` is where the tag began. */
export function keepUnknown(reader: Reader, tag: number, start: number, kept: Uint8Array | undefined): Uint8Array {
  reader.skipType(tag & 7, 0, tag >>> 3);
  const bytes = reader.buf.subarray(start, reader.pos);
  return kept ? Buffer.concat([kept, bytes]) : bytes;
}

/** Narrows the reader to the length-prefixed part that begins here; returns the end to go back to. */
export function enter(reader: Reader): number {
  const end = reader.size() + reader.pos;
  const outerEnd = reader.len;
  if (end > outerEnd) throw new RangeError('a field is longer than the message that holds it');
  reader.len = end;
  return outerEnd;
}

/** A 64-bit number as protobufjs gives it: two halves. */
export function toNumber(long: { readonly low: number; readonly high: number; readonly unsigned: boolean }): number {
  return (long.unsigned ? long.high >>> 0 : long.high) * 2 ** 32 + (long.low >>> 0);
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
