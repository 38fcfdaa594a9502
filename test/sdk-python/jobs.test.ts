/** Jobs with the official Python SDK, as it comes from the registry, against a real sidecar: scheduled over gRPC, called back by both protocols. */
import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { cleanEnv, freePorts, startMecha, temporaryFolder, until, untilStatus } from '../tools/processes.ts';
import { pythonWith } from '../tools/python.ts';

const SDK = ['dapr-ext-grpc==1.18.3', 'dapr==1.18.3'];
const HOST = '127.0.0.1';

interface Told {
  readonly answer?: unknown;
  readonly error?: string;
}
/** The app, told by lines what to do. */
class App {
  readonly ticks: { readonly name: string; readonly data: string }[] = [];
  readonly #child: ChildProcess;
  readonly #written: string[] = [];
  readonly #ready = Promise.withResolvers<void>();
  #answer: ((told: Told) => void) | undefined;

  constructor(python: string, env: Readonly<Record<string, string>>) {
    this.#child = spawn(python, [join(import.meta.dirname, 'jobs_app.py')], { env: cleanEnv(env), stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child.stderr?.on('data', (chunk: Buffer) => this.#written.push(chunk.toString()));
    this.#child.once('exit', () => this.#ready.reject(new Error(`the app has ended:\n${this.#written.join('')}`)));
    if (!this.#child.stdout) throw new Error('the app has no output');
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      const told = JSON.parse(line) as Told & { tick?: App['ticks'][number]; ready?: boolean };
      if (told.tick) this.ticks.push(told.tick);
      else if (told.ready) this.#ready.resolve();
      else this.#answer?.(told);
    });
  }
  get ready(): Promise<void> {
    return this.#ready.promise;
  }
  async ask(verb: string, value: unknown): Promise<Told> {
    const told = new Promise<Told>((resolve) => (this.#answer = resolve));
    this.#child.stdin?.write(`${JSON.stringify([verb, value])}\n`);
    return told;
  }
  kill(): void {
    this.#child.kill('SIGKILL');
  }
}

let python: string;
const cleanups: (() => Promise<unknown> | void)[] = [];
beforeAll(async () => {
  python = await pythonWith('jobs', SDK);
}, 600_000);
const cleanUp = async (): Promise<void> => {
  for (const undo of cleanups.splice(0).reverse()) await undo();
};
afterEach(cleanUp);
afterAll(cleanUp);

describe.each(['grpc', 'http'])('an app that is called over %s', (protocol) => {
  test('schedules jobs, is given their ticks and their data, and finds and deletes them', async () => {
    const folder = await temporaryFolder();
    cleanups.push(folder.remove);
    const [http = 0, grpc = 0, appPort = 0] = await freePorts(3);
    const sidecar = startMecha(['sidecar', '--app-id', 'jobs', '--app-port', String(appPort), '--app-protocol', protocol, '--dapr-http-port', String(http), '--dapr-grpc-port', String(grpc), '--metrics-port', '0', '--data-dir', folder.path]);
    cleanups.push(() => sidecar.kill('SIGKILL'));
    await untilStatus(`http://${HOST}:${http}/v1.0/healthz/outbound`, 204, sidecar);
    const app = new App(python, { APP_PORT: String(appPort), APP_PROTOCOL: protocol, DAPR_GRPC_PORT: String(grpc), DAPR_HTTP_PORT: String(http) });
    cleanups.push(() => app.kill());
    await app.ready;
    const of = (name: string) => app.ticks.filter((tick) => tick.name === name);

    expect(await app.ask('schedule', { name: 'plain', due: '0s', data: { n: 1 } })).toEqual({ answer: null });
    expect(await app.ask('schedule_alpha1', { name: 'flaky', due: '0s', policy: [3, 1] })).toEqual({ answer: null });
    expect(await app.ask('schedule', { name: 'repeated', schedule: '@every 200ms', repeats: 3 })).toEqual({ answer: null });
    expect(await app.ask('schedule', { name: 'far', schedule: '0 0 3 * * *', repeats: 5, due: '1h', data: 'x', policy: [2, 7] })).toEqual({ answer: null });
    expect(await app.ask('get', 'far')).toEqual({ answer: { name: 'far', schedule: '0 0 3 * * *', repeats: 5, due: '1h', data: '"x"', retries: 2 } });
    expect((await app.ask('schedule', { name: 'far', due: '1h' })).error).toContain('already exists');
    expect(await app.ask('schedule', { name: 'far', due: '1h', overwrite: true, policy: 'drop' })).toEqual({ answer: null });
    expect(await app.ask('delete', 'far')).toEqual({ answer: null });
    expect((await app.ask('get', 'far')).error).toContain('NotFound');

    await until('all have ticked', async () => of('plain').length >= 1 && of('flaky').length >= 2 && of('repeated').length >= 3, { about: sidecar });
    for (const name of ['plain', 'flaky', 'repeated']) await until(`${name} is over`, async () => (await app.ask('get', name)).error?.includes('NotFound') ?? false);
    expect(of('plain')).toEqual([{ name: 'plain', data: '{"n": 1}' }]);
    expect([of('flaky').length, of('repeated').length]).toEqual([2, 3]);
  });
});
