/** `mecha sidecar`: one sidecar in this process, with daprd's flags and environment. */
import { SIDECAR_OPTIONS, OptionValues, UsageError, hostOptions, parseFlags, sidecarOptions, type OptionSpec } from '../config/options.ts';
import { createHost } from '../host.ts';
import { CONTRACT_VERSION, MECHA_VERSION } from '../version.ts';
import { HELP_FLAG, type Command, type CommandContext } from './command.ts';
import { askLoopback } from './loopback.ts';
import { onStopSignals } from './signals.ts';

const OWN: readonly OptionSpec[] = [
  { flag: 'wait', type: 'boolean', group: 'process', words: 'Wait until the sidecar on --dapr-http-port may be called, at most 60 s, and end with 0 or 1' },
  { flag: 'version', type: 'boolean', group: 'process', words: 'Print the version' },
  { flag: 'build-info', type: 'boolean', group: 'process', words: 'Print versions of Mecha, of the contract and of Node' },
  HELP_FLAG,
];
const WAIT_MS = 60_000;
const LOOK_MS = 100;

export const sidecarCommand: Command = {
  name: 'sidecar',
  summary: 'Run a sidecar for one app',
  usage: 'sidecar --app-id ID [--app-port PORT] [options]',
  text: `
The app may be started before or after it, and may go and come back. Without --resources-path the folder
<data-dir>/resources is read; without that, a state store (statestore), a broker (pubsub) and a secret store
(secretstore) exist by default, all in the data folder. Flags and environment are daprd's, and so mecha
without a command word takes the same flags.

  mecha sidecar --app-id order --app-port 6001
  mecha sidecar --app-id order --app-port 6001 --resources-path ./resources --log-level debug

Exit codes: 0 after SIGTERM or the shutdown API, 1 when something was wrong, 2 for a wrong command line.`,
  options: [...SIDECAR_OPTIONS, ...OWN],
  async run(argv, context) {
    const flags = parseFlags(argv, sidecarCommand.options, 'sidecar');
    if (flags.words.length > 0) throw new UsageError(`mecha sidecar takes flags only, not '${flags.words[0]}'`);
    if (flags.values.has('version')) return print(context, `${MECHA_VERSION}\n`);
    if (flags.values.has('build-info')) return print(context, `Mecha ${MECHA_VERSION}\ncontract ${CONTRACT_VERSION}\nNode ${process.version}\n`);
    const values = new OptionValues(flags.values, context.env);
    if (flags.values.has('wait')) return waitFor(values.integer('dapr-http-port') ?? 3500);
    const host = createHost(hostOptions(values, context.env, [sidecarOptions(values, context.env)]));
    for (const warning of flags.warnings) context.err(`${warning}\n`);
    const forget = onStopSignals(() => void host.stop());
    try {
      await host.start();
      return await host.done;
    } finally {
      forget();
    }
  },
};

function print(context: CommandContext, text: string): number {
  context.out(text);
  return 0;
}

async function waitFor(port: number): Promise<number> {
  const deadline = Date.now() + WAIT_MS;
  while (Date.now() < deadline) {
    const answer = await askLoopback(port, { method: 'GET', path: '/v1.0/healthz/outbound' }).catch(() => undefined);
    if (answer?.ok) return 0;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  return 1;
}
