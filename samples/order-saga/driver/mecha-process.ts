/** The Mecha process of the sample: `mecha run -f`, started, awaited, stopped. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Addresses } from './workload.ts';

const MECHA = fileURLToPath(import.meta.resolve('@mecha/runtime/main.ts'));
const READY_WITHIN_MS = 120_000;

/** What `--ready-file` holds once every app and sidecar is up. */
interface ReadyFile {
  readonly apps: readonly { readonly appId: string; readonly appPort: number; readonly httpPort: number; readonly grpcPort: number }[];
}

export interface MechaProcess {
  readonly addresses: Addresses;
  readonly apps: ReadyFile['apps'];
  /** Resolves with the exit code if it ends by itself. */
  readonly ended: Promise<number | null>;
  stop(): Promise<void>;
}

export async function startMecha(options: {
  runFile: string;
  resources: string;
  dataDir: string;
  env: Readonly<Record<string, string | undefined>>;
  show: (line: string) => void;
}): Promise<MechaProcess> {
  const readyFile = join(options.dataDir, 'ready.json');
  await rm(readyFile, { force: true });
  const args = [MECHA, 'run', '-f', options.runFile, '--resources-path', options.resources, '--data-dir', options.dataDir, '--ready-file', readyFile];
  const child = spawn(process.execPath, [...args, '--exit-on-failure', '--metrics-port', '0'], {
    env: { ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [child.stdout, child.stderr]) forLines(stream, options.show);
  const ended = once(child, 'exit').then(([code]) => code as number | null);
  const ready = await whenReady(child, readyFile);
  const portOf = (appId: string, port: 'appPort' | 'httpPort') => () => {
    const app = ready.apps.find((entry) => entry.appId === appId);
    if (!app) throw new Error(`${options.runFile} has no app ${appId}`);
    return `http://127.0.0.1:${app[port]}`;
  };
  return {
    apps: ready.apps,
    ended,
    addresses: {
      order: portOf('order', 'appPort'),
      inventory: portOf('inventory', 'appPort'),
      orderSidecar: portOf('order', 'httpPort'),
      inventorySidecar: portOf('inventory', 'httpPort'),
      paymentSidecar: portOf('payment', 'httpPort'),
      shippingSidecar: portOf('shipping', 'httpPort'),
    },
    async stop() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
      await ended;
    },
  };
}

async function whenReady(child: ChildProcess, readyFile: string): Promise<ReadyFile> {
  const deadline = Date.now() + READY_WITHIN_MS;
  while (Date.now() < deadline) {
    if (child.exitCode !== null) throw new Error(`mecha ended with code ${child.exitCode} before it was ready; its reason stands above`);
    const text = await readFile(readyFile, 'utf8').catch(() => '');
    if (text !== '') return JSON.parse(text) as ReadyFile;
    await sleep(50);
  }
  child.kill('SIGTERM');
  throw new Error(`mecha was not ready within ${READY_WITHIN_MS / 1000} s`);
}

function forLines(stream: NodeJS.ReadableStream, show: (line: string) => void): void {
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) show(line);
  });
}
