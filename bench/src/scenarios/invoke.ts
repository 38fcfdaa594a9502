/** Service invocation: caller, sidecar, sidecar, app. The bare server is the app itself, called without sidecars. */
import { Dapr } from '@mecha/specs/gen/dapr.gen.ts';
import type { LoadScenario } from './scenario.ts';
import { grpcRequest, payloadText } from './state.ts';

export const invoke: LoadScenario = {
  kind: 'load',
  name: 'invoke',
  words: 'calls an app through its own sidecar and the app’s',
  backends: ['sqlite'],
  bare: true,
  protocols: ['http', 'grpc'],
  app: 'echo',
  numbers: { from: 0, count: 1, order: 'sequential' },
  ends: 'answer',
  openRate: 1000,
  request(protocol, { payloadBytes, echoAppId }) {
    const body = payloadText(payloadBytes);
    if (protocol === 'grpc') {
      const message = { method: 'echo', data: { typeUrl: '', value: Buffer.from(body) }, contentType: 'application/json', httpExtension: { verb: 3 } };
      return grpcRequest(Dapr.InvokeService.path, Dapr.InvokeService.request.encode({ id: echoAppId, message }));
    }
    return { kind: 'http', method: 'POST', path: `/v1.0/invoke/${echoAppId}/method/echo`, headers: { 'content-type': 'application/json' }, body, status: 200 };
  },
  check(answer, protocol, { payloadBytes }) {
    const body = protocol === 'grpc' ? (Dapr.InvokeService.response.decode(answer).data?.value ?? Buffer.alloc(0)) : answer;
    return Buffer.from(body).toString() === payloadText(payloadBytes) ? undefined : `the answer is not the app's (${body.length} bytes)`;
  },
};
