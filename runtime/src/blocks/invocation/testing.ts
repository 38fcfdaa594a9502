/** For tests: hosts with sidecars as far as invocation goes, real apps behind them, and a client that sends what it is told. */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, request as httpRequest, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { AppChannel, AppPresence } from '../../channel/channel.ts';
import { createExternalHttp } from '../../channel/external-http.ts';
import { createHttpChannel } from '../../channel/http-channel.ts';
import { systemClock } from '../../clock.ts';
import { createPeerLink, type PeerLink } from '../../peers/peer-link.ts';
import { createSharedRegistry, type SharedRegistry } from '../../peers/testing.ts';
import { Pipeline } from '../../pipeline.ts';
import { createResilience } from '../../resilience/resilience.ts';
import { HttpServer, type HttpServerOptions } from '../../servers/http.ts';
import { createLog } from '../../telemetry/log.ts';
import { MetricsRegistry } from '../../telemetry/metrics.ts';
import { invocationHttp } from './invocation.http.ts';
import { createInvocationBlock, type InvocationBlock, type InvocationBlockParts } from './invocation.ts';

const log = createLog({ level: 'fatal', json: true, appId: 'test', version: 'test', write: () => {} });
const metrics = new MetricsRegistry({ processMetrics: false }).forApp('test');

/** What the test under way has opened. */
export const cleanUps: (() => unknown)[] = [];
export async function cleanUp(): Promise<void> {
  for (const close of cleanUps.splice(0).toReversed()) await close();
}

export async function startApp(listener: RequestListener): Promise<number> {
  const server = createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanUps.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

export interface Host {
  readonly registry: SharedRegistry;
  readonly dataDir: string;
}

export async function makeHost(): Promise<Host> {
  const dataDir = await mkdtemp(join(tmpdir(), 'mecha-test-'));
  cleanUps.push(() => rm(dataDir, { recursive: true, force: true }));
  return { registry: createSharedRegistry(), dataDir };
}

export interface TestSidecar {
  readonly url: string;
  readonly block: InvocationBlock;
  readonly link: PeerLink;
  presence: AppPresence;
  suspected: number;
}

export interface SidecarSettings {
  readonly appId: string;
  readonly appPort?: number | undefined;
  readonly channel?: AppChannel;
  readonly appApiToken?: string;
  readonly server?: Partial<HttpServerOptions>;
  readonly parts?: Partial<InvocationBlockParts>;
}

/** A whole sidecar as far as invocation goes, in a "process" of its own. */
export async function startSidecar(host: Host, settings: SidecarSettings): Promise<TestSidecar> {
  const { appId, appPort } = settings;
  const link = createPeerLink({ ledger: host.registry.openLedger(), dataDir: host.dataDir, log, clock: systemClock });
  await link.start();
  const channel =
    settings.channel ??
    (appPort === undefined
      ? undefined
      : createHttpChannel({
          appId,
          protocol: 'http',
          address: '127.0.0.1',
          port: appPort,
          apiToken: settings.appApiToken,
          maxConcurrency: undefined,
          responseHeaderBytesMax: 16384,
          healthPath: '/',
          asksSubscriptions: true,
          log,
        }));
  const external = createExternalHttp(() => settings.parts?.endpoints ?? []);
  const sidecar: { -readonly [K in keyof TestSidecar]?: TestSidecar[K] } & { presence: AppPresence; suspected: number } = { presence: 'up', suspected: 0, link };
  const block = createInvocationBlock({
    appId,
    namespace: 'default',
    channel,
    monitor: {
      get presence() {
        return sidecar.presence;
      },
      suspect: () => void sidecar.suspected++,
    },
    peers: link,
    external,
    endpoints: [],
    resilience: createResilience([], { appId, clock: systemClock, metrics, log }),
    clock: systemClock,
    metrics,
    ...settings.parts,
  });
  const { routes, fallback } = invocationHttp(block, new Pipeline({ log, metrics, gate: () => undefined }));
  const server = new HttpServer({
    name: 'HTTP API server',
    portFlag: '--dapr-http-port',
    addresses: ['127.0.0.1'],
    port: 0,
    routes,
    fallback,
    apiToken: undefined,
    maxBodyBytes: 1024 * 1024,
    readBufferBytes: 4096,
    allowedOrigins: '',
    apiLogging: false,
    log,
    metrics,
    ...settings.server,
  });
  await server.start();
  await link.register({ instanceId: `${appId}-1`, appId, namespace: 'default', httpPort: server.port, grpcPort: 0, receive: block.receive });
  cleanUps.push(async () => {
    await server.stop();
    await link.stop();
    await channel?.close();
    await external.close();
  });
  return Object.assign(sidecar, { block, url: `http://127.0.0.1:${server.port}` }) as TestSidecar;
}

/** Order calls, inventory is called; `listener` is inventory's app. */
export async function startPair(listener: RequestListener, settings: { order?: Partial<SidecarSettings>; inventory?: Partial<SidecarSettings> } = {}) {
  const host = await makeHost();
  const order = await startSidecar(host, { appId: 'order', ...settings.order });
  const inventory = await startSidecar(host, { appId: 'inventory', appPort: await startApp(listener), ...settings.inventory });
  return { host, order, inventory };
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface Sent {
  readonly method?: string;
  readonly headers?: Record<string, string | string[]>;
  readonly body?: string | Readable;
}

/** A client that sends the path as it is given and follows no redirect. */
export async function send(url: string, path: string, { method = 'GET', headers = {}, body }: Sent = {}): Promise<Answer> {
  const { hostname, port } = new URL(url);
  const request = httpRequest({ hostname, port, path, method, headers, agent: false });
  if (body instanceof Readable) body.pipe(request);
  else request.end(body);
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  return { status: response.statusCode ?? 0, headers: response.headers, body: await text(response) };
}

/** An app that answers with what it was sent. */
export const echo: RequestListener = (request, response) => {
  void text(request).then((body) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ method: request.method, url: request.url, headers: request.headers, body }));
  });
};
export interface Echoed {
  readonly method: string;
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly body: string;
}
export const echoed = (answer: Answer): Echoed => JSON.parse(answer.body) as Echoed;
