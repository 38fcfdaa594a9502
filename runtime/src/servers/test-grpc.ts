/** For the gRPC server's tests: a server with the methods it is given, and a client that shows everything of an answer. */
import { Client, Metadata, credentials, type ServiceError, type StatusObject } from '@grpc/grpc-js';
import { Dapr } from '@mecha/specs/gen/dapr.gen.ts';
import { GetStateRequest, GetStateResponse } from '@mecha/specs/gen/state.gen.ts';
import { Status } from '@mecha/specs/gen/status.gen.ts';
import type { Init } from '@mecha/specs/codec.ts';
import { createLog } from '../telemetry/log.ts';
import { MetricsRegistry } from '../telemetry/metrics.ts';
import { unary, type GrpcMethod, type GrpcRequest } from './grpc-face.ts';
import { GrpcServer, type GrpcServerOptions } from './grpc.ts';

const log = createLog({ level: 'fatal', json: true, appId: 'test', version: '0' });

/** What the test under way has opened. */
export const toClose: (() => void | Promise<void>)[] = [];
export async function closeAll(): Promise<void> {
  for (const close of toClose.splice(0).toReversed()) await close();
}

export async function serve(methods: readonly GrpcMethod[], options: Partial<GrpcServerOptions> = {}): Promise<{ server: GrpcServer; client: Client }> {
  const server = new GrpcServer({
    name: 'gRPC API server',
    portFlag: '--dapr-grpc-port',
    addresses: ['127.0.0.1'],
    port: 0,
    methods,
    apiToken: undefined,
    maxBodyBytes: 64 * 1024,
    apiLogging: false,
    log,
    metrics: new MetricsRegistry({ processMetrics: false }).forApp('test'),
    ...options,
  });
  await server.start();
  const address = options.socketPath === undefined ? `127.0.0.1:${server.port}` : `unix:${options.socketPath}`;
  const client = new Client(address, credentials.createInsecure());
  toClose.push(() => server.stop(), () => client.close());
  return { server, client };
}

export const getState = (handle: (request: GrpcRequest<GetStateRequest>) => Init<GetStateResponse> | Promise<Init<GetStateResponse>>): GrpcMethod =>
  unary(Dapr.GetState, async (request) => handle(request));
export const echo = getState(({ message }) => ({ data: Buffer.from(message.key), etag: '1' }));

export interface Answer {
  readonly message: GetStateResponse | undefined;
  readonly status: StatusObject;
  readonly headers: Metadata;
}

export function ask(client: Client, message: Init<GetStateRequest>, metadata = new Metadata(), path: string = Dapr.GetState.path, options = {}): Promise<Answer> {
  return new Promise((resolve) => {
    let headers = new Metadata();
    let answer: GetStateResponse | undefined;
    const call = client.makeUnaryRequest(
      path,
      (value: Init<GetStateRequest>) => GetStateRequest.encode(value),
      (bytes) => GetStateResponse.decode(bytes),
      message,
      metadata,
      options,
      (_error: ServiceError | null, value?: GetStateResponse) => (answer = value),
    );
    call.on('metadata', (given: Metadata) => (headers = given));
    call.on('status', (status: StatusObject) => setImmediate(() => resolve({ message: answer, status, headers })));
  });
}

export const metadataOf = (entries: Record<string, string | Buffer>): Metadata => {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(entries)) metadata.set(name, value);
  return metadata;
};
export const detailsOf = (status: StatusObject): Status => Status.decode(status.metadata.get('grpc-status-details-bin')[0] as Buffer);
