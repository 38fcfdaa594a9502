/**
 * The app that takes the events, in the process of the generator: publisher and subscriber share a clock. It answers at
 * once that it took the event, so what is measured is the sidecar and the broker.
 */
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { AppCallback, TopicEventResponseStatus } from '@mecha/specs/gen/appcallback.gen.ts';
import { createServer } from 'node:http';
import type { AppPlan } from './plan.ts';
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
  const subscriptions = JSON.stringify([{ pubsubname: plan.pubsub, topic: plan.topic, route: ROUTE }]);
  const server = createServer((request, response) => {
    if (request.method === 'GET' && request.url === '/dapr/subscribe') {
      response.writeHead(200, { 'content-type': 'application/json' }).end(subscriptions);
      return;
    }
    if (request.method !== 'POST' || request.url !== ROUTE) {
      request.resume();
      response.writeHead(request.url === '/healthz' ? 200 : 404).end();
      return;
    }
    let body: Buffer | undefined;
    request.on('data', (chunk: Buffer) => (body = body === undefined ? chunk : Buffer.concat([body, chunk])));
    request.on('end', () => {
      response.writeHead(200, { 'content-length': 0 }).end();
      if (body) take(body);
    });
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject).listen(plan.port, '127.0.0.1', () =>
      resolve({
        close: () =>
          new Promise((closed) => {
            server.close(() => closed());
            server.closeAllConnections();
          }),
      }),
    );
  });
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
