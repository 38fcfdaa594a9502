/** A sidecar's life as others see it: starting, ready, draining, ended; and what it says when it cannot begin. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { open, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, describe, expect, test } from 'vitest';
import { Dapr } from '@mecha/specs/gen/dapr.gen.ts';
import { freePorts, until, untilStatus } from '../tools/processes.ts';
import { cleanUp, component, folder, folderWith, grpcClient, later, mecha, startSidecar, testApp, type Sidecar } from './sidecar.ts';

afterEach(cleanUp);
const run = promisify(execFile);

/** A sidecar that goes on starting until `finish`: its secret store reads a pipe into which nobody has written yet. */
async function startingSidecar(): Promise<{ sidecar: Sidecar; finish: () => Promise<void> }> {
  const path = await folder();
  const pipe = join(path, 'secrets.json');
  await run('mkfifo', [pipe]);
  const store = component('vault', 'secretstores.local.file', { secretsFile: pipe }).replace('version: v1', 'version: v1\n  initTimeout: 60s');
  await writeFile(join(path, 'components.yaml'), store);
  const sidecar = await startSidecar({ resources: path, untilReady: 'listening' });
  // Opens when the store reads the pipe: the sidecar is in the midst of starting then.
  const writer = await open(pipe, 'w');
  later(() => writer.close().catch(() => undefined));
  const finish = async (): Promise<void> => {
    await writer.writeFile('{"a":"b"}');
    await writer.close();
  };
  return { sidecar, finish };
}

describe('starting', () => {
  test('while starting, calls get 503 with Retry-After, health keeps its own code, and then all is well', async () => {
    const { sidecar, finish } = await startingSidecar();
    const call = await sidecar.call('GET', '/secrets/vault/a');
    expect([call.status, call.headers.get('retry-after'), call.json()]).toEqual([503, '1', { errorCode: 'ERR_STARTING', message: 'the sidecar is starting' }]);
    const health = await sidecar.call('GET', '/healthz');
    expect(health.status).toBe(500);
    expect(health.json()).toMatchObject({ errorCode: 'ERR_HEALTH_NOT_READY', message: expect.stringContaining('runtime') });
    const outbound = await sidecar.call('GET', '/healthz/outbound');
    expect([outbound.status, outbound.json()]).toEqual([500, { errorCode: 'ERR_OUTBOUND_HEALTH_NOT_READY', message: 'dapr outbound is not ready' }]);
    await expect(grpcClient(`127.0.0.1:${sidecar.grpcPort}`).call(Dapr.GetSecret, { storeName: 'vault', key: 'a' })).rejects.toMatchObject({ code: 14, details: 'the sidecar is starting' });
    await finish();
    await untilStatus(`${sidecar.base}/healthz`, 204, sidecar.process);
    expect((await sidecar.call('GET', '/secrets/vault/a')).json()).toEqual({ a: 'b' });
  });

  test('SIGTERM while starting ends it, with 0', async () => {
    const { sidecar, finish } = await startingSidecar();
    sidecar.process.child.kill('SIGTERM');
    await until('it has stopped', () => sidecar.output().includes('msg="stopped"'), { about: sidecar.process });
    // The read of the pipe cannot be called back, and Node does not end while it goes on. It may end before it has read.
    await Promise.allSettled([finish()]);
    expect(await sidecar.process.exited, sidecar.output()).toBe(0);
    expect(sidecar.output()).not.toContain('mecha started');
  });

  test('the app may call before it listens itself; healthz waits for it and names it, until it was asked for its subscriptions', async () => {
    const asked = Promise.withResolvers<void>();
    const answered = Promise.withResolvers<void>();
    const app = await testApp(async ({ path }) => {
      if (path !== '/dapr/subscribe') return undefined;
      asked.resolve();
      await answered.promise;
      return { body: [] };
    });
    const sidecar = await startSidecar({ appPort: app.port });
    expect((await sidecar.call('POST', '/state/statestore', [{ key: 'k', value: 1 }])).status).toBe(204);
    const before = await sidecar.call('GET', '/healthz');
    expect([before.status, before.json()]).toEqual([500, { errorCode: 'ERR_HEALTH_NOT_READY', message: 'dapr is not ready: [app]' }]);
    await app.listen();
    await asked.promise;
    expect((await sidecar.call('GET', '/healthz')).status).toBe(500);
    answered.resolve();
    await untilStatus(`${sidecar.base}/healthz`, 204, sidecar.process);
    expect((await sidecar.call('GET', '/healthz?appid=other')).json()).toEqual({ errorCode: 'ERR_HEALTH_APPID_NOT_MATCH', message: 'dapr app-id does not match' });
  });

  test.each([
    ['--dapr-http-port', 'HTTP API server'],
    ['--dapr-grpc-port', 'gRPC API server'],
    ['--metrics-port', 'metrics server'],
    ['--dapr-public-port', 'public HTTP server'],
  ])('a taken port is named together with %s, which changes it', async (flag, server) => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    later(async () => void taken.close());
    const { port } = taken.address() as { port: number };
    const ports = { '--dapr-http-port': '0', '--dapr-grpc-port': '0', '--metrics-port': '0', [flag]: String(port) };
    const { code, err, out } = await mecha(['sidecar', '--app-id', 'app', '--data-dir', await folder(), ...Object.entries(ports).flat()]);
    expect(code, out).toBe(1);
    expect(err).toContain(`the ${server} cannot listen on 127.0.0.1:${port}: the port is taken by another process; choose another with ${flag}`);
    expect(err).not.toMatch(/^\s+at /m);
  });

  test('mecha sidecar --wait ends with 0 once the sidecar may be called', async () => {
    const [httpPort = 0] = await freePorts(1);
    const waiting = mecha(['sidecar', '--wait', '--dapr-http-port', String(httpPort)]);
    await startSidecar({ httpPort, untilReady: 'nothing' });
    expect((await waiting).code).toBe(0);
  });
});

