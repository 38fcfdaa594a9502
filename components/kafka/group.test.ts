/**
 * What a group does when joins, answers and fetches of the library cross: orders of events that no broker brings about when it
 * is asked to. The library is played here, call by call, on a clock that is turned by hand; `pubsub.test.ts` has real brokers.
 */
import { setImmediate as settledDown } from 'node:timers/promises';
import type { Admin, Consumer, EachBatchPayload, Kafka, KafkaMessage } from 'kafkajs';
import { describe, expect, test } from 'vitest';
import type { Settlement } from '@mecha/components/kit';
import { createKeptLog, createTurnedClock } from '../kit/testing.ts';
import { ConsumerGroup, type DeliverMessage } from './group.ts';

type Position = { readonly topic: string; readonly partition: number; readonly offset: string };

/** One consumer as the library has it, and what a test has it do. */
function playConsumer(connecting: Promise<void>, committing: () => Promise<void>, committed: Map<string, string>) {
  let listen: ((event: { payload: unknown }) => void) | undefined;
  let take: ((batch: EachBatchPayload) => Promise<void>) | undefined;
  const paused = new Set<string>();
  const [commits, seeks]: [Position[], Position[]] = [[], []];
  const played = {
    paused,
    commits,
    seeks,
    disconnects: 0,
    isRunning: () => take !== undefined,
    async join(memberId: string, memberAssignment: Record<string, number[]>): Promise<void> {
      listen?.({ payload: { memberId, memberAssignment } });
      await settledDown();
    },
    async bring(partition: number, offsets: readonly number[]): Promise<void> {
      const messages = offsets.map((offset) => ({ offset: String(offset), key: null, value: Buffer.from('x') }) as unknown as KafkaMessage);
      await take?.({ batch: { topic: 't', partition, messages }, heartbeat: () => Promise.resolve() } as unknown as EachBatchPayload);
      await settledDown();
    },
  };
  const each = (places: readonly { topic: string; partitions: number[] }[], act: (place: string) => void): void => {
    for (const { topic, partitions } of places) for (const partition of partitions) act(`${topic}/${partition}`);
  };
  const consumer = {
    events: { GROUP_JOIN: 'join', CRASH: 'crash' },
    on: (event: string, listener: typeof listen) => void (event === 'join' && (listen = listener)),
    connect: () => connecting,
    subscribe: () => Promise.resolve(),
    run: async ({ eachBatch }: { eachBatch: typeof take }) => void (take = eachBatch),
    disconnect: async () => void (played.disconnects += 1),
    // As in the library, a pause outlives a rebalance.
    pause: (places: Parameters<typeof each>[0]) => each(places, (place) => paused.add(place)),
    resume: (places: Parameters<typeof each>[0]) => each(places, (place) => paused.delete(place)),
    seek: (position: Position) => void seeks.push(position),
    async commitOffsets(positions: readonly Position[]) {
      commits.push(...positions);
      for (const { topic, partition, offset } of positions) committed.set(`${topic}/${partition}`, offset);
      await committing();
    },
  };
  return { played, consumer: consumer as unknown as Consumer };
}

/** A group on a played library, whose topics have two partitions with events 0 to 99. */
function playGroup(options: { readonly fromNewest?: boolean } = {}) {
  const clock = createTurnedClock();
  const log = createKeptLog();
  const consumers: ReturnType<typeof playConsumer>['played'][] = [];
  const committed = new Map<string, string>();
  const waits = { connect: Promise.resolve(), commit: Promise.resolve(), ends: [] as Promise<void>[] };
  const kafka = {
    consumer() {
      const { played, consumer } = playConsumer(waits.connect, () => waits.commit, committed);
      consumers.push(played);
      return consumer;
    },
  };
  const admin = {
    fetchOffsets: async ({ topics }: { topics: string[] }) =>
      topics.map((topic) => ({ topic, partitions: [0, 1].map((partition) => ({ partition, offset: committed.get(`${topic}/${partition}`) ?? '-1' })) })),
    async fetchTopicOffsets() {
      await waits.ends.shift();
      return [0, 1].map((partition) => ({ partition, low: '0', high: '100' }));
    },
  };
  const group = new ConsumerGroup({
    kafka: kafka as unknown as Kafka,
    admin: () => Promise.resolve(admin as unknown as Admin),
    consumer: { groupId: 'g' },
    fromNewest: options.fromNewest ?? false,
    clock,
    log,
  });
  const turn = async (ms: number): Promise<void> => {
    await settledDown();
    clock.turn(ms);
    await settledDown();
  };
  return {
    group,
    committed,
    waits,
    turn,
    /** All that were made; those that look for a topic too. */
    consumers,
    /** The one that reads, once there was time to start it. */
    async running() {
      await turn(50);
      const found = consumers.findLast((consumer) => consumer.isRunning());
      if (!found) throw new Error('no consumer was started');
      return found;
    },
  };
}

