/**
 * What the writer does to workflows: creations, steps, messages, results, purges (`workflow-claims.ts` leases and fires).
 * Runs inside the transaction and the savepoint of its batch, so throwing undoes all of the batch (W1).
 */
import { crc32 } from 'node:zlib';
import { LedgerConflict } from '@mecha/components/kit/ledger.ts';
import { isTerminalStatus } from '@mecha/components/kit/ledger-workflow.ts';
import type { NewActivity, NewTimer, NewWorkflow, WorkflowAppend, WorkflowMessage, WorkflowOperation, WorkflowParent, WorkflowPayload, WorkflowResult, WorkflowStatus, WorkflowStep } from '@mecha/components/kit';
import { parentOf, type InstanceColumns, type Sql } from './workflow-schema.ts';

const REUSABLE: Readonly<Record<NewWorkflow['ifExists'], (status: WorkflowStatus) => boolean>> = {
  unique: () => false,
  existing: () => false,
  terminal: isTerminalStatus,
  failed: (status) => isTerminalStatus(status) && status !== 'completed',
  restart: () => true,
};

/** The place of a payload that the custom status names. */
const OF_STATUS = -1;

type Target = Pick<InstanceColumns, 'id' | 'app' | 'execution' | 'status' | 'ready' | 'free_at'>;
type Stepped = Pick<InstanceColumns, 'id' | 'app' | 'instance_id' | 'execution' | 'status' | 'fence' | 'turn' | 'created_at' | 'events' | 'bytes' | 'ready' | 'free_at' | 'owner' | 'failures' | 'reason' | 'started_at' | 'parent_app' | 'parent_id' | 'parent_execution' | 'parent_task'>;
const STEPPED = 'id, app, instance_id, execution, status, fence, turn, created_at, events, bytes, ready, free_at, owner, failures, reason, started_at, parent_app, parent_id, parent_execution, parent_task';
// Put together once: a text is looked up by itself at each use.
const STEPPED_BY_ROW = `SELECT ${STEPPED} FROM wf_instances WHERE id = ?`;
const STEPPED_BY_ID = `SELECT ${STEPPED} FROM wf_instances WHERE app = ? AND instance_id = ?`;
const FAMILY_HEAD = `SELECT name, ${STEPPED} FROM wf_instances WHERE id = ?`;
const FAMILY_CHILDREN = `SELECT name, ${STEPPED} FROM wf_instances WHERE parent_app = ? AND parent_id = ?`;

export class WorkflowRequests {
  readonly #sql: Sql;
  readonly #session: string;

  constructor(sql: Sql, session: string) {
    this.#sql = sql;
    this.#session = session;
  }

