import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { createServer as createH2Server, connect as connectH2, type IncomingHttpHeaders } from 'node:http2';
import { connect as connectNet, createServer as createNetServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import type { Ledger } from '@mecha/components/kit';
import { AppAway, AppGrpcError, type AppRequest, type AppResponse } from '../channel/channel.ts';
import { systemClock } from '../clock.ts';
import { MechaError } from '../errors.ts';
import { createLog } from '../telemetry/log.ts';
import { traceFrom } from '../telemetry/trace.ts';
import { PeerNotFound, PeerUnreachable } from './peer-errors.ts';
import { createPeerLink, type PeerCaller, type PeerLink, type PeerSidecar } from './peer-link.ts';
import { grpcSocketOf, preparePeerSockets } from './peer-socket.ts';
import { createSharedRegistry, type SharedRegistry } from './testing.ts';
import { streamOf } from '../channel/testing.ts';

const never = new AbortController().signal;
const log = createLog({ level: 'fatal', json: true, appId: 'test', version: 'test', write: () => {} });
const caller: PeerCaller = { appId: 'order', namespace: 'default' };
const inventory = { appId: 'inventory', namespace: 'default' };

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
});

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'mecha-test-'));
  cleanUps.push(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A process: its own view of the registry, its own sockets. */
async function startProcess(registry: SharedRegistry, dataDir: string, ledger: Ledger = registry.openLedger()): Promise<PeerLink> {
  const link = createPeerLink({ ledger, dataDir, log, clock: systemClock });
  await link.start();
  cleanUps.push(() => link.stop());
  return link;
}

async function twoProcesses() {
  const registry = createSharedRegistry();
  const dataDir = await temporaryFolder();
  return { registry, dataDir, from: await startProcess(registry, dataDir), to: await startProcess(registry, dataDir) };
}

type Receive = PeerSidecar['receive'];
const answering = (status: number, body: string, headers: AppResponse['headers'] = {}): Receive => async () => ({ status, headers, body: Readable.from([Buffer.from(body)]) });

function sidecarOf(instanceId: string, receive: Receive, more: Partial<PeerSidecar> = {}): PeerSidecar {
  return { instanceId, ...inventory, httpPort: 3500, grpcPort: 50001, receive, ...more };
}

function requestOf(more: Partial<AppRequest> = {}): AppRequest {
  return { method: 'POST', path: 'reserve/a%2Fb', queryText: 'n=1', headers: {}, body: undefined, trace: traceFrom(undefined), ...more };
}

async function bodyOf(answer: Promise<AppResponse>): Promise<string> {
  return text(streamOf((await answer).body));
}

describe('a call between two processes', () => {
  it('carries method, path, query, headers, body and the identity that the sidecar gives', async () => {
    const { from, to } = await twoProcesses();
    let seen: { request: AppRequest; caller: PeerCaller; body: string } | undefined;
    await to.register(
      sidecarOf('i1', async (request, who) => {
        seen = { request, caller: who, body: await text(streamOf(request.body)) };
        return { status: 201, headers: { 'x-answer': 'yes', 'set-cookie': ['a=1', 'b=2'] }, body: Readable.from([Buffer.from('done')]) };
      }),
    );
    const trace = traceFrom('00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', 'vendor=1');
    const headers = { 'x-kept': 'yes', 'content-type': 'text/plain', 'mecha-peer-from': 'admin', 'dapr-caller-app-id': 'admin', 'dapr-api-token': 'secret' };
    const answer = await from.call({ appId: 'bücher', namespace: 'a b' }, inventory, requestOf({ body: Buffer.from('hello'), headers, trace }), never);
    expect(answer).toMatchObject({ status: 201, headers: { 'x-answer': 'yes', 'set-cookie': ['a=1', 'b=2'] } });
    expect(Object.keys(answer.headers).filter((name) => name.startsWith('mecha-'))).toEqual([]);
    expect(await text(streamOf(answer.body))).toBe('done');
    expect(seen?.caller).toEqual({ appId: 'bücher', namespace: 'a b' });
    expect(seen?.body).toBe('hello');
    expect(seen?.request).toMatchObject({ method: 'POST', path: 'reserve/a%2Fb', queryText: 'n=1' });
    expect(seen?.request.headers).toEqual({ 'x-kept': 'yes', 'content-type': 'text/plain', 'content-length': '5' });
    expect(seen?.request.trace).toMatchObject({ traceId: trace.traceId, sampled: true, tracestate: 'vendor=1' });
  });

  it('streams bodies in both directions', async () => {
    const { from, to } = await twoProcesses();
    await to.register(sidecarOf('i1', async (request) => ({ status: 200, headers: {}, body: streamOf(request.body) })));
    const body = new Readable({ read() {} });
    body.push('first');
    const answer = await from.call(caller, inventory, requestOf({ body }), never);
    const [chunk] = (await once(streamOf(answer.body), 'data')) as [Buffer];
    expect(chunk.toString()).toBe('first');
    body.push('second');
    body.push(null);
    expect(await text(streamOf(answer.body))).toBe('second');
  });

  it('gives status and headers before the body has begun, byte for byte', async () => {
    const { from, to } = await twoProcesses();
    await to.register(sidecarOf('i1', async () => ({ status: 200, headers: { 'content-type': 'text/event-stream', 'x-own': 'gr\u00fcn' }, body: new Readable({ read() {} }) })));
    const answer = await from.call(caller, inventory, requestOf(), never);
    expect(answer.headers).toMatchObject({ 'content-type': 'text/event-stream', 'x-own': 'gr\u00fcn' });
    streamOf(answer.body).destroy();
  });

  it('(users 36) cancels the work of the callee when the caller goes away', async () => {
    const { from, to } = await twoProcesses();
    const cancelled = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    await to.register(
      sidecarOf('i1', (_request, _caller, signal) => {
        signal.addEventListener('abort', () => cancelled.resolve());
        begun.resolve();
        return new Promise(() => {});
      }),
    );
    const abort = new AbortController();
    const call = from.call(caller, inventory, requestOf(), abort.signal);
    await begun.promise;
    abort.abort(new Error('gone'));
    await expect(call).rejects.toThrow('gone');
    await cancelled.promise;
  });

  it('breaks the body for the caller when the callee breaks it', async () => {
    const { from, to } = await twoProcesses();
    await to.register(
      sidecarOf('i1', async () => {
        const body = new Readable({ read() {} });
        body.push('half');
        setImmediate(() => body.destroy(new Error('the app died')));
        return { status: 200, headers: { 'content-length': '100' }, body };
      }),
    );
    await expect(bodyOf(from.call(caller, inventory, requestOf(), never))).rejects.toThrow();
  });

  it.each([
    ['AppAway', new AppAway('app is not in a healthy state'), { name: 'AppAway', message: 'app is not in a healthy state' }],
    ['AppGrpcError', new AppGrpcError(5, 'no such item', Buffer.from([1, 2])), { name: 'AppGrpcError', code: 5, message: 'no such item', details: Buffer.from([1, 2]) }],
    ['MechaError', new MechaError({ code: 'ERR_X', kind: 'denied', message: 'not you' }), { name: 'MechaError', code: 'ERR_X', kind: 'denied', httpStatus: 403, grpcCode: 7 }],
    ['any other', new Error('odd'), { name: 'Error', message: 'odd' }],
  ])('carries the error of the callee: %s', async (_name, error, expected) => {
    const { from, to } = await twoProcesses();
    await to.register(sidecarOf('i1', () => Promise.reject(error)));
    await expect(from.call(caller, inventory, requestOf(), never)).rejects.toMatchObject(expected);
  });

  it('takes no answer header of an app for its own', async () => {
    const { from, to } = await twoProcesses();
    await to.register(sidecarOf('i1', answering(200, 'real', { 'mecha-peer-answer': 'failure' })));
    expect(await bodyOf(from.call(caller, inventory, requestOf(), never))).toBe('real');
  });
});

describe('finding a sidecar', () => {
  it('says which app nobody serves', async () => {
    const { from } = await twoProcesses();
    await expect(from.call(caller, { appId: 'nobody', namespace: 'default' }, requestOf(), never)).rejects.toThrow(new PeerNotFound('nobody'));
  });

  it('keeps namespaces apart', async () => {
    const { from, to } = await twoProcesses();
    await to.register(sidecarOf('i1', answering(200, 'default')));
    await to.register(sidecarOf('i2', answering(200, 'prod'), { namespace: 'prod' }));
    expect(await bodyOf(from.call(caller, { appId: 'inventory', namespace: 'prod' }, requestOf(), never))).toBe('prod');
    expect(await bodyOf(from.call(caller, inventory, requestOf(), never))).toBe('default');
  });

  it('takes turns between the instances of an app', async () => {
    const { from, to } = await twoProcesses();
    for (const id of ['a', 'b', 'c']) await to.register(sidecarOf(id, answering(200, id)));
    const answers: string[] = [];
    for (let call = 0; call < 6; call++) answers.push(await bodyOf(from.call(caller, inventory, requestOf(), never)));
    expect(answers.toSorted()).toEqual(['a', 'a', 'b', 'b', 'c', 'c']);
  });

  it('calls a sidecar of its own process without a socket', async () => {
    const registry = createSharedRegistry();
    const link = await startProcess(registry, await temporaryFolder());
    await link.register(sidecarOf('i1', answering(200, 'here')));
    const [row] = registry.rows.values();
    if (row) registry.rows.set('i1', { ...row, socketPath: '/nowhere' });
    expect(await bodyOf(link.call(caller, inventory, requestOf(), never))).toBe('here');
  });

  it('finds a sidecar as soon as it is registered', async () => {
    const { from, to } = await twoProcesses();
    await expect(from.call(caller, inventory, requestOf(), never)).rejects.toBeInstanceOf(PeerNotFound);
    await to.register(sidecarOf('i1', answering(200, 'here')));
    await expect.poll(() => from.call(caller, inventory, requestOf(), never).then((answer) => answer.status, () => 0)).toBe(200);
  });

  it.each([
    ['bytes', () => Buffer.from('x')],
    ['a stream', () => Readable.from([Buffer.from('x')])],
  ])('drops the entry of a dead process at once and tries the next instance, with %s as body', async (_name, body) => {
    const { registry, from, to } = await twoProcesses();
    await to.register(sidecarOf('alive', async (request) => ({ status: 200, headers: {}, body: streamOf(request.body) })));
    const [row] = registry.rows.values();
    if (row) registry.rows.set('dead', { ...row, instanceId: 'dead', socketPath: join(dirname(row.socketPath), '1-dead.http') });
    for (let call = 0; call < 2; call++) expect(await bodyOf(from.call(caller, inventory, requestOf({ body: body() }), never))).toBe('x');
    expect([...registry.rows.keys()]).toEqual(['alive']);
  });

  it('drops an entry whose process lives but no longer has that sidecar', async () => {
    const { registry, from, to } = await twoProcesses();
    await to.register(sidecarOf('alive', answering(200, 'alive')));
    const [row] = registry.rows.values();
    if (row) registry.rows.set('gone', { ...row, instanceId: 'gone' });
    for (let call = 0; call < 2; call++) expect(await bodyOf(from.call(caller, inventory, requestOf(), never))).toBe('alive');
    expect([...registry.rows.keys()]).toEqual(['alive']);
  });

  it('tells a connection that was refused from one that broke under way', async () => {
    const { registry, from, to, dataDir } = await twoProcesses();
    await to.register(sidecarOf('i1', answering(200, '')));
    const [row] = registry.rows.values();
    if (!row) throw new Error('not registered');
    registry.rows.set('i1', { ...row, socketPath: join(dataDir, 'run', '1-dead.http') });
    await expect(from.call(caller, inventory, requestOf(), never)).rejects.toMatchObject({ name: 'PeerUnreachable', sent: false });

    const breaking = createNetServer((socket) => socket.once('data', () => socket.destroy()));
    const socketPath = join(dataDir, 'breaking.http');
    breaking.listen(socketPath);
    await once(breaking, 'listening');
    cleanUps.push(() => breaking.close());
    registry.rows.set('i2', { ...row, instanceId: 'i2', socketPath });
    const call = from.call(caller, inventory, requestOf(), never);
    await expect(call).rejects.toBeInstanceOf(PeerUnreachable);
    await expect(call).rejects.toMatchObject({ sent: true });
    expect(registry.rows.has('i2')).toBe(true);
  });
});

describe('draining', () => {
  it('leaves the registry first and waits for calls under way', async () => {
    const { registry, from, to } = await twoProcesses();
    const body = new Readable({ read() {} });
    await to.register(sidecarOf('i1', async () => ({ status: 200, headers: {}, body })));
    const answer = await from.call(caller, inventory, requestOf(), never);
    let drained = false;
    const draining = to.drain(never).then(() => (drained = true));
    await expect.poll(() => registry.rows.size).toBe(0);
    expect(drained).toBe(false);
    body.push('last words');
    body.push(null);
    expect(await text(streamOf(answer.body))).toBe('last words');
    await draining;
  });
});

describe('wake-ups', () => {
  it('reach the other processes with everything that was touched, and not the own one', async () => {
    const registry = createSharedRegistry();
    const dataDir = await temporaryFolder();
    const here = registry.openLedger();
    const there = registry.openLedger();
    const from = await startProcess(registry, dataDir, here);
    const to = await startProcess(registry, dataDir, there);
    await from.register(sidecarOf('i1', answering(200, '')));
    await to.register(sidecarOf('i2', answering(200, '')));
    const woken = new Set<string>();
    const enough = Promise.withResolvers<void>();
    there.woken((channels) => {
      for (const channel of channels) woken.add(channel);
      if (woken.has('topic/a') && woken.has('topic/b') && woken.has('outbox/x')) enough.resolve();
    });
    let wokenHere = false;
    here.woken((channels) => (wokenHere ||= channels.some((channel) => channel.startsWith('topic/'))));
    here.touch(['topic/a']);
    here.touch(['topic/b', 'topic/a']);
    await new Promise(setImmediate);
    here.touch(['outbox/x']);
    await enough.promise;
    expect(wokenHere).toBe(false);
  });
});

describe('the internal sockets', () => {
  it('lie in a folder that only their owner may enter', async () => {
    const { dataDir } = await twoProcesses();
    expect((await stat(join(dataDir, 'run'))).mode & 0o777).toBe(0o700);
    const open = await temporaryFolder();
    await mkdir(join(open, 'run'));
    await chmod(join(open, 'run'), 0o777);
    await preparePeerSockets(open);
    expect((await stat(join(open, 'run'))).mode & 0o777).toBe(0o700);
  });

  it('of dead processes are removed at start, those of living ones and other files stay', async () => {
    const { dataDir, registry } = await twoProcesses();
    const run = join(dataDir, 'run');
    const living = await readdir(run);
    const dead = createNetServer().listen(join(run, '1-abcd.http'));
    await once(dead, 'listening');
    // A plain file under such a name is what a killed process leaves behind: nobody accepts connections there.
    await writeFile(join(run, '2-abcd.grpc'), '');
    await writeFile(join(run, 'notes.txt'), '');
    dead.close();
    await startProcess(registry, dataDir);
    const after = await readdir(run);
    expect(after).toEqual(expect.arrayContaining([...living, 'notes.txt']));
    expect(after).not.toContain('2-abcd.grpc');
    expect(after).toHaveLength(living.length + 3);
  });

  it('move to a short private folder when the data folder has a long path, and calls work there', async () => {
    const registry = createSharedRegistry();
    const dataDir = join(await temporaryFolder(), 'x'.repeat(100));
    const from = await startProcess(registry, dataDir);
    const to = await startProcess(registry, dataDir);
    await to.register(sidecarOf('i1', answering(200, 'far')));
    const [row] = registry.rows.values();
    const folder = dirname(row?.socketPath ?? '');
    expect(folder.startsWith(dataDir)).toBe(false);
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    expect(await bodyOf(from.call(caller, inventory, requestOf(), never))).toBe('far');
  });
});

describe('raw gRPC between two processes', () => {
  const path = '/shop.Stock/Reserve';

  async function grpcApp(handle: (stream: import('node:http2').ServerHttp2Stream, headers: IncomingHttpHeaders) => void) {
    const app = createH2Server();
    app.on('stream', handle);
    app.listen(0, '127.0.0.1');
    await once(app, 'listening');
    cleanUps.push(() => app.close());
    return { address: '127.0.0.1', port: (app.address() as AddressInfo).port, secure: false, apiToken: 'app-token', refusal: () => undefined };
  }

  async function callThrough(link: PeerLink, headers: Record<string, string>, send: readonly Buffer[]) {
    const route = await link.grpcRoute(caller, inventory);
    const client = connectH2('http://peer', { createConnection: () => connectNet(route.address.slice('unix:'.length)) });
    cleanUps.push(() => client.destroy());
    const stream = client.request({ ':method': 'POST', 'content-type': 'application/grpc', te: 'trailers', ...headers, ...route.metadata });
    for (const message of send) stream.write(message);
    stream.end();
    const answer: { headers: IncomingHttpHeaders; trailers: IncomingHttpHeaders; body: Buffer[] } = { headers: {}, trailers: {}, body: [] };
    stream.on('response', (given) => (answer.headers = given));
    stream.on('trailers', (given) => (answer.trailers = given));
    stream.on('data', (chunk: Buffer) => answer.body.push(chunk));
    await once(stream, 'close');
    return answer;
  }

  it('passes every frame, header, trailer and status, with identity and token set by the sidecar', async () => {
    const { from, to } = await twoProcesses();
    let seen: IncomingHttpHeaders = {};
    const app = await grpcApp(async (stream, headers) => {
      seen = headers;
      stream.respond({ ':status': 200, 'content-type': 'application/grpc', 'x-first': '1' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '5', 'grpc-message': 'no such item', 'x-last': '2' }));
      for await (const chunk of stream as AsyncIterable<Buffer>) stream.write(chunk);
      stream.end();
    });
    await to.register(sidecarOf('i1', answering(200, ''), { grpcApp: app }));
    const answer = await callThrough(
      from,
      { ':path': path, 'x-mine': 'yes', 'grpc-timeout': '5S', 'dapr-app-id': 'inventory', 'dapr-caller-app-id': 'admin', 'dapr-api-token': 'stolen' },
      [Buffer.from([0, 0, 0, 0, 1, 7]), Buffer.from([0, 0, 0, 0, 1, 8])],
    );
    expect(answer.headers).toMatchObject({ ':status': 200, 'x-first': '1' });
    expect(Buffer.concat(answer.body)).toEqual(Buffer.from([0, 0, 0, 0, 1, 7, 0, 0, 0, 0, 1, 8]));
    expect(answer.trailers).toMatchObject({ 'grpc-status': '5', 'grpc-message': 'no such item', 'x-last': '2' });
    expect(seen).toMatchObject({
      ':path': path,
      te: 'trailers',
      'x-mine': 'yes',
      'grpc-timeout': '5S',
      'dapr-caller-app-id': 'order',
      'dapr-callee-app-id': 'inventory',
      'dapr-api-token': 'app-token',
    });
    expect(seen).not.toHaveProperty('dapr-app-id');
    expect(Object.keys(seen).filter((name) => name.startsWith('mecha-'))).toEqual([]);
  });

  it('passes an answer that is only a status', async () => {
    const { from, to } = await twoProcesses();
    const app = await grpcApp((stream) => stream.respond({ ':status': 200, 'grpc-status': '12', 'grpc-message': 'no' }, { endStream: true }));
    await to.register(sidecarOf('i1', answering(200, ''), { grpcApp: app }));
    const answer = await callThrough(from, { ':path': path }, []);
    expect(answer.headers).toMatchObject({ 'grpc-status': '12', 'grpc-message': 'no' });
  });

  it('(users 36) cancels the call to the app when the caller cancels', async () => {
    const { from, to } = await twoProcesses();
    const cancelled = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const app = await grpcApp((stream) => {
      stream.on('error', () => {});
      stream.on('close', () => cancelled.resolve());
      stream.respond({ ':status': 200 });
      begun.resolve();
    });
    await to.register(sidecarOf('i1', answering(200, ''), { grpcApp: app }));
    const route = await from.grpcRoute(caller, inventory);
    const client = connectH2('http://peer', { createConnection: () => connectNet(route.address.slice('unix:'.length)) });
    cleanUps.push(() => client.destroy());
    const stream = client.request({ ':method': 'POST', ':path': path, ...route.metadata });
    stream.on('error', () => {});
    await begun.promise;
    stream.close(8);
    await cancelled.promise;
  });

  it('says UNAVAILABLE when the app is not there, UNIMPLEMENTED when it takes no gRPC, INTERNAL when it is unhealthy', async () => {
    const { from, to } = await twoProcesses();
    await to.register(sidecarOf('i1', answering(200, ''), { grpcApp: { address: '127.0.0.1', port: 1, secure: false, apiToken: undefined, refusal: () => undefined } }));
    expect((await callThrough(from, { ':path': path }, [])).headers['grpc-status']).toBe('14');
    await to.register(sidecarOf('i1', answering(200, '')));
    expect((await callThrough(from, { ':path': path }, [])).headers['grpc-status']).toBe('12');
    await to.register(sidecarOf('i1', answering(200, ''), { grpcApp: { address: '127.0.0.1', port: 1, secure: false, apiToken: undefined, refusal: () => 'unhealthy' } }));
    expect((await callThrough(from, { ':path': path }, [])).headers).toMatchObject({ 'grpc-status': '13', 'grpc-message': 'unhealthy' });
  });

  it('(users 46) refuses a path that has no canonical form', async () => {
    const { from, to } = await twoProcesses();
    const app = await grpcApp((stream) => stream.respond({ ':status': 200, 'grpc-status': '0' }, { endStream: true }));
    await to.register(sidecarOf('i1', answering(200, ''), { grpcApp: app }));
    expect((await callThrough(from, { ':path': '/a%2F..%2Fb/Method' }, [])).headers['grpc-status']).toBe('3');
  });

  it('says where nobody serves the app', async () => {
    const { from } = await twoProcesses();
    await expect(from.grpcRoute(caller, inventory)).rejects.toBeInstanceOf(PeerNotFound);
  });

  it('names the HTTP/2 socket after the HTTP one', () => {
    expect(grpcSocketOf('/x/1-a.http')).toBe('/x/1-a.grpc');
  });
});
