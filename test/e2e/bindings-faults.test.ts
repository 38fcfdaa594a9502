/**
 * (users 14) Every binding that reaches a backend by network, in one sidecar, each behind a gate of its own: what callers, metadata and
 * health are told while all backends are away at the start, gone later, and silent; and that all come back without a restart.
 *
 * Those that no probe can ask without a request that the app did not make (HTTP services) stay ready, and their calls tell.
 */
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { CreateQueueCommand, SQSClient } from '@aws-sdk/client-sqs';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect as connectNats } from '@nats-io/transport-node';
import { SMTPServer } from 'smtp-server';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createClient } from '@mecha/components/kafka/client.ts';
import { Dapr } from '@mecha/specs/gen/dapr.gen.ts';
import { kafkaListeners } from '../servers/kafka.ts';
import { serverAddress, startPrivateServer } from '../servers/servers.ts';
import { freePorts, until } from '../tools/processes.ts';
import { tcpGate, type TcpGate } from '../tools/tcp-gate.ts';
import { cleanUp, component, folderWith, grpcClient, later, startSidecar, type Sidecar } from './sidecar.ts';

const run = randomUUID();
const SECRET = 'not-to-be-seen';
const awsAccess = { accessKey: 'AKIATEST', secretKey: SECRET };

interface Row {
  /** Address of the real server. */
  readonly server: string;
  readonly metadata: (address: string) => Readonly<Record<string, string>>;
  readonly call: { readonly operation: string; readonly data?: unknown; readonly metadata?: Readonly<Record<string, string>> };
  /** The calls tell, and nothing else. */
  readonly unprobed?: boolean;
}
const sqlCall = { operation: 'query', metadata: { sql: 'SELECT 1' } };
const create = { operation: 'create', data: { n: 1 } };

let rows: Readonly<Record<string, Row>>;
let gates: ReadonlyMap<string, TcpGate>;
let sidecar: Sidecar;
let grpc: ReturnType<typeof grpcClient>;

