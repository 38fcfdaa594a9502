/** `bindings.aws.s3`: objects of one bucket, one by one or many at a time. Files of the sidecar's host are neither read nor written. */
import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import type { GetObjectCommandOutput, S3Client } from '@aws-sdk/client-s3';
import { BindingError, bytesOf, defineComponent, field, flagOf, textOf, type Binding, type BindingOperations, type BindingRequest, type BindingResponse, type ComponentContext, type OptionsOf } from '@mecha/components/kit';
import { parseDuration } from '@mecha/components/kit/metadata.ts';
import { Turns } from '@mecha/components/kit/turns.ts';
import { boundedCall, clientMetadata, clientSettings, faultOf } from './client.ts';

const strict = { default: false } as const;
const metadata = {
  bucket: field.string('Name of the bucket.', { required: true }),
  ...clientMetadata,
  forcePathStyle: field.boolean('The bucket stands in the path instead of the name of the host; most compatible servers want it.', strict),
  decodeBase64: field.boolean('Data of `create` is base64.', strict),
  encodeBase64: field.boolean('Answers of `get` and `bulkGet` are base64.', strict),
  disableSSL: field.boolean('Speak plain HTTP.', strict),
  insecureSSL: field.boolean('Take any certificate.', strict),
  storageClass: field.string('Storage class of new objects, such as STANDARD_IA.'),
  presignTTL: field.string('How long presigned URLs hold, such as 15m; up to 7 days. With it `create` returns one.'),
  filePath: field.noEffect('File to upload or to save to.', 'objects come and go as data; files of the host of the sidecar are not touched'),
} as const;

const key = { description: 'Key of the object.', required: true } as const;
const presignTTL = { description: 'How long the presigned URL holds, such as 15m.' } as const;
const operations = {
  create: {
    description: 'Writes an object.',
    metadata: {
      key: { description: 'Key of the object; a new UUID when absent.' },
      contentType: { description: 'Its content type; also `Content-Type`.' },
      tags: { description: 'Its tags: `name=value,name=value`.' },
      storageClass: { description: 'Its storage class.' },
      decodeBase64: { description: '`true`: data is base64.' },
      presignTTL,
    },
    data: 'The object: any bytes.',
    result: '{location, versionID, presignURL?}; metadata `key`.',
  },
  get: { description: 'Reads an object.', metadata: { key, encodeBase64: { description: '`true`: as base64.' } }, result: 'The bytes of the object.' },
  delete: { description: 'Deletes an object; one that is not there counts as deleted.', metadata: { key } },
  list: { description: 'Lists objects, up to 1000 at a time.', data: '{prefix?, marker?, delimiter?, maxResults?}', result: 'The answer of ListObjects: {Contents: [{Key, Size, ...}], IsTruncated, ...}.' },
  presign: { description: 'Makes a URL by which anybody may read the object for a time.', metadata: { key, presignTTL }, result: '{presignURL}' },
  bulkGet: { description: 'Reads many objects.', metadata: { encodeBase64: { description: '`true`: as base64.' } }, data: '{items: [{key}], concurrency?}; 1000 items, 64 MiB in sum at most', result: '[{key, data?, error?}] in the order asked for.' },
  bulkCreate: { description: 'Writes many objects.', data: '{items: [{key, data, contentType?}], concurrency?}; 1000 items at most', result: '[{key, location?, error?}] in the order given.' },
  bulkDelete: { description: 'Deletes many objects.', data: '{keys: []}; 100,000 at most', result: '[{key, error?}] in the order given.' },
} as const satisfies BindingOperations;

type Options = OptionsOf<typeof metadata>;
const SERVICE = 'S3';
const KEY_BYTES_MAX = 1_024;
const PRESIGN_MS_MAX = 7 * 24 * 3_600_000;
const PRESIGN_USUAL_MS = 15 * 60_000;
const ITEMS_MAX = 1_000;
const KEYS_MAX = 100_000;
const DELETES_AT_ONCE_MAX = 1_000;
const BULK_BYTES_MAX = 64 * 1024 * 1024;
const CONCURRENCY_USUAL = 10;
const CONCURRENCY_MAX = 50;

