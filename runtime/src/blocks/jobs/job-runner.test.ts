import { LedgerRefused } from '@mecha/components/kit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { JOB_LEASE_MS } from './job-runner.ts';
import { FAILURE, openJobs, settled, SUCCESS, type Delivered, type JobsUnderTest } from './testing.ts';

let jobs: JobsUnderTest;
beforeEach(() => {
  jobs = openJobs();
});
afterEach(() => jobs.close());

const START = Date.UTC(2026, 0, 1);
/** Seconds since the start at which ticks came. */
const times = (delivered: readonly Delivered[] = jobs.delivered): number[] => delivered.map(({ at }) => (at - START) / 1000);
const ids = (): (string | undefined)[] => jobs.delivered.map(({ headers }) => headers['mecha-job-tick']);
const attempts = (): (string | undefined)[] => jobs.delivered.map(({ headers }) => headers['mecha-job-attempt']);
const dues = (): number[] => jobs.delivered.map(({ headers }) => (Date.parse(headers['mecha-job-due'] ?? '') - START) / 1000);

describe('when', () => {
  test('an interval ticks at its times, each with the next number of one id', async () => {
    jobs.openRunner();
    await jobs.schedule('j', { schedule: '@every 2s', data: { value: Buffer.from('{"n":1}') } });
    await jobs.turn(7000);
    expect(times()).toEqual([2, 4, 6]);
    expect(ids()).toEqual(['id-1/1', 'id-1/2', 'id-1/3']);
    expect(dues()).toEqual([2, 4, 6]);
    expect(jobs.delivered.map(({ name, data }) => [name, Buffer.from(data?.value ?? []).toString()])).toEqual(Array.from({ length: 3 }, () => ['j', '{"n":1}']));
    expect(await jobs.block.get('j')).toMatchObject({ ticks: 3, nextAt: START + 8000, attempt: 1 });
  });

  test('a job due once ticks once and is gone; one in the past ticks at once', async () => {
    jobs.openRunner();
    await jobs.schedule('once', { dueTime: '1s' });
    await jobs.schedule('past', { dueTime: '2020-01-01T00:00:00Z' });
    await jobs.turn(5000);
    expect(jobs.delivered.map(({ name, at }) => [name, at - START])).toEqual([['past', 0], ['once', 1000]]);
    expect((await jobs.block.listAll()).map(({ name }) => name)).toEqual([]);
  });

  test('a schedule with a due time ticks then, and counts from there', async () => {
    jobs.openRunner();
    await jobs.schedule('j', { schedule: '@every 10s', dueTime: '3s' });
    await jobs.turn(24_000);
    expect(times()).toEqual([3, 13, 23]);
  });

  test('repeats are ticks in all, the job is gone after the last, and 0 is no end', async () => {
    jobs.openRunner();
    await jobs.schedule('two', { schedule: '@every 1s', repeats: 2 });
    await jobs.schedule('endless', { schedule: '@every 1s', repeats: 0 });
    await jobs.turn(4000);
    expect(jobs.delivered.filter(({ name }) => name === 'two')).toHaveLength(2);
    expect(jobs.delivered.filter(({ name }) => name === 'endless')).toHaveLength(4);
    expect(await jobs.block.find('two')).toBeUndefined();
  });

  test('nothing ticks after the time to live', async () => {
    jobs.openRunner();
    await jobs.schedule('j', { schedule: '@every 1s', ttl: '2500ms' });
    await jobs.turn(6000);
    expect(times()).toEqual([1, 2]);
    expect(await jobs.block.find('j')).toBeUndefined();
  });

  test('a job that is put again ticks by its new schedule, under a new id', async () => {
    jobs.openRunner();
    await jobs.schedule('j', { schedule: '@every 1s' });
    await jobs.turn(1500);
    await jobs.schedule('j', { schedule: '@every 2s', overwrite: true });
    await jobs.turn(4000);
    expect(times()).toEqual([1, 3.5, 5.5]);
    expect(ids()).toEqual(['id-1/1', 'id-2/1', 'id-2/2']);
  });

  test('a job that is deleted ticks no more, not even when its tick is under way', async () => {
    jobs.answerWith = undefined;
    jobs.openRunner();
    await jobs.schedule('j', { schedule: '@every 1s' });
    await jobs.turn(1000);
    await jobs.block.delete('j');
    jobs.delivered[0]?.answer(FAILURE);
    await jobs.turn(5000);
    expect(times()).toEqual([1]);
  });
});

