/** `mecha run`: apps and their sidecars together, from the command line or from a run file. */
import { rm, writeFile } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { OptionValues, SIDECAR_OPTIONS, UsageError, hostOptions, parseFlags, sidecarOptions, type OptionSpec, type ParsedFlags } from '../config/options.ts';
import { problemLines } from '../config/resources.ts';
import { readRunFile, type RunFileApp } from '../config/run-file.ts';
import type { SidecarOptions } from '../config/sidecar-options.ts';
import { createHost, type Host } from '../host.ts';
import type { Sidecar } from '../sidecar/sidecar.ts';
import { startApp, type AppProcess } from './app-process.ts';
import { HELP_FLAG, type Command, type CommandContext } from './command.ts';
import { freePort } from './free-port.ts';
import { onStopSignals } from './signals.ts';

const OWN: readonly OptionSpec[] = [
  { flag: 'run-file', short: 'f', type: 'text', value: 'FILE', group: 'process', words: 'Run the apps of this file, or of mecha.yaml or dapr.yaml in this folder' },
  { flag: 'exit-on-failure', type: 'boolean', group: 'process', words: 'With a run file: when one app fails, end all' },
  { flag: 'ready-file', type: 'text', value: 'FILE', group: 'process', words: 'Write ports and process ids here, as JSON, once everything is ready' },
  HELP_FLAG,
];

export const runCommand: Command = {
  name: 'run',
  summary: 'Run apps together with their sidecars',
  usage: 'run --app-id ID [--app-port PORT] [options] -- COMMAND [ARGUMENTS]\n       mecha run -f FILE|FOLDER [options]',
  text: `
The first form starts one app and its sidecar; it ends when the app ends, with the app's exit code.
The second starts all apps of a run file, their sidecars in this one process. An app starts when those that it
names under dependsOn are ready; one app's end leaves the others running. Ports are free ones unless given, and
appPort: 0 chooses a free one for the app. Options on the command line win over the file.

The app finds in its environment: APP_ID, APP_PORT, APP_PROTOCOL, APP_CHANNEL_ADDRESS, DAPR_HTTP_PORT,
DAPR_GRPC_PORT, DAPR_METRICS_PORT.

  mecha run --app-id order --app-port 6001 -- node order.mjs
  mecha run -f samples/order-saga`,
  options: [...SIDECAR_OPTIONS, ...OWN],
  async run(argv, context) {
    const flags = parseFlags(argv, runCommand.options, 'run');
    if (flags.words.length > 0) throw new UsageError(`mecha run takes the app's command behind --, as in: mecha run --app-id x -- ${flags.words.join(' ')}`);
    for (const warning of flags.warnings) context.err(`${warning}\n`);
    const runFile = flags.values.get('run-file');
    const apps = runFile === undefined ? [singleApp(flags, context)] : await appsOf(runFile, context);
    return new Run(apps, flags, context).toTheEnd();
  },
};

function singleApp(flags: ParsedFlags, context: CommandContext): RunFileApp {
  const port = new OptionValues(flags.values, context.env).integer('app-port');
  return {
    appId: flags.values.get('app-id') ?? context.env['APP_ID'] ?? basename(process.cwd()),
    directory: process.cwd(),
    command: flags.rest.length > 0 ? flags.rest : undefined,
    env: {},
    flags: new Map(),
    appPort: port,
    dependsOn: [],
  };
}

async function appsOf(path: string, context: CommandContext): Promise<readonly RunFileApp[]> {
  const { apps, problems } = await readRunFile(path, context.env);
  const lines = problemLines(problems);
  for (const [index, problem] of problems.entries()) if (problem.severity === 'warning') context.err(`${lines[index]}\n`);
  const wrong = lines.filter((_line, index) => problems[index]?.severity === 'error');
  if (wrong.length > 0) throw new Error(wrong.join('\n'));
  return apps;
}