function createBinding({ options }: ComponentContext<Options>): Binding {
  const settings = { ...clientSettings(options, { plainHttp: options.disableSSL, anyCertificate: options.insecureSSL, bucket: options.bucket }), forcePathStyle: options.forcePathStyle };
  if (options.presignTTL) presignMs(options.presignTTL);
  const Bucket = options.bucket;
  let client: S3Client | undefined;
  let closed = false;

  async function opened(): Promise<{ sdk: typeof import('@aws-sdk/client-s3'); client: S3Client }> {
    if (closed) throw new BindingError('unavailable', 'the component was closed');
    const sdk = await import('@aws-sdk/client-s3');
    // Checksums of the newer kind are unknown to many compatible servers.
    client ??= new sdk.S3Client({ ...settings, requestChecksumCalculation: 'WHEN_REQUIRED', responseChecksumValidation: 'WHEN_REQUIRED' });
    return { sdk, client };
  }

  const bounded = <T>(signal: AbortSignal, call: (abortSignal: AbortSignal) => Promise<T>): Promise<T> => boundedCall(SERVICE, options.timeout, signal, call);

  async function reach(signal: AbortSignal): Promise<void> {
    const { sdk, client: s3 } = await opened();
    try {
      await bounded(signal, (abortSignal) => s3.send(new sdk.HeadBucketCommand({ Bucket }), { abortSignal }));
    } catch (error) {
      // Who may not look at the bucket may still read or write in it.
      const fault = faultOf(error, SERVICE, signal);
      if (fault.fault === 'not-found') throw new BindingError('not-found', `there is no bucket ${Bucket}`, { cause: error });
      if (fault.fault !== 'denied') throw fault;
    }
  }

  const presigned = async (Key: string, ttl: string | undefined): Promise<string> => {
    const [{ sdk, client: s3 }, { getSignedUrl }] = await Promise.all([opened(), import('@aws-sdk/s3-request-presigner')]);
    return getSignedUrl(s3, new sdk.GetObjectCommand({ Bucket, Key }), { expiresIn: Math.round(presignMs(ttl || options.presignTTL) / 1_000) });
  };

  async function put(Key: string, Body: Uint8Array, more: { contentType?: string | undefined; tags?: string | undefined; storageClass?: string | undefined }, signal: AbortSignal) {
    const { sdk, client: s3 } = await opened();
    const { contentType, tags, storageClass = options.storageClass } = more;
    const command = new sdk.PutObjectCommand({
      Bucket, Key, Body,
      ...(contentType ? { ContentType: contentType } : {}),
      ...(tags ? { Tagging: taggingOf(tags) } : {}),
      ...(storageClass ? { StorageClass: storageClass as 'STANDARD' } : {}),
    });
    const { VersionId } = await bounded(signal, (abortSignal) => s3.send(command, { abortSignal }));
    return { location: await locationOf(s3, Bucket, Key), versionID: VersionId };
  }

  async function read(Key: string, signal: AbortSignal): Promise<GetObjectCommandOutput> {
    const { sdk, client: s3 } = await opened();
    try {
      return await bounded(signal, (abortSignal) => s3.send(new sdk.GetObjectCommand({ Bucket, Key }), { abortSignal }));
    } catch (error) {
      const fault = faultOf(error, SERVICE, signal);
      throw fault.fault === 'not-found' ? new BindingError('not-found', 'object not found', { cause: error, httpStatus: 404 }) : fault;
    }
  }

  const invocations: Readonly<Record<string, (request: BindingRequest, signal: AbortSignal) => Promise<BindingResponse | undefined>>> = {
    async create({ data, metadata: given }, signal) {
      const Key = checkKey(given['key'] || randomUUID());
      const bytes = flagOf(given, 'decodeBase64', options.decodeBase64) ? decoded(textOf(data)) : bytesOf(data);
      const ttl = given['presignTTL'] || options.presignTTL;
      if (ttl) presignMs(ttl);
      const written = await put(Key, bytes, { contentType: given['contentType'] ?? given['Content-Type'], tags: given['tags'], storageClass: given['storageClass'] }, signal);
      return json({ ...written, ...(ttl ? { presignURL: await presigned(Key, ttl) } : {}) }, { key: Key });
    },
    async get({ metadata: given }, signal) {
      const { Body, ContentType } = await read(checkKey(given['key'] ?? ''), signal);
      const about = ContentType ? { metadata: { contentType: ContentType } } : {};
      if (flagOf(given, 'encodeBase64', options.encodeBase64)) return { data: Buffer.from((await Body?.transformToString('base64')) ?? ''), ...about };
      return Body instanceof Readable ? { data: Body, ...about } : { data: (await Body?.transformToByteArray()) ?? Buffer.alloc(0), ...about };
    },
    async delete({ metadata: given }, signal) {
      const { sdk, client: s3 } = await opened();
      const command = new sdk.DeleteObjectCommand({ Bucket, Key: checkKey(given['key'] ?? '') });
      await bounded(signal, (abortSignal) => s3.send(command, { abortSignal }));
      return undefined;
    },
    async list({ data }, signal) {
      const asked = objectIn(data, true);
      const about = { Bucket, ...texts(asked, { prefix: 'Prefix', marker: 'Marker', delimiter: 'Delimiter' }), MaxKeys: wholeNumber(asked['maxResults'], 'maxResults', ITEMS_MAX, ITEMS_MAX) };
      const { sdk, client: s3 } = await opened();
      const { $metadata: _about, ...listed } = await bounded(signal, (abortSignal) => s3.send(new sdk.ListObjectsCommand(about), { abortSignal }));
      return json(listed);
    },
    async presign({ metadata: given }) {
      return json({ presignURL: await presigned(checkKey(given['key'] ?? ''), given['presignTTL']) });
    },
    async bulkGet({ data, metadata: given }, signal) {
      let bytes = 0;
      return json(await eachItem(data, signal, async ({ key: Key }) => {
        const { Body, ContentLength = 0 } = await read(Key, signal);
        bytes += ContentLength;
        if (bytes > BULK_BYTES_MAX) {
          if (Body instanceof Readable) Body.destroy();
          throw new BindingError('too-large', `the objects are longer than ${BULK_BYTES_MAX} bytes in sum`);
        }
        return { data: (await bounded(signal, async () => Body?.transformToString(flagOf(given, 'encodeBase64', options.encodeBase64) ? 'base64' : 'utf8'))) ?? '' };
      }));
    },
    async bulkCreate({ data }, signal) {
      return json(await eachItem(data, signal, async ({ key: Key, data: content, contentType }) => {
        if (content === undefined) throw new BindingError('invalid-data', 'the item has no data');
        const text = typeof content === 'string' ? content : JSON.stringify(content);
        const { location } = await put(Key, options.decodeBase64 ? decoded(text) : Buffer.from(text), { contentType: typeof contentType === 'string' ? contentType : undefined }, signal);
        return { location };
      }));
    },
    async bulkDelete({ data }, signal) {
      const { keys } = objectIn(data);
      if (!Array.isArray(keys) || keys.length === 0 || keys.length > KEYS_MAX) throw new BindingError('invalid-data', `data must be {keys: [...]} with 1 to ${KEYS_MAX} keys`);
      const all = keys.map((one: unknown) => checkKey(typeof one === 'string' ? one : ''));
      const { sdk, client: s3 } = await opened();
      const failed = new Map<string, string>();
      for (let at = 0; at < all.length; at += DELETES_AT_ONCE_MAX) {
        const Objects = all.slice(at, at + DELETES_AT_ONCE_MAX).map((Key) => ({ Key }));
        const { Errors = [] } = await bounded(signal, (abortSignal) => s3.send(new sdk.DeleteObjectsCommand({ Bucket, Delete: { Objects, Quiet: true } }), { abortSignal }));
        for (const { Key = '', Message, Code } of Errors) failed.set(Key, Message ?? Code ?? 'it could not be deleted');
      }
      return json(all.map((Key) => ({ key: Key, ...(failed.has(Key) ? { error: failed.get(Key) } : {}) })));
    },
  };

  return {
    connect: reach,
    ping: () => reach(AbortSignal.timeout(10_000)),
    async close() {
      closed = true;
      client?.destroy();
    },
    async invoke(request, signal) {
      try {
        refuseFile(request.metadata);
        return await invocations[request.operation]?.(request, signal);
      } catch (error) {
        throw faultOf(error, SERVICE, signal);
      }
    },
  };
}

