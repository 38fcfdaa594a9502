/** The commands that speak to a running sidecar: what they print, how they find it, and their exit codes. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { until } from '../tools/processes.ts';
import { cleanUp, component, folder, folderWith, mecha, request, startSidecar, testApp, type AppAnswer, type Sidecar } from './sidecar.ts';

const TOKEN = 'sesame-51b2';
const events: { type: string; data: unknown; ttl: unknown }[] = [];
let order: Sidecar;
let dataDir: string;

/** Two sidecars on one data folder; the second asks for a token. */
beforeAll(async () => {
  dataDir = await folder();
  const app = await testApp(({ method, path, text, headers }): AppAnswer | undefined => {
    if (path === '/dapr/subscribe') return { body: [{ pubsubname: 'pubsub', topic: 'news/today', route: '/news' }] };
    if (path === '/news') {
      const event = JSON.parse(text) as { datacontenttype: string; data: unknown; expiration?: unknown };
      events.push({ type: event.datacontenttype, data: event.data, ttl: event.expiration });
      return {};
    }
    if (path.startsWith('/echo')) return { body: { method, path, text, type: headers['content-type'] ?? null } };
    return undefined;
  });
  await app.listen();
  const resources = await folderWith({ 'all.yaml': component('statestore', 'state.sqlite') + component('other', 'state.in-memory') + component('pubsub', 'pubsub.sqlite') });
  [order] = await Promise.all([
    startSidecar({ appId: 'order', appPort: app.port, dataDir, resources, untilReady: 'all' }),
    startSidecar({ appId: 'guarded', dataDir, resources, env: { DAPR_API_TOKEN: TOKEN } }),
  ]);
});
afterAll(cleanUp);

const asOrder = (...args: string[]) => mecha([...args, '--app-id', 'order', '--data-dir', dataDir]);

describe('mecha state', () => {
  test('set, get and delete: JSON is JSON, anything else is a text, and no such key is code 3', async () => {
    expect(await asOrder('state', 'set', 'order-7', '{"status":"open"}')).toEqual({ code: 0, out: '', err: '' });
    expect(await asOrder('state', 'get', 'order-7')).toEqual({ code: 0, out: '{"status":"open"}\n', err: '' });
    expect((await order.call('GET', '/state/statestore/order-7')).json()).toEqual({ status: 'open' });
    await asOrder('state', 'set', 'a/b c%?', 'plain words');
    expect((await asOrder('state', 'get', 'a/b c%?')).out).toBe('"plain words"\n');
    expect((await asOrder('state', 'delete', 'order-7')).code).toBe(0);
    expect(await asOrder('state', 'get', 'order-7')).toEqual({ code: 3, out: '', err: '' });
  });

  test('a stale etag and an unknown store fail with code 1 and the error of the sidecar', async () => {
    await asOrder('state', 'set', 'guarded', '1');
    const stale = await asOrder('state', 'set', 'guarded', '2', '--etag', '999999');
    expect([stale.code, stale.err]).toEqual([1, expect.stringMatching(/^409 ERR_STATE_SAVE: /)]);
    expect((await asOrder('state', 'get', 'guarded')).out).toBe('1\n');
    const unknown = await asOrder('state', 'get', 'k', '--store', 'nowhere');
    expect([unknown.code, unknown.err]).toEqual([1, expect.stringMatching(/^400 ERR_STATE_STORE_NOT_FOUND: .*nowhere/)]);
    expect((await asOrder('state', 'set', 'elsewhere', '1', '--store', 'other', '--ttl', '100')).code).toBe(0);
    const kept = await order.call('GET', '/state/other/elsewhere');
    expect([kept.text, kept.headers.get('metadata.ttlexpiretime')]).toEqual(['1', expect.stringMatching(/^20\d\d-/)]);
  });
});

test('mecha publish: the event comes with the content type of its data', async () => {
  expect(await asOrder('publish', 'news/today', '{"id":7}')).toEqual({ code: 0, out: '', err: '' });
  expect((await asOrder('publish', 'news/today', 'hello', '--metadata', 'ttlInSeconds=60')).code).toBe(0);
  await until('both came', () => events.length === 2, { about: order.process });
  expect(events).toEqual(expect.arrayContaining([{ type: 'application/json', data: { id: 7 }, ttl: undefined }, { type: 'text/plain', data: 'hello', ttl: expect.stringMatching(/^20\d\d-/) }]));
  const unknown = await asOrder('publish', 'news', '1', '--pubsub', 'nowhere');
  expect([unknown.code, unknown.err]).toEqual([1, expect.stringMatching(/^404 ERR_PUBSUB_NOT_FOUND: .*nowhere/)]);
});

