/**
 * `bindings.cron`: events by the clock. The schedule is one job in the ledger, in a space of its own; what comes due is a tick.
 *
 * Invariants
 *  1. A tick is delivered at least once, by one instance at a time among those that share the ledger and have the same app id and
 *     component name; a crash in the middle means that another takes the tick over, under the same id.
 *  2. The id of a tick is the component's name and the instant at which it was due.
 *  3. A tick that could not begin within `MISSED_AFTER_MS` of its instant (nobody ran, the app was away, the one before took long) is
 *     missed: passed over, made up for by a single one, or delivered all the same, as `missedTicks` says.
 *  4. One tick at a time: the next one begins when this one is settled.
 *
 * Instances that name different schedules share the one that was started last. A schedule has a job of its own name, which only the first
 * of several instances that start at once can put: one that put it again would move the anchor, or give a tick that was given already.
 */
import { createHash, randomUUID } from 'node:crypto';
import { LedgerConflict, defineComponent, field, type Binding, type BindingEvent, type ClaimedJob, type Clock, type ComponentLog, type EventSettlement, type JobOperation, type Ledger, type StartRequest, type Subscription } from '@mecha/components/kit';
import { firstTick, nextTick, parseSchedule, type Schedule } from '@mecha/components/kit/schedule/schedule.ts';

const LEASE_MS = 30_000;
const MISSED_AFTER_MS = 10_000;
/** Between looks when nothing falls due earlier: another instance may have put or left what nobody was told of. */
const LOOK_EVERY_MS = 5000;
const LOOK_AGAIN_MS = 100;
const AFTER_TROUBLE_MS = 1000;
/** Attempts of a tick; then its dead letter is written. */
const ATTEMPTS_MAX = 5;
const MISSED_TICKS = ['skip', 'one', 'all'] as const;
/** Jobs of one binding in the ledger: one, and for a moment those of schedules that are put at the same time. */
const JOBS_MAX = 100;
const DESCRIPTORS = /^@/;

export default defineComponent({
  type: 'bindings.cron',
  versions: ['v1'],
  status: 'stable',
  title: 'Cron',
  description: 'Events by a schedule. Instances of an app that share a ledger share its ticks: each is delivered by one of them.',
  durability: 'The ledger holds which tick is next: none is delivered twice because of a restart, unless it was under way',
  metadata: {
    schedule: field.string('Five or six fields (seconds first where there are six), or `@every 1h30m`, `@hourly`, `@daily`, `@weekly`, `@monthly`, `@yearly`; `CRON_TZ=Area/City ` may stand before it', { required: true }),
    timeZone: field.string("Time zone of the schedule, such as `Europe/Berlin`; the machine's unless given", { default: '' }),
    missedTicks: field.string('Of ticks whose time passed with nobody to deliver them: `skip` passes over all, `one` makes up for all with one, `all` delivers each, one after the other.', { default: 'skip', values: MISSED_TICKS }),
  },
  features: ['INPUT_BINDING'],
  create({ name, appId, namespace, options, ledger, clock, log }): Binding {
    const { schedule, zoneName } = scheduleOf(options.schedule, options.timeZone);
    if (firstTick(schedule, clock.now()) === undefined) throw new Error(`the schedule '${options.schedule}' never comes`);
    const parts = {
      // Beside the jobs of the app, whose space is `namespace/app id`.
      app: `bindings.cron/${namespace}/${appId}/${name}`, owner: randomUUID(), name, schedule, zoneName,
      text: options.schedule, missedTicks: options.missedTicks, ledger, clock, log,
    };
    return {
      redelivers: true,
      attemptsMax: ATTEMPTS_MAX,
      async start(request): Promise<Subscription> {
        const ticks = new Ticks(parts, request);
        await ticks.begin();
        return ticks;
      },
    };
  },
});

function scheduleOf(text: string, timeZone: string): { readonly schedule: Schedule; readonly zoneName: string } {
  const [, own, rest = ''] = /^(?:(?:CRON_)?TZ=(\S*)\s+)?(.*)$/s.exec(text.trim()) ?? [];
  const zoneName = own ?? (timeZone || Intl.DateTimeFormat().resolvedOptions().timeZone);
  const fields = !DESCRIPTORS.test(rest) && rest.trim().split(/\s+/).length === 5 ? `0 ${rest}` : rest;
  return { schedule: parseSchedule(`CRON_TZ=${zoneName} ${fields}`), zoneName };
}

