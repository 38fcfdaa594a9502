/** (users 57) Planted secrets are looked for in everything that a run writes, answers and describes. */
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { Dapr } from '@mecha/specs/gen/dapr.gen.ts';
import { startPrivateServer } from '../servers/servers.ts';
import { freePorts, startMecha, until } from '../tools/processes.ts';
import { cleanUp, component, folder, folderWith, grpcClient, later, mecha, request, startSidecar, testApp } from './sidecar.ts';

afterEach(cleanUp);

/** Each in a place of its own, so that a leak says from where. */
const PLANTED = {
  password: 'planted-password-3f9a',
  user: 'user-not-secret',
  envPassword: 'planted-env-password-71cc',
  fileSecret: 'planted-file-secret-aa08',
  apiToken: 'planted-api-token-99d2',
  appToken: 'planted-app-token-05be',
  header: 'planted-header-4d77',
  key: 'planted-private-key-6e21',
} as const;
const SECRET = /planted-[\w-]+/;

function secretly(text: string, where: string): void {
  const [found] = SECRET.exec(text) ?? [];
  expect(found, `a secret in ${where}: ${text.slice(Math.max(0, text.search(SECRET) - 300), text.search(SECRET) + 100)}`).toBeUndefined();
}

describe('(users 57) secrets', () => {
  test('stay out of logs, errors, metadata and metrics, when backends cannot be reached, refuse the password, or break later', async () => {
    const guarded = await startPrivateServer('redis', ['--requirepass', 'the-right-one']);
    later(() => guarded.dispose());
    const [closed = 0, metricsPort = 0] = await freePorts(2);
    const secrets = await folderWith({ 'secrets.json': JSON.stringify({ redis: { password: PLANTED.fileSecret } }) });
    const reference = (name: string, from: string): string => `    - { name: ${name}, ${from} }\n`;
    const withItem = (yaml: string, item: string): string => yaml.replace('  metadata:\n', `  metadata:\n${item}`);
    const fromFile = withItem(component('fromfile', 'state.redis', { redisHost: guarded.address }, 'auth: { secretStore: vault }\n'), reference('redisPassword', 'secretKeyRef: { name: "redis:password", key: "redis:password" }'));
    const resources = await folderWith({
      'all.yaml':
        component('vault', 'secretstores.local.file', { secretsFile: join(secrets, 'secrets.json') }) +
        fromFile +
        component('refusing', 'state.redis', { redisHost: guarded.address, redisUsername: PLANTED.user, redisPassword: PLANTED.password }) +
        component('unreachable', 'state.redis', { redisHost: `127.0.0.1:${closed}`, redisPassword: PLANTED.password }) +
        withItem(component('fromenv', 'pubsub.redis', { redisHost: guarded.address }), reference('redisPassword', 'envRef: REDIS_PASSWORD')) +
        component('kafka', 'pubsub.kafka', { brokers: `127.0.0.1:${closed}`, authType: 'password', saslUsername: 'me', saslPassword: PLANTED.password, disableTls: 'true', consumerGroup: 'g' }) +
        component('tls', 'state.redis', { redisHost: guarded.address, enableTLS: 'true', clientCert: 'no certificate', clientKey: PLANTED.key, redisPassword: PLANTED.password }, '').replace('version: v1', 'version: v1\n  ignoreErrors: true') +
        component('allowed', 'state.redis', { redisHost: guarded.address, redisPassword: 'the-right-one' }) +
        `apiVersion: dapr.io/v1alpha1\nkind: HTTPEndpoint\nmetadata: { name: elsewhere }\nspec:\n  baseUrl: http://127.0.0.1:${closed}\n  headers: [{ name: authorization, value: ${PLANTED.header} }]\n`,
    });
    const app = await testApp(({ path }) => (path === '/fails' ? { status: 500, body: { error: 'mine' } } : {}));
    await app.listen();
    const sidecar = await startSidecar({
      resources,
      appPort: app.port,
      env: { REDIS_PASSWORD: PLANTED.envPassword, DAPR_API_TOKEN: PLANTED.apiToken, APP_API_TOKEN: PLANTED.appToken, MECHA_DEBUG: '1' },
      args: ['--log-level', 'debug', '--enable-api-logging', '--metrics-port', String(metricsPort)],
    });
    const token = { 'dapr-api-token': PLANTED.apiToken };
    const say: [string, string][] = [];
    const call = async (method: string, path: string, body?: unknown): Promise<void> => {
      const { status, text, headers } = await sidecar.call(method, path, body, token);
      say.push([`${method} ${path} (${status})`, text + JSON.stringify([...headers])]);
    };
    await call('GET', '/metadata');
    await call('GET', '/healthz');
    for (const store of ['fromfile', 'refusing', 'unreachable', 'tls', 'allowed']) {
      await call('GET', `/state/${store}/key`);
      await call('POST', `/state/${store}`, [{ key: 'k', value: 1, etag: 'wrong' }]);
    }
    for (const broker of ['fromenv', 'kafka']) await call('POST', `/publish/${broker}/topic`, { a: 1 });
    await call('GET', '/invoke/elsewhere/method/x');
    await call('GET', '/invoke/app/method/fails');
    await call('GET', '/secrets/vault/redis:passwort');
    const grpc = grpcClient(`127.0.0.1:${sidecar.grpcPort}`);
    for (const [method, message] of [[Dapr.GetMetadata, {}], [Dapr.GetState, { storeName: 'refusing', key: 'k' }], [Dapr.PublishEvent, { pubsubName: 'kafka', topic: 't', data: Buffer.from('x') }]] as const) {
      say.push([method.path, JSON.stringify(await grpc.call(method, message, token).catch((error: unknown) => ({ error: String(error), ...(error as object) })))]);
    }
    // A connection that was good and breaks.
    await guarded.stop(true);
    await call('GET', '/state/allowed/key');
    const refusals = await until('the refusals are logged', () => (sidecar.output().match(/component cannot reach its backend/g)?.length ?? 0) >= 4, { about: sidecar.process });
    expect(refusals).toBe(true);
    say.push(['metrics', (await request('GET', `http://127.0.0.1:${metricsPort}/metrics`)).text]);
    say.push(['mecha metadata', JSON.stringify(await mecha(['metadata', '--dapr-http-port', String(sidecar.httpPort)], { DAPR_API_TOKEN: PLANTED.apiToken }))]);

    // What was meant to come about did: otherwise silence would prove nothing.
    const metadata = JSON.parse(say[0]?.[1].split('[[')[0] ?? '{}') as { components: { name: string; state: string; reason?: string }[] };
    expect(Object.fromEntries(metadata.components.map(({ name, state }) => [name, state]))).toMatchObject({ vault: 'ready', fromfile: 'failed', refusing: 'failed', unreachable: 'failed', fromenv: 'failed', kafka: 'failed', allowed: 'ready' });
    expect(metadata.components.find(({ name }) => name === 'refusing')?.reason).toMatch(/WRONGPASS|NOAUTH|password|auth/i);
    sidecar.process.child.kill('SIGTERM');
    expect(await sidecar.process.exited).toBe(0);
    for (const [where, text] of say) secretly(text, where);
    secretly(sidecar.output(), 'the log');
  });

  test('stay out of what the command line says of wrong YAML and of wrong values', async () => {
    const resources = await folderWith({
      'all.yaml':
        component('kafka', 'pubsub.kafka', { brokers: 'b:1', authType: PLANTED.password, saslPassword: PLANTED.password, saslPasword: PLANTED.key }) +
        component('redis', 'state.redis', { redisHost: 'r:1', redisPassword: PLANTED.password, redisPasswrod: PLANTED.key, REDISPASSWORD: PLANTED.password, redisDB: 'x' }),
    });
    const env = { DAPR_API_TOKEN: PLANTED.apiToken, APP_API_TOKEN: PLANTED.appToken, MECHA_DEBUG: '1' };
    const started = await mecha(['sidecar', '--app-id', 'app', '--data-dir', await folder(), '--metrics-port', '0', '--resources-path', resources], env);
    const validated = await mecha(['validate', resources], env);
    expect([started.code, validated.code]).toEqual([1, 1]);
    // authType is no secret field, so its value may be told; the others may not.
    for (const { out, err } of [started, validated]) secretly((out + err).replaceAll(`'${PLANTED.password}'`, ''), 'the report');
    for (const type of ['state.redis', 'pubsub.kafka', 'secretstores.local.env']) secretly((await mecha(['components', 'describe', type, '--json-schema'], env)).out, `describe ${type}`);
  });

  test("what belongs to the sidecar is not read through a secret store, and an app's token not through another app's", async () => {
    const sidecar = await startSidecar({ env: { DAPR_API_TOKEN: PLANTED.apiToken, APP_API_TOKEN: PLANTED.appToken, MINE: 'visible' } });
    const token = { 'dapr-api-token': PLANTED.apiToken };
    const bulk = await sidecar.call('GET', '/secrets/secretstore/bulk', undefined, token);
    expect(bulk.json()).toMatchObject({ MINE: { MINE: 'visible' } });
    secretly(bulk.text, 'the bulk read');
    for (const name of ['DAPR_API_TOKEN', 'APP_API_TOKEN', 'dapr_api_token']) secretly((await sidecar.call('GET', `/secrets/secretstore/${name}`, undefined, token)).text, name);
  });

  test('a stop that comes while a password is being refused says nothing either', async () => {
    const guarded = await startPrivateServer('redis', ['--requirepass', 'the-right-one']);
    later(() => guarded.dispose());
    const resources = await folderWith({ 'all.yaml': component('store', 'state.redis', { redisHost: guarded.address, redisPassword: PLANTED.password }).replace('{ name: store }', '{ name: store, annotations: { mecha.dev/required: "true" } }') });
    const run = startMecha(['sidecar', '--app-id', 'app', '--dapr-http-port', '0', '--dapr-grpc-port', '0', '--metrics-port', '0', '--data-dir', await folder(), '--resources-path', resources, '--log-level', 'debug']);
    expect(await run.exited).toBe(1);
    expect(run.lines.join('\n')).toContain('is required and cannot be reached');
    secretly(run.lines.join('\n'), 'the log');
  });
});