/** A service that answers whatever it is asked, as GraphQL does too. */
async function httpService(): Promise<string> {
  const server = createServer((request, response) => void request.resume().on('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end('{"data":{"n":1}}')));
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  later(async () => {
    server.closeAllConnections();
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function mailServer(): Promise<string> {
  const server = new SMTPServer({ authOptional: true, disabledCommands: ['STARTTLS'], closeTimeout: 100, onData: (stream, _session, done) => void stream.resume().on('end', () => done()) });
  server.on('error', () => undefined);
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  later(() => new Promise<void>((resolve) => server.close(() => resolve())));
  return `127.0.0.1:${(server.server.address() as AddressInfo).port}`;
}

/** The bucket, the queue and the stream that must be there, on the servers themselves. */
async function prepareServers(): Promise<void> {
  const aws = { endpoint: `http://${serverAddress('moto')}`, region: 'us-east-1', credentials: { accessKeyId: awsAccess.accessKey, secretAccessKey: SECRET } };
  const [s3, sqs, nats] = [new S3Client({ ...aws, forcePathStyle: true }), new SQSClient(aws), await connectNats({ servers: serverAddress('nats') })];
  await s3.send(new CreateBucketCommand({ Bucket: `mecha-${run}` }));
  await sqs.send(new CreateQueueCommand({ QueueName: `mecha-${run}` }));
  const manager = await jetstreamManager(nats);
  await manager.streams.add({ name: run, subjects: [`${run}.>`] });
  later(async () => {
    await manager.streams.delete(run);
    await nats.close();
    s3.destroy();
    sqs.destroy();
  });
}

beforeAll(async () => {
  const [listenerPort = 0, kafkaGatePort = 0] = await freePorts(2);
  const [http, mail, kafka] = await Promise.all([httpService(), mailServer(), startPrivateServer('kafka', await kafkaListeners([{ name: 'GATED', port: listenerPort, address: `127.0.0.1:${kafkaGatePort}`, protocol: 'PLAINTEXT' }])), prepareServers()]);
  later(() => kafka.dispose());
  // A broker that makes a topic in the midst of a call takes its time for that.
  const admin = (await createClient({ brokers: [kafka.address] })).admin();
  await admin.createTopics({ topics: [{ topic: run }], waitForLeaders: true });
  await admin.disconnect();
  const document = JSON.stringify({ openapi: '3.1.0', info: { title: 'any', version: '1' }, paths: { '/': { get: { operationId: 'look', responses: { 200: { description: 'ok' } } } } } });
  rows = {
    'bindings.http': { server: http, metadata: (at) => ({ url: `http://${at}`, responseTimeout: '2s' }), call: { operation: 'get' }, unprobed: true },
    'bindings.openapi': { server: http, metadata: (at) => ({ url: `http://${at}`, document, responseTimeout: '2s', validateResponse: 'false' }), call: { operation: 'look' }, unprobed: true },
    'bindings.graphql': { server: http, metadata: (at) => ({ endpoint: `http://${at}/`, responseTimeout: '2s' }), call: { operation: 'query', metadata: { query: 'query { n }' } }, unprobed: true },
    'bindings.postgresql': { server: serverAddress('postgresql'), metadata: (at) => ({ url: `postgres://mecha:${SECRET}@${at}/postgres`, timeout: '3s' }), call: sqlCall },
    'bindings.mysql': { server: serverAddress('mysql'), metadata: (at) => ({ url: `mecha:mecha-password@tcp(${at})/mecha`, timeout: '3s' }), call: sqlCall },
    'bindings.redis': { server: serverAddress('redis'), metadata: (at) => ({ redisHost: at, readTimeout: '2s' }), call: { ...create, metadata: { key: run } } },
    'bindings.kafka': { server: `127.0.0.1:${listenerPort}`, metadata: (at) => ({ brokers: at, authType: 'none', publishTopic: run, readTimeout: '3s', dialTimeout: '3s' }), call: create },
    'bindings.rabbitmq': { server: serverAddress('rabbitmq'), metadata: (at) => ({ host: `amqp://guest:guest@${at}/?heartbeat=2`, queueName: run, deleteWhenUnused: 'true', reconnectWaitInSeconds: '500ms' }), call: create },
    'bindings.mqtt3': { server: serverAddress('mosquitto'), metadata: (at) => ({ url: `mqtt://${at}`, topic: run, consumerID: run }), call: create },
    'bindings.nats': { server: serverAddress('nats'), metadata: (at) => ({ natsURL: `nats://${at}`, subject: `${run}.a`, streamName: run }), call: create },
    'bindings.smtp': { server: mail, metadata: (at) => ({ host: '127.0.0.1', port: at.split(':')[1] ?? '', emailFrom: 'a@example.org', emailTo: 'b@example.org', subject: 'x' }), call: create },
    'bindings.aws.s3': { server: serverAddress('moto'), metadata: (at) => ({ endpoint: `http://${at}`, bucket: `mecha-${run}`, forcePathStyle: 'true', timeout: '3s', ...awsAccess }), call: { ...create, metadata: { key: 'a' } } },
    'bindings.aws.sqs': { server: serverAddress('moto'), metadata: (at) => ({ endpoint: `http://${at}`, queueName: `mecha-${run}`, timeout: '3s', ...awsAccess }), call: create },
  };
  gates = new Map(await Promise.all(Object.entries(rows).map(async ([type, { server }]) => [type, await tcpGate(server, type === 'bindings.kafka' ? kafkaGatePort : 0)] as const)));
  for (const gate of gates.values()) later(() => gate.close());
  await Promise.all([...gates.values()].map((gate) => gate.shut()));
  const documents = Object.entries(rows).map(([type, { metadata }]) => component(type, type, { ...metadata(gates.get(type)?.address ?? ''), direction: 'output' }));
  sidecar = await startSidecar({ resources: await folderWith({ 'all.yaml': documents.join('') }) });
  grpc = grpcClient(`127.0.0.1:${sidecar.grpcPort}`);
});
afterAll(cleanUp);

const types = (probed?: boolean): readonly string[] => Object.entries(rows).filter(([, { unprobed = false }]) => probed === undefined || probed !== unprobed).map(([type]) => type);
const table = <T>(each: (type: string) => T): Promise<Readonly<Record<string, Awaited<T>>>> => Promise.all(types().map(async (type) => [type, await each(type)] as const)).then((cells) => Object.fromEntries(cells));
const sameFor = <T>(names: readonly string[], cell: T): Readonly<Record<string, T>> => Object.fromEntries(names.map((type) => [type, cell]));

interface Status {
  readonly name: string;
  readonly state: string;
  readonly reason?: string;
}
async function states(): Promise<ReadonlyMap<string, Status>> {
  const { components } = (await sidecar.call('GET', '/metadata')).json<{ components: Status[] }>();
  return new Map(components.map((status) => [status.name, status]));
}
const untilStates = (state: string): Promise<unknown> =>
  until(`all that are probed are ${state}`, async () => {
    const known = await states();
    return types(true).every((type) => known.get(type)?.state === state);
  }, { about: sidecar.process, withinMs: 60_000 });

/** Status and code over HTTP, then the code over gRPC; the words of both are the same, and none of them tells a secret. */
async function callOverBoth(type: string): Promise<string> {
  const { operation, data, metadata = {} } = rows[type]?.call ?? { operation: '' };
  const [http, code] = await Promise.all([
    sidecar.call('POST', `/bindings/${type}`, { operation, data, metadata }),
    grpc.call(Dapr.InvokeBinding, { name: type, operation, data: Buffer.from(JSON.stringify(data ?? null)), metadata }).then(
      () => 0,
      ({ code: refused, details }: { code: number; details: string }) => {
        expect(details).not.toContain(SECRET);
        return refused;
      },
    ),
  ]);
  expect(http.text).not.toContain(SECRET);
  const { errorCode = '', message = 'x' } = http.status >= 400 ? http.json<{ errorCode?: string; message?: string }>() : {};
  expect(message).toMatch(/\S/);
  return [http.status < 300 ? 'done' : `${http.status} ${errorCode}`, code].join(' / ');
}
const DONE = 'done / 0';
const NOT_READY = '503 ERR_COMPONENT_NOT_READY / 14';
const FAILED = '500 ERR_INVOKE_OUTPUT_BINDING / 13';
const health = async (): Promise<number> => (await sidecar.call('GET', '/healthz')).status;
const refused = () => ({ ...sameFor(types(true), NOT_READY), ...sameFor(types(false), FAILED) });
const reasons = async (): Promise<Readonly<Record<string, string>>> => {
  const known = await states();
  return Object.fromEntries(types(true).map((type) => [type, known.get(type)?.reason ?? '']));
};
const letThrough = async (): Promise<void> => {
  await Promise.all([...gates.values()].map((gate) => gate.open()));
  await untilStates('ready');
  // One that comes late because the machine stood still is no failure of the recovery.
  await until('all are done', async () => Object.values(await table(callOverBoth)).every((outcome) => outcome === DONE), { withinMs: 60_000, about: sidecar.process });
  expect(await health()).toBe(204);
};

test('a backend that is away at the start', async () => {
  await untilStates('failed');
  expect(await table(callOverBoth)).toEqual(refused());
  expect(await reasons()).toEqual(sameFor(types(true), expect.stringMatching(/ECONNREFUSED|refused|closed/i)));
  expect(await health()).toBe(500);
  await letThrough();
});

test('a backend that goes away later', async () => {
  await Promise.all([...gates.values()].map((gate) => gate.shut()));
  await untilStates('failed');
  expect(await table(callOverBoth)).toEqual(refused());
  expect(await reasons()).toEqual(sameFor(types(true), expect.stringMatching(/^its backend cannot be reached: \S/)));
  expect(await health()).toBe(500);
  await letThrough();
});

test('a backend that hangs', async () => {
  for (const gate of gates.values()) gate.freeze();
  // Under way while nobody knows yet that it hangs.
  const underWay = table(callOverBoth);
  await untilStates('failed');
  for (const [type, outcome] of Object.entries(await underWay)) expect([FAILED, NOT_READY], type).toContain(outcome);
  expect(await table(callOverBoth)).toEqual(refused());
  expect(await reasons()).toEqual(sameFor(types(true), expect.stringMatching(/^its backend cannot be reached: \S/)));
  expect(await health()).toBe(500);
  await letThrough();
  expect(sidecar.output()).not.toContain(SECRET);
});