test('mecha workflow: an instance is started, shown, paused, resumed, told an event, terminated and purged; none is code 3', async () => {
  const shown = async (): Promise<Record<string, unknown>> => JSON.parse((await asOrder('workflow', 'get', 'flow-7')).out) as Record<string, unknown>;
  expect(await asOrder('workflow', 'start', 'order', '--instance-id', 'flow-7', '--input', '{"n":1}')).toEqual({ code: 0, out: 'flow-7\n', err: '' });
  expect(await shown()).toMatchObject({ instanceID: 'flow-7', workflowName: 'order', runtimeStatus: 'PENDING', properties: { 'dapr.workflow.input': '{"n":1}' } });
  expect((await asOrder('workflow', 'pause', 'flow-7')).code).toBe(0);
  expect(await shown()).toMatchObject({ runtimeStatus: 'SUSPENDED' });
  expect((await asOrder('workflow', 'resume', 'flow-7')).code).toBe(0);
  expect(await asOrder('workflow', 'raise', 'flow-7', 'approved', '--data', 'true')).toEqual({ code: 0, out: '', err: '' });
  const early = await asOrder('workflow', 'purge', 'flow-7');
  expect([early.code, early.err]).toEqual([1, expect.stringMatching(/^500 ERR_PURGE_WORKFLOW: /)]);
  expect((await asOrder('workflow', 'terminate', 'flow-7')).code).toBe(0);
  expect(await shown()).toMatchObject({ runtimeStatus: 'TERMINATED' });
  expect((await asOrder('workflow', 'purge', 'flow-7')).code).toBe(0);
  expect(await asOrder('workflow', 'get', 'flow-7')).toEqual({ code: 3, out: '', err: '' });
  expect((await asOrder('workflow', 'start', 'order')).out).toMatch(/^[0-9a-f-]{36}\n$/);
  expect((await asOrder('workflow', 'frobnicate', 'x')).code).toBe(2);
});