/** Acknowledges, and keeps what it was given as `partition/offset`; holds for ever what `holds` names. */
function collector(holds: (place: string) => boolean = () => false): { readonly seen: string[]; readonly deliver: DeliverMessage } {
  const seen: string[] = [];
  return {
    seen,
    deliver: async (_topic, partition, { offset }): Promise<Settlement> => {
      const place = `${partition}/${offset}`;
      seen.push(place);
      if (holds(place)) await new Promise(() => undefined);
      return { action: 'ack' };
    },
  };
}

const range = (from: number, to: number): readonly number[] => Array.from({ length: to - from + 1 }, (_, index) => from + index);

describe('a partition that comes', () => {
  test('back in the same session is fetched, though it was paused when it went', async () => {
    const { group, running } = playGroup();
    const adding = group.add('t', collector(() => true).deliver);
    const consumer = await running();
    await consumer.join('m1', { t: [0] });
    await adding;
    await consumer.bring(0, range(0, 599));
    expect([...consumer.paused]).toEqual(['t/0']);
    await consumer.join('m1', {});
    await consumer.join('m1', { t: [0] });
    expect([...consumer.paused]).toEqual([]);
  });

  test('to a paused subscription is fetched when that is resumed, and not before', async () => {
    const { group, running } = playGroup();
    const adding = group.add('t', collector().deliver);
    const consumer = await running();
    await consumer.join('m1', { t: [0] });
    const subscription = await adding;
    await subscription.pause();
    await consumer.join('m1', { t: [0, 1] });
    expect([...consumer.paused]).toEqual(['t/0', 't/1']);
    await subscription.resume();
    expect([...consumer.paused]).toEqual([]);
  });
});

describe('adding a topic', () => {
  test('fails, and the process goes on, when the brokers say nothing until the time to join is over', async () => {
    const { group, waits, turn, consumers } = playGroup();
    const unhandled: unknown[] = [];
    const keep = (reason: unknown): void => void unhandled.push(reason);
    process.on('unhandledRejection', keep);
    try {
      const adding = group.add('t', collector().deliver).then(() => 'joined', String);
      await settledDown();
      const connect = Promise.withResolvers<void>();
      waits.connect = connect.promise;
      await turn(50);
      await turn(61_000);
      expect(unhandled).toEqual([]);
      expect(await Promise.race([adding, settledDown('still waiting')])).toContain('the consumer group was not joined within 60 s');
      // What opens after all is closed again.
      const before = consumers.at(-1)?.disconnects ?? 0;
      connect.resolve();
      await settledDown();
      expect(consumers.at(-1)?.disconnects).toBe(before + 1);
    } finally {
      process.off('unhandledRejection', keep);
    }
  });

  test('twice at once is refused once, and the other one gets the events', async () => {
    const { group, running } = playGroup();
    const [one, two] = [collector(), collector()];
    const adding = Promise.allSettled([group.add('t', one.deliver), group.add('t', two.deliver)]);
    const consumer = await running();
    await consumer.join('m1', { t: [0] });
    expect(await adding).toMatchObject([{ status: 'fulfilled' }, { status: 'rejected', reason: { message: 'topic t is already subscribed to' } }]);
    await consumer.bring(0, [0]);
    expect([one.seen, two.seen]).toEqual([['0/0'], []]);
  });

  test('again after it was closed is no business of the subscription of before', async () => {
    const { group, running, turn } = playGroup();
    const first = group.add('t', collector().deliver);
    await (await running()).join('m1', { t: [0] });
    const old = await first;
    const closing = old.close();
    await turn(50);
    await closing;
    const { seen, deliver } = collector();
    const second = group.add('t', deliver);
    const consumer = await running();
    await consumer.join('m2', { t: [0] });
    await second;
    await old.pause();
    await old.close();
    await consumer.bring(0, [0]);
    expect(seen).toEqual(['0/0']);
    expect([...consumer.paused]).toEqual([]);
  });
});