interface TicksParts {
  readonly app: string;
  readonly owner: string;
  readonly name: string;
  readonly schedule: Schedule;
  /** As the YAML has it: with the zone, what makes it another schedule when it changes. */
  readonly text: string;
  readonly zoneName: string;
  /** One of `MISSED_TICKS`. */
  readonly missedTicks: string;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly log: ComponentLog;
}

interface KeptDefinition {
  readonly schedule: string;
  readonly timeZone: string;
  /** Instant of the first tick: intervals count from there. */
  readonly anchor: number;
}

class Ticks implements Subscription {
  readonly #parts: TicksParts;
  readonly #request: StartRequest;
  #open = false;
  #closed = false;
  #working: Promise<void> | undefined;
  #again = false;
  /** Not to claim before: a tick was just handed back. */
  #restUntil = 0;
  #cancelLook = (): void => undefined;
  #unwatch = (): void => undefined;

  constructor(parts: TicksParts, request: StartRequest) {
    this.#parts = parts;
    this.#request = request;
  }

  /** Resolves when the schedule stands in the ledger. */
  async begin(): Promise<void> {
    const { app, ledger } = this.#parts;
    await this.#put();
    // Different schedules that were put at the same moment: the latest is shared, whoever looks.
    const [, ...older] = (await ledger.jobs.list({ app, limit: JOBS_MAX })).toSorted((one, other) => other.row - one.row);
    if (older.length > 0) await ledger.commit(older.map(({ name }) => ({ type: 'job.delete', app, name })));
    this.#unwatch = ledger.watch(`jobs/${app}`, () => this.#look());
    await this.resume();
  }

