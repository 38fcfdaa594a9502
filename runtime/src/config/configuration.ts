/** `--config` files (behaviour.md 1.4): environment expansion, exact-case keys, later files override. */
import { DEFAULT_CONFIGURATION } from './defaults.ts';
import type { ApiRule, Configuration } from './resource-types.ts';
import { workflowConfiguration } from './workflow-configuration.ts';
import { Problems, readYaml, type YamlView } from './yaml-view.ts';

/** Sections that are known, and not served yet. */
const LATER = ['httpPipeline', 'appHttpPipeline', 'mtls', 'nameResolution', 'wasm'];
const SECTIONS = ['tracing', 'metric', 'metrics', 'logging', 'secrets', 'features', 'api', 'components', 'accessControl', 'workflow', ...LATER];
/** What may be said of metrics; all but `enabled` is not served yet. */
const METRIC_FIELDS = ['enabled', 'recordErrorCodes', 'http', 'rules', 'latencyDistributionBuckets', 'workflow'];

export async function loadConfiguration(paths: readonly string[], env: Readonly<Record<string, string | undefined>>): Promise<{ configuration: Configuration; problems: Problems['list'] }> {
  const problems = new Problems();
  let configuration = DEFAULT_CONFIGURATION;
  for (const path of paths) {
    const [document] = await readYaml(path, problems, (text) => expand(text, env));
    if (document) configuration = merge(configuration, document);
  }
  return { configuration, problems: problems.list };
}

/** `$VAR` and `${VAR}` anywhere; unset = empty. */
function expand(text: string, env: Readonly<Record<string, string | undefined>>): string {
  return text.replace(/\$(?:\{(\w+)\}|(\w+))/g, (_all, braced: string | undefined, bare: string | undefined) => env[braced ?? bare ?? ''] ?? '');
}

function merge(before: Configuration, document: YamlView): Configuration {
  const kind = document.get('kind')?.text();
  if (kind !== undefined && kind !== 'Configuration') {
    document.error(`--config takes a Configuration, and this is a ${kind}`);
    return before;
  }
  document.allow(['apiVersion', 'kind', 'metadata', 'spec']);
  const spec = document.get('spec');
  if (!spec) return before;
  spec.allow(SECTIONS);
  checkAccessControl(spec.get('accessControl'));
  for (const section of LATER) spec.get(section)?.warning(`spec.${section} is not served yet; it has no effect`);
  const tracing = spec.get('tracing');
  tracing?.allow(['samplingRate', 'stdout', 'zipkin', 'otel']);
  for (const exporter of ['otel', 'zipkin', 'stdout']) tracing?.get(exporter)?.warning(`exporting traces is not served yet; spec.tracing.${exporter} has no effect`);
  spec.get('logging')?.allow(['apiLogging']);
  const apiLogging = spec.get('logging')?.get('apiLogging');
  apiLogging?.allow(['enabled', 'obfuscateURLs', 'omitHealthChecks']);
  const api = spec.get('api');
  // A misspelt list would leave open what was meant to be closed.
  api?.allow(['allowed', 'denied']);
  spec.get('secrets')?.allow(['scopes']);
  const secretScopes = spec.get('secrets')?.get('scopes');
  spec.get('components')?.allow(['deny']);
  const denied = spec.get('components')?.get('deny');
  const metrics = metricsOf(spec.get('metrics')) ?? metricsOf(spec.get('metric'));
  const sampling = tracing?.get('samplingRate');
  sampling?.warning('spans are not exported yet; spec.tracing.samplingRate has no effect');
  const features = Object.fromEntries((spec.get('features')?.items() ?? []).map((item) => [item.get('name')?.text() ?? '', item.get('enabled')?.boolean() ?? false]));
  return {
    secretScopes: secretScopes ? secretScopesOf(secretScopes) : before.secretScopes,
    api: { allowed: api?.get('allowed')?.items().flatMap(apiRule) ?? before.api.allowed, denied: api?.get('denied')?.items().flatMap(apiRule) ?? before.api.denied },
    deniedComponents: denied?.texts() ?? before.deniedComponents,
    samplingRate: sampling ? rateOf(sampling) : before.samplingRate,
    apiLogging: {
      enabled: apiLogging?.get('enabled')?.boolean() ?? before.apiLogging.enabled,
      obfuscateURLs: apiLogging?.get('obfuscateURLs')?.boolean() ?? before.apiLogging.obfuscateURLs,
      omitHealthChecks: apiLogging?.get('omitHealthChecks')?.boolean() ?? before.apiLogging.omitHealthChecks,
    },
    metricsEnabled: metrics ?? before.metricsEnabled,
    features: { ...before.features, ...features },
    workflow: workflowConfiguration(spec.get('workflow'), before.workflow),
  };
}

/** Rules about callers that nobody holds would be worse than none: the start ends. */
function checkAccessControl(view: YamlView | undefined): void {
  if (!view) return;
  view.allow(['defaultAction', 'trustDomain', 'policies']);
  const action = view.get('defaultAction')?.text()?.toLowerCase() || 'allow';
  if (action !== 'allow' || view.get('policies')) view.error('spec.accessControl is not served yet, and without it the app would stand open to every caller; take it out to start all the same');
}

/** Off for this app alone would need a registry of its own, so the flag is what counts. */
function metricsOf(view: YamlView | undefined): boolean | undefined {
  view?.allow(METRIC_FIELDS);
  for (const name of METRIC_FIELDS) if (name !== 'enabled') view?.get(name)?.warning(`${view.field}.${name} is not served yet; it has no effect`);
  const enabled = view?.get('enabled')?.boolean();
  if (enabled === false) view?.get('enabled')?.warning('has no effect here, because the metrics port belongs to the process: use --enable-metrics=false');
  return enabled;
}

function rateOf(view: YamlView): number {
  const text = view.text() ?? '';
  const rate = text === '' ? DEFAULT_CONFIGURATION.samplingRate : Number(text);
  if (rate >= 0 && rate <= 1) return rate;
  view.error(`must be a number from 0 to 1, not '${text}'`);
  return DEFAULT_CONFIGURATION.samplingRate;
}

function secretScopesOf(list: YamlView): Configuration['secretScopes'] {
  const seen = new Set<string>();
  return list.items().flatMap((item) => {
    item.allow(['storeName', 'defaultAccess', 'allowedSecrets', 'deniedSecrets']);
    const storeName = item.get('storeName')?.text() ?? '';
    if (storeName === '') item.error('a secret scope needs storeName');
    if (seen.has(storeName)) item.error(`there are two secret scopes for store ${storeName}`);
    seen.add(storeName);
    const word = item.get('defaultAccess')?.text()?.toLowerCase() || 'allow';
    // Fails closed: a word that is neither is an error, and an error ends the start.
    if (word !== 'allow' && word !== 'deny') item.get('defaultAccess')?.error(`defaultAccess is allow or deny, not '${word}'`);
    return [{
      storeName,
      defaultAccess: word === 'allow' ? ('allow' as const) : ('deny' as const),
      allowedSecrets: item.get('allowedSecrets')?.texts() ?? [],
      deniedSecrets: item.get('deniedSecrets')?.texts() ?? [],
    }];
  });
}

function apiRule(item: YamlView): ApiRule[] {
  item.allow(['name', 'version', 'protocol']);
  const protocol = item.get('protocol')?.text();
  if (!protocol) {
    item.warning('an API rule without protocol has no effect; give protocol http or grpc');
    return [];
  }
  return [{ name: item.get('name')?.text() ?? '', version: item.get('version')?.text() ?? '', protocol: protocol.toLowerCase() }];
}
