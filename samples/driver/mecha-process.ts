/** The Mecha process of a sample: `mecha run -f`, started, awaited, stopped, killed. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const MECHA = fileURLToPath(import.meta.resolve('@mecha/runtime/main.ts'));
const READY_WITHIN_MS = 120_000;
const LINES_KEPT = 40;

/** What `--ready-file` holds once every app and sidecar is up. */
interface ReadyFile {
  readonly apps: readonly { readonly appId: string; readonly pid: number; readonly appPort: number; readonly httpPort: number; readonly grpcPort: number }[];
}

export interface MechaProcess {
  readonly pid: number;
  /** `http://127.0.0.1:port` of an app or of its sidecar. */
  addressOf(appId: string, port: 'appPort' | 'httpPort'): string;
  /** The newest lines that it wrote. */
  readonly lines: readonly string[];
  /** Resolves with the exit code when it ends, null when a signal ended it. */
  readonly ended: Promise<number | null>;
  stop(): Promise<void>;
  /** SIGKILL to the process and to the services that it started: nobody gets to say or write a last word. */
  kill(): Promise<void>;
}

export interface MechaProcessOptions {
  readonly runFile: string;
  /** Folders that take the place of those which the run file names. */
  readonly resources?: readonly string[];
  readonly dataDir: string;
  /** Where it runs; relative paths in resources count from here. */
  readonly cwd?: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Resolves when all is ready. Rejects with its newest lines when it ends before. */
export async function startMecha({ runFile, resources = [], dataDir, cwd, env }: MechaProcessOptions): Promise<MechaProcess> {
  const readyFile = join(dataDir, 'ready.json');
  await rm(readyFile, { force: true });
  const args = [MECHA, 'run', '-f', runFile, ...resources.flatMap((folder) => ['--resources-path', folder]), '--data-dir', dataDir, '--ready-file', readyFile];
  const child = spawn(process.execPath, [...args, '--exit-on-failure', '--metrics-port', '0'], {
    env: { ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(cwd === undefined ? {} : { cwd }),
  });
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line);
      if (lines.length > LINES_KEPT) lines.shift();
    });
  }
  const ended = once(child, 'exit').then(([code]) => code as number | null);
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    await ended;
  };
  const { apps } = await whenReady(child, readyFile, lines);
  return {
    pid: child.pid ?? 0,
    addressOf(appId, port) {
      const app = apps.find((entry) => entry.appId === appId);
      if (!app) throw new Error(`${runFile} has no app ${appId}`);
      return `http://127.0.0.1:${app[port]}`;
    },
    lines,
    ended,
    stop: () => end('SIGTERM'),
    async kill() {
      await end('SIGKILL');
      for (const { pid } of apps) if (pid > 0) killIfThere(pid);
    },
  };
}

async function whenReady(child: ChildProcess, readyFile: string, lines: readonly string[]): Promise<ReadyFile> {
  const deadline = Date.now() + READY_WITHIN_MS;
  while (Date.now() < deadline) {
    if (child.exitCode !== null) throw new Error(`${lines.join('\n')}\nmecha ended with code ${child.exitCode} before it was ready; its reason stands above`);
    const text = await readFile(readyFile, 'utf8').catch(() => '');
    if (text !== '') return JSON.parse(text) as ReadyFile;
    await sleep(50);
  }
  child.kill('SIGTERM');
  throw new Error(`${lines.join('\n')}\nmecha was not ready within ${READY_WITHIN_MS / 1000} s`);
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
