/**
 * What goes along with the data of a call to a binding: metadata, headers and trace on the way out, metadata as headers on the way
 * back, and how long an answer may be. The service behind the bindings is the judge of what arrives.
 */
import { status as codes } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Dapr } from '@mecha/specs/gen/dapr.gen.ts';
import { WireClient, type Answer } from '../grpc/client.ts';
import { cleanUp, component, folderWith, later, startSidecar, testApp, type Sidecar, type TestApp } from './sidecar.ts';

const BODY_BYTES_MAX = 4096;
const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const CALLED = { traceparent: `00-${TRACE_ID}-b7ad6b7169203331-01`, tracestate: 'vendor=1', baggage: 'tenant=a' };
const OWN = { traceparent: `00-${'1'.repeat(32)}-${'2'.repeat(16)}-00`, tracestate: 'own=1', baggage: 'own=1' };
/** Each is sent by the binding `api` as a query parameter, when the request has metadata of that name. */
const ECHOED = ['own', 'both', 'called', 'grpc-called', 'dapr-grpc-called'];
const document = JSON.stringify({
  openapi: '3.1.0', info: { title: 'Echo', version: '1' },
  paths: { '/echo': { get: { operationId: 'echo', parameters: ECHOED.map((name) => ({ name, in: 'query', schema: { type: 'string' } })), responses: { 200: { description: 'Anything.' } } } } },
});
const LONG = 'x'.repeat(BODY_BYTES_MAX + 1);

let service: TestApp;
let sidecar: Sidecar;
let client: WireClient;
beforeAll(async () => {
  service = await testApp(({ path }) => {
    if (path === '/long') return { body: LONG };
    if (path === '/long-at-once') return { body: LONG, headers: { 'content-length': String(JSON.stringify(LONG).length) } };
    return { status: path === '/refuse' ? 418 : 200, body: {}, headers: { 'x-answer': path.split('?')[0] ?? '' } };
  });
  await service.listen();
  const url = `http://127.0.0.1:${service.port}`;
  const resources = await folderWith({ 'all.yaml': component('api', 'bindings.openapi', { document, url }) + component('web', 'bindings.http', { url }) });
  sidecar = await startSidecar({ resources, args: ['--max-body-size', String(BODY_BYTES_MAX)], untilReady: 'all' });
  client = new WireClient(sidecar.grpcPort);
  later(async () => client.close());
});
afterAll(cleanUp);

const grpc = (name: string, operation: string, metadata: Record<string, string>, called: Record<string, string> = {}) => client.ask(Dapr.InvokeBinding, { name, operation, metadata }, called);
const http = (name: string, operation: string, metadata: Record<string, string>, called: Record<string, string> = {}) => sidecar.call('POST', `/bindings/${name}`, { operation, metadata }, called);
/** What the service has seen of the last call. */
function arrived() {
  const { path = '', headers = {} } = service.requests.at(-1) ?? {};
  return { query: Object.fromEntries(new URL(path, 'http://service').searchParams), trace: { traceparent: headers['traceparent'], tracestate: headers['tracestate'], baggage: headers['baggage'] } };
}
/** A span of this trace that is not the caller's. */
const ofTrace = (traceId: string) => expect.stringMatching(new RegExp(`^00-${traceId}-(?!b7ad6b7169203331)[0-9a-f]{16}-0[01]$`));

describe('metadata of a request', () => {
  test('over gRPC include what the call carried, under other names where these are reserved; the entries of the message win', async () => {
    await grpc('api', 'echo', { own: 'of the message', both: 'of the message' }, { both: 'of the call', called: 'of the call', 'grpc-called': 'of the call' });
    expect(arrived().query).toEqual({ own: 'of the message', both: 'of the message', called: 'of the call', 'dapr-grpc-called': 'of the call' });
  });

  test('over HTTP do not include the headers of the call', async () => {
    await http('api', 'echo', { own: 'of the body' }, { called: 'of the call' });
    expect(arrived().query).toEqual({ own: 'of the body' });
  });
});

describe.each([['http', http, 'wins over'], ['grpc', grpc, 'gives way to']] as const)('the trace of a call over %s', (_protocol, call, rule) => {
  test.each(['api', 'web'])('goes on to the service behind the binding %s, with state and baggage; where there is none, one begins', async (name) => {
    const operation = name === 'api' ? 'echo' : 'get';
    await call(name, operation, {}, CALLED);
    expect(arrived().trace).toEqual({ ...CALLED, traceparent: ofTrace(TRACE_ID) });
    await call(name, operation, {});
    expect(arrived().trace).toEqual({ traceparent: ofTrace('[0-9a-f]{32}'), tracestate: undefined, baggage: undefined });
  });

  test(`${rule} one that the metadata name`, async () => {
    await call('web', 'get', OWN, CALLED);
    expect(arrived().trace).toEqual(rule === 'wins over' ? { ...CALLED, traceparent: ofTrace(TRACE_ID) } : OWN);
  });
});

describe('an answer', () => {
  const headersOf = ({ headers }: Answer<unknown>) => [headers.get('metadata.statuscode'), headers.get('metadata.x-answer')];

  test('has its metadata in headers too, over both protocols, when the call failed as well', async () => {
    const done = await grpc('web', 'get', { path: 'echo' });
    expect([done.message?.metadata['x-answer'], ...headersOf(done)]).toEqual(['/echo', ['200'], ['/echo']]);
    const refused = await grpc('web', 'get', { path: 'refuse' });
    expect([refused.status.code, ...headersOf(refused)]).toEqual([codes.INTERNAL, ['418'], ['/refuse']]);
    for (const [path, status] of [['echo', 200], ['refuse', 500]] as const) {
      const { status: answered, headers } = await http('web', 'get', { path });
      expect([answered, headers.get('metadata.x-answer')]).toEqual([status, `/${path}`]);
    }
  });

  test.each(['long', 'long-at-once'])('that is longer than --max-body-size is refused by that name over gRPC, and comes whole over HTTP: %s', async (path) => {
    const { status } = await grpc('web', 'get', { path });
    expect([status.code, status.details]).toEqual([codes.RESOURCE_EXHAUSTED, `error invoking output binding web: its answer is longer than ${BODY_BYTES_MAX} bytes, the limit set by --max-body-size`]);
    expect((await http('web', 'get', { path })).json<string>()).toBe(LONG);
  });
});
