// Written by scripts/generate-proto.ts from specs/proto/durabletask/attestation.proto; not by hand.
// Proofs of completion, for histories that are signed.
import { NO_BYTES, createCodec, keepUnknown, type Codec, type Init, type Reader, type Writer } from '../codec.ts';

export interface ChildCompletionAttestation {
  payload: Uint8Array;
  signature: Uint8Array;
  unknown?: Uint8Array | undefined;
}
function writeChildCompletionAttestation(m: Init<ChildCompletionAttestation>, w: Writer): Writer {
  if (m.payload?.length) w.uint32(10).bytes(m.payload);
  if (m.signature?.length) w.uint32(18).bytes(m.signature);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readChildCompletionAttestation(r: Reader, _depth: number, target?: ChildCompletionAttestation): ChildCompletionAttestation {
  const m: ChildCompletionAttestation = target ?? { payload: NO_BYTES, signature: NO_BYTES };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.payload = r.bytes();
        break;
      case 18:
        m.signature = r.bytes();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const ChildCompletionAttestation: Codec<ChildCompletionAttestation> = createCodec('ChildCompletionAttestation', writeChildCompletionAttestation, readChildCompletionAttestation);

export interface ActivityCompletionAttestation {
  payload: Uint8Array;
  signature: Uint8Array;
  unknown?: Uint8Array | undefined;
}
function writeActivityCompletionAttestation(m: Init<ActivityCompletionAttestation>, w: Writer): Writer {
  if (m.payload?.length) w.uint32(10).bytes(m.payload);
  if (m.signature?.length) w.uint32(18).bytes(m.signature);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readActivityCompletionAttestation(r: Reader, _depth: number, target?: ActivityCompletionAttestation): ActivityCompletionAttestation {
  const m: ActivityCompletionAttestation = target ?? { payload: NO_BYTES, signature: NO_BYTES };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.payload = r.bytes();
        break;
      case 18:
        m.signature = r.bytes();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const ActivityCompletionAttestation: Codec<ActivityCompletionAttestation> = createCodec('ActivityCompletionAttestation', writeActivityCompletionAttestation, readActivityCompletionAttestation);
