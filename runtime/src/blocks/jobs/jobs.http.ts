/**
 * The HTTP face of the jobs block (http-api.md 14), and Mecha's own routes under `v1.0-mecha`: jobs with their next tick, by pages. Loads what
 * stands behind it with the first request.
 */
import { jsonOfData } from '../../jobs/job-data.ts';
import { durationMs } from '@mecha/components/kit/schedule/schedule.ts';
import { membersOf } from '../../json/json-members.ts';
import { asObject, BadJson, parseJson, type JsonObject } from '../../json/lenient-json.ts';
import type { Pipeline } from '../../pipeline.ts';
import { BodyTooLarge, type HttpRequest, type HttpRoute } from '../../servers/http-face.ts';
import { limitOf } from '../../servers/query-face.ts';
import type { FailurePolicy, JobRequest } from './job-definition.ts';
import { errors } from './jobs-errors.ts';
import type { JobInfo, JobsBlock } from './jobs.ts';

const VERSIONS = ['v1.0', 'v1.0-alpha1'];
const OWN_VERSION = 'v1.0-mecha';
const LIMIT = { most: 1000, byDefault: 100 };
/** Deeper data is refused: others could not read it either. */
const DEPTH_MAX = 1000;

export function jobsHttp(appId: string, load: () => Promise<JobsBlock>, pipeline: Pipeline): HttpRoute[] {
  const route = (method: string, path: string, versions: readonly string[], handle: HttpRoute['handle']): HttpRoute => ({ methods: [method], versions, path: `/jobs${path}`, group: 'jobs', handle });
  const nameOf = (request: HttpRequest): string => request.params['name'] ?? '';
  return [
    route('POST', '/:name', [...VERSIONS, OWN_VERSION], async (request) => {
      await pipeline.run(request.call('jobs.schedule'), async () => (await load()).schedule(await jobOf(request, nameOf(request), appId)));
      return { status: 204 };
    }),
    route('GET', '/:name', VERSIONS, async (request) => ({ status: 200, body: jobJson(await pipeline.run(request.call('jobs.get'), async () => (await load()).get(nameOf(request)))) })),
    route('DELETE', '/:name', [...VERSIONS, OWN_VERSION], async (request) => {
      await pipeline.run(request.call('jobs.delete'), async () => (await load()).delete(nameOf(request)));
      return { status: 204 };
    }),
    route('GET', '/:name', [OWN_VERSION], async (request) => {
      const found = await pipeline.run(request.call('jobs.get'), async () => {
        const job = await (await load()).find(nameOf(request));
        if (!job) throw errors.noSuchJob(nameOf(request));
        return job;
      });
      return { status: 200, body: detailedJson(found) };
    }),
    route('GET', '', [OWN_VERSION], async (request) => {
      const prefix = request.query.get('prefix') ?? '';
      const after = request.query.get('after') ?? undefined;
      const { jobs, next } = await pipeline.run(request.call('jobs.list'), async () => (await load()).list({ prefix, limit: limitOf(request.query, LIMIT, errors.requestInvalid), ...(after === undefined ? {} : { after }) }));
      return { status: 200, body: `{"jobs":[${jobs.map(detailedJson).join(',')}]${next === undefined ? '' : `,"next":${JSON.stringify(next)}`}}` };
    }),
    route('DELETE', '', [OWN_VERSION], async (request) => {
      const prefix = request.query.get('prefix');
      const deleted = await pipeline.run(request.call('jobs.deleteByPrefix'), async () => {
        // All jobs for a word that was forgotten would be a high price.
        if (prefix === null) throw errors.prefixMissing();
        return (await load()).deleteByPrefix(prefix);
      });
      return { status: 200, body: JSON.stringify({ deleted }) };
    }),
  ];
}

/** The text of a job's members, so that what it carries keeps every digit. */
function membersOfJob({ name, schedule, repeats, dueTime, ttl, data, failurePolicy }: JobInfo): string[] {
  const members = { name, schedule, repeats, dueTime, ttl };
  return [
    ...Object.entries(members).flatMap(([key, value]) => (value === undefined ? [] : [`"${key}":${JSON.stringify(value)}`])),
    ...(data === undefined ? [] : [`"data":${jsonOfData(data)}`]),
    ...(failurePolicy === undefined ? [] : [`"failurePolicy":${JSON.stringify(policyJson(failurePolicy))}`]),
  ];
}
function jobJson(job: JobInfo): string {
  const set = { ...(job.missed === 'one' ? {} : { missed: job.missed }), ...(job.overlap === 'wait' ? {} : { overlap: job.overlap }) };
  return `{${[...membersOfJob(job), ...(Object.keys(set).length === 0 ? [] : [`"mecha":${JSON.stringify(set)}`])].join(',')}}`;
}
function detailedJson(job: JobInfo): string {
  const { missed, overlap, nextAt, ticks, attempt } = job;
  return `{${[...membersOfJob(job), `"mecha":${JSON.stringify({ missed, overlap, nextAt: new Date(nextAt).toISOString(), ticks, attempt })}`].join(',')}}`;
}

