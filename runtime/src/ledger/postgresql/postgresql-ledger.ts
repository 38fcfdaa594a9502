/**
 * The shared ledger: one schema of a PostgreSQL database, for many sidecars on many hosts (docs/adr/0008-postgresql-ledger.md).
 *
 * Four connections per process, each kept for ever: commits (`commit-lane.ts`), claims (`claim-lane.ts`), reads, notices
 * (`notices.ts`). All time is the database's. A process is a row in `sessions` with a lease; what it holds is free when the row is
 * gone, which others remove when the lease is over, or at once when it was of this host and its pid is no more.
 *
 * Not in the database: the registry of live sidecars. It says which Unix socket to dial, so it is kept per host, in the
 * `registry`: the ledger of the data folder.
 */
import { hostname } from 'node:os';
import { performance } from 'node:perf_hooks';
import { readFileSync } from 'node:fs';
import type { ClaimedMessage, ClaimedOutboxRecord, ClaimedWorkflow, Clock, DeadLetter, DeadLetterRow, Ledger, LedgerOperation, MessageClaim, OutboxSource, TopicStatus, WorkflowActivity, WorkflowClaimRequest, WorkflowLedger } from '@mecha/components/kit';
import { ConnectionKeeper, Json, openConnection, PostgresqlError, shownAddress, type Connection, type PostgresqlAddress, type Row, type Value } from '@mecha/components/postgresql/connection.ts';
import { toStored } from '@mecha/components/postgresql/text.ts';
import { systemClock } from '../../clock.ts';
import { createLogLimit } from '../../log-limit.ts';
import type { Log } from '../../telemetry/log.ts';
import { isAlive, processIdentity } from '../process-identity.ts';
import { createWatches } from '../watches.ts';
import { workflowActivity, workflowRow, type ActivityColumns, type InstanceColumns } from '../workflow-schema.ts';
import { ClaimLane } from './claim-lane.ts';
import { CommitLane } from './commit-lane.ts';
import { DatabaseClock } from './database-clock.ts';
import { closedRefusal, isLost, refusalOf } from './failures.ts';
import { openJobLedger } from './job-ledger.ts';
import { migrate, WrongSchema } from './migrate.ts';
import { Notices } from './notices.ts';
import { StateReads } from './state-reads.ts';
import { workflowReads } from './workflow-reads.ts';

export interface PostgresqlLedgerOptions {
  readonly address: PostgresqlAddress;
  /** Keeps `sidecar.*`, per host; closed with this one. */
  readonly registry: Ledger;
  readonly log: Log;
  readonly random: () => number;
  /** For tests: this time instead of the database's. */
  readonly clock?: Clock;
  /** For tests: steps and results of a group are applied together from this many on. */
  readonly togetherFrom?: number;
  /** How long a request waits for a database that cannot be reached. */
  readonly patienceMs?: number;
  /** How long the start does. */
  readonly openPatienceMs?: number;
}

/** `clock` is the database's time, for all that is compared with what the ledger keeps. */
export type PostgresqlLedger = Ledger & { readonly clock: Clock };

const SESSION_LEASE_MS = 15_000;
const TEND_EVERY_MS = 5_000;
/** Between two steps of sweeping while rows are left. */
const TEND_ON_MS = 20;
const LOOK_EVERY_MS = 1_000;
/** While notices come in, whoever waits looks by itself only so often. */
const WAKE_ALL_EVERY_LOOKS = 5;
const PATIENCE_MS = 15_000;
const OPEN_PATIENCE_MS = 60_000;
const READ_TRIES_MAX = 5;
const LOG_AGAIN_MS = 60_000;

