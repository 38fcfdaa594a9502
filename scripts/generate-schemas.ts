/**
 * Writes the JSON Schemas that editors check and complete YAML with: specs/schemas/resource.schema.json (every kind of
 * resource, every type of component with its metadata) and specs/schemas/run-file.schema.json. Types and metadata come
 * from the components' declarations, options from the one schema of options. `--check` writes nothing and exits 1 when a
 * file is stale.
 *
 * The schemas are a little stricter than the loader, which takes names in any case: an editor shows the usual spelling.
 */
/* oxlint-disable unicorn/no-thenable -- a keyword of JSON Schema is called so */
import { catalog } from '../components/catalog.gen.ts';
import type { ComponentDefinition, MetadataField } from '../components/kit/component.ts';
import { jsonSchemaOf, metadataNames } from '../components/kit/metadata.ts';
import { SIDECAR_OPTIONS, type OptionSpec } from '../runtime/src/config/options.ts';
import { KINDS } from '../runtime/src/config/resource-envelope.ts';
import { RUN_FILE_FLAG_KEYS, RUN_FILE_KEYS_WITHOUT_EFFECT } from '../runtime/src/config/run-file.ts';
import { writeOrCheck } from './generated-page.ts';

type Schema = Readonly<Record<string, unknown>>;

const DRAFT = 'http://json-schema.org/draft-07/schema#';
const COMMENT = 'Written by scripts/generate-schemas.ts; do not edit.';
const text = (description: string): Schema => ({ type: 'string', description });
const texts = (description: string): Schema => ({ type: 'array', items: { type: 'string' }, description });
const scalarMap = (description: string): Schema => ({ type: 'object', additionalProperties: { type: ['string', 'number', 'boolean', 'null'] }, description });
const fields = (properties: Schema, required: readonly string[] = []): Schema => ({ type: 'object', properties, additionalProperties: false, ...(required.length > 0 ? { required } : {}) });
const when = (name: string, value: unknown, then: Schema): Schema => ({ if: { properties: { [name]: { const: value } }, required: [name] }, then });

const duration = { type: ['string', 'integer'], description: 'A duration such as 500ms, 10s or 1h30m' };
const item = fields(
  {
    name: text('Name of the setting'),
    value: { description: 'The value' },
    secretKeyRef: fields({ name: text('Name of the secret'), key: text('Key within the secret; its name unless given') }, ['name']),
    envRef: text('Environment variable of the sidecar that holds the value'),
  },
  ['name'],
);

/** `spec.metadata` of one type: which names there are, and what each takes. */
function metadataOf(definition: ComponentDefinition): Schema {
  const { properties } = jsonSchemaOf(definition) as { properties: Readonly<Record<string, Schema>> };
  const groups = Object.entries(definition.metadata as Readonly<Record<string, MetadataField>>).flatMap(([name, { type }]) => (type === 'group' ? [name] : []));
  const named = Object.entries(definition.metadata as Readonly<Record<string, MetadataField>>).filter(([name]) => !groups.includes(name)).map(([name, field]) => {
    const { description, enum: words, default: usual } = properties[name] ?? {};
    const value = { description, ...(words && !field.noEffect ? { enum: words } : {}), ...(usual === undefined ? {} : { default: usual }) };
    return { if: { properties: { name: { enum: [name, ...(field.aliases ?? [])] } }, required: ['name'] }, then: { properties: { value } } };
  });
  const names = [...metadataNames(definition), ...Object.values(definition.metadata as Readonly<Record<string, MetadataField>>).flatMap((field) => field.aliases ?? [])];
  const single = { enum: [...new Set(names)].filter((name) => !groups.includes(name)) };
  const name = groups.length > 0 ? { anyOf: [single, ...groups.map((group) => ({ pattern: `^${group.slice(0, -1)}.` }))] } : single;
  return { type: ['array', 'null'], items: { ...item, properties: { ...(item['properties'] as Schema), name }, ...(named.length > 0 ? { allOf: named } : {}) } };
}

