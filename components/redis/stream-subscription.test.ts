/**
 * What goes past each other: answers that come late, while something else has happened. The server is a real one; commands to it and answers
 * from it are held up by name, and time is turned by hand.
 */
import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Delivery, Settlement } from '@mecha/components/kit';
import { serverAddress } from '../../test/servers/servers.ts';
import { createKeptLog, createTurnedClock, until, type TurnedClock } from '../kit/testing.ts';
import { Slots } from './slots.ts';
import { claimScript, ensureGroup, takeScript } from './stream.ts';
import { StreamSubscription } from './stream-subscription.ts';

const run = `test-${randomUUID()}`;
const GROUP = 'tester';
const ACK = { action: 'ack' } as const;
const NOT_SOON = { action: 'retry', delayMs: 24 * 3_600_000 } as const;
/** A third of `processingTimeoutMs` below: when held entries are kept fresh. */
const FRESH_MS = 20_000;
const RELEASED_POLL_MS = 1_000;

let raw: Redis;
const opened: { close(): Promise<void> }[] = [];

beforeAll(() => {
  raw = new Redis(`redis://${serverAddress('redis')}`);
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((each) => each.close()));
});
afterAll(async () => {
  const keys = await raw.keys(`*${run}*`);
  if (keys.length > 0) await raw.del(...keys);
  raw.disconnect();
});

/** All that needs no time has happened. */
const settledDown = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

interface HeldCommand {
  /** It has come as far as where it is held. */
  readonly reached: Promise<void>;
  /** Resolves when it was answered and what that brings about has happened. */
  letGo(): Promise<void>;
}

/** A client whose commands can be held up, before they are sent or when their answers have come, and made to fail. */
function createHeldClient() {
  const client = new Redis(`redis://${serverAddress('redis')}`);
  const sent: string[] = [];
  const barriers: { readonly name: string; before?: () => Promise<void>; after?: () => Promise<void> }[] = [];
  const run = async (method: string, command: (...args: unknown[]) => unknown, args: readonly unknown[]): Promise<unknown> => {
    // Scripts go by their digests.
    const name = method === 'evalshaBuffer' ? String(args[0]) : method;
    const index = barriers.findIndex((barrier) => barrier.name === name);
    const [barrier] = index < 0 ? [] : barriers.splice(index, 1);
    await barrier?.before?.();
    sent.push(name);
    const answer = await command.apply(client, [...args]);
    await barrier?.after?.();
    return answer;
  };
  const held = new Proxy(client, {
    get(target, method: string) {
      const value: unknown = Reflect.get(target, method, target);
      if (typeof value !== 'function') return value;
      return /^(x|evalsha)/.test(method) ? (...args: unknown[]) => run(method, value as () => unknown, args) : value.bind(target);
    },
  });
  return {
    client: held,
    sent,
    end: () => client.disconnect(),
    /** The next of that name. */
    hold(name: string, where: 'before' | 'after'): HeldCommand {
      const [reached, open] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      const wait = (): Promise<void> => {
        reached.resolve();
        return open.promise;
      };
      barriers.push({ name, [where]: wait });
      return {
        reached: reached.promise,
        async letGo() {
          open.resolve();
          // Whatever was sent before is answered before this.
          await settledDown();
          await client.ping();
          await settledDown();
        },
      };
    },
    fail: (name: string, where: 'before' | 'after'): void => void barriers.push({ name, [where]: () => Promise.reject(new Error('the connection was lost')) }),
  };
}

/** A clock turned by hand that says how many wait for it. */
function createCountedClock(): TurnedClock & { readonly waiting: number } {
  const clock = createTurnedClock();
  const waiting = new Set<() => void>();
  return {
    ...clock,
    get waiting() {
      return waiting.size;
    },
    after(ms, callback) {
      const cancel = clock.after(ms, () => {
        waiting.delete(cancel);
        callback();
      });
      waiting.add(cancel);
      return () => {
        waiting.delete(cancel);
        cancel();
      };
    },
  };
}

