/**
 * What every input binding must do: `inputBindingConformance(definition, { source })` in a test file. A source that makes its
 * events by itself (a timer) says so, and then counts what comes instead of what was sent.
 */
/* oxlint-disable vitest/no-conditional-tests, vitest/no-conditional-expect -- what the source declares decides which claims hold */
import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, test } from 'vitest';
import type { Binding, BindingEvent, EventSettlement } from '../bindings.ts';
import type { ComponentDefinition } from '../component.ts';
import type { Subscription } from '../pubsub.ts';
import { until } from '../testing.ts';

/** One place that events come from: a queue, a topic, a schedule. */
export interface ConformanceSource {
  /** A connected instance that reads this source. */
  open(): Promise<Binding>;
  /** Resolves when the source holds an event with this text. Sources that make their own wait for or bring about one, and ignore the text. */
  send(text: string): Promise<void>;
}

export interface InputBindingConformance {
  /** A source of its own for each case, empty. */
  source(): Promise<ConformanceSource>;
  /** Events come by themselves: what they hold is not compared. Default: false. */
  readonly selfMade?: boolean;
  /** Events wait for a reader that is not there. Default: as the instance's `redelivers`. */
  readonly persistent?: boolean;
  /** `attempt` rises with each settled retry. Default: false. */
  readonly countsAttempts?: boolean;
  /** What is unsettled when the instance closes comes again, at the latest after so many milliseconds. Default: at once. */
  readonly leaseMs?: number;
}

const ACK: EventSettlement = { action: 'ack' };
const RELEASE: EventSettlement = { action: 'release' };
const REJECT: EventSettlement = { action: 'reject', reason: 'the test will not have it' };
const RETRY: EventSettlement = { action: 'retry', delayMs: 20, reason: 'not yet' };

/** Keeps what it was given, settles as told, and says when something has come about. */
export function eventConsumer(settle: (event: BindingEvent, seenBefore: number) => EventSettlement | Promise<EventSettlement> = () => ACK) {
  const seen: BindingEvent[] = [];
  const counts = new Map<string, number>();
  let inFlight = 0;
  return {
    seen,
    texts: (): readonly string[] => seen.map(({ data }) => Buffer.from(data).toString()),
    get inFlight() {
      return inFlight;
    },
    async deliver(event: BindingEvent): Promise<EventSettlement> {
      const before = counts.get(event.id) ?? 0;
      counts.set(event.id, before + 1);
      seen.push(event);
      inFlight++;
      try {
        return await settle(event, before);
      } finally {
        inFlight--;
      }
    },
  };
}

