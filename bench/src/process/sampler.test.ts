import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { createSampler, memoryOf } from './sampler.ts';

const started: ChildProcess[] = [];
afterEach(async () => {
  for (const child of started.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
});

/** A Node that runs the script and has said so. */
async function run(script: string): Promise<{ child: ChildProcess; pid: number }> {
  const child = spawn(process.execPath, ['-e', `${script}; console.log('runs');`], { stdio: ['ignore', 'pipe', 'inherit'] });
  started.push(child);
  if (child.stdout) await once(child.stdout, 'data');
  return { child, pid: child.pid ?? 0 };
}

/** A folder that looks like /proc with one process in it. */
async function fakeProc(): Promise<{ proc: string; set(cpuTicks: number, rssKilobytes: number, startedTicks?: number): Promise<void> } & AsyncDisposable> {
  const proc = await mkdtemp(join(tmpdir(), 'mecha-bench-proc-'));
  for (const name of ['self', '7']) await mkdir(join(proc, name));
  await writeFile(join(proc, 'self', 'stat'), '');
  return {
    proc,
    // As with the kernel, nobody reads half of it.
    async set(cpuTicks, rssKilobytes, startedTicks = 5) {
      const files = {
        status: `Name:\tx\nVmRSS:\t   ${rssKilobytes} kB\n`,
        stat: `7 (a) b) (c) S ${Array.from({ length: 10 }, () => 0).join(' ')} ${cpuTicks - 1} 1 0 0 20 0 1 0 ${startedTicks} 0 0\n`,
      };
      for (const [name, text] of Object.entries(files)) {
        await writeFile(join(proc, `${name}.part`), text);
        await rename(join(proc, `${name}.part`), join(proc, '7', name));
      }
    },
    [Symbol.asyncDispose]: () => rm(proc, { recursive: true, force: true }),
  };
}

describe('sampler', () => {
  test('the most memory is kept when it has been given back', async () => {
    await using fake = await fakeProc();
    await fake.set(100, 1000);
    const sampling = createSampler(7, { proc: fake.proc, everyMs: 10 }).start();
    await fake.set(100, 5000);
    await sleep(200);
    await fake.set(100, 2000);
    expect(sampling.stop()?.rssMax).toBe(5000 * 1024);
  });

  test('a name with parentheses does not shift the fields, and ticks become cores', async () => {
    await using fake = await fakeProc();
    await fake.set(100, 1000);
    const startedMs = performance.now();
    const sampling = createSampler(7, { proc: fake.proc, everyMs: 10_000 }).start();
    await sleep(200);
    await fake.set(140, 1000);
    const { cpuCores = 0 } = sampling.stop() ?? {};
    const seconds = (performance.now() - startedMs) / 1000;
    expect(cpuCores * seconds).toBeGreaterThanOrEqual(0.39);
    expect(cpuCores * seconds).toBeLessThan(0.6);
  });

  test('another process under the same number is not counted', async () => {
    await using fake = await fakeProc();
    await fake.set(100, 1000);
    const sampling = createSampler(7, { proc: fake.proc, everyMs: 10_000 }).start();
    await fake.set(9000, 9000, 6);
    expect(sampling.stop()).toEqual({ cpuCores: 0, rssMax: 1000 * 1024 });
  });

  test('where there is no /proc sampling is off, and said once', () => {
    const said: string[] = [];
    const options = { proc: join(tmpdir(), 'no-such-proc'), say: (words: string): void => void said.push(words) };
    expect(createSampler(process.pid, options).start().stop()).toBeUndefined();
    expect(createSampler(process.pid, options).start().stop()).toBeUndefined();
    expect(memoryOf(process.pid, options)).toBeUndefined();
    expect(said).toEqual(['there is no /proc here: CPU and memory of the processes are not sampled']);
  });
});

/** Elsewhere the last test above says what happens. */
describe.runIf(existsSync('/proc/self/stat'))('sampler of real processes', () => {
  test('an idle process takes no core, a busy one takes its share of one', async () => {
    const idle = await run('setInterval(() => undefined, 1000)');
    const busy = await run('setImmediate(function turn() { for (const end = Date.now() + 50; Date.now() < end; ); setImmediate(turn); })');
    const samplings = [idle, busy].map(({ pid }) => createSampler(pid, { everyMs: 50 }).start());
    await sleep(1200);
    const [ofIdle, ofBusy] = samplings.map((sampling) => sampling.stop());
    expect(ofIdle?.cpuCores).toBeLessThan(0.1);
    // Others may need the machine meanwhile, and leave little.
    expect(ofBusy?.cpuCores).toBeGreaterThan((ofIdle?.cpuCores ?? 0) + 0.05);
    expect(ofBusy?.cpuCores).toBeLessThan(1.3);
    expect(ofIdle?.rssMax).toBeGreaterThan(20e6);
  });

  test('worker threads are counted with their process, and one that ended stays counted', async () => {
    const work = 'const start = performance.now(); while (process.cpuUsage().user < 400_000 || performance.now() - start < 300);';
    const { child, pid } = await run(`const { Worker } = require('node:worker_threads'); process.once('SIGUSR2', () => new Worker("${work}", { eval: true }).once('exit', () => console.log('ended'))); setInterval(() => undefined, 1000)`);
    const sampling = createSampler(pid).start();
    const startedMs = performance.now();
    child.kill('SIGUSR2');
    if (child.stdout) await once(child.stdout, 'data');
    const { cpuCores = 0 } = sampling.stop() ?? {};
    expect((cpuCores * (performance.now() - startedMs)) / 1000).toBeGreaterThan(0.2);
  });

  test('a process that ends meanwhile counts up to its last reading', async () => {
    const { child, pid } = await run('setInterval(() => undefined, 1000)');
    const sampling = createSampler(pid, { everyMs: 20 }).start();
    await sleep(100);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(sampling.stop()?.rssMax).toBeGreaterThan(20e6);
    expect(() => createSampler(pid).start()).toThrow(`no process has the pid ${pid}`);
  });

  test('memory shared with others is counted by share', async () => {
    const { pid } = await run('setInterval(() => undefined, 1000)');
    const { rss = 0, pss = 0 } = memoryOf(pid) ?? {};
    expect(pss).toBeGreaterThan(5e6);
    expect(pss).toBeLessThanOrEqual(rss * 1.05);
  });

  test('a number that nobody has is named', () => {
    expect(() => createSampler(2 ** 30).start()).toThrow(/^no process has the pid 1073741824$/);
    expect(() => memoryOf(2 ** 30)).toThrow(/^no process has the pid 1073741824$/);
  });
});
