/**
 * The real servers that tests and samples run against.
 *
 * Owns: where each server comes from (an address in the environment, else one that runs already, else one started
 * here), the folder `.servers/` with their data, and `.servers/env.json`, from which others read the addresses.
 * Does not own: how a kind is installed and launched (`redis.ts`, `kafka.ts` and so on).
 *
 * Rules
 * - Only what was started here is ever stopped: by pid and start time.
 * - Two commands at the same time take turns (a lock in the folder), so that a server is started once.
 * - A server that cannot be had is a result with words, not an exception: the caller decides what is left out.
 */
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, open, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { kafka } from './kafka.ts';
import { mosquitto } from './mosquitto.ts';
import { moto } from './moto.ts';
import { nats } from './nats.ts';
import { mysql } from './mysql.ts';
import { postgresql } from './postgresql.ts';
import { freePort, logOf, runningProcess, startProcess, startTimeOf, stopProcess } from './processes.ts';
import { rabbitmq } from './rabbitmq.ts';
import { redis } from './redis.ts';
import { ServerMissing, type Say, type ServerKind, type ServerPlace } from './server-kind.ts';

const KINDS = { redis, kafka, postgresql, mysql, rabbitmq, mosquitto, nats, moto } as const satisfies Readonly<Record<string, ServerKind>>;
export type ServerName = keyof typeof KINDS;
export const serverNames = Object.keys(KINDS) as readonly ServerName[];

/** `.servers/` in the root of the repository, unless `MECHA_SERVERS_DIR` names another. */
const FOLDER = process.env['MECHA_SERVERS_DIR'] || path.join(import.meta.dirname, '..', '..', '.servers');
const ENV_FILE = path.join(FOLDER, 'env.json');
const LOCK_WAIT_MS = 15 * 60_000;
const ASK_AGAIN_MS = 100;

export interface MissingServer {
  readonly name: ServerName;
  readonly why: string;
  readonly whatToDo: string;
}

export interface EnsuredServers {
  /** Addresses of the servers that answer: `{ MECHA_REDIS_HOST: '127.0.0.1:6379', ... }`. */
  readonly env: Readonly<Record<string, string>>;
  readonly missing: readonly MissingServer[];
  /** Those that this call started, for a caller that takes down what it brought up. */
  readonly started: readonly ServerName[];
}

/** Brings up the named servers, unless they answer already, and writes their addresses to `.servers/env.json`. */
export async function ensureServers(names: readonly ServerName[] = serverNames, say: Say = () => undefined): Promise<EnsuredServers> {
  await mkdir(FOLDER, { recursive: true });
  return withLock(async () => {
    await sweepPrivate();
    const env: Record<string, string> = {};
    const missing: MissingServer[] = [];
    const started: ServerName[] = [];
    await Promise.all(
      names.map(async (name) => {
        const kind = KINDS[name];
        try {
          const had = await ensureServer(kind, (line) => say(`${name}: ${line}`));
          env[kind.exportVariable] = had.address;
          if (had.started) started.push(name);
        } catch (error) {
          if (!(error instanceof ServerMissing)) throw error;
          missing.push({ name, why: error.message, whatToDo: error.whatToDo });
        }
      }),
    );
    await updateEnvFile(env, missing.map(({ name }) => KINDS[name].exportVariable));
    return { env, missing, started };
  });
}

/** Stops those of the named servers that `ensureServers` started; the data stays. Returns the names of those stopped. */
export async function stopServers(names: readonly ServerName[] = serverNames): Promise<readonly ServerName[]> {
  if (!existsSync(FOLDER)) return [];
  return withLock(async () => {
    await sweepPrivate();
    const outcomes = await Promise.all(names.map((name) => stopProcess(folderOf(KINDS[name]))));
    const stopped = names.filter((_name, index) => outcomes[index]);
    await updateEnvFile({}, stopped.map((name) => KINDS[name].exportVariable));
    return stopped;
  });
}

export interface ServerStatus {
  readonly name: ServerName;
  readonly state: 'up' | 'down' | 'silent';
  readonly address?: string;
  /** Present when it was started here. */
  readonly pid?: number;
}

