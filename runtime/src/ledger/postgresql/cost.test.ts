/** What things cost, counted in rows and statements: the same however much is there, and whatever the server's planner knows of it. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { LedgerOperation, LedgerResult } from '@mecha/components/kit';
import { createKeptLog, realClock } from '@mecha/components/kit/testing.ts';
import { Json, type Connection, type Row, type Value } from '@mecha/components/postgresql/connection.ts';
import { serverAddress } from '../../../../test/servers/servers.ts';
import { Engine } from '../../engine/engine.ts';
import { functionActivities, functionExecutor, type WorkflowFunction } from '../../engine/testing.ts';
import { createMemoryLedger } from '../memory-ledger.ts';
import { encodeBatch, encodeGroup, inLockOrder } from './encode-batch.ts';
import { migrate } from './migrate.ts';
import { TABLES } from './schema-tables.ts';
import { createTestSchema, type TestSchema } from './testing.ts';
import { workflowReads } from './workflow-reads.ts';

const APP = 'default/a';
const FINISHED = 2000;
const SESSION = 1;

let schema: TestSchema;
let connection: Connection;
let statements = 0;
let groups = 0;
beforeEach(async () => {
  schema = await createTestSchema(serverAddress('postgresql'));
  ({ connection } = schema);
  await migrate(connection, schema.address.schema);
  // Nobody is to come and look at the tables: what is planned is planned without knowing them.
  const tables = await connection.query('SELECT tablename FROM pg_tables WHERE schemaname = $1', [schema.address.schema]);
  await connection.script(tables.map(({ tablename }) => `ALTER TABLE "${String(tablename)}" SET (autovacuum_enabled = false)`).join(';'));
  await connection.query("INSERT INTO sessions OVERRIDING SYSTEM VALUE VALUES ($1, 'here', 1, '1', 9007199254740991)", [SESSION]);
  statements = 0;
});
afterEach(() => schema.drop());

async function ask(text: string, values: readonly Value[] = []): Promise<readonly Row[]> {
  statements++;
  return connection.query(text, values);
}
const reads = (): ReturnType<typeof workflowReads> => workflowReads(ask, () => null);

interface Answer {
  readonly results?: readonly LedgerResult[];
  readonly touched?: readonly string[];
  readonly refused?: string;
  readonly message?: string;
}
/** As the lane of commits asks, these batches in one group; in the order in which they are given. */
async function commit(batches: readonly (readonly LedgerOperation[])[]): Promise<readonly Answer[]> {
  const waiting = inLockOrder(batches.map((batch, place) => ({ batch: encodeBatch(batch), place })));
  const { batches: encoded, data, locks, claims, durable } = encodeGroup(waiting.map(({ batch }) => batch));
  const [row] = await ask('SELECT run_group($1, $2, $3, $4, $5, $6, $7, $8) AS answers', [SESSION, ++groups, encoded, data, locks, claims, durable, null]);
  const answers = row?.['answers'] as readonly Answer[];
  return batches.map((_, place) => answers[waiting.findIndex((one) => one.place === place)] ?? {});
}
interface Claimed {
  readonly id: number;
  readonly fence: number;
  readonly messages: readonly { readonly sequence: number }[];
}
async function claimInstances(limit: number): Promise<readonly Claimed[]> {
  const [row] = await ask('SELECT claim_instances($1, $2, $3, $4, $5, $6, $7, $8, $9) AS answer', [SESSION, ++groups, APP, 'me', limit, 60_000, null, new Json({}), null]);
  const { rows } = (row?.['answer'] ?? { rows: [] }) as { rows: readonly Claimed[] };
  return rows;
}
const create = (instanceId: string, parent?: string): LedgerOperation => ({
  type: 'workflow.create', app: APP, instanceId, executionId: 'x', name: 'w', ifExists: 'unique', message: { event: '{"kind":"executionStarted"}', kind: 'event' },
  ...(parent === undefined ? {} : { parent: { app: APP, instanceId: parent, executionId: 'x', taskId: 1 } }),
});
const step = ({ id, fence, messages }: Claimed, rest: Partial<Extract<LedgerOperation, { type: 'workflow.step' }>> = {}): LedgerOperation => ({
  type: 'workflow.step', row: id, fence, consumed: messages.map(({ sequence }) => sequence), status: 'running', reason: null, append: { count: 2, data: '[1,2]' }, ...rest,
});
const ordered = (taskId: number): NonNullable<Extract<LedgerOperation, { type: 'workflow.step' }>['activities']> => [{ taskId, app: APP, name: 'act', request: '{}', claim: { owner: 'me', leaseMs: 60_000 } }];
const complete = (activity: number): LedgerOperation => ({ type: 'workflow.complete', activity, attempt: 1, message: { event: '{"kind":"taskCompleted"}', kind: 'result' } });
const workflowOf = (answer: Answer | undefined): NonNullable<LedgerResult['workflow']> => answer?.results?.[0]?.workflow ?? { applied: false };

