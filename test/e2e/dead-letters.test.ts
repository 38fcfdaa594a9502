/** Dead letters of a real sidecar: seen, sent again to the app that has recovered, dropped; kills and second sidecars meanwhile. */
import { afterEach, describe, expect, test } from 'vitest';
import { until } from '../tools/processes.ts';
import { cleanUp, component, folder, folderWith, mecha, request, startSidecar, testApp, type AppAnswer, type AppRequest, type Sidecar } from './sidecar.ts';

afterEach(cleanUp);

interface Letter {
  readonly id: string;
  readonly kind: string;
  readonly component: string;
  readonly topic?: string;
  readonly reason: string;
  readonly attempts: number;
  readonly bytes: number;
  readonly data?: string;
  readonly [name: string]: unknown;
}
const api = (sidecar: Sidecar, method: string, path = '') => request(method, `http://127.0.0.1:${sidecar.httpPort}/v1.0-mecha/dead-letters${path}`);
const lettersOf = async (sidecar: Sidecar, query = ''): Promise<readonly Letter[]> => {
  const answer = await api(sidecar, 'GET', query);
  expect(answer.status, answer.text).toBe(200);
  return answer.json<{ deadLetters: readonly Letter[] }>().deadLetters;
};
const orderOf = ({ text }: AppRequest): unknown => (JSON.parse(text) as { data: unknown }).data;

/** An app that drops every event of topic `orders` until it has recovered, and a second subscriber that takes all. */
async function brokenApp(answer: (request: AppRequest) => Promise<AppAnswer> | AppAnswer) {
  const app = await testApp((incoming) => {
    if (incoming.path === '/dapr/subscribe') return { body: [{ pubsubname: 'pubsub', topic: 'orders', route: '/orders', deadLetterTopic: 'dead' }] };
    return incoming.path === '/orders' ? answer(incoming) : undefined;
  });
  await app.listen();
  return { ...app, orders: () => app.requests.filter(({ path }) => path === '/orders') };
}
const DROP: AppAnswer = { body: { status: 'DROP' } };

