/** (users 13) One test for each broker: a sidecar is stopped under load, within its deadline and past it, and nothing is lost. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { until } from '../tools/processes.ts';
import { cleanUp, component, folderWith, startSidecar, testApp, type AppAnswer, type Sidecar } from './sidecar.ts';

const EVENTS = 60;

/** `metadata`: what the component of this type needs to be reached. */
export function testDrain(type: string, metadata: () => Readonly<Record<string, string>>): void {
  afterEach(cleanUp);

  test(`(users 13) SIGTERM under load on ${type} with a slow handler loses nothing and sends nothing to the dead letters; what was under way is finished, or delivered again after the restart`, async () => {
    // Brokers outlive the test, so topics and groups are its own.
    const run = randomUUID();
    const resources = await folderWith({ 'pubsub.yaml': component('pubsub', type, { ...metadata(), consumerID: run }) });
    const seen = new Map<string, number>();
    const dead: string[] = [];
    const finished = new Set<string>();
    let gate = Promise.withResolvers<void>();
    /** What the first sidecar had given to the handler when it ended; some of it may be read only then. */
    const underWay = new Set<string>();
    let isFirst = true;
    const app = await testApp(async ({ path, text }): Promise<AppAnswer | undefined> => {
      if (path === '/dapr/subscribe') {
        return { body: [{ pubsubname: 'pubsub', topic: `work-${run}`, route: '/work', deadLetterTopic: `dead-${run}` }, { pubsubname: 'pubsub', topic: `dead-${run}`, route: '/dead' }] };
      }
      if (path !== '/work' && path !== '/dead') return undefined;
      const { id } = (JSON.parse(text) as { data: { id: string } }).data;
      if (path === '/dead') dead.push(id);
      else {
        seen.set(id, (seen.get(id) ?? 0) + 1);
        if (isFirst) underWay.add(id);
        await gate.promise;
        finished.add(id);
      }
      return {};
    });
    await app.listen();
    const of = (kind: string, ids: Iterable<string>): string[] => [...ids].filter((id) => id.startsWith(kind));
    const publish = async (sidecar: Sidecar, kind: string): Promise<void> => {
      for (let index = 0; index < EVENTS; index++) expect((await sidecar.call('POST', `/publish/pubsub/work-${run}`, { id: `${kind}${index}` })).status).toBe(204);
    };

    // The handler does not end within the deadline: what it holds is handed back, not given up.
    const first = await startSidecar({ appPort: app.port, resources, untilReady: 'all', args: ['--dapr-graceful-shutdown-seconds', '1'] });
    await publish(first, 'cut');
    await until('the handler is busy', () => seen.size > 0, { about: first.process });
    first.process.child.kill('SIGTERM');
    expect(await first.process.exited, first.output()).toBe(0);
    let counted = -1;
    await until('all that it sent was read', async () => {
      const before = counted;
      counted = seen.size;
      await sleep(200);
      return before === seen.size;
    });
    isFirst = false;
    gate.resolve();
    const second = await startSidecar({ appPort: app.port, resources, dataDir: first.dataDir, untilReady: 'all', args: ['--dapr-graceful-shutdown-seconds', '30'] });
    await until('all were handled', () => finished.size === EVENTS && [...underWay].every((id) => seen.get(id) === 2), { about: second.process });

    // Now it ends within the deadline: what began is finished, and comes once.
    gate = Promise.withResolvers<void>();
    await publish(second, 'finished');
    await until('the handler is busy', () => of('finished', seen.keys()).length > 0, { about: second.process });
    second.process.child.kill('SIGTERM');
    await until('it drains', () => second.output().includes('shutting down'), { about: second.process });
    gate.resolve();
    expect(await second.process.exited, second.output()).toBe(0);
    const third = await startSidecar({ appPort: app.port, resources, dataDir: first.dataDir, untilReady: 'all' });
    await until('the rest was handled', () => of('finished', finished).length === EVENTS, { about: third.process });

    const twice = [...seen].filter(([, times]) => times !== 1);
    expect(twice.filter(([id, times]) => times !== 2 || !underWay.has(id))).toEqual([]);
    expect(dead).toEqual([]);
  });
}
