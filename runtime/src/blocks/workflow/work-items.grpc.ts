/**
 * The stream of work items and the calls that answer them (workflow-protocol.md 5 and 6).
 *
 * A stream is taken while the sidecar is still starting, and Hello answers at once: the JavaScript worker gives up for good when its first
 * connection fails. For the same reason a sidecar that shuts down ends a stream without an error: that worker then comes back.
 */
import { Empty } from '@mecha/specs/gen/empty.gen.ts';
import type { Init } from '@mecha/specs/codec.ts';
import { TaskHubSidecarService, WorkItem as WireItem, WorkerCapability, type WorkflowResponse } from '@mecha/specs/gen/orchestrator_service.gen.ts';
import { ExecutorUnavailable, TurnRejected, type ActivityRequest } from '../../engine/executor.ts';
import type { HistoryEvent } from '../../engine/vocabulary.ts';
import { unary, type GrpcContext, type GrpcMethod, type RawGrpcStream } from '../../servers/grpc-face.ts';
import { turnResultOf } from './actions.grpc.ts';
import { eventToWire, failureOfWire, text, traceToWire } from './history.grpc.ts';
import type { Worker, WorkItem, WorkerPool } from './worker-pool.ts';

export interface WorkItemParts {
  readonly appId: string;
  readonly pool: WorkerPool;
  /** Aborts when workers are to go. */
  readonly closing: AbortSignal;
  /** Of one message; undefined: no bound. */
  readonly maxBodyBytes: number | undefined;
  readonly log: { debug(fields: Record<string, unknown>, message: string): void; info(fields: Record<string, unknown>, message: string): void };
}

const SEND_BLOCKED_MS = 10_000;

export function workItemMethods(parts: WorkItemParts): GrpcMethod[] {
  const { pool, log } = parts;
  const completeTurn = async ({ message }: { readonly message: WorkflowResponse }): Promise<Record<string, never>> => {
    const { instanceId, completionToken } = message;
    if (!pool.answerTurn(instanceId, completionToken, () => turnResultOf(message))) log.debug({ instanceId }, 'an answer to a workflow turn came too late and is not used');
    return {};
  };
  return [
    unary(TaskHubSidecarService.Hello, async () => Empty.decode(new Uint8Array())),
    { kind: 'stream', path: TaskHubSidecarService.GetWorkItems.path, serve: (stream) => serveWorker(stream, parts) },
    unary(TaskHubSidecarService.CompleteOrchestratorTask, completeTurn),
    unary(TaskHubSidecarService.CompleteWorkflowTask, completeTurn),
    unary(TaskHubSidecarService.CompleteActivityTask, async ({ message }) => {
      const { instanceId, taskId, completionToken, result, failureDetails } = message;
      const outcome = failureDetails ? { kind: 'failed' as const, failure: failureOfWire(failureDetails) } : { kind: 'completed' as const, ...(result === undefined ? {} : { result: result.value }) };
      if (!pool.answerActivity(instanceId, taskId, completionToken, outcome)) log.debug({ instanceId, taskId }, 'the result of an activity came too late and is not used');
      return {};
    }),
  ];
}

async function serveWorker(stream: RawGrpcStream, { appId, pool, closing, maxBodyBytes, log }: WorkItemParts): Promise<void> {
  let keepsHistory = false;
  for await (const bytes of stream.messages) {
    keepsHistory = TaskHubSidecarService.GetWorkItems.request.decode(bytes).capabilities.includes(WorkerCapability.WORKER_CAPABILITY_STATEFUL_HISTORY);
    break;
  }
  const stuck = new AbortController();
  const over = AbortSignal.any([stream.signal, stream.closing, closing, stuck.signal]);
  const worker: Worker = {
    keepsHistory,
    connection: stream.connection,
    async send(item) {
      const bytes = WireItem.encode(itemToWire(item, appId));
      if (maxBodyBytes !== undefined && bytes.length > maxBodyBytes) throw tooLarge(item, bytes.length, maxBodyBytes);
      const timer = setTimeout(() => stuck.abort(), SEND_BLOCKED_MS);
      try {
        await stream.send(bytes);
      } catch {
        throw new ExecutorUnavailable('the worker is gone');
      } finally {
        clearTimeout(timer);
      }
    },
  };
  if (over.aborted) return;
  const disconnect = pool.connect(worker);
  log.info({ workers: pool.size, remoteAddress: addressOf(stream) }, 'a workflow worker is connected');
  await new Promise<void>((resolve) => over.addEventListener('abort', () => resolve(), { once: true }));
  disconnect(closing.aborted || stream.closing.aborted || stuck.signal.aborted);
  log.info({ workers: pool.size }, stuck.signal.aborted ? 'a workflow worker takes nothing any more; what it had is given out again' : 'a workflow worker is gone');
}

const addressOf = ({ remoteAddress }: GrpcContext): string => remoteAddress;

/** One item too large for a message stops its own workflow, and not the stream. */
function tooLarge(item: WorkItem, bytes: number, bytesMax: number): Error {
  const limit = `${bytes} bytes, and a message to the worker has at most ${bytesMax} (--max-body-size)`;
  if (item.kind === 'turn') return new TurnRejected('payload-too-large', `the history of the workflow has ${limit}; continue-as-new would begin it anew`);
  const error = new Error(`the request of activity ${item.request.name} has ${limit}`);
  error.name = 'PayloadTooLarge';
  return error;
}

function itemToWire(item: WorkItem, appId: string): Init<WireItem> {
  if (item.kind === 'activity') return { activityRequest: activityToWire(item.request), completionToken: item.token };
  const { instance, past, newEvents } = item.turn;
  return {
    completionToken: item.token,
    workflowRequest: {
      instanceId: instance.instanceId,
      executionId: text(instance.executionId),
      pastEvents: eventsToWire(item.known === 0 ? past : past.slice(item.known), appId),
      newEvents: eventsToWire(newEvents, appId),
      ...(item.known === 0 ? {} : { cachedHistory: { eventCount: item.known } }),
    },
  };
}

export function eventsToWire(events: readonly HistoryEvent[], appId: string) {
  return events.flatMap((event) => eventToWire(event, appId) ?? []);
}

function activityToWire({ name, version, input, instanceId, executionId, taskId, trace, taskExecutionId }: ActivityRequest) {
  return {
    name, version: text(version), input: text(input), taskId, taskExecutionId,
    workflowInstance: { instanceId, executionId: text(executionId) },
    parentTraceContext: traceToWire(trace),
  };
}
