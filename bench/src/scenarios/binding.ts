/** A binding to an HTTP service. The bare server is fastify that passes each request on with an undici client, and nothing else. */
import type { LoadScenario } from './scenario.ts';
import { payloadText } from './state.ts';

export const bindingHttp: LoadScenario = {
  kind: 'load',
  name: 'binding-http',
  words: 'calls an HTTP service through bindings.http',
  backends: ['sqlite'],
  bare: true,
  protocols: ['http'],
  app: 'service',
  numbers: { from: 0, count: 1, order: 'sequential' },
  ends: 'answer',
  openRate: 1000,
  request(_protocol, { payloadBytes }) {
    const body = `{"operation":"create","metadata":{"path":"echo"},"data":${payloadText(payloadBytes)}}`;
    return { kind: 'http', method: 'POST', path: '/v1.0/bindings/web', headers: { 'content-type': 'application/json' }, body, status: 200 };
  },
  check: (answer, _protocol, { payloadBytes }) => (answer.toString() === payloadText(payloadBytes) ? undefined : `the answer is not the service's (${answer.length} bytes)`),
};
