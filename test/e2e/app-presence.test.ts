/** The app may be absent, late, killed, restarted and changed: everything comes alive without a restart of the sidecar. */
import { afterEach, describe, expect, test } from 'vitest';
import { until, untilStatus } from '../tools/processes.ts';
import { cleanUp, component, folderWith, startSidecar, testApp, type AppAnswer, type Sidecar } from './sidecar.ts';

afterEach(cleanUp);

interface View {
  /** Absent when there are none. */
  readonly subscriptions?: readonly { topic: string }[];
}
const topicsOf = async (sidecar: Sidecar): Promise<string[]> => (await sidecar.call('GET', '/metadata')).json<View>().subscriptions?.map(({ topic }) => topic).sort() ?? [];

describe('the app comes and goes', () => {
  test('(users 40) absent, late, slow to answer discovery, killed, restarted with other subscriptions: every input comes alive without a restart of the sidecar', async () => {
    const received: string[] = [];
    let subscriptions = [{ pubsubname: 'pubsub', topic: 'first', route: '/events' }];
    const discovery = Promise.withResolvers<void>();
    const app = await testApp(async ({ path, text }): Promise<AppAnswer | undefined> => {
      if (path === '/dapr/subscribe') {
        await discovery.promise;
        return { body: subscriptions };
      }
      if (path === '/events') received.push((JSON.parse(text) as { data: { id: string } }).data.id);
      return path === '/events' || path === '/hello' ? { body: 'hi' } : undefined;
    });
    const sidecar = await startSidecar({ appPort: app.port });
    const publish = async (topic: string, id: string): Promise<void> => {
      expect((await sidecar.call('POST', `/publish/pubsub/${topic}`, { id })).status).toBe(204);
    };

    // Absent: what needs it says so, the rest serves.
    const refused = await sidecar.call('GET', '/invoke/app/method/hello');
    expect(refused.status).toBe(500);
    expect(refused.json()).toMatchObject({ errorCode: 'ERR_DIRECT_INVOKE' });
    expect((await sidecar.call('POST', '/state/statestore', [{ key: 'k', value: 1 }])).status).toBe(204);
    expect(await topicsOf(sidecar)).toEqual([]);

    // Late, and slow to say what it subscribes to: calls reach it meanwhile.
    await app.listen();
    await until('it is asked', () => app.requests.some(({ path }) => path === '/dapr/subscribe'), { about: sidecar.process });
    expect((await sidecar.call('GET', '/invoke/app/method/hello')).status).toBe(200);
    discovery.resolve();
    await untilStatus(`${sidecar.base}/healthz`, 204, sidecar.process);
    expect(await topicsOf(sidecar)).toEqual(['first']);
    await publish('first', 'one');
    await until('the event came', () => received.includes('one'), { about: sidecar.process });

    // Killed: what is published meanwhile waits for it.
    await app.close();
    await publish('first', 'two');
    await until('it is known to be away', async () => (await sidecar.call('GET', '/invoke/app/method/hello')).status === 500, { about: sidecar.process });
    expect((await sidecar.call('GET', '/healthz/outbound')).status).toBe(204);

    // Back, with another subscription beside the first.
    subscriptions = [...subscriptions, { pubsubname: 'pubsub', topic: 'second', route: '/events' }];
    await app.listen();
    await until('the waiting event came', () => received.includes('two'), { about: sidecar.process });
    await until('both are subscribed', async () => (await topicsOf(sidecar)).length === 2, { about: sidecar.process });
    await publish('second', 'three');
    await until('the event of the new topic came', () => received.includes('three'), { about: sidecar.process });

    // Back once more, without the first.
    await app.close();
    await until('it is known to be away', async () => (await sidecar.call('GET', '/invoke/app/method/hello')).status === 500, { about: sidecar.process });
    subscriptions = [{ pubsubname: 'pubsub', topic: 'second', route: '/events' }];
    await app.listen();
    await until('only the second is subscribed', async () => (await topicsOf(sidecar)).join() === 'second', { about: sidecar.process });
    await publish('first', 'unheard');
    await publish('second', 'four');
    await until('the last event came', () => received.includes('four'), { about: sidecar.process });
    expect(received).toEqual(['one', 'two', 'three', 'four']);
  });

  test('an app whose discovery fails is asked again, and its declared subscriptions flow meanwhile', async () => {
    const received: string[] = [];
    let discoveryWorks = false;
    const app = await testApp(({ path, text }): AppAnswer | undefined => {
      if (path === '/dapr/subscribe') return discoveryWorks ? { body: [{ pubsubname: 'pubsub', topic: 'asked', route: '/asked' }] } : { status: 500 };
      if (path !== '/declared' && path !== '/asked') return undefined;
      received.push(`${path} ${(JSON.parse(text) as { data: string }).data}`);
      return {};
    });
    const resources = await folderWith({
      'resources.yaml': `${component('pubsub', 'pubsub.sqlite')}apiVersion: dapr.io/v2alpha1\nkind: Subscription\nmetadata: { name: declared }\nspec: { topic: declared, pubsubname: pubsub, routes: { default: /declared } }\n`,
    });
    await app.listen();
    const sidecar = await startSidecar({ appPort: app.port, resources, untilReady: 'all' });
    await sidecar.call('POST', '/publish/pubsub/declared', '"one"');
    await until('the declared one flows', () => received.includes('/declared one'), { about: sidecar.process });
    expect(sidecar.output()).toContain("the app's own subscriptions are off until it can be asked for them");
    discoveryWorks = true;
    await until('the asked one stands', async () => (await topicsOf(sidecar)).includes('asked'), { about: sidecar.process });
    await sidecar.call('POST', '/publish/pubsub/asked', '"two"');
    await until('the asked one flows', () => received.includes('/asked two'), { about: sidecar.process });
  });

  test('health checks: an unhealthy app gets no events and no calls, and both when it is well again', async () => {
    let isHealthy = true;
    const received: string[] = [];
    const app = await testApp(({ path, text }): AppAnswer | undefined => {
      if (path === '/alive') return { status: isHealthy ? 200 : 500 };
      if (path === '/dapr/subscribe') return { body: [{ pubsubname: 'pubsub', topic: 'news', route: '/news' }] };
      if (path === '/news') received.push((JSON.parse(text) as { data: string }).data);
      return {};
    });
    await app.listen();
    const args = ['--enable-app-health-check', '--app-health-check-path', '/alive', '--app-health-probe-interval', '1', '--app-health-threshold', '1'];
    const sidecar = await startSidecar({ appPort: app.port, untilReady: 'all', args });
    isHealthy = false;
    const refused = await until('calls are refused', async () => {
      const answer = await sidecar.call('GET', '/invoke/app/method/x');
      return answer.status !== 200 && answer;
    }, { about: sidecar.process });
    expect(refused.text).toContain('app is not in a healthy state');
    await sidecar.call('POST', '/publish/pubsub/news', '"held"');
    expect(received).toEqual([]);
    isHealthy = true;
    await until('the event came', () => received.includes('held'), { about: sidecar.process });
    await until('calls come through', async () => (await sidecar.call('GET', '/invoke/app/method/x')).status === 200, { about: sidecar.process });
  });
});
