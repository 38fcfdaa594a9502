/**
 * The token of a task that somebody outside completes. It is known before the activity has a row, so it names the task: instance, execution
 * and task id, with a check sum that tells garbage from a token that has had its time. It is no secret: whoever may call the API may complete.
 */
import { createHash } from 'node:crypto';

export interface TaskOf {
  readonly instanceId: string;
  readonly executionId: string;
  readonly taskId: number;
}

const sumOf = (text: string): string => createHash('sha256').update(text).digest('base64url').slice(0, 12);

export function taskToken({ instanceId, executionId, taskId }: TaskOf): string {
  const text = JSON.stringify([instanceId, executionId, taskId]);
  return `${Buffer.from(text).toString('base64url')}.${sumOf(text)}`;
}

/** undefined: no token of ours. */
export function readTaskToken(token: string): TaskOf | undefined {
  const [encoded = '', sum, ...more] = token.split('.');
  const text = Buffer.from(encoded, 'base64url').toString('utf8');
  if (more.length > 0 || sum !== sumOf(text)) return undefined;
  const [instanceId, executionId, taskId] = JSON.parse(text) as [string, string, number];
  return { instanceId, executionId, taskId };
}