describe('failures', () => {
  test('without a policy a tick is tried three times more, a second apart, under the same id, and the next one follows', async () => {
    jobs.answerWith = ({ headers }) => (headers['mecha-job-tick'] === 'id-1/1' ? FAILURE : SUCCESS);
    jobs.openRunner();
    await jobs.schedule('j', { schedule: '@every 10s' });
    await jobs.turn(21_000);
    expect(times()).toEqual([10, 11, 12, 13, 20]);
    expect(ids()).toEqual(['id-1/1', 'id-1/1', 'id-1/1', 'id-1/1', 'id-1/2']);
    expect(attempts()).toEqual(['1', '2', '3', '4', '1']);
    expect(dues()).toEqual([10, 10, 10, 10, 20]);
    expect(jobs.log.lines.filter(({ message }) => message === 'a tick of a job has failed, and is given up')).toHaveLength(1);
    expect([jobs.counts.get('component_job_failure_count'), jobs.counts.get('component_job_success_count')]).toEqual([4, 1]);
  });

  test('a policy says how often and how far apart; drop never; without a number for ever', async () => {
    jobs.answerWith = () => FAILURE;
    jobs.openRunner();
    await jobs.schedule('twice', { dueTime: '1s', failurePolicy: { intervalMs: 500, maxRetries: 2 } });
    await jobs.schedule('none', { dueTime: '1s', failurePolicy: { intervalMs: 500, maxRetries: 0 } });
    await jobs.schedule('drop', { dueTime: '1s', failurePolicy: { drop: true } });
    await jobs.schedule('endless', { dueTime: '1s', failurePolicy: { intervalMs: 5000 } });
    await jobs.turn(60_000);
    const of = (name: string): number[] => times(jobs.delivered.filter((job) => job.name === name));
    expect(of('twice')).toEqual([1, 1.5, 2]);
    expect(of('none')).toEqual([1]);
    expect(of('drop')).toEqual([1]);
    expect(of('endless')).toEqual(Array.from({ length: 12 }, (_, n) => 1 + 5 * n));
    expect((await jobs.block.listAll()).map(({ name, attempt }) => [name, attempt])).toEqual([['endless', 13]]);
  });

  test('a tick of a job that the app does not know is done, and told', async () => {
    jobs.answerWith = () => ({ outcome: 'drop', reason: 'the app answered 404' });
    jobs.openRunner();
    await jobs.schedule('j', { schedule: '@every 2s' });
    await jobs.turn(5000);
    expect(times()).toEqual([2, 4]);
    expect(jobs.log.lines.some(({ message }) => message.includes('knows no such job'))).toBe(true);
  });

  test('a job whose row no version can read rests for a minute and holds up no other', async () => {
    jobs.openRunner();
    await jobs.ledger.commit([{ type: 'job.put', app: 'default/app', name: 'bad', definition: 'not JSON', data: Buffer.alloc(0), dueAt: START, overwrite: false }]);
    await jobs.schedule('good', { dueTime: '1s' });
    await jobs.turn(2000);
    expect(jobs.delivered.map(({ name }) => name)).toEqual(['good']);
    expect(jobs.log.lines.filter(({ level }) => level === 'error')).toHaveLength(1);
  });
});

describe('missed ticks', () => {
  const downFor = async (ms: number): Promise<void> => {
    await settled();
    // Nobody is there while the clock goes on.
    jobs.clock.turn(ms);
    jobs.openRunner();
    await jobs.turn(0);
  };

  test('one tick makes up for all that were missed, then the schedule goes on', async () => {
    await jobs.schedule('j', { schedule: '@every 10s' });
    await downFor(65_000);
    await jobs.turn(16_000);
    expect(times()).toEqual([65, 70, 80]);
    expect(ids()).toEqual(['id-1/1', 'id-1/2', 'id-1/3']);
    expect(dues()).toEqual([10, 70, 80]);
  });

  test('skip: what is more than ten seconds late is passed over, what is less is not', async () => {
    await jobs.schedule('skipped', { schedule: '@every 30s', missed: 'skip' });
    await jobs.schedule('late', { schedule: '@every 60s', missed: 'skip' });
    await jobs.schedule('once', { dueTime: '5s', missed: 'skip' });
    await downFor(65_000);
    await jobs.turn(30_000);
    expect(jobs.delivered.map(({ name, at }) => [name, (at - START) / 1000])).toEqual([['late', 65], ['skipped', 90]]);
    expect((await jobs.block.listAll()).map(({ name }) => name)).toEqual(['late', 'skipped']);
  });

  test('all: each is delivered, one after another, then the schedule goes on', async () => {
    await jobs.schedule('j', { schedule: '@every 10s', missed: 'all' });
    await downFor(35_000);
    await jobs.turn(6000);
    expect(dues()).toEqual([10, 20, 30, 40]);
    expect(times()).toEqual([35, 35, 35, 40]);
  });

  test('an app that was away is asked once for all that passed, and no attempt was used up', async () => {
    jobs.become('waiting');
    jobs.openRunner();
    await jobs.schedule('j', { schedule: '@every 1s' });
    await jobs.turn(30_000, 1000);
    expect(jobs.delivered).toEqual([]);
    jobs.become('up');
    await jobs.turn(1000);
    expect(times()).toEqual([30, 31]);
    expect(attempts()).toEqual(['1', '1']);
  });

  test('an app that is found away while it is called is not asked again until it is back, and then once', async () => {
    jobs.answerWith = () => ({ outcome: 'away', reason: 'refused' });
    jobs.openRunner();
    await jobs.schedule('j', { schedule: '@every 1s' });
    await jobs.turn(1000);
    expect([times(), jobs.presence]).toEqual([[1], 'waiting']);
    await jobs.turn(9000, 1000);
    jobs.answerWith = () => SUCCESS;
    jobs.become('up');
    await jobs.turn(0);
    expect(times()).toEqual([1, 10]);
    expect([attempts(), ids()]).toEqual([['1', '1'], ['id-1/1', 'id-1/1']]);
    await jobs.turn(1000);
    expect(times()).toEqual([1, 10, 11]);
  });

  test('a clock set forward by an hour brings one tick, one set back none twice (users 8)', async () => {
    jobs.openRunner();
    await jobs.schedule('j', { schedule: '0 */10 * * * *' });
    await jobs.turn(600_000, 60_000);
    expect(times()).toEqual([600]);
    jobs.clock.turn(3600_000);
    await jobs.turn(0);
    expect(times()).toEqual([600, 4200]);
    // What came by the clock that was ahead does not come again.
    expect((await jobs.block.get('j')).nextAt).toBe(START + 4_800_000);
  });
});