/** Flags of the process rather than of an app. */
const PROCESS_FLAGS = new Set(['data-dir', 'ledger', 'metrics-port', 'metrics-listen-address', 'enable-metrics', 'mode', 'run-file', 'exit-on-failure', 'ready-file']);

interface RunningApp {
  readonly app: RunFileApp;
  readonly options: SidecarOptions;
  sidecar?: Sidecar;
  process?: AppProcess;
  ended?: boolean;
}

class Run {
  readonly #flags: ParsedFlags;
  readonly #context: CommandContext;
  readonly #apps: readonly RunFileApp[];
  readonly #values: OptionValues;
  #running: RunningApp[] = [];
  /** By app id: true once it is ready, false when it ended before. */
  readonly #ready = new Map<string, PromiseWithResolvers<boolean>>();
  #host: Host | undefined;
  #exitCode = 0;
  #stopping: Promise<void> | undefined;

  constructor(apps: readonly RunFileApp[], flags: ParsedFlags, context: CommandContext) {
    this.#apps = apps;
    this.#flags = flags;
    this.#context = context;
    // Several sidecars cannot share the fixed defaults, so ports are free ones unless given.
    this.#values = new OptionValues(new Map([['metrics-port', '0'], ...flags.values]), context.env);
  }

  async toTheEnd(): Promise<number> {
    for (const app of this.#apps) this.#running.push({ app, options: await this.#optionsOf(app) });
    const host = createHost(hostOptions(this.#values, this.#context.env, this.#running.map(({ options }) => options)), {
      writeLog: (line, appId) => this.#context.out(`== MECHA - ${appId} == ${line}`),
    });
    this.#host = host;
    const forget = onStopSignals((signal) => void this.#stop(signal));
    // Apps are process groups of their own, so that nothing else ends them when this process ends out of turn.
    const endApps = () => this.#running.forEach((running) => running.process?.kill());
    process.once('exit', endApps);
    try {
      await host.start();
      for (const running of this.#running) {
        const sidecar = host.sidecars.find(({ appId }) => appId === running.app.appId);
        if (sidecar) running.sidecar = sidecar;
      }
      const started = this.#startApps().catch(async (error: unknown) => {
        this.#context.err(`${error instanceof Error ? error.message : String(error)}\n`);
        this.#exitCode ||= 1;
        await this.#stop('SIGTERM');
      });
      const code = await host.done;
      await this.#stopApps('SIGTERM');
      for (const { resolve } of this.#ready.values()) resolve(false);
      await started;
      return this.#exitCode || code;
    } finally {
      forget();
      process.off('exit', endApps);
      const readyFile = this.#flags.values.get('ready-file');
      if (readyFile !== undefined) await rm(readyFile, { force: true });
    }
  }

  async #optionsOf(app: RunFileApp): Promise<SidecarOptions> {
    const env = { ...this.#context.env, ...app.env };
    const given = new Map<string, string>([['dapr-http-port', '0'], ['dapr-grpc-port', '0'], ...app.flags]);
    for (const [flag, value] of this.#flags.values) if (!PROCESS_FLAGS.has(flag)) given.set(flag, value);
    given.set('app-id', app.appId);
    const appPort = app.appPort === 0 ? await freePort('127.0.0.1') : app.appPort;
    if (appPort === undefined) given.delete('app-port');
    else given.set('app-port', String(appPort));
    // What this process's own environment says of ports and ids is about another app.
    const { APP_ID: _id, APP_PORT: _port, APP_PROTOCOL: _protocol, APP_CHANNEL_ADDRESS: _address, ...rest } = env;
    try {
      return sidecarOptions(new OptionValues(given, rest), rest);
    } catch (error) {
      if (error instanceof UsageError && this.#apps.length > 1) throw new UsageError(`${app.appId}: ${error.message}`);
      throw error;
    }
  }

  /** Each app once those that it depends on are ready; the ready file once all of them are. */
  async #startApps(): Promise<void> {
    for (const { app } of this.#running) this.#ready.set(app.appId, Promise.withResolvers());
    const all = await Promise.all(this.#running.map((running) => this.#startWhenDue(running)));
    const readyFile = this.#flags.values.get('ready-file');
    if (readyFile === undefined || this.#stopping || all.includes(false)) return;
    const apps = this.#running.map((running) => ({ appId: running.app.appId, pid: running.process?.pid ?? 0, ...this.#portsOf(running) }));
    await writeFile(readyFile, JSON.stringify({ apps, metricsPort: this.#host?.metricsPort ?? 0 }));
  }

  async #startWhenDue(running: RunningApp): Promise<boolean> {
    const { app, sidecar } = running;
    const needed = await Promise.all(app.dependsOn.map((id) => this.#ready.get(id)?.promise ?? true));
    if (this.#stopping) return false;
    const absent = app.dependsOn[needed.indexOf(false)];
    if (absent !== undefined) {
      this.#over(running, 1, `not started, because ${absent} ended before it was ready`);
      return false;
    }
    if (app.command) this.#startApp(running);
    const ready = this.#ready.get(app.appId);
    void sidecar?.ready.then(() => ready?.resolve(true));
    if (!(await ready?.promise)) return false;
    const { httpPort, grpcPort, appPort } = this.#portsOf(running);
    this.#context.out(`${app.appId} is ready: HTTP ${httpPort}, gRPC ${grpcPort}${appPort ? `, app ${appPort}` : ''}\n`);
    return true;
  }

  #portsOf({ options, sidecar }: RunningApp): { appPort: number; httpPort: number; grpcPort: number } {
    return { appPort: options.appPort ?? 0, httpPort: sidecar?.httpPort ?? 0, grpcPort: sidecar?.grpcPort ?? 0 };
  }

  #startApp(running: RunningApp): void {
    const { app, options } = running;
    const { httpPort, grpcPort } = this.#portsOf(running);
    const ports = { APP_PORT: options.appPort, DAPR_HTTP_PORT: httpPort, DAPR_GRPC_PORT: grpcPort, DAPR_METRICS_PORT: this.#host?.metricsPort };
    const { APP_PORT: _port, ...inherited } = this.#context.env;
    const process = startApp({
      command: app.command ?? [],
      directory: resolve(app.directory),
      env: {
        ...inherited,
        APP_ID: app.appId,
        APP_PROTOCOL: options.appProtocol,
        APP_CHANNEL_ADDRESS: options.appChannelAddress,
        ...Object.fromEntries(Object.entries(ports).flatMap(([name, port]) => (port ? [[name, String(port)]] : []))),
        ...app.env,
      },
      show: (line) => this.#context.out(`== APP - ${app.appId} == ${line}\n`),
    });
    running.process = process;
    void process.exited.then((code) => {
      if (!this.#stopping) this.#over(running, code, `ended with code ${code}`);
    });
  }

  /** An app has ended, or will never start. */
  #over(running: RunningApp, code: number, words: string): void {
    this.#context.out(`== APP - ${running.app.appId} == ${words}\n`);
    delete running.process;
    running.ended = true;
    this.#ready.get(running.app.appId)?.resolve(false);
    if (code !== 0) this.#exitCode ||= code;
    const allEnded = this.#running.every((one) => one.ended || !one.app.command);
    if (allEnded || (code !== 0 && this.#flags.values.has('exit-on-failure'))) void this.#stop('SIGTERM');
  }

  /** Intake first, while the apps can still finish what they have; then the apps; then what they talk to. */
  #stop(signal: NodeJS.Signals): Promise<void> {
    this.#stopping ??= (async () => {
      await Promise.all(this.#running.map(({ sidecar }) => sidecar?.stopIntake()));
      await this.#stopApps(signal);
      await this.#host?.stop();
    })();
    return this.#stopping;
  }

  async #stopApps(signal: NodeJS.Signals): Promise<void> {
    await Promise.all(this.#running.map(({ process, options }) => process?.stop(signal, options.gracefulShutdownMs)));
  }
}
