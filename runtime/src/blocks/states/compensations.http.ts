/** The HTTP face of stuck compensations, `/v1.0-mecha/compensations`: lists them and takes a person's word. */
import type { Json } from '../../asl/json.ts';
import type { SagaStatus } from '../../asl/saga-record.ts';
import type { Pipeline } from '../../pipeline.ts';
import { BodyTooLarge, type HttpReply, type HttpRequest, type HttpRoute } from '../../servers/http-face.ts';
import { limitOf } from '../../servers/query-face.ts';
import type { Compensations, Word } from './compensations.ts';
import { errors } from './states-errors.ts';

const LIMIT = { most: 100, byDefault: 20 };
const STATUSES: readonly string[] = ['FAILED_TO_COMPENSATE', 'COMPENSATING', 'COMPENSATED'] satisfies readonly SagaStatus[];

export function compensationsHttp(load: () => Promise<Compensations>, pipeline: Pipeline): HttpRoute[] {
  const route = (method: string, path: string, operation: string, status: number, handle: (request: HttpRequest, compensations: Compensations) => Promise<unknown>): HttpRoute => ({
    methods: [method], versions: ['v1.0-mecha'], path: `/compensations${path}`, group: 'states',
    handle: async (request): Promise<HttpReply> => ({ status, body: JSON.stringify(await pipeline.run(request.call(`compensations.${operation}`), async () => handle(request, await load()))) }),
  });
  return [
    route('GET', '', 'list', 200, (request, compensations) => {
      const cursor = request.query.get('cursor');
      return compensations.list({ status: statusOf(request.query.get('status')), limit: limitOf(request.query, LIMIT, errors.wordInvalid), ...(cursor === null ? {} : { cursor }) });
    }),
    route('GET', '/:execution', 'get', 200, (request, compensations) => compensations.get(request.params['execution'] ?? '')),
    route('POST', '/:execution/:step/retry', 'retry', 202, async (request, compensations) => {
      const { arguments: given, ...word } = await wordOf(request);
      return { applied: await compensations.retry({ ...word, ...(given === undefined ? {} : { arguments: given }) }) };
    }),
    route('POST', '/:execution/:step/skip', 'skip', 202, async (request, compensations) => {
      const { reason, ...word } = await wordOf(request);
      return { applied: await compensations.skip({ ...word, ...(reason === undefined ? {} : { reason }) }) };
    }),
  ];
}

function statusOf(text: string | null): SagaStatus {
  if (text === null) return 'FAILED_TO_COMPENSATE';
  if (!STATUSES.includes(text)) throw errors.wordInvalid(`status is one of ${STATUSES.join(', ')}`);
  return text as SagaStatus;
}

/** The body may be left out. */
async function wordOf(request: HttpRequest): Promise<Word & { readonly reason?: string; readonly arguments?: Json }> {
  const { execution = '', step: stepText = '' } = request.params;
  const step = Number(stepText);
  if (!Number.isInteger(step) || step < 1) throw errors.stepNotFound(execution, stepText);
  const { attempts, reason, arguments: given } = await bodyOf(request);
  if (attempts !== undefined && !(typeof attempts === 'number' && Number.isInteger(attempts) && attempts >= 0)) throw errors.wordInvalid('attempts is a whole number');
  if (reason !== undefined && typeof reason !== 'string') throw errors.wordInvalid('reason is a text');
  return { execution, step, ...(attempts === undefined ? {} : { attempts }), ...(reason === undefined ? {} : { reason }), ...(given === undefined ? {} : { arguments: given }) };
}

async function bodyOf(request: HttpRequest): Promise<Readonly<Record<string, Json>>> {
  try {
    const body = await request.body();
    const value = body.length === 0 ? {} : (JSON.parse(body.toString('utf8')) as Json);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw errors.wordInvalid('the body is no JSON object');
    return value as Readonly<Record<string, Json>>;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof BodyTooLarge) throw errors.wordInvalid(error.message);
    throw error;
  }
}