describe('dead letters of a topic', () => {
  test('are listed and shown, stay with the new reason while the app fails, and go to that app alone when it has recovered', async () => {
    const dataDir = await folder();
    let answer: AppAnswer = DROP;
    const app = await brokenApp(() => answer);
    const other = await brokenApp(() => ({}));
    const [sidecar, bystander] = [await startSidecar({ appPort: app.port, dataDir, untilReady: 'all' }), await startSidecar({ appId: 'other', appPort: other.port, dataDir, untilReady: 'all' })];
    for (const n of [1, 2, 3]) {
      expect((await sidecar.call('POST', '/publish/pubsub/orders', { n })).status).toBe(204);
      await until(`${n} is dead`, async () => (await lettersOf(sidecar)).length === n, { about: sidecar.process });
    }
    await until('the other app has taken them', () => other.orders().length === 3, { about: bystander.process });
    expect(await lettersOf(bystander)).toEqual([]);

    const [newest, , oldest] = await lettersOf(sidecar);
    expect(oldest).toMatchObject({ kind: 'topic', component: 'pubsub', topic: 'orders', deadLetterTopic: 'dead', group: 'app', reason: 'the app answered DROP', attempts: 1, deadAt: expect.stringMatching(/^20/) });
    const first = await api(sidecar, 'GET', '?limit=2');
    const { deadLetters, cursor } = first.json<{ deadLetters: Letter[]; cursor: string }>();
    expect([deadLetters.length, (await lettersOf(sidecar, `?limit=2&cursor=${cursor}`)).map(({ id }) => id)]).toEqual([2, [oldest?.id]]);
    expect(await lettersOf(sidecar, '?kind=binding')).toEqual([]);
    expect(await lettersOf(sidecar, '?component=pubsub&topic=orders&reason=drop&since=2026-01-01T00:00:00Z')).toHaveLength(3);
    expect(await lettersOf(sidecar, '?until=2026-01-01T00:00:00Z')).toEqual([]);
    const whole = (await api(sidecar, 'GET', `/${oldest?.id}`)).json<Letter>();
    expect(JSON.parse(whole.data ?? '')).toMatchObject({ data: { n: 1 }, topic: 'orders', traceparent: expect.stringContaining(String(whole['traceparent']).split('-')[1] ?? '?') });
    expect(whole.bytes).toBe(whole.data?.length);

    answer = { status: 500 };
    const refused = await api(sidecar, 'POST', `/${oldest?.id}/replay`);
    expect([refused.status, refused.json()]).toEqual([502, { errorCode: 'ERR_DEAD_LETTER_NOT_TAKEN', message: 'the dead letter stays, the app did not take it: the app answered with status 500' }]);
    expect((await lettersOf(sidecar)).at(-1)).toMatchObject({ id: oldest?.id, attempts: 2, reason: 'the app answered with status 500', deadAt: oldest?.['deadAt'], resentAt: expect.any(String) });

    answer = {};
    expect((await api(sidecar, 'POST', `/${oldest?.id}/replay`)).status).toBe(204);
    expect(orderOf(app.orders().at(-1) as AppRequest)).toEqual({ n: 1 });
    expect((await api(sidecar, 'POST', `/${oldest?.id}/replay`)).json()).toMatchObject({ errorCode: 'ERR_DEAD_LETTER_NOT_FOUND' });
    expect((await api(sidecar, 'DELETE', `/${newest?.id}`)).status).toBe(204);
    expect((await lettersOf(sidecar)).map(({ attempts }) => attempts)).toEqual([1]);
    expect(other.orders(), 'they were not published again').toHaveLength(3);
  });

  test('are sent again by filter, oldest first, and by the command line', async () => {
    let answer = (_n: number): AppAnswer => DROP;
    const app = await brokenApp((incoming) => answer((orderOf(incoming) as { n: number }).n));
    const sidecar = await startSidecar({ appPort: app.port, untilReady: 'all' });
    for (let n = 0; n < 10; n++) {
      await sidecar.call('POST', '/publish/pubsub/orders', { n });
      await until(`${n} is dead`, async () => (await lettersOf(sidecar)).length === n + 1, { about: sidecar.process });
    }
    answer = (n) => (n === 4 ? { status: 503 } : {});
    const command = (...args: string[]) => mecha(['dead-letters', ...args, '--data-dir', sidecar.dataDir]);
    const listed = await command('list', '--limit', '2');
    expect(listed.out).toMatch(/^20\S+ {2}1 {2}pubsub\/orders {2}[\w-]+ {2}\(the app answered DROP\)\n20.*\n$/);
    const [id = ''] = (await lettersOf(sidecar)).map((letter) => letter.id).slice(-1);
    expect(JSON.parse((await command('show', id)).out)).toMatchObject({ id, attempts: 1 });
    expect(await command('show', 'bm9uZQ')).toMatchObject({ code: 3, out: '' });

    const before = app.orders().length;
    const sent = await api(sidecar, 'POST', '/replay?topic=orders&limit=3');
    expect(sent.json()).toEqual({ replayed: 3, left: [], cursor: expect.any(String) });
    expect(await command('replay', '--topic', 'orders')).toEqual({ code: 1, out: '6 replayed, 1 stayed\n', err: expect.stringMatching(/^[\w-]+ stays: the app answered with status 503\n$/) });
    expect(app.orders().slice(before).map((incoming) => (orderOf(incoming) as { n: number }).n)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(await command('replay', id)).toMatchObject({ code: 3, err: expect.stringContaining('ERR_DEAD_LETTER_NOT_FOUND') });

    expect(await command('drop')).toMatchObject({ code: 2, err: expect.stringContaining('needs an id, filters, or --all') });
    expect((await api(sidecar, 'DELETE')).json()).toMatchObject({ errorCode: 'ERR_DEAD_LETTER_REQUEST_INVALID' });
    expect((await api(sidecar, 'DELETE', '?topic=orders&componet=x')).json()).toMatchObject({ errorCode: 'ERR_DEAD_LETTER_REQUEST_INVALID' });
    expect(await command('drop', '--reason', 'DROP')).toEqual({ code: 0, out: '0 dropped\n', err: '' });
    expect(await command('drop', '--all')).toEqual({ code: 0, out: '1 dropped\n', err: '' });
    expect(await command('list')).toEqual({ code: 0, out: '', err: '' });
  });
});

describe('dead letters of an input binding', () => {
  test('go back to its route with the id of the event, and what the answer asks for is done', async () => {
    let answer: AppAnswer = { status: 500 };
    const app = await testApp(({ method, path }) => (method === 'POST' && path === '/ticks' ? answer : { status: 405 }));
    await app.listen();
    const resources = await folderWith({ 'all.yaml': component('statestore', 'state.sqlite') + component('tick', 'bindings.cron', { schedule: '@every 1s', route: '/ticks' }) });
    const sidecar = await startSidecar({ appPort: app.port, resources });
    const [letter] = await until('a tick is dead', async () => {
      const found = await lettersOf(sidecar, '?binding=tick');
      return found.length > 0 && found;
    }, { about: sidecar.process });
    expect(letter).toMatchObject({ kind: 'binding', component: 'tick', reason: 'the app answered with status 500', attempts: 5, messageID: expect.stringMatching(/^tick\/20/) });
    answer = { body: { storeName: 'statestore', state: [{ key: 'last', value: 'replayed' }] } };
    expect((await api(sidecar, 'POST', `/${letter?.id}/replay`)).status).toBe(204);
    expect(app.requests.filter(({ headers }) => headers['mecha-event-id'] === letter?.['messageID'])).toHaveLength(6);
    expect((await sidecar.call('GET', '/state/statestore/last')).text).toBe('"replayed"');
    expect((await lettersOf(sidecar)).map(({ id }) => id)).not.toContain(letter?.id);
  });
});

describe('replaying', () => {
  /** A sidecar with so many dead letters, and an app that answers as the test says from then on. */
  async function withLetters(count: number, answer: (request: AppRequest) => Promise<AppAnswer> | AppAnswer) {
    let handle: typeof answer = () => DROP;
    const app = await brokenApp((incoming) => handle(incoming));
    const sidecar = await startSidecar({ appPort: app.port, untilReady: 'all' });
    for (let n = 0; n < count; n++) await sidecar.call('POST', '/publish/pubsub/orders', { n });
    await until('they are dead', async () => (await lettersOf(sidecar)).length === count, { about: sidecar.process });
    handle = answer;
    return { app, sidecar, seen: app.orders().length, letters: await lettersOf(sidecar) };
  }

  test('is at least once: a sidecar killed between the app taking a letter and its removal still has it, and sends it again', async () => {
    const hanging = Promise.withResolvers<AppAnswer>();
    let answer: () => Promise<AppAnswer> | AppAnswer = () => hanging.promise;
    const { app, sidecar, seen, letters: [letter] } = await withLetters(1, () => answer());
    const cut = api(sidecar, 'POST', `/${letter?.id}/replay`).catch((error: unknown) => error);
    await until('the app has taken it', () => app.orders().length === seen + 1);
    await sidecar.process.kill('SIGKILL');
    expect(await cut).toBeInstanceOf(Error);
    hanging.resolve({});

    answer = () => ({});
    const next = await startSidecar({ appPort: app.port, dataDir: sidecar.dataDir, untilReady: 'all' });
    expect(await lettersOf(next)).toEqual([letter]);
    // What the killed one held is free when its lease is over.
    await until('it is taken again', async () => (await api(next, 'POST', `/${letter?.id}/replay`)).status === 204, { about: next.process });
    expect(app.orders().slice(seen).map((incoming) => incoming.text)).toEqual([app.orders().at(-1)?.text, app.orders().at(-1)?.text]);
    expect(await lettersOf(next)).toEqual([]);
  });

  test('at two sidecars of one ledger at once gives each letter once', async () => {
    const refused = Promise.withResolvers<void>();
    const { app, sidecar, seen, letters } = await withLetters(12, async () => {
      await refused.promise;
      return {};
    });
    const second = await startSidecar({ appPort: app.port, dataDir: sidecar.dataDir, untilReady: 'all' });
    const id = letters.at(-1)?.id;
    const statuses: number[] = [];
    await Promise.all([sidecar, second, sidecar, second].map(async (one) => {
      statuses.push((await api(one, 'POST', `/${id}/replay`)).status);
      // The app answers only now, so that all four were under way at once.
      if (statuses.length === 3) refused.resolve();
    }));
    expect(statuses).toEqual([409, 409, 409, 204]);
    await Promise.all([sidecar, second].map((one) => api(one, 'POST', '/replay')));
    const given = app.orders().slice(seen).map((incoming) => (orderOf(incoming) as { n: number }).n);
    expect(given.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 12 }, (_, n) => n));
    await until('none is left', async () => (await lettersOf(second)).length === 0, { about: second.process });
  });

  test('of an app that is away, or subscribes no more, leaves the letter as it is', async () => {
    const { app, sidecar, letters: [letter] } = await withLetters(1, () => ({}));
    await app.close();
    const away = await api(sidecar, 'POST', `/${letter?.id}/replay`);
    expect([away.status, away.json()]).toEqual([503, expect.objectContaining({ errorCode: 'ERR_DEAD_LETTER_APP_AWAY' })]);
    expect((await api(sidecar, 'POST', '/replay')).json()).toEqual({ replayed: 0, left: [{ id: letter?.id, outcome: 'away', reason: expect.any(String) }] });
    const changed = await testApp(({ path }) => (path === '/dapr/subscribe' ? { body: [] } : {}));
    await changed.listen();
    const next = await startSidecar({ appPort: changed.port, dataDir: sidecar.dataDir, untilReady: 'all' });
    const none = await api(next, 'POST', `/${letter?.id}/replay`);
    expect([none.status, none.json()]).toEqual([400, { errorCode: 'ERR_DEAD_LETTER_NO_RECEIVER', message: 'the dead letter stays: the app has no subscription to topic orders of pubsub' }]);
    expect(await lettersOf(next)).toEqual([letter]);
  });
});
