/**
 * `bindings.http`: a call to an HTTP service whose base URL the YAML names.
 *
 * An answer longer than `maxResponseBodySize` is an error, also in the middle of a stream; nothing is cut off in silence.
 */
import { BindingError, defineComponent, field, flagOf, type Binding, type BindingOperation, type BindingRequest, type BindingResponse } from '@mecha/components/kit';
import { EgressRefused } from '@mecha/components/kit/egress.ts';
import { forwardedHeaders, idempotencyKeyMetadata } from '@mecha/components/kit/forwarded-headers.ts';
import { headerFromText, textFromHeader } from '@mecha/components/kit/header-text.ts';
import { bounded, createHttpClient, failureOfStatus, wholeBody, type ClientAnswer } from '@mecha/components/kit/http-client.ts';

const METADATA = {
  path: { description: 'Appended to `url`, its query too; or an absolute URL of the same or an allowed origin' },
  errorIfNot2XX: { description: '`true` or `false`, in the place of the component\'s' },
  ...idempotencyKeyMetadata,
  'Header-Name': { description: 'This and any other name that begins with a capital letter: a header of the request' },
};
const METHODS = ['get', 'head', 'post', 'put', 'patch', 'delete', 'options', 'trace'] as const;
const WITH_BODY: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH']);
const RESULT = 'the body; status in `statusCode` and `status`, headers by their names';
const operation = (method: string): BindingOperation => ({
  description: `Sends ${method}.`,
  metadata: METADATA,
  ...(WITH_BODY.has(method) ? { data: 'the body of the request, as given' } : {}),
  result: RESULT,
});

/** Of the connection, not of the request. */
const NOT_FROM_REQUEST = new Set(['host', 'content-length', 'transfer-encoding', 'connection', 'keep-alive', 'upgrade', 'te', 'trailer', 'expect', 'proxy-connection']);
const JSON_TYPE = 'application/json; charset=utf-8';
const REDIRECTS_MAX = 10;
/** Shorter answers of known length come as bytes, others as a stream. */
const WHOLE_BYTES_MAX = 64 * 1024;

