/** State: one get, one set, one transaction of two sets. */
import { Dapr } from '@mecha/specs/gen/dapr.gen.ts';
import type { GrpcRequest, HttpRequest } from '../load/plan.ts';
import { NUMBER, withNumber } from '../load/template.ts';
import type { Protocol, Target } from '../targets/target.ts';
import { ask } from '../targets/ready.ts';
import { Problem } from '../problem.ts';
import type { LoadScenario, RequestContext } from './scenario.ts';

const BACKENDS = ['memory', 'sqlite', 'postgresql', 'redis'] as const;
const PROTOCOLS = ['http', 'grpc'] as const;
const JSON_TYPE = { 'content-type': 'application/json' };
const READ_KEYS = 1000;
const WRITTEN_KEYS = 10_000;
const BULK = 500;
const NO_CONTENT = 204;

const key = (name: string): string => `${name}-${NUMBER}`;
/** A JSON string of so many bytes, its quotes included. */
export const payloadText = (bytes: number): string => JSON.stringify('x'.repeat(Math.max(0, bytes - 2)));

export function grpcRequest(path: string, message: Buffer): GrpcRequest {
  return { kind: 'grpc', path, metadata: {}, message: message.toString('base64') };
}

export function stateGetRequest(protocol: Protocol, { store }: RequestContext): HttpRequest | GrpcRequest {
  if (protocol === 'grpc') return grpcRequest(Dapr.GetState.path, Dapr.GetState.request.encode({ storeName: store, key: key('read') }));
  return { kind: 'http', method: 'GET', path: `/v1.0/state/${store}/${key('read')}`, headers: {}, body: '', status: 200 };
}

export function stateSetRequest(protocol: Protocol, { store, payloadBytes }: RequestContext): HttpRequest | GrpcRequest {
  const value = payloadText(payloadBytes);
  if (protocol === 'grpc') return grpcRequest(Dapr.SaveState.path, Dapr.SaveState.request.encode({ storeName: store, states: [{ key: key('set'), value: Buffer.from(value) }] }));
  return { kind: 'http', method: 'POST', path: `/v1.0/state/${store}`, headers: JSON_TYPE, body: `[{"key":"${key('set')}","value":${value}}]`, status: NO_CONTENT };
}

/** Puts the keys `read-00000000` and on into the store. */
export async function fillState(target: Target, { store, payloadBytes }: RequestContext, count: number): Promise<void> {
  const value = payloadText(payloadBytes);
  for (let from = 0; from < count; from += BULK) {
    const items = Array.from({ length: Math.min(BULK, count - from) }, (_, index) => `{"key":"${withNumber(key('read'), from + index)}","value":${value}}`);
    const { status, body } = await ask(target.http, `/v1.0/state/${store}`, { method: 'POST', headers: JSON_TYPE, body: `[${items.join(',')}]` });
    if (status !== NO_CONTENT) throw new Problem(`filling the state store ${store} of ${target.variant}: status ${status} ${body.slice(0, 200)}`);
  }
}

function checkValue(answer: Buffer, protocol: Protocol, context: RequestContext): string | undefined {
  const value = protocol === 'grpc' ? Dapr.GetState.response.decode(answer).data : answer;
  return Buffer.from(value).toString() === payloadText(context.payloadBytes) ? undefined : `the value read is not the one written (${value.length} bytes)`;
}

const nothing = (answer: Buffer): string | undefined => (answer.length === 0 ? undefined : `an empty answer was expected, not ${answer.length} bytes`);

export const stateGet: LoadScenario = {
  kind: 'load',
  name: 'state-get',
  words: `reads one of ${READ_KEYS} keys`,
  backends: BACKENDS,
  bare: true,
  protocols: PROTOCOLS,
  app: 'none',
  numbers: { from: 0, count: READ_KEYS, order: 'random' },
  ends: 'answer',
  openRate: 1000,
  prepare: (target, context) => fillState(target, context, READ_KEYS),
  request: stateGetRequest,
  check: checkValue,
};

export const stateSet: LoadScenario = {
  kind: 'load',
  name: 'state-set',
  words: `writes one of ${WRITTEN_KEYS} keys`,
  backends: BACKENDS,
  bare: true,
  protocols: PROTOCOLS,
  app: 'none',
  numbers: { from: 0, count: WRITTEN_KEYS, order: 'random' },
  ends: 'answer',
  openRate: 1000,
  request: stateSetRequest,
  check: nothing,
};

export const stateTransaction: LoadScenario = {
  kind: 'load',
  name: 'state-transaction',
  words: 'writes two keys in one transaction',
  backends: BACKENDS,
  bare: true,
  protocols: PROTOCOLS,
  app: 'none',
  numbers: { from: 0, count: WRITTEN_KEYS, order: 'random' },
  ends: 'answer',
  openRate: 1000,
  request(protocol, { store, payloadBytes }) {
    const value = payloadText(payloadBytes);
    const keys = [key('first'), key('second')];
    if (protocol === 'grpc') {
      const operations = keys.map((one) => ({ operationType: 'upsert', request: { key: one, value: Buffer.from(value) } }));
      return grpcRequest(Dapr.ExecuteStateTransaction.path, Dapr.ExecuteStateTransaction.request.encode({ storeName: store, operations }));
    }
    const operations = keys.map((one) => `{"operation":"upsert","request":{"key":"${one}","value":${value}}}`);
    return { kind: 'http', method: 'POST', path: `/v1.0/state/${store}/transaction`, headers: JSON_TYPE, body: `{"operations":[${operations.join(',')}]}`, status: NO_CONTENT };
  },
  check: nothing,
};
