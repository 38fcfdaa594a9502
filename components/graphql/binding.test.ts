import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { text } from 'node:stream/consumers';
import { buildSchema, graphql } from 'graphql';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Binding } from '@mecha/components/kit';
import { bytesOfResponse, outputBindingConformance } from '../kit/conformance/output-binding.ts';
import { buildComponent, connected, createTurnedClock } from '../kit/testing.ts';
import binding from './binding.ts';

const schema = buildSchema(`
  type Item { id: ID!, name: String!, count: Int! }
  type Query { item(id: ID!): Item, items(most: Int!): [Item!]!, slow: String }
  type Mutation { rename(id: ID!, name: String!): Item! }
`);
const TOKEN = 'Bearer token-of-the-endpoint';
const never = new AbortController().signal;

let server: Server;
let endpoint: string;
let names: Map<string, string>;
let lastHeaders: IncomingHttpHeaders;
let lastBody: string;
/** Answers of its own, in the place of GraphQL's. */
let instead: { status: number; body: string; headers?: Record<string, string> } | undefined;

const itemOf = (id: string) => ({ id, name: names.get(id), count: 7 });
const rootValue = {
  item: ({ id }: { id: string }) => (names.has(id) ? itemOf(id) : null),
  items: ({ most }: { most: number }) => [...names.keys()].slice(0, most).map(itemOf),
  slow: () => new Promise(() => undefined),
  rename: ({ id, name }: { id: string; name: string }) => {
    if (!names.has(id)) throw new Error(`there is no item ${id}`);
    names.set(id, name);
    return itemOf(id);
  },
};

