/**
 * What the end-to-end tests share: real sidecar processes on free ports, small apps in the test's own process that can be
 * taken away and brought back on the same port, and folders of YAML.
 */
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { dirname, join } from 'node:path';
import { Client, credentials, Metadata, Server as GrpcServer, ServerCredentials, type sendUnaryData, type ServerUnaryCall, type ServiceError } from '@grpc/grpc-js';
import type { Init, Method } from '@mecha/specs/codec.ts';
import { freePorts, MECHA, cleanEnv, start, startMecha, temporaryFolder, until, untilStatus, type Running } from '../tools/processes.ts';

const HOST = '127.0.0.1';

/** Undone in reverse order by `cleanUp`; call that in `afterEach`. */
const leftovers: (() => Promise<unknown>)[] = [];
export function later(undo: () => Promise<unknown>): void {
  leftovers.push(undo);
}
export async function cleanUp(): Promise<void> {
  for (const undo of leftovers.splice(0).reverse()) await undo();
}

export async function folder(): Promise<string> {
  const { path, remove } = await temporaryFolder();
  later(remove);
  return path;
}

/** A folder with these files; returns its path. */
export async function folderWith(files: Readonly<Record<string, string>>): Promise<string> {
  const path = await folder();
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(path, name)), { recursive: true });
    await writeFile(join(path, name), text);
  }
  return path;
}

/** One Component document; `more` is YAML under the root. */
export function component(name: string, type: string, metadata: Readonly<Record<string, string>> = {}, more = ''): string {
  const items = Object.entries(metadata).map(([key, value]) => `    - { name: ${key}, value: ${JSON.stringify(value)} }`);
  return `apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: ${name} }
spec:
  type: ${type}
  version: v1
  metadata:${items.length === 0 ? ' []' : `\n${items.join('\n')}`}
${more}---
`;
}

export interface Sidecar {
  readonly process: Running;
  readonly appId: string;
  readonly httpPort: number;
  readonly grpcPort: number;
  readonly dataDir: string;
  /** `http://127.0.0.1:PORT/v1.0` */
  readonly base: string;
  /** Path behind `/v1.0`. */
  call(method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  /** Everything that it has written to both outputs. */
  output(): string;
}

export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
  /** The body as JSON. */
  json<T = Record<string, unknown>>(): T;
}

export interface SidecarSetup {
  readonly appId?: string;
  readonly appPort?: number;
  readonly dataDir?: string;
  readonly resources?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  readonly httpPort?: number;
  /** What to wait for; default `healthz/outbound`. */
  readonly untilReady?: 'outbound' | 'all' | 'listening' | 'nothing';
}

export async function startSidecar(setup: SidecarSetup = {}): Promise<Sidecar> {
  const [freeHttp = 0, grpcPort = 0] = await freePorts(2);
  const httpPort = setup.httpPort ?? freeHttp;
  const appId = setup.appId ?? 'app';
  const dataDir = setup.dataDir ?? (await folder());
  const process = startMecha(
    [
      'sidecar', '--app-id', appId, '--dapr-http-port', String(httpPort), '--dapr-grpc-port', String(grpcPort), '--metrics-port', '0', '--data-dir', dataDir,
      ...(setup.appPort === undefined ? [] : ['--app-port', String(setup.appPort)]),
      ...(setup.resources === undefined ? [] : ['--resources-path', setup.resources]),
      ...(setup.args ?? []),
    ],
    { ...setup.env },
  );
  later(() => process.kill('SIGKILL'));
  const written: string[] = [];
  for (const stream of [process.child.stdout, process.child.stderr]) stream?.on('data', (chunk: string) => written.push(chunk));
  const base = `http://${HOST}:${httpPort}/v1.0`;
  const sidecar: Sidecar = {
    process, appId, httpPort, grpcPort, dataDir, base,
    call: (method, path, body, headers = {}) => request(method, base + path, body, headers),
    output: () => written.join(''),
  };
  const wanted = setup.untilReady ?? 'outbound';
  if (wanted === 'outbound') await untilStatus(`${base}/healthz/outbound`, 204, process);
  if (wanted === 'all') await untilStatus(`${base}/healthz`, 204, process);
  if (wanted === 'listening') await until(`${base} answers`, async () => (await fetch(`${base}/healthz`)).status > 0, { about: process });
  return sidecar;
}

/** JSON unless `body` is text or bytes. */
export async function request(method: string, url: string, body?: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
  const isRaw = typeof body === 'string' || body instanceof Uint8Array;
  const answer = await fetch(url, {
    method,
    // What the sidecar answers is what is looked at, and not where it leads.
    redirect: 'manual',
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: isRaw ? (body as string) : JSON.stringify(body) }),
  });
  const text = await answer.text();
  return { status: answer.status, text, headers: answer.headers, json: <T>() => JSON.parse(text) as T };
}

