/** The door of the process: argv in, exit code out. */
import { nearest } from '@mecha/components/kit/nearest.ts';
import { commandHelp, type CommandContext } from './cli/command.ts';
import { COMMANDS } from './cli/commands.ts';
import { UsageError } from './config/options.ts';
import { MECHA_VERSION } from './version.ts';

const EXIT_USAGE = 2;
/** How long the process may live on after its command is over. */
const EXIT_PATIENCE_MS = 1_000;

function overview(): string {
  return `Mecha ${MECHA_VERSION}: a sidecar for services that hold only business code.

Usage: mecha COMMAND [options]

${COMMANDS.map(({ name, summary }) => `  ${name.padEnd(12)}${summary}`).join('\n')}

mecha COMMAND --help tells more. A first step:

  mecha run --app-id hello --app-port 8080 -- node app.js
`;
}

async function main(argv: readonly string[]): Promise<number> {
  const context: CommandContext = {
    env: { ...process.env },
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
  };
  // `mecha help state` is `mecha state --help`.
  const [first, ...rest] = argv[0] === 'help' && argv[1] !== undefined ? [argv[1], '--help'] : argv;
  if (first === undefined || first === '--help' || first === '-h' || first === 'help') {
    context.out(overview());
    return 0;
  }
  // daprd has no command words: what begins with a dash is a sidecar's.
  const name = first.startsWith('-') ? 'sidecar' : first;
  const entry = COMMANDS.find((command) => command.name === name);
  if (!entry) {
    const meant = nearest(name, COMMANDS.map((command) => command.name));
    throw new UsageError(`unknown command ${name}${meant ? `; did you mean ${meant}?` : ''} (mecha --help lists all)`);
  }
  const command = await entry.load();
  const args = first.startsWith('-') ? argv : rest;
  const own = args.includes('--') ? args.slice(0, args.indexOf('--')) : args;
  if (own.includes('--help') || own.includes('-h')) {
    context.out(commandHelp(command));
    return 0;
  }
  return command.run(args, context);
}

// A reader that has seen enough (`| head`) closes the pipe; that is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const isUsage = error instanceof UsageError;
  // What the user can mend is told in words; a stack is for what they cannot.
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  if (process.env['MECHA_DEBUG'] && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  process.exitCode = isUsage ? EXIT_USAGE : 1;
}
// A handle that somebody left open, a file read that cannot be called back: no reason to stay.
setTimeout(() => process.exit(), EXIT_PATIENCE_MS).unref();
