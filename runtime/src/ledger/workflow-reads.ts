/** Reading workflows: prepared statements on a connection of the caller's, each by an index; a list examines a bounded number of rows. */
import { crc32 } from 'node:zlib';
import { LedgerRefused, WORKFLOW_STATUSES, type UnreadMessage, type WorkflowLedger, type WorkflowQuery, type WorkflowRow, type WorkflowStatus } from '@mecha/components/kit';
import { INSTANCE_COLUMNS, SELECT_ACTIVITY, workflowActivity, workflowRow, type ActivityColumns, type InstanceColumns, type Sql } from './workflow-schema.ts';

/** Rows that one page of a list looks at: what the index cannot choose is chosen by looking. */
const LIST_ROWS_MAX = 5000;
const LAST = Number.MAX_SAFE_INTEGER;

type Reads = Pick<WorkflowLedger, 'expired' | 'find' | 'list' | 'history' | 'snapshot' | 'payload' | 'inbox' | 'activities' | 'activity' | 'timers' | 'children' | 'attributes' | 'overview'>;

/** `read` runs the work, and translates what goes wrong. */
export function workflowReads(sql: Sql, read: <T>(work: () => T) => T, now: () => number): Reads {
  const activitiesOf = (rows: unknown): ReturnType<typeof workflowActivity>[] => (rows as ActivityColumns[]).map(workflowActivity);
  return {
    expired: async ({ app, limit }) =>
      read(() => {
        const least = (text: string): number => (sql(text).get(app) as { at: number | null }).at ?? Infinity;
        const late = least('SELECT MIN(expires_at) AS at FROM wf_activities WHERE app = ? AND expires_at IS NOT NULL');
        const activities = late > now() ? [] : activitiesOf(sql(`${SELECT_ACTIVITY} WHERE a.app = ? AND a.expires_at <= ? ORDER BY a.expires_at LIMIT ?`).all(app, now(), limit));
        const next = Math.min(late, least('SELECT MIN(free_at) AS at FROM wf_activities WHERE app = ? AND free_at IS NOT NULL'), least('SELECT MIN(free_at) AS at FROM wf_instances WHERE app = ? AND free_at IS NOT NULL'));
        return { activities, ...(next === Infinity ? {} : { nextAt: next }) };
      }),
    find: async (app, instanceId) =>
      read(() => {
        const row = sql(`SELECT ${INSTANCE_COLUMNS} FROM wf_instances WHERE app = ? AND instance_id = ?`).get(app, instanceId);
        return row === undefined ? undefined : workflowRow(row as unknown as InstanceColumns);
      }),
    list: async (query) => read(() => list(sql, query)),
    history: async (row, from, limit) =>
      read(() => {
        const start = sql('SELECT MAX(first) AS start FROM wf_history WHERE instance = ? AND first <= ?').get(row, from) as { start: number | null };
        const pages: { first: number; count: number; data: string }[] = [];
        let count = 0;
        for (const page of sql('SELECT first, count, crc, data FROM wf_history WHERE instance = ? AND first >= ? ORDER BY first').iterate(row, start.start ?? 0)) {
          const { first, count: events, crc, data } = page as { first: number; count: number; crc: number; data: string };
          if (crc32(data) !== crc) throw damaged(`history of workflow row ${row} from event ${first}`);
          pages.push({ first, count: events, data });
          count += first + events - Math.max(first, from);
          if (count >= limit) break;
        }
        return pages;
      }),
    snapshot: async (row) =>
      read(() => {
        const found = sql('SELECT crc, data FROM wf_snapshots WHERE instance = ?').get(row) as { crc: number; data: string } | undefined;
        if (found && crc32(found.data) !== found.crc) throw damaged(`snapshot of workflow row ${row}`);
        return found?.data;
      }),
    payload: async (row, id) =>
      read(() => {
        const found = sql('SELECT crc, data FROM wf_payloads WHERE instance = ? AND id = ? LIMIT 1').get(row, id) as { crc: number; data: string } | undefined;
        if (found && crc32(found.data) !== found.crc) throw damaged(`payload ${id} of workflow row ${row}`);
        return found?.data;
      }),
    inbox: async (row, limit) =>
      read(() => sql("SELECT sequence, event, CASE is_result WHEN 1 THEN 'result' ELSE 'event' END AS kind FROM wf_inbox WHERE instance = ? ORDER BY later, sequence LIMIT ?").all(row, limit) as unknown as UnreadMessage[]),
    activities: async (row, limit, from = Number.MIN_SAFE_INTEGER) => read(() => activitiesOf(sql(`${SELECT_ACTIVITY} WHERE a.instance = ? AND a.task_id >= ? ORDER BY a.task_id LIMIT ?`).all(row, from, limit))),
    activity: async (activity) => read(() => activitiesOf(sql(`${SELECT_ACTIVITY} WHERE a.id = ?`).all(activity))[0]),
    timers: async (row, limit) =>
      read(() =>
        (sql('SELECT timer_id, due_at, is_result, event FROM wf_timers WHERE instance = ? ORDER BY due_at, timer_id LIMIT ?').all(row, limit) as { timer_id: number; due_at: number | null; is_result: number; event: string }[]).map(
          ({ timer_id: timerId, due_at: dueAt, is_result: isResult, event }) => ({ timerId, message: { event, kind: isResult === 1 ? ('result' as const) : ('event' as const) }, ...(dueAt === null ? {} : { dueAt }) }),
        ),
      ),
    children: async ({ app, instanceId, executionId }, limit) =>
      read(() =>
        (sql(`SELECT ${INSTANCE_COLUMNS} FROM wf_instances WHERE parent_app = ? AND parent_id = ? AND (?3 IS NULL OR parent_execution = ?3) ORDER BY id LIMIT ?`).all(app, instanceId, executionId ?? null, limit) as unknown as InstanceColumns[]).map(workflowRow),
      ),
    overview: async (app) =>
      read(() => {
        const counts = sql("SELECT status, COUNT(*) AS count FROM wf_instances WHERE app = ? AND status IN ('pending', 'running', 'suspended', 'stalled') GROUP BY status").all(app) as { status: WorkflowStatus; count: number }[];
        const { at } = sql('SELECT MIN(due_at) AS at FROM wf_timers WHERE app = ? AND due_at IS NOT NULL').get(app) as { at: number | null };
        return { open: Object.fromEntries(counts.map(({ status, count }) => [status, count])), ...(at === null ? {} : { nextDueAt: at }) };
      }),
    attributes: async (row) => read(() => Object.fromEntries((sql('SELECT name, value FROM wf_attributes WHERE instance = ?').all(row) as { name: string; value: string }[]).map(({ name, value }) => [name, value]))),
  };
}

