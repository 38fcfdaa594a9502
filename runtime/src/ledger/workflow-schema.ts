/**
 * How workflows lie in the ledger's file, and how its rows are read (`components/kit/ledger-workflow.ts`).
 *
 * `ready` of an instance is the sequence number of the message that made it so: order of arrival and no instant, so that a
 * clock that is set back delays nothing. It is NULL while the instance is leased, rests, is suspended or has nothing unread.
 * `free_at` is the end of a lease (`owner` set) or of a rest. A deferred activity has neither.
 */
import type { StatementSync } from 'node:sqlite';
import type { WorkflowActivity, WorkflowParent, WorkflowRow, WorkflowStatus } from '@mecha/components/kit';

export const WORKFLOW_SCHEMA = `
CREATE TABLE wf_instances (
  id INTEGER PRIMARY KEY AUTOINCREMENT, app TEXT NOT NULL, instance_id TEXT NOT NULL, execution TEXT NOT NULL, name TEXT NOT NULL, version TEXT,
  status TEXT NOT NULL, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, started_at INTEGER, completed_at INTEGER,
  parent_app TEXT, parent_id TEXT, parent_execution TEXT, parent_task INTEGER,
  fence INTEGER NOT NULL DEFAULT 0, turn INTEGER NOT NULL DEFAULT 0, events INTEGER NOT NULL DEFAULT 0, bytes INTEGER NOT NULL DEFAULT 0,
  failures INTEGER NOT NULL DEFAULT 0, reason TEXT, ready INTEGER, free_at INTEGER, owner TEXT, session TEXT, custom_status TEXT, UNIQUE (app, instance_id));
CREATE INDEX wf_instances_ready ON wf_instances (app, name, ready) WHERE ready IS NOT NULL;
CREATE INDEX wf_instances_free ON wf_instances (app, free_at) WHERE free_at IS NOT NULL;
CREATE INDEX wf_instances_session ON wf_instances (session) WHERE session IS NOT NULL;
CREATE INDEX wf_instances_created ON wf_instances (app, created_at, id);
CREATE INDEX wf_instances_status ON wf_instances (app, status, created_at, id);
CREATE INDEX wf_instances_name ON wf_instances (app, name, created_at, id);
CREATE INDEX wf_instances_completed ON wf_instances (app, status, completed_at, id) WHERE completed_at IS NOT NULL;
CREATE INDEX wf_instances_parent ON wf_instances (parent_app, parent_id) WHERE parent_id IS NOT NULL;
CREATE TABLE wf_history (id INTEGER PRIMARY KEY, instance INTEGER NOT NULL, first INTEGER NOT NULL, count INTEGER NOT NULL, crc INTEGER NOT NULL, data TEXT NOT NULL);
CREATE UNIQUE INDEX wf_history_instance ON wf_history (instance, first);
CREATE TABLE wf_snapshots (instance INTEGER PRIMARY KEY, crc INTEGER NOT NULL, data TEXT NOT NULL);
CREATE TABLE wf_inbox (sequence INTEGER PRIMARY KEY AUTOINCREMENT, instance INTEGER NOT NULL, later INTEGER NOT NULL DEFAULT 1, is_result INTEGER NOT NULL, event TEXT NOT NULL);
CREATE INDEX wf_inbox_instance ON wf_inbox (instance, later, sequence);
CREATE TABLE wf_activities (
  id INTEGER PRIMARY KEY AUTOINCREMENT, instance INTEGER NOT NULL, task_id INTEGER NOT NULL, app TEXT NOT NULL, name TEXT NOT NULL, attempt INTEGER NOT NULL DEFAULT 1,
  ready INTEGER, free_at INTEGER, owner TEXT, session TEXT, end_by INTEGER, run_ms INTEGER, run_until INTEGER, beat_ms INTEGER, expires_at INTEGER, error TEXT, request TEXT NOT NULL);
CREATE UNIQUE INDEX wf_activities_instance ON wf_activities (instance, task_id);
CREATE INDEX wf_activities_ready ON wf_activities (app, name, ready) WHERE ready IS NOT NULL;
CREATE INDEX wf_activities_free ON wf_activities (app, free_at) WHERE free_at IS NOT NULL;
CREATE INDEX wf_activities_session ON wf_activities (session) WHERE session IS NOT NULL;
CREATE INDEX wf_activities_expiry ON wf_activities (app, expires_at) WHERE expires_at IS NOT NULL;
CREATE TABLE wf_timers (id INTEGER PRIMARY KEY AUTOINCREMENT, instance INTEGER NOT NULL, timer_id INTEGER NOT NULL, app TEXT NOT NULL, due_at INTEGER, is_result INTEGER NOT NULL, event TEXT NOT NULL);
CREATE UNIQUE INDEX wf_timers_instance ON wf_timers (instance, timer_id);
CREATE INDEX wf_timers_due ON wf_timers (app, due_at) WHERE due_at IS NOT NULL;
CREATE TABLE wf_attributes (instance INTEGER NOT NULL, name TEXT NOT NULL, app TEXT NOT NULL, value TEXT NOT NULL, created_at INTEGER NOT NULL, PRIMARY KEY (instance, name)) WITHOUT ROWID;
CREATE INDEX wf_attributes_value ON wf_attributes (app, name, value, created_at, instance);
`;

