/**
 * `npm start -- --sample bindings-pipeline`: opens the world outside (a courier, the office's mailbox), starts the service with its Mecha,
 * kills both in the middle, and judges from what the world has when the ticks are over.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startMecha, type MechaProcess, type MechaProcessOptions } from '../../driver/mecha-process.ts';
import { serversEnv } from '../../driver/servers.ts';
import { progress, runMain, say, whenInterrupted } from '../../driver/terminal.ts';
import { openCourier, type Courier } from '../world/courier.ts';
import { openMailbox, type Mail, type Mailbox } from '../world/mailbox.ts';
import { HELP, parseArguments, type Arguments } from './arguments.ts';
import { judge, verdictLine, type Records, type Row, type Verdict } from './judge.ts';
import { readSchedule, type TickSchedule } from './schedule.ts';

const SAMPLE = fileURLToPath(new URL('..', import.meta.url));
const COMMON = join(SAMPLE, 'resources/common');
const LOOK_EVERY_MS = 100;
const ANSWER_WITHIN_MS = 10_000;
/** Of the ticks, at least so many end in a pick-up; the kills are spread over them. */
const BOOKED_SHARE = 0.6;
const BREACHES_SHOWN_MAX = 20;

async function main(): Promise<number> {
  const options = parseArguments(process.argv.slice(2));
  if (options === 'help') {
    process.stdout.write(HELP);
    return 0;
  }
  const database = options.resources === 'postgresql' ? await databaseEnv() : {};
  const schedule = await readSchedule(COMMON);
  const folder = await mkdtemp(join(tmpdir(), 'mecha-bindings-pipeline-'));
  let arrived = (_mail: Mail): void => undefined;
  const mailbox = await openMailbox({ arrived: (mail) => arrived(mail) });
  const killings = killPlan(options);
  let killed = 0;
  const courier = await openCourier({
    async beforeAnswer(number) {
      if (number !== killings[killed]) return;
      killed++;
      await mecha.killAndStartAgain(`kill -9 while the courier books pick-up ${number}`);
    },
  });
  const mecha = new ImmortalMecha({
    runFile: resolve(options.runFile ?? join(SAMPLE, 'mecha.yaml')),
    resources: [COMMON, join(SAMPLE, 'resources', options.resources)],
    dataDir: folder,
    cwd: folder,
    env: { ...process.env, ...database, COURIER_URL: courier.url, MAIL_PORT: String(mailbox.port) },
  });
  const interrupted = whenInterrupted();
  try {
    say(`starting dispatch on ${options.resources} resources; it ticks ${schedule.text} …`);
    const begunAt = Date.now();
    await mecha.start();
    const verdict = await Promise.race([watch({ options, schedule, courier, mailbox, begunAt, rows: (since) => rowsOf(mecha, since) }).then(judge), interrupted, mecha.broken]);
    if (!verdict) return 130;
    summary(verdict, schedule, killed, mailbox);
    if (!options.exit) {
      arrived = showMail;
      thingsToTry(mecha);
      await Promise.race([interrupted, mecha.broken]);
    }
    say(verdictLine(verdict));
    return verdict.breaches.length === 0 ? 0 : 1;
  } finally {
    await mecha.stop();
    await Promise.all([courier.close(), mailbox.close()]);
    await rm(folder, { recursive: true, force: true });
  }
}

/** At which bookings, counted from 1, the sidecar is killed. */
function killPlan({ ticks, kills }: Arguments): readonly number[] {
  return Array.from({ length: kills }, (_, index) => Math.ceil((ticks * BOOKED_SHARE * (index + 1)) / (kills + 1)));
}

/** A Mecha that is started again when it was killed, by this driver or by anybody else, on the same data. */
class ImmortalMecha {
  readonly #options: MechaProcessOptions;
  readonly #broken = Promise.withResolvers<never>();
  #process: MechaProcess | undefined;
  /** Settles when what is under way with the process (start, kill, stop) is over. */
  #change: Promise<void> = Promise.resolve();

  constructor(options: MechaProcessOptions) {
    this.#options = options;
    this.#broken.promise.catch(() => undefined);
  }

