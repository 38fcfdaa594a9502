/**
 * A job as it was asked for, checked, and as the ledger keeps it: one text that holds everything but name, data and the tick that is next.
 * What is kept here is read again by later versions: members are added, never renamed.
 */
import { BadSchedule, firstTick, nextTick, parseInstant, parseSchedule, type Schedule } from '@mecha/components/kit/schedule/schedule.ts';
import type { JobData } from '../../jobs/job-data.ts';

/** `drop`: a tick that fails is lost. `constant`: it is tried again at this interval, so often at most; without a number, for ever. */
export type FailurePolicy = { readonly drop: true } | { readonly intervalMs: number; readonly maxRetries?: number };

export const MISSED = ['one', 'skip', 'all'] as const;
/**
 * What becomes of ticks whose time passed with nobody there to deliver them. `one`: one tick makes up for all of them. `skip`: a tick that
 * cannot begin within `MISSED_AFTER_MS` of its time is passed over. `all`: each is delivered, one after another.
 */
export type MissedPolicy = (typeof MISSED)[number];

export const OVERLAPS = ['wait', 'skip'] as const;
/** What becomes of ticks that fall due while one of the same job is under way. `wait`: one follows at once. `skip`: they are passed over. */
export type OverlapPolicy = (typeof OVERLAPS)[number];

export interface JobRequest {
  readonly name: string;
  readonly schedule?: string | undefined;
  /** Of ticks in all; 0 or absent: no end. */
  readonly repeats?: number | undefined;
  readonly dueTime?: string | undefined;
  readonly ttl?: string | undefined;
  readonly data?: JobData | undefined;
  readonly overwrite: boolean;
  readonly failurePolicy?: FailurePolicy | undefined;
  readonly missed?: string | undefined;
  readonly overlap?: string | undefined;
  /** The same for all that is the same wish: a job that one of them has put stands, and is no fault of the next. */
  readonly idempotencyKey?: string | undefined;
}

export interface JobDefinition {
  /** New with each wish; the ids of ticks begin with it. */
  readonly id: string;
  /** Instant of the first tick: intervals count from there. */
  readonly anchor: number;
  readonly schedule?: string;
  readonly repeats?: number;
  /** As it was given. */
  readonly dueTime?: string;
  readonly failurePolicy?: FailurePolicy;
  /** Absent: the job carries nothing. `typeUrl` absent: JSON. */
  readonly data?: { readonly typeUrl?: string };
  readonly missed?: MissedPolicy;
  readonly overlap?: OverlapPolicy;
}

export interface PlannedJob {
  readonly definition: JobDefinition;
  readonly dueAt: number;
  readonly expiresAt?: number;
}

/** A tick that begins later than this after its time is a missed one. */
export const MISSED_AFTER_MS = 10_000;
export const DEFAULT_FAILURE_POLICY = { intervalMs: 1000, maxRetries: 3 } as const;
/** An app that fails at once is not asked more often, whatever the policy says. */
const RETRY_INTERVAL_MIN_MS = 100;
const NAME_BYTES_MAX = 512;
/** As long a text as anybody writes a schedule in. */
const TEXT_MAX = 1000;
const DATA_BYTES_MAX = 1024 * 1024;

/** Throws `BadSchedule`. */
export function planJob(request: JobRequest, now: number, id: string): PlannedJob {
  const { name, schedule: text, repeats, dueTime, ttl, data, failurePolicy } = request;
  checkName(name);
  for (const [field, value] of Object.entries({ schedule: text, dueTime, ttl })) if ((value?.length ?? 0) > TEXT_MAX) throw new BadSchedule(`${field} is longer than ${TEXT_MAX} characters`);
  if ((data?.value.length ?? 0) > DATA_BYTES_MAX) throw new BadSchedule(`the data has more than ${DATA_BYTES_MAX} bytes, the most that a job carries`);
  const missed = choice('missed', request.missed, MISSED);
  const overlap = choice('overlap', request.overlap, OVERLAPS);
  if (missed === 'all' && overlap === 'skip') throw new BadSchedule("missed 'all' keeps every tick and overlap 'skip' drops some: only one of them can be had");
  const schedule = text === undefined ? undefined : parseSchedule(text);
  const dueAt = dueTime === undefined ? firstOf(schedule, text, now) : Math.max(now, parseInstant(dueTime, now, 'dueTime'));
  const expiresAt = ttl === undefined ? undefined : parseInstant(ttl, now, 'ttl');
  if (expiresAt !== undefined && expiresAt <= now) throw new BadSchedule(`ttl "${ttl}" has passed`);
  if (expiresAt !== undefined && expiresAt < dueAt) throw new BadSchedule(`ttl "${ttl}" ends before the first tick is due`);
  const definition: JobDefinition = {
    id,
    anchor: dueAt,
    ...(text === undefined ? {} : { schedule: text }),
    ...(repeats === undefined || repeats === 0 ? {} : { repeats }),
    ...(dueTime === undefined ? {} : { dueTime }),
    ...(failurePolicy === undefined ? {} : { failurePolicy }),
    ...(data === undefined ? {} : { data: data.typeUrl === undefined ? {} : { typeUrl: data.typeUrl } }),
    ...(missed === undefined ? {} : { missed }),
    ...(overlap === undefined ? {} : { overlap }),
  };
  return { definition, dueAt, ...(expiresAt === undefined ? {} : { expiresAt }) };
}

