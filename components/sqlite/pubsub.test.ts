import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LedgerRefused, type Clock, type Delivery, type Ledger, type PubSub, type Settlement } from '../kit/index.ts';
import { pubSubConformance } from '../kit/conformance/pubsub.ts';
import { buildComponent, connected, createKeptLog, createTurnedClock, until } from '../kit/testing.ts';
import sqlitePubSub from './pubsub.ts';
import { createTestLedgers, type TestLedgers } from './test-ledger.ts';

let ledgers: TestLedgers;
beforeAll(async () => {
  ledgers = await createTestLedgers();
});
afterAll(() => ledgers.end());

const RETENTION_BYTES = 8 * 1024 * 1024;
const shared = (): Promise<Ledger> => ledgers.open(join(ledgers.folder, 'ledger.db'));
const open = async (appId: string, options: Record<string, unknown> = {}, ledger?: Ledger): Promise<PubSub> =>
  connected(buildComponent(sqlitePubSub, options, { appId, ledger: ledger ?? (await shared()), openLedger: (path) => ledgers.open(path) }));
const send = (topic: string, text = 'x') => ({ topic, data: Buffer.from(text), metadata: {} });
const textOf = ({ data }: Delivery): string => Buffer.from(data).toString();
const ACK: Settlement = { action: 'ack' };

pubSubConformance('pubsub.sqlite', {
  open: (group) => open(group, { retentionBytes: RETENTION_BYTES }),
  maxInFlight: 64,
  orderScope: 'topic',
  persistent: true,
  topicBytesMax: RETENTION_BYTES,
  refused: (topic) => ({ topic, data: Buffer.alloc(RETENTION_BYTES + 1), metadata: {} }),
});

describe('the settings of pubsub.sqlite', () => {
  test('a connectionString is a file of its own: its topics are not those of the ledger', async () => {
    const path = join(ledgers.folder, 'own.db');
    const topic = randomUUID();
    const [own, main] = [await open('app', { connectionString: `file:${path}` }), await open('app')];
    const seen: string[] = [];
    const deliver = async (delivery: Delivery): Promise<Settlement> => {
      seen.push(textOf(delivery));
      return ACK;
    };
    await own.publish(send(topic, 'own'));
    await main.publish(send(topic, 'main'));
    await own.subscribe({ topic, metadata: {}, deliver });
    await until(() => seen.length > 0);
    expect(seen).toEqual(['own']);
    expect((await (await ledgers.open(path)).topicStatus(topic)).messages).toBe(1);
    await Promise.all([own.close?.(), main.close?.()]);
  });

  test('a connectionString that names no file is refused in words', () => {
    expect(() => buildComponent(sqlitePubSub, { connectionString: ':memory:' })).toThrow('pubsub.in-memory');
    expect(() => buildComponent(sqlitePubSub, { connectionString: 'a.db?mode=ro' })).toThrow('read-only');
  });

  test('consumerID is the group; blank, the app id is', async () => {
    const topic = randomUUID();
    const ledger = await shared();
    for (const consumerID of ['orders', '  ']) {
      const pubsub = await open('shop', { consumerID });
      await pubsub.subscribe({ topic, metadata: {}, deliver: async () => ACK });
      await pubsub.close?.();
    }
    expect((await ledger.topicStatus(topic)).groups.map(({ group }) => group).toSorted()).toEqual(['orders', 'shop']);
  });

  test('a topic at retentionBytes refuses by name, loses nothing, and takes messages again when a group has caught up', async () => {
    const topic = randomUUID();
    const pubsub = await open('app', { retentionBytes: 10, retention: 0 });
    const seen: string[] = [];
    const first = await pubsub.subscribe({ topic, metadata: {}, deliver: async () => ({ action: 'release' }) });
    await first.close();
    await pubsub.publish(send(topic, '12345'));
    await pubsub.publish(send(topic, '67890'));
    await expect(pubsub.publish(send(topic, '!'))).rejects.toMatchObject({ reason: 'topic-full', message: expect.stringMatching(new RegExp(`${topic}.*10 bytes.*retentionBytes`)) });
    await pubsub.subscribe({
      topic,
      metadata: {},
      deliver: async (delivery) => {
        seen.push(textOf(delivery));
        return ACK;
      },
    });
    await until(async () => (await (await shared()).topicStatus(topic)).groups.every(({ unread, inFlight }) => unread + inFlight === 0));
    await pubsub.publish(send(topic, '!'));
    await until(() => seen.length === 3);
    expect(seen).toEqual(['12345', '67890', '!']);
    await pubsub.close?.();
  });
});