beforeAll(async () => {
  server = createServer((request, response) => {
    lastHeaders = request.headers;
    void text(request).then(async (asked) => {
      lastBody = asked;
      const { query, variables } = JSON.parse(asked) as { query: string; variables: Record<string, unknown> };
      if (instead) return response.writeHead(instead.status, instead.headers).end(instead.body);
      const answer = await graphql({ schema, source: query, rootValue, variableValues: variables });
      return response.writeHead(answer.data === undefined ? 400 : 200, { 'content-type': 'application/graphql-response+json' }).end(JSON.stringify(answer));
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  endpoint = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}/api/graphql/`;
  reset();
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
const reset = (): void => {
  names = new Map([['1', 'bolt'], ['2', 'nut']]);
  instead = undefined;
};
beforeEach(reset);

const build = (options: Record<string, unknown> = {}): Binding => buildComponent(binding, { endpoint, 'header:*': { Authorization: TOKEN }, ...options });
async function call(one: Binding, operation: string, metadata: Record<string, string>, data = 'null') {
  const response = await one.invoke?.({ operation, data: Buffer.from(data), metadata }, never);
  return { value: JSON.parse((await bytesOfResponse(response)).toString()) as unknown, metadata: response?.metadata };
}

outputBindingConformance(binding, {
  open: () => connected(build()),
  calls: [
    { operation: 'query', metadata: { query: 'query { items(most: 1) { id } }' } },
    { operation: 'mutation', metadata: { mutation: 'mutation R($n: String!) { rename(id: 1, name: $n) { name } }', 'variable:n': 'x' } },
  ],
  wrong: [
    { operation: 'query', metadata: { query: '{ items(most: 1) { id } }' } },
    { operation: 'query', metadata: { query: 'mutation { rename(id: 1, name: "x") { id } }' } },
    { operation: 'query', metadata: { query: 'query { items(most: 1) { id } }' }, data: '[1]' },
    { operation: 'query', metadata: { query: 'query { items(most: 1) { id } }' }, data: '12345678901234567890' },
    { operation: 'query', metadata: { query: 'query { items(most: 1) { id } }' }, data: '{' },
    { operation: 'query', metadata: { query: 'query { items(most: 1) { id } }', 'header:Host': 'evil.example' } },
    { operation: 'query', metadata: { query: 'query { items(most: 1) { id } }', 'header:X-A': 'a\r\nX-B: c' } },
  ],
  slow: { operation: 'query', metadata: { query: 'query { slow }' } },
  away: () => build({ endpoint: 'http://127.0.0.1:1/' }),
  secrets: [TOKEN],
});

describe('a query', () => {
  test('takes variables from data by their type, and from metadata as texts', async () => {
    const query = 'query Q($id: ID!, $most: Int!) { item(id: $id) { name } items(most: $most) { id count } }';
    const { value, metadata } = await call(await connected(build()), 'query', { query, 'variable:id': '2' }, '{"most":1,"id":"1"}');
    expect(value).toEqual({ item: { name: 'nut' }, items: [{ id: '1', count: 7 }] });
    expect(metadata).toMatchObject({ operation: 'query', 'start-time': expect.stringMatching(/^\d{4}-.*Z$/) as string, 'end-time': expect.any(String) as string, duration: expect.stringMatching(/^\d+ms$/) as string });
  });

  test('carries the headers of the component, and those of the request before them', async () => {
    const query = 'query { items(most: 1) { id } }';
    await call(await connected(build()), 'query', { query });
    expect(lastHeaders).toMatchObject({ authorization: TOKEN, 'content-type': 'application/json' });
    await call(await connected(build()), 'query', { query, 'header:authorization': 'Bearer other', 'header:X-Tenant': 'a', traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' });
    expect(lastHeaders).toMatchObject({ authorization: 'Bearer other', 'x-tenant': 'a', traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' });
  });
});

describe('numbers', () => {
  const NUMBERS = '{"order":9007199254740993,"long":123456789012345678901234567890,"price":12.50,"rate":0.1000000000000000055511151231257827,"big":1e3,"list":[-0,1.0,7]}';

  test('of variables reach the endpoint with every digit', async () => {
    instead = { status: 200, body: '{"data":null}' };
    await call(await connected(build()), 'query', { query: 'query Q($v: Any) { any(v: $v) }', 'variable:word': '1.0' }, `{"v":${NUMBERS}}`);
    expect(lastBody).toContain(`"variables":{"v":${NUMBERS},"word":"1.0"}`);
  });

  test('of an answer reach the caller with every digit', async () => {
    instead = { status: 200, body: `{ "data": ${NUMBERS}, "extensions": {} }` };
    const response = await (await connected(build())).invoke?.({ operation: 'query', data: Buffer.from('null'), metadata: { query: 'query { any }' } }, never);
    expect((await bytesOfResponse(response)).toString()).toBe(NUMBERS);
  });
});

test('the key of a repetition arrives as Idempotency-Key, unless the request gives that header itself', async () => {
  const one = await connected(build());
  const arrived: unknown[] = [];
  for (const more of [{ idempotencyKey: 'execution/1' }, { idempotencyKey: 'execution/1', 'header:Idempotency-Key': 'own' }, {}]) {
    await call(one, 'mutation', { mutation: 'mutation { rename(id: 1, name: "x") { id } }', ...more });
    arrived.push(lastHeaders['idempotency-key']);
  }
  expect(arrived).toEqual(['execution/1', 'own', undefined]);
});

describe('an answer', () => {
  test('with errors is an error with the words of the first; what came is given along', async () => {
    const error = await call(await connected(build()), 'mutation', { mutation: 'mutation { rename(id: 9, name: "x") { id } }' }).then(() => undefined, (reason: unknown) => reason);
    expect(error).toMatchObject({ message: 'graphql: there is no item 9', response: { metadata: { operation: 'mutation' } } });
  });

  test('that is none of GraphQL is an error, and a redirect is not followed', async () => {
    const ask = async () => call(await connected(build()), 'query', { query: 'query { items(most: 1) { id } }' });
    for (const answer of [
      { status: 200, body: '<p>' },
      { status: 200, body: '{}' },
      { status: 503, body: '' },
      { status: 401, body: '{"errors":[{"message":"who are you"}]}' },
      { status: 307, body: '', headers: { location: 'http://127.0.0.1:1/' } },
    ]) {
      instead = answer;
      await expect(ask(), answer.body).rejects.toMatchObject({ fault: 'failed', httpStatus: answer.status });
    }
    instead = undefined;
    await expect(ask()).resolves.toMatchObject({ value: { items: [{ id: '1' }] } });
  });
});

test('an endpoint that asks to be left alone is heard, with errors of GraphQL and without', async () => {
  const one = await connected(buildComponent(binding, { endpoint, 'header:*': {} }, { clock: createTurnedClock(Date.UTC(2026, 0, 1)) }));
  for (const [retryAfter, body, asked] of [['3', '', 3_000], ['Thu, 01 Jan 2026 00:00:07 GMT', '{"errors":[{"message":"busy"}]}', 7_000]] as const) {
    instead = { status: 503, body, headers: { 'retry-after': retryAfter } };
    await expect(call(one, 'query', { query: 'query { items(most: 1) { id } }' })).rejects.toMatchObject({ httpStatus: 503, retryAfterMs: asked });
  }
});

test('(users 50) an endpoint at a link-local address, or with a password in it, is refused', () => {
  for (const host of ['169.254.169.254', '2852039166', '[::ffff:169.254.169.254]']) expect(() => build({ endpoint: `http://${host}/` }), host).toThrow(/link-local/);
  expect(() => build({ endpoint: 'http://a:b@host/' })).toThrow(/neither user nor password/);
});