export default defineComponent({
  type: 'bindings.http',
  versions: ['v1'],
  status: 'stable',
  title: 'HTTP',
  description: 'Calls an HTTP or HTTPS service. Requests stay on the origin of `url`, redirects too, unless `allowedOrigins` names another.',
  library: 'undici',
  metadata: {
    url: field.string('Base URL', { required: true }),
    allowedOrigins: field.list('Origins besides that of `url` to which `path` and redirects may lead, such as `https://files.example.com`', { default: [] }),
    responseTimeout: field.duration('Time for the whole answer; none unless given', { minimum: 0 }),
    maxResponseBodySize: field.size('Longest answer; 0 or less = no limit', { default: 100 * 1024 * 1024 }),
    MTLSRootCA: field.string('Certificate authority that the service is verified against, as PEM text or a file', { default: '' }),
    MTLSClientCert: field.string('Client certificate, as PEM text or a file', { default: '' }),
    MTLSClientKey: field.string('Key of the client certificate, as PEM text or a file', { default: '', secret: true }),
    MTLSRenegotiation: field.noEffect('TLS renegotiation', 'the TLS library decides'),
    securityToken: field.string('Sent with every request, in the header that `securityTokenHeader` names', { default: '', secret: true }),
    securityTokenHeader: field.string('Header of `securityToken`', { default: '' }),
    errorIfNot2XX: field.boolean('An answer other than 2xx is an error', { default: true }),
  },
  features: ['OUTPUT_BINDING'],
  operations: { create: { ...operation('POST'), description: 'Sends POST; the same as `post`.' }, ...Object.fromEntries(METHODS.map((method) => [method, operation(method.toUpperCase())])) },
  create({ options, clock }): Binding {
    const base = httpUrl(options.url, 'url');
    const { securityToken, securityTokenHeader, MTLSClientCert, MTLSClientKey } = options;
    const tokenHeader = securityToken !== '' && securityTokenHeader !== '' ? securityTokenHeader.toLowerCase() : undefined;
    const client = createHttpClient({
      library: () => import('undici'),
      redirectsMax: REDIRECTS_MAX,
      named: [base],
      allow: options.allowedOrigins.map((origin) => httpUrl(origin, 'allowedOrigins')),
      tls: { rootCA: options.MTLSRootCA, clientCert: MTLSClientCert, clientKey: MTLSClientKey },
      own: tokenHeader === undefined ? [] : [tokenHeader],
    });
    client.egress.check(base);
    const bytesMax = options.maxResponseBodySize > 0 ? options.maxResponseBodySize : Number.POSITIVE_INFINITY;

    function targetOf({ metadata }: BindingRequest): URL {
      try {
        return client.egress.join(base, metadata['path'] ?? '');
      } catch (error) {
        throw error instanceof EgressRefused ? new BindingError('denied', `metadata path may not be followed: ${error.message}`, { cause: error }) : error;
      }
    }

    return {
      connect: () => client.open(),
      close: () => client.close(),

      async invoke(request, signal): Promise<BindingResponse> {
        const method = request.operation === 'create' ? 'POST' : request.operation.toUpperCase();
        const headers: Record<string, string> = { accept: JSON_TYPE, ...(WITH_BODY.has(method) ? { 'content-type': JSON_TYPE } : {}), ...headersOf(request) };
        const url = targetOf(request);
        // The token is for the service that the YAML names.
        if (tokenHeader !== undefined && url.origin === base.origin) headers[tokenHeader] = securityToken;
        const errorIfNot2XX = flagOf(request.metadata, 'errorIfNot2XX', options.errorIfNot2XX);
        const timeout = options.responseTimeout ? AbortSignal.timeout(options.responseTimeout) : undefined;
        const own = timeout ? AbortSignal.any([signal, timeout]) : signal;
        try {
          const answer = await client.request({ method, url, headers, ...(WITH_BODY.has(method) ? { body: request.data } : {}) }, own);
          const metadata = metadataOf(answer);
          if (errorIfNot2XX && (answer.status < 200 || answer.status > 299)) {
            discard(answer);
            throw failureOfStatus(`received status code ${answer.status}`, { ...answer, response: { metadata }, now: clock.now() });
          }
          return { data: await dataOf(answer, bytesMax), metadata };
        } catch (error) {
          if (timeout?.aborted && !signal.aborted) throw new BindingError('timeout', `no answer within ${options.responseTimeout} ms`, { cause: error });
          throw error;
        }
      },
    };
  },
});

function httpUrl(text: string, name: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url && (url.protocol === 'http:' || url.protocol === 'https:')) return url;
  throw new Error(`metadata name ${name} takes URLs that begin with http:// or https://`);
}

function headersOf({ metadata }: BindingRequest): Record<string, string> {
  const named = Object.entries(metadata).filter(([name]) => /^[A-Z]/.test(name) && !NOT_FROM_REQUEST.has(name.toLowerCase()));
  return Object.fromEntries([...Object.entries(forwardedHeaders(metadata)), ...named].map(([name, value]) => [name.toLowerCase(), headerOf(name, value)]));
}

function headerOf(name: string, value: string): string {
  const header = headerFromText(value);
  if (header === undefined) throw new BindingError('invalid-metadata', `metadata ${name} holds a line break or another control character, which no header can`);
  return header;
}

function metadataOf({ status, statusText, headers }: ClientAnswer): Record<string, string> {
  const metadata: Record<string, string> = { statusCode: String(status), status: `${status} ${statusText}`.trim() };
  for (const [name, value] of Object.entries(headers)) if (value !== undefined) metadata[name] = textFromHeader(typeof value === 'string' ? value : value.join(', '));
  return metadata;
}

async function dataOf(answer: ClientAnswer, bytesMax: number): Promise<BindingResponse['data'] & {}> {
  const length = Number(answer.headers['content-length'] ?? Number.NaN);
  if (length > bytesMax) {
    discard(answer);
    throw new BindingError('too-large', `the answer is longer than ${bytesMax} bytes`);
  }
  if (length <= WHOLE_BYTES_MAX || answer.status === 204) return wholeBody(answer.body, bytesMax);
  return bounded(answer.body, bytesMax);
}

/** Nobody reads it: the connection is given up rather than drained. */
function discard({ body }: ClientAnswer): void {
  body.on('error', () => undefined);
  body.destroy();
}