/**
 * Schema 5, after the jobs of schema 4: payloads too large for the rows that name them. `sequence` is the message that brought it, 0 when a
 * step of the instance did, -1 for that of the custom status. What came by two messages is there twice, so that each may go by itself.
 */
export const PAYLOAD_SCHEMA = `
CREATE TABLE wf_payloads (number INTEGER PRIMARY KEY, instance INTEGER NOT NULL, id TEXT NOT NULL, sequence INTEGER NOT NULL, crc INTEGER NOT NULL, data TEXT NOT NULL);
CREATE UNIQUE INDEX wf_payloads_instance ON wf_payloads (instance, id, sequence);
`;

/** Prepares each text once. */
export type Sql = (text: string) => StatementSync;

export interface InstanceColumns {
  readonly id: number;
  readonly app: string;
  readonly instance_id: string;
  readonly execution: string;
  readonly name: string;
  readonly version: string | null;
  readonly status: WorkflowStatus;
  readonly created_at: number;
  readonly updated_at: number;
  readonly started_at: number | null;
  readonly completed_at: number | null;
  readonly parent_app: string | null;
  readonly parent_id: string | null;
  readonly parent_execution: string | null;
  readonly parent_task: number | null;
  readonly fence: number;
  readonly turn: number;
  readonly events: number;
  readonly bytes: number;
  readonly failures: number;
  readonly reason: string | null;
  readonly ready: number | null;
  readonly free_at: number | null;
  readonly owner: string | null;
  readonly custom_status: string | null;
}

export const INSTANCE_COLUMNS =
  'id, app, instance_id, execution, name, version, status, created_at, updated_at, started_at, completed_at, parent_app, parent_id, parent_execution, parent_task, fence, turn, events, bytes, failures, reason, ready, free_at, owner, custom_status';

export function parentOf(row: Pick<InstanceColumns, 'parent_app' | 'parent_id' | 'parent_execution' | 'parent_task'>): WorkflowParent | undefined {
  if (row.parent_app === null || row.parent_id === null) return undefined;
  return { app: row.parent_app, instanceId: row.parent_id, executionId: row.parent_execution ?? '', taskId: row.parent_task ?? 0 };
}

export function workflowRow(row: InstanceColumns): WorkflowRow {
  const parent = parentOf(row);
  return {
    row: row.id,
    app: row.app,
    instanceId: row.instance_id,
    executionId: row.execution,
    name: row.name,
    status: row.status,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    fence: row.fence,
    turn: row.turn,
    events: row.events,
    bytes: row.bytes,
    failures: row.failures,
    ready: row.ready !== null,
    ...(row.version === null ? {} : { version: row.version }),
    ...(row.started_at === null ? {} : { startedAt: row.started_at }),
    ...(row.completed_at === null ? {} : { completedAt: row.completed_at }),
    ...(row.reason === null ? {} : { reason: row.reason }),
    ...(row.free_at === null ? {} : { freeAt: row.free_at }),
    ...(row.owner === null ? {} : { owner: row.owner }),
    ...(row.custom_status === null ? {} : { customStatus: row.custom_status }),
    ...(parent === undefined ? {} : { parent }),
  };
}

export interface ActivityColumns {
  readonly id: number;
  readonly instance: number;
  readonly instance_app: string;
  readonly instance_id: string;
  readonly execution: string;
  readonly task_id: number;
  readonly app: string;
  readonly name: string;
  readonly attempt: number;
  readonly ready: number | null;
  readonly free_at: number | null;
  readonly owner: string | null;
  readonly expires_at: number | null;
  readonly run_until: number | null;
  readonly end_by: number | null;
  readonly error: string | null;
  readonly request: string;
}

/** To be followed by WHERE. */
export const SELECT_ACTIVITY =
  'SELECT a.id, a.instance, i.app AS instance_app, i.instance_id, i.execution, a.task_id, a.app, a.name, a.attempt, a.ready, a.free_at, a.owner, a.expires_at, a.run_until, a.end_by, a.error, a.request FROM wf_activities a JOIN wf_instances i ON i.id = a.instance';

export function workflowActivity(row: ActivityColumns): WorkflowActivity {
  return {
    activity: row.id,
    row: row.instance,
    instanceApp: row.instance_app,
    instanceId: row.instance_id,
    executionId: row.execution,
    taskId: row.task_id,
    app: row.app,
    name: row.name,
    attempt: row.attempt,
    request: row.request,
    state: row.ready !== null ? 'ready' : row.owner !== null ? 'leased' : row.free_at !== null ? 'resting' : 'deferred',
    ...(row.owner === null ? {} : { owner: row.owner }),
    ...(row.free_at === null ? {} : { freeAt: row.free_at }),
    ...(row.expires_at === null ? {} : { expiresAt: row.expires_at }),
    ...(row.expires_at !== null && row.expires_at < Math.min(row.run_until ?? Infinity, row.end_by ?? Infinity) ? { expiresSilent: true } : {}),
    ...(row.error === null ? {} : { error: row.error }),
  };
}
