import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startProfile, writeProfiles, type CpuProfile } from './cpu-profile.ts';
import { hottest } from './hottest.ts';
import { connectInspector, inspectorUrlIn, PROFILED_NODE_ARGUMENTS } from './inspector.ts';

/** Burns in its main thread (unless `idle`) and in a worker; SIGUSR2 starts a second worker, or (`dying`) ends the first. */
const BUSY = `
  const { Worker, isMainThread } = require('node:worker_threads');
  function burnInMain() { for (const end = Date.now() + 20; Date.now() < end; ) for (let i = 0; i < 1e4; i++) Math.hypot(i, i); }
  function burnInWorker() { for (const end = Date.now() + 20; Date.now() < end; ) for (let i = 0; i < 1e4; i++) Math.hypot(i, i); }
  const often = (work) => setImmediate(function turn() { work(); setImmediate(turn); });
  if (isMainThread) {
    const worker = new Worker(__filename).once('online', () => console.error('runs'));
    process.on('SIGUSR2', () => (process.argv[2] === 'dying' ? worker.terminate().then(() => console.error('ended')) : new Worker(__filename).once('online', () => console.error('another'))));
    if (process.argv.length === 2) often(burnInMain);
    else setInterval(() => undefined, 1000);
  } else often(burnInWorker);
`;

