/**
 * Fills the generated places of docs/cli.md and docs/configuration.md from the one schema of options, the commands and
 * the run file's keys; the rest of the pages is written by hand. `--check` writes nothing and exits 1 when one is stale.
 */
import { GROUPS, type Command } from '../runtime/src/cli/command.ts';
import { COMMANDS } from '../runtime/src/cli/commands.ts';
import { SIDECAR_OPTIONS, type OptionSpec } from '../runtime/src/config/options.ts';
import { RUN_FILE_FLAG_KEYS, RUN_FILE_KEYS_WITHOUT_EFFECT } from '../runtime/src/config/run-file.ts';
import { fillPage, table, writeOrCheck } from './generated-page.ts';

const isSidecars = new Set(SIDECAR_OPTIONS);

function commandSection(command: Command): string {
  const own = command.options.filter((spec) => !isSidecars.has(spec));
  const takesAll = command.options.some((spec) => isSidecars.has(spec));
  return [
    `### mecha ${command.name}`,
    `${command.summary}.`,
    `\`\`\`\nmecha ${command.usage.replaceAll(/\n +/g, '\n')}\n\`\`\``,
    ...paragraphs(command.text),
    optionTable(own),
    ...(takesAll ? ['And every option of a sidecar: see [configuration](configuration.md#options).'] : []),
  ].join('\n\n');
}

/** Help indents what is to be typed by two blanks. */
function paragraphs(text: string): string[] {
  return text.replace(/^\n/, '').trimEnd().split('\n\n').map((block) => (block.startsWith('  ') ? `\`\`\`sh\n${block.replaceAll(/^ {2}/gm, '')}\n\`\`\`` : block.replaceAll('<', '&lt;')));
}

function optionTable(specs: readonly OptionSpec[]): string {
  return table(['Option', 'Environment', 'Default', 'What it says'], specs.map((spec) => [optionName(spec), code(spec.env ?? ''), spec.type === 'boolean' && spec.default === undefined ? '' : code(spec.default ?? ''), optionWords(spec)]));
}

function optionName(spec: OptionSpec): string {
  return `${code(`--${spec.flag}${spec.type === 'boolean' ? '' : ` ${spec.value ?? 'VALUE'}`}`)}${spec.short ? `, ${code(`-${spec.short}`)}` : ''}`;
}

function optionWords(spec: OptionSpec): string {
  return `${spec.words}.${spec.values ? ` One of ${spec.values.map(code).join(', ')}.` : ''}`;
}

function code(text: string): string {
  return text === '' ? '' : `\`${text}\``;
}

const commands = await Promise.all(COMMANDS.map(({ load }) => load()));
for (const [index, { name, summary }] of COMMANDS.entries()) {
  const command = commands[index];
  if (command?.name !== name || command.summary !== summary) throw new Error(`the command ${name} and its entry in commands.ts say different things`);
}
const overview = table(['Command', 'What it does'], COMMANDS.map(({ name, summary }) => [`[mecha ${name}](#mecha-${name})`, summary]));
await writeOrCheck('docs/cli.md', await fillPage('docs/cli.md', { overview, commands: commands.map(commandSection).join('\n\n') }));

const groups = GROUPS.map(([group, title]) => `### ${title}\n\n${optionTable(SIDECAR_OPTIONS.filter((spec) => spec.group === group))}`);
const accepted = Map.groupBy(SIDECAR_OPTIONS.filter(({ group }) => group === 'accepted'), ({ noEffect }) => noEffect);
const acceptedList = [...accepted].map(([reason, specs]) => `- ${specs.map(({ flag }) => code(`--${flag}`)).join(', ')}: ${reason}`).join('\n');
const runFileKeys = table(['Key', 'Same as'], Object.entries(RUN_FILE_FLAG_KEYS).map(([key, flag]) => [code(key), code(`--${flag}`)]));
const runFileWithoutEffect = Object.entries(RUN_FILE_KEYS_WITHOUT_EFFECT).map(([key, reason]) => `- ${code(key)}: ${reason}`).join('\n');
await writeOrCheck(
  'docs/configuration.md',
  await fillPage('docs/configuration.md', { options: groups.join('\n\n'), accepted: acceptedList, 'run-file-keys': runFileKeys, 'run-file-without-effect': runFileWithoutEffect }),
);