describe('overlap', () => {
  test('ticks of one job never overlap: what falls due meanwhile waits, once, and follows at once', async () => {
    jobs.answerWith = undefined;
    jobs.openRunner();
    await jobs.schedule('j', { schedule: '@every 1s' });
    await jobs.turn(4500);
    expect(times()).toEqual([1]);
    jobs.delivered[0]?.answer(SUCCESS);
    await jobs.turn(0);
    expect([times(), dues()]).toEqual([[1, 4.5], [1, 2]]);
    jobs.delivered[1]?.answer(SUCCESS);
    await jobs.turn(600);
    expect(times()).toEqual([1, 4.5, 5]);
  });

  test('skip: what falls due meanwhile is passed over', async () => {
    jobs.answerWith = undefined;
    jobs.openRunner();
    await jobs.schedule('j', { schedule: '@every 1s', overlap: 'skip' });
    await jobs.turn(4500);
    jobs.delivered[0]?.answer(SUCCESS);
    await jobs.turn(600);
    expect([times(), dues()]).toEqual([[1, 5], [1, 5]]);
  });

  test('another job does not wait', async () => {
    jobs.answerWith = undefined;
    jobs.openRunner();
    await jobs.schedule('slow', { schedule: '@every 1s' });
    await jobs.schedule('other', { schedule: '@every 2s' });
    await jobs.turn(2000);
    expect(jobs.delivered.map(({ name }) => name)).toEqual(['slow', 'other']);
  });
});

describe('several runners on one ledger', () => {
  test('each tick is delivered by one of them, once', async () => {
    for (let n = 0; n < 3; n++) jobs.openRunner();
    for (let n = 0; n < 20; n++) await jobs.schedule(`j${n}`, { schedule: '@every 1s' });
    await jobs.turn(5000);
    expect(ids()).toHaveLength(100);
    expect(new Set(jobs.delivered.map(({ name, headers }) => `${name} ${headers['mecha-job-tick']}`)).size).toBe(100);
  });

  test('a tick whose holder is silent past its lease goes to another under the same id, and the late answer changes nothing', async () => {
    const silent = new Proxy(jobs.ledger, { get: (target, name) => (name === 'jobs' ? { ...target.jobs, renew: () => Promise.reject(new LedgerRefused('busy', 'not now')), nextAt: target.jobs.nextAt, claim: target.jobs.claim } : Reflect.get(target, name) as unknown) });
    jobs.answerWith = undefined;
    const first = jobs.openRunner({ ledger: { commit: jobs.ledger.commit.bind(jobs.ledger), watch: jobs.ledger.watch.bind(jobs.ledger), jobs: silent.jobs } });
    await jobs.schedule('j', { schedule: '@every 1h' });
    await jobs.turn(3600_000, 60_000);
    expect(jobs.delivered).toHaveLength(1);
    jobs.openRunner();
    await jobs.turn(JOB_LEASE_MS + 1000, 1000);
    expect(ids()).toEqual(['id-1/1', 'id-1/1']);
    jobs.delivered[1]?.answer(SUCCESS);
    await settled();
    jobs.delivered[0]?.answer(FAILURE);
    await settled();
    expect(await jobs.block.get('j')).toMatchObject({ ticks: 1, attempt: 1, nextAt: START + 7200_000 });
    await first.stop();
  });

  test('a long tick is kept by its holder as long as it runs', async () => {
    jobs.answerWith = undefined;
    jobs.openRunner();
    jobs.openRunner();
    await jobs.schedule('j', { dueTime: '1s' });
    await jobs.turn(10 * JOB_LEASE_MS, 1000);
    expect(jobs.delivered).toHaveLength(1);
    jobs.delivered[0]?.answer(SUCCESS);
    await settled();
    expect(await jobs.block.find('j')).toBeUndefined();
  });
});

