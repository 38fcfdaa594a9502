/**
 * `bindings.openapi`: an API by its OpenAPI document. Every operation of the document is one of the binding; what is sent is
 * checked before the call, what comes back after it. All calls go to one origin, which request data cannot change.
 */
import { BindingError, defineComponent, field, type Binding, type BindingOperations, type BindingResponse, type ComponentContext, type OptionsOf } from '@mecha/components/kit';
import { failureOfStatus } from '@mecha/components/kit/http-client.ts';
import { OriginClient, type OriginAnswer, type TlsOptions } from '@mecha/components/kit/origin-client.ts';
import { listOf, loadDocument, objectOf, textIn, type OpenApiDocument } from './document.ts';
import { operationsOf, type Operations } from './operations.ts';
import { uselessValues } from './security.ts';

const metadata = {
  document: field.string('Path or URL of an OpenAPI document (3.0 or 3.1, JSON or YAML), or the document itself.', { required: true }),
  url: field.string('Base of all calls, instead of the first server of the document.'),
  'security:*': field.group('Value of the security scheme of that name: the key, the token, or user:password.', { secret: true }),
  responseTimeout: field.duration('Most time for a call.', { default: 30_000, minimum: 1 }),
  maxResponseBodySize: field.size('Longest answer.', { default: 16 * 1024 * 1024, minimum: 1 }),
  errorIfNot2XX: field.boolean('An answer of another status is an error.', { default: true }),
  validateResponse: field.boolean('An answer that the document does not describe is an error.', { default: true }),
  caCert: field.string('PEM of the authority that signed the certificate of the server, where the system does not know it.'),
  clientCert: field.string('PEM of the certificate of this client; needs `clientKey`.'),
  clientKey: field.string('PEM of the key of this client; needs `clientCert`.', { secret: true }),
  skipTLSVerify: field.boolean('Take any certificate.', { default: false }),
} as const;

type Options = OptionsOf<typeof metadata>;

interface Ready {
  readonly operations: Operations;
  readonly client: OriginClient;
}

function createBinding({ options, log, clock }: ComponentContext<Options>): Binding {
  let ready: Ready | undefined;
  let closed = false;
  // A wrong URL, or half a client certificate, is said when the YAML is loaded.
  if (options.url !== undefined) clientOf(options, options.url);

  return {
    async connect(signal) {
      const document = await loadDocument(options.document, tlsOf(options), signal);
      const operations = await operationsOf(document, options['security:*'], options.url !== undefined);
      for (const reason of operations.leftOut) log.warn({ reason }, 'operation left out');
      for (const reason of uselessValues(document.root, options['security:*'])) log.warn({ reason }, 'a value of a security scheme is of no use');
      await ready?.client.close();
      ready = { operations, client: clientOf(options, options.url ?? serverOf(document)) };
      if (!closed) await ready.client.open();
    },
    async close() {
      closed = true;
      await ready?.client.close();
    },

    get operations(): BindingOperations {
      return ready ? wordsOf(ready.operations) : {};
    },

    async invoke(request, signal) {
      const operation = ready?.operations.byName.get(request.operation);
      if (!ready || !operation) throw new BindingError(ready ? 'invalid-metadata' : 'unavailable', ready ? `the document has no operation ${request.operation}` : 'the document has not been read yet');
      const answer = await ready.client.call(operation.build(request), signal);
      const response = responseOf(answer);
      const succeeded = answer.status >= 200 && answer.status < 300;
      const failed = (why: string): BindingError => failureOfStatus(why, { ...answer, response, now: clock.now() });
      if (!succeeded && options.errorIfNot2XX) throw failed(`operation ${request.operation} was answered with status ${answer.status}`);
      const problem = options.validateResponse ? operation.check(answer) : undefined;
      if (problem !== undefined) throw failed(`the answer to operation ${request.operation} does not fit the document: ${problem}`);
      return response;
    },
  };
}

function wordsOf({ byName }: Operations): BindingOperations {
  return Object.fromEntries([...byName].map(([name, { words }]) => [name, words]));
}

function clientOf(options: Options, url: string): OriginClient {
  return new OriginClient(url, { library: () => import('undici'), timeoutMs: options.responseTimeout, responseBytesMax: options.maxResponseBodySize, tls: tlsOf(options) });
}

function tlsOf({ caCert, clientCert, clientKey, skipTLSVerify }: Options): TlsOptions {
  return { rootCA: caCert, clientCert, clientKey, skipVerify: skipTLSVerify };
}

/** The first server, its variables at their defaults. */
function serverOf({ root, url: own }: OpenApiDocument): string {
  const server = objectOf(listOf(root['servers'])[0]);
  const variables = objectOf(server['variables']);
  const named = textIn(server['url']).replaceAll(/\{([^{}]+)\}/g, (_whole, name: string) => textIn(objectOf(variables[name])['default']));
  // Of a document that was fetched, a path, or no server at all, is one of its own origin.
  const url = own ? (URL.parse(named || '/', own.href)?.href ?? '') : named;
  if (!/^https?:\/\//.test(url)) throw new Error('the document names no server by a full URL: give the component metadata url');
  // It would be the document, and not the YAML, that says who gets the credentials.
  if (own && !url.startsWith(`${own.origin}/`)) throw new Error(`the document of ${own.origin} names a server elsewhere: give the component metadata url, if that is meant`);
  return url;
}

function responseOf({ status, reason, headers, body }: OriginAnswer): BindingResponse {
  const named = Object.entries(headers).map(([name, value]) => [name.replaceAll(/(^|-)[a-z]/g, (letter) => letter.toUpperCase()), value] as const);
  return { data: body, metadata: { ...Object.fromEntries(named), statusCode: String(status), status: `${status} ${reason}`.trim() } };
}

export default defineComponent({
  type: 'bindings.openapi',
  versions: ['v1'],
  status: 'beta',
  title: 'OpenAPI document',
  description:
    'Calls an API by its OpenAPI document: operations are called by operationId (or `GET /path` where there is none), parameters are metadata of their names, data is the body, metadata `idempotencyKey` the header `Idempotency-Key`. Both are checked before the call, and the answer after it. Not served: references to other documents, multipart bodies other than forms, fetching of OAuth tokens, checks of response headers, servers of single operations (unless `url` is set).',
  metadata,
  features: ['OUTPUT_BINDING'],
  operations: {},
  async operationsFor(options) {
    return wordsOf(await operationsOf(await loadDocument(options.document, tlsOf(options)), {}, options.url !== undefined));
  },
  library: 'ajv',
  create: createBinding,
});