function damaged(what: string): LedgerRefused {
  return new LedgerRefused('damaged', `${what} is damaged on the disk: its checksum is wrong; restore the ledger's file from a copy, or purge the instance`);
}

/** Newest first by (created, row). The narrowest index chooses, the rest is looked at; several statuses are several lists made one. */
function list(sql: Sql, query: WorkflowQuery): { instances: WorkflowRow[]; cursor?: string } {
  const [at, id] = query.cursor?.split('.').map(Number) ?? [];
  const before = [at ?? query.createdTo ?? LAST, id ?? (at === undefined && query.createdTo !== undefined ? 0 : LAST)] as const;
  const from = query.createdFrom ?? 0;
  const found: InstanceColumns[] = [];
  let examined = 0;
  let last: InstanceColumns | undefined;
  let cut = false;
  for (const row of candidates(sql, query, before, from)) {
    last = row;
    if (matchesQuery(row, query)) found.push(row);
    if (found.length >= query.limit || ++examined >= LIST_ROWS_MAX) {
      cut = true;
      break;
    }
  }
  return { instances: found.map(workflowRow), ...(cut && last ? { cursor: `${last.created_at}.${last.id}` } : {}) };
}

/** What the index that was chosen does not choose. */
export function matchesQuery(row: InstanceColumns, { statuses, name, idPrefix, completedBefore, createdTo }: WorkflowQuery): boolean {
  return (
    (statuses === undefined || statuses.includes(row.status)) &&
    (name === undefined || row.name === name) &&
    (idPrefix === undefined || row.instance_id.startsWith(idPrefix)) &&
    (createdTo === undefined || row.created_at < createdTo) &&
    (completedBefore === undefined || (row.completed_at !== null && row.completed_at < completedBefore))
  );
}

