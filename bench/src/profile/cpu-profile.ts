/**
 * CPU profiles of a Node process that was started with PROFILED_NODE_ARGUMENTS (inspector.ts): of its main thread and of its worker threads,
 * those that begin meanwhile included. The profiles are files that Chrome, VS Code and speedscope open; hottest.ts reads them
 * for a terminal.
 *
 * A profiled process is a little slower: take figures without, and profiles beside them.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Problem } from '../problem.ts';
import { connectInspector, type Thread } from './inspector.ts';

/** What V8 answers to Profiler.stop; times in microseconds. */
export interface CpuProfile {
  readonly nodes: readonly ProfileNode[];
  readonly startTime: number;
  readonly endTime: number;
  /** Ids of nodes; optional in the protocol, always there from Node. */
  readonly samples?: readonly number[];
  /** Before each sample. */
  readonly timeDeltas?: readonly number[];
}

export interface ProfileNode {
  readonly id: number;
  readonly callFrame: {
    readonly functionName: string;
    readonly url: string;
    /** Counted from 0. */
    readonly lineNumber: number;
    readonly columnNumber: number;
  };
  readonly children?: readonly number[];
}

export interface ThreadProfile {
  /** `main`, `worker-1`, … */
  readonly thread: string;
  readonly profile: CpuProfile;
}

export interface Profiling {
  /**
   * Ends it, and returns a profile a thread, the main one first. A worker that ended meanwhile or does not answer has taken
   * its profile with it, which is said; without the main thread's the promise is rejected.
   */
  stop(): Promise<readonly ThreadProfile[]>;
}

export interface ProfileOptions {
  /** Between samples. */
  readonly intervalMicroseconds?: number;
  readonly answerWithinMs?: number;
  /** Told in one line what could not be profiled. */
  readonly say?: (words: string) => void;
}

const INTERVAL_MICROSECONDS = 500;

/** Begins to profile the process whose inspector listens at `url` (inspectorUrlIn finds it in what the process prints). */
export async function startProfile(url: string, { intervalMicroseconds = INTERVAL_MICROSECONDS, answerWithinMs, say = console.error }: ProfileOptions = {}): Promise<Profiling> {
  const started = new Map<Thread, Promise<boolean>>();
  const begin = async (thread: Thread): Promise<void> => {
    await thread.send('Profiler.enable');
    await thread.send('Profiler.setSamplingInterval', { interval: intervalMicroseconds });
    await thread.send('Profiler.start');
  };
  const orSaid = async (thread: Thread, work: Promise<unknown>): Promise<boolean> => {
    try {
      await work;
      return true;
    } catch (error) {
      say(`no profile of ${thread.name}: ${error instanceof Error ? error.message : String(error)}`);
      return false;
    }
  };
  const inspector = await connectInspector(url, {
    ...(answerWithinMs === undefined ? {} : { answerWithinMs }),
    onWorker: (worker) => void started.set(worker, orSaid(worker, begin(worker))),
  });
  const [main] = inspector.threads();
  try {
    if (!main) throw new Problem(`the process at ${url} has no main thread`);
    await begin(main);
    await Promise.all(started.values());
  } catch (error) {
    await inspector.close();
    throw error;
  }
  return {
    async stop() {
      try {
        const profiles: (readonly [Thread, CpuProfile])[] = [];
        const end = async (thread: Thread): Promise<void> => {
          const { profile } = (await thread.send('Profiler.stop')) as { profile: CpuProfile };
          profiles.push([thread, profile]);
        };
        const workers = [...started].map(async ([worker, begun]) => (await begun) && orSaid(worker, end(worker)));
        await Promise.all([end(main), ...workers]);
        const order = [main, ...started.keys()];
        return profiles.toSorted(([a], [b]) => order.indexOf(a) - order.indexOf(b)).map(([thread, profile]) => ({ thread: thread.name, profile }));
      } finally {
        await inspector.close();
      }
    },
  };
}

/** Writes `NAME.main.cpuprofile`, `NAME.worker-1.cpuprofile`, … into the folder, and returns their paths. */
export async function writeProfiles(folder: string, name: string, profiles: readonly ThreadProfile[]): Promise<readonly string[]> {
  await mkdir(folder, { recursive: true });
  return Promise.all(
    profiles.map(async ({ thread, profile }) => {
      const file = join(folder, `${name.replaceAll(/[^\w.-]+/g, '-')}.${thread}.cpuprofile`);
      await writeFile(file, JSON.stringify(profile));
      return file;
    }),
  );
}
