/**
 * What every broker must do, whatever it is made of: `pubSubConformance('pubsub.redis', { open, orderScope, ... })` in a
 * test file registers one case per claim. Topics and groups have random names, so a shared broker may be used.
 *
 * A broker's nature (does it persist, what does it keep in order) is declared in the options; each option names what the
 * broker's documents admit, and turns the claim around rather than off where it can.
 */
/* oxlint-disable vitest/no-conditional-tests -- the broker's declared nature decides which claims hold */
import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, test } from 'vitest';
import { PublishRefused, type PubSub, type PublishMessage, type Settlement, type SubscribeRequest, type Subscription } from '../pubsub.ts';
import { until } from '../testing.ts';
import { ACK, consumer, textOf, type Consumer } from './consumer.ts';

export interface PubSubConformance {
  /** A connected instance whose subscriptions belong to the consumer group `group`. All instances reach the same broker. */
  open(group: string): Promise<PubSub>;
  /** Deliveries that one subscription of such an instance has under way at most. */
  readonly maxInFlight: number;
  /**
   * `topic`: deliveries of a topic begin in the order published. `partition`: so do those with one `partitionKey`, and a
   * waiting retry holds up what is behind it there. `none`: no promise.
   */
  readonly orderScope: 'topic' | 'partition' | 'none';
  /** Messages wait for a group that is away, also while no instance is open, and a new group begins at the oldest. */
  readonly persistent: boolean;
  /** The group's sharing is settled anew when a member comes or goes, which may give unsettled messages twice. Default: false. */
  readonly rebalances?: boolean;
  /** The count of attempts survives the instance. Default: as `persistent`. */
  readonly keepsAttempts?: boolean;
  /** Makes a topic, where that is not a matter of publishing to it. Default: nothing to do. */
  makeTopic?(topic: string): Promise<void>;
  /** Milliseconds for which the broker, as configured by `open`, trusts a silent consumer with a message. Absent: for ever. */
  readonly leaseMs?: number;
  /** Bytes of unacknowledged messages at which a topic, as configured by `open`, refuses more. Absent: none that a test could reach. */
  readonly topicBytesMax?: number;
  /** A message that the broker refuses, for example for its size. Absent: the cases about partial failure need none. */
  refused?(topic: string): PublishMessage;
}

const allBytes = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
const RELEASE: Settlement = { action: 'release' };
const retryIn = (delayMs: number): Settlement => ({ action: 'retry', delayMs });
const FAR_AWAY_MS = 600_000;
const BURST = 1000;

const numbered = (count: number, prefix = 'm'): readonly string[] => Array.from({ length: count }, (_, index) => `${prefix}${index}`);

function createGate(): { readonly open: Promise<void>; release(): void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { open: promise, release: resolve };
}

