/** What all kinds of resources share (behaviour.md 1.2). */
import { nearest } from '@mecha/components/kit/nearest.ts';
import type { YamlView } from './yaml-view.ts';

export const KINDS = ['Component', 'Subscription', 'Resiliency', 'HTTPEndpoint', 'Workflow', 'Configuration', 'MCPServer', 'WorkflowAccessPolicy'] as const;
export type Kind = (typeof KINDS)[number];
/** Known by name, and not served yet. */
const LATER: readonly Kind[] = ['MCPServer', 'WorkflowAccessPolicy'];
const V1 = 'dapr.io/v1alpha1';
const V2 = 'dapr.io/v2alpha1';
/** Of kinds that nobody else has. */
const OWN = 'mecha.dev/v1alpha1';
/** Others have resources of this kind too: it is ours when its group says so. */
const SHARED: readonly string[] = ['Workflow'];

export interface Envelope {
  readonly kind: Kind;
  readonly apiVersion: string;
  readonly name: string;
  readonly namespace: string | undefined;
  readonly annotations: Readonly<Record<string, string>>;
  readonly scopes: readonly string[];
  readonly secretStore: string | undefined;
}

/** `dapr.io/...` or `mecha.dev/...`, or near enough to be meant. */
function isOurs(apiVersion: string): boolean {
  const [group = ''] = apiVersion.split('/');
  return !apiVersion.includes('/') || nearest(group, ['dapr.io', 'mecha.dev']) !== undefined;
}

/** Undefined when the document is not one that can be loaded; why is among the problems. */
export function readEnvelope(document: YamlView): Envelope | undefined {
  if (!document.isMap()) {
    document.error('a resource must be a map with apiVersion, kind, metadata and spec');
    return undefined;
  }
  const kind = document.get('kind')?.text();
  const apiVersion = document.get('apiVersion')?.text();
  // A folder may hold YAML that is meant for others; what is meant for us and misspelt still is an error.
  if (!kind && !apiVersion && !document.get('metadata') && !document.get('spec')) {
    document.warning('is no resource, having neither apiVersion nor kind; left out');
    return undefined;
  }
  if (apiVersion && !isOurs(apiVersion) && (!KINDS.some((name) => name === kind) || SHARED.includes(kind ?? ''))) {
    document.warning(`${kind ?? 'a document'} of ${apiVersion} is none of our resources; left out`);
    return undefined;
  }
  if (!kind) {
    document.error(`a resource needs kind: one of ${KINDS.join(', ')}`);
    return undefined;
  }
  const known = KINDS.find((name) => name === kind);
  if (!known) {
    (document.get('kind') ?? document).error(`unknown kind ${kind}`, nearest(kind, KINDS));
    return undefined;
  }
  if (LATER.includes(known)) {
    document.warning(`${known} resources are not served yet; this one has no effect`);
    return undefined;
  }
  const allowed = known === 'Subscription' ? [V1, V2] : known === 'Workflow' ? [OWN, V1] : [V1];
  if (!apiVersion || !allowed.includes(apiVersion)) {
    (document.get('apiVersion') ?? document).error(`${known} needs apiVersion ${allowed.join(' or ')}${apiVersion ? `, not ${apiVersion}` : ''}`, apiVersion && nearest(apiVersion, allowed));
    return undefined;
  }
  document.allow(['apiVersion', 'kind', 'metadata', 'spec', 'scopes', 'auth']);
  const metadata = document.get('metadata');
  const nameView = metadata?.get('name');
  const name = nameView?.text();
  if (!name) {
    (metadata ?? document).error('a resource needs metadata.name');
    return undefined;
  }
  if (/[/%]/.test(name) || name === '.' || name === '..') {
    nameView?.error(`a name is a path segment: no slash, no percent sign, not '${name}'`);
    return undefined;
  }
  const auth = document.get('auth');
  auth?.allow(['secretStore']);
  return {
    kind: known,
    apiVersion,
    name,
    namespace: metadata?.get('namespace')?.text() || undefined,
    annotations: metadata?.get('annotations')?.textMap() ?? {},
    scopes: document.get('scopes')?.texts() ?? [],
    secretStore: auth?.get('secretStore')?.text() || undefined,
  };
}
