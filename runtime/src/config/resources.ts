/**
 * Loading resources: folders of YAML in, validated resources and one report of everything that is wrong out
 * (behaviour.md 1.1). Nothing here throws over what a user wrote.
 */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { nearest } from '@mecha/components/kit/nearest.ts';
import { decodeMetadata, type MetadataEntry } from '@mecha/components/kit/metadata.ts';
import { outboxConfigOf } from '../outbox/outbox-config.ts';
import { catalogEntry, componentResource } from './component-resource.ts';
import { refusalOf } from './dry-create.ts';
import { checkEndpointTls, httpEndpointResource } from './http-endpoint-resource.ts';
import { checkResiliency, resiliencyResource } from './resiliency-resource.ts';
import { subscriptionResource } from './subscription-resource.ts';
import { readEnvelope } from './resource-envelope.ts';
import type { HttpEndpointResource, MetadataItem, Problem, Resource, Source } from './resource-types.ts';
import { checkWorkflows, workflowResource } from './workflow-resource.ts';
import { Problems, readYaml, type YamlView } from './yaml-view.ts';

export interface LoadOptions {
  readonly appId: string;
  /** NAMESPACE of the environment; '' or undefined accepts every manifest. */
  readonly namespace: string | undefined;
  /** Unknown metadata names are errors. */
  readonly strict: boolean;
  /** Resources for whatever app; scopes are not applied (`mecha validate`). */
  readonly anyApp?: boolean;
}

export interface LoadedResources {
  readonly resources: readonly Resource[];
  readonly problems: readonly Problem[];
  /** Files that hold a Configuration, which is given by `--config` and not read from here. */
  readonly configurationFiles: readonly string[];
}


/** `paths`: folders, or single files. */
export async function loadResources(paths: readonly string[], options: LoadOptions): Promise<LoadedResources> {
  const problems = new Problems();
  const resources: Resource[] = [];
  const names = new Map<string, Source>();
  /** Components that were meant and could not be read: what refers to them is not wrong on top of that. */
  const broken = new Set<string>();
  const documents = new Map<Resource, YamlView>();
  const configurationFiles = new Set<string>();
  for (const file of await yamlFiles(paths, problems)) {
    for (const document of await readYaml(file, problems)) {
      const envelope = readEnvelope(document);
      if (!envelope) continue;
      if (envelope.kind === 'Configuration') {
        configurationFiles.add(file);
        continue;
      }
      if (options.namespace && envelope.namespace && options.namespace !== envelope.namespace && envelope.kind !== 'Subscription') continue;
      if (envelope.kind !== 'Subscription') {
        const key = `${envelope.kind}/${envelope.name}`;
        const taken = names.get(key);
        // Validation for any app sees the set-ups of several apps at once: one name may stand once per scope there.
        if (taken && !(options.anyApp && envelope.scopes.length > 0)) {
          document.error(`a ${envelope.kind} named ${envelope.name} already stands in ${taken.file}:${taken.line}`);
          continue;
        }
        names.set(key, document.source);
      }
      const resource = read(document, envelope);
      if (!resource && envelope.kind === 'Component') broken.add(envelope.name);
      const inScope = options.anyApp || envelope.scopes.length === 0 || envelope.scopes.includes(options.appId);
      if (!resource || !inScope) continue;
      resources.push(resource);
      documents.set(resource, document);
    }
  }
  await checkMetadata(resources, options, problems);
  await checkWorkflows(new Map([...documents].flatMap(([resource, document]) => (resource.kind === 'Workflow' ? [[resource, document] as const] : []))));
  await checkResiliency([...documents].flatMap(([{ kind }, document]) => (kind === 'Resiliency' ? [document] : [])));
  for (const resource of resources) if (resource.kind === 'HTTPEndpoint') await checkEndpointTls(resource, problems);
  checkReferences(resources, documents, broken, problems);
  return { resources, problems: problems.list, configurationFiles: [...configurationFiles] };
}

function read(document: YamlView, envelope: NonNullable<ReturnType<typeof readEnvelope>>): Resource | undefined {
  switch (envelope.kind) {
    case 'Component':
      return componentResource(document, envelope);
    case 'Subscription':
      return subscriptionResource(document, envelope);
    case 'Resiliency':
      return resiliencyResource(document, envelope);
    case 'HTTPEndpoint':
      return httpEndpointResource(document, envelope);
    case 'Workflow':
      return workflowResource(document, envelope);
    default:
      return undefined;
  }
}

async function yamlFiles(paths: readonly string[], problems: Problems): Promise<string[]> {
  const files: string[] = [];
  for (const path of paths) {
    try {
      if (!(await stat(path)).isDirectory()) {
        files.push(path);
        continue;
      }
      const names = (await readdir(path, { withFileTypes: true })).filter((entry) => !entry.isDirectory()).map((entry) => entry.name);
      // Byte order, as folders of resources have always been read.
      for (const name of names.sort((a, b) => (a < b ? -1 : 1))) if (/\.ya?ml$/i.test(name)) files.push(join(path, name));
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      problems.error({ file: path, line: 0 }, code === 'ENOENT' ? 'there is no such file or folder' : `cannot be read: ${code ?? String(error)}`);
    }
  }
  return files;
}

