/** `bindings.graphql`: queries and mutations at one GraphQL endpoint, which request data cannot change. */
import { BindingError, defineComponent, field, textOf, type Binding, type BindingOperations, type BindingRequest, type ComponentContext, type OptionsOf } from '@mecha/components/kit';
import { exactNumberText, parseVerbatim } from '@mecha/components/kit/exact-json.ts';
import { forwardedHeaders, idempotencyKeyMetadata } from '@mecha/components/kit/forwarded-headers.ts';
import { failureOfStatus } from '@mecha/components/kit/http-client.ts';
import { OriginClient, type OriginAnswer } from '@mecha/components/kit/origin-client.ts';

const metadata = {
  endpoint: field.string('URL of the endpoint.', { required: true }),
  'header:*': field.group('A header of every request, such as `header:Authorization`.', { secret: true }),
  responseTimeout: field.duration('Most time for a call.', { default: 30_000, minimum: 1 }),
  maxResponseBodySize: field.size('Longest answer.', { default: 16 * 1024 * 1024, minimum: 1 }),
  caCert: field.string('PEM of the authority that signed the certificate of the server, where the system does not know it.'),
  clientCert: field.string('PEM of the certificate of this client; needs `clientKey`.'),
  clientKey: field.string('PEM of the key of this client; needs `clientCert`.', { secret: true }),
  skipTLSVerify: field.boolean('Take any certificate.', { default: false }),
} as const;

const more = {
  'variable:NAME': { description: 'Text for the variable of that name; goes before the one in data.' },
  'header:NAME': { description: 'A header of this request.' },
  ...idempotencyKeyMetadata,
};
const result = "The `data` of the answer; metadata `operation`, `start-time`, `end-time`, `duration`. An answer with errors is an error.";
const data = 'Variables of any type, as a JSON object; may be left out.';
const operations = {
  query: { description: 'Sends a query.', metadata: { query: { description: 'The text, which begins with the word query.', required: true }, ...more }, data, result },
  mutation: { description: 'Sends a mutation.', metadata: { mutation: { description: 'The text, which begins with the word mutation.', required: true }, ...more }, data, result },
} as const satisfies BindingOperations;

type Options = OptionsOf<typeof metadata>;
const MESSAGE_LENGTH_MAX = 500;
/** Of the connection, not of the request. */
const NOT_FROM_REQUEST = new Set(['host', 'content-length', 'transfer-encoding', 'connection', 'keep-alive', 'upgrade', 'te', 'trailer', 'expect', 'proxy-connection', 'content-type', 'accept']);

function createBinding({ options, clock }: ComponentContext<Options>): Binding {
  const { endpoint, responseTimeout, maxResponseBodySize, caCert, clientCert, clientKey, skipTLSVerify } = options;
  const client = new OriginClient(endpoint, { library: () => import('undici'), timeoutMs: responseTimeout, responseBytesMax: maxResponseBodySize, tls: { rootCA: caCert, clientCert, clientKey, skipVerify: skipTLSVerify } });
  const usual = headersIn(options['header:*']);
  return {
    connect: () => client.open(),
    close: () => client.close(),
    async invoke(request, signal) {
      const startedAt = clock.now();
      const body = Buffer.from(JSON.stringify({ query: documentOf(request), variables: variablesOf(request) }));
      const headers = {
        ...forwardedHeaders(request.metadata),
        ...usual,
        ...headersIn(beginningWith(request.metadata, 'header:')),
        'content-type': 'application/json',
        accept: 'application/graphql-response+json, application/json;q=0.9',
      };
      const answer = await client.call({ method: 'POST', path: '', headers, body }, signal);
      const endedAt = clock.now();
      const about = { operation: request.operation, 'start-time': new Date(startedAt).toISOString(), 'end-time': new Date(endedAt).toISOString(), duration: `${endedAt - startedAt}ms` };
      return { data: Buffer.from(JSON.stringify(resultOf(answer, about, endedAt))), metadata: about };
    },
  };
}

function documentOf({ operation, metadata: given }: BindingRequest): string {
  const text = (given[operation] ?? '').trim();
  if (!new RegExp(String.raw`^${operation}\b`).test(text)) throw new BindingError('invalid-metadata', `metadata ${operation} must begin with the word ${operation}`);
  return text;
}

function variablesOf({ data: bytes, metadata: given }: BindingRequest): Readonly<Record<string, unknown>> {
  const text = textOf(bytes);
  let variables: unknown = {};
  try {
    if (text !== '') variables = parseVerbatim(text);
  } catch (error) {
    throw new BindingError('invalid-data', 'data must be a JSON object that holds variables', { cause: error });
  }
  if (typeof variables !== 'object' || variables === null || Array.isArray(variables) || exactNumberText(variables) !== undefined) throw new BindingError('invalid-data', 'data must be a JSON object that holds variables');
  return { ...variables, ...beginningWith(given, 'variable:') };
}

function beginningWith(given: Readonly<Record<string, string>>, prefix: string): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(given).flatMap(([name, value]) => (name.startsWith(prefix) && name.length > prefix.length ? [[name.slice(prefix.length), value]] : [])));
}

function headersIn(given: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(given).map(([name, value]) => {
      const lower = name.toLowerCase();
      if (NOT_FROM_REQUEST.has(lower) || !/^[\w!#$%&'*+.^`|~-]+$/.test(name)) throw new BindingError('invalid-metadata', `metadata header:${name} is no header that may be set`);
      return [lower, value];
    }),
  );
}

/** The member `data` of an answer, its numbers as they came. */
function resultOf(answer: OriginAnswer, about: Readonly<Record<string, string>>, now: number): unknown {
  const { status, body } = answer;
  let parsed: unknown;
  try {
    parsed = parseVerbatim(body.toString('utf8'));
  } catch {
    // Said below, with the status, for everything that is no answer of GraphQL.
  }
  const { data: found, errors } = (typeof parsed === 'object' && parsed !== null ? parsed : {}) as { data?: unknown; errors?: unknown };
  const response = { data: body, metadata: about };
  const failed = (message: string): BindingError => failureOfStatus(message, { ...answer, response, now });
  if (Array.isArray(errors) && errors.length > 0) {
    const [first] = errors as readonly { message?: unknown }[];
    const words = typeof first?.message === 'string' ? first.message.slice(0, MESSAGE_LENGTH_MAX) : 'errors without a message';
    throw failed(`graphql: ${words}`);
  }
  if (status < 200 || status >= 300) throw failed(`the endpoint answered with status ${status}`);
  if (found === undefined) throw failed('the endpoint did not answer as GraphQL does');
  return found;
}

export default defineComponent({
  type: 'bindings.graphql',
  versions: ['v1'],
  status: 'stable',
  title: 'GraphQL',
  description: 'Queries and mutations at a GraphQL endpoint. Subscriptions and uploads are not served; redirects are not followed.',
  metadata,
  features: ['OUTPUT_BINDING'],
  operations,
  library: 'undici',
  create: createBinding,
});
