/** An app that `mecha run` starts: its output line by line, its signals, its end. */
import { spawn } from 'node:child_process';

export interface AppProcess {
  readonly pid: number | undefined;
  /** Exit code; 128 + n after a signal, 127 when it could not be started. */
  readonly exited: Promise<number>;
  /** Asks it to end, and ends it when it does not within `patienceMs`. */
  stop(signal: NodeJS.Signals, patienceMs: number): Promise<void>;
  /** Ends it and what it started, now. */
  kill(): void;
}

const SIGNAL_NUMBERS: Readonly<Record<string, number>> = { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGKILL: 9, SIGTERM: 15 };
/** A line longer than this is shown in pieces. */
const LINE_MAX = 64 * 1024;

export function startApp(options: {
  readonly command: readonly string[];
  readonly directory: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly show: (line: string) => void;
}): AppProcess {
  const [file = '', ...args] = options.command;
  // A group of its own, so that a signal reaches what the app itself has started (a shell, `go run`).
  const child = spawn(file, args, { cwd: options.directory, env: { ...options.env }, stdio: ['ignore', 'pipe', 'pipe'], detached: process.platform !== 'win32' });
  for (const stream of [child.stdout, child.stderr]) forLines(stream, options.show);
  let over = false;
  const exited = new Promise<number>((resolve) => {
    child.once('error', (error) => {
      options.show(`${file} cannot be started: ${error.message}`);
      resolve(127);
    });
    child.once('exit', (code, signal) => resolve(code ?? 128 + (SIGNAL_NUMBERS[signal ?? ''] ?? 0)));
  }).finally(() => (over = true));

  function send(signal: NodeJS.Signals): void {
    if (child.pid === undefined || over) return;
    try {
      if (process.platform === 'win32') child.kill(signal);
      else process.kill(-child.pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }

  return {
    pid: child.pid,
    exited,
    async stop(signal, patienceMs) {
      send(signal);
      const timer = setTimeout(() => send('SIGKILL'), patienceMs);
      await exited;
      clearTimeout(timer);
    },
    kill: () => send('SIGKILL'),
  };
}

function forLines(stream: NodeJS.ReadableStream, show: (line: string) => void): void {
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) show(line);
    if (rest.length > LINE_MAX) {
      show(rest);
      rest = '';
    }
  });
  stream.on('end', () => {
    if (rest !== '') show(rest);
  });
}
