/**
 * What an official workflow SDK must be able to do here: one suite for all of them, run with an app of each language (`worker.py`,
 * `sdk-go/app`, `sdk-java`) that knows the same workflows under the same names. Numbers in brackets are of the tests that a sidecar should pass.
 * `lacks` names what an SDK has no way for; everything else must hold.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { countingProxy } from './counting-proxy.ts';
import { freePorts, startMecha, temporaryFolder, until, untilStatus, type Running } from './processes.ts';
import { WorkflowApp, type AppCommand } from './workflow-app.ts';

const HOST = '127.0.0.1';
const OBTAIN_MS = 600_000;

/** What not every SDK has. */
export type SdkFeature = 'custom status is read' | 'recursive terminate' | 'event names in any case' | 'carried events keep their order';

export interface WorkflowSdk {
  readonly name: string;
  /** Fetches and builds what is missing. */
  obtain(): Promise<AppCommand>;
  readonly lacks: readonly SdkFeature[];
  /** Its worker keeps histories between turns and is sent the new part alone. */
  readonly keepsHistory: boolean;
  /** What it makes of a workflow whose code does something else than the history says, and its words; absent: it does not see it. */
  readonly changedCode?: { readonly is: 'failed' | 'stalled'; readonly words: RegExp };
}
export interface End {
  readonly status: string;
  readonly output: string | null;
  readonly failure: string | null;
  readonly customStatus: string | null;
}
interface Run {
  readonly name: string;
  readonly instance: string;
  readonly input: number;
  readonly app: string;
  readonly pid: number;
}

/** Sidecars of two apps on one ledger, and the processes of these apps. */
export class SdkWorld {
  readonly sidecars = new Map<string, Running>();
  readonly #command: AppCommand;
  readonly #folder: Awaited<ReturnType<typeof temporaryFolder>>;
  readonly #ports: readonly number[];
  readonly #apps = new Set<WorkflowApp>();