export async function openPostgresqlLedger({ address, registry, log, random, clock: turned, togetherFrom, patienceMs = PATIENCE_MS, openPatienceMs = OPEN_PATIENCE_MS }: PostgresqlLedgerOptions): Promise<PostgresqlLedger> {
  const databaseClock = new DatabaseClock(systemClock);
  const clock = turned ?? databaseClock;
  const now = (): number | null => turned?.now() ?? null;
  const troubleLimit = createLogLimit(systemClock, LOG_AGAIN_MS);
  const watches = createWatches();
  const host = hostIdentity();
  let closed = false;
  let sweeps = 0;
  let looks = 0;
  let tending: Promise<void> | undefined;
  let cancelTend = (): void => undefined;
  let cancelLook = (): void => undefined;

  function tellTrouble(error: unknown): void {
    const heldBack = closed ? undefined : troubleLimit('trouble');
    if (heldBack !== undefined) log.error({ err: error, database: shownAddress(address), heldBack }, 'the ledger has trouble with its database; trying on');
  }
  const keeperOf = (onOpen?: (connection: Connection) => Promise<void>): ConnectionKeeper =>
    new ConnectionKeeper({ open: () => openConnection(address), clock: systemClock, random, onTrouble: tellTrouble, ...(onOpen ? { onOpen } : {}) });

  const session = await openSession(address, host, now, tellTrouble, openPatienceMs);
  const keepSession = async (connection: Connection): Promise<void> => {
    await connection.query('SELECT keep_session($1, $2, $3, $4, $5, $6)', [session, host, process.pid, processIdentity(process.pid), SESSION_LEASE_MS, now()]);
  };
  const lanes = { timers: systemClock, session, patienceMs, keepSession };
  const keepers = { commits: keeperOf(), claims: keeperOf((connection) => connection.script('SET synchronous_commit = off')), reads: keeperOf() };
  const commits = new CommitLane({ ...lanes, keeper: keepers.commits, now, togetherFrom });
  const claims = new ClaimLane({ ...lanes, keeper: keepers.claims });
  const notices = new Notices({ schema: address.schema, session, timers: systemClock, wake: watches.wake, wakeAll: watches.wakeAll, onTrouble: tellTrouble });
  notices.keep(keeperOf(notices.listen));

  function touch(channels: readonly string[]): void {
    if (channels.length === 0) return;
    const distinct = [...new Set(channels)];
    watches.touch(distinct);
    notices.send(distinct);
  }
  async function read(text: string, values: readonly Value[]): Promise<readonly Row[]> {
    for (let tries = 1; ; tries++) {
      if (closed) throw closedRefusal();
      try {
        return await (await keepers.reads.get(patienceMs)).query(text, values);
      } catch (error) {
        // A read may always be made again.
        if (!isLost(error) || tries >= READ_TRIES_MAX) throw closed ? closedRefusal() : refusalOf(error);
      }
    }
  }
  const stateReads = new StateReads(read, now);

  /** Renews the lease, tells the time, frees what the dead held, and removes a bounded step of what is over. */
  async function tend(): Promise<void> {
    cancelTend();
    let nextMs = TEND_EVERY_MS;
    try {
      const askedAt = performance.now();
      const turn = sweeps++;
      const text = 'SELECT keep_session($1, $2, $3, $4, $5, $6), now_ms(NULL) AS now, sweep($7, $6) AS swept';
      const [row = {}] = await claims.run(text, () => [session, host, process.pid, processIdentity(process.pid), SESSION_LEASE_MS, now(), turn]);
      databaseClock.set(Number(row['now']), askedAt, performance.now());
      const { droppedGroups, droppedLetters, more } = row['swept'] as { droppedGroups: Record<string, unknown>[]; droppedLetters: Record<string, unknown>[]; more: boolean };
      for (const dropped of droppedGroups) log.warn(dropped, 'consumer group dropped: it was not seen for 7 days');
      for (const dropped of droppedLetters) log.warn(dropped, 'the oldest dead letters of an app are dropped: 10,000 are kept');
      for (const dead of await deadSessions()) {
        const freed = await claims.ask<string[]>('SELECT to_jsonb(end_session($1)) AS answer', () => [dead]);
        touch(freed);
      }
      if (more) nextMs = TEND_ON_MS;
      else await forgetPlans();
    } catch (error) {
      tellTrouble(error);
    }
    tending = undefined;
    if (!closed) cancelTend = clock.after(nextMs, startTending);
  }
  /**
   * A plan is as good as what the server knew when it was made. One of the time when a table was empty and had just been vacuumed joins by
   * reading all of it, and would be kept until the server next looks at the table: a minute, or as long as it does not.
   */
  async function forgetPlans(): Promise<void> {
    for (const keeper of Object.values(keepers)) await (await keeper.get(patienceMs)).script('DISCARD PLANS');
  }
  function startTending(): void {
    tending ??= tend();
  }
  async function deadSessions(): Promise<number[]> {
    const rows = await read('SELECT id, host, pid, process, lease_until <= now_ms($2) AS late FROM sessions WHERE id <> $1', [session, now()]);
    return rows.filter((row) => row['late'] === true || (row['host'] === host && !isAlive(Number(row['pid']), String(row['process'])))).map(({ id }) => Number(id));
  }
  async function look(): Promise<void> {
    try {
      if (!notices.isListening || ++looks % WAKE_ALL_EVERY_LOOKS === 0) watches.wakeAll();
      if (!tending && (await deadSessions()).length > 0) startTending();
    } catch (error) {
      tellTrouble(error);
    }
    if (!closed) cancelLook = clock.after(LOOK_EVERY_MS, () => void look());
  }
  startTending();
  await tending;
  void look();

  const outbox: OutboxSource = {
    async claim({ appId, limit, leaseMs }) {
      const rows = await claims.run('SELECT about, bytes FROM claim_outbox($1, $2, $3, $4)', () => [appId, limit, leaseMs, now()]);
      return rows.map(({ about, bytes }) => ({ ...withMetadata<Omit<ClaimedOutboxRecord, 'data'>>(about), data: bytes as Uint8Array }));
    },
    async remove(ids) {
      await claims.run('DELETE FROM outbox WHERE id = ANY($1::text[])', () => [ids]);
    },
    async release(ids, delayMs) {
      await claims.run('UPDATE outbox SET free_at = now_ms($3) + $2 WHERE id = ANY($1::text[])', () => [ids, delayMs, now()]);
    },
    onRecords: (appId, listener) => watches.watch(`outbox/${appId}`, listener),
    pending: async (appId) => Number((await read('SELECT count(*) AS count FROM outbox WHERE app_id = $1', [appId]))[0]?.['count']),
  };

  const claimWorkflows = (name: 'claim_instances' | 'claim_activities', { app, owner, limit, leaseMs, names, limits }: WorkflowClaimRequest) =>
    claims.ask<{ rows: unknown[]; more: boolean }>(`SELECT ${name}($1, $2, $3, $4, $5, $6, $7, $8, $9) AS answer`, (claim) => [session, claim, app, owner, limit, leaseMs, names ?? null, limitsOf(limits), now()]);
  const workflows: WorkflowLedger = {
    async claimInstances(request) {
      const { rows, more } = await claimWorkflows('claim_instances', request);
      return { instances: (rows as (InstanceColumns & Pick<ClaimedWorkflow, 'messages'>)[]).map((row) => ({ ...workflowRow(row), messages: row.messages })), more };
    },
    async claimActivities(request) {
      const { rows, more } = await claimWorkflows('claim_activities', request);
      return { activities: (rows as ActivityColumns[]).map((row): WorkflowActivity => workflowActivity(row)), more };
    },
    async renew({ owner, leaseMs, instances, activities }) {
      const text = 'SELECT renew_workflows($1, $2, $3, $4, $5, $6) AS answer';
      const { touched, ...lost } = await claims.ask<{ lostInstances: number[]; lostActivities: number[]; touched: string[] }>(text, () => [session, owner, leaseMs, new Json(instances), new Json(activities), now()]);
      touch(touched);
      return lost;
    },
    async fireTimers({ app, limit }) {
      const { fired, nextDueAt, touched } = await claims.ask<{ fired: number; nextDueAt: number | null; touched: string[] }>('SELECT fire_timers($1, $2, $3) AS answer', () => [app, limit, now()]);
      touch(touched);
      return { fired, ...(nextDueAt === null ? {} : { nextDueAt }) };
    },
    ...workflowReads(read, now),
  };
  const jobs = openJobLedger({ session, now, read, claims, touch });

  return {
    kind: 'postgresql',
    clock,
    outbox,
    workflows,
    jobs,
    async commit(batch) {
      // The registry is per host and elsewhere: what a batch changes there follows when the rest stands.
      const ofRegistry = (operation: LedgerOperation): boolean => operation.type.startsWith('sidecar.');
      const own = batch.filter((operation) => !ofRegistry(operation));
      if (closed) throw closedRefusal();
      const { results, touched } = own.length === 0 ? { results: [], touched: [] } : await commits.commit(own);
      touch(touched);
      if (own.length === batch.length) return results;
      const registered = await registry.commit(batch.filter(ofRegistry));
      let [nextOwn, nextRegistered] = [0, 0];
      return batch.map((operation) => (ofRegistry(operation) ? registered[nextRegistered++] : results[nextOwn++]) ?? {});
    },
    async readState(table, keys) {
      if (closed) throw closedRefusal();
      return stateReads.read(table, keys);
    },
    async openGroup(topic, group) {
      await claims.run('SELECT open_group($1, $2, $3)', () => [topic, group, now()]);
    },
    async claimMessages({ topic, group, limit }): Promise<MessageClaim> {
      const rows = await claims.run('SELECT about, bytes FROM claim_messages($1, $2, $3, $4, $5, $6)', (claim) => [session, claim, topic, group, limit, now()]);
      const { about: last = {} } = rows.at(-1) ?? {};
      const { nextDueAt, more } = last as { nextDueAt: number | null; more: boolean };
      const messages = rows.slice(0, -1).map(({ about, bytes }): ClaimedMessage => {
        const { contentType, ...rest } = withMetadata<Omit<ClaimedMessage, 'data' | 'topic' | 'group' | 'contentType'> & { contentType: string | null }>(about);
        return { topic, group, ...rest, data: bytes as Uint8Array, ...(contentType === null ? {} : { contentType }) };
      });
      return { messages, more, ...(nextDueAt === null ? {} : { nextDueAt }) };
    },
    async topicStatus(topic): Promise<TopicStatus> {
      const rows = await read(
        `SELECT t.appended - t.trimmed AS messages, t.bytes, g.name AS "group", g.waiting, g.in_flight AS "inFlight", t.appended - g.taken AS unread
         FROM topics t LEFT JOIN groups g ON g.topic = t.id WHERE t.name = $1 ORDER BY g.name`,
        [topic],
      );
      const { messages = 0, bytes = 0 } = (rows[0] ?? {}) as { messages?: number; bytes?: number };
      const groups = rows as unknown as { group: string | null; waiting: number; inFlight: number; unread: number }[];
      return { topic, messages, bytes, groups: groups.flatMap(({ group, waiting, inFlight, unread }) => (group === null ? [] : [{ group, waiting, inFlight, unread }])) };
    },
    async deadLetters({ appId, limit, before }) {
      const text = 'SELECT letter, octet_length(data) AS bytes FROM dead_letters WHERE app_id = $1 AND (at, id) < ($2, $3) ORDER BY at DESC, id DESC LIMIT $4';
      const rows = await read(text, [appId, before?.at ?? Number.MAX_SAFE_INTEGER, before?.id ?? '', limit]);
      return rows.map(({ letter, bytes }) => ({ ...(JSON.parse(String(letter)) as Omit<DeadLetterRow, 'bytes'>), bytes: Number(bytes) }));
    },
    async deadLetter({ appId, id }) {
      const [row] = await read('SELECT letter, data FROM dead_letters WHERE id = $1 AND app_id = $2', [id, appId]);
      return row && { ...(JSON.parse(String(row['letter'])) as Omit<DeadLetter, 'data'>), data: row['data'] as Uint8Array };
    },
    async liveSidecars(query) {
      if (closed) throw closedRefusal();
      return registry.liveSidecars(query);
    },
    watch: (channel, listener) => watches.watch(channel, listener),
    onTouched: (listener) => watches.onTouched(listener),
    wake: (channels) => watches.wake(channels),
    async close() {
      if (closed) return;
      closed = true;
      cancelTend();
      cancelLook();
      await tending;
      await commits.close();
      await claims.close('SELECT end_session($1)', [session]).catch((error: unknown) => log.warn({ err: error }, 'the ledger could not give back its leases'));
      watches.clear();
      await Promise.all([notices.close(), keepers.commits.close(), registry.close(), keepers.claims.close(), keepers.reads.close()]);
    },
  };
}