export function serverStatus(names: readonly ServerName[] = serverNames): Promise<readonly ServerStatus[]> {
  return Promise.all(
    names.map(async (name): Promise<ServerStatus> => {
      const kind = KINDS[name];
      const running = await runningProcess(folderOf(kind));
      const address = process.env[kind.addressVariable] || (running ? `127.0.0.1:${running.port}` : undefined);
      if (address === undefined) return { name, state: 'down' };
      const state = await kind.answers(parseAddress(kind, address)).then(() => 'up' as const, () => 'silent' as const);
      return { name, state, address, ...(running ? { pid: running.pid } : {}) };
    }),
  );
}

/** The address of a server for a test: from the environment, else from `.servers/env.json`. Throws by name when there is none. */
export function serverAddress(name: ServerName): string {
  const { exportVariable } = KINDS[name];
  const known = process.env[exportVariable] || readServerEnv()[exportVariable];
  if (!known) throw new Error(`this test needs ${name}, and ${exportVariable} is not set: bring it up with "npm run servers -- up ${name}"`);
  return known;
}

/** What `.servers/env.json` holds; empty when no server was brought up. */
export function readServerEnv(): Readonly<Record<string, string>> {
  return existsSync(ENV_FILE) ? (JSON.parse(readFileSync(ENV_FILE, 'utf8')) as Record<string, string>) : {};
}

/** A server of a test's own, which it may stop, kill and start again. */
export interface PrivateServer {
  /** `host:port`; the same after a restart. */
  readonly address: string;
  /** Ends it: orderly, or `SIGKILL` when `hard`. */
  stop(hard?: boolean): Promise<void>;
  /** Starts it again on its port and its data, and waits until it answers. */
  start(): Promise<void>;
  /** Ends it and removes its data. */
  dispose(): Promise<void>;
}

/**
 * Starts one on a free port with a folder of its own; `dispose` it, or the next `ensureServers` sweeps it away once this
 * process is gone. `args` are added to its command line; those that depend on its port are a function of it.
 * `configuration`: lines for its configuration file (RabbitMQ, Mosquitto).
 */
