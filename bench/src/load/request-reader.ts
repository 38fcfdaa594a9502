/**
 * Framing of requests on a server's side of a connection, for the app that takes events: it must cost less than what is
 * measured, and Node's own server costs as much as a sidecar's delivery. Reads heads only as far as framing needs.
 */

const HEAD_END = Buffer.from('\r\n\r\n');
const HEAD_BYTES_MAX = 64 * 1024;

export interface ReadRequest {
  /** `POST` */
  readonly method: string;
  /** `/events` */
  readonly path: string;
  readonly body: Buffer;
}

export class RequestReader {
  #rest: Buffer | undefined;

  /** The requests that are whole with this chunk, or `bad` for what is no HTTP/1.1 as a client of ours sends it. */
  push(chunk: Buffer): readonly ReadRequest[] | 'bad' {
    let bytes = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk]);
    const requests: ReadRequest[] = [];
    while (bytes.length > 0) {
      const end = bytes.indexOf(HEAD_END);
      if (end < 0) {
        if (bytes.length > HEAD_BYTES_MAX) return 'bad';
        break;
      }
      const head = bytes.toString('latin1', 0, end);
      const start = /^([A-Z]+) (\S+) HTTP\/1\.1(?:\r\n|$)/.exec(head);
      if (!start) return 'bad';
      const body = bodyOf(head, bytes.subarray(end + HEAD_END.length));
      if (body === 'bad') return 'bad';
      if (body === undefined) break;
      requests.push({ method: start[1] ?? '', path: start[2] ?? '', body: body.bytes });
      bytes = bytes.subarray(end + HEAD_END.length + body.length);
    }
    this.#rest = bytes.length === 0 ? undefined : bytes;
    return requests;
  }
}

/** Undefined: not yet whole. `length`: bytes that it takes on the wire. */
function bodyOf(head: string, rest: Buffer): { readonly bytes: Buffer; readonly length: number } | 'bad' | undefined {
  if (/\r\ntransfer-encoding: *chunked/i.test(head)) return chunksOf(rest);
  const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
  return rest.length < length ? undefined : { bytes: rest.subarray(0, length), length };
}

function chunksOf(rest: Buffer): { readonly bytes: Buffer; readonly length: number } | 'bad' | undefined {
  const parts: Buffer[] = [];
  let at = 0;
  for (;;) {
    const end = rest.indexOf('\r\n', at);
    if (end < 0) return undefined;
    const size = Number.parseInt(rest.toString('latin1', at, end), 16);
    if (Number.isNaN(size)) return 'bad';
    const next = end + 2 + size + 2;
    if (rest.length < next) return undefined;
    if (size === 0) return { bytes: Buffer.concat(parts), length: next };
    parts.push(rest.subarray(end + 2, end + 2 + size));
    at = next;
  }
}
