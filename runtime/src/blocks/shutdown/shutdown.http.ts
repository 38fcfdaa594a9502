/** The HTTP face of the shutdown block (http-api.md 18.4). */
import type { Pipeline } from '../../pipeline.ts';
import type { HttpRoute } from '../../servers/http-face.ts';
import type { ShutdownBlock } from './shutdown.ts';

export function shutdownHttp(block: ShutdownBlock, pipeline: Pipeline): HttpRoute[] {
  return [
    {
      methods: ['POST'],
      versions: ['v1.0'],
      path: '/shutdown',
      group: 'shutdown',
      async handle(request) {
        const force = request.headers['dapr-force-shutdown'] === 'true';
        await pipeline.run(request.call('shutdown.shutdown'), () => block.shutdown({ force }));
        return { status: 204 };
      },
    },
  ];
}
