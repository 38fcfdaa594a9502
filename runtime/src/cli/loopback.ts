/** Requests to a sidecar on this host. Not by `fetch`, which refuses a list of ports that a sidecar may well have been given. */
import { request } from 'node:http';

export interface LoopbackRequest {
  readonly method: string;
  /** From the leading slash; escaped where it is not. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Rejects when nobody listens, or the connection breaks. */
export function askLoopback(port: number, { method, path, headers = {}, body }: LoopbackRequest): Promise<Response> {
  return new Promise((resolve, reject) => {
    const { pathname, search } = new URL(path, 'http://127.0.0.1');
    const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
    const sent = request({ host: '127.0.0.1', port, method, path: pathname + search, headers: { ...headers, ...length } }, (answer) => {
      answer
        .toArray()
        .then((chunks: Buffer[]) => resolve(new Response(chunks.length === 0 ? null : Buffer.concat(chunks), { status: answer.statusCode ?? 500 })))
        .catch(reject);
    });
    sent.once('error', reject).end(body);
  });
}
