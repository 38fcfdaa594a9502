import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Binding, EventSettlement, Ledger, Subscription } from '../kit/index.ts';
import { eventConsumer, inputBindingConformance } from '../kit/conformance/input-binding.ts';
import { buildComponent, createTurnedClock, realClock, until, type TurnedClock } from '../kit/testing.ts';
import { createMemoryLedger } from '../../runtime/src/ledger/memory-ledger.ts';
import cron from './binding.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;

let clock: TurnedClock;
let ledger: Ledger;
const open = (options: Record<string, unknown> = {}, name = 'timer'): Binding => buildComponent(cron, { schedule: '@every 1s', ...options }, { name, clock, ledger });

inputBindingConformance(cron, {
  async source() {
    const own = createMemoryLedger({ clock: realClock });
    return {
      open: async () => buildComponent(cron, { schedule: '@every 40ms' }, { ledger: own }),
      // They come by themselves: time for one is what there is to give.
      send: () => new Promise((resolve) => setTimeout(resolve, 60)),
    };
  },
  selfMade: true,
  countsAttempts: true,
});

describe('the ticks of bindings.cron', () => {
  const intakes: Subscription[] = [];
  const start = async (binding: Binding, app: ReturnType<typeof eventConsumer>): Promise<Subscription> => {
    const intake = await binding.start?.({ deliver: (event) => app.deliver(event) });
    if (!intake) throw new Error('it has no input');
    intakes.push(intake);
    return intake;
  };
  /** Has read what stands in the ledger, and writes only when it is let. */
  const startLate = (options: Record<string, unknown>, app: ReturnType<typeof eventConsumer>): { readonly slower: Promise<Subscription>; letIt(): void } => {
    const { promise: late, resolve: letIt } = Promise.withResolvers<void>();
    const slow = { jobs: ledger.jobs, watch: (topic, call) => ledger.watch(topic, call), commit: (batch) => late.then(() => ledger.commit(batch)) } satisfies Partial<Ledger> as Ledger;
    return { slower: start(buildComponent(cron, options, { name: 'timer', clock, ledger: slow }), app), letIt };
  };
  /** Turns the clock in steps that are shorter than any wait, so that everything that waits is called in its order. */
  const pass = async (ms: number, step = 500): Promise<void> => {
    for (let passed = 0; passed < ms; passed += step) {
      clock.turn(step);
      for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const dues = (app: ReturnType<typeof eventConsumer>): readonly string[] => app.seen.map(({ metadata }) => metadata['dueTimeUTC'] ?? '');

  beforeEach(() => {
    clock = createTurnedClock(Date.UTC(2026, 0, 1));
    ledger = createMemoryLedger({ clock });
  });
  afterEach(async () => {
    await Promise.all(intakes.splice(0).map((intake) => intake.close()));
  });

  test('carry their instant, the zone and a stable id', async () => {
    const app = eventConsumer();
    await start(open({ schedule: '*/30 * * * * *', timeZone: 'Europe/Berlin' }), app);
    await pass(MINUTE);
    expect(dues(app)).toEqual(['2026-01-01T00:00:30.000Z', '2026-01-01T00:01:00.000Z']);
    expect(app.seen[0]).toMatchObject({ id: 'timer/2026-01-01T00:00:30.000Z', attempt: 1, metadata: { timeZone: 'Europe/Berlin', readTimeUTC: '2026-01-01 00:00:30 +0000 UTC', tickId: 'timer/2026-01-01T00:00:30.000Z' } });
  });

  test.each([
    ['*/15 * * * *', ['00:15', '00:30', '00:45', '01:00']],
    ['@hourly', ['01:00']],
    ['@every 25m', ['00:25', '00:50']],
    ['CRON_TZ=Asia/Kolkata 0 0 6 * * *', ['00:30']],
  ])('come when %s says', async (schedule, times) => {
    const app = eventConsumer();
    await start(open({ schedule }), app);
    await pass(61 * MINUTE, 4 * SECOND);
    expect(dues(app).map((due) => due.slice(11, 16))).toEqual(times);
  });

  test('go to one of the instances that share a ledger, and all of them come', async () => {
    const apps = [eventConsumer(), eventConsumer(), eventConsumer()];
    for (const app of apps) await start(open(), app);
    await pass(30 * SECOND, 250);
    const all = apps.flatMap(dues);
    expect(new Set(all).size).toBe(all.length);
    expect(all.length).toBe(30);
  });

  test('of two components are apart', async () => {
    const [one, two] = [eventConsumer(), eventConsumer()];
    await start(open({}, 'one'), one);
    await start(open({}, 'two'), two);
    await pass(2 * SECOND);
    expect([one.seen.length, two.seen.length]).toEqual([2, 2]);
  });

  test('that an instance died with are taken over under the same id', async () => {
    const dying = eventConsumer(() => new Promise<EventSettlement>(() => undefined));
    const binding = open();
    // Not closed in the end: it waits for an app that never answers, and the ledger only sees that its lease is not renewed.
    const dead = buildComponent(cron, { schedule: '@every 1s' }, { name: 'timer', clock: { now: () => clock.now(), after: (ms, callback) => (ms < 10_000 ? clock.after(ms, callback) : () => undefined) }, ledger });
    await dead.start?.({ deliver: (event) => dying.deliver(event) });
    await pass(SECOND);
    expect(dying.seen).toHaveLength(1);
    const heir = eventConsumer();
    await start(binding, heir);
    await pass(31 * SECOND);
    expect(heir.seen[0]?.id).toBe(dying.seen[0]?.id);
  });

  test('of a schedule that is the same after a restart go on; those of a changed one begin anew', async () => {
    const app = eventConsumer();
    const first = await start(open({ schedule: '@every 10s' }), app);
    await pass(5 * SECOND);
    await first.close();
    await start(open({ schedule: '@every 10s' }), app);
    await pass(5 * SECOND);
    expect(dues(app)).toEqual(['2026-01-01T00:00:10.000Z']);
    await start(open({ schedule: '@every 3s' }), app);
    await pass(3 * SECOND);
    expect(dues(app)[1]).toBe('2026-01-01T00:00:13.000Z');
  });

  test('of a schedule that several instances put at once are not given anew, nor moved, by the slower ones', async () => {
    const app = eventConsumer();
    const { slower, letIt } = startLate({ schedule: '@every 1s' }, app);
    await start(open(), app);
    await pass(1500);
    letIt();
    await slower;
    await pass(3 * SECOND);
    expect(dues(app).map((due) => due.slice(17, 23))).toEqual(['01.000', '02.000', '03.000', '04.000']);
  });

  test('of instances with different schedules are by the one that was started last, whoever delivers them', async () => {
    const [old, young] = [eventConsumer(), eventConsumer()];
    await start(open({ schedule: '@every 7s' }), old);
    const heir = await start(open({ schedule: '@every 2s' }), young);
    await heir.close();
    await pass(9 * SECOND);
    expect(dues(old).map((due) => due.slice(17, 19))).toEqual(['02', '04', '06', '08']);
  });

  test('of different schedules that are put at once are by one of them', async () => {
    const app = eventConsumer();
    const { slower, letIt } = startLate({ schedule: '@every 2s' }, app);
    await start(open({ schedule: '@every 7s' }), app);
    letIt();
    await slower;
    await pass(9 * SECOND);
    expect(dues(app).map((due) => due.slice(17, 19))).toEqual(['02', '04', '06', '08']);
  });

  test.each([['skip', ['00:20:00']], ['one', ['00:01:00', '00:20:00']], ['all', Array.from({ length: 20 }, (_, minute) => `00:${String(minute + 1).padStart(2, '0')}:00`)]])('that were missed: %s', async (missedTicks, times) => {
    const app = eventConsumer();
    const options = { schedule: '0 * * * * *', missedTicks };
    await (await start(open(options), app)).close();
    clock.turn(19 * MINUTE + 30 * SECOND);
    await start(open(options), app);
    await pass(40 * SECOND);
    expect(dues(app).map((due) => due.slice(11, 19))).toEqual(times);
  });

  test('that are claimed while their instance is paused or closed go back undelivered, and the next one has them', async () => {
    for (const end of ['pause', 'close'] as const) {
      const [app, heir] = [eventConsumer(), eventConsumer()];
      const { promise: late, resolve: letIt } = Promise.withResolvers<void>();
      let claims = 0;
      // The ledger has given the tick, and its answer comes when it is let.
      const claim: Ledger['jobs']['claim'] = async (request) => {
        const claimed = await ledger.jobs.claim(request);
        claims++;
        await late;
        return claimed;
      };
      const slow = { jobs: { ...ledger.jobs, claim }, watch: (topic, call) => ledger.watch(topic, call), commit: (batch) => ledger.commit(batch) } satisfies Partial<Ledger> as Ledger;
      const intake = await start(buildComponent(cron, { schedule: '@every 1s' }, { name: end, clock, ledger: slow }), app);
      await pass(SECOND);
      expect(claims).toBe(1);
      const ended = intake[end]();
      letIt();
      await ended;
      await start(open({}, end), heir);
      await pass(SECOND);
      expect(app.seen).toEqual([]);
      expect(heir.seen[0]).toMatchObject({ attempt: 1 });
    }
  });

  test('that take longer than their interval are not stacked up', async () => {
    const { promise: held, resolve: letGo } = Promise.withResolvers<EventSettlement>();
    const app = eventConsumer((_event, before) => (before === 0 && app.seen.length === 1 ? held : { action: 'ack' }));
    await start(open(), app);
    await pass(40 * SECOND);
    expect(app.seen).toHaveLength(1);
    letGo({ action: 'ack' });
    await until(() => app.inFlight === 0);
    await pass(3 * SECOND);
    expect(app.seen.length).toBeLessThanOrEqual(4);
  });

  test.each(['', '* * *', 'every day', '@often', '61 * * * * *', '0 0 30 2 *', '@every -1s'])('of %j are refused by name when the component is built', (schedule) => {
    expect(() => open({ schedule })).toThrow();
  });
  test('in a zone that there is not are refused', () => {
    expect(() => open({ timeZone: 'Mars/Base' })).toThrow(/Mars/);
  });
});
