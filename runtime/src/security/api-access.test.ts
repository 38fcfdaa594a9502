import { describe, expect, test } from 'vitest';
import type { GrpcMethod } from '../servers/grpc-face.ts';
import type { HttpReply, HttpRequest, HttpRoute } from '../servers/http-face.ts';
import { servedFallback, servedMethods, servedRoutes } from './api-access.ts';

const handle = (): HttpReply => ({ status: 200 });
const route = (group: string, path: string, versions = ['v1.0']): HttpRoute => ({ methods: ['GET'], versions, path, group, handle });
const ROUTES = [route('healthz', '/healthz'), route('state', '/state/:store/:key'), route('secrets', '/secrets/:store/:key'), route('publish', '/publish/bulk/:p/*', ['v1.0', 'v1.0-alpha1'])];
const http = (name: string, version = 'v1.0') => ({ name, version, protocol: 'http' });

async function statuses(api: Parameters<typeof servedRoutes>[1]): Promise<string[]> {
  const served = servedRoutes(ROUTES, api);
  const found = await Promise.all(served.map(async (one) => [`${one.versions[0]}${one.path}`, (await one.handle({} as HttpRequest)).status] as const));
  return found.filter(([, status]) => status === 200).map(([path]) => path);
}

describe('the API lists', () => {
  test('without any, everything is served', async () => {
    expect(servedRoutes(ROUTES, { allowed: [], denied: [] })).toBe(ROUTES);
    expect(servedFallback(handle, { allowed: [], denied: [] })).toBe(handle);
  });

  test('a denied group is a 404, in the old spelling and the new, and denied wins over allowed', async () => {
    for (const rule of [http('state'), http('state', 'v1')]) {
      expect(await statuses({ allowed: [], denied: [rule] })).not.toContain('v1.0/state/:store/:key');
      expect(await statuses({ allowed: [rule], denied: [rule] })).not.toContain('v1.0/state/:store/:key');
    }
  });

  test('with an allowed list only what it names is served, health always', async () => {
    expect(await statuses({ allowed: [http('secrets')], denied: [] })).toEqual(['v1.0/healthz', 'v1.0/secrets/:store/:key']);
  });

  test('versions are told apart', async () => {
    expect(await statuses({ allowed: [], denied: [http('publish', 'v1alpha1')] })).toContain('v1.0/publish/bulk/:p/*');
    expect(await statuses({ allowed: [], denied: [http('publish', 'v1alpha1')] })).not.toContain('v1.0-alpha1/publish/bulk/:p/*');
  });

  test('a rule is not a prefix of letters: v1.0/s covers neither state nor secrets', async () => {
    expect(await statuses({ allowed: [], denied: [http('s')] })).toHaveLength(5);
  });

  test('denied invocation takes the fallback with it', () => {
    expect(servedFallback(handle, { allowed: [], denied: [http('invoke')] })).toBeUndefined();
    expect(servedFallback(handle, { allowed: [http('state')], denied: [] })).toBeUndefined();
  });

  test('gRPC methods go by their groups, those of other services stay', () => {
    const methods = ['/dapr.proto.runtime.v1.Dapr/GetState', '/dapr.proto.runtime.v1.Dapr/GetSecret', '/x.Y/Z'].map((path) => ({ path }) as GrpcMethod);
    const served = servedMethods(methods, { allowed: [{ name: 'secrets', version: 'v1', protocol: 'grpc' }], denied: [] });
    expect(served.map(({ path }) => path)).toEqual(['/dapr.proto.runtime.v1.Dapr/GetSecret', '/x.Y/Z']);
    expect(servedMethods(methods, { allowed: [], denied: [{ name: 'state', version: 'v1', protocol: 'http' }] })).toHaveLength(3);
  });
});
