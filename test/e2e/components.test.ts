/** Backends that are not there, and YAML that is wrong: what ends the process, what does not, and what it says. */
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { Dapr } from '@mecha/specs/gen/dapr.gen.ts';
import { startPrivateServer } from '../servers/servers.ts';
import { freePorts, until, untilStatus } from '../tools/processes.ts';
import { cleanUp, component, folder, folderWith, grpcClient, later, mecha, startSidecar, type Sidecar } from './sidecar.ts';

afterEach(cleanUp);

interface Status {
  readonly name: string;
  readonly type: string;
  readonly state: string;
  readonly reason?: string;
  readonly since: string;
}
const statusOf = async (sidecar: Sidecar, name: string): Promise<Status | undefined> =>
  (await sidecar.call('GET', '/metadata')).json<{ components: Status[] }>().components.find((status) => status.name === name);

const sidecarArgs = async (resources: string, ...more: string[]): Promise<string[]> => [
  'sidecar', '--app-id', 'app', '--dapr-http-port', '0', '--dapr-grpc-port', '0', '--metrics-port', '0', '--data-dir', await folder(), '--resources-path', resources, ...more,
];

describe('a backend out of reach', () => {
  test('does not end the process: calls to it name component and reason, the rest serves, and it becomes ready when the server comes', async () => {
    const redis = await startPrivateServer('redis');
    later(() => redis.dispose());
    await redis.stop();
    const resources = await folderWith({ 'all.yaml': component('remote', 'state.redis', { redisHost: redis.address, redisMaxRetries: '0' }) + component('local', 'state.sqlite') });
    const sidecar = await startSidecar({ resources });

    const refused = await sidecar.call('GET', '/state/remote/key');
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1']);
    const { errorCode, message } = refused.json<{ errorCode: string; message: string }>();
    expect(errorCode).toBe('ERR_COMPONENT_NOT_READY');
    expect(message).toMatch(/^component remote \(state\.redis\) is not ready: .*(refused|ECONNREFUSED)/);
    const grpc = grpcClient(`127.0.0.1:${sidecar.grpcPort}`);
    await expect(grpc.call(Dapr.GetState, { storeName: 'remote', key: 'key' })).rejects.toMatchObject({ code: 14, details: expect.stringContaining('component remote (state.redis) is not ready') });
    expect((await sidecar.call('POST', '/state/local', [{ key: 'key', value: 1 }])).status).toBe(204);
    const health = await sidecar.call('GET', '/healthz');
    expect([health.status, health.json()]).toEqual([500, { errorCode: 'ERR_HEALTH_NOT_READY', message: 'dapr is not ready: [component:remote]' }]);
    const status = await statusOf(sidecar, 'remote');
    expect(status).toMatchObject({ type: 'state.redis', state: 'failed', reason: expect.stringMatching(/refused/i) });
    expect(Date.parse(status?.since ?? ''), status?.since).toBeGreaterThan(0);
    expect(await statusOf(sidecar, 'local')).toMatchObject({ state: 'ready' });

    await redis.start();
    await untilStatus(`${sidecar.base}/healthz`, 204, sidecar.process);
    expect((await sidecar.call('POST', '/state/remote', [{ key: 'key', value: 2 }])).status).toBe(204);
    expect((await sidecar.call('GET', '/state/remote/key')).json()).toBe(2);
    expect(await statusOf(sidecar, 'remote')).toMatchObject({ state: 'ready' });
    expect(await statusOf(sidecar, 'remote')).not.toHaveProperty('reason');

    // Gone again: calls fail by name and soon, and it heals by itself.
    await redis.stop(true);
    const lost = await until('a call fails', async () => {
      const answer = await sidecar.call('GET', '/state/remote/key');
      return answer.status >= 500 && answer;
    });
    expect(lost.text).toContain('remote');
    await redis.start();
    await until('calls work again', async () => (await sidecar.call('GET', '/state/remote/key')).text === '2', { about: sidecar.process });
  });

  test('a server that takes connections and never answers counts as failed after initTimeout; the app may call meanwhile', async () => {
    const sockets = new Set<Socket>();
    const silent = createServer((socket) => void sockets.add(socket)).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    later(async () => {
      for (const socket of sockets) socket.destroy();
      silent.close();
    });
    const { port } = silent.address() as { port: number };
    const yaml = component('remote', 'state.redis', { redisHost: `127.0.0.1:${port}` }).replace('version: v1', 'version: v1\n  initTimeout: 300ms');
    const sidecar = await startSidecar({ resources: await folderWith({ 'all.yaml': yaml }) });
    expect(await statusOf(sidecar, 'remote')).toMatchObject({ state: 'failed', reason: expect.stringContaining('300 ms') });
    sidecar.process.child.kill('SIGTERM');
    expect(await sidecar.process.exited, sidecar.output()).toBe(0);
  });

  test('ends the process with words when the component is required', async () => {
    const [port = 0] = await freePorts(1);
    const yaml = component('remote', 'state.redis', { redisHost: `127.0.0.1:${port}` }).replace('{ name: remote }', '{ name: remote, annotations: { mecha.dev/required: "true" } }');
    const resources = await folderWith({ 'all.yaml': yaml });
    const { code, out } = await mecha(await sidecarArgs(resources));
    expect(code).toBe(1);
    expect(out).toMatch(/component remote \(state\.redis\) is required and cannot be reached: .*refused.*all\.yaml:1\)/i);
  });

  test('ignoreErrors is about configuration, not about reach', async () => {
    const [port = 0] = await freePorts(1);
    const ignoring = (yaml: string): string => yaml.replace('version: v1', 'version: v1\n  ignoreErrors: true');
    const resources = await folderWith({
      'all.yaml': ignoring(component('wrong', 'state.redis', { redisHost: '127.0.0.1:1', redisDB: 'many' })) + ignoring(component('remote', 'state.redis', { redisHost: `127.0.0.1:${port}` })),
    });
    const sidecar = await startSidecar({ resources });
    expect(await statusOf(sidecar, 'wrong')).toBeUndefined();
    expect(sidecar.output()).toMatch(/all\.yaml:\d+: warning: wrong: metadata name redisDB takes a whole number/);
    expect(sidecar.output()).toContain('component left out: its configuration is wrong, and ignoreErrors is set');
    expect(await statusOf(sidecar, 'remote')).toMatchObject({ state: 'failed' });
  });
});

