/**
 * A small typed client of a sidecar, for app authors who want neither raw HTTP nor a large SDK. It speaks the HTTP API and
 * nothing else: no connection is held, nothing is retried (the sidecar does that), no dependency is needed.
 *
 * Does not own: subscriptions and other calls into the app; an app serves those with the HTTP server it already has.
 */

export interface ClientOptions {
  /** Default: loopback at `DAPR_HTTP_PORT`, which `mecha run` sets, or 3500. */
  readonly url?: string;
  /** Default: `DAPR_API_TOKEN`. */
  readonly apiToken?: string;
}

/** The sidecar's answer to a call that it refused, or the called app's. */
export class CallError extends Error {
  readonly status: number;
  /** The sidecar's code, such as `ERR_STATE_STORE_NOT_FOUND`; empty when the answer has none. */
  readonly code: string;
  constructor(status: number, code: string, message: string) {
    super(message);
    this.name = 'CallError';
    this.status = status;
    this.code = code;
  }
}

export interface StateRow<Value> {
  readonly value: Value;
  readonly etag: string;
}

export interface SaveOptions {
  /** Saves only if the row still has this etag; a `CallError` with status 409 otherwise. */
  readonly etag?: string;
  readonly ttlSeconds?: number;
}

export type StateOperation =
  | { readonly operation: 'upsert'; readonly key: string; readonly value: unknown; readonly etag?: string }
  | { readonly operation: 'delete'; readonly key: string; readonly etag?: string };

export interface StateClient {
  /** Undefined when there is no such row. */
  get<Value>(key: string): Promise<StateRow<Value> | undefined>;
  save(key: string, value: unknown, options?: SaveOptions): Promise<void>;
  delete(key: string, options?: Pick<SaveOptions, 'etag'>): Promise<void>;
  /** All operations or none. */
  transaction(operations: readonly StateOperation[]): Promise<void>;
}

export interface Client {
  state(store: string): StateClient;
  /** Resolves when the broker has taken the event. */
  publish(pubsub: string, topic: string, data: unknown): Promise<void>;
  /** Calls a method of another app with a JSON body, if any; resolves with its JSON answer, if any. */
  invoke<Answer>(appId: string, method: string, options?: { readonly verb?: string; readonly body?: unknown }): Promise<Answer>;
  /** The values kept under a secret's name. */
  secret(store: string, name: string): Promise<Readonly<Record<string, string>>>;
}

const USUAL_PORT = '3500';

/** A client of the sidecar beside this app. */
export function createClient(options: ClientOptions = {}): Client {
  const base = (options.url ?? `http://127.0.0.1:${process.env['DAPR_HTTP_PORT'] ?? USUAL_PORT}`).replace(/\/$/, '');
  const apiToken = options.apiToken ?? process.env['DAPR_API_TOKEN'];

  async function call(verb: string, path: readonly string[], body?: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
    const response = await fetch(`${base}/v1.0/${path.map(encodeURIComponent).join('/')}`, {
      method: verb,
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(apiToken ? { 'dapr-api-token': apiToken } : {}),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw await errorFrom(response);
    return response;
  }

  return {
    state: (store) => ({
      async get<Value>(key: string) {
        const response = await call('GET', ['state', store, key]);
        if (response.status === 204) return undefined;
        return { value: (await response.json()) as Value, etag: response.headers.get('etag') ?? '' };
      },
      async save(key, value, { etag, ttlSeconds } = {}) {
        const metadata = ttlSeconds === undefined ? {} : { metadata: { ttlInSeconds: String(ttlSeconds) } };
        await call('POST', ['state', store], [{ key, value, ...withEtag(etag), ...metadata }]);
      },
      async delete(key, { etag } = {}) {
        await call('DELETE', ['state', store, key], undefined, etag === undefined ? {} : { 'if-match': etag });
      },
      async transaction(operations) {
        const request = operations.map(({ operation, etag, ...row }) => ({ operation, request: { ...row, ...withEtag(etag) } }));
        await call('POST', ['state', store, 'transaction'], { operations: request });
      },
    }),
    async publish(pubsub, topic, data) {
      await call('POST', ['publish', pubsub, topic], data);
    },
    async invoke<Answer>(appId: string, method: string, { verb = 'POST', body }: { readonly verb?: string; readonly body?: unknown } = {}) {
      const response = await call(verb, ['invoke', appId, 'method', ...method.split('/')], body);
      const text = await response.text();
      return (text === '' ? undefined : JSON.parse(text)) as Answer;
    },
    async secret(store, name) {
      return (await (await call('GET', ['secrets', store, name])).json()) as Record<string, string>;
    },
  };
}

/** A save with an etag takes place only against that very row: first write wins. */
function withEtag(etag: string | undefined): object {
  return etag === undefined ? {} : { etag, options: { concurrency: 'first-write' } };
}

async function errorFrom(response: Response): Promise<CallError> {
  const text = await response.text();
  try {
    const { errorCode, message } = JSON.parse(text) as { errorCode?: string; message?: string };
    return new CallError(response.status, errorCode ?? '', message ?? text);
  } catch {
    return new CallError(response.status, '', text === '' ? response.statusText : text);
  }
}
