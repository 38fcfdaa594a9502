/**
 * (users 50) One guard for all that speaks HTTP for the app: bindings of HTTP services, of AWS and its likes, HTTPEndpoint resources and full
 * URLs, in real sidecars. What the guard refuses in all spellings is tested beside it (`components/kit/egress.test.ts`).
 */
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { compilePreload } from '../tools/preload.ts';
import { cleanUp, component, folder, folderWith, later, startSidecar, type Answer, type Sidecar } from './sidecar.ts';

afterEach(cleanUp);

const SECRET = 'not-for-others';
interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
}

/** A service that answers everything alike, and keeps what it is asked. */
async function service(status: number, headers: Readonly<Record<string, string>> = {}): Promise<{ readonly url: string; readonly port: number; readonly seen: readonly Seen[] }> {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    seen.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers });
    response.writeHead(status, headers).end('{"data":{}}');
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  later(async () => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, port, seen };
}

interface Way {
  /** YAML of what reaches `base` under this name, with the credentials that are meant for it. */
  yaml(name: string, base: string): string;
  call(sidecar: Sidecar, name: string): Promise<Answer>;
}
const invoke = (operation: string, metadata: Readonly<Record<string, string>> = {}, data?: unknown) => (sidecar: Sidecar, name: string) => sidecar.call('POST', `/bindings/${name}`, { operation, metadata, data });
const document = JSON.stringify({
  openapi: '3.1.0', info: { title: 'any', version: '1' }, components: { securitySchemes: { key: { type: 'http', scheme: 'bearer' } } }, security: [{ key: [] }],
  paths: { '/look': { get: { operationId: 'look', responses: { 200: { description: 'ok' } } } } },
});
const aws = { accessKey: 'AKIATEST', secretKey: SECRET, timeout: '5s' };

/** Every way by which the app can have HTTP spoken. */
const ways: Readonly<Record<string, Way>> = {
  http: { yaml: (name, url) => component(name, 'bindings.http', { url, securityToken: SECRET, securityTokenHeader: 'X-Token' }), call: invoke('get', { Authorization: `Bearer ${SECRET}`, Cookie: SECRET }) },
  openapi: { yaml: (name, url) => component(name, 'bindings.openapi', { url, document, 'security:key': SECRET }), call: invoke('look') },
  graphql: { yaml: (name, endpoint) => component(name, 'bindings.graphql', { endpoint, 'header:Authorization': `Bearer ${SECRET}` }), call: invoke('query', { query: 'query { n }' }) },
  s3: { yaml: (name, endpoint) => component(name, 'bindings.aws.s3', { endpoint, bucket: 'mecha', forcePathStyle: 'true', ...aws }), call: invoke('get', { key: 'a' }) },
  's3-by-name': { yaml: (name, endpoint) => component(name, 'bindings.aws.s3', { endpoint, bucket: 'mecha', ...aws }), call: invoke('get', { key: 'a' }) },
  sqs: { yaml: (name, endpoint) => component(name, 'bindings.aws.sqs', { endpoint, queueName: 'mecha', direction: 'output', ...aws }), call: invoke('create', {}, 1) },
  endpoint: {
    yaml: (name, baseUrl) => `apiVersion: dapr.io/v1alpha1\nkind: HTTPEndpoint\nmetadata: { name: ${name} }\nspec:\n  baseUrl: ${baseUrl}\n  headers: [{ name: authorization, value: ${SECRET} }]\n---\n`,
    call: (sidecar, name) => sidecar.call('GET', `/invoke/${name}/method/look`),
  },
};
const all = async <T>(each: (name: string, way: Way) => Promise<T>): Promise<Readonly<Record<string, T>>> => Object.fromEntries(await Promise.all(Object.entries(ways).map(async ([name, way]) => [name, await each(name, way)] as const)));
const forAll = <T>(value: T): Readonly<Record<string, T>> => Object.fromEntries(Object.keys(ways).map((name) => [name, value]));

