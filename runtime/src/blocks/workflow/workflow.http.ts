/** The HTTP face of the workflow block (http-api.md 15). The component in the path is not looked at, as in the original. */
import type { Pipeline } from '../../pipeline.ts';
import { BodyTooLarge, type HttpReply, type HttpRequest, type HttpRoute } from '../../servers/http-face.ts';
import { keptTrace } from '../../telemetry/trace.ts';
import { errors } from './workflow-errors.ts';
import type { OfInstance, WorkflowBlock } from './workflow.ts';

const VERSIONS = ['v1.0', 'v1.0-beta1', 'v1.0-alpha1'];
const ACCEPTED: HttpReply = { status: 202, body: '{}' };

export function workflowHttp(workflow: WorkflowBlock, pipeline: Pipeline): HttpRoute[] {
  const route = (method: string, path: string, handle: HttpRoute['handle']): HttpRoute => ({ methods: [method], versions: VERSIONS, path: `/workflows/:component/:id${path}`, group: 'workflows', handle });
  const steer = (verb: 'pause' | 'resume' | 'terminate' | 'purge'): HttpRoute =>
    route('POST', `/${verb}`, async (request) => {
      await pipeline.run(request.call(`workflow.${verb}`), () => workflow[verb](instanceOf(request)));
      return ACCEPTED;
    });
  return [
    // `id` is the workflow's name here.
    route('POST', '/start', async (request) => {
      const instanceID = await pipeline.run(request.call('workflow.start'), async () =>
        workflow.start({ name: request.params['id'] ?? '', instanceId: request.query.get('instanceID') ?? '', input: await bodyOf(request), appId: request.query.get('appID') ?? undefined, trace: keptTrace(request.trace) }),
      );
      return { status: 202, body: JSON.stringify({ instanceID }) };
    }),
    route('GET', '', async (request) => {
      const found = await pipeline.run(request.call('workflow.get'), async () => {
        const info = await workflow.get(instanceOf(request));
        if (!info) throw errors.notFound(request.params['id'] ?? '');
        return info;
      });
      const { instanceId, name, createdAt, updatedAt, status, properties } = found;
      return {
        status: 200,
        body: JSON.stringify({
          instanceID: instanceId,
          workflowName: name,
          createdAt: new Date(createdAt).toISOString(),
          lastUpdatedAt: new Date(updatedAt).toISOString(),
          runtimeStatus: status,
          ...(Object.keys(properties).length === 0 ? {} : { properties }),
        }),
      };
    }),
    route('POST', '/raiseEvent/:event', async (request) => {
      await pipeline.run(request.call('workflow.raiseEvent'), async () => workflow.raiseEvent({ ...instanceOf(request), event: request.params['event'] ?? '', data: await bodyOf(request) }));
      return ACCEPTED;
    }),
    steer('pause'),
    steer('resume'),
    steer('terminate'),
    steer('purge'),
  ];
}

function instanceOf(request: HttpRequest): OfInstance {
  return { instanceId: request.params['id'] ?? '', appId: request.query.get('appID') ?? undefined };
}

/** As text, as it is; an empty body is an empty text. */
async function bodyOf(request: HttpRequest): Promise<string> {
  try {
    return (await request.body()).toString('utf8');
  } catch (error) {
    if (error instanceof BodyTooLarge) throw errors.bodyRead(error.message);
    throw error;
  }
}
