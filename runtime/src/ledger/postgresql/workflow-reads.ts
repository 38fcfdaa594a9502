/** The workflow part of the port that reads; the counterpart of `../workflow-reads.ts`. */
import type { UnreadMessage, WorkflowLedger, WorkflowQuery } from '@mecha/components/kit';
import { isTerminalStatus, WORKFLOW_STATUSES } from '@mecha/components/kit/ledger-workflow.ts';
import type { Row, Value } from '@mecha/components/postgresql/connection.ts';
import { INSTANCE_COLUMNS, workflowActivity, workflowRow, type ActivityColumns, type InstanceColumns } from '../workflow-schema.ts';
import { matchesQuery } from '../workflow-reads.ts';
import { groupReads } from './group-reads.ts';
import { SELECT_ACTIVITY } from './schema-claims.ts';
import { BY_CREATION, BY_NAME, BY_PARENT, BY_STATUS } from './schema-tables.ts';

/** Rows that one page of a list looks at: what the index cannot choose is chosen by looking. */
const LIST_ROWS_MAX = 5000;
/** Rows that one statement of a list brings. */
const LIST_STEP_ROWS = 500;
const LAST = Number.MAX_SAFE_INTEGER;

type Read = (text: string, values: readonly Value[]) => Promise<readonly Row[]>;
type Reads = Pick<WorkflowLedger, 'expired' | 'find' | 'list' | 'history' | 'snapshot' | 'payload' | 'inbox' | 'activities' | 'activity' | 'timers' | 'children' | 'attributes' | 'overview'>;
type Before = readonly [createdAt: number, row: number];

const instancesOf = (rows: readonly Row[]): InstanceColumns[] => rows as unknown as InstanceColumns[];
const activitiesOf = (rows: readonly Row[]): ReturnType<typeof workflowActivity>[] => (rows as unknown as ActivityColumns[]).map(workflowActivity);

const EXPIRED = `SELECT (SELECT min(expires_at) FROM wf_activities WHERE app = $1 AND expires_at IS NOT NULL) AS late, now_ms($2) AS now,
  least((SELECT min(free_at) FROM wf_activities WHERE app = $1 AND free_at IS NOT NULL), (SELECT min(free_at) FROM wf_instances WHERE app = $1 AND free_at IS NOT NULL)) AS free`;
const HISTORY = `SELECT first, count, data FROM wf_history WHERE instance = $1 AND first >= coalesce((SELECT max(first) FROM wf_history WHERE instance = $1 AND first <= $2), 0)
  ORDER BY first LIMIT $3`;
const OPEN_STATUSES = WORKFLOW_STATUSES.filter((status) => !isTerminalStatus(status));
const OVERVIEW = `SELECT s.status, o.count FROM unnest($2::text[]) s(status) CROSS JOIN LATERAL (SELECT count(*) AS count FROM wf_instances WHERE app = $1 AND status = s.status AND ${BY_STATUS}) o WHERE o.count > 0`;
/** Pages that one statement brings; a page holds at least one event. */
const HISTORY_PAGES = 1000;

const FIND = `SELECT k.place, i.* FROM unnest($1::text[], $2::text[]) WITH ORDINALITY k(app, instance_id, place)
  CROSS JOIN LATERAL (SELECT ${INSTANCE_COLUMNS} FROM wf_instances WHERE app = k.app AND instance_id = k.instance_id) i`;
/** Of each history the page that holds an event, and those after it. */
const PAGES = `SELECT k.place, h.* FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) WITH ORDINALITY k(instance, event, most, place)
  CROSS JOIN LATERAL (SELECT first, count, data FROM wf_history WHERE instance = k.instance AND first >= coalesce((SELECT max(first) FROM wf_history WHERE instance = k.instance AND first <= k.event), 0)
    ORDER BY first LIMIT k.most) h ORDER BY k.place, h.first`;

/** Keys of a statement: rows are small; a page may hold some hundred kilobytes. */
const FIND_MOST = 1000;
const HISTORIES_MOST = 50;
/** Pages of one history that share a statement with those of others; what is longer goes on alone. */
const SHARED_PAGES = 16;

interface Page {
  readonly first: number;
  readonly count: number;
  readonly data: string;
}
/** By the places of their keys, which count from 1 in the statement. */
function byPlace(rows: readonly Row[]): ReadonlyMap<number, readonly Row[]> {
  const places = new Map<number, Row[]>();
  for (const row of rows) {
    const place = Number(row['place']) - 1;
    const found = places.get(place);
    if (found) found.push(row);
    else places.set(place, [row]);
  }
  return places;
}
const texts = (numbers: readonly number[]): readonly string[] => numbers.map(String);

