/**
 * Carries a gRPC call on to another place, message by message and unread: headers, messages, trailers and status of the
 * other side come back as they are. One connection per place, kept; a place that refuses is forgotten.
 */
import { Client, Metadata, connectivityState, credentials, type ClientDuplexStream, type StatusObject } from '@grpc/grpc-js';
import { binaryTraceOf } from '../telemetry/grpc-trace.ts';
import { traceparentOf } from '../telemetry/trace.ts';
import type { GrpcForward, GrpcForwardRoute, GrpcProxyCall, GrpcProxyStatus } from './grpc-face.ts';

const ROUTES_TRIED_MAX = 3;
const CONNECT_TIMEOUT_MS = 2000;
const PLACES_MAX = 256;

type Upstream = ClientDuplexStream<Buffer, Buffer>;

/** `maxBodyBytes` of one message, either way; undefined = unlimited. */
export function createGrpcForward({ maxBodyBytes }: { readonly maxBodyBytes: number | undefined }): GrpcForward {
  const clients = new Map<string, Client>();

  function clientFor(address: string): Client {
    const known = clients.get(address);
    if (known) return known;
    const [oldest] = clients.keys();
    if (clients.size >= PLACES_MAX && oldest !== undefined) forget(oldest);
    const bytesMax = maxBodyBytes ?? -1;
    const client = new Client(address, credentials.createInsecure(), {
      'grpc.max_receive_message_length': bytesMax,
      'grpc.max_send_message_length': bytesMax,
      'grpc.enable_retries': 0,
      'grpc.enable_channelz': 0,
      'grpc.enable_http_proxy': 0,
      'grpc.service_config_disable_resolution': 1,
      'grpc.use_local_subchannel_pool': 1,
    });
    clients.set(address, client);
    return client;
  }

  /** Calls under way keep their connection until they end. */
  function forget(address: string): void {
    clients.get(address)?.close();
    clients.delete(address);
  }

  async function connectedTo(route: () => Promise<GrpcForwardRoute>): Promise<{ client: Client; place: GrpcForwardRoute }> {
    for (let tried = 1; ; tried++) {
      const place = await route();
      const client = clientFor(place.address);
      try {
        await ready(client);
        return { client, place };
      } catch (error) {
        forget(place.address);
        const reason = `no connection to the other sidecar: ${error instanceof Error ? error.message : String(error)}`;
        await place.refused(reason);
        if (tried >= ROUTES_TRIED_MAX) throw new Error(reason, { cause: error });
      }
    }
  }

  return {
    async connect(route) {
      const { client, place } = await connectedTo(route);
      return {
        relay(call) {
          const upstream = client.makeBidiStreamRequest(
            call.path,
            (bytes: Buffer) => bytes,
            (bytes) => bytes,
            metadataFor(call, place),
            call.deadline === undefined ? {} : { deadline: call.deadline },
          );
          return carry(call, upstream);
        },
      };
    },
    close() {
      for (const address of clients.keys()) forget(address);
    },
  };
}

function ready(client: Client): Promise<void> {
  if (client.getChannel().getConnectivityState(true) === connectivityState.READY) return Promise.resolve();
  return new Promise((resolve, reject) => client.waitForReady(Date.now() + CONNECT_TIMEOUT_MS, (error) => (error ? reject(error) : resolve())));
}

function metadataFor(call: GrpcProxyCall, place: GrpcForwardRoute): Metadata {
  const metadata = new Metadata();
  for (const [name, value] of call.metadata) metadata.add(name, value);
  metadata.set('traceparent', traceparentOf(call.trace));
  metadata.set('grpc-trace-bin', binaryTraceOf(call.trace));
  for (const [name, value] of Object.entries(place.metadata)) metadata.set(name, value);
  return metadata;
}

/** Both directions at their own pace; the other side's status ends the call, whatever is still on its way up. */
async function carry(call: GrpcProxyCall, upstream: Upstream): Promise<GrpcProxyStatus> {
  const status = new Promise<StatusObject>((resolve) => upstream.once('status', resolve));
  upstream.once('metadata', (headers: Metadata) => call.sendHeaders(entriesOf(headers)));
  upstream.on('error', () => undefined); // The status says it too.
  const cancel = (): void => upstream.cancel();
  call.signal.addEventListener('abort', cancel, { once: true });
  sendUp(call.messages, upstream).catch(cancel);
  try {
    for await (const bytes of upstream as AsyncIterable<Buffer>) await call.send(bytes);
  } catch {
    // Either the other side failed, then its status tells; or the caller is gone, then nobody listens.
    cancel();
  } finally {
    call.signal.removeEventListener('abort', cancel);
  }
  const { code, details, metadata } = await status;
  return { code, message: details, trailers: entriesOf(metadata) };
}

async function sendUp(messages: AsyncIterable<Buffer>, upstream: Upstream): Promise<void> {
  for await (const bytes of messages) {
    if (upstream.destroyed || upstream.writableEnded) return;
    if (!upstream.write(bytes)) await drained(upstream);
  }
  upstream.end();
}

function drained(upstream: Upstream): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      upstream.off('drain', done);
      upstream.off('close', done);
      upstream.off('status', done);
      resolve();
    };
    upstream.on('drain', done).on('close', done).on('status', done);
  });
}

function entriesOf(metadata: Metadata): [string, string | Buffer][] {
  return Object.keys(metadata.getMap()).flatMap((name) => metadata.get(name).map((value) => [name, value] as [string, string | Buffer]));
}
