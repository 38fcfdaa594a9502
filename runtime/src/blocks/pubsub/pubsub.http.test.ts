import { afterEach, describe, expect, test } from 'vitest';
import { Pipeline } from '../../pipeline.ts';
import { HttpServer } from '../../servers/http.ts';
import { pubsubHttp } from './pubsub.http.ts';
import { createBench, eventOf, type BenchOptions } from './testing.ts';

const servers: HttpServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});

async function serve(options: BenchOptions = {}) {
  const bench = createBench(options);
  const { log, metrics } = bench.parts;
  const pipeline = new Pipeline({ log, metrics, gate: () => undefined });
  const server = new HttpServer({
    name: 'HTTP API server', portFlag: '--dapr-http-port', addresses: ['127.0.0.1'], port: 0, routes: pubsubHttp(bench.block, pipeline), apiToken: undefined,
    maxBodyBytes: 2048, readBufferBytes: 4096, allowedOrigins: '', apiLogging: false, log, metrics,
  });
  servers.push(server);
  await server.start();
  const post = async (path: string, body: string, contentType?: string, method = 'POST') => {
    const answer = await fetch(`http://127.0.0.1:${server.port}/${path}`, { method, body, headers: contentType === undefined ? {} : { 'content-type': contentType } });
    const text = await answer.text();
    return { status: answer.status, headers: answer.headers, text, json: text.startsWith('{') ? (JSON.parse(text) as Record<string, unknown>) : undefined };
  };
  return { ...bench, post };
}

describe('publish over HTTP', () => {
  test('answers 204 without a body, to POST and to PUT', async () => {
    const { post, broker } = await serve();
    for (const method of ['POST', 'PUT']) expect(await post('v1.0/publish/pubsub/placed', '{"n":1}', 'application/json', method)).toMatchObject({ status: 204, text: '' });
    expect(broker.published.map(({ data }) => eventOf(data)['data'])).toEqual([{ n: 1 }, { n: 1 }]);
  });

  test('the topic is the rest of the path, slashes and escapes included', async () => {
    const { post, broker } = await serve();
    await post('v1.0/publish/pubsub/a/b%2Fc%20d?metadata.k=v', 'x', 'text/plain');
    expect(broker.published[0]).toMatchObject({ topic: 'a/b/c d', metadata: { k: 'v' } });
  });

  test('an error has code, message and details', async () => {
    const { post } = await serve();
    const { status, json } = await post('v1.0/publish/nope/placed?metadata.k=v', '{}');
    expect(status).toBe(404);
    expect(json).toEqual({
      errorCode: 'ERR_PUBSUB_NOT_FOUND',
      message: 'pubsub nope is not found',
      details: [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', domain: 'dapr.io', metadata: { k: 'v' }, reason: 'DAPR_PUBSUB_NOT_FOUND' }],
    });
  });

  test('a body past the limit is the documented error, and nothing is published', async () => {
    const { post, broker } = await serve();
    expect(await post('v1.0/publish/pubsub/placed', 'x'.repeat(5000))).toMatchObject({ status: 500, json: { errorCode: 'ERR_PUBSUB_PUBLISH_MESSAGE', message: expect.stringContaining('stream too large') } });
    expect(await post('v1.0/publish/bulk/pubsub/placed', 'x'.repeat(5000))).toMatchObject({ status: 400, json: { errorCode: 'ERR_PUBSUB_EVENTS_SER' } });
    expect(await post('v1.0/publish/nope/placed', 'x'.repeat(5000))).toMatchObject({ status: 404 });
    expect(broker.published).toEqual([]);
  });
});

describe('bulk publish over HTTP', () => {
  test('takes every kind of event by its content type, keys in any case, on both versions', async () => {
    const { post, broker } = await serve();
    const body = `[
      {"entryID":"1","event":{"n":12345678901234567890},"contentType":"application/json"},
      {"ENTRYID":"2","Event":"text","contenttype":"text/plain","metadata":{"k":"v"}},
      {"entryId":"3","event":"AP8=","contentType":"application/octet-stream"},
      {"entryId":"4","event":{"id":"own","source":"s","type":"t","specversion":"1.0"},"contentType":"application/cloudevents+json"},
      {"entryId":"5","contentType":"application/json"}]`;
    for (const version of ['v1.0', 'v1.0-alpha1']) expect(await post(`${version}/publish/bulk/pubsub/placed`, body)).toMatchObject({ status: 204 });
    expect(broker.published).toHaveLength(10);
    const [first, second, third, fourth, fifth] = broker.published;
    expect(Buffer.from(first!.data).toString()).toContain('"data":{"n":12345678901234567890}');
    expect([eventOf(second!.data)['data'], second!.metadata]).toEqual(['text', { k: 'v' }]);
    expect(eventOf(third!.data)['data_base64']).toBe('AP8=');
    expect(eventOf(fourth!.data)).toMatchObject({ id: 'own', source: 's', topic: 'placed' });
    expect(eventOf(fifth!.data)['data']).toBeNull();
  });

  test('refuses as a whole what it cannot read, and says what it was', async () => {
    const { post, broker } = await serve();
    const cases = [
      ['', 'EOF'], ['{"a":1}', 'must be an array'], ['[{"entryId":"1","event":1}]', 'contentType is missing'], ['[{"entryId":"1","event":1,"contentType":"text/plain"}]', 'must be a string'],
      ['[{"entryId":"1","event":"***","contentType":"application/octet-stream"}]', 'base64'], ['[{"entryId":"1","event":"x","contentType":"image/png"}]', 'not supported'],
      ['[{"event":"x","contentType":"text/plain"}]', 'entryId is duplicated or not present'], ['[{"entryId":1,"event":"x","contentType":"text/plain"}]', '"entryId" must be a string'],
      ['[{"entryId":"1","event":"x","contentType":"text/plain"},{"entryId":"1","event":"y","contentType":"text/plain"}]', 'entryId is duplicated'],
    ] as const;
    for (const [body, words] of cases) {
      const { status, json } = await post('v1.0/publish/bulk/pubsub/placed', body);
      expect([body, status, json?.['errorCode']]).toEqual([body, 400, 'ERR_PUBSUB_EVENTS_SER']);
      expect(json?.['message']).toContain(words);
    }
    expect(broker.published).toEqual([]);
  });

  test('(users 20) a partial failure is 500 and lists the entries that failed', async () => {
    const { post, broker } = await serve();
    broker.publishBulk = async () => ({ failed: [{ index: 1, error: new Error('refused') }] });
    const entry = (id: string) => ({ entryId: id, event: id, contentType: 'text/plain' });
    const answer = await post('v1.0/publish/bulk/pubsub/placed', JSON.stringify([entry('a'), entry('b')]));
    expect(answer).toMatchObject({ status: 500, json: { failedEntries: [{ entryId: 'b', error: 'refused' }], errorCode: 'ERR_PUBSUB_PUBLISH_MESSAGE' } });
    expect(answer.headers.get('metadata.error')).toBe('refused');
  });
});
