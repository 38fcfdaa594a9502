/**
 * Workflows written with the official Python SDK, as it comes from the registry, against a real sidecar. Unlike the JavaScript one it gives
 * completion tokens back, keeps histories between turns, waits for events under timers that never fire, and retries by itself.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cleanEnv, freePorts, startMecha, temporaryFolder, until, untilStatus, type Running } from '../tools/processes.ts';
import { pythonWith } from '../tools/python.ts';

const HOST = '127.0.0.1';
const SDK = ['dapr-ext-workflow==1.18.3', 'dapr==1.18.3'];

/** The app: a worker and a client, told by lines what to do. */
class App {
  readonly #child: ChildProcess;
  readonly #answers: AsyncIterator<string>;
  readonly #written: string[] = [];

  constructor(python: string, env: Readonly<Record<string, string>>) {
    this.#child = spawn(python, [join(import.meta.dirname, 'worker.py')], { env: cleanEnv(env), stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child.stderr?.on('data', (chunk: Buffer) => this.#written.push(chunk.toString()));
    if (!this.#child.stdout) throw new Error('the app has no output');
    this.#answers = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }
  async next(): Promise<Record<string, unknown>> {
    const { value, done } = await this.#answers.next();
    if (done) throw new Error(`the app has ended:\n${this.#written.join('')}`);
    return JSON.parse(String(value)) as Record<string, unknown>;
  }
  /** Throws what the SDK threw. */
  async ask<T = unknown>(...words: readonly unknown[]): Promise<T> {
    this.#child.stdin?.write(`${JSON.stringify(words)}\n`);
    const { answer, error } = await this.next();
    if (error !== undefined) throw new Error(String(error));
    return answer as T;
  }
  kill(): void {
    this.#child.kill('SIGKILL');
  }
}
interface End {
  readonly status: string;
  readonly output: string | null;
  readonly failure: string | null;
}

const [httpPort = 0, grpcPort = 0, otherHttp = 0, otherGrpc = 0] = await freePorts(4);
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let python: string;
let sidecar: Running;
let app: App;

async function startApp(name = 'flows', grpc = grpcPort): Promise<App> {
  const started = new App(python, { RUNS: join(folder.path, 'runs'), APP_NAME: name, DAPR_GRPC_PORT: String(grpc) });
  expect(await started.next()).toEqual({ ready: true });
  return started;
}
async function startSidecar(appId = 'flows', http = httpPort, grpc = grpcPort): Promise<Running> {
  const started = startMecha(['sidecar', '--app-id', appId, '--dapr-http-port', String(http), '--dapr-grpc-port', String(grpc), '--metrics-port', '0', '--data-dir', folder.path]);
  await untilStatus(`http://${HOST}:${http}/v1.0/healthz/outbound`, 204, started);
  return started;
}
const runsOf = async (instance: string): Promise<number> => (await readFile(join(folder.path, 'runs'), 'utf8').catch(() => '')).split('\n').filter((line) => line.includes(`"${instance}"`)).length;
async function ended(name: string, input: unknown): Promise<{ id: string; end: End }> {
  const id = await app.ask<string>('start', name, input);
  return { id, end: await app.ask<End>('wait', id) };
}

beforeAll(async () => {
  folder = await temporaryFolder();
  python = await pythonWith('sdk', SDK);
  sidecar = await startSidecar();
  app = await startApp();
}, 600_000);
afterAll(async () => {
  app?.kill();
  await sidecar?.kill('SIGKILL');
  await folder.remove();
});

test.each([
  ['chain', 1, '6'],
  ['fan', 40, '820'],
  ['family', 1, '6'],
  ['countdown', { left: 3, seen: [] }, '[4, 3, 2, 1]'],
])('%s runs to its end', async (name, input, output) => {
  expect((await ended(name, input)).end).toEqual({ status: 'COMPLETED', output, failure: null });
});

test('a timer fires after its time', async () => {
  expect(Number((await ended('nap', 0.4)).end.output)).toBeGreaterThanOrEqual(0.4);
});

test('a retry policy of the SDK runs the activity again, after its timers', async () => {
  const { id, end } = await ended('retried', 'x');
  expect(end).toMatchObject({ status: 'COMPLETED', output: '"at last"' });
  expect(await runsOf(id)).toBe(3);
});

test('a workflow that fails says why', async () => {
  expect((await ended('broken', 'x')).end).toMatchObject({ status: 'FAILED', failure: 'no luck with x' });
});

test('an event ends the timer that never fires, also when it came while the workflow was suspended', async () => {
  const id = await app.ask<string>('start', 'approval', null);
  await app.ask('pause', id);
  expect(await app.ask('status', id)).toBe('SUSPENDED');
  await app.ask('raise', id, 'APPROVE', { by: 'Ada' });
  await app.ask('resume', id);
  expect(await app.ask('wait', id)).toMatchObject({ status: 'COMPLETED', output: '[{"by": "Ada"}, 2]' });
  await app.ask('purge', id);
  expect(await app.ask('status', id)).toBeNull();
});

test('a resume of what is not suspended does no harm', async () => {
  const id = await app.ask<string>('start', 'approval', null);
  await app.ask('resume', id);
  await app.ask('raise', id, 'approve', 1);
  expect(await app.ask('wait', id)).toMatchObject({ status: 'COMPLETED' });
});

test('terminated with an output', async () => {
  const id = await app.ask<string>('start', 'approval', null);
  await app.ask('terminate', id, 'enough');
  expect(await app.ask('wait', id)).toMatchObject({ status: 'TERMINATED', output: '"enough"' });
});

test('an activity and a child workflow of another app run there, by a sidecar of its own on the same ledger', async () => {
  const otherSidecar = await startSidecar('other', otherHttp, otherGrpc);
  const other = await startApp('other', otherGrpc);
  try {
    const { id, end } = await ended('abroad', 1);
    expect(end).toEqual({ status: 'COMPLETED', output: '7', failure: null });
    const apps = (await readFile(join(folder.path, 'runs'), 'utf8')).split('\n').filter((line) => line.includes(id)).map((line) => (JSON.parse(line) as { app: string }).app);
    expect(apps).toEqual(Array.from({ length: 6 }, () => 'other'));
  } finally {
    other.kill();
    await otherSidecar.kill('SIGKILL');
  }
});

test('5 6 a sidecar that is killed and started again: the worker comes back, and what waited goes on', async () => {
  const id = await app.ask<string>('start', 'approval', null);
  await sidecar.kill('SIGKILL');
  sidecar = await startSidecar();
  await until('the worker is back', () => sidecar.lines.some((line) => line.includes('a workflow worker is connected')), { withinMs: 60_000 });
  await app.ask('raise', id, 'approve', 'after');
  expect(await app.ask('wait', id)).toMatchObject({ status: 'COMPLETED', output: '["after", 2]' });
});

test('a worker that is killed and started again goes on from the history', async () => {
  const id = await app.ask<string>('start', 'approval', null);
  app.kill();
  app = await startApp();
  await app.ask('raise', id, 'approve', 'anew');
  expect(await app.ask('wait', id)).toMatchObject({ status: 'COMPLETED', output: '["anew", 2]' });
});
