// What the four services of the orchestrated saga have in common: records in a state store, and a table of POST paths. Plain HTTP, no SDK.
import { createServer } from 'node:http';

export const mecha = `http://127.0.0.1:${process.env.DAPR_HTTP_PORT}`;

/** A refusal that the saga knows by name; everything else that is thrown is tried again. */
export class Refusal extends Error {
  constructor(errorType, message) {
    super(message);
    this.errorType = errorType;
  }
}

export function records(store) {
  const url = `${mecha}/v1.0/state/${store}`;
  return {
    /** [value, etag] of a key; [undefined] when there is none. */
    async load(key) {
      const answer = await fetch(`${url}/${encodeURIComponent(key)}`);
      if (answer.status === 204) return [undefined];
      if (!answer.ok) throw new Error(`reading ${key}: ${answer.status} ${await answer.text()}`);
      return [await answer.json(), answer.headers.get('etag')];
    },
    /** All or nothing, and only if no etag is stale: `[key, value, etag]`; without an etag the key must be new. */
    async save(...changes) {
      const operations = changes.map(([key, value, etag]) => ({ operation: 'upsert', request: { key, value, ...(etag ? { etag } : {}), contentType: 'application/json', options: { concurrency: 'first-write' } } }));
      await post(`${url}/transaction`, { operations });
    },
  };
}

export async function post(url, body, headers = {}) {
  const answer = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${url}: ${answer.status} ${await answer.text()}`);
}

/** `routes`: by `POST /path`, `PUT /path/:name`; each is given the body and the last part of the path. */
export function serve(name, routes) {
  createServer(async (request, response) => {
    const send = (status, body) => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body ?? {}));
    try {
      const chunks = await request.toArray();
      const body = chunks.length > 0 ? JSON.parse(Buffer.concat(chunks).toString('utf8')) : undefined;
      const [, first = '', last] = new URL(request.url, 'http://localhost').pathname.split('/').map(decodeURIComponent);
      const route = routes[`${request.method} /${first}${last === undefined ? '' : '/:name'}`];
      if (route) send(200, await route(body, last));
      else send(404, { error: 'no such path' });
    } catch (error) {
      if (!(error instanceof Refusal)) console.error(error.message);
      send(error instanceof Refusal ? 409 : 500, { errorType: error.errorType, error: error.message });
    }
  }).listen(Number(process.env.APP_PORT), '127.0.0.1', () => console.log(`${name} service on port ${process.env.APP_PORT}`));
}