  constructor(command: AppCommand, folder: Awaited<ReturnType<typeof temporaryFolder>>, ports: readonly number[]) {
    this.#command = command;
    this.#folder = folder;
    this.#ports = ports;
  }
  static async begin(command: AppCommand): Promise<SdkWorld> {
    const world = new SdkWorld(command, await temporaryFolder(), await freePorts(4));
    await world.startSidecar();
    return world;
  }
  get grpcPort(): number {
    return this.#portsOf('flows')[1];
  }
  #portsOf(name: string): readonly [number, number] {
    const at = name === 'flows' ? 0 : 2;
    return [this.#ports[at] ?? 0, this.#ports[at + 1] ?? 0];
  }
  async startSidecar(name = 'flows', ...args: readonly string[]): Promise<Running> {
    const [http, grpc] = this.#portsOf(name);
    const sidecar = startMecha(['sidecar', '--app-id', name, '--dapr-http-port', String(http), '--dapr-grpc-port', String(grpc), '--metrics-port', '0', '--data-dir', this.#folder.path, ...args]);
    this.sidecars.set(name, sidecar);
    await untilStatus(`http://${HOST}:${http}/v1.0/healthz/outbound`, 204, sidecar);
    return sidecar;
  }
  /** Kills it and starts it again on the same ledger. */
  async restartSidecar(name = 'flows'): Promise<void> {
    await this.sidecars.get(name)?.kill('SIGKILL');
    await this.startSidecar(name);
  }
  /** An app that others call on that port, with its sidecar. */
  async startAppAt(name: string, port: number): Promise<WorkflowApp> {
    const sidecar = await this.startSidecar(name, '--app-port', String(port));
    const app = await this.startApp('', name, { APP_PORT: String(port) });
    await until('its sidecar has found it', () => sidecar.lines.some((line) => line.includes('the app listens')), { about: sidecar });
    return app;
  }
  /** `code`: how old the app's workflows are. Resolves when its worker is connected. */
  async startApp(code = '', name = 'flows', env: Readonly<Record<string, string>> = {}): Promise<WorkflowApp> {
    const before = await this.connectedWorkers(name);
    const [http, grpc] = this.#portsOf(name);
    const app = await WorkflowApp.start(this.#command, { RUNS: join(this.#folder.path, 'runs'), APP_NAME: name, CODE: code, DAPR_GRPC_PORT: String(grpc), DAPR_HTTP_PORT: String(http), ...env });
    this.#apps.add(app);
    await until('its worker is connected', async () => (await this.connectedWorkers(name)) > before, { about: this.sidecars.get(name) as Running });
    return app;
  }
  async connectedWorkers(name = 'flows'): Promise<number> {
    const response = await fetch(`http://${HOST}:${this.#portsOf(name)[0]}/v1.0/metadata`);
    const { workflows } = (await response.json()) as { workflows?: { connectedWorkers?: number } };
    return workflows?.connectedWorkers ?? 0;
  }
  /** Kills it, and resolves when its sidecar knows. */
  async killApp(app: WorkflowApp): Promise<void> {
    const before = await this.connectedWorkers();
    this.#apps.delete(app);
    await app.kill();
    await until('the sidecar knows that the worker is gone', async () => (await this.connectedWorkers()) < before);
  }
  /** By name, in the log. */
  stalled(instance: string, words: RegExp): boolean {
    return this.sidecars.get('flows')?.lines.some((line) => line.includes('a workflow is stalled') && line.includes(instance) && words.test(line)) ?? false;
  }
  async killAll(): Promise<void> {
    for (const app of this.#apps) await app.kill();
    this.#apps.clear();
    await until('the sidecar knows that the workers are gone', async () => (await this.connectedWorkers()) === 0);
  }
  /** Over the sidecar's own API, so that many come at once. */
  async raise(instance: string, event: string, data: unknown): Promise<void> {
    const { status } = await fetch(`http://${HOST}:${this.#portsOf('flows')[0]}/v1.0/workflows/dapr/${instance}/raiseEvent/${event}`, { method: 'POST', body: JSON.stringify(data) });
    if (status !== 202) throw new Error(`raising ${event} is answered ${status}`);
  }
  /** Before that, the second turn of `slow_turns` does not end. */
  async letTurnsEnd(): Promise<void> {
    await writeFile(join(this.#folder.path, 'runs.turn'), 'over');
  }
  async runs(instance: string): Promise<readonly Run[]> {
    const lines = (await readFile(join(this.#folder.path, 'runs'), 'utf8').catch(() => '')).split('\n').filter((line) => line !== '');
    return lines.map((line) => JSON.parse(line) as Run).filter((run) => run.instance.startsWith(instance));
  }
  async close(): Promise<void> {
    for (const app of this.#apps) await app.kill();
    for (const sidecar of this.sidecars.values()) await sidecar.kill('SIGKILL');
    await this.#folder.remove();
  }
}

const inputsOf = (runs: readonly Run[]): number[] => runs.map(({ input }) => input);

/** Registers the suite; `more` adds what is particular to this SDK. */
export function workflowSuite(sdk: WorkflowSdk, more: (told: { app(): WorkflowApp; world(): SdkWorld; ended(name: string, input?: unknown): Promise<End & { id: string }> }) => void = () => undefined): void {
  const has = (feature: SdkFeature): boolean => !sdk.lacks.includes(feature);
  let world: SdkWorld;
  let app: WorkflowApp;
  beforeAll(async () => {
    world = await SdkWorld.begin(await sdk.obtain());
    app = await world.startApp();
  }, OBTAIN_MS);
  afterAll(async () => {
    await world?.close();
  });

  let ids = 0;
  const start = (name: string, input: unknown = null, id = `${name.replaceAll('_', '-')}-${++ids}`, delayMs = 0): Promise<string> => app.ask<string>('start', name, input, id, delayMs);
  const end = async (id: string): Promise<End> => app.ask<End>('wait', id);
  const outputOf = ({ output }: End): unknown => (output === null || output === '' ? null : JSON.parse(output));
  const ended = async (name: string, input: unknown = null): Promise<End & { id: string }> => {
    const id = await start(name, input);
    return { id, ...(await end(id)) };
  };
  const state = (id: string): Promise<End | null> => app.ask<End | null>('state', id);
  const completed = async (id: string): Promise<unknown> => {
    const told = await end(id);
    expect(told).toMatchObject({ status: 'COMPLETED', failure: null });
    return outputOf(told);
  };

  describe(`${sdk.name}: authoring`, () => {
    test('activities run one after another, each once', async () => {
      const id = await start('chain', 1);
      expect(await completed(id)).toBe(6);
      expect(inputsOf(await world.runs(id))).toEqual([1, 2, 3, 4, 5]);
    });

    test('fan out, fan in', async () => {
      const id = await start('fan', 40);
      expect(await completed(id)).toBe(820);
      expect(inputsOf(await world.runs(id)).toSorted((one, other) => one - other)).toEqual(Array.from({ length: 40 }, (_, n) => n));
    });

    test('a timer fires after its time', async () => {
      expect(await completed(await start('nap', 400))).toBeGreaterThanOrEqual(400);
    });

    test('an event is waited for, and comes with its data', async () => {
      const id = await start('approval');
      const waiting = await state(id);
      expect(waiting?.status).toBe('RUNNING');
      if (has('custom status is read')) expect(waiting?.customStatus).toContain('waiting');
      await app.ask('raise', id, has('event names in any case') ? 'APPROVE' : 'approve', { by: 'Ada' });
      expect(await completed(id)).toEqual([{ by: 'Ada' }, 2]);
    });

    test('an event that comes before anybody waits for it is kept', async () => {
      const id = await start('late');
      await app.ask('raise', id, 'early', 'bird');
      expect(await completed(id)).toBe('bird');
    });

    test('an event that does not come in time is given up', async () => {
      expect(await completed(await start('impatient'))).toBe('too late');
    });

    test('a child workflow gives its result to its parent, a failing one its words', async () => {
      expect(await completed(await start('family', 1))).toBe(6);
      expect(await completed(await start('broken_family'))).toContain('no luck with child');
    });

    test('a child that fails is made anew by the retry policy of the SDK', async () => {
      expect(await completed(await start('stubborn_family'))).toBe('at last');
    });

    test('an activity that fails is tried again by the retry policy of the SDK', async () => {
      const id = await start('retried');
      expect(await completed(id)).toBe('at last');
      expect(await world.runs(id)).toHaveLength(3);
    });

    test('a workflow that fails says why', async () => {
      expect(await ended('broken', 'x')).toMatchObject({ status: 'FAILED', failure: expect.stringContaining('no luck with x') as string });
    });

    test('(users 22) continue-as-new goes on with its input, and results of the old execution are not taken for the new', async () => {
      expect(await completed(await start('countdown', { left: 5, seen: [] }))).toEqual([6, 5, 4, 3, 2, 1]);
    });

    test('(users 22) events that come while a workflow continues as new are all there, in order', async () => {
      const id = await start('tally', { left: 12, seen: [] });
      for (let item = 1; item <= 12; item++) await app.ask('raise', id, 'item', item);
      const seen = (await completed(id)) as number[];
      const items = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
      expect(has('carried events keep their order') ? seen : seen.toSorted((one, other) => one - other)).toEqual(items);
    });

    test('(users 22) events that are all alike are all there, too', async () => {
      const id = await start('tally', { left: 30, seen: [] });
      await Promise.all(Array.from({ length: 30 }, () => world.raise(id, 'item', 7)));
      expect(await completed(id)).toEqual(Array.from({ length: 30 }, () => 7));
    });
  });

  describe(`${sdk.name}: steering`, () => {
    test('suspended it stands still, resumed it goes on with what came meanwhile', async () => {
      const id = await start('approval');
      await app.ask('pause', id);
      expect(await state(id)).toMatchObject({ status: 'SUSPENDED' });
      await app.ask('raise', id, 'approve', 1);
      expect(await state(id)).toMatchObject({ status: 'SUSPENDED' });
      await app.ask('resume', id);
      expect(await completed(id)).toEqual([1, 2]);
    });

    test('a resume of what is not suspended does no harm', async () => {
      const id = await start('approval');
      await app.ask('resume', id);
      await app.ask('raise', id, 'approve', 1);
      expect(await completed(id)).toEqual([1, 2]);
    });

    test('terminated: with its output, and the child with it where the SDK asks for that', async () => {
      const child = `child-of-terminated-${sdk.name}`;
      const id = await start('slow_family', child);
      await until('its child waits', async () => (await state(child))?.status === 'RUNNING');
      await app.ask('terminate', id, 'enough');
      expect(await end(id)).toMatchObject({ status: 'TERMINATED', output: '"enough"' });
      if (has('recursive terminate')) expect(await end(child)).toMatchObject({ status: 'TERMINATED' });
      else expect(await state(child)).toMatchObject({ status: 'RUNNING' });
    });

    test('purged it is gone, and what runs cannot be', async () => {
      const { id } = await ended('chain', 1);
      await app.ask('purge', id);
      expect((await state(id).catch(() => null))?.status ?? 'gone').toBe('gone');
      const running = await start('approval');
      expect(await app.ask('purge', running).then(() => 'purged', (error: Error) => error.message)).toContain('not yet completed');
    });

    test('an id that is in use is refused; one whose workflow has ended may be used again', async () => {
      const id = await start('approval', null, 'taken');
      await expect(start('approval', null, 'taken')).rejects.toThrow(/an active workflow with ID 'taken' already exists/);
      await app.ask('raise', id, 'approve', 1);
      await completed(id);
      await start('chain', 1, 'taken');
      expect(await completed('taken')).toBe(6);
    });

    test('a start in the future is waited for', async () => {
      const later = await start('chain', 1, undefined, 3_600_000);
      const soon = await start('chain', 1, undefined, 1_500);
      expect(await completed(soon)).toBe(6);
      expect(await state(later)).toMatchObject({ status: 'PENDING' });
      expect(await world.runs(later)).toEqual([]);
    });

    test('(users 25) an id is used again while a child of its old life still waits: the end of that child is not taken for the new', async () => {
      const id = await start('slow_family', 'child-of-old');
      await until('its child waits', async () => (await state('child-of-old'))?.status === 'RUNNING');
      await app.ask('terminate_alone', id);
      expect(await end(id)).toMatchObject({ status: 'TERMINATED' });
      await start('slow_family', 'child-of-new', id);
      await until('its new child waits', async () => (await state('child-of-new'))?.status === 'RUNNING');
      await app.ask('raise', 'child-of-old', 'approve', 'old');
      expect(await completed('child-of-old')).toEqual(['old', 2]);
      expect(await state(id)).toMatchObject({ status: 'RUNNING' });
      await app.ask('raise', 'child-of-new', 'approve', 'new');
      expect(await completed(id)).toEqual(['new', 2]);
    });
  });

  describe(`${sdk.name}: two apps`, () => {
    test('an activity and a child workflow of another app run there, by a sidecar of its own on the same ledger', async () => {
      const sidecar = await world.startSidecar('other');
      const other = await world.startApp('', 'other');
      try {
        const id = await start('abroad', 1);
        expect(await completed(id)).toBe(7);
        // The child has an id of its own, which begins with that of its parent in some SDKs and in others not.
        const [own] = (await world.runs(id)).map(({ app: ranBy }) => ranBy);
        expect(own).toBe('other');
        expect((await world.runs('')).filter(({ app: ranBy }) => ranBy === 'other')).toHaveLength(6);
      } finally {
        await other.kill();
        await sidecar.kill('SIGKILL');
      }
    });
  });

  describe(`${sdk.name}: other code`, () => {
    test('(users 28) an instance stays with the version that it began with; without that version it stands still by name, and goes on when it is back', async () => {
      const first = await start('told', null, 'told-first');
      await world.killApp(app);
      app = await world.startApp('second');
      const second = await start('told', null, 'told-second');
      await app.ask('raise', second, 'go', 1);
      expect(await completed(second)).toBe('second');

      await world.killApp(app);
      app = await world.startApp('late');
      await app.ask('raise', first, 'go', 1);
      await until('it stands still by name', () => world.stalled(first, /version-not-available/));
      expect(await completed(await start('chain', 1))).toBe(6);

      await world.killApp(app);
      app = await world.startApp('second');
      expect(await completed(first)).toBe('first');
    });

    test('(users 28) a patch is taken by what begins after it, not by what began before; without it, what took it stands still by name', async () => {
      await world.killApp(app);
      app = await world.startApp();
      const before = await start('mended', null, 'mended-before');
      await world.killApp(app);
      app = await world.startApp('second');
      const after = await start('mended', null, 'mended-after');
      await app.ask('raise', before, 'go', 1);
      expect(await completed(before)).toBe(1);

      await world.killApp(app);
      app = await world.startApp();
      await app.ask('raise', after, 'go', 1);
      await until('it stands still by name', () => world.stalled(after, /patch-mismatch/));
      await world.killApp(app);
      app = await world.startApp('second');
      expect(await completed(after)).toBe(2);
    });

    const { changedCode } = sdk;
    if (changedCode) test('(users 28) code that does something else than before stops its instance, with the step and what was called there; others go on', async () => {
      await world.killApp(app);
      app = await world.startApp();
      const id = await start('changed', null, 'changed');
      await until('its activity has run', async () => (await world.runs(id)).length === 1);
      await world.killApp(app);
      app = await world.startApp('second');
      const other = await start('chain', 1);
      await app.ask('raise', id, 'go', 1);
      if (changedCode.is === 'failed') {
        const { status, failure } = await end(id);
        expect(status).toBe('FAILED');
        expect(failure).toMatch(changedCode.words);
      } else {
        await until('it stands still by name', () => world.stalled(id, changedCode.words));
      }
      expect(await completed(other)).toBe(6);
      await world.killApp(app);
      app = await world.startApp();
      // What only stands still goes on when its code is back.
      if (changedCode.is === 'stalled') expect(await completed(id)).toBe(null);
    });
  });

  describe(`${sdk.name}: processes that die`, () => {
    test('(users 24) one of two workers is killed in the middle: the other ends all of it, and nothing that was recorded runs again', async () => {
      const doomed = await world.startApp();
      const started: string[] = [];
      for (let n = 0; n < 10; n++) started.push(await start('slow_chain', 1));
      await until('both have run something', async () => new Set((await world.runs('slow-chain')).map(({ pid }) => pid)).size === 2);
      const death = doomed.pid;
      await world.killApp(doomed);
      for (const id of started) expect(await completed(id)).toBe(6);
      for (const id of started) {
        const runs = await world.runs(id);
        expect([...new Set(inputsOf(runs))]).toEqual([1, 2, 3, 4, 5]);
        // Only what the dead worker had under way ran a second time, and by the other.
        for (const again of runs.filter((run, n) => runs.findIndex(({ input }) => input === run.input) !== n)) expect(again.pid).not.toBe(death);
      }
    });

    test('(users 24) a worker is killed in the middle of a turn: another takes that turn, and what it orders runs once', async () => {
      const other = await world.startApp();
      const id = await start('slow_turns');
      const busy = await until('a turn is under way', async () => (await world.runs(id)).find(({ name, input }) => name === 'turn' && input === 2)?.pid);
      const [doomed, heir] = busy === app.pid ? [app, other] : [other, app];
      await world.killApp(doomed);
      app = heir;
      await world.letTurnsEnd();
      expect(await completed(id)).toBe(3);
      const runs = await world.runs(id);
      expect(inputsOf(runs.filter(({ name }) => name === 'add_one'))).toEqual([1, 2]);
      expect(runs.filter(({ name, pid }) => name === 'turn' && pid === heir.pid).length).toBeGreaterThan(0);
    });

    test('(users 5) the sidecar is killed and started again: the worker comes back by itself, and everything ends', async () => {
      const waiting = await start('approval');
      const chains: string[] = [];
      for (let n = 0; n < 4; n++) chains.push(await start('slow_chain', 1));
      await until('activities have run', async () => (await world.runs(chains[0] ?? '')).length > 1);
      await world.restartSidecar();
      await until('the worker is back', async () => (await world.connectedWorkers()) > 0, { withinMs: 60_000 });
      for (const id of chains) expect(await completed(id)).toBe(6);
      await app.ask('raise', waiting, 'approve', 'after');
      expect(await completed(waiting)).toEqual(['after', 2]);
    });

    test('a worker that is killed and started again goes on from the history', async () => {
      const id = await start('approval');
      await world.killApp(app);
      app = await world.startApp();
      await app.ask('raise', id, 'approve', 'anew');
      expect(await completed(id)).toEqual(['anew', 2]);
    });
  });

  describe(`${sdk.name}: what a step costs`, () => {
    const [few, many] = [20, 160];
    const claim = sdk.keepsHistory ? 'a step is sent as many bytes late in a long history as in a short one' : 'the whole history is sent once per turn, by protocol';

    test(`(users 29) ${claim}; three rounds of the same work cost the same`, async () => {
      await world.killApp(app);
      const proxy = await countingProxy(world.grpcPort);
      try {
        app = await world.startApp('', 'flows', { DAPR_GRPC_PORT: String(proxy.port) });
        const bytesPerStep = async (steps: number): Promise<number> => {
          const before = proxy.bytesToWorker;
          expect(await completed(await start('steps', steps))).toBe(steps);
          return (proxy.bytesToWorker - before) / steps;
        };
        // What a connection says first is not of the steps.
        await bytesPerStep(1);
        const rounds = [await bytesPerStep(few), await bytesPerStep(few), await bytesPerStep(few)];
        expect(Math.max(...rounds)).toBeLessThan(Math.min(...rounds) * 1.1);
        const growth = (await bytesPerStep(many)) / Math.max(...rounds);
        if (sdk.keepsHistory) return expect(growth).toBeLessThan(1.1);
        // As long as the history, and not twice as long: no turn is sent twice.
        expect(growth).toBeGreaterThan(2);
        expect(growth).toBeLessThan(many / few);
      } finally {
        await world.killApp(app);
        await proxy.close();
        app = await world.startApp();
      }
    });
  });

  more({ app: () => app, world: () => world, ended });
}