/** Metadata against each component's declaration; references are not resolved, so they count as given. */
async function checkMetadata(resources: readonly Resource[], options: LoadOptions, problems: Problems): Promise<void> {
  for (const resource of resources) {
    if (resource.kind !== 'Component') continue;
    const entry = catalogEntry(resource.type);
    if (!entry) continue;
    const { default: definition } = await entry.load();
    const referenced = new Set(resource.metadata.filter((item) => item.value === undefined).map((item) => item.name.toLowerCase()));
    const entries: MetadataEntry<Source>[] = resource.metadata.map((item) => ({ name: item.name, value: item.value ?? '', source: item.source }));
    const decoded = decodeMetadata(definition, entries);
    for (const problem of decoded.problems) {
      const isReference = referenced.has(problem.name.toLowerCase());
      if (isReference && (problem.reason === 'bad-value' || problem.reason === 'missing')) continue;
      // What is wrong in a component with ignoreErrors leaves out that component alone; validation tells it all the same.
      const isForgiven = resource.ignoreErrors && !options.anyApp;
      const severity = isForgiven ? 'warning' : problem.reason === 'unknown-name' && options.strict ? 'error' : problem.severity;
      const item = resource.metadata.find(({ source, name }) => source === problem.source && name === problem.name);
      problems[severity](problem.source ?? resource.source, `${resource.name}: ${problem.message}`, { field: item?.field ?? 'spec.metadata', suggestion: problem.suggestion });
    }
    // At a start the component is created anyway, and says so itself.
    if (!options.anyApp || decoded.problems.some(({ severity }) => severity === 'error')) continue;
    const refusal = refusalOf(resource, definition, decoded.options);
    if (refusal !== undefined) problems.error(resource.source, `${resource.name}: ${refusal}`, { field: 'spec.metadata' });
  }
}

function checkReferences(resources: readonly Resource[], documents: ReadonlyMap<Resource, YamlView>, broken: ReadonlySet<string>, problems: Problems): void {
  const components = resources.filter((resource) => resource.kind === 'Component');
  const namesOf = (category: string) => [...components.filter(({ type }) => type.startsWith(`${category}.`)).map(({ name }) => name), ...broken];
  const stores = namesOf('secretstores');
  const brokers = namesOf('pubsub');
  for (const resource of resources) {
    if (resource.kind === 'Component' || resource.kind === 'HTTPEndpoint') {
      const items = resource.kind === 'Component' ? resource.metadata : [...resource.headers, ...tlsItems(resource)];
      for (const item of items) {
        if (!item.secretKeyRef) continue;
        if (!resource.secretStore) problems.error(item.source, `${resource.name}: ${item.name} refers to a secret, and auth.secretStore does not say in which store`, { field: 'auth.secretStore' });
        else if (!stores.includes(resource.secretStore)) problems.error(item.source, `${resource.name}: there is no secret store named ${resource.secretStore}`, { field: 'auth.secretStore', suggestion: nearest(resource.secretStore, stores) });
      }
    }
    if (resource.kind === 'Component' && resource.type.startsWith('state.')) {
      const item = (wanted: string) => resource.metadata.find(({ name }) => name.toLowerCase() === wanted.toLowerCase());
      const named = item('outboxPublishPubsub');
      const topic = item('outboxPublishTopic');
      const half = named ?? topic;
      if (half && !(named && topic)) {
        const lacking = named ? 'outboxPublishTopic' : 'outboxPublishPubsub';
        problems.warning(half.source, `${resource.name}: ${half.name} has no effect without ${lacking}: no event goes out`, { field: half.field ?? 'spec.metadata' });
      }
      const outbox = outboxConfigOf(Object.fromEntries(resource.metadata.map((item) => [item.name, item.value ?? ''])));
      if (outbox && !brokers.includes(outbox.pubsub)) problems.error(named?.source ?? resource.source, `${resource.name}: outboxPublishPubsub names ${outbox.pubsub}, and there is no such pub/sub component`, { field: named?.field ?? 'spec.metadata', suggestion: nearest(outbox.pubsub, brokers) });
    }
    if (resource.kind === 'Subscription' && !brokers.includes(resource.subscription.pubsubName)) {
      const place = documents.get(resource)?.get('spec')?.get('pubsubname');
      problems.error(place?.source ?? resource.source, `there is no pub/sub component named ${resource.subscription.pubsubName}`, { field: 'spec.pubsubname', suggestion: nearest(resource.subscription.pubsubName, brokers) });
    }
    if (resource.kind === 'Resiliency') {
      const names = [...components.map(({ name }) => name), ...broken];
      for (const [name, place] of documents.get(resource)?.get('spec')?.get('targets')?.get('components')?.entries() ?? []) {
        // One that is near to no name may well belong to another app's resources.
        const meant = names.includes(name) ? undefined : nearest(name, names);
        if (meant) place.warning(`there is no component named ${name}`, meant);
        const type = components.find((component) => component.name === name)?.type;
        if (type && !/^(?:pubsub|bindings)\./.test(type)) place.get('inbound')?.warning(`has no effect: nothing comes into the app from ${name} (${type})`);
      }
    }
  }
}

function tlsItems({ clientTls }: HttpEndpointResource): readonly MetadataItem[] {
  return [clientTls?.rootCA, clientTls?.certificate, clientTls?.privateKey].filter((item) => item !== undefined);
}

/** `resources/order.yaml:12: error: … (spec.type); did you mean state.redis?`, one line each. */
export function problemLines(problems: readonly Problem[]): string[] {
  return problems.map(({ source, severity, message, field, suggestion }) => {
    const place = source.line > 0 ? `${source.file}:${source.line}` : source.file;
    return `${place}: ${severity}: ${message}${field ? ` (${field})` : ''}${suggestion ? `; did you mean ${suggestion}?` : ''}`;
  });
}
