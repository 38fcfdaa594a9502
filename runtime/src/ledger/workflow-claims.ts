/**
 * Leases on instances and activities, and timers that fall due (`workflow-schema.ts` says what the columns mean).
 *
 * A claim first frees what is due of others (leases that ended, rests that are over), then takes what is ready, name by name,
 * so that a name at its limit is stepped over in the index rather than looked through (W7).
 */
import { POLLED_NAME } from '@mecha/components/kit/ledger-workflow.ts';
import type { ClaimedWorkflow, UnreadMessage, WorkflowActivity, WorkflowClaimRequest } from '@mecha/components/kit';
import { INSTANCE_COLUMNS, SELECT_ACTIVITY, workflowActivity, workflowRow, type ActivityColumns, type InstanceColumns, type Sql } from './workflow-schema.ts';

/** Rows that one claim frees at most. */
const FREE_ROWS = 500;
/** Names that one claim looks at. */
const NAMES_MAX = 1000;
/** A turn is given no more at once; the rest is for the next. */
const TURN_MESSAGES_MAX = 1000;
const NEVER = 9e15;

type Timed<T> = T & { readonly now: number };
export type ClaimRequest = Timed<WorkflowClaimRequest>;
export type RenewRequest = Timed<{
  readonly owner: string;
  readonly leaseMs: number;
  readonly instances: readonly { readonly row: number; readonly fence: number }[];
  readonly activities: readonly { readonly activity: number; readonly attempt: number }[];
}>;
interface Touching {
  readonly touched: readonly string[];
}

const FREE_INSTANCES = `UPDATE wf_instances SET owner = NULL, session = NULL, free_at = NULL,
  ready = CASE WHEN status = 'suspended' THEN NULL ELSE (SELECT sequence FROM wf_inbox WHERE instance = wf_instances.id ORDER BY later, sequence LIMIT 1) END`;
/** The deadline of an attempt that nobody runs any more goes with it; that of the activity stays. */
const FREE_ACTIVITIES = 'UPDATE wf_activities SET owner = NULL, session = NULL, free_at = NULL, ready = id, run_until = NULL, expires_at = end_by';
// Put together once: a text is looked up by itself at each use.
const OF_OTHERS = (table: string): string => `WHERE id IN (SELECT id FROM ${table} WHERE app = ? AND free_at <= ? AND (owner IS NULL OR owner <> ?) LIMIT ${FREE_ROWS})`;
const FREE_INSTANCES_OF_OTHERS = `${FREE_INSTANCES} ${OF_OTHERS('wf_instances')}`;
const FREE_ACTIVITIES_OF_OTHERS = `${FREE_ACTIVITIES} ${OF_OTHERS('wf_activities')}`;
const FORGOTTEN = 'WHERE session = ? AND owner = ? AND free_at <= ? RETURNING app';
const FREE_FORGOTTEN = [`${FREE_INSTANCES} ${FORGOTTEN}`, `${FREE_ACTIVITIES} ${FORGOTTEN}`];
const LEASE_INSTANCE = `UPDATE wf_instances SET fence = fence + 1, ready = NULL, free_at = ?, owner = ?, session = ? WHERE id = ? RETURNING ${INSTANCE_COLUMNS}`;
const UNREAD = `SELECT sequence, event, CASE is_result WHEN 1 THEN 'result' ELSE 'event' END AS kind FROM wf_inbox WHERE instance = ? ORDER BY later, sequence LIMIT ${TURN_MESSAGES_MAX}`;
const LEASE_ACTIVITY = `UPDATE wf_activities SET ready = NULL, free_at = ?, owner = ?, session = ?, run_until = ? + run_ms,
  expires_at = NULLIF(MIN(COALESCE(end_by, ${NEVER}), COALESCE(? + run_ms, ${NEVER}), COALESCE(? + beat_ms, ${NEVER})), ${NEVER}) WHERE id = ?`;
const ACTIVITY = `${SELECT_ACTIVITY} WHERE a.id = ?`;
const readyOf = (table: string) => ({
  ofName: `SELECT id FROM ${table} WHERE app = ? AND name = ? AND ready IS NOT NULL ORDER BY ready LIMIT ?`,
  firstName: `SELECT name FROM ${table} WHERE app = ? AND ready IS NOT NULL ORDER BY name LIMIT 1`,
  nextName: `SELECT name FROM ${table} WHERE app = ? AND ready IS NOT NULL AND name > ? ORDER BY name LIMIT 1`,
});
type Ready = ReturnType<typeof readyOf>;
const READY_INSTANCES = readyOf('wf_instances');
const READY_ACTIVITIES = readyOf('wf_activities');

export class WorkflowClaims {
  readonly #sql: Sql;
  readonly #session: string;
  /** Claims so far: each begins with another name. */
  #claims = 0;

  constructor(sql: Sql, session: string) {
    this.#sql = sql;
    this.#session = session;
  }

  claimInstances(request: ClaimRequest): { readonly instances: readonly ClaimedWorkflow[]; readonly more: boolean } {
    const { app, owner, leaseMs, now } = request;
    this.#sql(FREE_INSTANCES_OF_OTHERS).run(app, now, owner);
    const { ids, more } = this.#take(READY_INSTANCES, request);
    const instances = ids.map((id): ClaimedWorkflow => {
      const row = this.#sql(LEASE_INSTANCE).get(now + leaseMs, owner, this.#session, id);
      const messages = this.#sql(UNREAD).all(id);
      return { ...workflowRow(row as unknown as InstanceColumns), messages: messages as unknown as UnreadMessage[] };
    });
    return { instances, more };
  }

