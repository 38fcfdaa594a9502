/** Writes docs/components.md from the declarations of the shelf. `--check` writes nothing and exits 1 when the page is stale. */
import { catalog } from '../components/catalog.gen.ts';
import type { BindingOperations } from '../components/kit/bindings.ts';
import type { ComponentDefinition, MetadataField } from '../components/kit/component.ts';
import { defaultText } from '../runtime/src/cli/metadata-field.ts';
import { table, writeOrCheck } from './generated-page.ts';

const CATEGORIES: Readonly<Record<string, string>> = { state: 'State', pubsub: 'Publish and subscribe', secretstores: 'Secrets', bindings: 'Bindings' };

function section(definition: ComponentDefinition): string {
  const fields = Object.entries<MetadataField>(definition.metadata);
  const served = fields.filter(([, field]) => field.noEffect === undefined);
  const facts = [
    `- Versions: ${definition.versions.join(', ')}; ${definition.status}${definition.aliases?.length ? `; also called ${definition.aliases.map(code).join(', ')}` : ''}`,
    `- Capabilities: ${definition.features.length > 0 ? definition.features.map(code).join(', ') : 'none'}`,
    ...(definition.durability ? [`- Durability: ${definition.durability}`] : []),
  ];
  const rows = served.map(([name, field]) => [`${code(name)}${field.required ? ' **required**' : ''}`, field.type, code(defaultText(field) ?? ''), wordsOf(field)]);
  return [
    `### ${definition.type}`,
    `**${definition.title}.** ${definition.description}`,
    facts.join('\n'),
    served.length > 0 ? table(['Metadata', 'Type', 'Default', 'What it says'], rows) : 'No metadata.',
    ...withoutEffect(fields),
    ...operationsOf(definition.operations),
  ].join('\n\n');
}

function wordsOf(field: MetadataField): string {
  const notes = [
    field.values ? `One of ${field.values.map(code).join(', ')}.` : '',
    field.aliases ? `Also ${field.aliases.map(code).join(', ')}.` : '',
    field.secret ? 'Secret: never shown.' : '',
  ];
  return [field.description, ...notes].filter((note) => note !== '').join(' ');
}

/** What a binding can be asked to do. */
function operationsOf(operations: BindingOperations | undefined): string[] {
  if (!operations) return [];
  if (Object.keys(operations).length === 0) return ['Operations: as its metadata say; `/v1.0/metadata` lists them.'];
  const rows = Object.entries(operations).map(([name, { description, data, result, metadata = {} }]) => [
    code(name),
    [description, ...(data === undefined ? [] : [`Data: ${sentence(data)}`]), ...(result === undefined ? [] : [`Answers: ${sentence(result)}`])].join(' '),
    Object.entries(metadata).map(([key, words]) => `${code(key)}${words.required ? ' **required**' : ''}: ${words.description.replace(/\.$/, '')}`).join('; '),
  ]);
  return [table(['Operation', 'What it does', 'Metadata of the request'], rows)];
}

const sentence = (text: string): string => (text.endsWith('.') ? text : `${text}.`);

/** Names that load and change nothing, by the reason why. */
function withoutEffect(fields: readonly (readonly [string, MetadataField])[]): string[] {
  const byReason = Map.groupBy(fields.filter(([, field]) => field.noEffect !== undefined), ([, field]) => field.noEffect);
  if (byReason.size === 0) return [];
  const lines = [...byReason].map(([reason, named]) => `- ${named.map(([name]) => code(name)).join(', ')}: ${reason}`);
  return [`Accepted with a warning, without effect:\n\n${lines.join('\n')}`];
}

function code(text: string): string {
  return text === '' ? '' : `\`${text}\``;
}

const definitions = await Promise.all(catalog.map(async (entry) => (await entry.load()).default));
const byCategory = Map.groupBy(definitions, ({ type }) => type.split('.')[0] ?? '');
const chapters = Object.entries(CATEGORIES).map(([category, title]) => `## ${title}\n\n${(byCategory.get(category) ?? []).map(section).join('\n\n')}\n`);
const unnamed = [...byCategory.keys()].filter((category) => !(category in CATEGORIES));
if (unnamed.length > 0) throw new Error(`scripts/generate-component-docs.ts has no chapter for ${unnamed.join(', ')}`);

await writeOrCheck(
  'docs/components.md',
  `<!-- Written by scripts/generate-component-docs.ts; do not edit. -->

# Components

Every type that a Component resource may name. \`mecha components\` lists them, \`mecha components describe TYPE\` shows one, and with
\`--json-schema\` gives a schema for editors. Names of metadata are taken in any case. What any component of a category may carry
besides (\`keyPrefix\`, scopes, outbox) stands in [configuration](configuration.md).

${chapters.join('\n')}`,
);
