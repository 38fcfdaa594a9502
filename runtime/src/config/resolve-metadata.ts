/**
 * From a component's metadata as written to the text that it gets: secrets, environment references and templates
 * (components.md B.0). Whatever cannot be resolved is an error that names file, line and item; nothing becomes an empty
 * text in silence.
 */
import { randomUUID } from 'node:crypto';
import type { ComponentDefinition } from '@mecha/components/kit';
import { decodeMetadata, type MetadataEntry } from '@mecha/components/kit/metadata.ts';
import { messageOf } from '../errors.ts';
import type { ComponentResource, MetadataItem, Source } from './resource-types.ts';

export interface ResolveContext {
  readonly appId: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** One value of a secret store. */
  readonly secret: (store: string, name: string, key: string) => Promise<string>;
}

export interface ResolvedMetadata {
  readonly options: Readonly<Record<string, unknown>>;
  readonly metadata: Readonly<Record<string, string>>;
  readonly namespaced: boolean;
}

export async function resolveMetadata(resource: ComponentResource, definition: ComponentDefinition, context: ResolveContext): Promise<ResolvedMetadata> {
  const entries: MetadataEntry<Source>[] = [];
  let namespaced = false;
  for (const item of resource.metadata) {
    const text = await textOf(item, resource.secretStore, context, resource.name);
    if (text.includes('{namespace}')) namespaced = true;
    entries.push({ name: item.name, value: fillTemplates(text, item, context), source: item.source, secret: item.value === undefined });
  }
  const { options, problems } = decodeMetadata(definition, entries);
  const wrong = problems.filter(({ severity }) => severity === 'error');
  if (wrong.length > 0) {
    throw new Error(wrong.map(({ source, message }) => `${placeOf(source ?? resource.source)}: error: ${resource.name}: ${message}`).join('\n'));
  }
  return { options, metadata: Object.fromEntries(entries.map(({ name, value }) => [name, value])), namespaced: namespaced && resource.type.startsWith('pubsub.') };
}

/** The items of an HTTPEndpoint's headers, resolved the same way. */
export async function resolveItems(items: readonly MetadataItem[], secretStore: string | undefined, context: ResolveContext, owner: string): Promise<Record<string, string>> {
  const resolved: Record<string, string> = {};
  for (const item of items) resolved[item.name] = await textOf(item, secretStore, context, owner);
  return resolved;
}

async function textOf(item: MetadataItem, secretStore: string | undefined, context: ResolveContext, owner: string): Promise<string> {
  const fail = (reason: string) => new Error(`${placeOf(item.source)}: error: ${owner}: ${item.name}: ${reason}`);
  if (item.envRef !== undefined) {
    const refusal = refusedEnv(item.envRef, context.env);
    if (refusal) throw fail(refusal);
    const value = context.env[item.envRef];
    if (value === undefined) throw fail(`environment variable ${item.envRef} is not set`);
    return value;
  }
  if (item.secretKeyRef) {
    const { name, key } = item.secretKeyRef;
    try {
      return await context.secret(secretStore ?? '', name, key);
    } catch (error) {
      throw fail(messageOf(error));
    }
  }
  return item.value ?? '';
}

/** What is the sidecar's own is not handed to components (components.md B.0). */
function refusedEnv(name: string, env: Readonly<Record<string, string | undefined>>): string | undefined {
  const upper = name.toUpperCase();
  if (name === '' || /\s/.test(name)) return `'${name}' is no name of an environment variable`;
  if (upper === 'APP_API_TOKEN' || upper === 'MECHA_LEDGER' || upper.startsWith('DAPR_')) return `environment variable ${name} belongs to the sidecar and may not be referred to`;
  const allowed = env['DAPR_ENV_KEYS'];
  if (allowed && !allowed.split(/\s+/).includes(name)) return `environment variable ${name} is not among DAPR_ENV_KEYS`;
  return undefined;
}

function fillTemplates(text: string, item: MetadataItem, context: ResolveContext): string {
  if (!text.includes('{')) return text;
  const namespace = context.env['NAMESPACE'] || 'default';
  return text
    .replaceAll('{uuid}', () => randomUUID())
    .replaceAll('{podName}', () => {
      const podName = context.env['POD_NAME'];
      if (!podName) throw new Error(`${placeOf(item.source)}: error: ${item.name}: {podName} needs environment variable POD_NAME, which is not set`);
      return podName;
    })
    .replaceAll('{namespace}', () => `${namespace}.${context.appId}`)
    .replaceAll('{appID}', () => context.appId);
}

function placeOf(source: Source): string {
  return source.line > 0 ? `${source.file}:${source.line}` : source.file;
}