  claimActivities(request: ClaimRequest): { readonly activities: readonly WorkflowActivity[]; readonly more: boolean } {
    const { app, owner, leaseMs, now } = request;
    this.#sql(FREE_ACTIVITIES_OF_OTHERS).run(app, now, owner);
    const { ids, more } = this.#take(READY_ACTIVITIES, request);
    const activities = ids.map((id): WorkflowActivity => {
      this.#sql(LEASE_ACTIVITY).run(now + leaseMs, owner, this.#session, now, now, now, id);
      return workflowActivity(this.#sql(ACTIVITY).get(id) as unknown as ActivityColumns);
    });
    return { activities, more };
  }

  /** Ids of ready rows: an equal share for each name first, then what room is left. */
  #take(texts: Ready, { app, limit, names, limits = {} }: ClaimRequest): { readonly ids: readonly number[]; readonly more: boolean } {
    if (limit <= 0) return { ids: [], more: false };
    const ready = this.#readyNames(texts, app);
    const waiting = ready.filter((name) => names?.includes(name) ?? !name.startsWith(POLLED_NAME));
    if (waiting.length === 0) return { ids: [], more: false };
    const first = this.#claims++ % waiting.length;
    const ordered = [...waiting.slice(first), ...waiting.slice(0, first)];
    const ids: number[] = [];
    const seen = new Set<number>();
    const perName = new Map<string, number>();
    let more = false;
    for (const share of ordered.length === 1 ? [limit] : [Math.max(1, Math.floor(limit / ordered.length)), limit]) {
      for (const name of ordered) {
        const taken = perName.get(name) ?? 0;
        const room = Math.min(share, limits[name] ?? limit) - taken;
        const left = limit - ids.length;
        if (left <= 0) return { ids, more: true };
        if (room <= 0) continue;
        const rows = this.#sql(texts.ofName).all(app, name, Math.min(room, left) + taken) as { id: number }[];
        for (const { id } of rows) {
          if (seen.has(id) || ids.length >= limit) continue;
          seen.add(id);
          ids.push(id);
          perName.set(name, (perName.get(name) ?? 0) + 1);
        }
      }
      more = ids.length >= limit;
    }
    return { ids, more };
  }

  #readyNames(texts: Ready, app: string): string[] {
    const names: string[] = [];
    for (let after: string | undefined = undefined; names.length < NAMES_MAX; ) {
      const found = (
        after === undefined
          ? this.#sql(texts.firstName).get(app)
          : this.#sql(texts.nextName).get(app, after)
      ) as { name: string } | undefined;
      if (found === undefined) break;
      names.push((after = found.name));
    }
    return names;
  }

  /** What this owner holds and did not name is forgotten by it: freed. */
  renew({ owner, leaseMs, instances, activities, now }: RenewRequest): { readonly lostInstances: number[]; readonly lostActivities: number[] } & Touching {
    const lostInstances = instances.filter(({ row, fence }) => Number(this.#sql('UPDATE wf_instances SET free_at = ? WHERE id = ? AND fence = ? AND owner = ?').run(now + leaseMs, row, fence, owner).changes) === 0);
    const lostActivities = activities.filter(({ activity, attempt }) => Number(this.#sql('UPDATE wf_activities SET free_at = ? WHERE id = ? AND attempt = ? AND owner = ?').run(now + leaseMs, activity, attempt, owner).changes) === 0);
    const freed = FREE_FORGOTTEN.flatMap((text) => this.#sql(text).all(this.#session, owner, now)) as { app: string }[];
    return {
      lostInstances: lostInstances.map(({ row }) => row),
      lostActivities: lostActivities.map(({ activity }) => activity),
      touched: [...new Set(freed.map(({ app }) => `workflow/${app}`))],
    };
  }

  fireTimers({ app, limit, now }: { readonly app: string; readonly limit: number; readonly now: number }): { readonly fired: number; readonly nextDueAt?: number } & Touching {
    const earliest = (): number | null => (this.#sql('SELECT MIN(due_at) AS next FROM wf_timers WHERE app = ? AND due_at IS NOT NULL').get(app) as { next: number | null }).next;
    const first = earliest();
    if (first === null || first > now) return { fired: 0, touched: [], ...(first === null ? {} : { nextDueAt: first }) };
    const due = this.#sql('DELETE FROM wf_timers WHERE id IN (SELECT id FROM wf_timers WHERE app = ? AND due_at <= ? ORDER BY due_at, id LIMIT ?) RETURNING id, instance, due_at, is_result, event').all(app, now, limit) as {
      id: number; instance: number; due_at: number; is_result: number; event: string;
    }[];
    const touched = new Set<string>();
    for (const { instance, is_result: isResult, event } of due.toSorted((a, b) => a.due_at - b.due_at || a.id - b.id)) {
      const { lastInsertRowid } = this.#sql('INSERT INTO wf_inbox (instance, is_result, event) VALUES (?, ?, ?)').run(instance, isResult, event);
      const { changes } = this.#sql("UPDATE wf_instances SET ready = ? WHERE id = ? AND ready IS NULL AND free_at IS NULL AND status <> 'suspended'").run(lastInsertRowid, instance);
      if (Number(changes) > 0) touched.add(`workflow/${app}`);
    }
    const next = earliest();
    return { fired: due.length, touched: [...touched], ...(next === null ? {} : { nextDueAt: next }) };
  }

  /** What a process that is gone had leased (L3). */
  freeSession(session: string): readonly string[] {
    const freed = [...this.#sql(`${FREE_INSTANCES} WHERE session = ? RETURNING app`).all(session), ...this.#sql(`${FREE_ACTIVITIES} WHERE session = ? RETURNING app`).all(session)] as { app: string }[];
    return [...new Set(freed.map(({ app }) => `workflow/${app}`))];
  }
}
