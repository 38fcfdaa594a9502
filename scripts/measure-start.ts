/**
 * `npm run measure`: start-to-ready and idle memory of the built package, printed, judged by nobody but the reader.
 *
 * Ready is the moment `GET /v1.0/healthz/outbound` answers 204, counted from before the process is spawned. The sidecar
 * has the embedded default: no resources, no app, a fresh data folder. It runs from dist/mecha under this very Node, so
 * that neither a build nor a second Node is counted; one start before the counted ones fills the cache of compiled code,
 * as every start after the first finds it.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { ROOT, runNode } from './tools.ts';

const { values } = parseArgs({ options: { starts: { type: 'string', default: '7' }, 'idle-seconds': { type: 'string', default: '5' }, help: { type: 'boolean', default: false } } });
const POLL_MS = 2;
const READY_WITHIN_MS = 30_000;
const BIN = join(ROOT, 'dist', 'mecha', 'bin', 'mecha.mjs');

if (values.help) {
  console.log('npm run measure [-- --starts N] [--idle-seconds N]\n\nPrints start-to-ready and idle memory of the built package; builds it first if it is not there.');
} else {
  if (!existsSync(BIN) && (await runNode(['scripts/build.ts'], { show: true })).code !== 0) process.exit(1);
  await measure(Number(values.starts), Number(values['idle-seconds']) * 1000);
}

async function measure(starts: number, idleMs: number): Promise<void> {
  await oneStart(0);
  const runs: { readyMs: number; residentBytes: number }[] = [];
  for (let index = 0; index < starts; index++) runs.push(await oneStart(index === starts - 1 ? idleMs : 0));
  const readyMs = runs.map((run) => run.readyMs).toSorted((a, b) => a - b);
  const middle = readyMs[Math.floor(readyMs.length / 2)] ?? 0;
  const idle = runs.at(-1)?.residentBytes ?? 0;
  console.log(`start to ready: ${middle.toFixed(0)} ms (median of ${starts}; ${readyMs.map((ms) => ms.toFixed(0)).join(' ')}; budget 300 ms)`);
  console.log(`resident, idle: ${(idle / 1e6).toFixed(1)} MB after ${idleMs / 1000} s (budget 110 MB)`);
}

async function oneStart(idleMs: number): Promise<{ readyMs: number; residentBytes: number }> {
  const dataDir = await mkdtemp(join(tmpdir(), 'mecha-measure-'));
  const [http, grpc] = [await freePort(), await freePort()];
  const startedMs = performance.now();
  const args = [BIN, 'sidecar', '--app-id', 'measured', '--data-dir', dataDir, '--dapr-http-port', String(http), '--dapr-grpc-port', String(grpc), '--metrics-port', '0'];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  const ended = once(child, 'exit');
  try {
    while (!(await isReady(http))) {
      if (child.exitCode !== null) throw new Error(`the sidecar ended with code ${child.exitCode} before it was ready`);
      if (performance.now() - startedMs > READY_WITHIN_MS) throw new Error(`the sidecar was not ready within ${READY_WITHIN_MS / 1000} s`);
      await sleep(POLL_MS);
    }
    const readyMs = performance.now() - startedMs;
    await sleep(idleMs);
    return { readyMs, residentBytes: residentBytesOf(child.pid ?? 0) };
  } finally {
    child.kill('SIGTERM');
    await ended;
    await rm(dataDir, { recursive: true, force: true });
  }
}

function isReady(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const asked = request({ host: '127.0.0.1', port, path: '/v1.0/healthz/outbound', agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 204);
    });
    asked.once('error', () => resolve(false)).end();
  });
}

function residentBytesOf(pid: number): number {
  const status = `/proc/${pid}/status`;
  const kilobytes = existsSync(status) ? /VmRSS:\s+(\d+)/.exec(readFileSync(status, 'utf8'))?.[1] : execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' });
  return Number(kilobytes) * 1024;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