export function pubSubConformance(name: string, options: PubSubConformance): void {
  const { orderScope, persistent } = options;
  const instances = new Set<PubSub>();
  const newName = (): string => `conformance-${randomUUID()}`;

  const newTopic = async (): Promise<string> => {
    const topic = newName();
    await options.makeTopic?.(topic);
    return topic;
  };
  const open = async (group = newName()): Promise<PubSub> => {
    const instance = await options.open(group);
    instances.add(instance);
    return instance;
  };
  const close = async (instance: PubSub): Promise<void> => {
    instances.delete(instance);
    await instance.close?.();
  };
  const subscribe = (instance: PubSub, topic: string, app: Consumer, metadata: SubscribeRequest['metadata'] = {}): Promise<Subscription> =>
    instance.subscribe({ topic, metadata, deliver: (delivery) => app.deliver(delivery) });
  const publish = (instance: PubSub, topic: string, text: string, metadata: Readonly<Record<string, string>> = {}): Promise<void> =>
    instance.publish({ topic, data: Buffer.from(text), metadata });
  const publishAll = async (instance: PubSub, topic: string, texts: readonly string[]): Promise<void> => {
    await Promise.all(texts.map((text) => publish(instance, topic, text)));
  };

  /** In order and no more than once each where nothing excuses a second time. */
  const expectEachOnce = (texts: readonly string[], wanted: readonly string[], mayRepeat = false): void => {
    if (mayRepeat) expect([...new Set(texts)].toSorted()).toEqual(wanted.toSorted());
    else expect(texts.toSorted()).toEqual(wanted.toSorted());
  };

  describe(`${name} is a broker`, () => {
    afterEach(async () => {
      await Promise.all([...instances].map(close));
    });

    test('a ping succeeds where there is one, and closing twice is no error', async () => {
      const instance = await open();
      await expect((async () => instance.ping?.())()).resolves.toBeUndefined();
      await instance.close?.();
      await instance.close?.();
    });

    test.each<[string, Uint8Array]>([
      ['text', Buffer.from('{"specversion":"1.0"}')],
      ['every byte there is', allBytes],
      ['bytes that are no UTF-8', Buffer.from([0xc3, 0x28, 0xff, 0x00])],
      ['nothing at all', Buffer.alloc(0)],
      ['half a megabyte', Buffer.alloc(512 * 1024, allBytes)],
    ])('bytes and metadata come as they were given: %s', async (_what, data) => {
      const [instance, topic, app] = [await open(), await newTopic(), consumer()];
      await subscribe(instance, topic, app);
      await instance.publish({ topic, data, contentType: 'application/cloudevents+json', metadata: { own: 'value', 'Mixed-Case': 'ü 鍵', traceparent: '00-a-b-01' } });
      await app.until(() => app.seen.length > 0);
      const [delivery] = app.seen;
      expect(delivery).toMatchObject({ topic, attempt: 1, metadata: { own: 'value', 'Mixed-Case': 'ü 鍵', traceparent: '00-a-b-01' } });
      expect(Buffer.from(delivery?.data ?? []).equals(data)).toBe(true);
      expect([undefined, 'application/cloudevents+json']).toContain(delivery?.contentType);
    });

    test('every message has an id of its own', async () => {
      const [instance, topic, app] = [await open(), await newTopic(), consumer()];
      await subscribe(instance, topic, app);
      await publishAll(instance, topic, numbered(20));
      await app.until(() => app.seen.length >= 20);
      expect(new Set(app.seen.map(({ id }) => id)).size).toBe(20);
    });

    describe('groups', () => {
      test('two groups are both given everything', async () => {
        const [one, two, topic] = [await open(), await open(), await newTopic()];
        const [first, second] = [consumer(), consumer()];
        await subscribe(one, topic, first);
        await subscribe(two, topic, second);
        const texts = numbered(30);
        await publishAll(one, topic, texts);
        await Promise.all([first.hasSeen(...texts), second.hasSeen(...texts)]);
        expectEachOnce(first.texts(), texts);
        expectEachOnce(second.texts(), texts);
      });

      test('two members of one group share: each message goes to one of them', async () => {
        const [group, topic] = [newName(), await newTopic()];
        const [one, two] = [await open(group), await open(group)];
        const app = consumer();
        await subscribe(one, topic, app);
        await subscribe(two, topic, app);
        const texts = numbered(60);
        await publishAll(one, topic, texts);
        await app.hasSeen(...texts);
        await Promise.all([close(one), close(two)]);
        expectEachOnce(app.texts(), texts, options.rebalances);
      });

      test('when one member leaves, the others are given what comes after', async () => {
        const [group, topic] = [newName(), await newTopic()];
        const [leaving, staying] = [await open(group), await open(group)];
        const [left, stayed] = [consumer(), consumer()];
        await subscribe(leaving, topic, left);
        await subscribe(staying, topic, stayed);
        await close(leaving);
        const texts = numbered(20);
        await publishAll(staying, topic, texts);
        await stayed.hasSeen(...texts);
        expect(left.texts()).toEqual([]);
        expectEachOnce(stayed.texts(), texts, options.rebalances);
      });

      if (persistent)
        test('a new group begins at the oldest kept message', async () => {
          const [instance, topic, app] = [await open(), await newTopic(), consumer()];
          const texts = numbered(5);
          for (const text of texts) await publish(instance, topic, text);
          await subscribe(instance, topic, app);
          await app.hasSeen(...texts);
          expectEachOnce(app.texts(), texts);
        });
      else
        test('what nobody had subscribed to is gone', async () => {
          const [instance, topic, app] = [await open(), await newTopic(), consumer()];
          await publish(instance, topic, 'before');
          await subscribe(instance, topic, app);
          await publish(instance, topic, 'after');
          await app.hasSeen('after');
          expect(app.texts()).toEqual(['after']);
        });
    });

    describe('topics', () => {
      test('two topics of one instance do not disturb each other, and closing one leaves the other', async () => {
        const [instance, even, odd] = [await open(), await newTopic(), await newTopic()];
        const [evens, odds] = [consumer(), consumer()];
        const closing = await subscribe(instance, even, evens);
        await subscribe(instance, odd, odds);
        await Promise.all([publishAll(instance, even, numbered(10, 'even')), publishAll(instance, odd, numbered(10, 'odd'))]);
        await Promise.all([evens.hasSeen(...numbered(10, 'even')), odds.hasSeen(...numbered(10, 'odd'))]);
        await closing.close();
        await closing.close();
        await Promise.all([publish(instance, even, 'even late'), publish(instance, odd, 'odd late')]);
        await odds.hasSeen('odd late');
        expectEachOnce(odds.texts(), [...numbered(10, 'odd'), 'odd late']);
        expectEachOnce(evens.texts(), numbered(10, 'even'));
      });

      test('a topic that is stuck holds up no other topic of the instance', async () => {
        const [instance, stuck, free, gate] = [await open(), await newTopic(), await newTopic(), createGate()];
        const held = consumer(() => gate.open.then(() => ACK));
        const app = consumer();
        await subscribe(instance, stuck, held);
        await subscribe(instance, free, app);
        await publish(instance, stuck, 'held');
        await held.hasSeen('held');
        await publishAll(instance, free, numbered(10));
        await app.hasSeen(...numbered(10));
        gate.release();
      });
    });

    describe('settlements', () => {
      test('a retry comes back with the next attempt, after its delay, and unchanged', async () => {
        const [instance, topic] = [await open(), await newTopic()];
        const delayMs = 200;
        const at: number[] = [];
        const app = consumer((_delivery, before) => {
          at.push(performance.now());
          return before < 2 ? retryIn(delayMs) : ACK;
        });
        await subscribe(instance, topic, app);
        await publish(instance, topic, 'poison', { own: 'value' });
        await app.until(() => app.settled === 3);
        expect(app.seen.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
        expect(new Set(app.seen.map(({ id }) => id)).size).toBe(1);
        expect(app.texts()).toEqual(['poison', 'poison', 'poison']);
        expect(app.seen[2]?.metadata).toMatchObject({ own: 'value' });
        // A lower bound, which no slow machine can break; timers may fire a moment early.
        for (const index of [1, 2]) expect((at[index] ?? 0) - (at[index - 1] ?? 0)).toBeGreaterThan(delayMs - 20);
      });

      if (orderScope !== 'partition')
        test('a waiting retry holds up nothing and takes up no place, however many wait', async () => {
          const [instance, topic] = [await open(), await newTopic()];
          const poison = numbered(options.maxInFlight * 2, 'poison');
          const app = consumer((delivery) => (textOf(delivery).startsWith('poison') ? retryIn(FAR_AWAY_MS) : ACK));
          await subscribe(instance, topic, app);
          await publishAll(instance, topic, poison);
          const texts = numbered(20);
          await publishAll(instance, topic, texts);
          await app.hasSeen(...poison, ...texts);
          expectEachOnce(app.texts(), [...poison, ...texts]);
        });
      else
        test('a waiting retry holds up its own partition alone, and there nothing is lost', async () => {
          const [instance, topic] = [await open(), await newTopic()];
          const app = consumer((delivery, before) => (textOf(delivery) === 'poison' && before === 0 ? retryIn(100) : ACK));
          await subscribe(instance, topic, app);
          await publish(instance, topic, 'poison', { partitionKey: 'a' });
          await publish(instance, topic, 'behind', { partitionKey: 'a' });
          await app.hasSeen('behind');
          expect(app.texts()).toEqual(['poison', 'poison', 'behind']);
          expect(app.seen.map(({ attempt }) => attempt)).toEqual([1, 2, 1]);
        });

      test('a released message comes back as if it had never been given', async () => {
        const [instance, topic] = [await open(), await newTopic()];
        const app = consumer((_delivery, before) => (before === 0 ? RELEASE : before === 1 ? retryIn(0) : before === 2 ? RELEASE : ACK));
        await subscribe(instance, topic, app);
        await publish(instance, topic, 'back');
        await app.until(() => app.settled === 4);
        expect(app.seen.map(({ attempt }) => attempt)).toEqual([1, 1, 2, 2]);
      });

      test('some retried, some released, most acknowledged: each is done once', async () => {
        const [instance, topic] = [await open(), await newTopic()];
        const done: string[] = [];
        const app = consumer((delivery, before) => {
          const number = Number(textOf(delivery).slice(1));
          if (before === 0 && number % 5 === 0) return retryIn(20);
          if (before === 0 && number % 7 === 0) return RELEASE;
          done.push(textOf(delivery));
          return ACK;
        });
        await subscribe(instance, topic, app);
        const texts = numbered(60);
        await publishAll(instance, topic, texts);
        await app.until(() => new Set(done).size === texts.length && app.inFlight === 0);
        await close(instance);
        // Where a retry or release rewinds a partition, what was done behind it may come again.
        expectEachOnce(done, texts, orderScope === 'partition');
      });

      if (options.leaseMs !== undefined) {
        const { leaseMs } = options;
        test('a delivery that takes longer than the lease stays with its consumer', async () => {
          const [group, topic] = [newName(), await newTopic()];
          const [one, two] = [await open(group), await open(group)];
          const app = consumer(() => new Promise((resolve) => setTimeout(() => resolve(ACK), leaseMs * 3)));
          await subscribe(one, topic, app);
          await subscribe(two, topic, app);
          await publish(one, topic, 'slow');
          await app.until(() => app.settled === 1);
          await close(one);
          await close(two);
          expect(app.texts()).toEqual(['slow']);
        });
      }
    });

    describe('stopping', () => {
      test('closing waits for deliveries under way, keeps their settlement, and loses nothing', async () => {
        const [instance, topic, gate] = [await open(), await newTopic(), createGate()];
        const app = consumer(() => gate.open.then(() => ACK));
        const subscription = await subscribe(instance, topic, app);
        const texts = numbered(options.maxInFlight * 2);
        await publishAll(instance, topic, texts);
        await app.until(() => app.inFlight > 0);
        let closed = false;
        const closing = subscription.close().then(() => (closed = true));
        expect(app.inFlight).toBeGreaterThan(0);
        expect(closed).toBe(false);
        gate.release();
        await closing;
        expect(app.inFlight).toBe(0);
        const given = app.texts();

        const later = consumer();
        await subscribe(instance, topic, later);
        await later.hasSeen(...texts.filter((text) => !given.includes(text)));
        await publish(instance, topic, 'last');
        await later.hasSeen('last');
        expect(app.texts()).toEqual(given);
        expectEachOnce([...given, ...later.texts()], [...texts, 'last'], orderScope === 'partition');
      });

      test('a message released by closing comes to the next subscription with the same attempt', async () => {
        const [instance, topic, gate] = [await open(), await newTopic(), createGate()];
        const app = consumer(() => gate.open.then(() => RELEASE));
        const subscription = await subscribe(instance, topic, app);
        await publish(instance, topic, 'handed back');
        await app.hasSeen('handed back');
        const closing = subscription.close();
        gate.release();
        await closing;
        const later = consumer();
        await subscribe(instance, topic, later);
        await later.hasSeen('handed back');
        expect(later.seen.map(({ attempt }) => attempt)).toEqual([1]);
        expect(app.texts()).toEqual(['handed back']);
      });

      test('pausing stops intake while deliveries under way are settled; resuming takes it up where it was', async () => {
        const [instance, other, topic, gate] = [await open(), await open(), await newTopic(), createGate()];
        const app = consumer((delivery) => (textOf(delivery) === 'under way' ? gate.open.then(() => ACK) : ACK));
        const witness = consumer();
        const subscription = await subscribe(instance, topic, app);
        await subscribe(other, topic, witness);
        await publish(instance, topic, 'under way');
        await app.hasSeen('under way');
        await subscription.pause();
        await publishAll(instance, topic, numbered(10));
        await witness.hasSeen(...numbered(10));
        gate.release();
        await app.until(() => app.settled === 1);
        expect(app.texts()).toEqual(['under way']);
        await subscription.resume();
        await app.hasSeen(...numbered(10));
        expectEachOnce(app.texts(), ['under way', ...numbered(10)]);
      });

      test('a paused subscription can be closed, and what it held back goes to the next', async () => {
        const [instance, topic] = [await open(), await newTopic()];
        const app = consumer();
        const subscription = await subscribe(instance, topic, app);
        await subscription.pause();
        await publish(instance, topic, 'later');
        await subscription.close();
        expect(app.texts()).toEqual([]);
        const next = consumer();
        await subscribe(instance, topic, next);
        await next.hasSeen('later');
      });

      test('closing the instance closes its subscriptions and waits for them', async () => {
        const [instance, topic, gate] = [await open(), await newTopic(), createGate()];
        const app = consumer(() => gate.open.then(() => ACK));
        await subscribe(instance, topic, app);
        await publish(instance, topic, 'under way');
        await app.hasSeen('under way');
        const closing = close(instance);
        gate.release();
        await closing;
        expect([app.settled, app.inFlight]).toEqual([1, 0]);
      });
    });

    if (persistent)
      describe('durability', () => {
        test('what a group has not acknowledged waits for it while no instance is open', async () => {
          const [group, topic] = [newName(), await newTopic()];
          const before = await open(group);
          const app = consumer((delivery) => (textOf(delivery) === 'acked' ? ACK : RELEASE));
          await subscribe(before, topic, app);
          await publish(before, topic, 'acked');
          await app.until(() => app.settled > 0);
          const closing = close(before);
          await closing;
          const publisher = await open();
          await publishAll(publisher, topic, numbered(5));
          await close(publisher);

          const later = consumer();
          await subscribe(await open(group), topic, later);
          await later.hasSeen(...numbered(5));
          expectEachOnce(later.texts(), numbered(5));
        });

        test('a message that was under way when its instance closed is given again', async () => {
          const [group, topic, gate] = [newName(), await newTopic(), createGate()];
          const before = await open(group);
          const app = consumer(() => gate.open.then(() => RELEASE));
          await subscribe(before, topic, app);
          await publish(before, topic, 'unfinished');
          await app.hasSeen('unfinished');
          const closing = close(before);
          gate.release();
          await closing;
          const later = consumer();
          await subscribe(await open(group), topic, later);
          await later.hasSeen('unfinished');
          expect(later.seen.map(({ attempt }) => attempt)).toEqual([1]);
        });

        if (options.keepsAttempts ?? true)
          test('a retry that waited when its instance closed comes with its attempt', async () => {
            const [group, topic] = [newName(), await newTopic()];
            const before = await open(group);
            const app = consumer(() => retryIn(500));
            await subscribe(before, topic, app);
            await publish(before, topic, 'again');
            await app.until(() => app.settled === 1);
            await close(before);
            const attempts = app.seen.length;
            const later = consumer();
            await subscribe(await open(group), topic, later);
            await later.hasSeen('again');
            expect(later.seen.map(({ attempt }) => attempt)).toEqual([attempts + 1]);
          });
      });

    describe('load', () => {
      test(`a burst of ${BURST} messages reaches each group, every message exactly once`, async () => {
        const [one, two, topic] = [await open(), await open(), await newTopic()];
        const [first, second] = [consumer(), consumer()];
        await subscribe(one, topic, first);
        await subscribe(two, topic, second);
        const texts = numbered(BURST);
        await publishAll(one, topic, texts);
        await Promise.all([first, second].map((app) => app.until(() => app.settled >= BURST)));
        await Promise.all([close(one), close(two)]);
        expectEachOnce(first.texts(), texts);
        expectEachOnce(second.texts(), texts);
      });

      test('(users 16) a slow consumer has no more under way than the bound, and is given all in the end', async () => {
        const [instance, topic, gate] = [await open(), await newTopic(), createGate()];
        const app = consumer(() => gate.open.then(() => ACK));
        await subscribe(instance, topic, app);
        const texts = numbered(options.maxInFlight * 3);
        await publishAll(instance, topic, texts);
        // A partition is one lane, so a keyed broker may have fewer under way than its bound.
        await app.until(() => app.inFlight >= (orderScope === 'partition' ? 1 : options.maxInFlight));
        // A witness of another group shows that the broker goes on giving while this consumer is full.
        const witness = consumer();
        await subscribe(await open(), topic, witness);
        await publish(instance, topic, 'probe');
        await witness.hasSeen('probe');
        gate.release();
        await app.hasSeen(...texts, 'probe');
        expect(app.inFlightMost).toBeLessThanOrEqual(options.maxInFlight);
        expectEachOnce(app.texts(), [...texts, 'probe']);
      });

      if (orderScope !== 'none')
        test(`deliveries of one ${orderScope} begin in the order published`, async () => {
          const [instance, topic, app] = [await open(), await newTopic(), consumer()];
          await subscribe(instance, topic, app);
          const texts = numbered(100);
          for (const text of texts) await publish(instance, topic, text, { partitionKey: 'one' });
          await app.hasSeen(...texts);
          expect(app.texts()).toEqual(texts);
        });
    });

    const { topicBytesMax } = options;
    if (topicBytesMax !== undefined) {
      describe('a topic at its limit', () => {
        const full = (error: unknown): boolean => error instanceof PublishRefused && error.reason === 'topic-full';
        const quarter = (topic: string): PublishMessage => ({ topic, data: Buffer.alloc(Math.floor(topicBytesMax / 4)), metadata: {} });

        test('what every group has acknowledged takes no room: three times the limit go through, none of it older than a moment', async () => {
          const [instance, topic, app] = [await open(), await newTopic(), consumer()];
          await subscribe(instance, topic, app);
          for (let count = 1; count <= 12; count++) {
            // What was given may be acknowledged a moment later.
            await until(() => instance.publish(quarter(topic)).then(() => true, (error: unknown) => (full(error) ? false : Promise.reject(error as Error))));
            await app.until(() => app.seen.length >= count);
          }
          expect(app.seen).toHaveLength(12);
        });

        test('what a group has still to acknowledge is kept, and more is refused by name', async () => {
          const [instance, topic, gate] = [await open(), await newTopic(), createGate()];
          const app = consumer(() => gate.open.then(() => ACK));
          await subscribe(instance, topic, app);
          for (let count = 0; count < 4; count++) await instance.publish(quarter(topic));
          await expect(instance.publish(quarter(topic))).rejects.toSatisfy(full);
          gate.release();
          await app.until(() => app.settled >= 4);
          await until(() => instance.publish(quarter(topic)).then(() => true, (error: unknown) => (full(error) ? false : Promise.reject(error as Error))));
          await app.until(() => app.settled >= 5);
          expect(app.seen).toHaveLength(5);
        });
      });
    }

    describe('bulk publish', () => {
      /** As the service does it: the broker's own, else one by one. */
      const publishBulk = async (instance: PubSub, messages: readonly PublishMessage[]): Promise<readonly number[]> => {
        if (instance.publishBulk) return (await instance.publishBulk(messages)).failed.map(({ index }) => index);
        const outcomes = await Promise.allSettled(messages.map((message) => instance.publish(message)));
        return outcomes.flatMap((outcome, index) => (outcome.status === 'rejected' ? [index] : []));
      };

      test('all messages of a bulk arrive, each on its topic', async () => {
        const [instance, one, two] = [await open(), await newTopic(), await newTopic()];
        const [first, second] = [consumer(), consumer()];
        await subscribe(instance, one, first);
        await subscribe(instance, two, second);
        const failed = await publishBulk(
          instance,
          numbered(20).map((text, index) => ({ topic: index % 2 === 0 ? one : two, data: Buffer.from(text), metadata: { at: String(index) } })),
        );
        expect(failed).toEqual([]);
        await Promise.all([first, second].map((app) => app.until(() => app.seen.length >= 10)));
        expectEachOnce([...first.texts(), ...second.texts()], numbered(20));
        for (const app of [first, second]) for (const delivery of app.seen) expect(`m${delivery.metadata['at']}`).toBe(textOf(delivery));
        expect(first.seen.every(({ topic }) => topic === one)).toBe(true);
      });

      test('a bulk of nothing fails nothing', async () => {
        expect(await publishBulk(await open(), [])).toEqual([]);
      });

      if (options.refused) {
        const refused = options.refused.bind(options);
        test('(users 20) what the broker refuses is named, and the others arrive', async () => {
          const [instance, topic, app] = [await open(), await newTopic(), consumer()];
          await subscribe(instance, topic, app);
          await expect(instance.publish(refused(topic))).rejects.toThrow(/./);
          const messages: PublishMessage[] = numbered(5).map((text) => ({ topic, data: Buffer.from(text), metadata: {} }));
          messages.splice(2, 0, refused(topic));
          expect(await publishBulk(instance, messages)).toEqual([2]);
          await app.hasSeen(...numbered(5));
          expectEachOnce(app.texts(), numbered(5));
        });
      }
    });
  });
}
