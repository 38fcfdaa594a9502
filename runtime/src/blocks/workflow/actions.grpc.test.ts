/** What the answers of workers mean, where SDKs say the same in different words. */
import { expect, test } from 'vitest';
import { OrchestrationStatus } from '@mecha/specs/gen/orchestration.gen.ts';
import { TaskHubSidecarService, WorkflowResponse } from '@mecha/specs/gen/orchestrator_service.gen.ts';
import type { Init } from '@mecha/specs/codec.ts';
import { TurnRejected } from '../../engine/executor.ts';
import type { HistoryEvent } from '../../engine/vocabulary.ts';
import { turnResultOf } from './actions.grpc.ts';
import { eventToWire } from './history.grpc.ts';

const answered = (actions: Init<WorkflowResponse>['actions']) => turnResultOf(WorkflowResponse.decode(WorkflowResponse.encode({ instanceId: 'i', actions })));
const rejection = (actions: Init<WorkflowResponse>['actions']): { reason: string; message: string } => {
  try {
    answered(actions);
  } catch (error) {
    if (error instanceof TurnRejected) return { reason: error.reason, message: error.message };
    throw error;
  }
  throw new Error('the answer was taken');
};
const stalled = (details?: string) => [{ id: 0, completeWorkflow: { workflowStatus: OrchestrationStatus.ORCHESTRATION_STATUS_STALLED, ...(details === undefined ? {} : { details: { value: details } }) } }];

test('a completion that is none stalls by its reason: patches with words, as .NET says it; the version without, as Java does; and Python has an action for it', () => {
  expect(rejection(stalled('patch p is missing'))).toEqual({ reason: 'patch-mismatch', message: 'patch p is missing' });
  expect(rejection(stalled())).toMatchObject({ reason: 'version-not-available' });
  expect(rejection([{ id: 0, workflowVersionNotAvailable: {} }])).toMatchObject({ reason: 'version-not-available' });
});

test('an event that is carried over comes back with the very instant that it had', () => {
  const { response } = TaskHubSidecarService.GetInstanceHistory;
  const events = [1_790_000_000_123, 1_790_000_000_123.001, 1_790_000_000_123.002].map((at): HistoryEvent => ({ kind: 'eventRaised', id: -1, at, name: 'item', input: '7' }));
  const carriedOver = response.decode(response.encode({ events: events.flatMap((event) => eventToWire(event, 'app') ?? []) })).events;
  expect(new Set(carriedOver.map(({ timestamp }) => timestamp?.nanos)).size).toBe(3);
  const { actions } = answered([{ id: 1, completeWorkflow: { workflowStatus: OrchestrationStatus.ORCHESTRATION_STATUS_CONTINUED_AS_NEW, carryoverEvents: carriedOver } }]);
  expect(actions).toEqual([{ id: 1, kind: 'continueAsNew', carryover: events }]);
});