export async function startPrivateServer(name: ServerName, args: readonly string[] | ((port: number) => readonly string[]) = [], configuration: readonly string[] = []): Promise<PrivateServer> {
  const kind: ServerKind = KINDS[name];
  const home = path.join(FOLDER, 'private');
  await mkdir(home, { recursive: true });
  const obtained = await withLock(() => kind.obtain(FOLDER, () => undefined));
  const folder = await mkdtemp(path.join(home, `${name}-`));
  await writeFile(path.join(folder, 'owner.json'), JSON.stringify({ pid: process.pid, startedAt: await startTimeOf(process.pid) }));
  const port = await freePort();
  const start = (): Promise<void> => bringUp(kind, obtained, { folder, port, configuration }, typeof args === 'function' ? args(port) : args);
  await start();
  return {
    address: `127.0.0.1:${port}`,
    stop: async (hard) => void (await stopProcess(folder, hard)),
    start,
    dispose: async () => {
      await stopProcess(folder, true);
      await kind.dispose?.(folder);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const folderOf = (kind: ServerKind): string => path.join(FOLDER, kind.name);

async function ensureServer(kind: ServerKind, say: Say): Promise<{ address: string; started: boolean }> {
  const given = process.env[kind.addressVariable];
  if (given) {
    await kind.answers(parseAddress(kind, given)).catch((error: unknown) => {
      throw new ServerMissing(`${kind.addressVariable} names ${given}, which does not answer: ${messageOf(error)}`, `start it, or unset ${kind.addressVariable} to have one started here`);
    });
    return { address: given, started: false };
  }
  const folder = folderOf(kind);
  const running = await runningProcess(folder);
  if (running) {
    await waitUntilAnswers(kind, folder, running.port);
    return { address: `127.0.0.1:${running.port}`, started: false };
  }
  const obtained = await kind.obtain(FOLDER, say);
  const port = await freePort(kind.usualPort);
  await bringUp(kind, obtained, { folder, port });
  say(`up at 127.0.0.1:${port}`);
  return { address: `127.0.0.1:${port}`, started: true };
}

async function bringUp(kind: ServerKind, obtained: string, place: ServerPlace, args: readonly string[] = []): Promise<void> {
  const { folder, port } = place;
  await mkdir(folder, { recursive: true });
  try {
    const launch = await kind.launch(obtained, place);
    await startProcess({ ...launch, args: [...launch.args, ...args] }, folder, port);
  } catch (error) {
    throw new ServerMissing(`it could not be started: ${messageOf(error)}`, `see ${logOf(folder)}`, error);
  }
  await waitUntilAnswers(kind, folder, port);
}

async function waitUntilAnswers(kind: ServerKind, folder: string, port: number): Promise<void> {
  const deadline = Date.now() + kind.startTimeoutMs;
  for (;;) {
    try {
      return await kind.answers({ host: '127.0.0.1', port });
    } catch (error) {
      const ended = !(await runningProcess(folder));
      if (!ended && Date.now() < deadline) {
        await sleep(ASK_AGAIN_MS);
        continue;
      }
      const why = ended ? `it ended by itself: ${await lastLogLine(folder)}` : `no answer within ${kind.startTimeoutMs / 1000} s: ${messageOf(error)}`;
      await stopProcess(folder);
      throw new ServerMissing(why, `see ${logOf(folder)}; if its data is damaged, remove ${folder}`, error);
    }
  }
}

async function lastLogLine(folder: string): Promise<string> {
  const lines = (await readFile(logOf(folder), 'utf8')).trim().split('\n');
  return lines.at(-1) ?? 'its log is empty';
}

function parseAddress(kind: ServerKind, address: string): { host: string; port: number } {
  const [first = ''] = address.split(',');
  const match = /^\[?(.+?)\]?(?::(\d+))?$/.exec(first.trim());
  return { host: match?.[1] ?? first, port: Number(match?.[2] ?? kind.usualPort) };
}

/** Ends servers whose test was killed before it could do so. */
async function sweepPrivate(): Promise<void> {
  const home = path.join(FOLDER, 'private');
  if (!existsSync(home)) return;
  for (const entry of await readdir(home)) {
    const folder = path.join(home, entry);
    const owner = await readOwner(path.join(folder, 'owner.json'));
    if (!owner || (await startTimeOf(owner.pid)) === owner.startedAt) continue;
    await stopProcess(folder, true);
    await Object.values<ServerKind>(KINDS).find(({ name }) => entry.startsWith(`${name}-`))?.dispose?.(folder);
    await rm(folder, { recursive: true, force: true });
  }
}

/** Undefined when the file is not there (yet), or half written. */
async function readOwner(file: string): Promise<{ pid: number; startedAt: string } | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as { pid: number; startedAt: string };
  } catch {
    return undefined;
  }
}

async function updateEnvFile(add: Readonly<Record<string, string>>, remove: readonly string[]): Promise<void> {
  const next: Record<string, string> = { ...readServerEnv(), ...add };
  for (const name of remove) delete next[name];
  const unfinished = `${ENV_FILE}.${process.pid}`;
  await writeFile(unfinished, `${JSON.stringify(next, null, 2)}\n`);
  await rename(unfinished, ENV_FILE);
}

/** One command at a time; a lock whose owner is gone is taken over. */
async function withLock<T>(work: () => Promise<T>): Promise<T> {
  await mkdir(FOLDER, { recursive: true });
  const file = path.join(FOLDER, 'lock');
  const deadline = Date.now() + LOCK_WAIT_MS;
  for (;;) {
    try {
      const handle = await open(file, 'wx');
      await handle.writeFile(JSON.stringify({ pid: process.pid, startedAt: await startTimeOf(process.pid) }));
      await handle.close();
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      const owner = await readOwner(file);
      if (owner && (await startTimeOf(owner.pid)) !== owner.startedAt) await rm(file, { force: true });
      else if (Date.now() > deadline) throw new Error(`another command has held ${file} for ${LOCK_WAIT_MS / 60_000} minutes; remove it if none is running`, { cause: error });
      await sleep(ASK_AGAIN_MS);
    }
  }
  try {
    return await work();
  } finally {
    await rm(file, { force: true });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