describe('bounds and ends', () => {
  test('no more ticks are under way than the app may have, and each that ends makes room for one', async () => {
    jobs.answerWith = undefined;
    jobs.openRunner({ appMaxConcurrency: 2 });
    for (let n = 0; n < 5; n++) await jobs.schedule(`j${n}`, { dueTime: '0s' });
    await jobs.turn(5000, 1000);
    expect(jobs.delivered).toHaveLength(2);
    jobs.delivered[0]?.answer(SUCCESS);
    await jobs.turn(0);
    expect(jobs.delivered).toHaveLength(3);
    for (let n = 1; n < 5; n++) {
      jobs.delivered[n]?.answer(SUCCESS);
      await settled();
    }
    expect(jobs.delivered).toHaveLength(5);
    await settled();
    expect(await jobs.block.listAll()).toEqual([]);
  });

  test('a tick that ends just as the ones before it are settled is settled too', async () => {
    jobs.answerWith = undefined;
    jobs.openRunner();
    const pairs = 40;
    for (let n = 0; n < 2 * pairs; n++) await jobs.schedule(`j${n}`, { dueTime: '1s' });
    await jobs.turn(1000);
    expect(jobs.delivered).toHaveLength(2 * pairs);
    // Of each pair the second ends another number of steps after the first.
    for (let gap = 0; gap < pairs; gap++) {
      jobs.delivered[2 * gap]?.answer(SUCCESS);
      for (let steps = 0; steps < gap; steps++) await Promise.resolve();
      jobs.delivered[2 * gap + 1]?.answer(SUCCESS);
      await settled();
      expect((await jobs.block.listAll()).length, `${gap} steps`).toBe(2 * (pairs - gap - 1));
    }
  });

  test('draining claims nothing more and waits for what is under way', async () => {
    jobs.answerWith = undefined;
    const runner = jobs.openRunner();
    await jobs.schedule('a', { dueTime: '1s' });
    await jobs.schedule('b', { dueTime: '2s' });
    await jobs.turn(1500);
    const drained = runner.drain(new AbortController().signal);
    await jobs.turn(2000);
    expect(jobs.delivered.map(({ name }) => name)).toEqual(['a']);
    jobs.delivered[0]?.answer(SUCCESS);
    await drained;
    expect((await jobs.block.listAll()).map(({ name }) => name)).toEqual(['b']);
  });

  test('what has not ended when the time of draining is over is given back, free for another at once', async () => {
    jobs.answerWith = undefined;
    const runner = jobs.openRunner();
    await jobs.schedule('j', { schedule: '@every 10s' });
    await jobs.turn(10_000, 1000);
    const deadline = new AbortController();
    const drained = runner.drain(deadline.signal);
    deadline.abort();
    await drained;
    jobs.openRunner();
    await settled();
    expect([ids(), attempts()]).toEqual([['id-1/1', 'id-1/1'], ['1', '1']]);
    jobs.delivered[1]?.answer(SUCCESS);
  });

  test('a ledger that fails for a while holds up ticks and loses none, and none is delivered twice', async () => {
    let failing = false;
    const busy = () => Promise.reject(new LedgerRefused('busy', 'not now'));
    const { ledger } = jobs;
    jobs.openRunner({
      ledger: {
        commit: (batch) => (failing ? busy() : ledger.commit(batch)),
        watch: ledger.watch.bind(ledger),
        jobs: { ...ledger.jobs, claim: (request) => (failing ? busy() : ledger.jobs.claim(request)), renew: (request) => (failing ? busy() : ledger.jobs.renew(request)) },
      },
    });
    jobs.answerWith = undefined;
    await jobs.schedule('j', { schedule: '@every 5s' });
    await jobs.turn(5000);
    failing = true;
    jobs.delivered[0]?.answer(SUCCESS);
    await jobs.turn(3000);
    expect(await jobs.block.get('j')).toMatchObject({ ticks: 0 });
    failing = false;
    await jobs.turn(3000);
    expect(await jobs.block.get('j')).toMatchObject({ ticks: 1 });
    expect(ids()).toEqual(['id-1/1', 'id-1/2']);
    jobs.delivered[1]?.answer(SUCCESS);
    await settled();
  });
});
