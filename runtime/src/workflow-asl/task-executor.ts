/**
 * Does the work of tasks in this process: calls an app, publishes, reads and writes state, starts workflows, schedules jobs. What comes of it goes back by the engine, at least
 * once, under one idempotency key for all runs of the same attempt, which the called are told.
 *
 * With a token the call is only the beginning: its answer is told to the execution, and whoever holds the token completes the task.
 */
import type { Readable } from 'node:stream';
import type { IncomingHttpHeaders } from 'node:http';
import type { TurnEvent } from '../asl/messages.ts';
import { ExecutorUnavailable, type ActivityExecutor, type ActivityOutcome } from '../engine/executor.ts';
import type { Call } from '../pipeline.ts';
import { keptTrace, traceFrom } from '../telemetry/trace.ts';
import { TASK_ACTIVITY } from './arns.ts';
import { mapTaskResult, type MapTask } from './map-items.ts';
import type { TaskExtra } from './orders.ts';
import { asJson, failureOf, fields, TaskFailure, textField, type TaskRequest } from './task-arguments.ts';
import { mechaTask, type MechaTask } from './task-resource.ts';
import { exactFailure, type ExactFailure } from './turn-events.ts';
import { workflowTask, type SteeredWorkflows } from './workflow-task.ts';

type Words = Readonly<Record<string, string>>;

/** The blocks that tasks use, as far as they use them. */
export interface TaskBlocks {
  readonly invocation: {
    invoke(call: Call, request: { readonly target: string; readonly method: string; readonly path: string; readonly queryText: string; readonly headers: IncomingHttpHeaders; readonly body: Uint8Array | undefined }): Promise<{ readonly status: number; readonly headers: Readonly<Record<string, unknown>>; readonly body: Readable | Uint8Array }>;
  };
  readonly state: {
    get(call: Call, request: { store: string; key: string; metadata: Words }): Promise<{ readonly data: Uint8Array; readonly etag: string | undefined } | undefined>;
    save(call: Call, request: { store: string; items: readonly { readonly key: string; readonly value: { readonly data: Uint8Array; readonly binary: boolean }; readonly etag?: string | undefined; readonly metadata?: Words | undefined }[] }): Promise<void>;
    delete(call: Call, request: { store: string; item: { readonly key: string; readonly etag?: string | undefined } }): Promise<void>;
  };
  readonly pubsub: { publish(call: Call, request: { readonly pubsubName: string; readonly topic: string; readonly data: Uint8Array; readonly contentType: string; readonly metadata: Words }): Promise<void> };
  readonly bindings: {
    invoke(call: Call, request: { readonly binding: string; readonly operation: string; readonly data: Uint8Array; readonly metadata: Words }): Promise<{ readonly data?: Uint8Array | Readable; readonly metadata?: Words } | undefined>;
  };
  readonly workflow: SteeredWorkflows;
  readonly jobs: {
    schedule(request: TaskJob): Promise<void>;
    delete(name: string): Promise<void>;
  };
}

/** A job as a task asks for it. */
export interface TaskJob {
  readonly name: string;
  readonly schedule: string | undefined;
  readonly repeats: number | undefined;
  readonly dueTime: string | undefined;
  readonly ttl: string | undefined;
  /** JSON text. */
  readonly data: { readonly value: Uint8Array } | undefined;
  readonly overwrite: boolean;
  readonly failurePolicy: { readonly drop: true } | { readonly intervalMs: number; readonly maxRetries?: number } | undefined;
  readonly missed: string | undefined;
  readonly overlap: string | undefined;
  readonly idempotencyKey: string;
}

const RESPONSE_BYTES_MAX = 4 * 1024 * 1024;

export function createTaskExecutor(blocks: TaskBlocks, tell: (instanceId: string, event: TurnEvent) => Promise<void>): ActivityExecutor {
  return {
    names: () => [TASK_ACTIVITY],
    async runActivity({ input = 'null', extra, instanceId, taskId, trace }, signal): Promise<ActivityOutcome> {
      const { resource, token, idempotencyKey, map } = extra as unknown as TaskExtra;
      try {
        const output = await performTask(blocks, { resource, arguments: JSON.parse(input), idempotencyKey, ...(trace === undefined ? {} : { trace }) }, signal);
        if (map) return { kind: 'completed', result: mapTaskResult(map, resource, output) };
        if (token === undefined) return { kind: 'completed', result: output };
        await tell(instanceId, { type: 'taskSubmitted', id: String(taskId), output });
        return { kind: 'deferred' };
      } catch (error) {
        if (signal.aborted) throw new ExecutorUnavailable();
        return { kind: 'failed', failure: exactFailure(map ? mapFailure(map, error) : failureOf(error)) };
      }
    },
  };
}

