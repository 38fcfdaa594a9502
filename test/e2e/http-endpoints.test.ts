/** HTTPEndpoint resources of a real sidecar: TLS with certificates of their own, secrets in headers, policies by their name. */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { createServer, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import { TLSSocket } from 'node:tls';
import { Dapr } from '@mecha/specs/gen/dapr.gen.ts';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { makeCertificates, type Certificates } from '../tools/certificates.ts';
import { until } from '../tools/processes.ts';
import { cleanUp, component, folderWith, grpcClient, later, startSidecar, type Answer, type Sidecar } from './sidecar.ts';

const SECRET = 'open sesame';
const GET = { verb: 1 };

/** What the service was asked, by path without query, and what it answers there. */
const asked = new Map<string, IncomingMessage[]>();
let answers: Readonly<Record<string, (request: IncomingMessage, response: ServerResponse) => void>> = {};
let own: Certificates;
let strangers: Certificates;
let sidecar: Sidecar;
let url = '';

const pemOf = (path: string): Promise<string> => readFile(path, 'utf8');

/** A service that lets in nobody without a certificate of its own authority. */
async function startBank(answer: RequestListener, options: ServerOptions = {}): Promise<string> {
  const [key, cert, ca] = await Promise.all([own.key, own.certificate, own.authority].map(pemOf));
  const server = createServer({ key, cert, ca, requestCert: true, rejectUnauthorized: true, ...options }, answer);
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  later(async () => {
    server.closeAllConnections();
    server.close();
  });
  return `https://localhost:${(server.address() as AddressInfo).port}`;
}

/** Values as YAML flow text. */
const endpoint = (name: string, baseUrl: string, tls: Readonly<Record<string, string>>, more = ''): string => `apiVersion: dapr.io/v1alpha1
kind: HTTPEndpoint
metadata: { name: ${name} }
spec:
  baseUrl: ${baseUrl}
  clientTLS: { ${Object.entries(tls).map(([key, value]) => `${key}: ${value}`).join(', ')} }
${more}---
`;
const inFile = (path: string): string => `{ value: ${path} }`;
const inStore = (name: string): string => `{ secretKeyRef: { name: ${name} } }`;

const POLICIES = `apiVersion: dapr.io/v1alpha1
kind: Resiliency
metadata: { name: rules }
spec:
  policies:
    timeouts: { short: 1s }
    retries: { again: { duration: 10ms, maxRetries: 2, matching: { httpStatusCodes: "503" } } }
    circuitBreakers: { breaker: { trip: consecutiveFailures >= 2, timeout: 10m } }
  targets:
    apps:
      retried: { retry: again }
      hurried: { timeout: short }
      broken: { circuitBreaker: breaker }
---
`;

beforeAll(async () => {
  [own, strangers] = await Promise.all([makeCertificates(), makeCertificates()]);
  url = await startBank((request, response) => {
    const [path = ''] = request.url?.split('?') ?? [];
    asked.set(path, [...(asked.get(path) ?? []), request]);
    const answer = answers[path];
    if (answer) answer(request, response);
    else response.writeHead(404).end();
  });
  const old = await startBank(
    ({ socket }, response) => {
      socket.once('error', () => undefined);
      if (socket instanceof TLSSocket) socket.renegotiate({}, (error) => void (error ? socket.destroy() : response.end('{}')));
    },
    { maxVersion: 'TLSv1.2' },
  );
  const certificate = { certificate: inFile(own.certificate), privateKey: inFile(own.key) };
  const complete = { rootCA: inFile(own.authority), ...certificate };
  const secrets = { rootCA: inFile(own.authority), certificate: inStore('BANK_CERTIFICATE'), privateKey: inStore('BANK_KEY') };
  const resources = await folderWith({
    'all.yaml': [
      component('vault', 'secretstores.local.env'), POLICIES,
      endpoint('bank', `${url}/v2`, secrets, '  headers: [{ name: x-bank-key, secretKeyRef: { name: BANK_WORD } }]\nauth: { secretStore: vault }\n'),
      endpoint('untrusted', url, certificate), endpoint('mistrusted', url, { ...certificate, rootCA: inFile(strangers.authority) }), endpoint('anonymous', url, { rootCA: inFile(own.authority) }),
      endpoint('once', old, complete), endpoint('anew', old, { ...complete, renegotiation: 'RenegotiateFreelyAsClient' }),
      ...['retried', 'hurried', 'broken'].map((name) => endpoint(name, `${url}/${name}`, complete)),
    ].join(''),
  });
  sidecar = await startSidecar({ resources, env: { BANK_CERTIFICATE: await pemOf(own.certificate), BANK_KEY: await pemOf(own.key), BANK_WORD: SECRET } });
});
afterAll(async () => {
  await cleanUp();
  await Promise.all([own.remove(), strangers.remove()]);
});
beforeEach(() => {
  asked.clear();
  answers = {};
});

const invoke = (target: string, path = 'x'): Promise<Answer> => sidecar.call('GET', `/invoke/${target}/method/${path}`);
const overGrpc = (id: string, method: string) => grpcClient(`127.0.0.1:${sidecar.grpcPort}`).call<{ data: { value: Uint8Array } }>(Dapr.InvokeService, { id, message: { method, httpExtension: GET } });
const messageOf = (answer: Answer): string => answer.json<{ message: string }>().message;

describe('an HTTPEndpoint with clientTLS', () => {
  test('shows its certificate, trusts its authority and sends its secret headers, over HTTP and gRPC; a full URL has none of them', async () => {
    answers = { '/v2/balance': ({ url: path, socket }, response) => void response.end(JSON.stringify({ path, authorized: socket instanceof TLSSocket && socket.authorized })) };
    const answer = await invoke('bank', 'balance?of=7');
    expect([answer.status, answer.json()]).toEqual([200, { path: '/v2/balance?of=7', authorized: true }]);
    const { data } = await overGrpc('bank', 'balance');
    expect(JSON.parse(Buffer.from(data.value).toString())).toEqual({ path: '/v2/balance', authorized: true });
    expect(asked.get('/v2/balance')?.map(({ headers }) => headers['x-bank-key'])).toEqual([SECRET, SECRET]);

    const direct = await invoke(encodeURIComponent(`${url}/v2`), 'balance');
    expect([direct.status, messageOf(direct)]).toEqual([500, expect.stringMatching(/^failed to invoke, id: https:.*certificate/)]);
    expect(asked.get('/v2/balance')).toHaveLength(2);
    expect(sidecar.output()).not.toContain(SECRET);
  });

  test.each([['untrusted', 'is not trusted (clientTLS.rootCA'], ['mistrusted', 'is not trusted (clientTLS.rootCA'], ['anonymous', 'want a client certificate (clientTLS.certificate']])(
    'that is %s is refused in words, and its request does not come through',
    async (name, words) => {
      const answer = await invoke(name);
      expect([answer.status, answer.json()]).toEqual([500, { errorCode: 'ERR_DIRECT_INVOKE', message: expect.stringContaining(words) }]);
      expect(asked.size).toBe(0);
    },
  );

  test('negotiates anew where it may, and nowhere else', async () => {
    expect((await invoke('once')).status).toBe(500);
    expect((await invoke('anew')).status).toBe(200);
  });

  test('whose certificate cannot be read keeps the sidecar from starting, with file, line and reason', async () => {
    const resources = await folderWith({ 'a.yaml': endpoint('bank', url, { rootCA: inFile('/no/such/file.pem') }) });
    const wrong = await startSidecar({ resources, untilReady: 'nothing' });
    expect(await wrong.process.exited).toBe(1);
    expect(wrong.output()).toMatch(/a\.yaml:6: error: bank: the root CA is neither PEM text nor a file that can be read \(spec\.clientTLS\.rootCA\)/);
  });
});

describe('policies of an HTTPEndpoint', () => {
  test('retry what matches, and pass the last answer on', async () => {
    const statuses = [503, 503, 200, 418, 503, 503, 503];
    answers = { '/retried/x': (_request, response) => void response.writeHead(statuses.shift() ?? 0).end('{}') };
    const seen = [(await invoke('retried')).status, (await invoke('retried')).status, (await invoke('retried')).status];
    expect([seen, statuses]).toEqual([[200, 418, 503], []]);
  });

  test('cut off what takes too long, whose connection ends with it', async () => {
    const closed = Promise.withResolvers<void>();
    // The time is of the call alone: TLS has been negotiated.
    await until('there is a connection', async () => (await invoke('hurried', 'warm')).status === 404);
    answers = { '/hurried/x': ({ socket }) => void socket.once('error', () => undefined).once('close', () => closed.resolve()) };
    const answer = await invoke('hurried');
    expect([answer.status, messageOf(answer)]).toEqual([500, 'failed to invoke, id: hurried, err: context deadline exceeded: no answer within 1000 ms']);
    await closed.promise;
  });

  test('have one breaker for all paths of the endpoint', async () => {
    const fail = (_request: IncomingMessage, response: ServerResponse): void => void response.writeHead(500).end();
    answers = { '/broken/a': fail, '/broken/b': fail };
    for (const path of ['a', 'b']) expect((await invoke('broken', path)).text).toBe('');
    const refused = await invoke('broken', 'c');
    expect([refused.status, refused.json()]).toEqual([500, { errorCode: 'ERR_DIRECT_INVOKE', message: 'failed to invoke, id: broken, err: circuit breaker is open' }]);
    await expect(overGrpc('broken', 'd')).rejects.toMatchObject({ code: 13, details: 'failed to invoke, id: broken, err: circuit breaker is open' });
    expect([...asked.keys()]).toEqual(['/broken/a', '/broken/b']);
  });
});
