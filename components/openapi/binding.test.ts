import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { checkMetadata, type Binding, type BindingError } from '@mecha/components/kit';
import { bytesOfResponse, outputBindingConformance } from '../kit/conformance/output-binding.ts';
import { fc } from '../kit/test-properties.ts';
import { buildComponent, connected, createKeptLog, createTurnedClock } from '../kit/testing.ts';
import openapi from './binding.ts';

const DOCUMENT = join(import.meta.dirname, 'shop-for-tests.yaml');
const KEY = 'key-of-the-shop';
const TOKEN = 'token-of-the-shop';
const never = new AbortController().signal;

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}
type Answer = (response: ServerResponse, seen: Seen) => void;

const json = (value: unknown, status = 200): Answer => (response) => void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
const ITEM = { id: '1', name: 'bolt', note: null, parts: [{ id: '2', name: 'nut' }] };

/** The API of the document, as it should be. */
const shop: Answer = (response, seen) => {
  const { method, url } = seen;
  if (method === 'GET' && url.startsWith('/v1/items?')) return json([ITEM])(response, seen);
  if (method === 'POST' && url === '/v1/items') return json({ ...(JSON.parse(seen.body) as object), id: '9' }, 201)(response, seen);
  if (url === '/v1/items/slow') return; // until the caller leaves
  if (method === 'GET' && url.startsWith('/v1/items/')) return json(ITEM)(response, seen);
  if (method === 'DELETE') return void response.writeHead(204).end();
  return void response.writeHead(200, { 'content-type': 'text/plain', 'x-twice': ['a', 'b'] }).end(seen.body);
};