/** JSON text; rejects with TaskFailure, MechaError or what a block rejects with. */
export async function performTask(blocks: TaskBlocks, request: TaskRequest, signal: AbortSignal): Promise<string> {
  const task = mechaTask(request.resource);
  if (!task) throw new TaskFailure('States.Runtime', `the resource ${request.resource} is not served here`);
  const call: Call = { operation: `states.${task.block}`, protocol: 'internal', trace: traceFrom(request.trace?.traceParent, request.trace?.traceState), signal };
  switch (task.block) {
    case 'invoke':
      return invoke(blocks, call, task, request);
    case 'http':
      return httpRequest(blocks, call, task, request);
    case 'state':
      return stateTask(blocks, call, task, request);
    case 'pubsub':
      return publish(blocks, call, task, request);
    case 'binding':
      return invokeBinding(blocks, call, task, request);
    case 'workflow':
      return workflowTask(blocks.workflow, task, { ...request, trace: keptTrace(call.trace) });
    case 'jobs':
      return jobTask(blocks, task, request);
    default:
      throw new TaskFailure('States.Runtime', `tasks of the block '${task.block}' are not served yet`);
  }
}

/** Readers and writers fail by these names whatever happened; what happened is the cause. */
function mapFailure(map: MapTask, error: unknown): ExactFailure {
  const { cause = '' } = failureOf(error);
  return { error: 'reads' in map ? 'States.ItemReaderFailed' : 'States.ResultWriterFailed', cause };
}

/** The arguments are the body of a POST, the answer is the result. */
async function invoke({ invocation }: TaskBlocks, call: Call, { target, operation }: MechaTask, request: TaskRequest): Promise<string> {
  const answer = await invocation.invoke(call, {
    target, method: 'POST', path: operation.replace(/^\/+/, ''), queryText: '',
    headers: { 'content-type': 'application/json', 'idempotency-key': request.idempotencyKey },
    body: Buffer.from(JSON.stringify(request.arguments)),
  });
  const text = await textOf(answer.body);
  if (answer.status < 200 || answer.status >= 300) throw answeredBadly(answer.status, text);
  return asJson(text);
}

async function httpRequest({ invocation }: TaskBlocks, call: Call, { target }: MechaTask, request: TaskRequest): Promise<string> {
  const { Method: method = 'GET', Path: path = '', Query: query = {}, Headers: headers = {}, Body: body } = fields(request.arguments);
  const answer = await invocation.invoke(call, {
    target, method: textField('Method', method).toUpperCase(), path: textField('Path', path).replace(/^\/+/, ''),
    queryText: new URLSearchParams(textValues(fields(query))).toString(),
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), 'idempotency-key': request.idempotencyKey, ...lowerCase(fields(headers)) },
    body: body === undefined ? undefined : Buffer.from(JSON.stringify(body)),
  });
  const text = await textOf(answer.body);
  if (answer.status < 200 || answer.status >= 300) throw answeredBadly(answer.status, text);
  return JSON.stringify({ StatusCode: answer.status, Headers: answer.headers, ResponseBody: JSON.parse(asJson(text)) as unknown });
}

async function stateTask({ state }: TaskBlocks, call: Call, { target: store, operation }: MechaTask, request: TaskRequest): Promise<string> {
  const { Key, Value = null, ETag, Metadata = {} } = fields(request.arguments);
  const key = textField('Key', Key);
  const etag = ETag === undefined ? {} : { etag: textField('ETag', ETag) };
  if (operation === 'get') {
    const found = await state.get(call, { store, key, metadata: {} });
    return JSON.stringify(found ? { Value: JSON.parse(asJson(Buffer.from(found.data).toString('utf8'))) as unknown, ...(found.etag === undefined ? {} : { ETag: found.etag }) } : { Value: null });
  }
  if (operation === 'set') await state.save(call, { store, items: [{ key, value: { data: Buffer.from(JSON.stringify(Value)), binary: false }, metadata: textValues(fields(Metadata)), ...etag }] });
  else await state.delete(call, { store, item: { key, ...etag } });
  return '{}';
}

