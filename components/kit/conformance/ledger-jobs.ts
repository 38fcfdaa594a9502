/** The promises of the jobs part of the ledger port as test cases (invariants by their numbers in `kit/ledger-jobs.ts`). */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { LedgerConflict, endOfPrefix, type ClaimedJob, type JobOperation, type Ledger, type LedgerResult, type NewJob } from '../index.ts';
import { createTurnedClock, type TurnedClock } from '../testing.ts';
import type { LedgerUnderTest } from './ledger.ts';

const LEASE_MS = 10_000;

export function jobLedgerConformance(name: string, subject: LedgerUnderTest): void {
  describe(`job ledger conformance: ${name}`, () => {
    let clock: TurnedClock;
    let ledger: Ledger;
    beforeEach(async () => {
      clock = createTurnedClock();
      ledger = await subject.open(clock);
    });
    afterEach(() => ledger.close());

    const one = async (operation: JobOperation): Promise<LedgerResult> => (await ledger.commit([operation]))[0] ?? {};
    const job = (jobName: string, more: Partial<NewJob> = {}): { type: 'job.put' } & NewJob => ({
      type: 'job.put', app: 'a', name: jobName, definition: `of ${jobName}`, data: Buffer.from(jobName), dueAt: clock.now(), overwrite: false, ...more,
    });
    const put = (jobName: string, more: Partial<NewJob> = {}) => one(job(jobName, more));
    const claim = async (owner = 'o', { limit = 100, app = 'a' } = {}) => (await ledger.jobs.claim({ app, owner, limit, leaseMs: LEASE_MS })).jobs;
    const claimOne = async (owner = 'o'): Promise<ClaimedJob> => {
      const [claimed] = await claim(owner, { limit: 1 });
      if (!claimed) throw new Error('nothing could be claimed');
      return claimed;
    };
    const settled = async (operation: JobOperation) => (await one(operation)).applied;
    const names = (jobs: readonly { readonly name: string }[]) => jobs.map((found) => found.name);
    const list = async (more: { prefix?: string; limit?: number; after?: string; app?: string } = {}) => names(await ledger.jobs.list({ app: 'a', limit: 100, ...more }));

    describe('keeping', () => {
      test('a job is found as it was put, with its bytes', async () => {
        const data = Uint8Array.from({ length: 256 }, (_, byte) => byte);
        await put('j', { data, definition: '{"schedule":"ü"}', dueAt: clock.now() + 5, expiresAt: clock.now() + 9 });
        const found = await ledger.jobs.find('a', 'j');
        expect(found).toMatchObject({ app: 'a', name: 'j', definition: '{"schedule":"ü"}', createdAt: clock.now(), dueAt: clock.now() + 5, expiresAt: clock.now() + 9, ticks: 0, attempt: 1, freeAt: clock.now() + 5 });
        expect(Buffer.from(found?.data ?? [])).toEqual(Buffer.from(data));
        expect(found?.owner).toBeUndefined();
        expect(await ledger.jobs.find('a', 'k')).toBeUndefined();
        expect(await ledger.jobs.find('b', 'j')).toBeUndefined();
      });

      test('a name that is taken refuses the whole batch with its name and index, unless the job may be replaced', async () => {
        await put('j');
        const first = await ledger.jobs.find('a', 'j');
        const refused = ledger.commit([job('k'), job('j')]);
        await expect(refused).rejects.toSatisfy((error) => error instanceof LedgerConflict && error.key === 'j' && error.index === 1);
        expect(await list()).toEqual(['j']);
        await put('j', { overwrite: true, definition: 'new' });
        const second = await ledger.jobs.find('a', 'j');
        expect(second?.definition).toBe('new');
        expect(second?.row).not.toBe(first?.row);
        await put('j', { app: 'b' });
      });

      test('a deletion says whether there was a job, and a batch of puts and other operations is one', async () => {
        await put('j');
        expect(await one({ type: 'job.delete', app: 'a', name: 'j' })).toEqual({ deleted: true });
        expect(await one({ type: 'job.delete', app: 'a', name: 'j' })).toEqual({ deleted: false });
        await expect(ledger.commit([job('k'), { type: 'state.delete', table: 't', key: 'x', ifEtag: 'none' }])).rejects.toBeInstanceOf(LedgerConflict);
        expect(await list()).toEqual([]);
      });

      test('jobs of one app are not seen, listed, claimed or deleted by another, however alike their names (users 52)', async () => {
        for (const app of ['test', 'test-1', 'a||b', 'a', 'tеst']) await put(`of ${app}`, { app });
        for (const app of ['test', 'test-1', 'a||b', 'a', 'tеst']) {
          expect(await list({ app })).toEqual([`of ${app}`]);
          expect(names(await claim('o', { app }))).toEqual([`of ${app}`]);
        }
        expect(await one({ type: 'job.delete-prefix', app: 'test', prefix: '', limit: 100 })).toEqual({ count: 1 });
        expect(await list({ app: 'test' })).toEqual([]);
        expect(await list({ app: 'test-1' })).toEqual(['of test-1']);
      });

      test('a list is in the order of UTF-8 bytes, by pages, of exactly the names that begin with the prefix', async () => {
        const all = ['A', 'a', 'a%', 'a_b', 'ab', 'ab/c', 'b', 'ä', '\ud7ff', '\ue000', '𝄞', '\u{10ffff}', '\u{10ffff}x'];
        for (const jobName of all.toReversed()) await put(jobName);
        const sorted = all.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
        expect(await list()).toEqual(sorted);
        const paged: string[] = [];
        for (let page = await list({ limit: 4 }); page.length > 0; page = await list({ limit: 4, after: page.at(-1) ?? '' })) paged.push(...page);
        expect(paged).toEqual(sorted);
        for (const prefix of ['', 'a', 'a%', 'a_', 'ab', 'B', '\ud7ff', '\u{10ffff}', 'z']) expect(await list({ prefix })).toEqual(sorted.filter((jobName) => jobName.startsWith(prefix)));
        expect(await list({ prefix: 'a', after: 'a%', limit: 2 })).toEqual(['a_b', 'ab']);
      });

      test('a deletion by prefix takes exactly those that begin so, in steps of its limit', async () => {
        for (const jobName of ['a', 'a-1', 'a-2', 'a-3', 'a_1', 'A-1', 'b', '\u{10ffff}1']) await put(jobName);
        expect(await one({ type: 'job.delete-prefix', app: 'a', prefix: 'a-', limit: 2 })).toEqual({ count: 2 });
        expect(await one({ type: 'job.delete-prefix', app: 'a', prefix: 'a-', limit: 2 })).toEqual({ count: 1 });
        expect(await list()).toEqual(['A-1', 'a', 'a_1', 'b', '\u{10ffff}1']);
        expect(await one({ type: 'job.delete-prefix', app: 'a', prefix: '\u{10ffff}', limit: 9 })).toEqual({ count: 1 });
        expect(await one({ type: 'job.delete-prefix', app: 'a', prefix: '', limit: 9 })).toEqual({ count: 4 });
      });
    });

    describe('claims', () => {
      test('nothing is claimed before its instant, then earliest first, up to the limit (J4)', async () => {
        await put('late', { dueAt: clock.now() + 100 });
        await put('second', { dueAt: clock.now() + 20 });
        await put('first', { dueAt: clock.now() + 10 });
        expect(await ledger.jobs.nextAt('a')).toBe(clock.now() + 10);
        expect(await ledger.jobs.nextAt('b')).toBeUndefined();
        clock.turn(9);
        expect(await claim()).toEqual([]);
        clock.turn(11);
        const { jobs, more } = await ledger.jobs.claim({ app: 'a', owner: 'o', limit: 1, leaseMs: LEASE_MS });
        expect({ names: names(jobs), more }).toEqual({ names: ['first'], more: true });
        expect(jobs[0]).toMatchObject({ definition: 'of first', ticks: 0, attempt: 1, claimedAt: clock.now(), owner: 'o', freeAt: clock.now() + LEASE_MS });
        expect(Buffer.from(jobs[0]?.data ?? []).toString()).toBe('first');
        expect(names(await claim())).toEqual(['second']);
        expect(await claim()).toEqual([]);
      });

      test('of many claimers at once each tick goes to one (J1)', async () => {
        await ledger.commit(Array.from({ length: 50 }, (_, n) => job(`j${n}`)));
        const claims = await Promise.all(Array.from({ length: 10 }, (_, n) => claim(`o${n}`, { limit: 7 })));
        const given = claims.flatMap(names);
        expect(given).toHaveLength(50);
        expect(new Set(given).size).toBe(50);
      });

      test('a lease that ended makes the tick free for others with the same numbers, and not for its holder (J1, J3, J4)', async () => {
        await put('j');
        const first = await claimOne('one');
        clock.turn(LEASE_MS - 1);
        expect(await claim('two')).toEqual([]);
        clock.turn(1);
        expect(await claim('one')).toEqual([]);
        const second = await claimOne('two');
        expect(second).toMatchObject({ row: first.row, dueAt: first.dueAt, ticks: 0, attempt: 1, claimedAt: first.claimedAt });
        expect(second.fence).toBeGreaterThan(first.fence);
      });

      test('a renewed lease holds, one that was lost is told, and what its holder does not name comes free when it ends', async () => {
        await put('kept');
        await put('forgotten');
        await put('other');
        const held = await claim('one');
        clock.turn(LEASE_MS / 2);
        const kept = held.filter((claimed) => claimed.name === 'kept');
        expect(await ledger.jobs.renew({ owner: 'one', leaseMs: LEASE_MS, jobs: kept })).toEqual({ lost: [] });
        clock.turn(LEASE_MS / 2);
        const { row, fence } = await claimOne('two');
        await one({ type: 'job.end', row, fence });
        const taken = held.filter(({ name: jobName }) => jobName !== 'kept');
        expect((await ledger.jobs.renew({ owner: 'one', leaseMs: LEASE_MS, jobs: [...kept, ...taken] })).lost).toHaveLength(1);
        await ledger.jobs.renew({ owner: 'one', leaseMs: LEASE_MS, jobs: kept });
        clock.turn(LEASE_MS);
        await ledger.jobs.renew({ owner: 'one', leaseMs: LEASE_MS, jobs: kept });
        expect(names(await claim('one', { limit: 10 }))).toHaveLength(1);
      });

      test('a job that expires is as if it were not there: not found, listed, claimed, or in the way of its name', async () => {
        await put('j', { expiresAt: clock.now() + 10, dueAt: clock.now() + 10 });
        await put('held', { expiresAt: clock.now() + 10 });
        const held = await claimOne();
        clock.turn(10);
        expect(await ledger.jobs.find('a', 'j')).toBeUndefined();
        expect(await list()).toEqual([]);
        await put('held', { definition: 'new', dueAt: clock.now() + 1 });
        expect(await settled({ type: 'job.next', ...held, dueAt: clock.now(), ticks: 1 })).toBe(false);
        expect(await claim()).toEqual([]);
        expect(await one({ type: 'job.delete', app: 'a', name: 'j' })).toEqual({ deleted: false });
        expect(await ledger.jobs.nextAt('a')).toBe(clock.now() + 1);
      });
    });

    describe('settlements', () => {
      test('the next tick has its own instant and number, and counts attempts anew', async () => {
        await put('j');
        const first = await claimOne();
        await one({ type: 'job.retry', row: first.row, fence: first.fence, freeAt: clock.now() });
        const again = await claimOne();
        expect(again).toMatchObject({ attempt: 2, ticks: 0, dueAt: first.dueAt });
        const next = clock.now() + 1000;
        expect(await settled({ type: 'job.next', row: again.row, fence: again.fence, dueAt: next, ticks: 1 })).toBe(true);
        expect(await ledger.jobs.find('a', 'j')).toMatchObject({ dueAt: next, freeAt: next, ticks: 1, attempt: 1 });
        expect(await claim('two')).toEqual([]);
        clock.turn(1000);
        expect(await claimOne()).toMatchObject({ dueAt: next, ticks: 1, attempt: 1, claimedAt: clock.now() });
      });

      test('a retry is given when it is due, with the next attempt, and the tick stays the same (J4)', async () => {
        await put('j');
        const first = await claimOne();
        expect(await settled({ type: 'job.retry', row: first.row, fence: first.fence, freeAt: clock.now() + 50 })).toBe(true);
        expect(await claim()).toEqual([]);
        clock.turn(50);
        expect(await claimOne('two')).toMatchObject({ attempt: 2, ticks: 0, dueAt: first.dueAt, claimedAt: first.claimedAt });
      });

      test('a tick that is given back is free at once, with the same attempt', async () => {
        await put('j');
        const first = await claimOne('one');
        expect(await settled({ type: 'job.release', row: first.row, fence: first.fence })).toBe(true);
        clock.turn(5);
        expect(await claimOne('one')).toMatchObject({ attempt: 1, ticks: 0, dueAt: first.dueAt, claimedAt: clock.now() });
      });

      test('an ended job is gone', async () => {
        await put('j');
        const { row, fence } = await claimOne();
        expect(await settled({ type: 'job.end', row, fence })).toBe(true);
        expect(await ledger.jobs.find('a', 'j')).toBeUndefined();
        expect(await ledger.jobs.nextAt('a')).toBeUndefined();
      });

      test('a claim that was overtaken settles nothing, nor does one of a job that was put again or deleted (J2)', async () => {
        const ways = (row: number, fence: number): JobOperation[] => [
          { type: 'job.next', row, fence, dueAt: clock.now() + 5, ticks: 9 },
          { type: 'job.retry', row, fence, freeAt: clock.now() },
          { type: 'job.release', row, fence },
          { type: 'job.end', row, fence },
        ];
        await put('j');
        const old = await claimOne('one');
        clock.turn(LEASE_MS);
        const current = await claimOne('two');
        for (const way of ways(old.row, old.fence)) expect(await settled(way)).toBe(false);
        expect(await ledger.jobs.find('a', 'j')).toMatchObject({ owner: 'two', ticks: 0, attempt: 1 });
        await put('j', { overwrite: true, definition: 'new' });
        for (const way of ways(current.row, current.fence)) expect(await settled(way)).toBe(false);
        expect(await ledger.jobs.find('a', 'j')).toMatchObject({ definition: 'new', ticks: 0 });
        await one({ type: 'job.delete', app: 'a', name: 'j' });
        await put('j');
        expect((await ledger.jobs.find('a', 'j'))?.row).toBeGreaterThan(current.row);
        for (const way of ways(current.row, current.fence)) expect(await settled(way)).toBe(false);
      });
    });

    test('whoever watches is woken by a put, a retry and a return', async () => {
      let woken = 0;
      ledger.watch('jobs/a', () => woken++);
      await put('other', { app: 'b' });
      expect(woken).toBe(0);
      await put('j');
      expect(woken).toBe(1);
      const first = await claimOne();
      await one({ type: 'job.retry', row: first.row, fence: first.fence, freeAt: clock.now() });
      expect(woken).toBe(2);
      const second = await claimOne();
      await one({ type: 'job.release', row: second.row, fence: second.fence });
      expect(woken).toBe(3);
    });

    const { reopen } = subject;
    if (reopen) {
      test('jobs outlive the closing of the ledger, and what was held then is free', async () => {
        await put('j', { definition: 'kept' });
        await claimOne('one');
        await ledger.close();
        ledger = await reopen(clock);
        expect(await claimOne('two')).toMatchObject({ definition: 'kept', attempt: 1, ticks: 0 });
      });
    }
  });
}

describe('the end of a prefix', () => {
  test('is the least text after all that begin so, in the order of code points', () => {
    expect(endOfPrefix('')).toBeUndefined();
    expect(endOfPrefix('a')).toBe('b');
    expect(endOfPrefix('a\u{10ffff}')).toBe('b');
    expect(endOfPrefix('\u{10ffff}\u{10ffff}')).toBeUndefined();
    expect(endOfPrefix('x\ud7ff')).toBe('x\ue000');
  });
});