  /** In the place of other schedules; leaves it alone where it stands. */
  async #put(): Promise<void> {
    const { app, schedule, text, zoneName, ledger, clock } = this.#parts;
    const name = createHash('sha256').update(JSON.stringify([text, zoneName])).digest('hex').slice(0, 32);
    const jobs = await ledger.jobs.list({ app, limit: JOBS_MAX });
    if (jobs.some((job) => job.name === name)) return;
    const dueAt = firstTick(schedule, clock.now());
    if (dueAt === undefined) throw new Error(`the schedule '${text}' never comes`);
    const definition = JSON.stringify({ schedule: text, timeZone: zoneName, anchor: dueAt } satisfies KeptDefinition);
    const others = jobs.map((job) => ({ type: 'job.delete' as const, app, name: job.name }));
    try {
      await ledger.commit([...others, { type: 'job.put', app, name, definition, data: Buffer.alloc(0), dueAt, overwrite: false }]);
    } catch (error) {
      // Another instance was quicker, and has replaced the others too.
      if (!(error instanceof LedgerConflict)) throw error;
    }
  }

  pause(): Promise<void> {
    this.#open = false;
    this.#cancelLook();
    return Promise.resolve();
  }

  resume(): Promise<void> {
    this.#open = !this.#closed;
    this.#look();
    return Promise.resolve();
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.pause();
    this.#unwatch();
    await this.#working;
  }

  #look(): void {
    this.#again = true;
    if (this.#open) this.#working ??= this.#work();
  }

  #lookIn(ms: number): void {
    this.#cancelLook();
    if (this.#open) this.#cancelLook = this.#parts.clock.after(ms, () => this.#look());
  }

  /** Tick after tick, until none is due. Never rejects. */
  async #work(): Promise<void> {
    const { log, name } = this.#parts;
    try {
      while (this.#again && this.#open) {
        this.#again = false;
        const ms = await this.#next();
        if (ms > 0) this.#lookIn(ms);
        else this.#again = true;
      }
    } catch (error) {
      if (!this.#closed) log.error({ component: name, err: error }, `the ticks of ${name} cannot be had from the ledger; trying on`);
      this.#lookIn(AFTER_TROUBLE_MS);
    }
    // In the same turn as the last look at the flag: a wake-up that comes now begins anew.
    this.#working = undefined;
  }

  /** Delivers the tick that is due; returns milliseconds until the next look. */
  async #next(): Promise<number> {
    const { app, owner, ledger, clock } = this.#parts;
    const restMs = this.#restUntil - clock.now();
    if (restMs > 0) return restMs;
    const nextAt = await ledger.jobs.nextAt(app);
    const waitMs = nextAt === undefined ? LOOK_EVERY_MS : nextAt - clock.now();
    if (waitMs > 0) return Math.min(waitMs, LOOK_EVERY_MS);
    if (!this.#open) return LOOK_EVERY_MS;
    const [job] = (await ledger.jobs.claim({ app, owner, limit: 1, leaseMs: LEASE_MS })).jobs;
    if (!job) return LOOK_AGAIN_MS;
    // Paused or closed while the ledger gave it: nobody was shown it, so it is the next one's at once.
    const settlement = this.#open ? await this.#deliver(job) : ({ type: 'job.release', row: job.row, fence: job.fence } as const);
    await this.#settle(settlement);
    return 0;
  }

  async #deliver(job: ClaimedJob): Promise<JobOperation> {
    const { name, missedTicks, log, clock } = this.#parts;
    const { timeZone } = JSON.parse(job.definition) as KeptDefinition;
    const claim = { row: job.row, fence: job.fence };
    const missed = job.claimedAt - job.dueAt > MISSED_AFTER_MS;
    if (missed && missedTicks === 'skip') {
      log.info({ component: name, due: new Date(job.dueAt).toISOString() }, `a tick of ${name} was missed and is passed over`);
      return this.#nextOf(job, true);
    }
    const due = new Date(job.dueAt).toISOString();
    const event: BindingEvent = {
      id: `${name}/${due}`,
      data: Buffer.alloc(0),
      metadata: { timeZone, readTimeUTC: goTime(clock.now()), dueTimeUTC: due, tickId: `${name}/${due}` },
      attempt: job.attempt,
    };
    const settlement = await this.#whileLeased(claim, () => this.#request.deliver(event));
    switch (settlement.action) {
      case 'ack':
      case 'reject':
        return this.#nextOf(job, missed);
      case 'retry':
        return { type: 'job.retry', ...claim, freeAt: clock.now() + settlement.delayMs };
      case 'release':
        this.#restUntil = clock.now() + LOOK_AGAIN_MS;
        return { type: 'job.release', ...claim };
    }
  }

  /** The tick after this one, by the schedule that was put; after a missed one, the first that is still to come, unless each is wanted. */
  #nextOf(job: ClaimedJob, missed: boolean): JobOperation {
    const { missedTicks, clock } = this.#parts;
    const { schedule: text, timeZone, anchor } = JSON.parse(job.definition) as KeptDefinition;
    const { schedule } = scheduleOf(text, timeZone);
    const dueAt = nextTick(schedule, missed && missedTicks !== 'all' ? Math.max(job.dueAt, clock.now()) : job.dueAt, anchor);
    const claim = { row: job.row, fence: job.fence };
    return dueAt === undefined ? { type: 'job.end', ...claim } : { type: 'job.next', ...claim, dueAt, ticks: job.ticks + 1 };
  }

  /** Puts off the end of the lease for as long as the app takes. */
  async #whileLeased(claim: { readonly row: number; readonly fence: number }, work: () => Promise<EventSettlement>): Promise<EventSettlement> {
    const { ledger, clock, owner, log, name } = this.#parts;
    let cancel = (): void => undefined;
    const renewSoon = (): void => {
      cancel = clock.after(LEASE_MS / 3, () => {
        ledger.jobs.renew({ owner, leaseMs: LEASE_MS, jobs: [claim] }).catch((error: unknown) => log.warn({ component: name, err: error }, 'the lease of a tick could not be renewed; trying on'));
        renewSoon();
      });
    };
    renewSoon();
    try {
      return await work();
    } finally {
      cancel();
    }
  }

  /** Tries on until the ledger has it, or this is closed: then the lease gives the tick to somebody else. */
  async #settle(settlement: JobOperation): Promise<void> {
    const { ledger, clock, log, name } = this.#parts;
    for (;;) {
      try {
        await ledger.commit([settlement]);
        return;
      } catch (error) {
        if (this.#closed) return;
        log.error({ component: name, err: error }, `a tick of ${name} cannot be settled; trying on`);
        await new Promise<void>((resolve) => clock.after(AFTER_TROUBLE_MS, resolve));
      }
    }
  }
}

/** As the field writes it: `2026-01-31 10:00:00.25 +0000 UTC`. */
function goTime(instant: number): string {
  const [date = '', time = ''] = new Date(instant).toISOString().slice(0, -1).split('T');
  // Milliseconds without the zeros at their end.
  return `${date} ${time.replace(/\.?0*$/, '')} +0000 UTC`;
}
