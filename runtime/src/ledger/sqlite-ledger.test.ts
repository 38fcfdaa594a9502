/** What the conformance suite cannot see: several ledgers on one file, and what is done in steps. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { LedgerRefused, type Clock, type Ledger, type LedgerOperation, type SidecarRow } from '@mecha/components/kit';
import { createTurnedClock, until, type TurnedClock } from '@mecha/components/kit/testing.ts';
import { createLog } from '../telemetry/log.ts';
import { openSqliteLedger } from './sqlite-ledger.ts';

let folder: string;
let open: Ledger[] = [];
let lines: string[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mecha-ledger-'));
  lines = [];
});
afterEach(async () => {
  await Promise.all(open.map((ledger) => ledger.close()));
  open = [];
  await rm(folder, { recursive: true, force: true });
});

async function openLedger(clock: Clock): Promise<Ledger> {
  const log = createLog({ level: 'warn', json: true, appId: 'test', version: '0', write: (line) => void lines.push(line) });
  const ledger = await openSqliteLedger({ path: join(folder, 'ledger.db'), clock, log });
  open.push(ledger);
  return ledger;
}
function database<T>(work: (db: DatabaseSync) => T): T {
  const db = new DatabaseSync(join(folder, 'ledger.db'));
  try {
    return work(db);
  } finally {
    db.close();
  }
}
const append = (value: string): LedgerOperation => ({ type: 'topic.append', topic: 'x', message: { id: value, data: Buffer.from(value), metadata: {} }, retention: { retentionMs: 1000, bytesMax: 1 << 30 } });
const claim = async (ledger: Ledger) => (await ledger.claimMessages({ topic: 'x', group: 'g', limit: 10 })).messages;
const ids = async (ledger: Ledger) => (await claim(ledger)).map(({ id }) => id);
const sidecar: SidecarRow = { instanceId: '1', appId: 'a', namespace: 'default', pid: process.pid, socketPath: '/x', httpPort: 1, grpcPort: 2, startedAt: 1 };

test('(L3) what a process holds whose lease ran out is given to another, also what it claims after that', async () => {
  const [asleep, awake] = [createTurnedClock(), createTurnedClock()];
  const [first, second] = [await openLedger(asleep), await openLedger(awake)];
  await first.commit([append('1')]);
  const [held] = await claim(first);
  expect(await ids(second), 'held under a lease').toEqual([]);
  const secondGets = (id: string) =>
    until(async () => {
      awake.turn(1000);
      return (await ids(second)).includes(id);
    });
  await secondGets('1');
  expect(awake.now() - asleep.now(), 'not before').toBeGreaterThanOrEqual(15_000);
  expect(await first.commit([{ type: 'message.ack', topic: 'x', group: 'g', sequence: held?.sequence ?? 0 }]), 'no longer its own').toEqual([{ applied: false }]);

  // The first does not know yet that it was taken for dead.
  await first.commit([append('2')]);
  expect(await ids(first)).toEqual(['2']);
  expect(await ids(second)).toEqual([]);
  await secondGets('2');
});

test('a process that others took for dead while its machine slept is in the registry again when it wakes', async () => {
  const [asleep, awake] = [createTurnedClock(), createTurnedClock()];
  const [first, second] = [await openLedger(asleep), await openLedger(awake)];
  await first.commit([{ type: 'sidecar.put', sidecar }]);
  expect(await second.liveSidecars()).toHaveLength(1);
  await until(async () => {
    awake.turn(1000);
    return database((db) => db.prepare('SELECT COUNT(*) AS count FROM sidecars').get()?.['count'] === 0);
  });
  asleep.turn(awake.now() - asleep.now());
  await until(async () => {
    asleep.turn(1000);
    return (await first.liveSidecars()).length === 1;
  });
  await first.commit([{ type: 'sidecar.remove', instanceId: '1' }]);
  asleep.turn(10_000);
  await first.commit([]);
  expect(await first.liveSidecars(), 'what was removed is not entered again').toEqual([]);
});

test('a damaged message is told by name and passed over; the others of its topic are given', async () => {
  const clock = createTurnedClock();
  const ledger = await openLedger(clock);
  await ledger.commit([append('1'), append('2'), append('3')]);
  database((db) => db.prepare("UPDATE messages SET data = x'00' WHERE id = '2'").run());
  expect(await ids(ledger)).toEqual(['1', '3']);
  expect(lines.join('')).toMatch(/message 2 of topic x.*checksum/);
  database((db) => db.prepare('UPDATE messages SET data = ? WHERE id = ?').run(Buffer.from('2'), '2'));
  clock.turn(60_000);
  expect(await claim(ledger), 'mended').toMatchObject([{ id: '2', attempt: 1 }]);
});

test('a damaged outbox record is told by name and passed over; the others leave', async () => {
  const ledger = await openLedger(createTurnedClock());
  const record = (id: string): LedgerOperation => ({ type: 'outbox.add', record: { id, appId: 'a', pubsub: 'p', topic: 't', data: Buffer.from(id), contentType: 'text/plain', metadata: {}, createdAt: 0 } });
  await ledger.commit([record('1'), record('2')]);
  database((db) => db.prepare("UPDATE outbox SET data = x'00' WHERE id = '1'").run());
  expect((await ledger.outbox.claim({ appId: 'a', owner: 'o', limit: 10, leaseMs: 1000 })).map(({ id }) => id)).toEqual(['2']);
  expect(lines.join('')).toMatch(/outbox record 1.*checksum/);
});

test('what has expired is removed step after step until nothing is left, rows and messages', async () => {
  const clock = createTurnedClock();
  const ledger = await openLedger(clock);
  await ledger.commit(Array.from({ length: 3000 }, (_, n): LedgerOperation => ({ type: 'state.set', table: 't', key: `k${n}`, data: Buffer.from('x'), binary: false, expiresAt: clock.now() + 1000 })));
  await ledger.commit(Array.from({ length: 3000 }, (_, n) => append(String(n))));
  clock.turn(5000);
  // A hundredth of what one step per interval would take.
  for (let waited = 0; waited < 50; waited++) {
    await ledger.commit([]);
    clock.turn(20);
  }
  expect(database((db) => db.prepare('SELECT (SELECT COUNT(*) FROM state) + (SELECT COUNT(*) FROM messages) AS count').get()?.['count'])).toBe(0);
  expect((await ledger.topicStatus('x')).bytes).toBe(0);
});

test('a group that another process dropped is begun again at the next claim', async () => {
  const clock = createTurnedClock();
  const ledger = await openLedger(clock);
  await ledger.commit([append('1')]);
  expect(await ids(ledger)).toEqual(['1']);
  database((db) => db.exec('DELETE FROM deliveries; DELETE FROM groups'));
  expect(await ids(ledger)).toEqual(['1']);
});

test('(L3) what a process had leased of workflows is freed when its session is over, long before a lease of hours', async () => {
  const [asleep, awake] = [createTurnedClock(), createTurnedClock()];
  const [first, second] = [await openLedger(asleep), await openLedger(awake)];
  const at = { app: 'a', instanceId: '1', executionId: 'x' };
  const message = { event: '{}', kind: 'event' as const };
  await first.commit([
    { type: 'workflow.create', ...at, name: 'w', ifExists: 'unique', message },
    { type: 'workflow.first-step', ...at, status: 'running', activities: [{ taskId: 1, app: 'a', name: 'act', request: '{}' }] },
    { type: 'workflow.send', app: 'a', instanceId: '1', message },
  ]);
  const request = (owner: string) => ({ app: 'a', owner, limit: 10, leaseMs: 3600_000 });
  expect((await first.workflows.claimInstances(request('p'))).instances).toHaveLength(1);
  expect((await first.workflows.claimActivities(request('p'))).activities).toHaveLength(1);
  expect((await second.workflows.claimInstances(request('q'))).instances, 'held under a lease').toEqual([]);
  await until(async () => {
    awake.turn(1000);
    return (await second.workflows.claimInstances(request('q'))).instances.length === 1;
  });
  expect((await second.workflows.claimActivities(request('q'))).activities).toHaveLength(1);
  expect(awake.now() - asleep.now()).toBeLessThan(60_000);
});

test('a damaged history or snapshot is told by name, and no other instance notices', async () => {
  const ledger = await openLedger(createTurnedClock());
  const message = { event: '{}', kind: 'event' as const };
  for (const instanceId of ['1', '2']) {
    const at = { app: 'a', instanceId, executionId: 'x' };
    await ledger.commit([{ type: 'workflow.create', ...at, name: 'w', ifExists: 'unique', message }, { type: 'workflow.first-step', ...at, status: 'running', append: { count: 1, data: '[1]' }, snapshot: 's' }]);
  }
  const [one, two] = await Promise.all(['1', '2'].map(async (id) => (await ledger.workflows.find('a', id))?.row ?? 0));
  database((db) => {
    db.prepare("UPDATE wf_history SET data = '[2]' WHERE instance = ?").run(one ?? 0);
    db.prepare("UPDATE wf_snapshots SET data = 'x' WHERE instance = ?").run(one ?? 0);
  });
  const damaged = (error: unknown) => error instanceof LedgerRefused && error.code === 'damaged' && /workflow row 1/.test(error.message);
  await expect(ledger.workflows.history(one ?? 0, 0, 10)).rejects.toSatisfy(damaged);
  await expect(ledger.workflows.snapshot(one ?? 0)).rejects.toSatisfy(damaged);
  expect([(await ledger.workflows.history(two ?? 0, 0, 10)).length, await ledger.workflows.snapshot(two ?? 0)]).toEqual([1, 's']);
});

test('a ledger from before workflows is brought up to date, and keeps what it had', async () => {
  const clock = createTurnedClock();
  const before = await openLedger(clock);
  await before.commit([append('1')]);
  await before.close();
  database((db) => {
    for (const { name } of db.prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND (name LIKE 'wf_%' OR name = 'jobs')").all() as { name: string }[]) db.exec(`DROP TABLE ${name}`);
    for (const column of ['topics DROP COLUMN appended', 'topics DROP COLUMN trimmed', 'groups DROP COLUMN taken', 'groups DROP COLUMN waiting', 'groups DROP COLUMN in_flight']) db.exec(`ALTER TABLE ${column}`);
    db.exec("UPDATE ledger_meta SET value = '1' WHERE name = 'schema'");
  });
  const after = await openLedger(clock);
  expect(await ids(after)).toEqual(['1']);
  await after.commit([{ type: 'workflow.create', app: 'a', instanceId: '1', executionId: 'x', name: 'w', ifExists: 'unique', message: { event: '{}', kind: 'event' } }]);
  expect(await after.workflows.find('a', '1')).toMatchObject({ status: 'pending' });
});

const GROUPS = ['g', 'h', 'k'];
const TABLES_OF_STATUS = `SELECT
  (SELECT COUNT(*) FROM messages m WHERE m.topic = t.id) AS messages, (SELECT COALESCE(SUM(LENGTH(data)), 0) FROM messages m WHERE m.topic = t.id) AS bytes, g.name AS "group",
  (SELECT COUNT(*) FROM deliveries d WHERE d.grp = g.id AND d.session IS NULL) AS waiting, (SELECT COUNT(*) FROM deliveries d WHERE d.grp = g.id AND d.session IS NOT NULL) AS inFlight,
  (SELECT COUNT(*) FROM messages m WHERE m.topic = t.id AND m.sequence > g.cursor) AS unread
  FROM topics t LEFT JOIN groups g ON g.topic = t.id WHERE t.name = 'x' ORDER BY g.name`;
/** What the status must say, counted row by row. */
const counted = () =>
  database((db) => {
    const rows = db.prepare(TABLES_OF_STATUS).all() as { messages: number; bytes: number; group: string | null }[];
    return { topic: 'x', messages: rows[0]?.messages ?? 0, bytes: rows[0]?.bytes ?? 0, groups: rows.filter(({ group }) => group !== null).map(({ messages: _messages, bytes: _bytes, ...group }) => ({ ...group })) };
  });
