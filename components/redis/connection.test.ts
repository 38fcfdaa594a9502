import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { describe, expect, test } from 'vitest';
import { freePort } from '../../test/servers/processes.ts';
import { serverAddress, startPrivateServer } from '../../test/servers/servers.ts';
import { buildComponent, connected, createKeptLog } from '../kit/testing.ts';
import redisPubSub from './pubsub.ts';
import redisState from './state.ts';

const openssl = (args: readonly string[]) => promisify(execFile)('openssl', args);

describe('the address of a Redis', () => {
  const connectTo = (options: Record<string, unknown>) => connected(buildComponent(redisState, options));
  const [host = '', port = ''] = serverAddress('redis').split(':');

  test('may be a host with redisPort, or host:port, or both where they agree', async () => {
    for (const options of [{ redisHost: host, redisPort: Number(port) }, { redisHost: `${host}:${port}` }, { redisHost: ` ${host}:${port} `, redisPort: Number(port) }]) {
      const store = await connectTo(options);
      await store.ping?.();
      await store.close?.();
    }
  });

  test('is refused in words when it says two things', () => {
    expect(() => buildComponent(redisState, { redisHost: 'a:1', redisPort: 2 })).toThrow('redisHost names port 1 and redisPort names 2');
    expect(() => buildComponent(redisState, { redisHost: 'a:1,b:1' })).toThrow('set redisType to cluster');
    expect(() => buildComponent(redisState, { redisHost: 'redis://a' })).toThrow('is not a host or host:port');
    expect(() => buildComponent(redisState, { redisHost: ' ' })).toThrow('names no server');
    expect(() => buildComponent(redisPubSub, { redisHost: 'a', failover: true })).toThrow('sentinelMasterName');
    expect(() => buildComponent(redisPubSub, { redisHost: 'a', useEntraID: true })).toThrow('not supported');
    expect(() => buildComponent(redisPubSub, { redisHost: 'a', clientCert: 'x' })).toThrow('together');
  });

  test('where nobody listens fails the connect at once, with the reason, and connects when tried again later', async () => {
    const server = await startPrivateServer('redis');
    const component = buildComponent(redisState, { redisHost: server.address });
    try {
      await server.stop();
      await expect(connected(component)).rejects.toThrow('ECONNREFUSED');
      await server.start();
      await (await connected(component)).ping?.();
    } finally {
      await component.close?.();
      await server.dispose();
    }
  });
});

describe('signing in to Redis', () => {
  test('takes user, password and database, and a wrong password is an error without the password (users 57)', async () => {
    const server = await startPrivateServer('redis', ['--requirepass', 'owner-secret']);
    const owner = new Redis(`redis://:owner-secret@${server.address}`);
    try {
      await owner.call('ACL', 'SETUSER', 'app', 'on', '>app-secret', '~*', '+@all');
      const store = await connected(buildComponent(redisState, { redisHost: server.address, redisUsername: 'app', redisPassword: 'app-secret', redisDB: 3 }));
      await store.set({ key: 'k', value: { data: Buffer.from('1'), binary: false } });
      await owner.select(3);
      expect(await owner.hget('k', 'data')).toBe('1');
      await store.close?.();

      const log = createKeptLog();
      const wrong = buildComponent(redisState, { redisHost: server.address, redisUsername: 'app', redisPassword: 'guessed-secret' }, { log });
      const error = await connected(wrong).catch((reason: unknown) => reason);
      expect(String(error)).toContain('WRONGPASS');
      expect(`${JSON.stringify(error)} ${Object.values(error as object).join()} ${JSON.stringify(log.lines)}`).not.toContain('guessed-secret');
      const nobody = connected(buildComponent(redisState, { redisHost: server.address }));
      await expect(nobody).rejects.toThrow('NOAUTH');
    } finally {
      owner.disconnect();
      await server.dispose();
    }
  });
});

describe('sentinels', () => {
  test('are asked for the master', async () => {
    const master = await startPrivateServer('redis');
    const [host = '', port = ''] = master.address.split(':');
    const sentinel = await startPrivateServer('redis', ['--sentinel']);
    const admin = new Redis(`redis://${sentinel.address}`);
    try {
      await admin.call('SENTINEL', 'MONITOR', 'main', host, port, '1');
      const store = await connected(buildComponent(redisState, { redisHost: sentinel.address, failover: true, sentinelMasterName: 'main' }));
      await store.set({ key: 'k', value: { data: Buffer.from('1'), binary: false } });
      const direct = new Redis(`redis://${master.address}`);
      expect(await direct.hget('k', 'data')).toBe('1');
      direct.disconnect();
      await store.close?.();
    } finally {
      admin.disconnect();
      await Promise.all([sentinel.dispose(), master.dispose()]);
    }
  });
});

describe('TLS to Redis', () => {
  test('verifies the certificate unless told not to', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'mecha-redis-tls-'));
    const [certificate, key, port] = [path.join(folder, 'cert.pem'), path.join(folder, 'key.pem'), await freePort()];
    const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
    await openssl(['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-keyout', key, '-out', certificate, ...subject]);
    const files = ['--tls-cert-file', certificate, '--tls-key-file', key, '--tls-ca-cert-file', certificate];
    const server = await startPrivateServer('redis', ['--tls-port', String(port), '--tls-auth-clients', 'no', ...files]);
    const tls = { redisHost: `127.0.0.1:${port}`, enableTLS: true };
    try {
      await expect(connected(buildComponent(redisState, tls))).rejects.toThrow(/self.signed/);
      for (const trusting of [{ insecureSkipTLSVerify: true }, { caCert: await readFile(certificate, 'utf8') }]) {
        const store = await connected(buildComponent(redisState, { ...tls, ...trusting }));
        await store.ping?.();
        await store.close?.();
      }
      await expect(connected(buildComponent(redisState, { redisHost: server.address, enableTLS: true, dialTimeout: 300 }))).rejects.toThrow();
    } finally {
      await server.dispose();
      await rm(folder, { recursive: true, force: true });
    }
  });
});