interface SceneOptions {
  readonly settle?: (delivery: Delivery) => Settlement | Promise<Settlement>;
  readonly slots?: Slots;
  readonly queueDepth?: number;
  /** Of what is already in the stream, as many were sent to this consumer and never arrived. */
  readonly lost?: number;
  readonly events?: readonly string[];
}

async function scene({ settle = () => ACK, slots = new Slots(10), queueDepth = 100, lost = 0, events = [] }: SceneOptions) {
  const topic = `${run}-${randomUUID()}`;
  const [commands, reading, clock, log] = [createHeldClient(), createHeldClient(), createCountedClock(), createKeptLog()];
  const publish = async (...texts: readonly string[]): Promise<void> => {
    await Promise.all(texts.map((text) => raw.xadd(topic, '*', 'data', text)));
  };
  await ensureGroup(raw, topic, GROUP);
  await publish(...events);
  if (lost > 0) await raw.xreadgroup('GROUP', GROUP, 'tested', 'COUNT', lost, 'STREAMS', topic, '>');
  const seen: string[] = [];
  const subscription = new StreamSubscription({
    request: {
      topic,
      metadata: {},
      async deliver(delivery) {
        seen.push(Buffer.from(delivery.data).toString());
        return settle(delivery);
      },
    },
    group: GROUP,
    consumer: 'tested',
    client: () => commands.client,
    reader: reading.client,
    releaseReader: reading.end,
    slots,
    queueDepth,
    processingTimeoutMs: 3 * FRESH_MS,
    redeliverIntervalMs: 0,
    clock,
    log,
  });
  opened.push({ close: () => subscription.close().finally(commands.end) });
  /** Who holds what is pending. */
  const holders = async (): Promise<readonly string[]> => ((await raw.xpending(topic, GROUP, '-', '+', 1_000)) as [id: string, consumer: string][]).map(([, consumer]) => consumer);
  const consumers = async (): Promise<readonly unknown[]> => ((await raw.xinfo('CONSUMERS', topic, GROUP)) as unknown[][]).map(([, name]) => name);
  return { topic, subscription, commands, reading, clock, log, publish, seen, holders, consumers };
}

const attempted = (topic: string, count: number): Promise<void> => until(async () => (await raw.hlen(`mecha:attempts:{${topic}}:${GROUP}`)) === count);

describe('what is kept fresh', () => {
  test.each(['before', 'after'] as const)('stays where a close has handed it to, though its claim was under way (held %s it reached the server), and no timer is left', async (where) => {
    const { topic, subscription, commands, clock, holders, consumers } = await scene({ settle: () => NOT_SOON, events: ['waits'] });
    subscription.start();
    await attempted(topic, 1);
    const claim = commands.hold(claimScript.digest, where);
    clock.turn(FRESH_MS);
    await claim.reached;
    await subscription.close();
    await claim.letGo();
    const sent = commands.sent.length;
    for (let turns = 0; turns < 3; turns += 1) {
      clock.turn(FRESH_MS);
      await settledDown();
    }
    expect([commands.sent.slice(sent), clock.waiting]).toEqual([[], 0]);
    expect(await holders()).toEqual(['mecha:released']);
    expect(await consumers()).toEqual(['mecha:released']);
  });

  test('is claimed in batches, and by none after the one that is under way at a close', async () => {
    const { topic, subscription, commands, clock, publish } = await scene({ settle: () => NOT_SOON, queueDepth: 600 });
    await publish(...Array.from({ length: 501 }, (_, index) => String(index)));
    subscription.start();
    await attempted(topic, 501);
    const first = commands.hold(claimScript.digest, 'after');
    clock.turn(FRESH_MS);
    await first.reached;
    await subscription.close();
    await first.letGo();
    expect(commands.sent.filter((name) => name === claimScript.digest)).toHaveLength(1);
  });

  test('is not taken back once it was released', async () => {
    const settled = Promise.withResolvers<Settlement>();
    const { subscription, commands, clock, seen, holders } = await scene({ settle: () => settled.promise, events: ['released'] });
    subscription.start();
    await until(() => seen.length === 1);
    const claim = commands.hold(claimScript.digest, 'before');
    clock.turn(FRESH_MS);
    await claim.reached;
    settled.resolve({ action: 'release' });
    await until(async () => (await holders())[0] === 'mecha:released');
    await claim.letGo();
    expect(await holders()).toEqual(['mecha:released']);
  });
});

