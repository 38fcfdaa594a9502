import { randomUUID } from 'node:crypto';
import { createServer } from 'node:net';
import { CreateBucketCommand, GetObjectTaggingCommand, HeadObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkMetadata, type Binding } from '@mecha/components/kit';
import { serverAddress, startPrivateServer } from '../../test/servers/servers.ts';
import { bytesOfResponse, outputBindingConformance } from '../kit/conformance/output-binding.ts';
import { buildComponent, connected } from '../kit/testing.ts';
import s3 from './s3.ts';

const endpoint = `http://${serverAddress('moto')}`;
const SECRET = 'secret-of-the-access-key';
const bucket = `mecha-${randomUUID()}`;
const never = new AbortController().signal;
const credentials = { accessKeyId: 'AKIATEST', secretAccessKey: SECRET };
const access = { accessKey: credentials.accessKeyId, secretKey: SECRET, forcePathStyle: true };
const raw = new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true, credentials });

beforeAll(() => raw.send(new CreateBucketCommand({ Bucket: bucket })));
afterAll(() => raw.destroy());

const binding = (options: Record<string, unknown> = {}): Binding => buildComponent(s3, { bucket, endpoint, ...access, ...options });
async function call(one: Binding, operation: string, metadata: Record<string, string> = {}, data: unknown = null) {
  const request = { operation, data: Buffer.from(typeof data === 'string' ? data : JSON.stringify(data)), metadata };
  checkMetadata(s3.operations?.[operation] ?? { description: '' }, request);
  const response = await one.invoke?.(request, never);
  return { text: (await bytesOfResponse(response)).toString(), metadata: response?.metadata };
}
const value = async (answer: Promise<{ text: string }>): Promise<unknown> => JSON.parse((await answer).text) as unknown;

outputBindingConformance(s3, {
  open: () => connected(binding()),
  calls: [
    { operation: 'create', data: '{"a":1}', metadata: { key: 'conformance' } },
    { operation: 'get', metadata: { key: 'conformance' } },
    { operation: 'list' },
    { operation: 'presign', metadata: { key: 'conformance', presignTTL: '1m' } },
    { operation: 'bulkCreate', data: '{"items":[{"key":"many/1","data":"x"}]}' },
    { operation: 'bulkGet', data: '{"items":[{"key":"many/1"}]}' },
    { operation: 'bulkDelete', data: '{"keys":["many/1"]}' },
    { operation: 'delete', metadata: { key: 'no-such-object' } },
  ],
  wrong: [
    { operation: 'get', metadata: { key: 'no-such-object' } },
    { operation: 'get', metadata: { key: '../other-bucket/secret' } },
    { operation: 'create', metadata: { key: 'a/./b' } },
    { operation: 'create', metadata: { decodeBase64: 'true' }, data: 'not base64!' },
    { operation: 'create', metadata: { tags: 'none' } },
    { operation: 'create', metadata: { presignTTL: '10d' } },
    { operation: 'presign', metadata: { key: 'a', presignTTL: '200h' } },
    { operation: 'create', metadata: { key: 'a', filePath: '/etc/hostname' } },
    { operation: 'get', metadata: { key: 'conformance', filePath: '/tmp/saved' } },
    { operation: 'create', metadata: { key: 'a', decodeBase64: 'perhaps' } },
    { operation: 'list', data: '[]' },
    { operation: 'list', data: '{"prefix":7}' },
    { operation: 'bulkGet', data: '{"items":[]}' },
    { operation: 'bulkCreate', data: '{"items":[{"key":"a","data":"b"}],"concurrency":1000}' },
    { operation: 'bulkDelete', data: '{"keys":["../a"]}' },
  ],
  away: () => binding({ endpoint: 'http://127.0.0.1:1' }),
  secrets: [SECRET],
});

describe('an object', () => {
  test('is written with type and tags, and read back byte by byte, listed, and deleted', async () => {
    const one = await connected(binding());
    const bytes = Buffer.from([0, 255, 1, 254]);
    const answer = await one.invoke?.({ operation: 'create', data: bytes, metadata: { key: 'kinds/ü b.bin', contentType: 'application/x-test', tags: 'a=1, b=two words' } }, never);
    expect(answer?.metadata).toEqual({ key: 'kinds/ü b.bin' });
    expect(JSON.parse((await bytesOfResponse(answer)).toString())).toMatchObject({ location: `${endpoint}/${bucket}/kinds/%C3%BC%20b.bin` });
    expect(await raw.send(new HeadObjectCommand({ Bucket: bucket, Key: 'kinds/ü b.bin' }))).toMatchObject({ ContentType: 'application/x-test' });
    expect((await raw.send(new GetObjectTaggingCommand({ Bucket: bucket, Key: 'kinds/ü b.bin' }))).TagSet).toEqual([{ Key: 'a', Value: '1' }, { Key: 'b', Value: 'two words' }]);
    const read = await one.invoke?.({ operation: 'get', data: Buffer.from('null'), metadata: { key: 'kinds/ü b.bin' } }, never);
    expect(await bytesOfResponse(read)).toEqual(bytes);
    await expect(call(one, 'get', { key: 'kinds/ü b.bin', encodeBase64: 'true' })).resolves.toMatchObject({ text: bytes.toString('base64') });
    await expect(value(call(one, 'list', {}, { prefix: 'kinds/', maxResults: 5 }))).resolves.toMatchObject({ MaxKeys: 5, IsTruncated: false, Contents: [{ Key: 'kinds/ü b.bin', Size: 4 }] });
    await expect(call(one, 'delete', { key: 'kinds/ü b.bin' })).resolves.toMatchObject({ text: '' });
    await expect(call(one, 'get', { key: 'kinds/ü b.bin' })).rejects.toMatchObject({ fault: 'not-found', message: 'object not found' });
  });

  test('without a key gets one; a JSON string loses its quotes, and base64 is decoded only when told so', async () => {
    const one = await connected(binding());
    const { metadata } = await call(one, 'create', {}, 'abcd');
    expect(metadata?.['key']).toMatch(/^[0-9a-f-]{36}$/);
    await call(one, 'create', { key: 'text' }, '"abcd"');
    await expect(call(one, 'get', { key: 'text' })).resolves.toMatchObject({ text: 'abcd' });
    await call(one, 'create', { key: 'bytes', decodeBase64: 'True' }, JSON.stringify(Buffer.from('hello').toString('base64')));
    await expect(call(one, 'get', { key: 'bytes' })).resolves.toMatchObject({ text: 'hello' });
  });

  test('may be read by anybody who has its presigned URL', async () => {
    const one = await connected(binding({ presignTTL: '5m' }));
    const { presignURL } = (await value(call(one, 'create', { key: 'shared' }, 'for all'))) as { presignURL: string };
    expect(presignURL).toContain('X-Amz-Expires=300');
    expect(presignURL).not.toContain(SECRET);
    await expect(fetch(presignURL).then((response) => response.text())).resolves.toBe('for all');
    await expect(value(call(one, 'presign', { key: 'shared', presignTTL: '1h' }))).resolves.toMatchObject({ presignURL: expect.stringContaining('X-Amz-Expires=3600') as string });
  });
});