/** `mecha <args>` to its end: code and everything that it wrote. */
export async function mecha(args: readonly string[], env: Readonly<Record<string, string>> = {}, cwd?: string): Promise<{ code: number | null; out: string; err: string }> {
  const running = start(process.execPath, [MECHA, ...args], { env: cleanEnv({ ...env }), ...(cwd === undefined ? {} : { cwd }) });
  later(() => running.kill('SIGKILL'));
  const texts = { out: '', err: '' };
  running.child.stdout?.on('data', (chunk: string) => (texts.out += chunk));
  running.child.stderr?.on('data', (chunk: string) => (texts.err += chunk));
  const [code] = (await once(running.child, 'close')) as [number | null];
  return { code, ...texts };
}

export interface AppRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
}
export type AppHandler = (request: AppRequest) => Promise<AppAnswer | undefined> | AppAnswer | undefined;
export interface AppAnswer {
  readonly status?: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface TestApp {
  readonly port: number;
  readonly requests: readonly AppRequest[];
  listen(): Promise<void>;
  /** Cuts every connection, as a killed app does. */
  close(): Promise<void>;
}

/** An app that does not listen yet. `handle` gives undefined for 404. */
export async function testApp(handle: AppHandler): Promise<TestApp> {
  const [port = 0] = await freePorts(1);
  const requests: AppRequest[] = [];
  let server: Server | undefined;
  const app: TestApp = {
    port,
    requests,
    async listen() {
      server = createServer((incoming, response) => {
        void (async () => {
          const made = { method: incoming.method ?? '', path: incoming.url ?? '', headers: incoming.headers, text: Buffer.concat(await incoming.toArray()).toString('utf8') };
          requests.push(made);
          const answer = await handle(made);
          response.writeHead(answer ? (answer.status ?? 200) : 404, { 'content-type': 'application/json', ...answer?.headers });
          response.end(answer?.body === undefined ? '' : JSON.stringify(answer.body));
        })();
      }).listen(port, HOST);
      await once(server, 'listening');
    },
    async close() {
      const closing = server;
      server = undefined;
      if (!closing) return;
      closing.closeAllConnections();
      await new Promise((resolve) => closing.close(resolve));
    },
  };
  later(() => app.close());
  return app;
}

/** What a gRPC app does when one of its methods is called. */
export type GrpcHandler<Asked, Answer> = (call: ServerUnaryCall<Asked, Init<Answer>>, reply: sendUnaryData<Init<Answer>>) => void;

/** A gRPC app that listens; returns its port. Methods that it is not given are UNIMPLEMENTED. */
export async function grpcApp(register: (serve: <Asked, Answer>(method: Method<Asked, Answer>, handle: GrpcHandler<Asked, Answer>) => void) => void): Promise<number> {
  const server = new GrpcServer();
  register(({ path, request: asked, response }, handle) =>
    void server.register(path, handle, (value) => Buffer.from(response.encode(value)), (bytes: Buffer) => asked.decode(bytes), 'unary'));
  const port = await new Promise<number>((resolve, reject) => server.bindAsync(`${HOST}:0`, ServerCredentials.createInsecure(), (error, bound) => (error ? reject(error) : resolve(bound))));
  later(async () => server.forceShutdown());
  return port;
}

type AnyMethod = { readonly path: string; readonly request: { encode(message: never): Uint8Array }; readonly response: { decode(bytes: Uint8Array): unknown } };

/** Unary gRPC calls to `address` (`host:port`, or `unix:/…`). */
export function grpcClient(address: string): { call<T>(method: AnyMethod, message: unknown, metadata?: Readonly<Record<string, string>>): Promise<T> } {
  const client = new Client(address, credentials.createInsecure());
  later(async () => client.close());
  return {
    call: <T>(method: AnyMethod, message: unknown, metadata: Readonly<Record<string, string>> = {}) =>
      new Promise<T>((resolve, reject) => {
        const sent = new Metadata();
        for (const [name, value] of Object.entries(metadata)) sent.set(name, value);
        client.makeUnaryRequest(
          method.path,
          (value: unknown) => Buffer.from(method.request.encode(value as never)),
          (bytes: Buffer) => method.response.decode(bytes) as T,
          message,
          sent,
          (error: ServiceError | null, value?: T) => (error ? reject(error) : resolve(value as T)),
        );
      }),
  };
}