type Item = Readonly<Record<string, unknown>> & { readonly key: string };

/** Does `work` for all items, some at a time; what goes wrong with one is told with it and disturbs no other. */
async function eachItem(data: Uint8Array, signal: AbortSignal, work: (item: Item) => Promise<Readonly<Record<string, unknown>>>): Promise<readonly unknown[]> {
  const { items, concurrency } = objectIn(data);
  if (!Array.isArray(items) || items.length === 0 || items.length > ITEMS_MAX) throw new BindingError('invalid-data', `data must be {items: [...]} with 1 to ${ITEMS_MAX} items`);
  const turns = new Turns(wholeNumber(concurrency, 'concurrency', CONCURRENCY_USUAL, CONCURRENCY_MAX));
  return Promise.all(
    items.map(async (item: unknown) => {
      const one = typeof item === 'object' && item !== null ? (item as Record<string, unknown>) : {};
      const name = typeof one['key'] === 'string' ? one['key'] : '';
      try {
        const Key = checkKey(name);
        refuseFile(one);
        return { key: Key, ...(await turns.take(signal, () => work({ ...one, key: Key }))) };
      } catch (error) {
        signal.throwIfAborted();
        return { key: name, error: faultOf(error, SERVICE).message };
      }
    }),
  );
}

function refuseFile(given: Readonly<Record<string, unknown>>): void {
  if (given['filePath']) throw new BindingError('invalid-metadata', 'filePath is not served: files of the host are neither read nor written; send and take the object as data');
}

