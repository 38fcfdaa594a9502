/** The HTTP face of the eyes on instances, `/v1.0-mecha/workflows`. */
import type { WorkflowRow } from '@mecha/components/kit';
import { present } from '../../json/present.ts';
import type { Pipeline } from '../../pipeline.ts';
import { BodyTooLarge, type HttpReply, type HttpRequest, type HttpRoute } from '../../servers/http-face.ts';
import { instantOf, limitOf, wholeNumberOf } from '../../servers/query-face.ts';
import { WORKFLOW_STATUSES, type Instances } from './instances.ts';
import { errors } from './workflow-errors.ts';

const LIST_LIMIT = { most: 1000, byDefault: 100 };
const HISTORY_LIMIT = { most: 10_000, byDefault: 1000 };

export function instancesHttp(instances: Instances, pipeline: Pipeline): HttpRoute[] {
  const route = (method: string, path: string, operation: string, handle: (request: HttpRequest) => Promise<unknown>): HttpRoute => ({
    methods: [method], versions: ['v1.0-mecha'], path: `/workflows${path}`, group: 'workflows',
    handle: async (request): Promise<HttpReply> => ({ status: 200, body: JSON.stringify(await pipeline.run(request.call(`workflow.${operation}`), () => handle(request))) }),
  });
  return [
    route('GET', '', 'list', async ({ query }) => {
      const { instances: found, cursor } = await instances.list({
        limit: limitOf(query, LIST_LIMIT, errors.requestInvalid),
        ...present({
          statuses: statusesOf(query.get('status')), name: query.get('name') ?? undefined, idPrefix: query.get('idPrefix') ?? undefined, cursor: cursorOf(query.get('cursor')),
          createdFrom: instantOf(query, 'createdFrom', errors.requestInvalid), createdTo: instantOf(query, 'createdTo', errors.requestInvalid), attribute: attributeOf(query.get('attribute')),
        }),
      });
      return { instances: found.map(summary), ...present({ cursor }) };
    }),
    route('GET', '/:id', 'details', async (request) => {
      const found = await instances.get(idOf(request));
      const { input, output, failure, customStatus, parent, events, turn, waits } = found;
      return {
        ...summary(found),
        ...present({ input, output, failure, customStatus, parent: parent && { instanceID: parent.instanceId, app: parent.app } }),
        events, turns: turn,
        waitsFor: waits.map(({ until, instanceId, ...wait }) => ({ ...wait, ...present({ instanceID: instanceId, until: time(until) }) })),
      };
    }),
    route('GET', '/:id/history', 'history', async (request) => {
      const from = wholeNumberOf(request.query, 'from', { least: 0, most: Number.MAX_SAFE_INTEGER }, errors.requestInvalid) ?? 0;
      const { events, next } = await instances.history(idOf(request), from, limitOf(request.query, HISTORY_LIMIT, errors.requestInvalid));
      return { events: events.map(({ number, event: { id, at, ...event } }) => ({ number, at: time(at), ...(id < 0 ? {} : { id }), ...event })), ...present({ next }) };
    }),
    ...(['terminate', 'purge'] as const).map((verb) =>
      route('POST', `/:id/${verb}`, verb, async (request) => {
        const force = request.query.get('force') ?? 'false';
        if (force !== 'true' && force !== 'false') throw errors.requestInvalid('force is true or false');
        await instances[verb](idOf(request), force === 'true');
        return {};
      }),
    ),
    route('POST', '/:id/rerun', 'rerun', async (request) => {
      const { eventId, newInstanceID, input } = await bodyOf(request);
      if (typeof eventId !== 'number' || !Number.isInteger(eventId) || eventId < 0) throw errors.requestInvalid('eventId is the id of an event of its history, a whole number');
      if (newInstanceID !== undefined && typeof newInstanceID !== 'string') throw errors.requestInvalid('newInstanceID is a text');
      return { instanceID: await instances.rerun({ instanceId: idOf(request), eventId, ...present({ newInstanceId: newInstanceID, input: input === undefined ? undefined : JSON.stringify(input) }) }) };
    }),
  ];
}

function summary({ instanceId, name, version, status, createdAt, startedAt, updatedAt, completedAt, reason }: WorkflowRow): object {
  return {
    instanceID: instanceId, workflowName: name, status, createdAt: time(createdAt), lastUpdatedAt: time(updatedAt),
    ...present({ version, startedAt: time(startedAt), completedAt: time(completedAt), reason }),
  };
}

function time(ms: number): string;
function time(ms: number | undefined): string | undefined;
function time(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : new Date(ms).toISOString();
}
const idOf = ({ params }: HttpRequest): string => params['id'] ?? '';

function cursorOf(text: string | null): string | undefined {
  if (text !== null && !/^\d+\.\d+$/.test(text)) throw errors.requestInvalid('cursor is what the page before gave');
  return text ?? undefined;
}
function statusesOf(text: string | null): (typeof WORKFLOW_STATUSES)[number][] | undefined {
  return text?.split(',').map((word) => {
    const found = WORKFLOW_STATUSES.find((status) => status === word.trim().toLowerCase());
    if (!found) throw errors.requestInvalid(`status is one or more of ${WORKFLOW_STATUSES.join(', ')}, with commas`);
    return found;
  });
}
/** `machine=orders`. */
function attributeOf(text: string | null): { name: string; value: string } | undefined {
  if (text === null) return undefined;
  const at = text.indexOf('=');
  if (at < 1) throw errors.requestInvalid('attribute is a name and a value: attribute=machine=orders');
  return { name: text.slice(0, at), value: text.slice(at + 1) };
}

async function bodyOf(request: HttpRequest): Promise<Readonly<Record<string, unknown>>> {
  try {
    const value = JSON.parse((await request.body()).toString('utf8')) as unknown;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw errors.requestInvalid('the body is no JSON object');
    return value as Readonly<Record<string, unknown>>;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof BodyTooLarge) throw errors.requestInvalid(error.message);
    throw error;
  }
}