/** The event's id is the idempotency key: whoever receives it twice can tell. */
async function publish({ pubsub }: TaskBlocks, call: Call, { target }: MechaTask, request: TaskRequest): Promise<string> {
  const { Topic, Data = null, Metadata = {}, ContentType } = fields(request.arguments);
  await pubsub.publish(call, {
    pubsubName: target,
    topic: textField('Topic', Topic),
    data: Buffer.from(JSON.stringify(Data)),
    contentType: ContentType === undefined ? 'application/json' : textField('ContentType', ContentType),
    metadata: { 'cloudevent.id': request.idempotencyKey, ...textValues(fields(Metadata)) },
  });
  return '{}';
}

/** `Data` and `Metadata` go to the binding; the idempotency key goes along, for backends that know what to do with it. */
async function invokeBinding({ bindings }: TaskBlocks, call: Call, { target, operation }: MechaTask, request: TaskRequest): Promise<string> {
  const { Data = null, Metadata = {} } = fields(request.arguments);
  const answer = await bindings.invoke(call, {
    binding: target, operation, data: Buffer.from(JSON.stringify(Data)), metadata: { idempotencyKey: request.idempotencyKey, ...textValues(fields(Metadata)) },
  });
  if (!answer) return '{}';
  const data = answer.data === undefined ? null : (JSON.parse(asJson(await textOf(answer.data))) as unknown);
  return JSON.stringify({ Data: data, Metadata: answer.metadata ?? {} });
}

/** A job that is there already because this very task put it there is no fault. */
async function jobTask({ jobs }: TaskBlocks, { target, operation }: MechaTask, request: TaskRequest): Promise<string> {
  const { Name = target, Schedule, DueTime, Ttl, Repeats, Data, Overwrite = false, FailurePolicy, Missed, Overlap } = fields(request.arguments);
  const name = textField('Name', Name);
  if (operation === 'delete') {
    await jobs.delete(name);
    return '{}';
  }
  const text = (field: string, value: unknown): string | undefined => (value === undefined ? undefined : textField(field, value));
  await jobs.schedule({
    name,
    schedule: text('Schedule', Schedule),
    dueTime: text('DueTime', DueTime),
    ttl: text('Ttl', Ttl),
    repeats: count('Repeats', Repeats),
    data: Data === undefined ? undefined : { value: Buffer.from(JSON.stringify(Data)) },
    overwrite: Overwrite === true,
    failurePolicy: jobFailurePolicy(FailurePolicy),
    missed: text('Missed', Missed),
    overlap: text('Overlap', Overlap),
    idempotencyKey: request.idempotencyKey,
  });
  return '{}';
}

function jobFailurePolicy(value: unknown): TaskJob['failurePolicy'] {
  if (value === undefined) return undefined;
  const { Drop = false, IntervalSeconds = 1, MaxRetries } = fields(value);
  if (Drop === true) return { drop: true };
  if (typeof IntervalSeconds !== 'number' || !(IntervalSeconds >= 0)) throw new TaskFailure('States.Runtime', 'IntervalSeconds of FailurePolicy must be a number that is not negative');
  const maxRetries = count('MaxRetries', MaxRetries);
  return { intervalMs: Math.round(IntervalSeconds * 1000), ...(maxRetries === undefined ? {} : { maxRetries }) };
}

function count(name: string, value: unknown): number | undefined {
  if (value === undefined || (typeof value === 'number' && Number.isInteger(value) && value >= 0)) return value;
  throw new TaskFailure('States.Runtime', `the argument ${name} of this task must be a whole number that is not negative`);
}

/** An app names its error as functions do: a JSON object with `errorType`. */
function answeredBadly(status: number, text: string): TaskFailure {
  let name: unknown;
  try {
    name = (JSON.parse(text) as { errorType?: unknown } | null)?.errorType;
  } catch {
    name = undefined;
  }
  return new TaskFailure(typeof name === 'string' && name !== '' ? name : `States.Http.StatusCode.${status}`, text);
}

const textValues = (values: Record<string, unknown>): Record<string, string> => Object.fromEntries(Object.entries(values).map(([name, value]) => [name, String(value)]));
const lowerCase = (values: Record<string, unknown>): Record<string, string> => Object.fromEntries(Object.entries(values).map(([name, value]) => [name.toLowerCase(), String(value)]));

async function textOf(body: Readable | Uint8Array): Promise<string> {
  if (body instanceof Uint8Array) return Buffer.from(body).toString('utf8');
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > RESPONSE_BYTES_MAX) throw new TaskFailure('States.DataLimitExceeded', `the answer has more than ${RESPONSE_BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