  apply(operation: WorkflowOperation, index: number, now: number, touched: Set<string>): WorkflowResult {
    switch (operation.type) {
      case 'workflow.create':
        return this.#create(operation, index, now, touched);
      case 'workflow.step': {
        const row = this.#sql(STEPPED_BY_ROW).get(operation.row) as Stepped | undefined;
        if (row === undefined || row.fence !== operation.fence || isTerminalStatus(row.status)) throw new LedgerConflict('fence', index);
        return this.#step(row, operation, index, now, touched);
      }
      case 'workflow.first-step': {
        const row = this.#sql(STEPPED_BY_ID).get(operation.app, operation.instanceId) as Stepped | undefined;
        if (row === undefined || row.fence !== 0 || row.execution !== operation.executionId) throw new LedgerConflict('fence', index);
        this.#sql('DELETE FROM wf_inbox WHERE instance = ?').run(row.id);
        return this.#step(row, { ...operation, type: 'workflow.step', row: row.id, fence: 0, consumed: [] }, index, now, touched);
      }
      case 'workflow.send':
        return this.#send(operation, touched);
      case 'workflow.complete': {
        const found = this.#sql('DELETE FROM wf_activities WHERE id = ? AND attempt = ? RETURNING instance').get(operation.activity, operation.attempt) as { instance: number } | undefined;
        if (found === undefined) return { applied: false };
        this.#deliver(this.#target(found.instance), operation.message, touched);
        return { applied: true, row: found.instance };
      }
      case 'workflow.retry': {
        const found = this.#sql(
          `UPDATE wf_activities SET attempt = attempt + 1, ready = NULL, free_at = ?, owner = NULL, session = NULL, run_until = NULL, expires_at = end_by, error = ?
             WHERE id = ? AND attempt = ? RETURNING app`,
        ).get(operation.freeAt, operation.error, operation.activity, operation.attempt) as { app: string } | undefined;
        if (found) touched.add(`workflow/${found.app}`);
        return { applied: found !== undefined };
      }
      case 'workflow.defer':
        return changed(this.#sql('UPDATE wf_activities SET owner = NULL, session = NULL, free_at = NULL, ready = NULL WHERE id = ? AND attempt = ?').run(operation.activity, operation.attempt));
      case 'workflow.heartbeat':
        return changed(
          this.#sql('UPDATE wf_activities SET expires_at = CASE WHEN beat_ms IS NULL THEN expires_at ELSE MIN(? + beat_ms, COALESCE(run_until, end_by, ? + beat_ms), COALESCE(end_by, ? + beat_ms)) END WHERE id = ? AND attempt = ? AND ready IS NULL').run(now, now, now, operation.activity, operation.attempt),
        );
      case 'workflow.return': {
        const found = this.#sql('UPDATE wf_activities SET ready = id, free_at = NULL, owner = NULL, session = NULL, run_until = NULL, expires_at = end_by WHERE id = ? AND owner = ? RETURNING app').get(operation.activity, operation.owner) as { app: string } | undefined;
        if (found) touched.add(`workflow/${found.app}`);
        return { applied: found !== undefined };
      }
      case 'workflow.release':
        return this.#release(operation, touched);
      case 'workflow.wake': {
        const { changes } = this.#sql("UPDATE wf_instances SET free_at = NULL WHERE id = ? AND owner IS NULL AND free_at IS NOT NULL AND status <> 'suspended'").run(operation.row);
        if (Number(changes) > 0) this.#markReady(this.#target(operation.row), touched);
        return changed({ changes });
      }
      case 'workflow.control':
        return this.#control(operation, now, touched);
      case 'workflow.reopen':
        return this.#reopen(operation, now, touched);
      case 'workflow.purge':
        return this.#purge(operation, touched);
    }
  }