async function componentSpec(): Promise<Schema> {
  const types = await Promise.all(
    catalog.map(async (entry) => {
      const { default: definition } = await entry.load();
      return {
        if: { properties: { type: { enum: [entry.type, ...entry.aliases] } }, required: ['type'] },
        then: { properties: { version: { enum: entry.versions }, metadata: metadataOf(definition) } },
      };
    }),
  );
  return {
    ...fields(
      {
        type: { enum: catalog.flatMap(({ type, aliases }) => [type, ...aliases]), description: 'Type of the backend' },
        version: { ...text('Version of the type; v1 unless given') },
        ignoreErrors: { type: 'boolean', description: 'Leave the component out when its configuration is wrong' },
        initTimeout: { ...duration, description: 'Of the first attempt to connect; 5s unless given' },
        metadata: { type: ['array', 'null'] },
      },
      ['type'],
    ),
    allOf: types,
  };
}

function subscriptionSpec(route: Schema, required: string): Schema {
  return fields(
    {
      topic: text('Topic to subscribe to'),
      pubsubname: text('Name of the pub/sub component'),
      ...route,
      deadLetterTopic: text('Where events go that could not be delivered'),
      metadata: scalarMap('Metadata of the subscription'),
      bulkSubscribe: fields({ enabled: { type: 'boolean' }, maxMessagesCount: { type: 'integer' }, maxAwaitDurationMs: { type: 'integer' } }),
    },
    ['topic', 'pubsubname', required],
  );
}
const rule = fields({ match: text('A CEL expression over event'), path: text('Path of the app') }, ['path']);
const routes = fields({ rules: { type: 'array', items: rule }, default: text('Path when no rule matches') });

const names = fields({ timeout: text('Name of a timeout'), retry: text('Name of a retry policy'), circuitBreaker: text('Name of a circuit breaker') });
const codes = { type: ['string', 'integer'], description: 'Codes and ranges, such as "429,500-503"' };
const resiliencySpec = fields({
  policies: fields({
    timeouts: { type: 'object', additionalProperties: duration },
    retries: {
      type: 'object',
      additionalProperties: fields({ policy: { enum: ['constant', 'exponential'] }, duration, maxInterval: duration, maxRetries: { type: 'integer' }, matching: fields({ httpStatusCodes: codes, gRPCStatusCodes: codes }) }),
    },
    circuitBreakers: { type: 'object', additionalProperties: fields({ maxRequests: { type: 'integer' }, interval: duration, timeout: duration, trip: text('A CEL expression over the counts') }) },
  }),
  targets: fields({
    apps: { type: 'object', additionalProperties: fields({ ...(names['properties'] as Schema), circuitBreakerCacheSize: { type: 'integer' } }) },
    actors: { type: 'object', additionalProperties: fields({ ...(names['properties'] as Schema), circuitBreakerScope: { enum: ['type', 'id', 'both'] }, circuitBreakerCacheSize: { type: 'integer' } }) },
    components: { type: 'object', additionalProperties: fields({ inbound: names, outbound: names }) },
  }),
});
const pem: Schema = { ...fields({ value: text('PEM text, or a file that holds it'), secretKeyRef: (item['properties'] as Schema)['secretKeyRef'] }), description: 'By value or from a secret store' };
const endpointSpec = fields({ baseUrl: text('Begins with http:// or https://'), headers: { type: 'array', items: item }, clientTLS: fields({ rootCA: pem, certificate: pem, privateKey: pem, renegotiation: { enum: ['RenegotiateNever', 'RenegotiateOnceAsClient', 'RenegotiateFreelyAsClient'] } }) }, ['baseUrl']);

const workflowSpec = fields(
  {
    type: { enum: ['STANDARD', 'EXPRESS'], description: 'EXPRESS: for StartSyncExecution; STANDARD unless given' },
    definition: {
      description: 'A state machine in the Amazon States Language, or its text (JSON or YAML)',
      oneOf: [{ type: 'string' }, { type: 'object', properties: { StartAt: text('Name of the first state'), States: { type: 'object' } }, required: ['StartAt', 'States'] }],
    },
  },
  ['definition'],
);

