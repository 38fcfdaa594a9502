/** The gRPC face of the shutdown block (grpc-api.md 5.12). */
import { Dapr } from '@mecha/specs/gen/dapr.gen.ts';
import type { Pipeline } from '../../pipeline.ts';
import { unary, type GrpcMethod } from '../../servers/grpc-face.ts';
import type { ShutdownBlock } from './shutdown.ts';

export function shutdownGrpc(block: ShutdownBlock, pipeline: Pipeline): GrpcMethod[] {
  return [
    unary(Dapr.Shutdown, async (request) => {
      const force = request.metadata['dapr-force-shutdown'] === 'true';
      await pipeline.run(request.call('shutdown.shutdown'), () => block.shutdown({ force }));
      return {};
    }),
  ];
}