type Before = readonly [createdAt: number, row: number];
function* candidates(sql: Sql, query: WorkflowQuery, before: Before, from: number): Generator<InstanceColumns> {
  const { app, attribute, name, completedBefore } = query;
  const statuses = query.statuses && WORKFLOW_STATUSES.filter((status) => query.statuses?.includes(status));
  const rows = (text: string, ...args: (string | number)[]): Iterator<InstanceColumns> => sql(text).iterate(...args) as unknown as Iterator<InstanceColumns>;
  const tail = '(created_at, id) < (?, ?) AND created_at >= ? ORDER BY created_at DESC, id DESC';
  if (completedBefore !== undefined) {
    for (const status of statuses ?? WORKFLOW_STATUSES) {
      yield* rowsOf(rows(`SELECT ${INSTANCE_COLUMNS} FROM wf_instances WHERE app = ? AND status = '${status}' AND completed_at < ? ORDER BY completed_at`, app, completedBefore));
    }
  } else if (attribute) {
    const columns = INSTANCE_COLUMNS.split(', ').map((column) => `i.${column}`).join(', ');
    yield* rowsOf(rows(`SELECT ${columns} FROM wf_attributes t JOIN wf_instances i ON i.id = t.instance WHERE t.app = ? AND t.name = ? AND t.value = ? AND (t.created_at, t.instance) < (?, ?) AND t.created_at >= ? ORDER BY t.created_at DESC, t.instance DESC`, app, attribute.name, attribute.value, ...before, from));
  } else if (name !== undefined) {
    yield* rowsOf(rows(`SELECT ${INSTANCE_COLUMNS} FROM wf_instances WHERE app = ? AND name = ? AND ${tail}`, app, name, ...before, from));
  } else if (statuses !== undefined) {
    // One statement can be open once: each status has a text of its own.
    const lists = statuses.map((status) => rowsOf(rows(`SELECT ${INSTANCE_COLUMNS} FROM wf_instances WHERE app = ? AND status = '${status}' AND ${tail}`, app, ...before, from)));
    yield* newestFirst(lists);
  } else {
    yield* rowsOf(rows(`SELECT ${INSTANCE_COLUMNS} FROM wf_instances WHERE app = ? AND ${tail}`, app, ...before, from));
  }
}

function* rowsOf(rows: Iterator<InstanceColumns>): Generator<InstanceColumns> {
  try {
    for (let next = rows.next(); !next.done; next = rows.next()) yield next.value;
  } finally {
    rows.return?.();
  }
}

function* newestFirst(lists: Generator<InstanceColumns>[]): Generator<InstanceColumns> {
  const heads = lists.map((rows) => rows.next());
  try {
    for (;;) {
      let best = -1;
      for (const [n, head] of heads.entries()) {
        const leader = heads[best];
        if (!head.done && (leader === undefined || leader.done || head.value.created_at > leader.value.created_at || (head.value.created_at === leader.value.created_at && head.value.id > leader.value.id))) best = n;
      }
      const winner = heads[best];
      if (winner === undefined || winner.done) return;
      yield winner.value;
      heads[best] = lists[best]?.next() ?? { done: true, value: undefined };
    }
  } finally {
    for (const rows of lists) rows.return(undefined);
  }
}