/** Rows that the statements of `work` look at. */
async function rowsRead(work: () => Promise<unknown>): Promise<number> {
  const looked = async (): Promise<number> =>
    Number((await connection.query('SELECT sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0)) AS rows FROM pg_stat_xact_user_tables WHERE schemaname = $1', [schema.address.schema]))[0]?.['rows']);
  await connection.script('BEGIN');
  const before = await looked();
  await work();
  const rows = (await looked()) - before;
  await connection.script('COMMIT');
  return rows;
}

async function life(id: string): Promise<Readonly<Record<string, number>>> {
  const costs: Record<string, number> = {};
  const count = async (name: string, work: () => Promise<unknown>): Promise<void> => void (costs[name] = await rowsRead(work));
  const { find, history, children, overview, list, inbox, expired } = reads();
  let claimed: readonly Claimed[] = [];
  let row = 0;
  let activity = 0;
  await count('create', async () => (row = workflowOf((await commit([[create(id)]]))[0]).row ?? 0));
  await count('create a child', () => commit([[create(`${id}-child`, id)]]));
  await count('claim', async () => (claimed = await claimInstances(2)));
  const own = claimed.find((one) => one.id === row);
  const child = claimed.find((one) => one.id !== row);
  if (!own || !child) throw new Error('not claimed');
  await count('step', async () => (activity = workflowOf((await commit([[step(own, { activities: ordered(1) })]]))[0]).activities?.[0] ?? 0));
  await count('step of another kind', () => commit([[step(child, { status: 'completed', toParent: { event: '{}', kind: 'result' } })]]));
  await count('complete', () => commit([[complete(activity)]]));
  await count('send', () => commit([[{ type: 'workflow.send', app: APP, instanceId: id, message: { event: '{}', kind: 'event' } }, { type: 'workflow.send', app: APP, instanceId: `${id}-child`, message: { event: '{}', kind: 'event' } }]]));
  await count('claim with messages', async () => (claimed = await claimInstances(1)));
  await count('fire timers', () => ask('SELECT fire_timers($1, $2, $3) AS answer', [APP, 100, null]));
  await count('expired', () => expired({ app: APP, limit: 10 }));
  await count('find', () => find(APP, id));
  await count('history', () => history(row, 0, 1));
  await count('inbox', () => inbox(row, 10));
  await count('children', () => children({ app: APP, instanceId: id }, 10));
  await count('overview', () => overview(APP));
  for (const query of [{}, { name: 'w' }, { statuses: ['running' as const] }, { name: 'none' }]) await count(`list ${JSON.stringify(query)}`, () => list({ app: APP, limit: 1, ...query }));
  const [last] = claimed;
  if (!last) throw new Error('not claimed again');
  await count('end', () => commit([[step(last, { status: 'completed' })]]));
  await count('purge', () => commit([[{ type: 'workflow.purge', row, recurse: true }]]));
  return costs;
}

