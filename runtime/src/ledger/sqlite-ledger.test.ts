/** What the conformance suite cannot see: several ledgers on one file, and what is done in steps. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LedgerRefused, type Ledger, type LedgerOperation, type SidecarRow } from '@mecha/components/kit';
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

async function openLedger(clock: TurnedClock): Promise<Ledger> {
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
    for (const { name } of db.prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'wf_%'").all() as { name: string }[]) db.exec(`DROP TABLE ${name}`);
    db.exec("UPDATE ledger_meta SET value = '1' WHERE name = 'schema'");
  });
  const after = await openLedger(clock);
  expect(await ids(after)).toEqual(['1']);
  await after.commit([{ type: 'workflow.create', app: 'a', instanceId: '1', executionId: 'x', name: 'w', ifExists: 'unique', message: { event: '{}', kind: 'event' } }]);
  expect(await after.workflows.find('a', '1')).toMatchObject({ status: 'pending' });
});