const resource: Schema = {
  $schema: DRAFT,
  $comment: COMMENT,
  title: 'Mecha resource',
  ...fields(
    {
      apiVersion: { enum: ['dapr.io/v1alpha1', 'dapr.io/v2alpha1', 'mecha.dev/v1alpha1'] },
      kind: { enum: KINDS },
      metadata: { type: 'object', properties: { name: text('Name of the resource'), namespace: text('Namespace; left out of sidecars of another one'), annotations: { type: 'object' } }, required: ['name'] },
      spec: { type: 'object' },
      scopes: { ...texts('Ids of the apps that have it; all when absent'), type: ['array', 'null'] },
      auth: { type: ['object', 'null'], properties: { secretStore: text('Secret store in which secretKeyRef looks') }, additionalProperties: false },
    },
    ['apiVersion', 'kind', 'metadata'],
  ),
  allOf: [
    when('kind', 'Component', { properties: { spec: await componentSpec() }, required: ['spec'] }),
    when('kind', 'Subscription', {
      required: ['spec'],
      allOf: [
        when('apiVersion', 'dapr.io/v1alpha1', { properties: { spec: subscriptionSpec({ route: text('Path of the app') }, 'route') } }),
        when('apiVersion', 'dapr.io/v2alpha1', { properties: { spec: subscriptionSpec({ routes }, 'routes') } }),
      ],
    }),
    when('kind', 'Resiliency', { properties: { spec: resiliencySpec }, required: ['spec'] }),
    when('kind', 'Workflow', { properties: { spec: workflowSpec }, required: ['spec'] }),
    when('kind', 'HTTPEndpoint', { properties: { spec: endpointSpec }, required: ['spec'] }),
  ],
};

function optionSchema(spec: OptionSpec | undefined): Schema {
  const description = spec?.noEffect === undefined ? `${spec?.words ?? ''}.` : `Has no effect: ${spec.noEffect}.`;
  if (spec?.values) return { enum: spec.values, description };
  if (spec?.type === 'integer') return { type: 'integer', description };
  return { type: spec?.type === 'boolean' ? 'boolean' : ['string', 'integer'], description };
}
const shared: Schema = {
  resourcesPath: text('Folder of resources'),
  resourcesPaths: { oneOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }], description: 'Folders of resources: a list, or a text with commas' },
  configFilePath: text('Configuration file'),
  env: scalarMap('Environment of the app'),
  ...Object.fromEntries(Object.entries(RUN_FILE_FLAG_KEYS).map(([key, flag]) => [key, optionSchema(SIDECAR_OPTIONS.find((spec) => spec.flag === flag))])),
  ...Object.fromEntries(Object.entries(RUN_FILE_KEYS_WITHOUT_EFFECT).map(([key, reason]) => [key, { description: `Has no effect: ${reason}.` }])),
};
const app: Schema = {
  appID: text('Id of the app; the name of its folder unless given'),
  appDirPath: text('Folder of the app'),
  appPort: { type: 'integer', description: 'Port on which the app listens; 0 = a free one, told to it as APP_PORT' },
  command: texts('How the app is started; without it, its sidecar alone'),
  dependsOn: texts('Ids of the apps that must be ready before it starts'),
};
const runFile: Schema = {
  $schema: DRAFT,
  $comment: COMMENT,
  title: 'Mecha run file',
  ...fields({ version: { const: 1 }, common: fields(shared), apps: { type: 'array', items: fields({ ...app, ...shared }, ['appDirPath']) } }, ['version', 'apps']),
};

await writeOrCheck('specs/schemas/resource.schema.json', `${JSON.stringify(resource, null, 1)}\n`);
await writeOrCheck('specs/schemas/run-file.schema.json', `${JSON.stringify(runFile, null, 1)}\n`);
