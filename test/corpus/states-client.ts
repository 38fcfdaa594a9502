/** The Step Functions API as plain HTTP, as far as recorded executions need it. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { CorpusCase } from './cases.ts';
import { firstDifference, type ServiceEvent } from './compare.ts';

export type Answer = Readonly<Record<string, unknown>>;

export class StatesApiError extends Error {
  readonly type: string;
  readonly status: number;
  constructor(status: number, { __type: type, message }: Answer) {
    super(`${String(type)}: ${String(message)}`);
    this.name = 'StatesApiError';
    this.type = String(type);
    this.status = status;
  }
}

/** Rejects with StatesApiError. `endpoint`: `http://127.0.0.1:3500/v1.0-mecha/states`. */
export async function callStates(endpoint: string, operation: string, input: Answer, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
  const answer = await fetch(endpoint, { method: 'POST', headers: { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': `AWSStepFunctions.${operation}`, ...headers }, body: JSON.stringify(input) });
  const body = (await answer.json()) as Answer;
  if (!answer.ok) throw new StatesApiError(answer.status, body);
  return body;
}

export async function historyOf(endpoint: string, executionArn: string, pageSize = 100): Promise<readonly ServiceEvent[]> {
  const events: ServiceEvent[] = [];
  for (let nextToken: unknown; ; ) {
    const page = await callStates(endpoint, 'GetExecutionHistory', { executionArn, maxResults: pageSize, ...(nextToken === undefined ? {} : { nextToken }) });
    events.push(...(page['events'] as ServiceEvent[]));
    nextToken = page['nextToken'];
    if (nextToken === undefined) return events;
  }
}

const END_WITHIN_MS = 60_000;
const LOOK_EVERY_MS = 5;

/** Runs a recorded case on the sidecar there; the first difference to its recording, or undefined. */
export async function driveCase(endpoint: string, one: CorpusCase, name: string): Promise<string | undefined> {
  const { stateMachineArn } = await callStates(endpoint, 'CreateStateMachine', { name, definition: JSON.stringify(one.definition), roleArn: 'arn:aws:iam::000000000000:role/corpus' });
  const { executionArn } = await callStates(endpoint, 'StartExecution', { stateMachineArn, name: 'run', input: one.input });
  const isComplete = one.expected.events.some(({ type }) => /^Execution(?:Succeeded|Failed|TimedOut|Aborted)$/.test(type));
  const deadline = Date.now() + END_WITHIN_MS;
  for (;;) {
    const { status } = await callStates(endpoint, 'DescribeExecution', { executionArn });
    const events = status !== 'RUNNING' || !isComplete ? await historyOf(endpoint, String(executionArn), 7) : [];
    // A recording that was taken half-way has come true as soon as the history begins with it.
    const difference = events.length > 0 ? firstDifference(one.expected.events, events) : 'the execution did not end';
    if (status !== 'RUNNING' || difference === undefined || Date.now() > deadline) {
      if (status === 'RUNNING') await callStates(endpoint, 'StopExecution', { executionArn });
      await callStates(endpoint, 'DeleteStateMachine', { stateMachineArn });
      return difference;
    }
    await sleep(LOOK_EVERY_MS);
  }
}