describe('what is handed back', () => {
  test('and comes again before the answer to that is heard is delivered again', async () => {
    const settlements: Settlement[] = [{ action: 'release' }, ACK];
    const { subscription, commands, clock, seen } = await scene({ settle: () => settlements.shift() ?? ACK, events: ['x'] });
    const back = commands.hold(claimScript.digest, 'after');
    subscription.start();
    await back.reached;
    clock.turn(RELEASED_POLL_MS);
    await until(() => seen.length === 2);
    await back.letGo();
    await subscription.close();
    expect(seen).toEqual(['x', 'x']);
  });

  test('stays with who has taken it over meanwhile', async () => {
    const settled = Promise.withResolvers<Settlement>();
    const { topic, subscription, seen, holders } = await scene({ settle: () => settled.promise, events: ['x'] });
    subscription.start();
    await until(() => seen.length === 1);
    const [[id]] = (await raw.xrange(topic, '-', '+')) as [[string, string[]]];
    await raw.xclaim(topic, GROUP, 'other', 0, id);
    settled.resolve({ action: 'release' });
    await subscription.close();
    expect(await holders()).toEqual(['other']);
  });

  test('by a pause keeps no one waiting: neither the pause nor a close', async () => {
    const slots = new Slots(1);
    slots.take(() => undefined);
    const { subscription, commands, holders } = await scene({ slots, events: ['x'] });
    subscription.start();
    await until(async () => (await holders()).length === 1);
    const back = commands.hold(claimScript.digest, 'before');
    await settledDown();
    await subscription.pause();
    await back.reached;
    await subscription.close();
    await back.letGo();
    expect(await holders()).toEqual(['mecha:released']);
  });
});

describe('an entry that is read again for its retry', () => {
  /** Its answer has come, is held, and the only place is taken. */
  const readingAgain = async () => {
    const slots = new Slots(1);
    const made = await scene({ slots, settle: ({ attempt }) => (attempt === 1 ? { action: 'retry', delayMs: 100 } : ACK), events: ['x'] });
    const { topic, subscription, commands, clock } = made;
    subscription.start();
    await attempted(topic, 1);
    await until(() => slots.take(() => undefined));
    const again = commands.hold('xrangeBuffer', 'after');
    clock.turn(100);
    await again.reached;
    return { ...made, slots, again };
  };

  test('is not delivered by a subscription that was closed meanwhile', async () => {
    const { subscription, slots, again, seen, holders } = await readingAgain();
    await subscription.close();
    await again.letGo();
    slots.give();
    await settledDown();
    expect(seen).toEqual(['x']);
    expect(await holders()).toEqual(['mecha:released']);
  });

  test('is handed back by one that was paused meanwhile', async () => {
    const { subscription, slots, again, seen, holders } = await readingAgain();
    await subscription.pause();
    await again.letGo();
    slots.give();
    await until(async () => (await holders())[0] === 'mecha:released');
    expect(seen).toEqual(['x']);
  });

  test('and has vanished makes room for others', { timeout: 120_000 }, async () => {
    const { topic, subscription, clock, log, publish, seen } = await scene({ settle: ({ metadata }) => (metadata['last'] ? ACK : NOT_SOON), slots: new Slots(1_000), queueDepth: 10_000 });
    await publish(...Array.from({ length: 10_000 }, () => 'trimmed'));
    subscription.start();
    await until(() => log.lines.some(({ message }) => message.startsWith('too many events wait')));
    await raw.xtrim(topic, 'MAXLEN', 0);
    await raw.xadd(topic, '*', 'data', 'last', 'metadata', '{"last":"yes"}');
    clock.sleep(NOT_SOON.delayMs);
    await until(() => seen.includes('last'));
  });
});

