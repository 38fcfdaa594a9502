/** The HTTP face of the secrets block (http-api.md 9). */
import type { Pipeline } from '../../pipeline.ts';
import type { HttpRoute } from '../../servers/http-face.ts';
import type { SecretsBlock } from './secrets.ts';

export function secretsHttp(secrets: SecretsBlock, pipeline: Pipeline): HttpRoute[] {
  return [
    {
      methods: ['GET'],
      versions: ['v1.0'],
      path: '/secrets/:store/bulk',
      group: 'secrets',
      async handle(request) {
        const call = request.call('secrets.getAll');
        const all = await pipeline.run(call, () => secrets.getAll(call, { store: request.params['store'] ?? '', metadata: request.metadata }));
        return { status: 200, body: JSON.stringify(all) };
      },
    },
    {
      methods: ['GET'],
      versions: ['v1.0'],
      path: '/secrets/:store/:key',
      group: 'secrets',
      async handle(request) {
        const call = request.call('secrets.get');
        const secret = await pipeline.run(call, () =>
          secrets.get(call, { store: request.params['store'] ?? '', key: request.params['key'] ?? '', metadata: request.metadata }),
        );
        return { status: 200, body: JSON.stringify(secret) };
      },
    },
  ];
}
