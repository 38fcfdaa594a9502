/** `mecha components` and `mecha components describe TYPE`: the catalog, from the declarations alone. */
import { catalog } from '@mecha/components/catalog';
import type { BindingOperations, ComponentDefinition, MetadataField } from '@mecha/components/kit';
import { decodeMetadata, jsonSchemaOf, runtimeNames } from '@mecha/components/kit/metadata.ts';
import { nearest } from '@mecha/components/kit/nearest.ts';
import { catalogEntry } from '../config/component-resource.ts';
import { UsageError, parseFlags, type OptionSpec } from '../config/options.ts';
import { HELP_FLAG, type Command } from './command.ts';
import { fieldNotes } from './metadata-field.ts';

const OWN: readonly OptionSpec[] = [{ flag: 'json-schema', type: 'boolean', group: 'app', words: 'describe: print the JSON Schema of the metadata' }, { flag: 'with', type: 'list', value: 'NAME=VALUE', group: 'app', words: 'describe: list the operations that this metadata makes, such as document=api.yaml; may be repeated' }, HELP_FLAG];

export const componentsCommand: Command = {
  name: 'components',
  summary: 'List the component types, or describe one',
  usage: 'components [describe TYPE] [options]',
  text: `
  mecha components
  mecha components describe state.redis
  mecha components describe bindings.openapi --with document=api.yaml`,
  options: OWN,
  async run(argv, context) {
    const { values, words } = parseFlags(argv, OWN, 'components');
    const [verb, type] = words;
    if (verb === undefined || verb === 'list') {
      for (const entry of catalog) context.out(`${entry.type.padEnd(28)}${entry.versions.join(', ').padEnd(8)}${entry.status.padEnd(8)}${entry.title}\n`);
      return 0;
    }
    if (verb !== 'describe' || !type) throw new UsageError('mecha components takes nothing, or: describe TYPE');
    const entry = catalogEntry(type);
    if (!entry) {
      const meant = nearest(type, catalog.map((known) => known.type));
      throw new UsageError(`unknown component type ${type}${meant ? `; did you mean ${meant}?` : ''}`);
    }
    const { default: definition } = await entry.load();
    if (values.has('json-schema')) {
      context.out(`${JSON.stringify(jsonSchemaOf(definition), null, 2)}\n`);
      return 0;
    }
    const operations = await operationsOf(definition, values.get('with'));
    context.out(`${definition.type} (${definition.versions.join(', ')}, ${definition.status}): ${definition.title}\n\n${definition.description}\n`);
    if (definition.aliases?.length) context.out(`\nAlso called: ${definition.aliases.join(', ')}\n`);
    if (definition.durability) context.out(`Durability: ${definition.durability}\n`);
    context.out(`Capabilities: ${definition.features.join(', ') || 'none'}\n\nMetadata:${Object.keys(definition.metadata).length === 0 ? ' none' : ''}\n`);
    const width = Math.max(...Object.keys(definition.metadata).map((name) => name.length));
    for (const [name, field] of Object.entries(definition.metadata)) context.out(fieldLine(name, field, width));
    const shared = runtimeNames(definition);
    if (shared.length > 0) context.out(`  and those of every component of this kind: ${shared.join(', ')}\n`);
    for (const line of operationLines(operations)) context.out(line);
    return 0;
  },
};

function fieldLine(name: string, field: MetadataField, width: number): string {
  const notes = fieldNotes(field);
  const words = field.noEffect === undefined ? field.description : `Has no effect: ${field.noEffect}.`;
  return `  ${name.padEnd(width)}  ${field.type.padEnd(10)}${words}${notes.length > 0 ? ` (${notes.join('; ')})` : ''}\n`;
}

/** Those of the declaration, or those that metadata of the command line makes. Throws in words when they make none. */
async function operationsOf(definition: ComponentDefinition, given: string | undefined): Promise<BindingOperations | undefined> {
  if (given === undefined) return definition.operations;
  if (!definition.operationsFor) throw new UsageError(`the operations of ${definition.type} do not depend on its metadata; leave out --with`);
  const entries = given.split(',').map((text) => ({ name: text.replace(/=.*$/s, ''), value: text.replace(/^[^=]*=?/s, '') }));
  const { options, problems } = decodeMetadata(definition, entries);
  const [wrong] = problems;
  if (wrong) throw new UsageError(`${wrong.message}${wrong.suggestion ? `; did you mean ${wrong.suggestion}?` : ''}`);
  return definition.operationsFor(options).catch((error: unknown) => {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  });
}

/** Operations of a binding, each with the metadata of its requests. */
function operationLines(operations: BindingOperations | undefined): string[] {
  if (!operations) return [];
  if (Object.keys(operations).length === 0) return ['\nOperations: as its metadata say (list them: --with NAME=VALUE)\n'];
  const lines = ['\nOperations:\n'];
  for (const [name, { description, data, result, metadata = {} }] of Object.entries(operations)) {
    lines.push(`  ${name}: ${description}\n`);
    for (const [key, words] of Object.entries(metadata)) lines.push(`    ${key}${words.required ? ' (required)' : ''}: ${words.description}\n`);
    if (data !== undefined) lines.push(`    data: ${data}\n`);
    if (result !== undefined) lines.push(`    answers: ${result}\n`);
  }
  return lines;
}
