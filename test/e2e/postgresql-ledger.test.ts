/** Sidecars with data folders of their own on one PostgreSQL, as on hosts of their own. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createTestSchema } from '@mecha/runtime/ledger/postgresql/testing.ts';
import { ONLY_KILLED } from '../servers/postgresql.ts';
import { serverAddress, startPrivateServer } from '../servers/servers.ts';
import { until } from '../tools/processes.ts';
import { cleanUp, later, mecha, request, startSidecar, testApp, type Sidecar } from './sidecar.ts';

let url = '';
beforeEach(async () => {
  const schema = await createTestSchema(serverAddress('postgresql'));
  later(() => schema.drop());
  url = schema.url;
});
afterEach(cleanUp);

const ROLE = 'arn:aws:iam::000000000000:role/test';
async function states<T>(sidecar: Sidecar, operation: string, body: unknown): Promise<T> {
  const answer = await request('POST', `http://127.0.0.1:${sidecar.httpPort}/v1.0-mecha/states`, body, { 'x-amz-target': `AWSStepFunctions.${operation}` });
  expect(answer.status, answer.text).toBe(200);
  return answer.json<T>();
}
const statusOf = async (sidecar: Sidecar, executionArn: string) => (await states<{ status: string; output?: string }>(sidecar, 'DescribeExecution', { executionArn })).status;

describe('--ledger', () => {
  test('(users 7, 22) two sidecars of an app share state, events and workflows; when one is killed the other ends its workflows', { timeout: 120_000 }, async () => {
    const app = await testApp(({ method, text }) => (method === 'POST' ? { body: { done: JSON.parse(text || 'null') as unknown } } : { body: {} }));
    await app.listen();
    const setup = { appId: 'shop', appPort: app.port, env: { MECHA_LEDGER: url } };
    const [one, other] = [await startSidecar(setup), await startSidecar(setup)];

    expect((await one.call('POST', '/state/statestore', [{ key: 'k', value: 'from one' }])).status).toBe(204);
    expect((await other.call('GET', '/state/statestore/k')).text).toBe('"from one"');

    const task = { Type: 'Task', Resource: 'arn:mecha:invoke:::shop:work' };
    const definition = JSON.stringify({ StartAt: 'First', States: { First: { ...task, Next: 'Rest' }, Rest: { Type: 'Wait', Seconds: 2, Next: 'Last' }, Last: { ...task, End: true } } });
    const { stateMachineArn } = await states<{ stateMachineArn: string }>(one, 'CreateStateMachine', { name: 'order', roleArn: ROLE, definition });
    const executions = await Promise.all(Array.from({ length: 20 }, async (_, n) => (await states<{ executionArn: string }>(one, 'StartExecution', { stateMachineArn, name: `o-${n}`, input: `${n}` })).executionArn));
    await until('they are under way', () => app.requests.length >= 5);
    await one.process.kill('SIGKILL');
    for (const executionArn of executions) await until(`${executionArn} ends at the other`, async () => (await statusOf(other, executionArn)) === 'SUCCEEDED', { withinMs: 40_000, about: other.process });
    expect(one.output() + other.output(), 'the address is not shown').not.toContain(url);
  });

  test('an event that one publishes comes to the app of another data folder, once', { timeout: 60_000 }, async () => {
    const app = await testApp(({ path }) => (path === '/dapr/subscribe' ? { body: [{ pubsubname: 'pubsub', topic: 'orders', route: '/orders' }] } : { body: {} }));
    await app.listen();
    const publisher = await startSidecar({ appId: 'publisher', env: { MECHA_LEDGER: url } });
    await startSidecar({ appId: 'consumer', appPort: app.port, env: { MECHA_LEDGER: url } });
    const events = () => app.requests.filter(({ path }) => path === '/orders');
    expect((await publisher.call('POST', '/publish/pubsub/orders', { n: 1 })).status).toBe(204);
    await until('the event arrives', () => events().length > 0);
    expect((await publisher.call('POST', '/publish/pubsub/orders', { n: 2 })).status).toBe(204);
    await until('the next arrives', () => events().some(({ text }) => text.includes('"n":2')));
    expect(events()).toHaveLength(2);
  });

  test('a dead letter that sidecars of two hosts send again at once is given once, and all that many sends give each once', { timeout: 60_000 }, async () => {
    let isBroken = true;
    const hold = Promise.withResolvers<void>();
    const app = await testApp(async ({ path }) => {
      if (path === '/dapr/subscribe') return { body: [{ pubsubname: 'pubsub', topic: 'orders', route: '/orders', deadLetterTopic: 'dead' }] };
      if (!isBroken) await hold.promise;
      return { body: isBroken ? { status: 'DROP' } : {} };
    });
    await app.listen();
    const setup = { appId: 'shop', appPort: app.port, env: { MECHA_LEDGER: url } };
    const [one, other] = [await startSidecar({ ...setup, untilReady: 'all' }), await startSidecar({ ...setup, untilReady: 'all' })];
    const letters = (sidecar: Sidecar, method: string, path = '') => request(method, `http://127.0.0.1:${sidecar.httpPort}/v1.0-mecha/dead-letters${path}`);
    const listed = async () => (await letters(other, 'GET')).json<{ deadLetters: { id: string }[] }>().deadLetters;
    for (let n = 0; n < 6; n++) await one.call('POST', '/publish/pubsub/orders', { n });
    await until('they are dead', async () => (await listed()).length === 6, { about: one.process });
    const given = () => app.requests.filter(({ path }) => path === '/orders').slice(6).map(({ text }) => (JSON.parse(text) as { data: { n: number } }).data.n);
    isBroken = false;
    const [first] = await listed();
    const statuses: number[] = [];
    await Promise.all([one, other].map(async (sidecar) => {
      statuses.push((await letters(sidecar, 'POST', `/${first?.id}/replay`)).status);
      hold.resolve();
    }));
    expect(statuses).toEqual([409, 204]);
    await Promise.all([one, other].map((sidecar) => letters(sidecar, 'POST', '/replay')));
    expect(given().toSorted()).toEqual([0, 1, 2, 3, 4, 5]);
    expect(await listed()).toEqual([]);
  });

  test('the server goes and comes back: who asks meanwhile is waited for, and the sidecar goes on', { timeout: 120_000 }, async () => {
    const server = await startPrivateServer('postgresql', ONLY_KILLED);
    later(() => server.dispose());
    const sidecar = await startSidecar({ appId: 'a', env: { MECHA_LEDGER: `postgresql://mecha@${server.address}/postgres` } });
    const save = (value: number) => sidecar.call('POST', '/state/statestore', [{ key: 'k', value }]);
    expect((await save(1)).status).toBe(204);
    await server.stop(true);
    const meanwhile = save(2);
    await server.start();
    expect((await meanwhile).status).toBe(204);
    expect((await sidecar.call('GET', '/state/statestore/k')).text).toBe('2');
    await sidecar.process.kill('SIGTERM');
  });

  test('an address that is none ends the start in words without the password', async () => {
    const wrong = await mecha(['sidecar', '--app-id', 'a', '--ledger', 'mysql://u:geheim@h/d']);
    expect(wrong.code).toBe(2);
    expect(wrong.err).toContain('takes the address of a PostgreSQL database');
    expect(wrong.out + wrong.err).not.toContain('geheim');
  });
});
