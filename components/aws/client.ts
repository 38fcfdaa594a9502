/** What the clients of AWS services share: their metadata, the settings made of it, and errors in the words of bindings. */
import { BindingError, field, unlessAborted, type BindingFault, type OptionsOf } from '@mecha/components/kit';
import { createEgress, type Egress } from '@mecha/components/kit/egress.ts';

const NO_ROLES = 'taking on a role is left to the profile of the process';
const REFUSED = 'Not supported: an error when given.';

export const clientMetadata = {
  region: field.string('Region; by default as the environment or the profile of the process says.', { aliases: ['awsRegion'] }),
  accessKey: field.string('Id of the access key; needs `secretKey`. Without both the usual places are asked: environment, profile, role of the machine.', { aliases: ['awsAccessKey'] }),
  secretKey: field.string('Secret of the access key.', { secret: true, aliases: ['awsSecretKey'] }),
  sessionToken: field.string('Token of temporary credentials.', { secret: true, aliases: ['awsSessionToken'] }),
  endpoint: field.string('URL of a compatible server, instead of the service of the region.'),
  caCert: field.string('PEM of the authority that signed the certificate of that server, where the system does not know it.'),
  timeout: field.duration('Most time for a call until it is answered, with the further tries of the SDK.', { default: 30_000, minimum: 1 }),
  assumeRoleArn: field.string(REFUSED, { aliases: ['awsIamRoleArn'] }),
  trustAnchorArn: field.string(REFUSED),
  trustProfileArn: field.string(REFUSED),
  sessionName: field.noEffect('Name of the session of a role.', NO_ROLES),
  awsStsSessionName: field.noEffect('Name of the session of a role.', NO_ROLES),
} as const;
export type ClientOptions = OptionsOf<typeof clientMetadata>;

const CONNECT_TIMEOUT_MS = 5_000;
const ATTEMPTS_MAX = 3;
const CONNECTIONS_MAX = 64;
const USUAL_REGION = 'us-east-1';

/**
 * Settings of a client of the SDK. Throws, for the reader of the YAML, when they contradict one another. A compatible server is reached
 * through the guard of outgoing HTTP; the SDK follows no redirect. `bucket` may stand before the name of that server.
 */
export function clientSettings(options: ClientOptions, more: { readonly plainHttp?: boolean; readonly anyCertificate?: boolean; readonly bucket?: string } = {}) {
  const { region, accessKey, secretKey, sessionToken, endpoint, caCert } = options;
  // To go on as somebody else than the YAML says would be worse than not to go on.
  const refused = (['assumeRoleArn', 'trustAnchorArn', 'trustProfileArn'] as const).find((name) => options[name] !== undefined);
  if (refused !== undefined) throw new Error(`${refused} is not supported: ${NO_ROLES}, or give accessKey and secretKey of the role's session`);
  if ((accessKey === undefined) !== (secretKey === undefined)) throw new Error('accessKey and secretKey are given both, or neither');
  const url = endpoint === undefined || /^https?:\/\//.test(endpoint) ? endpoint : `${more.plainHttp ? 'http' : 'https'}://${endpoint}`;
  if (url !== undefined && !URL.canParse(url)) throw new Error('endpoint must be a URL');
  const lookup = url === undefined ? {} : { lookup: guardOf(new URL(url), more.bucket).lookup };
  return {
    // A compatible server has no regions, and the SDK wants one.
    ...(region === undefined ? (url === undefined ? {} : { region: USUAL_REGION }) : { region }),
    ...(accessKey === undefined || secretKey === undefined ? {} : { credentials: { accessKeyId: accessKey, secretAccessKey: secretKey, ...(sessionToken ? { sessionToken } : {}) } }),
    ...(url === undefined ? {} : { endpoint: url }),
    ...(more.plainHttp && url === undefined ? { tls: false } : {}),
    maxAttempts: ATTEMPTS_MAX,
    requestHandler: {
      connectionTimeout: CONNECT_TIMEOUT_MS,
      httpAgent: { maxSockets: CONNECTIONS_MAX, ...lookup },
      httpsAgent: { maxSockets: CONNECTIONS_MAX, rejectUnauthorized: !more.anyCertificate, ...(caCert ? { ca: caCert } : {}), ...lookup },
    },
  };
}

function guardOf(endpoint: URL, bucket: string | undefined): Egress {
  const ofBucket = bucket === undefined ? undefined : URL.parse(`${endpoint.protocol}//${bucket}.${endpoint.host}`);
  const egress = createEgress({ named: [endpoint, ...(ofBucket ? [ofBucket] : [])] });
  egress.check(endpoint);
  return egress;
}

/** Runs one call, bounded in time; rejects with `BindingError`. What an answer streams after it began is not bounded. */
export async function boundedCall<T>(service: string, timeoutMs: number, signal: AbortSignal, call: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
  const either = AbortSignal.any([signal, late.signal]);
  try {
    return await unlessAborted(call(either), either);
  } catch (error) {
    throw faultOf(error, service, either);
  } finally {
    clearTimeout(timer);
  }
}

const BY_NAME: Readonly<Record<string, BindingFault>> = {
  NoSuchKey: 'not-found',
  NotFound: 'not-found',
  NoSuchBucket: 'not-found',
  QueueDoesNotExist: 'not-found',
  'AWS.SimpleQueueService.NonExistentQueue': 'not-found',
  EntityTooLarge: 'too-large',
  TimeoutError: 'timeout',
  CredentialsProviderError: 'failed',
};

/** The SDK's errors name no secret; the message is the service's. */
export function faultOf(error: unknown, service: string, signal?: AbortSignal): BindingError {
  if (error instanceof BindingError) return error;
  if (signal?.aborted) return new BindingError('timeout', `${service} did not answer in the time allowed`, { cause: signal.reason });
  const { name = '', message = '', code, errors, $metadata } = error as { name?: string; message?: string; code?: string; errors?: readonly Error[]; $metadata?: { httpStatusCode?: number } };
  const status = $metadata?.httpStatusCode;
  const words = message || errors?.[0]?.message || code || name;
  return new BindingError(BY_NAME[name] ?? faultOfStatus(status, code), `${service}: ${words}`, { cause: error, ...(status === undefined ? {} : { httpStatus: status }) });
}

function faultOfStatus(status: number | undefined, code: string | undefined): BindingFault {
  if (status === undefined) return code === undefined ? 'failed' : 'unavailable';
  if (status === 401 || status === 403) return 'denied';
  if (status === 404) return 'not-found';
  if (status === 413) return 'too-large';
  if (status === 502 || status === 503) return 'unavailable';
  return status >= 400 && status < 500 && status !== 429 ? 'invalid-data' : 'failed';
}
