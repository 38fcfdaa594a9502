/** Who may call a sidecar, and where it listens. */
import { stat } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { AppCallbackHealthCheck } from '@mecha/specs/gen/appcallback.gen.ts';
import { Dapr } from '@mecha/specs/gen/dapr.gen.ts';
import { freePorts, until } from '../tools/processes.ts';
import { cleanUp, folder, folderWith, grpcClient, mecha, request, startSidecar, testApp } from './sidecar.ts';

afterEach(cleanUp);
const TOKEN = 'sesame-8d1f';

describe('the API token', () => {
  test('is asked for by every path but health, over HTTP and over gRPC, and never handed to the app', async () => {
    const app = await testApp(({ path }) => (path === '/echo' ? { body: 'here' } : undefined));
    await app.listen();
    const sidecar = await startSidecar({ appPort: app.port, untilReady: 'all', env: { DAPR_API_TOKEN: TOKEN, APP_API_TOKEN: 'for-the-app' } });
    const right = { 'dapr-api-token': TOKEN };
    for (const [method, path] of [['GET', '/metadata'], ['GET', '/state/statestore/k'], ['POST', '/shutdown'], ['GET', '/invoke/app/method/echo'], ['GET', '/no/such/path']] as const) {
      for (const headers of [{}, { 'dapr-api-token': 'wrong' }, { 'dapr-api-token': `${TOKEN}x` }]) {
        const answer = await sidecar.call(method, path, undefined, headers);
        expect([path, answer.status, answer.text.trim()]).toEqual([path, 401, 'invalid api token']);
      }
    }
    expect((await sidecar.call('GET', '/healthz')).status).toBe(204);
    expect((await sidecar.call('GET', '/healthz/outbound')).status).toBe(204);
    expect((await sidecar.call('GET', '/metadata', undefined, right)).status).toBe(200);
    expect((await sidecar.call('GET', '/invoke/app/method/echo', undefined, right)).text).toBe('"here"');
    expect(app.requests.find(({ path }) => path === '/echo')?.headers['dapr-api-token']).toBe('for-the-app');

    const grpc = grpcClient(`127.0.0.1:${sidecar.grpcPort}`);
    await expect(grpc.call(Dapr.GetMetadata, {})).rejects.toMatchObject({ code: 16 });
    await expect(grpc.call(Dapr.GetMetadata, {}, { 'dapr-api-token': 'wrong' })).rejects.toMatchObject({ code: 16 });
    await expect(grpc.call(AppCallbackHealthCheck.HealthCheck, {}, { 'dapr-app-id': 'app' }), 'a relayed call').rejects.toMatchObject({ code: 16 });
    await expect(grpc.call<{ id: string }>(Dapr.GetMetadata, {}, right)).resolves.toMatchObject({ id: 'app' });
    expect(sidecar.output()).not.toContain(TOKEN);
  });
});