let server: Server;
let base: string;
let answer: Answer;
let seen: Seen[];
/** For what is no text. */
let raw: (body: Buffer, headers: IncomingMessage['headers']) => Promise<void>;
beforeAll(async () => {
  server = createServer((request, response) => {
    void buffer(request).then(async (body) => {
      await raw(body, request.headers);
      const one = { method: request.method ?? '', url: request.url ?? '', headers: request.headers, body: body.toString() };
      seen.push(one);
      answer(response, one);
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  base = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}/v1`;
  [answer, seen, raw] = [shop, [], async () => undefined];
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  [answer, seen, raw] = [shop, [], async () => undefined];
});

const binding = (options: Record<string, unknown> = {}): Binding => buildComponent(openapi, { document: DOCUMENT, url: base, 'security:*': { key: KEY, basic: 'ada:word', missing: TOKEN }, ...options });
async function call(one: Binding, operation: string, metadata: Record<string, string> = {}, data = 'null', signal = never) {
  const request = { operation, data: Buffer.from(data), metadata };
  checkMetadata(one.operations?.[operation] ?? { description: '' }, request);
  const response = await one.invoke?.(request, signal);
  return { text: (await bytesOfResponse(response)).toString(), metadata: response?.metadata ?? {} };
}
const lastSeen = (): Seen => {
  const last = seen.at(-1);
  if (!last) throw new Error('nothing was called');
  return last;
};

outputBindingConformance(openapi, {
  open: () => connected(binding()),
  calls: [
    { operation: 'addItem', data: '{"name":"bolt"}', metadata: { 'X-Tenant': 'a' } },
    { operation: 'listItems', metadata: { 'X-Tenant': 'a', limit: '5' } },
    { operation: 'getItem', metadata: { 'path.id': '7' } },
    { operation: 'sendForm', data: '{"a":"x"}' },
    { operation: 'DELETE /hooks/{at}/', metadata: { at: 'a' } },
    { operation: 'getLocked' },
    { operation: 'getElsewhere' },
  ],
  slow: { operation: 'getItem', metadata: { 'path.id': 'slow' } },
  wrong: [
    { operation: 'listItems', metadata: { 'X-Tenant': 'a', limit: '0' } },
    { operation: 'listItems', metadata: { 'X-Tenant': 'a', limit: 'many' } },
    { operation: 'listItems', metadata: { 'X-Tenant': 'a\r\nX-Key: other', limit: '5' } },
    { operation: 'addItem', metadata: { 'X-Tenant': 'a' } },
    { operation: 'addItem', data: '{"name":7}', metadata: { 'X-Tenant': 'a' } },
    { operation: 'addItem', data: '{"name":', metadata: { 'X-Tenant': 'a' } },
    { operation: 'getItem', metadata: { 'path.id': '..' } },
    { operation: 'sendForm', data: '{"a":"x"}', metadata: { contentType: 'image/png' } },
  ],
  away: () => binding({ url: 'http://127.0.0.1:1' }),
  secrets: [KEY, TOKEN, 'ada:word', Buffer.from('ada:word').toString('base64')],
});

describe('the operations of a document', () => {
  test('are listed with their parameters, in words, with what each needs', async () => {
    const { operations } = await connected(binding());
    expect(Object.keys(operations ?? {})).toEqual(['listItems', 'addItem', 'getItem', 'sendForm', 'DELETE /hooks/{at}/', 'getLocked', 'getElsewhere']);
    expect(operations?.['listItems']).toMatchObject({
      description: 'Lists items',
      metadata: { 'X-Tenant': { description: 'Whose items', required: true }, limit: { description: 'The query parameter limit (integer).', required: true }, tags: {}, near: {}, session: {} },
    });
    expect(operations?.['getItem']?.metadata).toMatchObject({ 'path.id': { required: true }, 'query.id': {} });
    expect(operations?.['addItem']?.data).toBe('The body (application/json)');
    expect(operations?.['sendForm']?.metadata?.['contentType']?.description).toContain('text/plain');
  });

  test('that name servers of their own are left out, with a warning, unless a url says where all go', async () => {
    const log = createKeptLog();
    const one = await connected(buildComponent(openapi, { document: DOCUMENT, 'security:*': { key: KEY } }, { log }));
    expect(Object.keys(one.operations ?? {})).not.toContain('getElsewhere');
    expect(log.lines).toEqual([expect.objectContaining({ level: 'warn', fields: { reason: expect.stringMatching(/^getElsewhere: /) as string } })]);
  });

  test('carry text of any script in headers, as UTF-8, and read it from them', async () => {
    answer = (response) => void response.writeHead(200, { 'content-type': 'application/json', 'x-own': Buffer.from('gęś').toString('latin1') }).end(Buffer.from('[]'));
    await expect(call(await connected(binding()), 'listItems', { 'X-Tenant': 'żółć', limit: '5' })).resolves.toMatchObject({ metadata: { 'X-Own': 'gęś' } });
    expect(Buffer.from(String(lastSeen().headers['x-tenant']), 'latin1').toString()).toBe('żółć');
  });

  test('a value for a security scheme that the document does not have is told, with the nearest one, and not shown', async () => {
    const log = createKeptLog();
    await connected(buildComponent(openapi, { document: DOCUMENT, url: base, 'security:*': { basik: 'ada:word', key: KEY } }, { log }));
    expect(log.lines).toEqual([expect.objectContaining({ level: 'warn', fields: { reason: 'security:basik: the document has no such scheme; did you mean security:basic?' } })]);
  });

  test('put parameters in path, query, header and cookie in the style that the document asks for', async () => {
    const one = await connected(binding());
    await call(one, 'listItems', { 'X-Tenant': 'a b', limit: '5', tags: '1,2', near: '{"x":1.5}', session: 'ü' });
    expect(lastSeen()).toMatchObject({ method: 'GET', url: '/v1/items?tags=1&tags=2&near%5Bx%5D=1.5&limit=5', headers: { 'x-tenant': 'a b', cookie: 'session=%C3%BC', 'x-key': KEY } });
    await call(one, 'getItem', { 'path.id': 'a/b?c#d', 'query.id': '&' });
    expect(lastSeen().url).toBe('/v1/items/a%2Fb%3Fc%23d?id=%26');
    await call(one, 'DELETE /hooks/{at}/', { at: '["x","y"]' });
    expect(lastSeen()).toMatchObject({ method: 'DELETE', url: '/v1/hooks/;at=x;at=y/', headers: { authorization: `Basic ${Buffer.from('ada:word').toString('base64')}` } });
  });

  test('send numbers with every digit, in parameters and in forms', async () => {
    const long = '9007199254740993';
    const schema = { type: 'integer' };
    const document = JSON.stringify({
      openapi: '3.0.3',
      paths: {
        '/of/{id}': {
          post: {
            operationId: 'send',
            parameters: [
              { name: 'id', in: 'path', required: true, schema },
              { name: 'ids', in: 'query', schema: { type: 'array', items: schema } },
              { name: 'near', in: 'query', style: 'deepObject', schema: { type: 'object', properties: { x: schema } } },
              { name: 'filter', in: 'query', content: { 'application/json': { schema: { type: 'object' } } } },
            ],
            requestBody: { content: { 'application/x-www-form-urlencoded': { schema: { type: 'object', properties: { n: schema } } } } },
            responses: { 200: { description: 'ok' } },
          },
        },
      },
    });
    const one = await connected(binding({ document }));
    for (const ids of [`1,${long}`, `[1,${long}]`]) {
      await call(one, 'send', { id: long, ids, near: `{"x":${long}}`, filter: `{"n":${long},"m":1.5}` }, `{"n":${long}}`);
      expect(lastSeen()).toMatchObject({ url: `/v1/of/${long}?ids=1&ids=${long}&near%5Bx%5D=${long}&filter=${encodeURIComponent(`{"n":${long},"m":1.5}`)}`, body: `n=${long}` });
    }
  });

  test('send multipart forms: a part for each member and item, bytes from base64, structures as JSON', async () => {
    const properties = { note: { type: 'string' }, n: { type: 'integer' }, file: { type: 'string', format: 'binary' }, more: { type: 'array', items: { type: 'string', format: 'binary' } }, about: { type: 'object' } };
    const document = JSON.stringify({
      openapi: '3.0.3',
      components: { schemas: { Upload: { allOf: [{ type: 'object', required: ['file'], properties }] } } },
      paths: { '/upload': { post: { operationId: 'upload', requestBody: { content: { 'multipart/form-data': { schema: { $ref: '#/components/schemas/Upload' }, encoding: { file: { contentType: 'image/png' } } } } }, responses: { 200: { description: 'ok' } } } } },
    });
    const one = await connected(binding({ document }));
    expect(one.operations?.['upload']?.data).toMatch(/multipart\/form-data.*bytes as base64/);
    const bytes = Buffer.from([0, 255, 13, 10, 34]);
    const form = `{"note":"żółć\\r\\n--x","n":9007199254740993,"file":"${bytes.toString('base64')}","more":["YQ==","Yg=="],"about":{"a":1},"a\\"\\r\\nb":"c"}`;
    let parts: FormData | undefined;
    raw = async (body, headers) => void (parts = await new Response(new Uint8Array(body), { headers: { 'content-type': String(headers['content-type']) } }).formData());
    await call(one, 'upload', {}, form);
    expect([parts?.get('note'), parts?.get('n'), parts?.get('about'), parts?.get('a"\r\nb')]).toEqual(['żółć\r\n--x', '9007199254740993', '{"a":1}', 'c']);
    const files = [...(parts?.getAll('file') ?? []), ...(parts?.getAll('more') ?? [])] as File[];
    expect(await Promise.all(files.map(async (file) => [file.type, Buffer.from(await file.arrayBuffer()).toString('base64')]))).toEqual([['image/png', bytes.toString('base64')], ['application/octet-stream', 'YQ=='], ['application/octet-stream', 'Yg==']]);
    seen = [];
    for (const wrong of ['{}', '{"file":"not base64!"}', '{"file":7}', '[]', 'x']) await expect(call(one, 'upload', {}, wrong), wrong).rejects.toMatchObject({ fault: 'invalid-data' });
    expect(seen).toEqual([]);
  });

  test('know properties and schemas of any name, also those of keywords, and leave values as they are', async () => {
    const properties = { example: { type: 'string' }, examples: { type: 'integer' }, properties: { type: 'object', properties: { nullable: { type: 'boolean' } } }, kind: { enum: [{ example: 1 }] } };
    const document = JSON.stringify({
      openapi: '3.0.3',
      components: { schemas: { example: { type: 'object', additionalProperties: false, required: ['example'], properties } } },
      paths: { '/strict': { post: { operationId: 'strict', requestBody: { content: { 'application/json': { schema: { $ref: '#/components/schemas/example' }, example: { $id: 'other' } } } }, responses: { 200: { description: 'ok' } } } } },
    });
    const one = await connected(binding({ document }));
    await call(one, 'strict', {}, '{"example":"a","examples":1,"properties":{"nullable":true},"kind":{"example":1}}');
    expect(seen).toHaveLength(1);
    for (const wrong of ['{"example":1}', '{"examples":1}', '{"example":"a","examples":"b"}', '{"example":"a","properties":{"nullable":1}}', '{"example":"a","kind":{}}']) await expect(call(one, 'strict', {}, wrong), wrong).rejects.toMatchObject({ fault: 'invalid-data' });
  });

  test('are checked by patterns of either kind, with needless escapes and with properties of Unicode', async () => {
    const document = JSON.stringify({
      openapi: '3.0.3',
      paths: { '/p': { get: { operationId: 'get', parameters: [{ name: 'old', in: 'query', schema: { type: 'string', pattern: String.raw`^[a-z\_\@]+$` } }, { name: 'new', in: 'query', schema: { type: 'string', pattern: String.raw`^\p{Lu}+$` } }], responses: { 200: { description: 'ok' } } } } },
    });
    const one = await connected(binding({ document }));
    await call(one, 'get', { old: 'a_b@', new: 'ŻÓ' });
    for (const wrong of [{ old: 'A' }, { new: 'ż' }]) await expect(call(one, 'get', wrong as Record<string, string>)).rejects.toMatchObject({ fault: 'invalid-metadata' });
  });

  test('whose schema is wrong are errors that name its place, and the others are served', async () => {
    const operation = (operationId: string, schema: object) => ({ get: { operationId, parameters: [{ name: 'q', in: 'query', schema }], responses: { 200: { description: 'ok' } } } });
    const document = JSON.stringify({ openapi: '3.0.3', paths: { '/good': operation('good', { type: 'string' }), '/bad': operation('bad', { type: 'object', properties: { a: { $ref: '#/components/schemas/None' } } }), '/worse': operation('worse', { pattern: '(' }) } });
    const one = await connected(binding({ document }));
    await call(one, 'good', { q: 'x' });
    await expect(call(one, 'bad', { q: 'x' })).rejects.toThrow(/^the schema at #\/paths\/~1bad\/get\/parameters\/0\/schema of the document cannot be used: .*None/);
    await expect(call(one, 'worse', { q: 'x' })).rejects.toThrow(/~1worse.* cannot be used: Invalid regular expression/);
  });

  test('send JSON as it came, forms and texts, and give back body, status and headers', async () => {
    const one = await connected(binding());
    await expect(call(one, 'addItem', { 'X-Tenant': 'a' }, '{"name": "bolt" }')).resolves.toMatchObject({ text: '{"name":"bolt","id":"9"}', metadata: { statusCode: '201', status: '201 Created', 'Content-Type': 'application/json' } });
    expect(lastSeen()).toMatchObject({ body: '{"name": "bolt" }', headers: { 'content-type': 'application/json' } });
    await expect(call(one, 'sendForm', {}, '{"a":"x y","b":["1","2"]}')).resolves.toMatchObject({ text: 'a=x+y&b=1&b=2', metadata: { 'X-Twice': 'a, b' } });
    await expect(call(one, 'sendForm', { contentType: 'text/plain' }, '"hello"')).resolves.toMatchObject({ text: 'hello' });
    await expect(call(one, 'sendForm', { contentType: 'text/plain' }, '"longer than ten"')).rejects.toMatchObject({ fault: 'invalid-data' });
    await expect(call(one, 'sendForm')).resolves.toMatchObject({ text: '' });
    expect(lastSeen().headers['x-key']).toBeUndefined();
  });

  test('send nothing that the document does not allow, and say which place is wrong without its value', async () => {
    const one = await connected(binding());
    await expect(call(one, 'addItem', { 'X-Tenant': 'a' }, '{"name":"bolt","colour":"s3cret"}')).rejects.toMatchObject({ fault: 'invalid-data', message: expect.stringMatching(/additional properties \(colour\)$/) as string });
    await expect(call(one, 'listItems', { 'X-Tenant': 'a', limit: '101' })).rejects.toMatchObject({ fault: 'invalid-metadata', message: expect.stringMatching(/metadata limit .* <= 100/) as string });
    await expect(call(one, 'listItems', { 'X-Tenant': 'a', limit: '1', near: '{"x":"s3cret"}' })).rejects.toThrow(/near .*\/x must be number/);
    await expect(call(one, 'addItem', { 'X-Tenant': 'a' }, '{"name":"a","parts":[{"name":1}]}')).rejects.toThrow(/\/parts\/0\/name must be string/);
    expect(seen).toEqual([]);
  });

  test('without credentials for any alternative are refused by name; the others are served', async () => {
    const one = await connected(binding({ 'security:*': { key: KEY } }));
    await expect(call(one, 'getLocked')).rejects.toMatchObject({ fault: 'denied', message: expect.stringContaining('security:missing') as string });
    await call(one, 'DELETE /hooks/{at}/', { at: 'a' });
    expect(lastSeen().headers.authorization).toBeUndefined();
  });
});

describe('an answer', () => {
  test('that does not fit the document is an error, with what came; or is taken, when told so', async () => {
    const one = await connected(binding());
    const get = () => call(one, 'getItem', { 'path.id': '1' });
    for (const [wrong, words] of [
      [json({ name: 'no id' }), /required property 'id'/],
      [json([ITEM]), /must be object/],
      [(response) => void response.writeHead(200, { 'content-type': 'application/json' }).end('{'), /not valid JSON/],
      [(response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<p>'), /content type is text\/html/],
    ] as const satisfies readonly (readonly [Answer, RegExp])[]) {
      answer = wrong;
      await expect(get()).rejects.toMatchObject({ fault: 'failed', message: expect.stringMatching(words) as string, response: { metadata: { statusCode: '200' } } });
    }
    answer = json([]);
    await expect(call(one, 'addItem', { 'X-Tenant': 'a' }, '{"name":"x"}')).rejects.toThrow(/describes no answer of status 200/);
    await expect(call(await connected(binding({ validateResponse: false })), 'getItem', { 'path.id': '1' })).resolves.toMatchObject({ text: '[]' });
  });

  test('of a status that is no success is an error that a policy judges by the status; or is given back, when told so', async () => {
    const one = await connected(binding());
    for (const status of [404, 403, 422, 429, 503, 500]) {
      answer = json({ problem: status }, status);
      await expect(call(one, 'getItem', { 'path.id': '1' })).rejects.toMatchObject({ fault: 'failed', permanent: false, httpStatus: status, response: { metadata: { statusCode: String(status) } } });
    }
    await expect(call(await connected(binding({ errorIfNot2XX: false })), 'getItem', { 'path.id': '1' })).resolves.toMatchObject({ text: '{"problem":500}', metadata: { statusCode: '500' } });
  });

  test('that asks to be left alone is heard, in seconds and by a date', async () => {
    const one = await connected(buildComponent(openapi, { document: DOCUMENT, url: base, 'security:*': { key: KEY } }, { clock: createTurnedClock(Date.UTC(2026, 0, 1)) }));
    for (const [retryAfter, asked] of [['3', 3_000], ['Thu, 01 Jan 2026 00:00:07 GMT', 7_000]] as const) {
      answer = (response) => void response.writeHead(429, { 'retry-after': retryAfter }).end();
      await expect(call(one, 'getItem', { 'path.id': '1' })).rejects.toMatchObject({ httpStatus: 429, retryAfterMs: asked });
    }
  });

  test('longer than the bound, or later than it, is an error', async () => {
    answer = json({ ...ITEM, note: 'x'.repeat(10_000) });
    await expect(call(await connected(binding({ maxResponseBodySize: 5_000 })), 'getItem', { 'path.id': '1' })).rejects.toThrow(/longer than 5000 bytes/);
    answer = shop;
    await expect(call(await connected(binding({ responseTimeout: 50 })), 'getItem', { 'path.id': 'slow' })).rejects.toMatchObject({ fault: 'timeout' });
  });
});

describe('(users 50) a call stays where the component says', () => {
  test('a redirect is not followed', async () => {
    answer = (response) => void response.writeHead(302, { location: 'http://127.0.0.1:1/elsewhere' }).end();
    await expect(call(await connected(binding()), 'getItem', { 'path.id': '1' })).rejects.toMatchObject({ httpStatus: 302 });
    expect(seen).toHaveLength(1);
  });

  test('no value of a parameter leads out of its place in the path', async () => {
    const one = await connected(binding());
    const nasty = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 20 }), fc.constantFrom('..', '.', '../../admin', '..%2f..', '%2e%2e', '//evil.example', '@evil.example', '\\\\evil', 'a/../..', '..;/', 'x?y=z#w', '\u2025'));
    await fc.assert(
      fc.asyncProperty(nasty, async (id) => {
        seen = [];
        const error = await call(one, 'getItem', { 'path.id': id }).then(() => undefined, (reason: unknown) => reason);
        if (error !== undefined) {
          expect((error as BindingError).permanent).toBe(true);
          expect(seen).toEqual([]);
          return;
        }
        expect(seen).toHaveLength(1);
        const [, rest = ''] = /^\/v1\/items\/([^/?#]+)$/.exec(lastSeen().url) ?? [];
        expect(decodeURIComponent(rest)).toBe(id);
      }),
      { numRuns: 200 },
    );
  });

  test('a document or url that cannot be had is refused in words', async () => {
    expect(() => binding({ url: 'ftp://x' })).toThrow(/http:\/\//);
    expect(() => binding({ url: 'http://user:word@x/' })).toThrow(/neither user nor password/);
    for (const host of ['169.254.169.254', '[fe80::1]', '[::ffff:169.254.1.1]', '2852039166', '0xa9fea9fe']) expect(() => binding({ url: `http://${host}/` }), host).toThrow(/link-local/);
    const refused: readonly (readonly [string, RegExp])[] = [
      [join(import.meta.dirname, 'no-such.yaml'), /ENOENT/],
      [`${base}/no-such.yaml`, /no-such\.yaml was answered with status 404/],
      ['http://127.0.0.1:1/api.json', /ECONNREFUSED/],
      ['http://169.254.169.254/api.json', /link-local/],
      ['{"openapi":"2.0"}', /3\.0\.x or 3\.1\.x/],
      ['{"openapi":"3.0.0","paths":{}}', /no operation/],
      ['{"openapi":"3.0.0","paths":{"/a":{"$ref":"other.yaml#/a"}}}', /outside of it/],
      ['{"openapi":"3.0.0","paths":{"/a":{"get":{"parameters":[{"$ref":"#/nowhere"}]}}}}', /does not have/],
      ['{"openapi":"3.0.0","paths":{"/a":{"$ref":"#/paths/~1b"},"/b":{"$ref":"#/paths/~1a"}}}', /circle/],
      ['{"openapi":"3.0.0","paths":{"/a":{"get":{"operationId":"x"},"put":{"operationId":"x"}}}}', /two operations named x/],
      ['{"openapi":"3.0.0","paths":{"/a":{"get":{}}}}', /metadata url/],
    ];
    answer = (response) => void response.writeHead(404).end();
    for (const [document, words] of refused) await expect(connected(buildComponent(openapi, { document })), document).rejects.toThrow(words);
  });
});

test('a document is fetched by its URL, and servers that it names by a path are of its origin', async () => {
  const paths = { '/items/{id}': { get: { operationId: 'get', parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'string' } }], responses: { 200: { description: 'ok' } } } } };
  answer = (response, one) => (one.url.startsWith('/docs/') ? json({ openapi: '3.1.0', servers: [{ url: '../v2/' }], paths }) : shop)(response, one);
  const one = await connected(buildComponent(openapi, { document: base.replace('/v1', '/docs/api.json?of=shop') }));
  expect(lastSeen()).toMatchObject({ method: 'GET', url: '/docs/api.json?of=shop' });
  await call(one, 'get', { id: '7' });
  expect(lastSeen().url).toBe('/v2/items/7');
  answer = json({ openapi: '3.1.0', servers: [{ url: 'http://elsewhere.example/v2' }], paths });
  await expect(connected(buildComponent(openapi, { document: `${base}/api.json` }))).rejects.toThrow(/names a server elsewhere: give the component metadata url/);
});

test('a document of version 3.1 is read with the schemas of today', async () => {
  const document = JSON.stringify({
    openapi: '3.1.0',
    paths: { '/things': { put: { operationId: 'put', requestBody: { content: { 'application/json': { schema: { type: ['object', 'null'], properties: { n: { exclusiveMinimum: 3 }, kind: { const: 'a' } }, unevaluatedProperties: false } } } }, responses: { '2XX': { description: 'ok' } } } } },
  });
  const one = await connected(binding({ document }));
  await call(one, 'put', {}, '{"n":4,"kind":"a"}');
  await expect(call(one, 'put', {}, '{"n":3}')).rejects.toThrow(/> 3/);
  await expect(call(one, 'put', {}, '{"m":3}')).rejects.toThrow(/unevaluated/);
});

describe('the key of a repetition', () => {
  test('arrives as Idempotency-Key, unless the request gives that header itself', async () => {
    const one = await connected(binding());
    await call(one, 'getItem', { 'path.id': '1', idempotencyKey: 'execution/1' });
    expect(lastSeen().headers['idempotency-key']).toBe('execution/1');
    await call(one, 'getItem', { 'path.id': '1' });
    expect(lastSeen().headers['idempotency-key']).toBeUndefined();
  });

  test('does for an operation that requires the header; one without either is refused', async () => {
    const parameters = [{ name: 'Idempotency-Key', in: 'header', required: true, schema: { type: 'string', maxLength: 20 } }];
    const one = await connected(binding({ document: JSON.stringify({ openapi: '3.1.0', paths: { '/orders': { delete: { operationId: 'place', parameters, responses: { '2XX': { description: 'ok' } } } } } }) }));
    for (const [metadata, arrived] of [[{ idempotencyKey: 'execution/1' }, 'execution/1'], [{ 'Idempotency-Key': 'own', idempotencyKey: 'execution/1' }, 'own'], [{ 'Idempotency-Key': 'own' }, 'own']] as const) {
      await call(one, 'place', metadata);
      expect(lastSeen().headers['idempotency-key']).toBe(arrived);
    }
    for (const metadata of [{}, { 'Idempotency-Key': '', idempotencyKey: '' }]) await expect(call(one, 'place', metadata)).rejects.toMatchObject({ fault: 'invalid-metadata', message: 'metadata Idempotency-Key, or idempotencyKey, is missing' });
    await expect(call(one, 'place', { idempotencyKey: 'longer than twenty letters' })).rejects.toThrow(/does not fit the document/);
    expect(seen).toHaveLength(3);
  });
});
