/** The handle on the generator's process. One run at a time. */
import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Problem } from '../problem.ts';
import { adopt } from '../process/leftovers.ts';
import type { Answer, AppPlan, Command, Load, LoadResult } from './plan.ts';

export interface Generated {
  readonly results: readonly LoadResult[];
  /** `cpuCores`: cores used on average. `busy`: 0 to 1, how much of the time its event loop had work. */
  readonly generator: { readonly cpuCores: number; readonly busy: number };
}

export interface RunOptions {
  readonly warmupMs: number;
  readonly durationMs: number;
  /** How long operations under way may still take after that; ten seconds unless given. */
  readonly drainMs?: number;
  /** Called as the measured time begins and ends; what they throw ends the run. */
  readonly onMeasuring?: () => void;
  readonly onMeasured?: () => void;
}

export class Generator {
  readonly #child: ChildProcess;
  #listener: ((answer: Answer) => void) | undefined;
  #ended = false;

  constructor() {
    this.#child = adopt(fork(fileURLToPath(new URL('./generator-process.ts', import.meta.url)), [], { execArgv: [], serialization: 'json' }));
    this.#child.on('message', (answer: Answer) => this.#listener?.(answer));
    this.#child.once('exit', (code, signal) => {
      if (!this.#ended) this.#listener?.({ type: 'failed', words: `the load generator ended with ${code === null ? signal : `code ${code}`}` });
      this.#ended = true;
    });
  }

  /** Starts an app that takes events and reports them to the loads that wait for them. */
  async app(app: AppPlan): Promise<void> {
    await this.#ask({ type: 'app', app }, () => undefined);
  }

  run(loads: readonly Load[], options: RunOptions): Promise<Generated> {
    const { warmupMs, durationMs, drainMs } = options;
    return this.#ask({ type: 'run', loads, warmupMs, durationMs, ...(drainMs === undefined ? {} : { drainMs }) }, (answer) => {
      if (answer.type === 'measuring') options.onMeasuring?.();
      if (answer.type === 'measured') options.onMeasured?.();
    });
  }

  async end(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    const exited = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.send({ type: 'end' } satisfies Command);
    await exited;
  }

  #ask(command: Command, other: (answer: Answer) => void): Promise<Generated> {
    return new Promise((resolve, reject) => {
      if (this.#ended) return reject(new Problem('the load generator has ended'));
      this.#listener = (answer) => {
        try {
          if (answer.type === 'failed') reject(new Problem(answer.words));
          else if (answer.type === 'done') resolve({ results: answer.results, generator: answer.generator });
          else if (answer.type === 'ready') resolve({ results: [], generator: { cpuCores: 0, busy: 0 } });
          else other(answer);
        } catch (error) {
          reject(error);
        }
      };
      this.#child.send(command);
      return undefined;
    });
  }
}