export function workflowReads(read: Read, now: () => number | null): Reads {
  const findRow = groupReads<readonly [app: string, instanceId: string], readonly Row[]>(FIND_MOST, async (keys) => byPlace(await read(FIND, [keys.map(([app]) => app), keys.map(([, instanceId]) => instanceId)])));
  const findPages = groupReads<readonly [row: number, event: number, most: number], readonly Row[]>(HISTORIES_MOST, async (keys) =>
    byPlace(await read(PAGES, [texts(keys.map(([row]) => row)), texts(keys.map(([, event]) => event)), texts(keys.map(([, , most]) => most))])),
  );
  return {
    async expired({ app, limit }) {
      const [row] = await read(EXPIRED, [app, now()]);
      const { late, free, now: at } = row as unknown as { late: number | null; free: number | null; now: number };
      const activities = late === null || late > at ? [] : activitiesOf(await read(`${SELECT_ACTIVITY} WHERE a.app = $1 AND a.expires_at <= $2 ORDER BY a.expires_at LIMIT $3`, [app, at, limit]));
      const next = Math.min(late ?? Infinity, free ?? Infinity);
      return { activities, ...(next === Infinity ? {} : { nextAt: next }) };
    },
    async find(app, instanceId) {
      const [row] = instancesOf((await findRow([app, instanceId])) ?? []);
      return row && workflowRow(row);
    },
    list: (query) => list(read, query),
    async history(row, from, limit) {
      const pages: Page[] = [];
      let events = 0;
      let start = from;
      // A page holds at least one event.
      for (let isFirst = true; events < limit; isFirst = false) {
        const most = Math.min(limit - events, isFirst ? SHARED_PAGES : HISTORY_PAGES);
        const found = (isFirst ? ((await findPages([row, start, most])) ?? []) : await read(HISTORY, [row, start, most])) as unknown as readonly Page[];
        for (const { first, count, data } of found) {
          if (events >= limit) break;
          pages.push({ first, count, data });
          events += first + count - Math.max(first, from);
        }
        const last = found.at(-1);
        if (!last || found.length < most) break;
        start = last.first + last.count;
      }
      return pages;
    },
    snapshot: async (row) => (await read('SELECT data FROM wf_snapshots WHERE instance = $1', [row]))[0]?.['data'] as string | undefined,
    payload: async (row, id) => (await read('SELECT data FROM wf_payloads WHERE instance = $1 AND id = $2 LIMIT 1', [row, id]))[0]?.['data'] as string | undefined,
    inbox: async (row, limit) =>
      (await read("SELECT sequence, event, CASE WHEN is_result THEN 'result' ELSE 'event' END AS kind FROM wf_inbox WHERE instance = $1 ORDER BY later, sequence LIMIT $2", [row, limit])) as unknown as UnreadMessage[],
    activities: async (row, limit, from = Number.MIN_SAFE_INTEGER) => activitiesOf(await read(`${SELECT_ACTIVITY} WHERE a.instance = $1 AND a.task_id >= $2 ORDER BY a.task_id LIMIT $3`, [row, from, limit])),
    activity: async (activity) => activitiesOf(await read(`${SELECT_ACTIVITY} WHERE a.id = $1`, [activity]))[0],
    async timers(row, limit) {
      const rows = await read('SELECT timer_id, due_at, is_result, event FROM wf_timers WHERE instance = $1 ORDER BY due_at NULLS FIRST, timer_id LIMIT $2', [row, limit]);
      return (rows as unknown as { timer_id: number; due_at: number | null; is_result: boolean; event: string }[]).map(({ timer_id: timerId, due_at: dueAt, is_result: isResult, event }) => ({
        timerId, message: { event, kind: isResult ? ('result' as const) : ('event' as const) }, ...(dueAt === null ? {} : { dueAt }),
      }));
    },
    async children({ app, instanceId, executionId }, limit) {
      const values = [app, instanceId, executionId ?? null, limit];
      return instancesOf(await read(`SELECT ${INSTANCE_COLUMNS} FROM wf_instances WHERE parent_app = $1 AND parent_id = $2 AND ${BY_PARENT} AND ($3::text IS NULL OR parent_execution = $3) ORDER BY id LIMIT $4`, values)).map(workflowRow);
    },
    async overview(app) {
      const rows = await read(OVERVIEW, [app, OPEN_STATUSES]);
      const [{ at } = { at: null }] = (await read('SELECT min(due_at) AS at FROM wf_timers WHERE app = $1 AND due_at IS NOT NULL', [app])) as unknown as { at: number | null }[];
      return { open: Object.fromEntries(rows.map(({ status, count }) => [String(status), Number(count)])), ...(at === null ? {} : { nextDueAt: at }) };
    },
    attributes: async (row) => Object.fromEntries((await read('SELECT name, value FROM wf_attributes WHERE instance = $1', [row])).map(({ name, value }) => [String(name), String(value)])),
  };
}