function firstOf(schedule: Schedule | undefined, text: string | undefined, now: number): number {
  const first = schedule && firstTick(schedule, now);
  if (first === undefined) throw new BadSchedule(`"${text}" never comes: no calendar has such a date`);
  return first;
}

function checkName(name: string): void {
  if (name.includes('/')) throw new BadSchedule(`the name of a job has no slash, and ${JSON.stringify(name)} has one`);
  if (/\p{Cc}/u.test(name) || !name.isWellFormed()) throw new BadSchedule('the name of a job has no control characters and no halves of characters');
  if (Buffer.byteLength(name) > NAME_BYTES_MAX) throw new BadSchedule(`the name of a job has ${NAME_BYTES_MAX} bytes at most`);
}

function choice<T extends string>(field: string, value: string | undefined, choices: readonly T[]): T | undefined {
  if (value === undefined || value === '') return undefined;
  const found = choices.find((one) => one === value);
  if (found === undefined) throw new BadSchedule(`${field} is ${choices.join(', ')}, and not ${JSON.stringify(value)}`);
  return found;
}

const SCHEDULES_MAX = 1000;
const schedules = new Map<string, Schedule>();
/** Parsed once for many ticks. */
function scheduleOf(text: string): Schedule {
  let schedule = schedules.get(text);
  if (!schedule) {
    if (schedules.size >= SCHEDULES_MAX) schedules.clear();
    schedules.set(text, (schedule = parseSchedule(text)));
  }
  return schedule;
}

/** Where a tick stands in the life of its job. */
export interface Tick {
  readonly definition: JobDefinition;
  readonly dueAt: number;
  readonly claimedAt: number;
  /** Ticks before it. */
  readonly ticks: number;
}

/**
 * When the tick after this one is due, which may have passed already; undefined: this was the last.
 *
 * One tick stands for all times up to its claim (`missed`: `one`, `skip`); those that pass from then until `now` are the overlap's.
 */
export function tickAfter({ definition, dueAt, claimedAt, ticks }: Tick, now: number): number | undefined {
  const { schedule, repeats, anchor, missed, overlap } = definition;
  if (schedule === undefined || (repeats !== undefined && ticks + 1 >= repeats)) return undefined;
  const coveredUntil = missed === 'all' ? dueAt : Math.max(dueAt, claimedAt);
  return nextTick(scheduleOf(schedule), overlap === 'skip' ? Math.max(coveredUntil, now) : coveredUntil, anchor);
}

/** When a tick that was passed over is followed by one that is not. */
export function tickAfterMissed({ definition: { schedule, anchor }, dueAt }: Pick<Tick, 'definition' | 'dueAt'>, now: number): number | undefined {
  return schedule === undefined ? undefined : nextTick(scheduleOf(schedule), Math.max(dueAt, now), anchor);
}

/** Milliseconds until the tick is tried again after this attempt (from 1) failed; undefined: it is lost. */
export function retryDelayMs({ failurePolicy = DEFAULT_FAILURE_POLICY }: JobDefinition, attempt: number): number | undefined {
  if ('drop' in failurePolicy || attempt > (failurePolicy.maxRetries ?? Infinity)) return undefined;
  return Math.max(failurePolicy.intervalMs, RETRY_INTERVAL_MIN_MS);
}
