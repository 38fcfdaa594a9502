/** The HTTP face of the health block (http-api.md 18); the only paths served without an API token. */
import type { Pipeline } from '../../pipeline.ts';
import type { HttpRoute } from '../../servers/http-face.ts';
import type { HealthBlock } from './health.ts';

export function healthHttp(health: HealthBlock, pipeline: Pipeline): HttpRoute[] {
  const shared = { methods: ['GET'], versions: ['v1.0'], group: 'healthz', public: true, tokenFree: true };
  return [
    {
      ...shared,
      path: '/healthz',
      async handle(request) {
        await pipeline.run(request.call('health.ready'), () => health.ready(request.query.get('appid') ?? undefined));
        return { status: 204 };
      },
    },
    {
      ...shared,
      path: '/healthz/outbound',
      async handle(request) {
        await pipeline.run(request.call('health.outbound'), () => health.outbound());
        return { status: 204 };
      },
    },
  ];
}