test('a name that public DNS leads to this host, to where clouds keep credentials, or to both sides, is refused before anything is sent', async () => {
  const home = await service(200);
  const names = { loopback: 'ip-127-0-0-1', metadata: 'ip-169-254-169-254', both: 'ip-93-184-216-34-and-127-0-0-1' };
  const yaml = Object.entries(names).flatMap(([kind, host]) => Object.entries(ways).map(([name, way]) => way.yaml(`${name}-${kind}`, `http://${host}.example:${home.port}`)));
  const sidecar = await startSidecar({ resources: await folderWith({ 'all.yaml': yaml.join('') }), env: { LD_PRELOAD: await compilePreload('e2e/answer-names', await folder()) } });
  for (const [kind, words] of [['loopback', /leads to this host/], ['metadata', /is a link-local address/], ['both', /leads to public and to other addresses|leads to this host/]] as const) {
    const answers = await all(async (name, way) => {
      const { status, text } = await way.call(sidecar, `${name}-${kind}`);
      return [status >= 400, text];
    });
    expect(answers, kind).toEqual(forAll([true, expect.stringMatching(words)]));
  }
  expect(home.seen).toEqual([]);
});

test('credentials reach the origin that the YAML names, and do not follow its redirect to another', async () => {
  const elsewhere = await service(200);
  const homes = await all(() => service(302, { location: `${elsewhere.url}/steal` }));
  const yaml = Object.entries(ways).filter(([name]) => name !== 's3-by-name').map(([name, way]) => way.yaml(name, homes[name]?.url ?? ''));
  const allowing = component('allowing', 'bindings.http', { url: homes['http']?.url ?? '', allowedOrigins: elsewhere.url, securityToken: SECRET, securityTokenHeader: 'X-Token' });
  const sidecar = await startSidecar({ resources: await folderWith({ 'all.yaml': [...yaml, allowing].join('') }) });
  await all((name, way) => way.call(sidecar, name));
  for (const name of Object.keys(ways).filter((one) => one !== 's3-by-name')) expect(JSON.stringify(homes[name]?.seen), name).toMatch(/authorization/);
  expect(elsewhere.seen).toEqual([]);

  expect((await ways['http']?.call(sidecar, 'allowing'))?.status).toBe(200);
  expect(elsewhere.seen.map(({ url }) => url)).toEqual(['/steal']);
  expect(JSON.stringify(elsewhere.seen)).not.toContain(SECRET);
});

test('what a request names stays on the origin of the YAML, however it is spelled', async () => {
  const [home, elsewhere] = [await service(200), await service(200)];
  const linkLocal = { decimal: 'http://2852039166', mapped: 'http://[::ffff:169.254.169.254]' };
  const yaml = [...['http', 's3', 'endpoint'].map((name) => ways[name]?.yaml(name, home.url)), ...Object.entries(linkLocal).map(([name, base]) => ways['endpoint']?.yaml(name, base))];
  const sidecar = await startSidecar({ resources: await folderWith({ 'all.yaml': yaml.join('') }) });
  await ways['s3']?.call(sidecar, 's3');
  // By HEAD the sidecar asks by itself, every now and then, whether the bucket is there.
  const asked = (): number => home.seen.filter(({ method }) => method !== 'HEAD').length;
  const before = asked();
  const { port } = elsewhere;
  const others = [`127.0.0.1:${port}`, `2130706433:${port}`, `0177.0.0.1:${port}`, `0x7f.1:${port}`, `[::ffff:127.0.0.1]:${port}`, `localhost:${port}`, `user:word@127.0.0.1:${port}`, '169.254.169.254', '2852039166'];
  for (const other of others) {
    expect((await invoke('get', { path: `http://${other}/x` })(sidecar, 'http')).text, other).toMatch(/may not be followed/);
    expect((await sidecar.call('GET', `/invoke/${encodeURIComponent(`http://${other}`)}/method/x`)).status, other).toBeGreaterThanOrEqual(400);
  }
  for (const path of [`//127.0.0.1:${port}/x`, `/\\127.0.0.1:${port}/x`, '../x', '%2e%2e/x', '..%2fx', `/x\r\nHost: 127.0.0.1:${port}`]) expect((await invoke('get', { path })(sidecar, 'http')).text, path).toMatch(/may not be followed/);
  for (const key of ['../other/secret', 'a/../../x', '..', '..\\x']) expect((await invoke('get', { key })(sidecar, 's3')).text, key).toMatch(/no part that is \. or \.\./);
  for (const name of Object.keys(linkLocal)) expect((await ways['endpoint']?.call(sidecar, name))?.status, name).toBe(403);
  expect([asked(), elsewhere.seen.length]).toEqual([before, 0]);
});