const limitsOf = (limits: WorkflowClaimRequest['limits'] = {}): Json => new Json(Object.fromEntries(Object.entries(limits).map(([name, limit]) => [toStored(name), limit])));

function withMetadata<T>(about: unknown): T {
  const { metadata, ...rest } = about as { metadata: string };
  return { ...rest, metadata: JSON.parse(metadata) as unknown } as T;
}

/** The first connection: brings the schema up to date and enters this process. Tries for a while, then says why there is no ledger. */
async function openSession(address: PostgresqlAddress, host: string, now: () => number | null, onTrouble: (error: unknown) => void, patienceMs: number): Promise<number> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  let wrong: WrongSchema | undefined;
  const keeper = new ConnectionKeeper({
    open: () => openConnection(address),
    clock: systemClock,
    random: Math.random,
    onTrouble: (error) => (wrong ? undefined : onTrouble(error)),
    onOpen: (connection) =>
      migrate(connection, address.schema).catch((error: unknown) => {
        if (!(error instanceof WrongSchema)) throw error;
        wrong = error;
        reject(error);
        throw error;
      }),
  });
  // Holds the process while there is nothing else: the timers of the connection do not.
  const held = setTimeout(() => undefined, patienceMs);
  try {
    const connection = await Promise.race([keeper.get(patienceMs), late]);
    const text = 'INSERT INTO sessions (host, pid, process, lease_until) VALUES ($1, $2, $3, now_ms($4) + $5) RETURNING id';
    const [row] = await connection.query(text, [host, process.pid, processIdentity(process.pid), now(), SESSION_LEASE_MS]);
    return Number(row?.['id']);
  } catch (error) {
    throw error instanceof PostgresqlError ? new Error(`no ledger at ${shownAddress(address)}: ${error.message}`, { cause: error }) : error;
  } finally {
    clearTimeout(held);
    await keeper.close();
  }
}

/** Which machine, since when: a pid means something there alone. */
function hostIdentity(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return hostname();
  }
}