  #create(workflow: NewWorkflow, index: number, now: number, touched: Set<string>): WorkflowResult {
    const { app, instanceId, parent } = workflow;
    const existing = this.#sql(STEPPED_BY_ID).get(app, instanceId) as Stepped | undefined;
    if (existing) {
      if (workflow.ifExists === 'existing') return { applied: false, row: existing.id, status: existing.status };
      const hasEnded = isTerminalStatus(existing.status);
      const of = parentOf(existing);
      // The child of an execution that is no more: nobody waits for it, and it must not stand in the way of the one that is.
      const isOrphan = of !== undefined && of.app === parent?.app && of.instanceId === parent.instanceId && of.executionId !== parent.executionId;
      // Somebody else waits for a child that has not ended: it is not taken away from them.
      const isAwaited = of !== undefined && !hasEnded;
      if (!isOrphan && (isAwaited || !REUSABLE[workflow.ifExists](existing.status))) throw new LedgerConflict(instanceId, index);
      for (const { id: member } of this.#family(existing.id, !hasEnded)) this.#removeAll(member);
    }
    const { lastInsertRowid } = this.#sql(
      `INSERT INTO wf_instances (app, instance_id, execution, name, version, status, free_at, created_at, updated_at, parent_app, parent_id, parent_execution, parent_task) VALUES (?, ?, ?, ?, ?, 'pending', ?, ?, ?, ?, ?, ?, ?)`,
    ).run(app, instanceId, workflow.executionId, workflow.name, workflow.version ?? null, workflow.startAt ?? null, now, now, parent?.app ?? null, parent?.instanceId ?? null, parent?.executionId ?? null, parent?.taskId ?? null);
    const id = Number(lastInsertRowid);
    // A start in the future is a rest: its message is the first in the inbox, whatever arrives before.
    this.#deliver({ id, app, execution: workflow.executionId, status: 'pending', ready: null, free_at: workflow.startAt ?? null }, workflow.message, touched);
    if (workflow.startAt !== undefined) touched.add(`workflow/${app}`);
    for (const [name, value] of Object.entries(workflow.attributes ?? {})) this.#setAttribute(id, app, now, name, value);
    touched.add(`workflow-status/${app}`);
    return { applied: true, row: id };
  }

  #step(row: Stepped, step: WorkflowStep, index: number, now: number, touched: Set<string>): WorkflowResult {
    const { id, app } = row;
    for (const { activity, attempt } of step.resolved ?? []) {
      const { changes } = this.#sql('DELETE FROM wf_activities WHERE id = ? AND attempt = ?').run(activity, attempt);
      if (Number(changes) === 0) throw new LedgerConflict('activity', index);
    }
    for (const sequence of step.consumed) {
      // Read by a turn that another overtook, though the fence says otherwise: that cannot be, and must not pass.
      if (Number(this.#sql('DELETE FROM wf_inbox WHERE sequence = ? AND instance = ?').run(sequence, id).changes) === 0) throw new LedgerConflict('message', index);
    }
    if (step.reset) this.#reset(id, step.reset);
    const hasEnded = isTerminalStatus(step.status);
    const events = step.reset ? 0 : row.events;
    const { count, data } = step.append ?? { count: 0, data: '' };
    if (step.append && count > 0) this.#append(id, events, step.append);
    if (step.snapshot !== undefined) this.#setSnapshot(id, step.snapshot);
    for (const taskId of step.dropActivities ?? []) this.#sql('DELETE FROM wf_activities WHERE instance = ? AND task_id = ?').run(id, taskId);
    for (const timerId of step.dropTimers ?? []) this.#sql('DELETE FROM wf_timers WHERE instance = ? AND timer_id = ?').run(id, timerId);
    if (hasEnded) this.#removeOpen(id);
    const activities = hasEnded ? [] : (step.activities ?? []).map((activity) => this.#addActivity(id, activity, index, now, touched));
    if (!hasEnded) for (const timer of step.timers ?? []) this.#addTimer(id, app, timer, index, touched);
    for (const [name, value] of Object.entries(step.attributes ?? {})) this.#setAttribute(id, app, row.created_at, name, value);

    this.#sql('UPDATE wf_instances SET fence = fence + 1, turn = turn + 1, events = ?, bytes = ?, updated_at = ? WHERE id = ?').run(events + count, (step.reset ? 0 : row.bytes) + data.length, now, id);
    if (step.customStatus !== undefined) this.#setCustomStatus(id, step.customStatus, step.customStatusPayload);
    if (step.version !== undefined) this.#sql('UPDATE wf_instances SET version = ? WHERE id = ?').run(step.version, id);
    if (step.reset) this.#sql('UPDATE wf_instances SET execution = ? WHERE id = ?').run(step.reset.executionId, id);
    const reason = step.reason === undefined ? row.reason : step.reason;
    if (reason !== row.reason || row.failures !== 0) this.#sql('UPDATE wf_instances SET failures = 0, reason = ? WHERE id = ?').run(reason, id);
    if (step.status !== row.status || (row.started_at === null && step.status !== 'pending')) {
      this.#sql('UPDATE wf_instances SET status = ?, started_at = COALESCE(started_at, ?), completed_at = ? WHERE id = ?').run(step.status, now, hasEnded ? now : null, id);
      touched.add(`workflow-status/${app}`);
    }
    // Before messages are delivered: one of them may be for this instance itself.
    const restUntil = step.restUntil ?? null;
    if (row.ready !== null || row.free_at !== restUntil || row.owner !== null) this.#sql('UPDATE wf_instances SET ready = NULL, free_at = ?, owner = NULL, session = NULL WHERE id = ?').run(restUntil, id);
    const self: Target = { id, app, execution: step.reset?.executionId ?? row.execution, status: step.status, ready: null, free_at: restUntil };
    for (const child of step.create ?? []) this.#createOrRefuse(self, child, index, now, touched);
    for (const { app: toApp, instanceId, executionId, message } of step.send ?? []) {
      this.#send({ app: toApp, instanceId, message, ...(executionId === undefined ? {} : { executionId }) }, touched);
    }
    if (step.toParent) this.#tellParent(parentOf(row), step.toParent, touched);
    const ready = !hasEnded && this.#markReady(self, touched);
    return { applied: true, row: id, fence: row.fence + 1, turn: row.turn + 1, ready, activities };
  }

  #createOrRefuse(self: Target, child: NewWorkflow & { readonly refused?: WorkflowMessage }, index: number, now: number, touched: Set<string>): void {
    try {
      this.#create(child, index, now, touched);
    } catch (error) {
      // Thrown before anything was written.
      if (!(error instanceof LedgerConflict)) throw error;
      if (child.refused) this.#deliver(self, child.refused, touched);
    }
  }

  #reset(id: number, { messages }: NonNullable<WorkflowStep['reset']>): void {
    this.#sql('DELETE FROM wf_history WHERE instance = ?').run(id);
    this.#sql('DELETE FROM wf_activities WHERE instance = ?').run(id);
    this.#sql('DELETE FROM wf_timers WHERE instance = ?').run(id);
    this.#sql('DELETE FROM wf_inbox WHERE instance = ? AND is_result = 1').run(id);
    this.#sql(`DELETE FROM wf_payloads WHERE instance = ? AND sequence <> ${OF_STATUS} AND sequence NOT IN (SELECT sequence FROM wf_inbox WHERE instance = ?)`).run(id, id);
    for (const { event, kind, payloads = [] } of messages) {
      const { lastInsertRowid } = this.#sql('INSERT INTO wf_inbox (instance, later, is_result, event) VALUES (?, 0, ?, ?)').run(id, kind === 'result' ? 1 : 0, event);
      for (const payload of payloads) this.#addPayload(id, payload, lastInsertRowid);
    }
  }

  #append(id: number, first: number, { count, data, payloads = [] }: WorkflowAppend): void {
    this.#sql('INSERT INTO wf_history (instance, first, count, crc, data) VALUES (?, ?, ?, ?, ?)').run(id, first, count, crc32(data), data);
    for (const payload of payloads) this.#keepPayload(id, payload);
  }

  #setCustomStatus(id: number, text: string | null, payload: WorkflowPayload | undefined): void {
    this.#sql('UPDATE wf_instances SET custom_status = ? WHERE id = ?').run(text, id);
    this.#sql(`DELETE FROM wf_payloads WHERE instance = ? AND sequence = ${OF_STATUS}`).run(id);
    if (payload) this.#addPayload(id, payload, OF_STATUS);
  }

  /** For the history: until it goes, any other of this content goes no earlier, but for that of a status. */
  #keepPayload(instance: number, payload: WorkflowPayload): void {
    const found = this.#sql('SELECT 1 FROM wf_payloads WHERE instance = ? AND id = ? AND sequence >= 0').get(instance, payload.id);
    if (found === undefined) this.#addPayload(instance, payload, 0);
  }
  #addPayload(instance: number, { id, data }: WorkflowPayload, sequence: number | bigint): void {
    this.#sql('INSERT INTO wf_payloads (instance, id, sequence, crc, data) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING').run(instance, id, sequence, crc32(data), data);
  }

  #addActivity(instance: number, activity: NewActivity, index: number, now: number, touched: Set<string>): number {
    const { claim, endBy = null, runMs = null, beatMs = null } = activity;
    const runUntil = claim && runMs !== null ? now + runMs : null;
    const expiresAt = earliest(endBy, runUntil, claim && beatMs !== null ? now + beatMs : null);
    const { changes, lastInsertRowid } = this.#sql(
      'INSERT INTO wf_activities (instance, task_id, app, name, free_at, owner, session, end_by, run_ms, run_until, beat_ms, expires_at, request) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
    ).run(instance, activity.taskId, activity.app, activity.name, claim ? now + claim.leaseMs : null, claim?.owner ?? null, claim ? this.#session : null, endBy, runMs, runUntil, beatMs, expiresAt, activity.request);
    if (Number(changes) === 0) throw new LedgerConflict('task', index);
    for (const payload of activity.payloads ?? []) this.#keepPayload(instance, payload);
    if (!claim) {
      this.#sql('UPDATE wf_activities SET ready = id WHERE id = ?').run(lastInsertRowid);
      touched.add(`workflow/${activity.app}`);
    }
    return Number(lastInsertRowid);
  }

  #addTimer(instance: number, app: string, timer: NewTimer, index: number, touched: Set<string>): void {
    const { changes } = this.#sql('INSERT INTO wf_timers (instance, timer_id, app, due_at, is_result, event) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING').run(
      instance, timer.timerId, app, timer.dueAt ?? null, timer.message.kind === 'result' ? 1 : 0, timer.message.event,
    );
    if (Number(changes) === 0) throw new LedgerConflict('task', index);
    if (timer.dueAt !== undefined) touched.add(`workflow/${app}`);
  }

  #setSnapshot(id: number, snapshot: string | null): void {
    if (snapshot === null) this.#sql('DELETE FROM wf_snapshots WHERE instance = ?').run(id);
    else this.#sql('INSERT OR REPLACE INTO wf_snapshots (instance, crc, data) VALUES (?, ?, ?)').run(id, crc32(snapshot), snapshot);
  }

  #setAttribute(id: number, app: string, createdAt: number, name: string, value: string | null): void {
    if (value === null) this.#sql('DELETE FROM wf_attributes WHERE instance = ? AND name = ?').run(id, name);
    else this.#sql('INSERT OR REPLACE INTO wf_attributes (instance, name, app, value, created_at) VALUES (?, ?, ?, ?, ?)').run(id, name, app, value, createdAt);
  }

  #send({ app, instanceId, executionId, message }: { app: string; instanceId: string; executionId?: string; message: WorkflowMessage }, touched: Set<string>): WorkflowResult {
    const target = this.#sql('SELECT id, app, execution, status, ready, free_at FROM wf_instances WHERE app = ? AND instance_id = ?').get(app, instanceId) as Target | undefined;
    if (target === undefined || (executionId !== undefined && target.execution !== executionId)) return { applied: false };
    if (isTerminalStatus(target.status)) return { applied: false, row: target.id, status: target.status };
    this.#deliver(target, message, touched);
    return { applied: true, row: target.id, status: target.status };
  }

  /** W4: the parent's row is found by id, and takes it only as the execution that made the child. */
  #tellParent(parent: WorkflowParent | undefined, message: WorkflowMessage, touched: Set<string>): void {
    if (parent) this.#send({ app: parent.app, instanceId: parent.instanceId, executionId: parent.executionId, message }, touched);
  }

  #target(id: number): Target {
    return this.#sql('SELECT id, app, execution, status, ready, free_at FROM wf_instances WHERE id = ?').get(id) as Target;
  }

  #deliver(target: Target, { event, kind, payloads = [] }: WorkflowMessage, touched: Set<string>): void {
    const { lastInsertRowid } = this.#sql('INSERT INTO wf_inbox (instance, is_result, event) VALUES (?, ?, ?)').run(target.id, kind === 'result' ? 1 : 0, event);
    for (const payload of payloads) this.#addPayload(target.id, payload, lastInsertRowid);
    if (target.ready !== null || target.free_at !== null || target.status === 'suspended') return;
    this.#sql('UPDATE wf_instances SET ready = ? WHERE id = ?').run(lastInsertRowid, target.id);
    touched.add(`workflow/${target.app}`);
  }

  /** W2: ready by its oldest unread message, if it has one and nothing speaks against it. */
  #markReady(target: Target, touched: Set<string>): boolean {
    if (target.free_at !== null || target.status === 'suspended') return false;
    const unread = this.#sql('SELECT sequence FROM wf_inbox WHERE instance = ? ORDER BY later, sequence LIMIT 1').get(target.id) as { sequence: number } | undefined;
    if (unread === undefined) return false;
    this.#sql('UPDATE wf_instances SET ready = ? WHERE id = ?').run(unread.sequence, target.id);
    touched.add(`workflow/${target.app}`);
    return true;
  }

  #release(operation: Extract<WorkflowOperation, { type: 'workflow.release' }>, touched: Set<string>): WorkflowResult {
    const { row, fence, failed } = operation;
    const restUntil = operation.restUntil ?? null;
    const found = this.#sql(
      'UPDATE wf_instances SET fence = fence + 1, owner = NULL, session = NULL, free_at = ?, ready = NULL, failures = failures + ?, reason = COALESCE(?, reason) WHERE id = ? AND fence = ? RETURNING id, app, execution, status, ready, free_at',
    ).get(restUntil, failed === undefined ? 0 : 1, failed ?? null, row, fence) as Target | undefined;
    if (found === undefined || isTerminalStatus(found.status)) return { applied: false };
    if (restUntil !== null) touched.add(`workflow/${found.app}`);
    this.#markReady(found, touched);
    return { applied: true };
  }

  #control(operation: Extract<WorkflowOperation, { type: 'workflow.control' }>, now: number, touched: Set<string>): WorkflowResult {
    const { status, append, graceful, keepUnread } = operation;
    let count = 0;
    for (const row of this.#family(operation.row, operation.recurse ?? false)) {
      const { id, app } = row;
      if (isTerminalStatus(row.status) || row.status === status || (status === 'running' && row.status !== 'suspended')) continue;
      count++;
      if (graceful?.names.includes(row.name)) {
        this.#tellToEnd(row, graceful.message, touched);
        continue;
      }
      const hasEnded = status === 'terminated';
      // A lease is taken away; a rest, which may be that until a scheduled start, stays.
      const restsUntil = hasEnded || row.owner !== null ? null : row.free_at;
      const kept = hasEnded && keepUnread !== undefined ? this.#keepUnread(row, keepUnread) : 0;
      this.#append(id, row.events + (kept > 0 ? 1 : 0), append);
      this.#sql(
        'UPDATE wf_instances SET status = ?, fence = fence + 1, turn = turn + 1, events = events + ?, bytes = bytes + ?, updated_at = ?, started_at = COALESCE(started_at, ?), completed_at = ?, ready = NULL, free_at = ?, owner = NULL, session = NULL WHERE id = ?',
      ).run(status, append.count + (kept > 0 ? 1 : 0), append.data.length + kept, now, now, hasEnded ? now : null, restsUntil, id);
      touched.add(`workflow-status/${app}`);
      if (hasEnded) this.#removeOpen(id);
      else this.#markReady({ ...row, status, ready: null, free_at: restsUntil }, touched);
      if (id === operation.row && operation.toParent) this.#tellParent(parentOf(row), operation.toParent, touched);
    }
    return { applied: count > 0, count };
  }

  /** It hears of it now, whatever it rests for, unless a turn is under way. */
  #tellToEnd(row: Stepped, message: WorkflowMessage, touched: Set<string>): void {
    const rests = row.owner === null && (row.status === 'suspended' || row.free_at !== null);
    const target: Target = rests ? { ...row, status: row.status === 'suspended' ? 'running' : row.status, free_at: null } : row;
    if (rests) {
      this.#sql('UPDATE wf_instances SET status = ?, free_at = NULL WHERE id = ?').run(target.status, row.id);
      touched.add(`workflow-status/${row.app}`);
    }
    this.#deliver(target, message, touched);
    if (rests) this.#markReady(target, touched);
  }

  /** Bytes that its history has grown by: one event, or none. */
  #keepUnread({ id, events }: Stepped, beginning: string): number {
    const oldest = this.#sql('SELECT event FROM wf_inbox WHERE instance = ? ORDER BY later, sequence LIMIT 1').get(id) as { event: string } | undefined;
    if (!oldest?.event.startsWith(beginning)) return 0;
    const data = `[${oldest.event}]`;
    this.#append(id, events, { count: 1, data });
    return data.length;
  }

  #reopen({ row: id, message }: Extract<WorkflowOperation, { type: 'workflow.reopen' }>, now: number, touched: Set<string>): WorkflowResult {
    const row = this.#sql(STEPPED_BY_ROW).get(id) as Stepped | undefined;
    if (row === undefined) return { applied: false };
    if (!isTerminalStatus(row.status)) return { applied: false, row: id, status: row.status };
    this.#sql("UPDATE wf_instances SET status = 'running', fence = fence + 1, updated_at = ?, completed_at = NULL, ready = NULL, free_at = NULL, owner = NULL, session = NULL WHERE id = ?").run(now, id);
    touched.add(`workflow-status/${row.app}`);
    this.#deliver({ ...row, status: 'running', ready: null, free_at: null }, message, touched);
    return { applied: true, row: id, status: 'running' };
  }

  #purge({ row, force, recurse = false }: Extract<WorkflowOperation, { type: 'workflow.purge' }>, touched: Set<string>): WorkflowResult {
    const family = this.#family(row, recurse);
    const [first] = family;
    if (first === undefined) return { applied: false, count: 0 };
    const open = family.find(({ status }) => !isTerminalStatus(status));
    if (open && !force) return { applied: false, count: 0, status: open.status };
    if (force && !isTerminalStatus(first.status)) this.#tellParent(parentOf(first), force.toParent, touched);
    for (const { id, app } of family) {
      this.#removeAll(id);
      touched.add(`workflow-status/${app}`);
    }
    return { applied: true, count: family.length };
  }

  /** The instance, and its descendants of whatever execution, parents before children. */
  #family(row: number, recurse: boolean): (Stepped & { readonly name: string })[] {
    const family = this.#sql(FAMILY_HEAD).all(row) as unknown as (Stepped & { name: string })[];
    const seen = new Set(family.map(({ id }) => id));
    if (!recurse) return family;
    for (const member of family) {
      const children = this.#sql(FAMILY_CHILDREN).all(member.app, member.instance_id) as unknown as (Stepped & { name: string })[];
      for (const child of children) {
        if (seen.has(child.id)) continue;
        seen.add(child.id);
        family.push(child);
      }
    }
    return family;
  }

  #removeOpen(id: number): void {
    this.#sql('DELETE FROM wf_activities WHERE instance = ?').run(id);
    this.#sql('DELETE FROM wf_timers WHERE instance = ?').run(id);
    this.#sql('DELETE FROM wf_inbox WHERE instance = ?').run(id);
  }

  #removeAll(id: number): void {
    this.#removeOpen(id);
    this.#sql('DELETE FROM wf_history WHERE instance = ?').run(id);
    this.#sql('DELETE FROM wf_payloads WHERE instance = ?').run(id);
    this.#sql('DELETE FROM wf_snapshots WHERE instance = ?').run(id);
    this.#sql('DELETE FROM wf_attributes WHERE instance = ?').run(id);
    this.#sql('DELETE FROM wf_instances WHERE id = ?').run(id);
  }
}

function changed({ changes }: { readonly changes: number | bigint }): WorkflowResult {
  return { applied: Number(changes) > 0 };
}
function earliest(...instants: readonly (number | null | undefined)[]): number | null {
  const given = instants.filter((instant) => instant !== null && instant !== undefined);
  return given.length === 0 ? null : Math.min(...given);
}