  /** Rejects when it ends by itself or cannot be started again. */
  get broken(): Promise<never> {
    return this.#broken.promise;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** Of the sidecar's HTTP API; undefined while there is none. */
  get address(): string | undefined {
    return this.#process?.addressOf('dispatch', 'httpPort');
  }

  async start(): Promise<void> {
    const started = await startMecha(this.#options);
    this.#process = started;
    void started.ended.then((code) => {
      if (this.#process !== started) return undefined;
      if (code === null) return this.killAndStartAgain('mecha was killed');
      return this.#broken.reject(new Error(`mecha ended with code ${code} while ticks were under way:\n${started.lines.join('\n')}`));
    });
  }

  /** Resolves when it and its service are dead. */
  async killAndStartAgain(words: string): Promise<void> {
    const victim = this.#process;
    this.#process = undefined;
    await victim?.kill();
    say(`  ${words}; starting again`);
    this.#change = this.start().catch((error: unknown) => this.#broken.reject(error));
  }

  async stop(): Promise<void> {
    await this.#change;
    const last = this.#process;
    this.#process = undefined;
    await last?.stop();
  }
}

interface World {
  readonly options: Arguments;
  readonly schedule: TickSchedule;
  readonly courier: Courier;
  readonly mailbox: Mailbox;
  readonly begunAt: number;
  /** From this tick on; undefined while nobody can say. */
  readonly rows: (since: string) => Promise<readonly Row[] | undefined>;
}

/** Until all ticks have come to an end, or one that has not cannot any more: ticks come one after the other. */
async function watch({ options, schedule, courier, mailbox, begunAt, rows: readRows }: World): Promise<Records> {
  for (let rows: readonly Row[] = []; ; ) {
    // First the courier and the mails, then the rows: when one of the former is of a later tick, the rows of all before it are there.
    const [keys, mails] = [courier.keys(), mailbox.mails.map(tickOf)];
    const answer = await readRows(schedule.idOf(begunAt));
    rows = answer ?? rows;
    const inRows = rows.map(({ tick }) => tick);
    const seen = [...keys, ...mails, ...inRows].flatMap((id) => schedule.instantOf(id) ?? []);
    const instants = seen.length > 0 ? schedule.ticksFrom(Math.min(...seen), options.ticks) : [];
    const last = instants.at(-1) ?? begunAt;
    const ticks = instants.map(schedule.idOf);
    const ended = new Set([...mails, ...inRows]);
    const final = ticks.filter((tick) => ended.has(tick)).length;
    const isOver = final === options.ticks || Math.max(...seen) > last || Date.now() > last + options.patience * 1000;
    progress(`ticks that came to an end: ${final}/${options.ticks}`, isOver);
    if (answer && isOver) return { ticks, rows, mails, bookings: [...courier.bookings] };
    await sleep(LOOK_EVERY_MS);
  }
}

/** The first line of a mail names its tick. */
const tickOf = ({ lines: [first = ''] }: Mail): string => first.split(' ').at(-1) ?? '';

/** By the door that every client has: the sidecar's own binding. */
async function rowsOf(mecha: ImmortalMecha, since: string): Promise<readonly Row[] | undefined> {
  const { address } = mecha;
  if (address === undefined) return undefined;
  try {
    const answer = await fetch(`${address}/v1.0/bindings/book`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ operation: 'query', metadata: { sql: 'SELECT tick, pickup FROM pickups WHERE tick >= $1', params: JSON.stringify([since]) } }),
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    });
    if (!answer.ok) return undefined;
    return ((await answer.json()) as [string, string][]).map(([tick, pickup]) => ({ tick, pickup }));
  } catch {
    // It was killed meanwhile, or the table is not there yet.
    return undefined;
  }
}

function summary(verdict: Verdict, schedule: TickSchedule, killed: number, mailbox: Mailbox): void {
  const rows: [string, string | number][] = [
    ['ticks', `${verdict.ticks}, ${schedule.text}`],
    ['pick-ups in the book', verdict.rows],
    ['mails to the office', verdict.mails],
    ['kill -9', killed],
    ['invariants', verdict.breaches.length === 0 ? 'all hold' : `${verdict.breaches.length} breaches`],
  ];
  say('');
  for (const [name, value] of rows) say(`  ${name.padEnd(24)}${value}`);
  for (const breach of verdict.breaches.slice(0, BREACHES_SHOWN_MAX)) say(`  ! ${breach}`);
  say('');
  mailbox.mails.forEach(showMail);
  say('');
}

function showMail({ to, subject, lines }: Mail): void {
  say(`  mail to ${to.join(', ')}: ${subject}: ${lines.join('; ')}`);
}

function thingsToTry({ address: sidecar, pid }: ImmortalMecha): void {
  say(`Still up and ticking. Try:
  curl ${sidecar}/v1.0/state/statestore/latest-pickup
  curl ${sidecar}/v1.0/bindings/book -d '{"operation":"query","metadata":{"sql":"SELECT * FROM pickups ORDER BY tick DESC LIMIT 5"}}'
  curl ${sidecar}/v1.0/bindings/courier -d '{"operation":"post","metadata":{"path":"/pickups","Idempotency-Key":"by hand"}}'
  curl ${sidecar}/v1.0/bindings/office -d '{"operation":"create","data":"<p>Hello</p>","metadata":{"subject":"By hand"}}'
  curl ${sidecar}/v1.0/metadata
  kill -9 ${pid}
Ctrl-C ends it.`);
}

/** DATABASE_URL as it is given, else the PostgreSQL of `npm run servers -- up`. */
async function databaseEnv(): Promise<Record<string, string>> {
  const given = process.env['DATABASE_URL'];
  if (given !== undefined) return { DATABASE_URL: given };
  const { MECHA_POSTGRESQL_HOST } = await serversEnv('postgresql', ['postgresql']);
  return { DATABASE_URL: `postgres://mecha@${MECHA_POSTGRESQL_HOST}/postgres` };
}

await runMain(main);