describe('wrong YAML', () => {
  const WRONG = {
    'a.yaml': `apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: store }
spec:
  type: state.redsi
  version: v1
`,
    'b.yaml': `apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: cache }
spec:
  type: state.redis
  version: v1
  metadata:
    - name: redisPassword
      secretKeyRef: { name: redis }
---
apiVersion: dapr.io/v1alpha1
kind: Componnent
metadata: { name: other }
`,
  };

  test('all of it stands in one report with file, line and the nearest right spelling, and the process ends with 1', async () => {
    const resources = await folderWith(WRONG);
    const { code, err } = await mecha(await sidecarArgs(resources));
    expect(code).toBe(1);
    expect(err.replaceAll(`${resources}/`, '').trim().split('\n').sort()).toEqual([
      'a.yaml:5: error: unknown component type state.redsi (spec.type); did you mean state.redis?',
      'b.yaml:12: error: unknown kind Componnent (kind); did you mean Component?',
      expect.stringMatching(/^b\.yaml:\d+: error: cache: state\.redis needs metadata name redisHost /),
      expect.stringMatching(/^b\.yaml:8: error: cache: redisPassword refers to a secret, and auth\.secretStore does not say in which store/),
    ]);
  });

  test('mecha validate says the same without starting anything, with 1; right YAML gives 0', async () => {
    const wrong = await folderWith(WRONG);
    const { code, out } = await mecha(['validate', wrong]);
    expect(code).toBe(1);
    expect(out).toContain(`${wrong}/a.yaml:5: error: unknown component type state.redsi (spec.type); did you mean state.redis?`);
    expect(out).toMatch(/^4 errors$/m);
    const right = await folderWith({ 'a.yaml': component('store', 'state.sqlite') });
    expect(await mecha(['validate', right])).toEqual({ code: 0, out: '1 checked, no errors\n', err: '' });
  });

  test('an unknown metadata name warns at start, and is an error under --strict and in validate', async () => {
    const resources = await folderWith({ 'a.yaml': component('broker', 'pubsub.sqlite', { maxInflihgt: '5' }) });
    const words = 'broker: pubsub.sqlite has no metadata name maxInflihgt (spec.metadata[0]); did you mean maxInFlight?';
    const sidecar = await startSidecar({ resources });
    expect(sidecar.output()).toContain(`a.yaml:8: warning: ${words}`);
    const strict = await mecha(await sidecarArgs(resources, '--strict'));
    expect([strict.code, strict.err]).toEqual([1, expect.stringContaining(`a.yaml:8: error: ${words}`)]);
    expect((await mecha(['validate', resources])).code).toBe(1);
    expect((await mecha(['validate', '--lenient', resources])).code).toBe(0);
  });

  test('a secret that is not there names file, line, item and store', async () => {
    const yaml = `${component('vault', 'secretstores.local.env')}${component('cache', 'state.redis', { redisHost: '127.0.0.1:1' }).replace('    - { name: redisHost', '    - { name: redisPassword, secretKeyRef: { name: NOT_SET_ANYWHERE, key: NOT_SET_ANYWHERE } }\n    - { name: redisHost').replace('---', 'auth: { secretStore: vault }\n---')}`;
    const { code, err } = await mecha(await sidecarArgs(await folderWith({ 'all.yaml': yaml })));
    expect(code).toBe(1);
    expect(err).toMatch(/all\.yaml:\d+: error: cache: redisPassword: secret store vault has no value for secret NOT_SET_ANYWHERE, key NOT_SET_ANYWHERE/);
  });

  test.each([
    [['sidecar'], 'a sidecar needs --app-id'],
    [['sidecar', '--app-id', 'a', '--ap-port', '1'], 'unknown flag --ap-port; did you mean --app-port?'],
    [['sidecar', '--app-id', 'a', '--app-port', '70000'], 'flag --app-port takes a port from 0 to 65535'],
    [['sidecar', '--app-id', '../etc'], "--app-id takes a name without dots, slashes, blanks and the like, not '../etc'"],
    [['--app-id', 'a', '--log-level', 'loud'], "flag --log-level takes one of debug, info, warn, error, fatal, not 'loud'"],
    [['stat'], 'unknown command stat; did you mean state?'],
    [['validate'], 'mecha validate needs a path'],
  ])('mecha %j ends with 2 and words', async (args, words) => {
    const { code, err } = await mecha(args);
    expect([code, err]).toEqual([2, expect.stringContaining(words)]);
    expect(err).not.toMatch(/^\s+at /m);
  });
});
