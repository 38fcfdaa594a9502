/** What a command of the CLI is, and how help is laid out. */
import { UsageError, type OptionSpec, type ParsedFlags } from '../config/options.ts';

export interface Command {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  readonly usage: string;
  /** What it does and how to learn it: paragraphs and examples. */
  readonly text: string;
  readonly options: readonly OptionSpec[];
  /** Resolves with the exit code. Throws `UsageError` for what the user can mend. */
  run(argv: readonly string[], context: CommandContext): Promise<number>;
}

/** The world as a command sees it. */
export interface CommandContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  out(text: string): void;
  err(text: string): void;
}

/** The groups of options in the order of help, with their titles. */
export const GROUPS: readonly (readonly [OptionSpec['group'], string])[] = [
  ['app', 'The app'],
  ['health', 'App health'],
  ['servers', 'Ports and addresses'],
  ['resources', 'Resources and data'],
  ['limits', 'Limits'],
  ['logs', 'Logs'],
  ['process', 'The process'],
];

export function commandHelp(command: Command): string {
  const sections = GROUPS.flatMap(([group, title]) => {
    const specs = command.options.filter((spec) => spec.group === group);
    return specs.length === 0 ? [] : [`${title}:\n${specs.map(optionLine).join('\n')}`];
  });
  const accepted = command.options.filter((spec) => spec.group === 'accepted').map((spec) => `--${spec.flag}`);
  if (accepted.length > 0) sections.push(wrapped(`Accepted without effect, so that scripts written for others work: ${accepted.join(', ')}.`));
  return `${command.summary}.\n\nUsage: mecha ${command.usage}\n\n${command.text.trim()}\n${sections.length > 0 ? `\n${sections.join('\n\n')}\n` : ''}`;
}

function optionLine(spec: OptionSpec): string {
  const flag = `${spec.short ? `-${spec.short}, ` : '    '}--${spec.flag}${spec.type === 'boolean' ? '' : ` ${spec.value ?? 'VALUE'}`}`;
  const notes = [spec.values ? spec.values.join(' | ') : '', spec.env ? `env ${spec.env}` : '', spec.default && spec.type !== 'boolean' ? `default ${spec.default}` : ''].filter((note) => note !== '');
  const words = `${spec.words}${notes.length > 0 ? ` (${notes.join('; ')})` : ''}`;
  return flag.length > 38 ? `  ${flag}\n${' '.repeat(42)}${words}` : `  ${flag.padEnd(40)}${words}`;
}

function wrapped(text: string): string {
  return text.replace(/(.{60,100}) /g, '$1\n  ');
}

/**
 * Exactly the words that `takes` names, as in `state get KEY`. What stands behind `--` counts, so that a value may begin
 * with a dash. One too many is an error: it is a text with blanks that nobody quoted.
 */
export function wordsOf(flags: ParsedFlags, takes: string): string[] {
  const words = [...flags.words, ...flags.rest];
  const [, ...names] = takes.split(' ');
  if (words.length === names.length) return words;
  const lacking = names[words.length];
  throw new UsageError(`mecha ${takes}: ${lacking === undefined ? `'${words[names.length] ?? ''}' is one word too many; quote what holds blanks` : `${lacking} is missing`}`);
}

export const HELP_FLAG: OptionSpec = { flag: 'help', short: 'h', type: 'boolean', group: 'process', words: 'This text' };