let folder: string;
const started: ChildProcess[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mecha-bench-profile-'));
  await writeFile(join(folder, 'busy.cjs'), BUSY);
});
afterEach(async () => {
  for (const child of started.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  await rm(folder, { recursive: true, force: true });
});

async function run(...args: readonly string[]): Promise<{ child: ChildProcess; url: string }> {
  const child = spawn(process.execPath, [...PROFILED_NODE_ARGUMENTS, join(folder, 'busy.cjs'), ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  started.push(child);
  let output = '';
  for await (const chunk of child.stderr.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
    output += chunk;
    const url = inspectorUrlIn(output);
    if (url !== undefined && output.includes('runs')) {
      child.stderr.resume();
      return { child, url };
    }
  }
  throw new Error(`it said nothing of an inspector: ${output}`);
}

/** Resolves when the script has done what SIGUSR2 makes it do. */
async function told(child: ChildProcess, word: string): Promise<void> {
  const done = new Promise<void>((resolve) => {
    child.stderr?.on('data', (text: string) => {
      if (text.includes(word)) resolve();
    });
  });
  child.kill('SIGUSR2');
  await done;
}

/** Names of the hottest functions that are the script's own. */
const namesOf = (profile: CpuProfile): readonly string[] => hottest(profile, 3, { ownOnly: true }).functions.map(({ name }) => name);

describe('a profile', () => {
  test('names the busy function of the main thread and of a worker, with its place', async () => {
    const { url } = await run();
    const profiling = await startProfile(url);
    await sleep(1500);
    const profiles = await profiling.stop();
    expect(profiles.map(({ thread }) => thread)).toEqual(['main', 'worker-1']);
    const heats = profiles.map(({ profile }) => hottest(profile));
    for (const [index, name] of ['burnInMain', 'burnInWorker'].entries()) {
      const [first] = heats[index]!.functions;
      expect(first).toMatchObject({ name, own: true });
      expect(first?.place).toMatch(/busy\.cjs:\d+$/);
      expect(first?.selfPercent).toBeGreaterThan(50);
      expect(heats[index]!.idlePercent).toBeLessThan(20);
      expect(heats[index]!.seconds).toBeGreaterThan(1);
    }
  });

  test('of an idle thread is idle', async () => {
    const { url } = await run('idle');
    const profiling = await startProfile(url);
    await sleep(800);
    const [main, worker] = await profiling.stop();
    expect(hottest(main!.profile).idlePercent).toBeGreaterThan(80);
    expect(namesOf(worker!.profile)[0]).toBe('burnInWorker');
  });

  test('is taken of a worker that begins meanwhile too', async () => {
    const { child, url } = await run('idle');
    const profiling = await startProfile(url);
    await told(child, 'another');
    await sleep(1500);
    const profiles = await profiling.stop();
    expect(profiles.map(({ thread }) => thread)).toEqual(['main', 'worker-1', 'worker-2']);
    expect(namesOf(profiles[2]!.profile)[0]).toBe('burnInWorker');
  });

  test('of a worker that ended is missing, and said to be', async () => {
    const said: string[] = [];
    const { child, url } = await run('dying');
    const profiling = await startProfile(url, { say: (words) => void said.push(words) });
    await told(child, 'ended');
    await sleep(500);
    const profiles = await profiling.stop();
    expect(profiles.map(({ thread }) => thread)).toEqual(['main']);
    expect(said).toEqual(['no profile of worker-1: worker-1 has ended']);
  });

  test('can be taken again of the same process', async () => {
    const { url } = await run('idle');
    for (const _round of [1, 2]) {
      const profiling = await startProfile(url);
      await sleep(200);
      expect(await profiling.stop()).toHaveLength(2);
    }
  });

  test('of a process that ends is lost, in one line', async () => {
    const { child, url } = await run();
    const profiling = await startProfile(url, { say: () => undefined });
    child.kill('SIGKILL');
    await once(child, 'exit');
    await expect(profiling.stop()).rejects.toThrow(/^the inspector at ws:\S+ went away: has the process ended\?$/);
  });

  test('is written a file a thread, as the tools that open them want it', async () => {
    const { url } = await run('idle');
    const profiling = await startProfile(url);
    await sleep(200);
    const profiles = await profiling.stop();
    const files = await writeProfiles(join(folder, 'new'), 'state get/64', profiles);
    expect(files.map((file) => basename(file))).toEqual(['state-get-64.main.cpuprofile', 'state-get-64.worker-1.cpuprofile']);
    const read = JSON.parse(await readFile(files[0]!, 'utf8')) as CpuProfile;
    expect(read).toEqual(profiles[0]!.profile);
    expect(read.nodes[0]?.callFrame.functionName).toBe('(root)');
  });
});

describe('the inspector', () => {
  test('that is not there, or no inspector, is named', async () => {
    const server = createServer((_request, response) => response.writeHead(400).end()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const url = `ws://127.0.0.1:${port}/x`;
    await expect(startProfile(url)).rejects.toThrow(`no inspector answers at ${url}`);
    server.removeAllListeners('request').on('request', () => undefined);
    await expect(startProfile(url, { answerWithinMs: 200 })).rejects.toThrow(`no inspector answers at ${url}`);
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
    await expect(startProfile(url)).rejects.toThrow(`no inspector answers at ${url}`);
    await expect(startProfile('http://127.0.0.1:9229')).rejects.toThrow("begins with ws://, as Node prints it, unlike 'http://127.0.0.1:9229'");
  });

  test('a thread that does not answer in time, and a command that nobody knows, are named', async () => {
    const { url } = await run('idle');
    const inspector = await connectInspector(url, { answerWithinMs: 1000 });
    while (inspector.threads().length < 2) await sleep(10);
    const [main, worker] = inspector.threads();
    await expect(main?.send('Runtime.evaluate', { expression: 'new Promise(() => undefined)', awaitPromise: true })).rejects.toThrow('main did not answer Runtime.evaluate within 1 s');
    await expect(worker?.send('Profiler.noSuchThing')).rejects.toThrow(/^worker-1: .*Profiler\.noSuchThing/);
    await inspector.close();
    await expect(main?.send('Profiler.enable')).rejects.toThrow('went away');
  });

  test('its address is read from what Node prints', () => {
    expect(inspectorUrlIn('x\nDebugger listening on ws://127.0.0.1:40123/0f2c-11\nFor help, see: …\n')).toBe('ws://127.0.0.1:40123/0f2c-11');
    expect(inspectorUrlIn('Debugger listening')).toBeUndefined();
  });
});