describe('a topic of pubsub.sqlite', () => {
  test('with the default retention, a busy topic takes far more than retentionBytes as long as its group keeps up', async () => {
    const topic = randomUUID();
    const pubsub = await open('app', { retentionBytes: 100 });
    let seen = 0;
    const deliver = async (): Promise<Settlement> => {
      seen++;
      return ACK;
    };
    await pubsub.subscribe({ topic, metadata: {}, deliver });
    const ledger = await shared();
    for (let count = 1; count <= 50; count++) {
      await pubsub.publish(send(topic, '0123456789'.repeat(4)));
      await until(async () => (await ledger.topicStatus(topic)).groups.every(({ unread, inFlight }) => unread + inFlight === 0));
    }
    expect(seen).toBe(50);
    expect((await ledger.topicStatus(topic)).bytes).toBeLessThanOrEqual(100);
    await pubsub.close?.();
  });

  test('without a group nothing is dropped early: publishing is refused, and says why', async () => {
    const topic = randomUUID();
    const pubsub = await open('app', { retentionBytes: 10 });
    await pubsub.publish(send(topic, '1234567890'));
    await expect(pubsub.publish(send(topic, '!'))).rejects.toMatchObject({ reason: 'topic-full', message: expect.stringContaining('no group yet') });
    const late = Promise.withResolvers<string>();
    const deliver = async (delivery: Delivery): Promise<Settlement> => {
      late.resolve(textOf(delivery));
      return ACK;
    };
    await pubsub.subscribe({ topic, metadata: {}, deliver });
    expect(await late.promise).toBe('1234567890');
    await pubsub.close?.();
  });
});