const keptIds = () => database((db) => new Set((db.prepare('SELECT id FROM messages').all() as { id: string }[]).map(({ id }) => id)));
/** Numbers that look like chance and are the same in each run. */
function createChance(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

test.each([1, 2, 3])('whatever two processes do to a topic, its status is what a count of the rows says, and nothing unacknowledged is lost (%i)', { timeout: 120_000 }, async (seed) => {
  const chance = createChance(seed);
  const clock = createTurnedClock();
  const ledgers = [await openLedger(clock), await openLedger(clock)];
  const owed = new Map<string, Set<string>>();
  const held: { ledger: Ledger; ref: { topic: string; group: string; sequence: number }; id: string }[] = [];
  let published = 0;
  let accepted = 0;
  let refusals = 0;
  for (let step = 0; step < 600; step++) {
    const ledger = ledgers[chance(2)] as Ledger;
    const group = GROUPS[chance(step < 100 ? 1 : step < 300 ? 2 : 3)] as string;
    switch (chance(6)) {
      case 0:
      case 1: {
        const ids = Array.from({ length: 1 + chance(8) }, () => String(published++));
        const batch = ids.map((id): LedgerOperation => ({ type: 'topic.append', topic: 'x', message: { id, data: Buffer.alloc(chance(20), 'x'), metadata: {} }, retention: { retentionMs: 60_000, bytesMax: 400 } }));
        if (chance(5) === 0) batch.push({ type: 'state.set', table: 't', key: 'k', data: Buffer.from('x'), binary: false, ifEtag: 'never' });
        const error: unknown = await ledger.commit(batch).then(() => undefined, (reason: unknown) => reason);
        if (error instanceof LedgerRefused) refusals++;
        if (error !== undefined) break;
        accepted += ids.length;
        for (const ledgerGroup of owed.values()) for (const id of ids) ledgerGroup.add(id);
        break;
      }
      case 2: {
        // A group is owed all that is kept when it claims for the first time, and all that comes after.
        if (!owed.has(group)) owed.set(group, keptIds());
        const { messages } = await ledger.claimMessages({ topic: 'x', group, limit: 1 + chance(12) });
        for (const { topic, sequence, id } of messages) held.push({ ledger, ref: { topic, group, sequence }, id });
        break;
      }
      case 3:
      case 4: {
        const some = held.splice(0, 1 + chance(12));
        const types = some.map(() => (['message.ack', 'message.ack', 'message.ack', 'message.retry', 'message.release'] as const)[chance(5)] ?? 'message.ack');
        for (const one of ledgers) {
          const mine = some.flatMap((entry, n) => (entry.ledger === one ? [{ ...entry, type: types[n] ?? 'message.ack' }] : []));
          await one.commit(mine.map(({ ref, type }) => (type === 'message.retry' ? { type, ...ref, dueAt: clock.now() + chance(20_000) } : { type, ...ref })));
          for (const { ref, id, type } of mine) if (type === 'message.ack') owed.get(ref.group)?.delete(id);
        }
        break;
      }
      default:
        clock.turn(chance(3000));
    }
    if (step === 400) {
      // What it held goes back to wait.
      await ledgers[1]?.close();
      for (let n = held.length - 1; n >= 0; n--) if (held[n]?.ledger === ledgers[1]) held.splice(n, 1);
      ledgers[1] = await openLedger(clock);
    }
    await ledgers[0]?.commit([]);
    await ledgers[1]?.commit([]);
    expect(await ledgers[0]?.topicStatus('x'), `after step ${step}`).toEqual(counted());
  }
  expect(refusals).toBeGreaterThan(0);
  const kept = keptIds();
  expect(kept.size, 'something was given up').toBeLessThan(accepted);
  for (const [group, ids] of owed) expect([...ids].filter((id) => !kept.has(id)), `owed to ${group}`).toEqual([]);
});

test('status reads neither messages nor deliveries, so that its cost does not grow with them', async () => {
  const ledger = await openLedger(createTurnedClock());
  await ledger.commit([append('1'), append('2'), append('3')]);
  await ledger.claimMessages({ topic: 'x', group: 'g', limit: 2 });
  database((db) => db.exec('ALTER TABLE messages RENAME TO no_messages; ALTER TABLE deliveries RENAME TO no_deliveries'));
  expect(await ledger.topicStatus('x')).toEqual({ topic: 'x', messages: 3, bytes: 3, groups: [{ group: 'g', waiting: 0, inFlight: 2, unread: 1 }] });
  database((db) => db.exec('ALTER TABLE no_messages RENAME TO messages; ALTER TABLE no_deliveries RENAME TO deliveries'));
});

test('(L5) at the limit an append finds what is acknowledged behind any number of messages that wait, after refusals that each look at a bounded number', async () => {
  const waiting = 6000;
  const bytesMax = waiting + 100;
  const clock = createTurnedClock();
  const ledger = await openLedger(clock);
  const one = (): LedgerOperation => ({ type: 'topic.append', topic: 'x', message: { id: 'm', data: Buffer.from('.'), metadata: {} }, retention: { retentionMs: 60_000_000, bytesMax } });
  await ledger.openGroup('x', 'g');
  await ledger.commit(Array.from({ length: bytesMax }, one));
  const { messages } = await ledger.claimMessages({ topic: 'x', group: 'g', limit: bytesMax });
  await ledger.commit(messages.map(({ topic, group, sequence }, n): LedgerOperation => (n < waiting ? { type: 'message.retry', topic, group, sequence, dueAt: clock.now() + 50_000_000 } : { type: 'message.ack', topic, group, sequence })));
  const taken = () => ledger.commit([one()]).then(() => true, (error: unknown) => (error instanceof LedgerRefused && error.code === 'topic-full' ? false : Promise.reject(error as Error)));
  let tries = 1;
  while (!(await taken())) tries++;
  expect(tries).toBeGreaterThan(1);
  expect(tries).toBeLessThan(15);
  expect(await ledger.topicStatus('x')).toMatchObject({ messages: waiting + 1, groups: [{ waiting, unread: 1 }] });

  // Now only unacknowledged ones fill the limit: 99 more, then no more, however often the looks go round.
  for (let n = 0; n < 99; n++) await ledger.commit([one()]);
  for (let n = 0; n < 30; n++) expect(await taken()).toBe(false);

  // One in the midst, which the looks have passed.
  clock.turn(50_000_000);
  const again = await ledger.claimMessages({ topic: 'x', group: 'g', limit: 3000 });
  await ledger.commit(again.messages.map(({ topic, group, sequence }, n): LedgerOperation => ({ type: n === 2999 ? 'message.ack' : 'message.release', topic, group, sequence })));
  for (tries = 1; !(await taken()); tries++) expect(tries).toBeLessThan(15);
  expect(await ledger.topicStatus('x')).toMatchObject({ messages: bytesMax, bytes: bytesMax });
});

test('(L5) where a thousand and more wait, the first append finds what was acknowledged among them, wherever the looks before it ended', async () => {
  const waiting = 1200;
  const clock = createTurnedClock();
  const ledger = await openLedger(clock);
  const one = (): LedgerOperation => ({ type: 'topic.append', topic: 'x', message: { id: 'm', data: Buffer.from('.'), metadata: {} }, retention: { retentionMs: 60_000_000, bytesMax: waiting } });
  await ledger.openGroup('x', 'g');
  await ledger.commit(Array.from({ length: waiting }, one));
  const { messages } = await ledger.claimMessages({ topic: 'x', group: 'g', limit: waiting });
  for (let n = 0; n < 5; n++) await expect(ledger.commit([one()])).rejects.toMatchObject({ code: 'topic-full' });
  for (const n of [700, 1100, 3]) {
    const { topic, group, sequence } = messages[n] ?? { topic: '', group: '', sequence: 0 };
    await ledger.commit([{ type: 'message.ack', topic, group, sequence }]);
    await ledger.commit([one()]);
    await expect(ledger.commit([one()])).rejects.toMatchObject({ code: 'topic-full' });
  }
});

test('(L5) an append to a topic whose limit was lowered does a bounded part of the work', async () => {
  const ledger = await openLedger(createTurnedClock());
  const one = (bytesMax: number): LedgerOperation => ({ type: 'topic.append', topic: 'x', message: { id: 'm', data: Buffer.from('.'), metadata: {} }, retention: { retentionMs: 60_000_000, bytesMax } });
  await ledger.openGroup('x', 'g');
  await ledger.commit(Array.from({ length: 5000 }, () => one(5000)));
  const { messages } = await ledger.claimMessages({ topic: 'x', group: 'g', limit: 5000 });
  await ledger.commit(messages.map(({ topic, group, sequence }) => ({ type: 'message.ack', topic, group, sequence })));
  await ledger.commit([one(10)]);
  expect((await ledger.topicStatus('x')).messages).toBe(5000 - 500 + 1);
});

describe('what runs in the background', () => {
  /** Counts the timers that are set, so that "nothing goes on" can be told. */
  function createCountedClock(): TurnedClock & { readonly set: number } {
    const clock = createTurnedClock();
    let set = 0;
    return {
      ...clock,
      get set() {
        return set;
      },
      after(ms, callback) {
        set++;
        return clock.after(ms, callback);
      },
    };
  }
  const unhandled: unknown[] = [];
  const keep = (error: unknown): void => void unhandled.push(error);
  beforeEach(() => {
    unhandled.length = 0;
    process.on('unhandledRejection', keep);
    process.on('uncaughtException', keep);
  });
  afterEach(() => {
    process.off('unhandledRejection', keep);
    process.off('uncaughtException', keep);
  });
  const breakReads = () => database((db) => db.exec('ALTER TABLE sessions RENAME TO no_sessions'));
  const mendReads = () => database((db) => db.exec('ALTER TABLE no_sessions RENAME TO sessions'));
  const linesWith = (words: string) => lines.filter((line) => line.includes(words));
  const turns = () => new Promise((resolve) => setTimeout(resolve, 50));

  test('a look that fails is told once a minute and tried on; mended, it finds what it missed', async () => {
    const clock = createCountedClock();
    const ledger = await openLedger(clock);
    breakReads();
    for (let seconds = 0; seconds < 30; seconds++) clock.turn(1000);
    await turns();
    expect(linesWith('cannot be read')).toHaveLength(1);
    expect(linesWith('could not renew its lease')).toHaveLength(1);
    mendReads();
    await until(async () => {
      clock.turn(1000);
      await ledger.commit([]);
      return database((db) => (db.prepare('SELECT MAX(lease_until) AS until FROM sessions').get()?.['until'] as number) > clock.now());
    });
    let woken = 0;
    ledger.watch('topic/x', () => woken++);
    database((db) => db.exec("INSERT INTO topics (name) VALUES ('x')"));
    clock.turn(1000);
    expect(woken, 'another process has written').toBe(1);
    expect(unhandled).toEqual([]);
  });

  test('after close a ledger whose reads fail sets no timer, reads nothing, says nothing and throws nothing', async () => {
    const clock = createCountedClock();
    const ledger = await openLedger(clock);
    breakReads();
    clock.turn(1000);
    expect(linesWith('cannot be read')).toHaveLength(1);
    await ledger.close();
    expect(linesWith('could not give back its leases')).toHaveLength(1);
    const [told, set] = [lines.length, clock.set];
    clock.turn(3_600_000);
    await turns();
    expect([lines.length, clock.set, unhandled]).toEqual([told, set, []]);
  });

  test('a step of tending that is under way at close, and fails then, neither goes on nor is told', async () => {
    const clock = createCountedClock();
    const ledger = await openLedger(clock);
    breakReads();
    // Handed to the writer thread now; it fails when close has begun.
    clock.turn(5000);
    const set = clock.set;
    await ledger.close();
    clock.turn(3_600_000);
    await turns();
    expect(linesWith('could not renew its lease')).toEqual([]);
    expect([clock.set, unhandled]).toEqual([set, []]);
  });

  test('a watcher that closes the ledger in the midst of a look ends the looking, whether or not the rest of it fails', async () => {
    for (const isBroken of [false, true]) {
      const clock = createCountedClock();
      const ledger = await openLedger(clock);
      let closing: Promise<void> | undefined;
      ledger.watch('topic/x', () => (closing ??= ledger.close()));
      database((db) => db.exec(`INSERT INTO topics (name) VALUES ('${isBroken ? 'broken' : 'sound'}')`));
      if (isBroken) breakReads();
      clock.turn(1000);
      if (!closing) throw new Error('the look has woken nobody');
      await closing;
      const set = clock.set;
      clock.turn(3_600_000);
      await turns();
      expect([clock.set, unhandled, linesWith('cannot be read')]).toEqual([set, [], []]);
    }
  });

  test('state reads that were asked for in the turn of the close are refused by name, one or many', async () => {
    for (const count of [1, 5]) {
      const ledger = await openLedger(createTurnedClock());
      const reads = Array.from({ length: count }, (_, n) => ledger.readState('t', [`k${n}`]));
      const closing = ledger.close();
      for (const read of await Promise.allSettled(reads)) expect(read).toMatchObject({ status: 'rejected', reason: { code: 'closed' } });
      await closing;
      await turns();
      expect(unhandled).toEqual([]);
    }
  });
});
