/** `kind: Component` (behaviour.md 1.3). */
import { catalog, type CatalogEntry } from '@mecha/components/catalog';
import { nearest } from '@mecha/components/kit/nearest.ts';
import { parseDuration } from '@mecha/components/kit/metadata.ts';
import type { ComponentResource, MetadataItem } from './resource-types.ts';
import type { Envelope } from './resource-envelope.ts';
import type { YamlView } from './yaml-view.ts';

const INIT_TIMEOUT_MS = 5000;
/** Categories of the field that later blocks will serve; named so that a loader can say so. */
const LATER_CATEGORIES = ['configuration', 'crypto', 'lock', 'middleware', 'conversation', 'nameresolution', 'workflowbackend'];
const REQUIRED_ANNOTATION = 'mecha.dev/required';

export function catalogEntry(type: string): CatalogEntry | undefined {
  const lower = type.toLowerCase();
  return catalog.find((entry) => entry.type === lower || entry.aliases.includes(lower));
}

/** Undefined when the document cannot become a component; why is among the problems. */
export function componentResource(document: YamlView, envelope: Envelope): ComponentResource | undefined {
  const spec = document.get('spec');
  if (!spec) {
    document.error('a Component needs spec');
    return undefined;
  }
  spec.allow(['type', 'version', 'ignoreErrors', 'initTimeout', 'metadata']);
  const type = spec.get('type')?.text();
  if (!type) {
    spec.error('a Component needs spec.type, such as state.redis');
    return undefined;
  }
  const entry = catalogEntry(type);
  if (!entry) {
    const typeView = spec.get('type') ?? spec;
    const later = LATER_CATEGORIES.find((category) => type.toLowerCase().startsWith(`${category}.`));
    if (later) typeView.error(`components of ${later} are not served yet: ${type}`);
    else typeView.error(`unknown component type ${type}`, nearest(type, catalog.flatMap(({ type: known, aliases }) => [known, ...aliases])));
    return undefined;
  }
  const written = spec.get('version')?.text()?.toLowerCase() ?? '';
  const version = written === '' || written === 'v0' ? 'v1' : written;
  if (!entry.versions.includes(version)) {
    (spec.get('version') ?? spec).error(`${entry.type} has no version ${written}; it has ${entry.versions.join(', ')}`);
    return undefined;
  }
  return {
    kind: 'Component',
    name: envelope.name,
    type: entry.type,
    version,
    metadata: metadataItems(spec.get('metadata')),
    secretStore: envelope.secretStore,
    scopes: envelope.scopes,
    namespace: envelope.namespace,
    ignoreErrors: spec.get('ignoreErrors')?.boolean() ?? false,
    initTimeoutMs: initTimeout(spec.get('initTimeout')),
    required: envelope.annotations[REQUIRED_ANNOTATION] === 'true',
    source: document.source,
  };
}

function initTimeout(view: YamlView | undefined): number {
  const text = view?.text();
  if (view === undefined || text === undefined) return INIT_TIMEOUT_MS;
  const ms = parseDuration(text);
  if (ms === undefined) view.warning(`must be a duration such as 5s, not '${text}'; ${INIT_TIMEOUT_MS / 1000}s is taken instead`);
  return ms !== undefined && ms > 0 ? ms : INIT_TIMEOUT_MS;
}

/** `spec.metadata` of components, `spec.headers` of HTTP endpoints. */
export function metadataItems(list: YamlView | undefined): MetadataItem[] {
  return (list?.items() ?? []).flatMap((item) => metadataItem(item) ?? []);
}

function metadataItem(item: YamlView): MetadataItem | undefined {
  if (!item.isMap()) {
    item.error('must be a map with name and value');
    return undefined;
  }
  item.allow(['name', 'value', 'secretKeyRef', 'envRef']);
  const name = item.get('name')?.text();
  if (!name) {
    item.error('a metadata item needs a name');
    return undefined;
  }
  return valueOf(item, name);
}

/** A map with `value` or `secretKeyRef` that stands under a name of its own. */
export function valueOrSecret(item: YamlView, name: string): MetadataItem | undefined {
  if (!item.isMap()) {
    item.error('must be a map with value or secretKeyRef');
    return undefined;
  }
  item.allow(['value', 'secretKeyRef']);
  const found = valueOf(item, name);
  if (found?.value !== '') return found;
  item.error('must have a value or a secretKeyRef');
  return undefined;
}

function valueOf(item: YamlView, name: string): MetadataItem | undefined {
  const { source, field } = item;
  const reference = item.get('secretKeyRef');
  const envRef = item.get('envRef')?.text();
  const written = item.entries().find(([key]) => key.toLowerCase() === 'value')?.[1];
  const value = written?.metadataText();
  if (reference && value === undefined) {
    reference.allow(['name', 'key']);
    const secret = reference.get('name')?.text();
    if (!secret) {
      reference.error('secretKeyRef needs the name of a secret');
      return undefined;
    }
    return { name, secretKeyRef: { name: secret, key: reference.get('key')?.text() ?? secret }, source, field };
  }
  if (envRef !== undefined && value === undefined) return { name, envRef, source, field };
  return { name, value: value ?? '', source, field };
}
