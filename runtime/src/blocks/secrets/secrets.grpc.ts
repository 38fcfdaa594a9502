/** The gRPC face of the secrets block (grpc-api.md 5.6). */
import { Dapr } from '@mecha/specs/gen/dapr.gen.ts';
import type { Pipeline } from '../../pipeline.ts';
import { unary, type GrpcMethod } from '../../servers/grpc-face.ts';
import type { SecretsBlock } from './secrets.ts';

export function secretsGrpc(secrets: SecretsBlock, pipeline: Pipeline): GrpcMethod[] {
  return [
    unary(Dapr.GetSecret, async (request) => {
      const call = request.call('secrets.get');
      const { storeName, key, metadata } = request.message;
      return { data: await pipeline.run(call, () => secrets.get(call, { store: storeName, key, metadata })) };
    }),

    unary(Dapr.GetBulkSecret, async (request) => {
      const call = request.call('secrets.getAll');
      const { storeName, metadata } = request.message;
      const all = await pipeline.run(call, () => secrets.getAll(call, { store: storeName, metadata }));
      return { data: Object.fromEntries(Object.entries(all).map(([key, parts]) => [key, { secrets: parts }])) };
    }),
  ];
}
