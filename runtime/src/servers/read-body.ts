/** Reading the body of a request that came to a server of ours. */
import type { IncomingMessage } from 'node:http';
import { BodyTooLarge } from './http-face.ts';

/**
 * The whole body, or `BodyTooLarge` as soon as it is known to be: by its announced length, or by what has come. Listens
 * instead of iterating, which costs a small request more than all the rest of reading it. `limit` in bytes; undefined =
 * unlimited.
 */
export function readBody(raw: IncomingMessage, limit: number | undefined): Promise<Buffer> {
  if (limit !== undefined && Number(raw.headers['content-length'] ?? 0) > limit) return Promise.reject(new BodyTooLarge(limit));
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const leave = (): void => void raw.off('data', take).off('end', end).off('error', fail).off('close', cut);
    const take = (chunk: Buffer): void => {
      size += chunk.length;
      if (limit !== undefined && size > limit) fail(new BodyTooLarge(limit));
      else chunks.push(chunk);
    };
    const end = (): void => {
      leave();
      const [only] = chunks;
      resolve(chunks.length === 1 && only ? only : Buffer.concat(chunks, size));
    };
    const fail = (error: Error): void => {
      leave();
      // A request that breaks later has nobody else who listens.
      raw.on('error', () => {});
      // What still comes is not wanted.
      raw.pause();
      reject(error);
    };
    const cut = (): void => fail(raw.errored ?? new Error('the request ended before its body did'));
    raw.on('data', take).once('end', end).once('error', fail).once('close', cut);
    if (raw.destroyed && !raw.readableEnded) cut();
  });
}