describe('where it listens', () => {
  test('on loopback alone', async () => {
    const [publicPort = 0] = await freePorts(1);
    const sidecar = await startSidecar({ args: ['--dapr-public-port', String(publicPort)] });
    const other = Object.values(networkInterfaces()).flat().find((address) => address && !address.internal && address.family === 'IPv4')?.address ?? '127.0.0.2';
    for (const port of [sidecar.httpPort, sidecar.grpcPort, publicPort]) await expect(fetch(`http://${other}:${port}/v1.0/healthz`), String(port)).rejects.toThrow('fetch failed');
  });

  test('the public port serves health and metadata without a token, and nothing else', async () => {
    const [publicPort = 0] = await freePorts(1);
    const sidecar = await startSidecar({ args: ['--dapr-public-port', String(publicPort)], env: { DAPR_API_TOKEN: TOKEN } });
    const base = `http://127.0.0.1:${publicPort}/v1.0`;
    expect((await request('GET', `${base}/healthz`)).status).toBe(204);
    expect((await request('GET', `${base}/metadata`)).json()).toMatchObject({ id: sidecar.appId });
    for (const [method, path] of [['GET', '/state/statestore/k'], ['POST', '/shutdown'], ['GET', '/invoke/app/method/x'], ['GET', '/secrets/secretstore/bulk']] as const) {
      expect([path, (await request(method, base + path)).status]).toEqual([path, 404]);
    }
    expect(sidecar.process.child.exitCode).toBeNull();
  });

  test('with --unix-domain-socket both APIs are files that only the user may open, and they are gone afterwards', async () => {
    const sockets = await folder();
    const sidecar = await startSidecar({ args: ['--unix-domain-socket', sockets], untilReady: 'nothing' });
    const http = join(sockets, 'dapr-app-http.socket');
    const grpc = join(sockets, 'dapr-app-grpc.socket');
    await until('it may be called', async () => (await overSocket(http, 'GET', '/v1.0/healthz/outbound')).status === 204, { about: sidecar.process });
    expect((await overSocket(http, 'POST', '/v1.0/state/statestore', '[{"key":"k","value":7}]')).status).toBe(204);
    const stored = await grpcClient(`unix:${grpc}`).call<{ data: Uint8Array }>(Dapr.GetState, { storeName: 'statestore', key: 'k' });
    expect(Buffer.from(stored.data).toString()).toBe('7');
    await expect(fetch(`http://127.0.0.1:${sidecar.httpPort}/v1.0/healthz`)).rejects.toThrow('fetch failed');
    for (const socket of [http, grpc]) expect([socket, (await stat(socket)).mode & 0o022]).toEqual([socket, 0]);
    await sidecar.process.kill('SIGTERM');
    for (const socket of [http, grpc]) await expect(stat(socket), socket).rejects.toThrow('ENOENT');
  });

  test('a folder for sockets that is not there is named together with its flag', async () => {
    const missing = join(await folder(), 'missing');
    const { code, err } = await mecha(['sidecar', '--app-id', 'app', '--metrics-port', '0', '--data-dir', await folder(), '--unix-domain-socket', missing]);
    expect([code, err]).toEqual([1, `the HTTP API server cannot listen on ${missing}/dapr-app-http.socket: there is no such folder, or it may not be written to; choose another folder with --unix-domain-socket\n`]);
  });

  test('metrics carry the app id, and count what was called', async () => {
    const [metricsPort = 0] = await freePorts(1);
    const sidecar = await startSidecar({ appId: 'measured', args: ['--metrics-port', String(metricsPort)] });
    await sidecar.call('POST', '/state/statestore', [{ key: 'k', value: 1 }]);
    await sidecar.call('GET', '/state/statestore/k');
    const { status, text } = await request('GET', `http://127.0.0.1:${metricsPort}/metrics`);
    expect(status).toBe(200);
    const series = text.split('\n').filter((line) => line.startsWith('dapr_'));
    expect(series.length).toBeGreaterThan(5);
    expect(series.filter((line) => !line.includes('app_id="measured"'))).toEqual([]);
    expect(series.find((line) => line.startsWith('dapr_http_server_request_count{') && line.includes('path="/v1.0/state/:store/:key"'))).toMatch(/ 1$/);
    const off = await startSidecar({ appId: 'unmeasured', args: ['--enable-metrics=false'] });
    expect((await off.call('GET', '/healthz')).status).toBe(204);
  });
});

test('spec.api of a Configuration closes what it denies, over both protocols', async () => {
  const path = await folderWith({
    'config.yaml': `apiVersion: dapr.io/v1alpha1
kind: Configuration
metadata: { name: config }
spec:
  api:
    denied:
      - { name: shutdown, version: v1.0, protocol: http }
      - { name: shutdown, version: v1, protocol: grpc }
`,
  });
  const sidecar = await startSidecar({ args: ['--config', join(path, 'config.yaml')] });
  expect((await sidecar.call('POST', '/shutdown')).status).toBe(404);
  await expect(grpcClient(`127.0.0.1:${sidecar.grpcPort}`).call(Dapr.Shutdown, {})).rejects.toMatchObject({ code: 12 });
  expect((await sidecar.call('GET', '/metadata')).status).toBe(200);
});

function overSocket(socketPath: string, method: string, path: string, body?: string): Promise<{ status: number }> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest({ socketPath, method, path, headers: body === undefined ? {} : { 'content-type': 'application/json' } }, (answer) => {
      answer.resume().once('end', () => resolve({ status: answer.statusCode ?? 0 }));
    });
    sent.once('error', reject).end(body);
  });
}