export function inputBindingConformance(definition: ComponentDefinition<'bindings'>, options: InputBindingConformance): void {
  const { selfMade = false, countsAttempts = false } = options;
  const instances = new Set<Binding>();
  const intakes = new Set<Subscription>();

  const open = async (source: ConformanceSource): Promise<Binding> => {
    const binding = await source.open();
    instances.add(binding);
    return binding;
  };
  const start = async (binding: Binding, app: { deliver(event: BindingEvent): Promise<EventSettlement> }): Promise<Subscription> => {
    if (!binding.start) throw new Error(`${definition.type} has no input`);
    const intake = await binding.start({ deliver: (event) => app.deliver(event) });
    intakes.add(intake);
    return intake;
  };
  const close = async (binding: Binding): Promise<void> => {
    instances.delete(binding);
    await binding.close?.();
  };

  describe(`${definition.type} is an input binding`, () => {
    afterEach(async () => {
      await Promise.all([...intakes].map((intake) => intake.close()));
      intakes.clear();
      await Promise.all([...instances].map(close));
    });

    test('its capabilities say what it is', async () => {
      const binding = await open(await options.source());
      expect(definition.features.includes('INPUT_BINDING')).toBe(binding.start !== undefined);
      expect(definition.features.includes('OUTPUT_BINDING')).toBe(binding.invoke !== undefined);
    });

    test('an event comes with an id of its own, texts for metadata, and as its first attempt', async () => {
      const source = await options.source();
      const [binding, app] = [await open(source), eventConsumer()];
      await start(binding, app);
      const texts = Array.from({ length: 3 }, () => `event ${randomUUID()}`);
      for (const text of texts) await source.send(text);
      await until(() => app.seen.length >= texts.length);
      expect(new Set(app.seen.map(({ id }) => id)).size).toBe(app.seen.length);
      for (const event of app.seen) {
        expect(event).toMatchObject({ id: expect.stringMatching(/\S/), attempt: 1 });
        for (const value of Object.values(event.metadata)) expect(typeof value).toBe('string');
      }
      if (!selfMade) expect(app.texts().toSorted()).toEqual(texts.toSorted());
    });

    test('paused, nothing comes; taken up again, it goes on', async () => {
      const source = await options.source();
      const [binding, app] = [await open(source), eventConsumer()];
      const intake = await start(binding, app);
      await source.send('first');
      await until(() => app.seen.length > 0);
      await intake.pause();
      await until(() => app.inFlight === 0);
      const before = app.seen.length;
      await source.send('second');
      expect(app.seen.length).toBe(before);
      await intake.resume();
      await until(() => app.seen.length > before);
      expect(app.seen[before]?.id).not.toBe(app.seen[0]?.id);
    });

    test('closing waits for what is under way, and nothing comes after it', async () => {
      const source = await options.source();
      const { promise: held, resolve: letGo } = Promise.withResolvers<void>();
      const app = eventConsumer(async () => {
        await held;
        return ACK;
      });
      const intake = await start(await open(source), app);
      await source.send('held');
      await until(() => app.inFlight > 0);
      let closed = false;
      const closing = intake.close().then(() => {
        closed = true;
      });
      await new Promise((resolve) => setImmediate(resolve));
      expect(closed).toBe(false);
      letGo();
      await closing;
      await intake.close();
      expect(app.inFlight).toBe(0);
      const count = app.seen.length;
      await source.send('too late');
      expect(app.seen.length).toBe(count);
    });

    test('a source that redelivers gives an event again when it is to be tried again, and not once it is taken', async () => {
      const source = await options.source();
      const binding = await open(source);
      const app = eventConsumer((_event, before) => (before < 2 && binding.redelivers ? RETRY : ACK));
      await start(binding, app);
      await source.send('again');
      const times = binding.redelivers ? 3 : 1;
      await until(() => app.seen.length >= times);
      const [first] = app.seen;
      const same = app.seen.filter(({ id }) => id === first?.id);
      expect(same).toHaveLength(times);
      expect(new Set(same.map(({ data }) => Buffer.from(data).toString())).size).toBe(1);
      if (countsAttempts) expect(same.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
    });

    test('what is rejected does not come again, and does not hold up what follows', async () => {
      const source = await options.source();
      const app = eventConsumer((event) => (app.seen[0]?.id === event.id ? REJECT : ACK));
      await start(await open(source), app);
      await source.send('never again');
      await until(() => app.seen.length > 0);
      await source.send('next');
      await until(() => app.seen.length > 1);
      expect(app.seen.filter(({ id }) => id === app.seen[0]?.id)).toHaveLength(1);
    });

    test('what waits to be tried again does not end the others', async () => {
      const source = await options.source();
      const binding = await open(source);
      const app = eventConsumer((event, before) => (binding.redelivers && app.seen[0]?.id === event.id && before < 3 ? RETRY : ACK));
      await start(binding, app);
      await source.send('slow');
      await source.send('quick');
      await until(() => new Set(app.seen.map(({ id }) => id)).size >= 2);
    });

    test('what was handed back, or never settled, is not lost to the next reader where the source keeps it', async () => {
      const source = await options.source();
      const first = await open(source);
      const keeps = options.persistent ?? first.redelivers ?? false;
      const leaving = eventConsumer(() => RELEASE);
      const intake = await start(first, leaving);
      await source.send('kept');
      await until(() => leaving.seen.length > 0);
      await intake.close();
      await close(first);
      const next = eventConsumer();
      await start(await open(source), next);
      if (!keeps) {
        await source.send('another');
        await until(() => next.seen.length > 0);
        return;
      }
      await until(() => next.seen.some(({ id }) => id === leaving.seen[0]?.id));
      if (!selfMade) expect(next.texts()).toContain('kept');
    }, 30_000 + (options.leaseMs ?? 0));
  });
}
