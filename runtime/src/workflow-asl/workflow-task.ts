/**
 * Tasks that start, tell and terminate workflows of SDK workers. A start that waits for the end (`.sync`) is no activity: the workflow is a
 * child of the execution, so that its end arrives with the commit that ends it.
 */
import { createHash } from 'node:crypto';
import type { KeptTrace } from '../telemetry/trace.ts';
import type { MechaTask } from './task-resource.ts';
import { fields, optionalTextField, TaskFailure, textField, type TaskRequest } from './task-arguments.ts';

/** The workflow block, as far as tasks use it. */
export interface SteeredWorkflows {
  start(request: { readonly name: string; readonly instanceId: string; readonly input: string | undefined; readonly startTime?: string | undefined; readonly appId?: string | undefined; readonly existing: boolean; readonly trace?: KeptTrace | undefined }): Promise<string>;
  raiseEvent(request: { readonly instanceId: string; readonly appId?: string | undefined; readonly event: string; readonly data: string | undefined }): Promise<void>;
  terminate(request: { readonly instanceId: string; readonly appId?: string | undefined }): Promise<void>;
}

/** JSON text. */
export async function workflowTask(workflow: SteeredWorkflows, task: MechaTask, request: TaskRequest): Promise<string> {
  if (task.operation === 'start') {
    const { name, instanceId, input, startTime, appId } = startRequest(task, request);
    return JSON.stringify({ InstanceId: await workflow.start({ name, instanceId, input, startTime, appId, existing: true, trace: request.trace }) });
  }
  const { InstanceId, AppId, Event, Data } = fields(request.arguments);
  const instanceId = textField('InstanceId', InstanceId);
  const appId = optionalTextField('AppId', AppId);
  if (task.operation === 'raise') await workflow.raiseEvent({ instanceId, appId, event: textField('Event', Event), data: json(Data) });
  else await workflow.terminate({ instanceId, appId });
  return '{}';
}

/** A workflow that a task waits for. */
export interface AwaitedWorkflow {
  readonly name: string;
  readonly instanceId: string;
  /** JSON text. */
  readonly input?: string;
  /** Another app's. */
  readonly appId?: string;
}

/** Throws `TaskFailure` by the name under which the task fails. */
export function awaitedWorkflow(task: MechaTask, request: TaskRequest): AwaitedWorkflow {
  const { name, instanceId, input, startTime, appId } = startRequest(task, request);
  if (startTime !== undefined) throw new TaskFailure('States.Runtime', 'a task that waits for a workflow takes no StartTime: put a Wait state before it');
  if (appId !== undefined && !/^[\w-]+$/.test(appId)) throw new TaskFailure('States.Runtime', `the argument AppId of this task is no app id: '${appId}'`);
  return { name, instanceId, ...(input === undefined ? {} : { input }), ...(appId === undefined ? {} : { appId }) };
}

/** One that runs again finds what it started: the id is the task's own, unless the arguments give one. */
function startRequest({ target }: MechaTask, request: TaskRequest): { readonly name: string; readonly instanceId: string; readonly input: string | undefined; readonly startTime: string | undefined; readonly appId: string | undefined } {
  const { InstanceId, Input, StartTime, AppId } = fields(request.arguments);
  return {
    name: target,
    instanceId: optionalTextField('InstanceId', InstanceId) ?? `task-${createHash('sha256').update(request.idempotencyKey).digest('hex').slice(0, 32)}`,
    input: json(Input),
    startTime: optionalTextField('StartTime', StartTime),
    appId: optionalTextField('AppId', AppId),
  };
}

const json = (value: unknown): string | undefined => (value === undefined ? undefined : JSON.stringify(value));