describe('ending', () => {
  test('the shutdown API answers 204 and the process ends with 0; forced, with 1', async () => {
    const [orderly, forced] = await Promise.all([startSidecar(), startSidecar()]);
    expect((await orderly.call('POST', '/shutdown')).status).toBe(204);
    expect(await orderly.process.exited).toBe(0);
    expect((await forced.call('POST', '/shutdown', undefined, { 'dapr-force-shutdown': 'true' })).status).toBe(204);
    expect(await forced.process.exited).toBe(1);
  });

  test('over gRPC the same', async () => {
    const sidecar = await startSidecar();
    await grpcClient(`127.0.0.1:${sidecar.grpcPort}`).call(Dapr.Shutdown, {});
    expect(await sidecar.process.exited).toBe(0);
  });

  test('SIGTERM lets an invocation under way finish, and takes no new one', async () => {
    const entered = Promise.withResolvers<void>();
    const finish = Promise.withResolvers<void>();
    const app = await testApp(async ({ path }) => {
      if (path !== '/slow') return undefined;
      entered.resolve();
      await finish.promise;
      return { body: 'done' };
    });
    await app.listen();
    const sidecar = await startSidecar({ appPort: app.port, untilReady: 'all', args: ['--dapr-graceful-shutdown-seconds', '30'] });
    const slow = sidecar.call('GET', '/invoke/app/method/slow');
    await entered.promise;
    sidecar.process.child.kill('SIGTERM');
    await until('it says so', () => sidecar.output().includes('shutting down'), { about: sidecar.process });
    finish.resolve();
    expect((await slow).text).toBe('"done"');
    expect(await sidecar.process.exited).toBe(0);
  });

  test('what does not finish is cut at --dapr-graceful-shutdown-seconds', async () => {
    const entered = Promise.withResolvers<void>();
    const app = await testApp(async ({ path }) => {
      if (path !== '/never') return undefined;
      entered.resolve();
      return new Promise(() => undefined);
    });
    await app.listen();
    const sidecar = await startSidecar({ appPort: app.port, untilReady: 'all', args: ['--dapr-graceful-shutdown-seconds', '1'] });
    const cut = sidecar.call('GET', '/invoke/app/method/never').then(({ status }) => status, () => 'cut');
    await entered.promise;
    sidecar.process.child.kill('SIGTERM');
    expect(await sidecar.process.exited, sidecar.output()).toBe(0);
    expect(await cut).not.toBe(200);
  });

  test('a second signal ends it at once', async () => {
    const entered = Promise.withResolvers<void>();
    const app = await testApp(async ({ path }) => {
      if (path !== '/never') return undefined;
      entered.resolve();
      return new Promise(() => undefined);
    });
    await app.listen();
    const sidecar = await startSidecar({ appPort: app.port, untilReady: 'all', args: ['--dapr-graceful-shutdown-seconds', '600'] });
    void sidecar.call('GET', '/invoke/app/method/never').catch(() => undefined);
    await entered.promise;
    sidecar.process.child.kill('SIGTERM');
    await until('it says so', () => sidecar.output().includes('shutting down'), { about: sidecar.process });
    sidecar.process.child.kill('SIGTERM');
    expect(await sidecar.process.exited).toBe(143);
  });

  test('--dapr-block-shutdown-duration keeps the APIs up after events have stopped, until the app is gone', async () => {
    const events: string[] = [];
    const app = await testApp(({ path, text }) => {
      if (path === '/dapr/subscribe') return { body: [{ pubsubname: 'pubsub', topic: 'news', route: '/news' }] };
      if (path === '/news') events.push(text);
      return path === '/news' ? {} : undefined;
    });
    await app.listen();
    const sidecar = await startSidecar({ appPort: app.port, untilReady: 'all', args: ['--dapr-block-shutdown-duration', '10m'] });
    await sidecar.call('POST', '/publish/pubsub/news', { first: true });
    await until('the first event came', () => events.length === 1, { about: sidecar.process });
    sidecar.process.child.kill('SIGTERM');
    await until('intake has ended', () => sidecar.output().includes('intake has ended'), { about: sidecar.process });
    expect((await sidecar.call('POST', '/publish/pubsub/news', { second: true })).status).toBe(204);
    expect((await sidecar.call('POST', '/state/statestore', [{ key: 'k', value: 1 }])).status).toBe(204);
    await app.close();
    expect(await sidecar.process.exited).toBe(0);
    expect(events).toHaveLength(1);
  });
});

test('a data folder is made for its user alone', async () => {
  const path = join(await folderWith({}), 'new', 'data');
  await startSidecar({ dataDir: path });
  const { stdout } = await run('stat', ['-c', '%a', path]);
  expect(stdout.trim()).toBe('700');
});