function policyJson(policy: FailurePolicy): unknown {
  if ('drop' in policy) return { drop: {} };
  return { constant: { interval: `${policy.intervalMs / 1000}s`, ...(policy.maxRetries === undefined ? {} : { maxRetries: policy.maxRetries }) } };
}

async function jobOf(request: HttpRequest, name: string, appId: string): Promise<JobRequest> {
  const text = await bodyOf(request);
  try {
    const fields = asObject(parseJson(text), 'the job');
    if (field(fields, 'name') !== undefined) throw errors.nameInBody(appId);
    const { missed, overlap } = policiesOf(fields, request);
    return {
      name,
      schedule: textField(fields, 'schedule'),
      repeats: countField(fields, 'repeats'),
      dueTime: textField(fields, 'dueTime', 'due_time'),
      ttl: textField(fields, 'ttl'),
      data: field(fields, 'data') === undefined ? undefined : { value: dataOf(text) },
      overwrite: flagField(fields, 'overwrite'),
      failurePolicy: policyOf(fields),
      missed,
      overlap,
    };
  } catch (error) {
    if (error instanceof BadJson) throw errors.malformed(error.message);
    throw error;
  }
}

async function bodyOf(request: HttpRequest): Promise<Buffer> {
  try {
    return await request.body();
  } catch (error) {
    if (error instanceof BodyTooLarge) throw errors.bodyRead(error.message);
    throw error;
  }
}

function dataOf(body: Buffer): Uint8Array {
  const text = membersOf(body.toString('utf8')).findLast(({ name }) => name === 'data')?.text ?? 'null';
  let depth = 0;
  for (let at = 0, quoted = false; at < text.length; at++) {
    const char = text[at];
    if (quoted) {
      if (char === '\\') at++;
      else if (char === '"') quoted = false;
    } else if (char === '"') quoted = true;
    else if (char === '{' || char === '[') {
      if (++depth > DEPTH_MAX) throw new BadJson(`"data" is nested deeper than ${DEPTH_MAX} levels`);
    } else if (char === '}' || char === ']') depth--;
  }
  return Buffer.from(text);
}

function policyOf(fields: JsonObject): FailurePolicy | undefined {
  const value = field(fields, 'failurePolicy', 'failure_policy');
  if (value === undefined) return undefined;
  const policy = asObject(value, '"failurePolicy"');
  if (field(policy, 'drop') !== undefined) return { drop: true };
  const constant = field(policy, 'constant');
  if (constant === undefined) return undefined;
  const members = asObject(constant, '"failurePolicy.constant"');
  const interval = textField(members, 'interval');
  const intervalMs = interval === undefined ? undefined : durationMs(interval);
  if (interval !== undefined && intervalMs === undefined) throw new BadJson(`"interval" must be a duration such as "1.5s", not ${JSON.stringify(interval)}`);
  const maxRetries = countField(members, 'maxRetries', 'max_retries');
  return { intervalMs: intervalMs ?? 1000, ...(maxRetries === undefined ? {} : { maxRetries }) };
}

/** Mecha's additions: in the body, or in headers for clients that have no place for them there. */
function policiesOf(fields: JsonObject, { headers }: HttpRequest): { readonly missed: string | undefined; readonly overlap: string | undefined } {
  const value = field(fields, 'mecha');
  const own = value === undefined ? {} : asObject(value, '"mecha"');
  const header = (name: string): string | undefined => {
    const given = headers[name];
    return typeof given === 'string' ? given : undefined;
  };
  return { missed: textField(own, 'missed') ?? header('mecha-job-missed'), overlap: textField(own, 'overlap') ?? header('mecha-job-overlap') };
}

/** As in JSON forms of protobuf: one of two spellings, `null` is absent. */
function field(fields: JsonObject, name: string, other = name): unknown {
  return (Object.hasOwn(fields, name) ? fields[name] : Object.hasOwn(fields, other) ? fields[other] : undefined) ?? undefined;
}
function textField(fields: JsonObject, name: string, other = name): string | undefined {
  const value = field(fields, name, other);
  if (value === undefined || typeof value === 'string') return value;
  throw new BadJson(`"${name}" must be a string`);
}
function flagField(fields: JsonObject, name: string): boolean {
  const value = field(fields, name) ?? false;
  if (typeof value === 'boolean') return value;
  throw new BadJson(`"${name}" must be true or false`);
}
/** A number, or one written as text. */
function countField(fields: JsonObject, name: string, other = name): number | undefined {
  const value = field(fields, name, other);
  if (value === undefined) return undefined;
  const count = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
  if (typeof count === 'number' && Number.isInteger(count) && count >= 0 && count <= 0xffff_ffff) return count;
  throw new BadJson(`"${name}" must be a whole number from 0 to 4294967295`);
}
