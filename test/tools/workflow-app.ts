/**
 * Apps of other languages under test: a process that has a workflow worker and its client in it, told by lines what to do. Commands are JSON
 * arrays on its standard input, answers JSON objects on its standard output; whatever else it prints is kept for a failing test's message.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { cleanEnv } from './processes.ts';

const LINES_KEPT = 200;

/** How an app is started; the environment comes from the test. */
export interface AppCommand {
  readonly command: string;
  readonly args: readonly string[];
}

export class WorkflowApp {
  readonly #child: ChildProcess;
  readonly #answers: AsyncIterator<string>;
  readonly #written: string[] = [];
  readonly #exited: Promise<unknown>;
  /** Commands are answered in their order. */
  #last: Promise<unknown> = Promise.resolve();

  private constructor({ command, args }: AppCommand, env: Readonly<Record<string, string>>) {
    this.#child = spawn(command, args, { env: cleanEnv(env), stdio: ['pipe', 'pipe', 'pipe'] });
    this.#exited = once(this.#child, 'exit');
    const { stdout, stderr } = this.#child;
    if (!stdout || !stderr) throw new Error('the app has no output');
    stderr.on('data', (chunk: Buffer) => this.#keep(chunk.toString()));
    this.#answers = createInterface({ input: stdout })[Symbol.asyncIterator]();
  }
  /** Resolves when the app says that it is ready. */
  static async start(command: AppCommand, env: Readonly<Record<string, string>>): Promise<WorkflowApp> {
    const app = new WorkflowApp(command, env);
    const { ready } = await app.#next();
    if (ready !== true) throw new Error(`the app is not ready:\n${app.#written.join('\n')}`);
    return app;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  #keep(text: string): void {
    this.#written.push(text);
    this.#written.splice(0, Math.max(0, this.#written.length - LINES_KEPT));
  }
  async #next(): Promise<Record<string, unknown>> {
    for (;;) {
      const { value, done } = await this.#answers.next();
      if (done) throw new Error(`the app has ended:\n${this.#written.join('')}`);
      const line = String(value);
      if (/^\{"(ready|answer|error)"/.test(line)) return JSON.parse(line) as Record<string, unknown>;
      this.#keep(`${line}\n`);
    }
  }
  /** Throws what the SDK threw. */
  ask<T = unknown>(...words: readonly unknown[]): Promise<T> {
    const asked = this.#last.then(async () => {
      this.#child.stdin?.write(`${JSON.stringify(words)}\n`);
      const { answer, error } = await this.#next();
      if (error !== undefined) throw new Error(String(error));
      return answer as T;
    });
    this.#last = asked.catch(() => undefined);
    return asked;
  }
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }
}