/** Newest first by (created, row). The narrowest index chooses, the rest is looked at. */
async function list(read: Read, query: WorkflowQuery): Promise<{ instances: ReturnType<typeof workflowRow>[]; cursor?: string }> {
  const [at, id] = query.cursor?.split('.').map(Number) ?? [];
  let before: Before = [at ?? query.createdTo ?? LAST, id ?? (at === undefined && query.createdTo !== undefined ? 0 : LAST)];
  const found: InstanceColumns[] = [];
  for (let examined = 0; ; ) {
    const step = Math.min(LIST_STEP_ROWS, LIST_ROWS_MAX - examined);
    const rows = await candidates(read, query, before, step);
    for (const row of rows) {
      examined++;
      before = [row.created_at, row.id];
      if (matchesQuery(row, query)) found.push(row);
      if (found.length >= query.limit || examined >= LIST_ROWS_MAX) return { instances: found.map(workflowRow), cursor: `${row.created_at}.${row.id}` };
    }
    // Those that ended are all in one step: what is found is meant to be purged, and the next list begins anew.
    if (rows.length < step || query.completedBefore !== undefined) return { instances: found.map(workflowRow) };
  }
}

async function candidates(read: Read, query: WorkflowQuery, before: Before, limit: number): Promise<InstanceColumns[]> {
  const { app, attribute, name, completedBefore, createdFrom = 0 } = query;
  const statuses = WORKFLOW_STATUSES.filter((status) => query.statuses?.includes(status) ?? true);
  const tail = `(created_at, id) < ($2, $3) AND created_at >= $4 ORDER BY created_at DESC, id DESC LIMIT $5`;
  const values: Value[] = [app, ...before, createdFrom, limit];
  if (completedBefore !== undefined) {
    const ended = `SELECT * FROM wf_instances WHERE app = $1 AND status = s.status AND completed_at < $3 ORDER BY completed_at, id LIMIT $4`;
    return instancesOf(await read(`SELECT i.* FROM unnest($2::text[]) WITH ORDINALITY s(status, n) CROSS JOIN LATERAL (${ended}) i ORDER BY s.n, i.completed_at, i.id LIMIT $4`, [app, statuses, completedBefore, name === undefined && query.idPrefix === undefined ? query.limit : LIST_ROWS_MAX]));
  }
  if (attribute) {
    return instancesOf(
      await read(
        `SELECT i.* FROM (SELECT instance, created_at FROM wf_attributes WHERE app = $1 AND name = $6 AND value = $7 AND (created_at, instance) < ($2, $3) AND created_at >= $4 ORDER BY created_at DESC, instance DESC LIMIT $5) t
         JOIN wf_instances i ON i.id = t.instance ORDER BY t.created_at DESC, t.instance DESC`,
        [...values, attribute.name, attribute.value],
      ),
    );
  }
  if (name !== undefined) return instancesOf(await read(`SELECT ${INSTANCE_COLUMNS} FROM wf_instances WHERE app = $1 AND name = $6 AND ${BY_NAME} AND ${tail}`, [...values, name]));
  if (query.statuses === undefined) return instancesOf(await read(`SELECT ${INSTANCE_COLUMNS} FROM wf_instances WHERE app = $1 AND ${BY_CREATION} AND ${tail}`, values));
  return instancesOf(
    await read(`SELECT i.* FROM unnest($6::text[]) s(status) CROSS JOIN LATERAL (SELECT * FROM wf_instances WHERE app = $1 AND status = s.status AND ${BY_STATUS} AND ${tail}) i ORDER BY i.created_at DESC, i.id DESC LIMIT $5`, [...values, statuses]),
  );
}
