/**
 * The unit of measure: fastify and grpc-js answering the same requests with answers of the same size and nothing behind
 * them. It is also the app of the invocation scenario and the service of
 * the binding's, where another one passes requests on to it with undici.
 *
 *   node bare-server.ts HTTP_PORT GRPC_PORT PAYLOAD_BYTES [SERVICE_PORT]
 */
import { Server, ServerCredentials } from '@grpc/grpc-js';
import type { Codec, Init, Method } from '@mecha/specs/codec.ts';
import { AppCallback } from '@mecha/specs/gen/appcallback.gen.ts';
import { Dapr } from '@mecha/specs/gen/dapr.gen.ts';
import { fastify } from 'fastify';
import { Pool } from 'undici';

const [httpPort = 0, grpcPort = 0, payloadBytes = 1024, servicePort = 0] = process.argv.slice(2).map(Number);
const value = JSON.stringify('x'.repeat(Math.max(0, payloadBytes - 2)));
const data = Buffer.from(value);

const http = fastify({ bodyLimit: 64 * 1024 * 1024 });
http.get('/v1.0/healthz/outbound', (_request, reply) => reply.code(204).send());
http.get('/v1.0/state/:store/:key', (_request, reply) => reply.header('content-type', 'application/json').header('etag', '"1"').send(value));
http.post('/v1.0/state/:store', (_request, reply) => reply.code(204).send());
http.post('/v1.0/state/:store/transaction', (_request, reply) => reply.code(204).send());
http.post('/v1.0/publish/:pubsub/:topic', (_request, reply) => reply.code(204).send());
http.post('/v1.0/invoke/:app/method/echo', (_request, reply) => reply.header('content-type', 'application/json').send(value));
http.post('/echo', (_request, reply) => reply.header('content-type', 'application/json').send(value));
if (servicePort > 0) {
  const service = new Pool(`http://127.0.0.1:${servicePort}`, { connections: 256 });
  http.post('/v1.0/bindings/web', async (request, reply) => {
    const { data: given, metadata } = request.body as { data: unknown; metadata: { path: string } };
    const answer = await service.request({ method: 'POST', path: `/${metadata.path}`, headers: { 'content-type': 'application/json' }, body: JSON.stringify(given) });
    return reply.header('content-type', 'application/json').send(Buffer.from(await answer.body.arrayBuffer()));
  });
}
await http.listen({ host: '127.0.0.1', port: httpPort });

const grpc = new Server();
const empty = {};
const echoed = { data: { typeUrl: '', value: data }, contentType: 'application/json' };
serve('dapr', [
  answering(Dapr.GetState, { data, etag: '1' }),
  answering(Dapr.SaveState, empty),
  answering(Dapr.ExecuteStateTransaction, empty),
  answering(Dapr.PublishEvent, empty),
  answering(Dapr.InvokeService, echoed),
]);
serve('app', [answering(AppCallback.OnInvoke, echoed), answering(AppCallback.ListTopicSubscriptions, empty), answering(AppCallback.ListInputBindings, empty)]);
await new Promise<void>((resolve, reject) => {
  grpc.bindAsync(`127.0.0.1:${grpcPort}`, ServerCredentials.createInsecure(), (error) => (error ? reject(error) : resolve()));
});
process.once('SIGTERM', () => process.exit(0));

interface Answering {
  readonly method: { readonly path: string; readonly requestStream: boolean; readonly responseStream: boolean };
  readonly decode: (bytes: Buffer) => unknown;
  readonly encode: () => Buffer;
}

/** Decodes each request and encodes each answer, as any server does. */
function answering<Request, Response>(method: Method<Request, Response>, answer: Init<NoInfer<Response>>): Answering {
  const codec: Codec<Response> = method.response;
  return { method, decode: (bytes) => method.request.decode(bytes), encode: () => codec.encode(answer) };
}

function serve(prefix: string, answers: readonly Answering[]): void {
  const named = answers.map((one, index) => [`${prefix}${index}`, one] as const);
  grpc.addService(
    Object.fromEntries(
      named.map(([name, { method, decode, encode }]) => [
        name,
        { path: method.path, requestStream: false, responseStream: false, requestSerialize: (bytes: Buffer) => bytes, requestDeserialize: decode, responseSerialize: encode, responseDeserialize: (bytes: Buffer) => bytes },
      ]),
    ),
    Object.fromEntries(named.map(([name]) => [name, (_call: unknown, reply: (error: null, message: object) => void) => reply(null, empty)])),
  );
}