describe('where to begin', () => {
  test('is set by the latest assignment alone: one that was replaced meanwhile commits, seeks and opens nothing', async () => {
    const { group, running, waits } = playGroup({ fromNewest: true });
    const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    waits.ends.push(first.promise, second.promise);
    const { seen, deliver } = collector();
    const adding = group.add('t', deliver);
    const consumer = await running();
    await consumer.join('m1', { t: [0] });
    await consumer.join('m1', { t: [1] });
    await consumer.bring(1, [0, 1]);
    first.resolve();
    await settledDown();
    expect({ seen, commits: consumer.commits, seeks: consumer.seeks }).toEqual({ seen: [], commits: [], seeks: [] });
    second.resolve();
    await adding;
    expect({ commits: consumer.commits, seeks: consumer.seeks }).toEqual({
      commits: [{ topic: 't', partition: 1, offset: '100' }],
      seeks: [{ topic: 't', partition: 1, offset: '100' }],
    });
    await consumer.bring(1, [100]);
    expect(seen).toEqual(['1/100']);
  });

  test('holds for what was fetched from further back before it was known, also when another join came while it was committed', async () => {
    const { group, running, waits } = playGroup({ fromNewest: true });
    const commit = Promise.withResolvers<void>();
    waits.commit = commit.promise;
    const { seen, deliver } = collector();
    const adding = group.add('t', deliver);
    const consumer = await running();
    await consumer.join('m1', { t: [0] });
    await consumer.bring(0, [0, 1]);
    waits.commit = Promise.resolve();
    await consumer.join('m1', { t: [0] });
    commit.resolve();
    await adding;
    await consumer.bring(0, [100]);
    expect(seen).toEqual(['0/100']);
  });
});

describe('a member that the group has forgotten', () => {
  test('begins anew at what is committed: no event is passed over for what was fetched before', async () => {
    const { group, running, turn, committed } = playGroup();
    let isHeld = true;
    const { seen, deliver } = collector((place) => place === '0/500' && isHeld);
    const adding = group.add('t', deliver);
    const old = await running();
    await old.join('m1', { t: [0] });
    await adding;
    await old.bring(0, [500, 501, 502]);
    isHeld = false;
    await old.join('m2', { t: [0] });
    await old.bring(0, [503, 504]);
    await turn(500);
    const next = await running();
    await next.join('m2', { t: [0] });
    await next.bring(0, range(500, 504));
    expect(seen).toEqual(['0/500', ...range(500, 504).map((offset) => `0/${offset}`)]);
    await turn(100);
    expect({ ended: old.disconnects, committed: committed.get('t/0') }).toEqual({ ended: 1, committed: '505' });
    // The library may still join with the old one.
    await old.join('m3', {});
    await next.bring(0, [505]);
    expect(seen.at(-1)).toBe('0/505');
  });

  test('before it knew where to begin has not subscribed', async () => {
    const { group, running, waits } = playGroup({ fromNewest: true });
    const end = Promise.withResolvers<void>();
    waits.ends.push(end.promise);
    const adding = group.add('t', collector().deliver).then(() => 'joined', String);
    const consumer = await running();
    await consumer.join('m1', { t: [0] });
    await consumer.join('m2', { t: [0] });
    end.resolve();
    expect(await adding).toContain('the membership was lost');
    expect(consumer.commits).toEqual([]);
  });
});