test('of many at a time each has an answer of its own, in order, and one that fails disturbs no other', async () => {
  const one = await connected(binding());
  const items = [{ key: 'bulk/1', data: 'one' }, { key: '../out', data: 'x' }, { key: 'bulk/2', data: { n: 2 }, contentType: 'application/json' }, { key: 'bulk/3' }];
  await expect(value(call(one, 'bulkCreate', {}, { items, concurrency: 2 }))).resolves.toEqual([
    { key: 'bulk/1', location: `${endpoint}/${bucket}/bulk/1` },
    { key: '../out', error: expect.stringMatching(/\.\./) as string },
    { key: 'bulk/2', location: `${endpoint}/${bucket}/bulk/2` },
    { key: 'bulk/3', error: expect.stringMatching(/no data/) as string },
  ]);
  await expect(value(call(one, 'bulkGet', {}, { items: [{ key: 'bulk/2' }, { key: 'bulk/none' }, { key: 'bulk/1' }] }))).resolves.toEqual([
    { key: 'bulk/2', data: '{"n":2}' },
    { key: 'bulk/none', error: 'object not found' },
    { key: 'bulk/1', data: 'one' },
  ]);
  await expect(value(call(one, 'bulkDelete', {}, { keys: ['bulk/1', 'bulk/2'] }))).resolves.toEqual([{ key: 'bulk/1' }, { key: 'bulk/2' }]);
  await expect(value(call(one, 'list', {}, { prefix: 'bulk/' }))).resolves.not.toHaveProperty('Contents');
});

describe('the service', () => {
  test('that is away, or has no such bucket, is waited for; the same instance then serves, and again after it was gone', { timeout: 240_000 }, async () => {
    const server = await startPrivateServer('moto');
    const own = new S3Client({ endpoint: `http://${server.address}`, region: 'us-east-1', forcePathStyle: true, credentials });
    try {
      await server.stop(true);
      const one = binding({ endpoint: `http://${server.address}` });
      await expect(one.connect?.(never)).rejects.toMatchObject({ fault: 'unavailable' });
      await server.start();
      await expect(one.connect?.(never)).rejects.toThrow(`there is no bucket ${bucket}`);
      await own.send(new CreateBucketCommand({ Bucket: bucket }));
      await one.connect?.(never);
      await call(one, 'create', { key: 'a' }, 'x');
      await server.stop(true);
      await expect(call(one, 'get', { key: 'a' })).rejects.toMatchObject({ fault: 'unavailable', permanent: false });
      await server.start();
      await own.send(new CreateBucketCommand({ Bucket: bucket }));
      await call(one, 'create', { key: 'a' }, 'x');
    } finally {
      own.destroy();
      await server.dispose();
    }
  });

  test('that hangs holds a call no longer than its signal', async () => {
    const taken = Promise.withResolvers<void>();
    const silent = createServer((socket) => {
      socket.on('error', () => undefined);
      taken.resolve();
    });
    await new Promise<void>((resolve) => void silent.listen(0, '127.0.0.1', resolve));
    const address = silent.address();
    const one = binding({ endpoint: `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}` });
    const leave = new AbortController();
    const under = one.invoke?.({ operation: 'get', data: Buffer.from('null'), metadata: { key: 'a' } }, leave.signal);
    await taken.promise;
    leave.abort(new Error('too long'));
    await expect(under).rejects.toMatchObject({ fault: 'timeout' });
    await one.close?.();
    await new Promise<void>((resolve) => void silent.close(() => resolve()));
  });

  test('is not asked when the YAML contradicts itself', () => {
    expect(() => binding({ secretKey: undefined })).toThrow(/both/);
    expect(() => binding({ presignTTL: 'soon' })).toThrow(/presignTTL/);
    expect(() => binding({ endpoint: 'http://' })).toThrow(/endpoint/);
    // (users 50)
    for (const host of ['169.254.169.254', '2852039166']) expect(() => binding({ endpoint: `http://${host}` }), host).toThrow(/link-local/);
  });
});