describe('a subscription of pubsub.sqlite', () => {
  /** The real ledger, with one call of it in the hands of the test. */
  const meddled = (ledger: Ledger, changes: Partial<Ledger>): Ledger => {
    const bound = (name: keyof Ledger) => (typeof ledger[name] === 'function' ? ledger[name].bind(ledger) : ledger[name]);
    return new Proxy(ledger, { get: (_target, name) => changes[name as keyof Ledger] ?? bound(name as keyof Ledger) });
  };

  test('acknowledgements of one turn share a commit', async () => {
    const topic = randomUUID();
    const ledger = await shared();
    const batches: number[] = [];
    const commit: Ledger['commit'] = (batch) => {
      if (batch.some(({ type }) => type === 'message.ack')) batches.push(batch.length);
      return ledger.commit(batch);
    };
    const pubsub = await open('app', {}, meddled(ledger, { commit }));
    await Promise.all(Array.from({ length: 64 }, () => pubsub.publish(send(topic))));
    const gate = Promise.withResolvers<void>();
    let begun = 0;
    await pubsub.subscribe({
      topic,
      metadata: {},
      deliver: async () => {
        if (++begun === 64) gate.resolve();
        await gate.promise;
        return ACK;
      },
    });
    await until(() => batches.reduce((sum, length) => sum + length, 0) === 64);
    expect(batches.length).toBeLessThan(5);
    await pubsub.close?.();
  });

  test('what a fast consumer was given ahead goes back when it is paused, and nothing of it is lost', async () => {
    const topic = randomUUID();
    const ledger = await shared();
    const pubsub = await open('app', { maxInFlight: 8 });
    const texts = Array.from({ length: 600 }, (_, index) => `m${index}`);
    await Promise.all(texts.map((text) => pubsub.publish(send(topic, text))));
    const gate = Promise.withResolvers<void>();
    const seen: string[] = [];
    const subscription = await pubsub.subscribe({
      topic,
      metadata: {},
      deliver: async (delivery) => {
        if (seen.push(textOf(delivery)) > 300) await gate.promise;
        return ACK;
      },
    });
    await until(() => seen.length === 308);
    await subscription.pause();
    await until(async () => (await ledger.topicStatus(topic)).groups[0]?.inFlight === 8);
    gate.resolve();
    await subscription.resume();
    await until(() => seen.length >= texts.length);
    await subscription.close();
    expect(seen.toSorted()).toEqual(texts.toSorted());
    expect((await ledger.topicStatus(topic)).groups).toEqual([{ group: 'app', waiting: 0, inFlight: 0, unread: 0 }]);
    await pubsub.close?.();
  });

  test('a ledger that fails for a while costs no message, and one line of log', async () => {
    const topic = randomUUID();
    const ledger = await shared();
    const log = createKeptLog();
    let failures = 0;
    const failing = <T>(work: () => Promise<T>): Promise<T> => (failures++ < 3 ? Promise.reject(new LedgerRefused('io', 'the disk is gone')) : work());
    const pubsub = buildComponent(
      sqlitePubSub,
      {},
      {
        log,
        ledger: meddled(ledger, {
          claimMessages: (request) => failing(() => ledger.claimMessages(request)),
          commit: (batch) => (batch[0]?.type === 'message.ack' && failures < 6 ? failing(() => Promise.reject(new LedgerRefused('io', 'the disk is gone'))) : ledger.commit(batch)),
        }),
      },
    );
    const seen: string[] = [];
    await pubsub.publish(send(topic, 'kept'));
    await pubsub.subscribe({
      topic,
      metadata: {},
      deliver: async (delivery) => {
        seen.push(textOf(delivery));
        return ACK;
      },
    });
    await until(async () => (await ledger.topicStatus(topic)).groups.every(({ unread, inFlight, waiting }) => unread + inFlight + waiting === 0));
    expect(seen).toEqual(['kept']);
    expect(log.lines.map(({ level }) => level)).toEqual(['warn']);
    await pubsub.close?.();
  });

  test('an app that hands everything back does not make the ledger spin', async () => {
    const topic = randomUUID();
    const ledger = await shared();
    let claims = 0;
    const pubsub = await open(
      'app',
      {},
      meddled(ledger, {
        claimMessages: (request) => {
          claims++;
          return ledger.claimMessages(request);
        },
      }),
    );
    await pubsub.publish(send(topic));
    let handedBack = 0;
    await pubsub.subscribe({ topic, metadata: {}, deliver: async () => (++handedBack < 4 ? { action: 'release' } : ACK) });
    await until(() => handedBack === 4);
    expect(claims).toBeLessThan(20);
    await pubsub.close?.();
  });

  test('a claim that fails when the subscription is closed is the last one, and nothing is said or thrown', async () => {
    const turned = createTurnedClock();
    let timers = 0;
    const clock: Clock = {
      now: turned.now,
      after(ms, callback) {
        timers++;
        return turned.after(ms, callback);
      },
    };
    const log = createKeptLog();
    const ledger = await shared();
    const under = Promise.withResolvers<never>();
    let claims = 0;
    const claimMessages = (): Promise<never> => {
      claims++;
      return under.promise;
    };
    const pubsub = buildComponent(sqlitePubSub, {}, { clock, log, ledger: meddled(ledger, { claimMessages }) });
    const subscription = await pubsub.subscribe({ topic: randomUUID(), metadata: {}, deliver: async () => ACK });
    await until(() => claims === 1);
    const closing = subscription.close();
    let closed = false;
    void closing.then(() => (closed = true));
    await new Promise((resolve) => setImmediate(resolve));
    expect(closed, 'a claim is under way').toBe(false);
    under.reject(new LedgerRefused('io', 'the disk is gone'));
    await closing;
    turned.turn(3_600_000);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect([claims, timers, log.lines]).toEqual([1, 0, []]);
  });

  test('a ledger that is closed under a subscription ends its claims, and later wake-ups and timers begin none', async () => {
    const clock = createTurnedClock();
    const log = createKeptLog();
    const topic = randomUUID();
    const ledger = await shared();
    let claims = 0;
    let isClosed = false;
    const first = Promise.withResolvers<unknown>();
    const claimMessages: Ledger['claimMessages'] = (request) => {
      claims++;
      if (isClosed) return Promise.reject(new LedgerRefused('closed', 'the ledger is closed'));
      const claimed = ledger.claimMessages(request);
      first.resolve(claimed);
      return claimed;
    };
    const pubsub = buildComponent(sqlitePubSub, {}, { clock, log, ledger: meddled(ledger, { claimMessages }) });
    const subscription = await pubsub.subscribe({ topic, metadata: {}, deliver: async () => ACK });
    await first.promise;
    // Until the subscription has it too, and waits for its next look.
    await new Promise((resolve) => setImmediate(resolve));
    expect(claims).toBe(1);
    isClosed = true;
    clock.turn(1000);
    await until(() => claims === 2);
    for (let n = 0; n < 10; n++) {
      ledger.wake([`topic/${topic}`]);
      clock.turn(60_000);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect([claims, log.lines]).toEqual([2, []]);
    await expect(subscription.close()).resolves.toBeUndefined();
  });

  test('while closing, settlements that cannot be written are tried five times and left to the end of the lease', async () => {
    const clock = createTurnedClock();
    const topic = randomUUID();
    const ledger = await shared();
    let tries = 0;
    const commit: Ledger['commit'] = (batch) => {
      if (batch[0]?.type !== 'message.ack') return ledger.commit(batch);
      tries++;
      return Promise.reject(new LedgerRefused('io', 'the disk is gone'));
    };
    const pubsub = buildComponent(sqlitePubSub, {}, { clock, ledger: meddled(ledger, { commit }) });
    const gate = Promise.withResolvers<Settlement>();
    let begun = false;
    const deliver = (): Promise<Settlement> => {
      begun = true;
      return gate.promise;
    };
    await pubsub.publish(send(topic));
    const subscription = await pubsub.subscribe({ topic, metadata: {}, deliver });
    await until(() => begun);
    let closed = false;
    const closing = subscription.close().then(() => (closed = true));
    gate.resolve(ACK);
    await until(() => {
      clock.turn(1000);
      return closed;
    });
    await closing;
    clock.turn(3_600_000);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(tries).toBe(5);
  });

  test('closing ends although the ledger has been closed before', async () => {
    const path = join(ledgers.folder, 'short-lived.db');
    const gate = Promise.withResolvers<Settlement>();
    const pubsub = await open('app', { connectionString: path });
    let begun = false;
    await pubsub.publish(send('t'));
    const subscription = await pubsub.subscribe({
      topic: 't',
      metadata: {},
      deliver: () => {
        begun = true;
        return gate.promise;
      },
    });
    await until(() => begun);
    await ledgers.close(path);
    gate.resolve(ACK);
    await expect(subscription.close()).resolves.toBeUndefined();
  });
});
