/** For tests that read an answer: one way, whether it came as bytes or as a stream. */
import { Readable } from 'node:stream';

export function streamOf(body: Uint8Array | Readable | undefined): Readable {
  return body instanceof Readable ? body : Readable.from(body === undefined || body.length === 0 ? [] : [body]);
}