test('mecha workflow: a state machine of that name is started, its history is readable, it is redriven, and ended by force', async () => {
  const create = (name: string, definition: object) => request('POST', `http://127.0.0.1:${order.httpPort}/v1.0-mecha/states`, { name, roleArn: 'arn:aws:iam::000000000000:role/r', definition: JSON.stringify(definition) }, { 'x-amz-target': 'AWSStepFunctions.CreateStateMachine' });
  await create('greet', { StartAt: 'Say', States: { Say: { Type: 'Fail', Error: 'Shy' } } });
  expect(await asOrder('workflow', 'start', 'greet', '--instance-id', 'g-1', '--input', '{"to":"Ada"}')).toEqual({ code: 0, out: 'execution:greet:g-1\n', err: '' });
  expect(await asOrder('workflow', 'start', 'greet', '--instance-id', 'g-1')).toMatchObject({ code: 1, err: expect.stringMatching(/^400 ExecutionAlreadyExists: /) });
  expect(await asOrder('workflow', 'start', 'greet', '--input', '{bad')).toMatchObject({ code: 1, err: expect.stringMatching(/^400 InvalidExecutionInput: /) });
  expect(await asOrder('workflow', 'rerun', 'execution:greet:g-1')).toEqual({ code: 0, out: 'execution:greet:g-1\n', err: '' });
  await until('it has failed again', async () => (await asOrder('workflow', 'history', 'execution:greet:g-1')).out.split('ExecutionFailed').length === 3);
  expect((await asOrder('workflow', 'history', 'execution:greet:g-1')).out).toMatch(/ExecutionFailed {2}error=Shy/);
  expect(await asOrder('workflow', 'rerun', 'execution:greet:none')).toMatchObject({ code: 1, err: expect.stringMatching(/^400 ExecutionDoesNotExist: /) });
  expect(await asOrder('workflow', 'raise', 'execution:greet:g-1', 'go')).toMatchObject({ code: 1, err: expect.stringMatching(/ERR_RAISE_EVENT_WORKFLOW: .*executions of state machines hear no events; whoever holds a task's token answers it/) });
  expect((await request('GET', `http://127.0.0.1:${order.httpPort}/v1.0-mecha/workflows?cursor=garbage`)).json()).toMatchObject({ errorCode: 'ERR_WORKFLOW_REQUEST_INVALID' });
  await create('nap', { StartAt: 'Nap', States: { Nap: { Type: 'Wait', Seconds: 600, End: true } } });
  for (const name of ['n-1', 'n-2']) expect((await asOrder('workflow', 'start', 'nap', '--instance-id', name)).code).toBe(0);
  expect(await asOrder('workflow', 'terminate', 'execution:nap:n-1', '--force')).toEqual({ code: 0, out: '', err: '' });
  expect((await asOrder('workflow', 'get', 'execution:nap:n-1')).out).toContain('"runtimeStatus":"TERMINATED"');
  expect(await asOrder('workflow', 'purge', 'execution:nap:n-2', '--force')).toEqual({ code: 0, out: '', err: '' });
  expect((await asOrder('workflow', 'get', 'execution:nap:n-2')).code).toBe(3);
});

test('mecha workflow list, history and rerun: what there is, what happened, and again from a step; get says what is waited for', async () => {
  const machine = '{StartAt: Wait, States: {Wait: {Type: Wait, Seconds: 600, End: true}}}';
  expect((await asOrder('workflow', 'start', 'checkout', '--instance-id', 'list-1')).code).toBe(0);
  expect((await asOrder('workflow', 'start', 'checkout', '--instance-id', 'list-2')).code).toBe(0);
  await asOrder('workflow', 'pause', 'list-2');
  const { waitsFor } = JSON.parse((await asOrder('workflow', 'get', 'list-1')).out) as { waitsFor: { on: string; words: string }[] };
  expect(waitsFor).toEqual([expect.objectContaining({ on: 'worker', words: 'no worker for workflows named checkout is connected here' })]);
  const listed = await asOrder('workflow', 'list', '--name', 'checkout');
  expect(listed.out.trimEnd().split('\n').map((line) => line.slice(26))).toEqual(['suspended   list-2  checkout', 'pending     list-1  checkout']);
  expect((await asOrder('workflow', 'list', '--name', 'checkout', '--status', 'suspended', '--limit', '1')).out).toMatch(/^[^\n]*list-2[^\n]*\n$/);
  expect(JSON.parse((await asOrder('workflow', 'list', '--id-prefix', 'list-1', '--json')).out)).toMatchObject({ instanceID: 'list-1', workflowName: 'checkout', status: 'pending' });
  expect(await asOrder('workflow', 'list', '--status', 'sleeping')).toMatchObject({ code: 1, err: expect.stringMatching(/^400 ERR_WORKFLOW_REQUEST_INVALID: status is one or more of pending, /) });
  await asOrder('workflow', 'terminate', 'list-1');
  const told = await asOrder('workflow', 'history', 'list-1');
  expect(told.out.trimEnd().split('\n').map((line) => line.replace(/^ *(\d+) {2}\S+ {2}/, '$1 '))).toEqual([expect.stringMatching(/^0 executionStarted {2}name=checkout/), '1 workflowStarted', expect.stringMatching(/^2 executionTerminated/), expect.stringMatching(/^3 executionCompleted {2}.*status=terminated/)]);
  expect(JSON.parse((await asOrder('workflow', 'history', 'list-1', '--json', '--limit', '1')).out)).toMatchObject({ number: 0, kind: 'executionStarted' });
  expect((await asOrder('workflow', 'history', 'nowhere')).code).toBe(3);
  expect(await asOrder('workflow', 'rerun', 'list-1', '--event', '7')).toMatchObject({ code: 1, err: expect.stringMatching(/^404 ERR_WORKFLOW_RERUN_TARGET: /) });
  expect(await asOrder('workflow', 'rerun', 'list-1')).toMatchObject({ code: 2 });
  const place = await folderWith({ 'nap.asl.yaml': machine, 'bad.asl.json': '{"StartAt":"A","States":{"B":{"Type":"Pass","End":true}}}', 'resource.yaml': `apiVersion: mecha.dev/v1alpha1\nkind: Workflow\nmetadata: {name: nap}\nspec: {definition: ${machine}}\n` });
  expect(await mecha(['workflow', 'validate', `${place}/nap.asl.yaml`, `${place}/resource.yaml`])).toEqual({ code: 0, out: '1 checked, no errors\n1 checked, no errors\n', err: '' });
  expect(await mecha(['workflow', 'validate', `${place}/bad.asl.json`])).toMatchObject({ code: 1, out: expect.stringMatching(/bad\.asl\.json: error: \/StartAt: [^\n]*\n/) });
});

test('mecha invoke: the answer is printed, and another status than 2xx is code 1', async () => {
  const posted = await mecha(['invoke', 'order', 'echo?a=1', '--data', '{"x":1}', '--data-dir', dataDir]);
  expect([posted.code, JSON.parse(posted.out)]).toEqual([0, { method: 'POST', path: '/echo?a=1', text: '{"x":1}', type: 'application/json' }]);
  expect(JSON.parse((await mecha(['invoke', 'order', '/echo/deep', '--data-dir', dataDir])).out)).toMatchObject({ method: 'GET', path: '/echo/deep' });
  expect(JSON.parse((await mecha(['invoke', 'order', 'echo', '-v', 'delete', '--data-dir', dataDir])).out)).toMatchObject({ method: 'DELETE' });
  const missing = await mecha(['invoke', 'order', 'nothing', '--data-dir', dataDir]);
  expect([missing.code, missing.err]).toEqual([1, expect.stringMatching(/^404/)]);
  const through = await mecha(['invoke', 'order', 'echo', '--app-id', 'guarded', '--data-dir', dataDir], { DAPR_API_TOKEN: TOKEN });
  expect([through.code, through.err]).toEqual([0, '']);
});

test('mecha metadata: JSON with state and version of each component', async () => {
  const { code, out } = await asOrder('metadata');
  const metadata = JSON.parse(out) as { id: string; components: { name: string; state: string }[]; subscriptions: { topic: string }[] };
  expect(code).toBe(0);
  expect(metadata).toMatchObject({ id: 'order', subscriptions: [{ topic: 'news/today' }] });
  expect(metadata.components.map(({ name, state }) => `${name} ${state}`).sort()).toEqual(['other ready', 'pubsub ready', 'statestore ready']);
});

describe('finding the sidecar', () => {
  test('two run and none is named: code 2, and both are listed', async () => {
    const { code, err } = await mecha(['state', 'get', 'k', '--data-dir', dataDir]);
    expect([code, err]).toEqual([2, 'several sidecars run; choose one with --app-id: guarded, order\n']);
  });

  test('by port, by APP_ID and by DAPR_HTTP_PORT of the environment', async () => {
    await asOrder('state', 'set', 'found', '"yes"');
    expect((await mecha(['state', 'get', 'found', '--dapr-http-port', String(order.httpPort)])).out).toBe('"yes"\n');
    expect((await mecha(['state', 'get', 'found', '--data-dir', dataDir], { APP_ID: 'order' })).out).toBe('"yes"\n');
    expect((await mecha(['state', 'get', 'found'], { DAPR_HTTP_PORT: String(order.httpPort) })).out).toBe('"yes"\n');
    expect((await mecha(['state', 'get', 'found', '--app-id', 'order'], { MECHA_DATA_DIR: dataDir })).out).toBe('"yes"\n');
  });

  test('the token of the environment is sent; without it the answer is 401, and it is never shown', async () => {
    const args = ['state', 'set', 'k', '1', '--app-id', 'guarded', '--data-dir', dataDir];
    const right = await mecha(args, { DAPR_API_TOKEN: TOKEN });
    expect(right).toEqual({ code: 0, out: '', err: '' });
    expect(await mecha(args)).toEqual({ code: 1, out: '', err: '401 invalid api token\n' });
    const wrong = await mecha(args, { DAPR_API_TOKEN: 'planted-wrong-token' });
    expect(wrong.code).toBe(1);
    expect(wrong.out + wrong.err).not.toContain('planted-wrong-token');
  });

  test('none runs: code 1, and the words say where was looked', async () => {
    const empty = await folder();
    expect(await mecha(['metadata', '--data-dir', empty])).toEqual({ code: 1, out: '', err: `no sidecar runs with data folder ${empty}\n` });
    expect((await mecha(['metadata', '--app-id', 'nobody', '--data-dir', dataDir])).err).toBe(`no sidecar of app nobody runs with data folder ${dataDir}\n`);
    const dead = await startSidecar({ appId: 'dead', dataDir: empty });
    await dead.process.kill('SIGKILL');
    expect(await mecha(['metadata', '--app-id', 'dead', '--data-dir', empty])).toMatchObject({ code: 1, err: `no sidecar of app dead runs with data folder ${empty}\n` });
    expect((await mecha(['metadata', '--dapr-http-port', '1'])).err).toMatch(/^no sidecar answers on port 1: .*ECONNREFUSED/);
  });
});

describe('mecha components', () => {
  test('lists the types, describes one with its fields, and suggests the nearest', async () => {
    expect((await mecha(['components'])).out).toMatch(/^state\.redis +v1 +stable +Redis$/m);
    const { code, out } = await mecha(['components', 'describe', 'state.redis']);
    expect(code).toBe(0);
    expect(out).toMatch(/^ +redisPassword +string +Password\. \(secret\)$/m);
    expect(out).toMatch(/^Capabilities: ETAG, TRANSACTIONAL, TTL$/m);
    const schema = JSON.parse((await mecha(['components', 'describe', 'state.redis', '--json-schema'])).out) as { required?: string[] };
    expect(schema).toBeTypeOf('object');
    expect(await mecha(['components', 'describe', 'state.rediss'])).toMatchObject({ code: 2, err: expect.stringContaining('did you mean state.redis?') });
  });

  test('every command has help that shows its usage and an example', async () => {
    for (const name of ['sidecar', 'run', 'validate', 'state', 'publish', 'invoke', 'workflow', 'components', 'metadata']) {
      const { code, out, err } = await mecha([name, '--help']);
      expect([name, code, err]).toEqual([name, 0, '']);
      expect(out).toContain(`Usage: mecha ${name}`);
      expect(out, `${name} shows an example`).toMatch(new RegExp(`^ {2}mecha ${name}\\b`, 'm'));
    }
  });
});