/** Keys are texts without meaning to S3; what a file system or a proxy would read as a way upwards is refused all the same. */
function checkKey(text: string): string {
  if (text === '' || Buffer.byteLength(text) > KEY_BYTES_MAX || text.includes('\0') || text.split(/[/\\]/).some((part) => part === '..' || part === '.')) {
    throw new BindingError('invalid-metadata', `a key must have 1 to ${KEY_BYTES_MAX} bytes, and no part that is . or ..`);
  }
  return text;
}

function presignMs(text = ''): number {
  const ms = text === '' ? PRESIGN_USUAL_MS : parseDuration(text, 's');
  if (ms === undefined || ms < 1_000 || ms > PRESIGN_MS_MAX) throw new BindingError('invalid-metadata', 'presignTTL must be a duration from 1s to 168h');
  return ms;
}

function taggingOf(text: string): string {
  const pairs = text.split(',').map((pair) => /^\s*([^=]+?)\s*=\s*(.*?)\s*$/.exec(pair));
  const found = pairs.flatMap((pair): [string, string][] => (pair ? [[pair[1] ?? '', pair[2] ?? '']] : []));
  if (found.length !== pairs.length) throw new BindingError('invalid-metadata', 'tags must be like name=value,name=value');
  return new URLSearchParams(found).toString();
}

async function locationOf(client: S3Client, bucket: string, Key: string): Promise<string> {
  const { endpoint, forcePathStyle, region } = client.config;
  const path = Key.split('/').map(encodeURIComponent).join('/');
  const given = await endpoint?.();
  if (!given) return `https://${bucket}.s3.${await region()}.amazonaws.com/${path}`;
  const host = `${given.hostname}${given.port ? `:${given.port}` : ''}`;
  return `${given.protocol}//${forcePathStyle ? `${host}/${bucket}` : `${bucket}.${host}`}/${path}`;
}

function objectIn(data: Uint8Array, mayBeEmpty = false): Readonly<Record<string, unknown>> {
  const text = textOf(data);
  if (text === '' && mayBeEmpty) return {};
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // Said below, for everything that is no object.
  }
  throw new BindingError('invalid-data', 'data must be a JSON object');
}

function wholeNumber(value: unknown, name: string, usual: number, most: number): number {
  if (value === undefined || value === null) return usual;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 1 || value > most) throw new BindingError('invalid-data', `${name} must be a whole number from 1 to ${most}`);
  return value;
}

/** Those that are given, by the names that the service has for them. Throws for what is no text. */
function texts<K extends string>(values: Readonly<Record<string, unknown>>, names: Readonly<Record<string, K>>): Partial<Record<K, string>> {
  const found: Partial<Record<K, string>> = {};
  for (const [name, serviceName] of Object.entries(names)) {
    const value = values[name] ?? '';
    if (typeof value !== 'string') throw new BindingError('invalid-data', `${name} must be a text`);
    if (value !== '') found[serviceName] = value;
  }
  return found;
}
const json = (value: unknown, about?: Readonly<Record<string, string>>): BindingResponse => ({ data: Buffer.from(JSON.stringify(value)), ...(about ? { metadata: about } : {}) });

function decoded(text: string): Buffer {
  const plain = text.replaceAll(/\s/g, '');
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(plain) || plain.length % 4 === 1) throw new BindingError('invalid-data', 'data is not base64');
  return Buffer.from(plain, 'base64');
}

export default defineComponent({
  type: 'bindings.aws.s3',
  versions: ['v1'],
  status: 'stable',
  title: 'AWS S3',
  description: 'Objects of a bucket of S3 or a compatible server.',
  durability: 'The answer to a write comes when the service has stored the object.',
  metadata,
  features: ['OUTPUT_BINDING'],
  operations,
  library: '@aws-sdk/client-s3',
  create: createBinding,
});
