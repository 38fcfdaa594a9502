/**
 * How much CPU and memory another process takes, from Linux's /proc: `stat` (user and system time of all its threads, those
 * that have ended too), `status` (resident memory) and `smaps_rollup` (its share of memory that it shares with others).
 *
 * CPU time is a difference of two readings, exact to a tick of 10 ms. The most
 * memory is the most that was seen at a reading. A process that ends while it is sampled counts up to its last reading.
 * Where there is no /proc (macOS, Windows) sampling is off, and said once.
 */
import { existsSync, readFileSync } from 'node:fs';
import { Problem } from '../problem.ts';

const EVERY_MS = 200;
/** USER_HZ, in which /proc counts: 100 on every architecture that Node runs on, whatever the kernel's own clock. */
const TICKS_PER_SECOND = 100;
const NO_PROC = 'there is no /proc here: CPU and memory of the processes are not sampled';

export interface Sampled {
  /** Cores used on average between start and stop: 1.5 = one core and a half. */
  readonly cpuCores: number;
  /** Bytes. */
  readonly rssMax: number;
}

export interface Memory {
  /** Bytes resident, those shared with other processes counted whole. */
  readonly rss: number;
  /** Bytes resident, those shared counted by share; absent where the kernel does not say, or not to this user. */
  readonly pss?: number;
}

export interface Sampling {
  /** Ends it, and says what was used since the start; undefined where sampling is off. */
  stop(): Sampled | undefined;
}

export interface SamplerOptions {
  readonly everyMs?: number;
  /** Where /proc is; another place in tests. */
  readonly proc?: string;
  /** Told, once for all samplers, that sampling is off. */
  readonly say?: (words: string) => void;
}

export interface Sampler {
  /** Takes the first reading now. Throws `no process has the pid 1234`. */
  start(): Sampling;
}

let saidOff = false;

/** Samples the process itself, not those that it started: each of them takes a sampler of its own. */
export function createSampler(pid: number, { everyMs = EVERY_MS, proc = '/proc', say = console.error }: SamplerOptions = {}): Sampler {
  return {
    start() {
      if (!hasProc(proc, say)) return { stop: () => undefined };
      const first = read(proc, pid);
      if (!first) throw noProcess(pid);
      const startedMs = performance.now();
      let [last, lastMs, rssMax] = [first, startedMs, first.rss];
      const take = (): void => {
        const reading = read(proc, pid);
        // Another start time is another process, to which the kernel gave the number anew.
        if (!reading || reading.startedTicks !== first.startedTicks) return clearInterval(timer);
        [last, lastMs, rssMax] = [reading, performance.now(), Math.max(rssMax, reading.rss)];
      };
      const timer = setInterval(take, everyMs);
      timer.unref();
      return {
        stop() {
          take();
          clearInterval(timer);
          const seconds = (lastMs - startedMs) / 1000;
          return { cpuCores: seconds > 0 ? (last.cpuTicks - first.cpuTicks) / TICKS_PER_SECOND / seconds : 0, rssMax };
        },
      };
    },
  };
}

/** The memory of a process now; undefined where there is no /proc. Throws `no process has the pid 1234`. */
export function memoryOf(pid: number, { proc = '/proc', say = console.error }: SamplerOptions = {}): Memory | undefined {
  if (!hasProc(proc, say)) return undefined;
  const reading = read(proc, pid);
  if (!reading) throw noProcess(pid);
  const pss = /^Pss:\s+(\d+) kB/m.exec(textOf(`${proc}/${pid}/smaps_rollup`) ?? '')?.[1];
  return { rss: reading.rss, ...(pss === undefined ? {} : { pss: Number(pss) * 1024 }) };
}

interface Reading {
  readonly cpuTicks: number;
  /** When the process began, in ticks since the machine did. */
  readonly startedTicks: number;
  readonly rss: number;
}

/** Undefined when there is no such process, or nothing left of it but its exit code. */
function read(proc: string, pid: number): Reading | undefined {
  const [stat, status] = [textOf(`${proc}/${pid}/stat`), textOf(`${proc}/${pid}/status`)];
  if (stat === undefined || status === undefined) return undefined;
  // proc(5), after the name, which stands in parentheses and may hold any: 0 state, 11 utime, 12 stime, 19 starttime.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const rss = /^VmRSS:\s+(\d+) kB/m.exec(status)?.[1];
  if (fields[0] === 'Z' || rss === undefined) return undefined;
  return { cpuTicks: Number(fields[11]) + Number(fields[12]), startedTicks: Number(fields[19]), rss: Number(rss) * 1024 };
}

/** Undefined when the file, or the process behind it, is not there (ESRCH: it ended between open and read), or not for us. */
function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}

function hasProc(proc: string, say: (words: string) => void): boolean {
  if (existsSync(`${proc}/self/stat`)) return true;
  if (!saidOff) say(NO_PROC);
  saidOff = true;
  return false;
}

const noProcess = (pid: number): Error => new Problem(`no process has the pid ${pid}`);