describe('on PostgreSQL', () => {
  test(`what a statement looks at is the same beside ${FINISHED} finished workflows as beside none, though the server was never told of them`, { timeout: 60_000 }, async () => {
    await life('warm');
    const alone = await life('alone');
    for (let n = 0; n < FINISHED; n += 250) {
      await commit(
        Array.from({ length: 250 }, (_, k) => [
          create(`finished-${n + k}`, 'somebody'),
          { type: 'workflow.first-step' as const, app: APP, instanceId: `finished-${n + k}`, executionId: 'x', status: 'completed' as const, append: { count: 1, data: '[1]' } },
        ]),
      );
    }
    const beside = await life('beside');
    // A page of a list looks at up to 500 rows; dead rows of the lives before are in the way of some.
    const FEW = 5;
    const dear = Object.entries(beside).filter(([name, rows]) => rows > (alone[name] ?? 0) + (name.startsWith('list') ? 500 + FEW : FEW));
    expect(dear, JSON.stringify({ alone, beside })).toEqual([]);
  });

  test('what waits together is read by one statement, and of a history no more pages than are asked for', async () => {
    await commit(Array.from({ length: 100 }, (_, n) => [create(String(n))]));
    const { find, history } = reads();
    const claimed = await claimInstances(100);
    for (let n = 0; n < 5; n++) {
      const again = n === 0 ? claimed : claimed.map((one) => ({ ...one, fence: one.fence + n, messages: [] }));
      await commit(again.map((one) => [step(one)]));
    }
    statements = 0;
    const found = await Promise.all(Array.from({ length: 101 }, (_, n) => find(APP, String(n))));
    expect(found.map((row) => row?.instanceId)).toEqual([...Array.from({ length: 100 }, (_, n) => String(n)), undefined]);
    expect(statements).toBe(1);
    const pages = await Promise.all(claimed.flatMap(({ id }) => [history(id, 0, 1), history(id, 9, 1)]));
    expect([...new Set(pages.map((page) => JSON.stringify(page.map(({ first, count }) => [first, count]))))]).toEqual(['[[0,2]]', '[[8,2]]']);
    expect(statements).toBeLessThanOrEqual(1 + 4);
    const [one] = claimed;
    expect(await rowsRead(() => history(one?.id ?? 0, 0, 3))).toBeLessThanOrEqual(4);
  });

  test('a hundred steps, or results, of a group call no function of the database a hundred times', async () => {
    const COUNT = 100;
    await commit(Array.from({ length: COUNT }, (_, n) => [create(String(n))]));
    const claimed = await claimInstances(COUNT);
    const calls = async (work: () => Promise<unknown>): Promise<number> => {
      await connection.script("BEGIN; SET LOCAL track_functions = 'pl'");
      await work();
      const [row] = await connection.query('SELECT sum(calls) AS calls FROM pg_stat_xact_user_functions WHERE schemaname = $1', [schema.address.schema]);
      await connection.script('COMMIT');
      return Number(row?.['calls']);
    };
    let stepped: readonly Answer[] = [];
    expect(await calls(async () => (stepped = await commit(claimed.map((one) => [step(one, { activities: ordered(1) })]))))).toBeLessThan(20);
    expect(await calls(() => commit(stepped.map((answer) => [complete(workflowOf(answer).activities?.[0] ?? 0)])))).toBeLessThan(20);
    expect((await claimInstances(COUNT)).length).toBe(COUNT);
  });

  test.each(['near', 'far'])('what the engine commits for a workflow of activities is of that kind, but for its start (%s)', async (distance) => {
    const ledger = createMemoryLedger({ clock: realClock });
    const batches: (readonly LedgerOperation[])[] = [];
    const commit = ledger.commit.bind(ledger);
    ledger.commit = (batch) => {
      batches.push(batch);
      return commit(batch);
    };
    const engine = new Engine({ appId: 'a', namespace: 'default', ledger, clock: realClock, random: Math.random, newId: () => crypto.randomUUID(), log: createKeptLog() });
    const chain: WorkflowFunction = function* (context) {
      const one = yield context.activity('add', context.input);
      context.setCustomStatus('half');
      return yield context.activity('add', one);
    };
    engine.attachExecutor(functionExecutor({ chain }, { inline: distance === 'near' }));
    engine.attachActivities(functionActivities({ add: (input) => Number(input) + 1 }));
    engine.start();
    const { instanceId } = await engine.operations.start({ name: 'chain', input: '1' });
    await engine.queries.waitFor(instanceId, 'end', AbortSignal.timeout(10_000));
    expect((await engine.queries.get(instanceId))?.output).toBe('3');
    await engine.stop();
    await ledger.close();
    const kinds = batches.map((batch) => encodeBatch(batch).plain ?? batch.map(({ type }) => type).join());
    expect(kinds).toEqual(distance === 'near' ? ['workflow.create,workflow.first-step', 'step', 'step'] : ['workflow.create', 'step', 'complete', 'step', 'complete', 'step']);
  });

  test('a schema of version 1 is brought up to date with what it holds', async () => {
    const old = await createTestSchema(serverAddress('postgresql'));
    try {
      await old.connection.script(`CREATE SCHEMA "${old.address.schema}"; CREATE TABLE ledger_meta (name text PRIMARY KEY, value text NOT NULL); INSERT INTO ledger_meta VALUES ('schema', '1'); ${TABLES}
        INSERT INTO wf_instances (app, instance_id, execution, name, status, created_at, updated_at, ready) VALUES ('${APP}', 'old', 'x', 'w', 'pending', 1, 1, 1);
        INSERT INTO wf_inbox (instance, is_result, event) SELECT id, false, '{}' FROM wf_instances`);
      const ledger = await old.open();
      const { instances } = await ledger.workflows.claimInstances({ app: APP, owner: 'me', limit: 10, leaseMs: 1000 });
      expect(instances.map(({ instanceId, messages }) => [instanceId, messages.length])).toEqual([['old', 1]]);
      const { instances: listed } = await ledger.workflows.list({ app: APP, limit: 10, name: 'w' });
      expect(listed.map(({ instanceId }) => instanceId)).toEqual(['old']);
      await expect(ledger.commit([create('old')])).rejects.toMatchObject({ key: 'old' });
      await ledger.close();
    } finally {
      await old.drop();
    }
  });

  test('steps and results of a group are answered as if each were alone: one refused spoils no other, what is named twice counts once', async () => {
    await commit(Array.from({ length: 6 }, (_, n) => [create(String(n))]));
    const claimed = await claimInstances(6);
    const [first, second, third, fourth, fifth, sixth] = claimed as [Claimed, Claimed, Claimed, Claimed, Claimed, Claimed];
    const plain = await commit([
      [step(sixth, { activities: [...ordered(1), { taskId: 2, app: 'default/other', name: 'act', request: '{}' }], customStatus: 'half' })],
      [step(first, { activities: ordered(1), version: 'v2', snapshot: '{"n":1}' })],
      [step(second, { activities: [...ordered(1), ...ordered(2)] })],
    ]);
    expect(plain.map((answer) => ({ ...workflowOf(answer), activities: workflowOf(answer).activities?.length }))).toEqual(
      [[sixth, 2], [first, 1], [second, 2]].map(([one, activities]) => ({ applied: true, row: (one as Claimed).id, fence: 2, turn: 1, ready: false, activities })),
    );
    expect(new Set(plain.flatMap(({ touched = [] }) => touched))).toEqual(new Set([`workflow-status/${APP}`, 'workflow/default/other']));
    expect((await reads().find(APP, '0'))?.version).toBe('v2');
    expect((await reads().find(APP, '5'))?.customStatus).toBe('half');
    expect(await reads().snapshot(first.id)).toBe('{"n":1}');
    const mixed = await commit([
      [step(third, { activities: ordered(1) })],
      [step(third)],
      [step({ ...fourth, fence: 7 })],
      [step({ ...fifth, messages: [{ sequence: 999_999 }] })],
      [create('7')],
      ...plain.flatMap((answer) => (workflowOf(answer).activities ?? []).flatMap((activity) => [[complete(activity)], [complete(activity)]])),
      [complete(123_456)],
    ]);
    const said = mixed.map(({ refused, message, results }) => (refused === undefined ? results?.[0]?.workflow?.applied : message));
    expect(said.slice(0, 2).toSorted(), 'one of the two steps of an instance').toEqual(['fence', true]);
    expect(said.slice(2, 5)).toEqual(['fence', 'message', true]);
    expect(said.slice(5, 15).filter((one) => one === true).length, 'each result once').toBe(5);
    expect(said.slice(15)).toEqual([false]);
    const inboxes = await Promise.all([first, second, sixth].map(async ({ id }) => (await reads().inbox(id, 10)).length));
    expect(inboxes).toEqual([1, 2, 2]);
    const woken = await claimInstances(10);
    expect(woken.map(({ id, messages }) => [id, messages.length]).toSorted()).toEqual([[first.id, 1], [second.id, 2], [sixth.id, 2], [workflowOf(mixed[4]).row, 1]].toSorted());
    expect(await reads().activities(first.id, 10)).toEqual([]);
    const ended = await commit(woken.slice(0, 3).map((one) => [step(one, { status: 'completed' })]));
    expect(ended.flatMap(({ touched = [] }) => touched)).toEqual([`workflow-status/${APP}`]);
    expect((await reads().find(APP, '1'))?.completedAt).toEqual(expect.any(Number));
  });
});
