/** What holds where no file says otherwise: read by every sidecar, and so apart from what reads YAML. */
import type { ComponentResource, Configuration, Source } from './resource-types.ts';
import { DEFAULT_WORKFLOW_CONFIGURATION } from './workflow-configuration.ts';

const DEFAULT_SAMPLING_RATE = 0.0001;
const BUILT_IN: Source = { file: '<default>', line: 0 };
const INIT_TIMEOUT_MS = 5000;

export const DEFAULT_CONFIGURATION: Configuration = {
  secretScopes: [],
  api: { allowed: [], denied: [] },
  deniedComponents: [],
  samplingRate: DEFAULT_SAMPLING_RATE,
  apiLogging: { enabled: false, obfuscateURLs: false, omitHealthChecks: false },
  metricsEnabled: true,
  features: {},
  workflow: DEFAULT_WORKFLOW_CONFIGURATION,
};

/** What there is when nobody says otherwise: state, events and secrets on this host alone. */
export function defaultResources(): readonly ComponentResource[] {
  const component = (name: string, type: string): ComponentResource => ({
    kind: 'Component', name, type, version: 'v1', metadata: [], secretStore: undefined, scopes: [], namespace: undefined,
    ignoreErrors: false, initTimeoutMs: INIT_TIMEOUT_MS, required: false, source: BUILT_IN,
  });
  return [component('statestore', 'state.sqlite'), component('pubsub', 'pubsub.sqlite'), component('secretstore', 'secretstores.local.env')];
}