describe('after a lost connection', () => {
  /** The read has failed; time goes on, and what was lost on the way is looked for. */
  const lookAgain = async ({ clock, log }: Awaited<ReturnType<typeof scene>>): Promise<void> => {
    await until(() => log.lines.some(({ message }) => message.startsWith('cannot read')));
    await settledDown();
    clock.turn(500);
  };

  test('all that was lost comes, also when there was no room for it at first, and no more is read than there is room for', async () => {
    const slots = new Slots(1);
    slots.take(() => undefined);
    const texts = Array.from({ length: 40 }, (_, index) => String(index));
    const made = await scene({ slots, queueDepth: 2, lost: 5, events: texts });
    const { subscription, reading, seen, holders } = made;
    reading.fail('xreadgroupBuffer', 'before');
    const page = reading.hold('xreadgroupBuffer', 'after');
    subscription.start();
    await lookAgain(made);
    await page.reached;
    await page.letGo();
    expect(await holders()).toHaveLength(5);
    slots.give();
    await until(() => seen.length === texts.length);
    expect(seen.toSorted()).toEqual(texts.toSorted());
  });

  test('what is settled while that is looked for is not delivered again', async () => {
    const settled = Promise.withResolvers<Settlement>();
    const made = await scene({ settle: () => settled.promise, events: ['x'] });
    const { subscription, reading, publish, seen, holders } = made;
    subscription.start();
    await until(() => seen.length === 1);
    await publish('y');
    await until(() => seen.length === 2);
    // The read that is under way ends by itself; the next one fails.
    reading.fail('xreadgroupBuffer', 'before');
    const page = reading.hold('xreadgroupBuffer', 'after');
    await lookAgain(made);
    await page.reached;
    settled.resolve(ACK);
    await until(async () => (await holders()).length === 0);
    await settledDown();
    await page.letGo();
    expect(seen).toEqual(['x', 'y']);
  });

  test('what was taken from another, and did not arrive, comes with its attempts; also when what was lost is being looked for just then', async () => {
    const attempts: number[] = [];
    const made = await scene({ settle: ({ attempt }) => (attempts.push(attempt), ACK) });
    const { topic, subscription, reading, commands, clock, log, publish } = made;
    await publish('x');
    const [[, [[id]]]] = (await raw.xreadgroup('GROUP', GROUP, 'mecha:released', 'STREAMS', topic, '>')) as [[string, [[string, unknown]]]];
    await raw.hset(`mecha:attempts:{${topic}}:${GROUP}`, id, 2);
    reading.fail('xreadgroupBuffer', 'before');
    const page = reading.hold('xreadgroupBuffer', 'after');
    commands.fail(takeScript.digest, 'after');
    subscription.start();
    await lookAgain(made);
    await page.reached;
    clock.turn(RELEASED_POLL_MS);
    await until(() => log.lines.some(({ message }) => message.startsWith('a command of the subscription failed')));
    await page.letGo();
    await until(() => attempts.length > 0);
    expect(attempts).toEqual([3]);
  });

  test('what is on its way back is not taken for lost', async () => {
    const made = await scene({ events: ['x'] });
    const { subscription, reading, commands, log, seen, holders } = made;
    const read = reading.hold('xreadgroupBuffer', 'after');
    commands.fail(claimScript.digest, 'before');
    const back = commands.hold(claimScript.digest, 'before');
    subscription.start();
    await read.reached;
    await subscription.pause();
    reading.fail('xreadgroupBuffer', 'before');
    await read.letGo();
    await until(() => log.lines.some(({ message }) => message.startsWith('a command of the subscription failed')));
    const page = reading.hold('xreadgroupBuffer', 'after');
    await subscription.resume();
    await lookAgain(made);
    await page.reached;
    await page.letGo();
    await back.reached;
    await back.letGo();
    expect([seen, await holders()]).toEqual([[], ['mecha:released']]);
  });
});
