/**
 * The workflow block: what apps and people do to workflow instances over the sidecar's own API. Workers have an API of their own
 * (`task-hub.ts`); both stand on the engine, which is opened by the first call that needs it.
 */
import type { WorkflowStatus } from '@mecha/components/kit';
import { MechaError, messageOf } from '../../errors.ts';
import type { Engine } from '../../engine/engine.ts';
import type { Operations } from '../../engine/operations.ts';
import type { KeptTrace } from '../../telemetry/trace.ts';
import { checkNewInstanceId, errors } from './workflow-errors.ts';

export interface StartWorkflow {
  readonly name: string;
  /** Empty: one is made. */
  readonly instanceId: string;
  readonly input: string | undefined;
  /** RFC 3339. */
  readonly startTime?: string | undefined;
  readonly appId?: string | undefined;
  /** One of this id that is there, ended or not, is the answer instead of a refusal. */
  readonly existing?: boolean;
  /** Of the call: the workflow and its activities belong to it. */
  readonly trace?: KeptTrace | undefined;
}
export interface OfInstance {
  readonly instanceId: string;
  /** Another app's; empty or absent: the own. */
  readonly appId?: string | undefined;
}
export interface WorkflowInfo {
  readonly instanceId: string;
  readonly name: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly updatedAt: number;
  /** In the contract's word: RUNNING. */
  readonly status: string;
  readonly properties: Readonly<Record<string, string>>;
}

export interface WorkflowBlock {
  /** The instance id. Does not wait for a worker. */
  start(request: StartWorkflow): Promise<string>;
  /** Undefined: there is none. */
  get(request: OfInstance): Promise<WorkflowInfo | undefined>;
  /** With all its children; it needs no worker. */
  terminate(request: OfInstance): Promise<void>;
  pause(request: OfInstance): Promise<void>;
  resume(request: OfInstance): Promise<void>;
  raiseEvent(request: OfInstance & { readonly event: string; readonly data: string | undefined }): Promise<void>;
  /** With all its children; all must have ended. */
  purge(request: OfInstance): Promise<void>;
}

export interface WorkflowBlockParts {
  readonly appId: string;
  readonly namespace: string;
  readonly engine: () => Promise<Engine>;
}

const STATUS_WORDS: Readonly<Record<WorkflowStatus, string>> = {
  pending: 'PENDING', running: 'RUNNING', suspended: 'SUSPENDED', stalled: 'UNKNOWN', completed: 'COMPLETED', failed: 'FAILED', terminated: 'TERMINATED', canceled: 'CANCELED',
};
const START_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/;

export function createWorkflowBlock({ appId: ownAppId, namespace, engine }: WorkflowBlockParts): WorkflowBlock {
  /** The name of an app in the ledger; undefined: the own. */
  const appOf = (appId: string | undefined): string | undefined => {
    if (appId === undefined || appId === '' || appId === ownAppId) return undefined;
    if (!/^[\w-]+$/.test(appId)) throw errors.appIdInvalid(appId);
    return `${namespace}/${appId}`;
  };
  async function steer(request: OfInstance, missing: 'not found' | 'wrapped', run: (operations: Operations, app: { readonly app?: string }) => Promise<unknown>, wrap: (text: string, cause: unknown) => MechaError): Promise<void> {
    const { instanceId, appId } = request;
    if (instanceId === '') throw errors.instanceIdMissing();
    const app = appOf(appId);
    const { operations } = await engine();
    try {
      await run(operations, app === undefined ? {} : { app });
    } catch (error) {
      if (!(error instanceof MechaError)) throw error;
      if (error.kind === 'not-found') throw missing === 'not found' ? errors.notFound(instanceId) : wrap('no such instance exists', error);
      throw wrap(messageOf(error), error);
    }
  }

  /** Of a state machine. Few others are called so: children of workflows that are. */
  async function isExecution({ instanceId, appId }: OfInstance): Promise<boolean> {
    if (!/^(?:execution|express):/.test(instanceId)) return false;
    const app = appOf(appId);
    const { STATES_WORKFLOW } = await import('../../workflow-asl/arns.ts');
    return (await (await engine()).queries.get(instanceId, { payloads: false, ...(app === undefined ? {} : { app }) }))?.name === STATES_WORKFLOW;
  }

  return {
    async start({ name, instanceId, input, startTime, appId, existing = false, trace }) {
      if (name === '') throw errors.nameMissing();
      checkNewInstanceId(instanceId);
      const app = appOf(appId);
      const startAt = startTime === undefined ? undefined : Date.parse(startTime);
      if (startTime !== undefined && (!START_TIME.test(startTime) || Number.isNaN(startAt))) throw errors.start(name, 'start times must be in RFC3339 format (e.g. "2009-11-10T23:00:00Z")');
      const { operations } = await engine();
      try {
        const request = { name, ...(instanceId === '' ? {} : { instanceId }), ...(input === undefined ? {} : { input }), ...(startAt === undefined ? {} : { startAt }), ...(existing ? { idReuse: 'existing' as const } : {}), ...(trace === undefined ? {} : { trace }) };
        return (await operations.start(request, app)).instanceId;
      } catch (error) {
        if (error instanceof MechaError) throw errors.start(name, `unable to start workflow: ${messageOf(error)}`, error);
        throw error;
      }
    },

    async get({ instanceId, appId }) {
      if (instanceId === '') throw errors.instanceIdMissing();
      const app = appOf(appId);
      const { queries } = await engine();
      const found = await queries.get(instanceId, app === undefined ? {} : { app });
      if (!found) return undefined;
      const { name, createdAt, updatedAt, status, input, output, customStatus, failure } = found;
      const properties = {
        'dapr.workflow.input': input,
        'dapr.workflow.output': failure ? undefined : output,
        'dapr.workflow.custom_status': customStatus,
        'dapr.workflow.failure.error_type': failure?.errorType,
        'dapr.workflow.failure.error_message': failure?.errorMessage,
        'dapr.workflow.failure.stack_trace': failure?.stackTrace,
      };
      return { instanceId, name, createdAt, updatedAt, status: STATUS_WORDS[status], properties: Object.fromEntries(Object.entries(properties).filter((entry): entry is [string, string] => entry[1] !== undefined)) };
    },

    terminate: (request) => steer(request, 'not found', (operations, app) => operations.terminate(request.instanceId, { recurse: true, ...app }), (text, cause) => errors.terminate(request.instanceId, text, cause)),
    pause: (request) => steer(request, 'wrapped', (operations, { app }) => operations.suspend(request.instanceId, undefined, app), (text, cause) => errors.pause(request.instanceId, text, cause)),
    resume: (request) => steer(request, 'wrapped', (operations, { app }) => operations.resume(request.instanceId, undefined, app), (text, cause) => errors.resume(request.instanceId, text, cause)),
    purge: (request) => steer(request, 'not found', (operations, app) => operations.purge(request.instanceId, { recurse: true, ...app }), (text, cause) => errors.purge(request.instanceId, text, cause)),

    async raiseEvent(request) {
      const { instanceId, event, data } = request;
      if (instanceId === '') throw errors.instanceIdMissing();
      if (event === '') throw errors.eventNameMissing();
      if (await isExecution(request)) throw errors.raiseEvent(instanceId, event, "executions of state machines hear no events; whoever holds a task's token answers it");
      await steer(request, 'wrapped', (operations, { app }) => operations.raiseEvent(instanceId, event, data, app), (text, cause) => errors.raiseEvent(instanceId, event, text, cause));
    },
  };
}
