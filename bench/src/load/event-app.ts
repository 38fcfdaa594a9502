/**
 * The app that takes the events, in the process of the generator: publisher and subscriber share a clock. It answers at
 * once that it took the event, so what is measured is the sidecar and the broker.
 */
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { AppCallback, TopicEventResponseStatus } from '@mecha/specs/gen/appcallback.gen.ts';
import { createServer, type Socket } from 'node:net';
import type { AppPlan } from './plan.ts';
import { RequestReader } from './request-reader.ts';
import { NUMBER_DIGITS, readNumber } from './template.ts';

const MARK = Buffer.from('number-');
const ROUTE = '/events';

/** Goes into the data of an event: `number-########`. */
export const EVENT_MARK = MARK.toString();

export interface EventApp {
  close(): Promise<void>;
}

export function startEventApp(plan: AppPlan, arrive: (number: number) => void): Promise<EventApp> {
  const take = (bytes: Buffer): void => {
    const at = bytes.indexOf(MARK);
    if (at >= 0 && bytes.length >= at + MARK.length + NUMBER_DIGITS) arrive(readNumber(bytes, at + MARK.length));
  };
  return plan.protocol === 'http' ? startHttpApp(plan, take) : startGrpcApp(plan, take);
}

function startHttpApp(plan: AppPlan, take: (bytes: Buffer) => void): Promise<EventApp> {
  const subscriptions = answer('200 OK', JSON.stringify([{ pubsubname: plan.pubsub, topic: plan.topic, route: ROUTE }]));
  const taken = answer('200 OK', '');
  const unknown = answer('404 Not Found', '');
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    const reader = new RequestReader();
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    // The sidecar hung up: what it had sent will come again.
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk) => {
      const requests = reader.push(chunk);
      if (requests === 'bad') return socket.destroy();
      for (const { method, path, body } of requests) {
        const isEvent = method === 'POST' && path === ROUTE;
        socket.write(isEvent || path === '/healthz' ? taken : method === 'GET' && path === '/dapr/subscribe' ? subscriptions : unknown);
        if (isEvent) take(body);
      }
      return undefined;
    });
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject).listen(plan.port, '127.0.0.1', () =>
      resolve({
        close: () =>
          new Promise((closed) => {
            server.close(() => closed());
            for (const socket of sockets) socket.destroy();
          }),
      }),
    );
  });
}

function answer(status: string, body: string): string {
  return `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

function startGrpcApp(plan: AppPlan, take: (bytes: Buffer) => void): Promise<EventApp> {
  const server = new Server();
  const { ListTopicSubscriptions, OnTopicEvent } = AppCallback;
  server.addService(
    {
      subscriptions: unary(ListTopicSubscriptions.path),
      event: unary(OnTopicEvent.path),
    },
    {
      subscriptions: (_call: unknown, answer: (error: null, bytes: Buffer) => void) =>
        answer(null, ListTopicSubscriptions.response.encode({ subscriptions: [{ pubsubName: plan.pubsub, topic: plan.topic, routes: { default: ROUTE } }] })),
      event: (call: { request: Buffer }, answer: (error: null, bytes: Buffer) => void) => {
        answer(null, OnTopicEvent.response.encode({ status: TopicEventResponseStatus.SUCCESS }));
        take(call.request);
      },
    },
  );
  return new Promise((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${plan.port}`, ServerCredentials.createInsecure(), (error) => {
      if (error) return reject(error);
      return resolve({
        close: () => {
          server.forceShutdown();
          return Promise.resolve();
        },
      });
    });
  });
}

/** A method whose messages stay bytes. */
function unary(path: string) {
  const same = (bytes: Buffer): Buffer => bytes;
  return { path, requestStream: false, responseStream: false, requestSerialize: same, requestDeserialize: same, responseSerialize: same, responseDeserialize: same };
}
