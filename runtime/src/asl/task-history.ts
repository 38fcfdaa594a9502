/** History entries of tasks: the three families differ in the names of their events and details. */
import type { Json, JsonObject } from './json.ts';
import type { Resource } from './resource.ts';
import { said } from './state-error.ts';
import type { Turn } from './turn.ts';

type Stage = 'Scheduled' | 'Started' | 'Submitted' | 'Succeeded' | 'Failed' | 'StartFailed' | 'SubmitFailed' | 'ScheduleFailed' | 'TimedOut';

const FAMILIES = {
  task: { type: 'Task', details: 'task' },
  lambda: { type: 'LambdaFunction', details: 'lambdaFunction' },
  activity: { type: 'Activity', details: 'activity' },
} as const;

/** Stages that a family's events do not have, and those that stand for them. */
const INSTEAD: Readonly<Record<string, Partial<Record<Stage, Stage>>>> = {
  lambda: { SubmitFailed: 'StartFailed' },
  activity: { StartFailed: 'ScheduleFailed', SubmitFailed: 'ScheduleFailed' },
};

/** Which tasks of a family have details at a stage with no data of its own. */
const hasResource = (resource: Resource): boolean => resource.family === 'task';

export interface Scheduled {
  readonly arguments: Json;
  readonly timeoutSeconds?: number;
  readonly heartbeatSeconds?: number;
  readonly roleArn?: string;
}

export function noteScheduled(turn: Turn, threadId: string, resource: Resource, scheduled: Scheduled): void {
  const text = turn.text(scheduled.arguments);
  const times: JsonObject = {
    ...(scheduled.timeoutSeconds === undefined ? {} : { timeoutInSeconds: scheduled.timeoutSeconds }),
    ...(scheduled.heartbeatSeconds === undefined || resource.family === 'lambda' ? {} : { heartbeatInSeconds: scheduled.heartbeatSeconds }),
    ...(scheduled.roleArn === undefined ? {} : { taskCredentials: { roleArn: scheduled.roleArn } }),
  };
  const details: JsonObject =
    resource.family === 'task'
      ? { resourceType: resource.resourceType, resource: resource.resource, region: resource.region, parameters: text, ...times }
      : { resource: resource.arn, input: text, inputDetails: { truncated: false }, ...times };
  noteTask(turn, threadId, resource, 'Scheduled', details);
}

export function noteStarted(turn: Turn, threadId: string, resource: Resource, workerName?: string): void {
  noteTask(turn, threadId, resource, 'Started', resource.family === 'activity' && workerName !== undefined ? { workerName } : {});
}

/** `output` is JSON text. */
export function noteOutput(turn: Turn, threadId: string, resource: Resource, stage: 'Submitted' | 'Succeeded', output: string): void {
  noteTask(turn, threadId, resource, stage, { output, outputDetails: { truncated: false } });
}

export function noteFailed(turn: Turn, threadId: string, resource: Resource, stage: 'Failed' | 'StartFailed' | 'SubmitFailed' | 'TimedOut', error?: string, cause?: string): void {
  noteTask(turn, threadId, resource, stage, said({ error, cause }));
}

function noteTask(turn: Turn, threadId: string, resource: Resource, asked: Stage, data: JsonObject): void {
  const stage = INSTEAD[resource.family]?.[asked] ?? asked;
  const { type, details: name } = FAMILIES[resource.family];
  const details = hasResource(resource) && stage !== 'Scheduled' ? { resourceType: resource.resourceType, resource: resource.resource, ...data } : data;
  if (Object.keys(details).length === 0) turn.emit(threadId, `${type}${stage}`);
  else turn.emit(threadId, `${type}${stage}`, `${name}${stage}EventDetails`, details);
}
