/** What the block's tests are built on: a broker that does as it is told, and everything around the block. For tests only. */
import { createKeptLog, createTurnedClock } from '@mecha/components/kit/testing.ts';
import type { Clock, DeadLetter, Ledger, PublishMessage, PubSub, Settlement, SubscribeRequest, Subscription } from '@mecha/components/kit';
import type { AppChannel, AppMonitor, AppPresence, AppSubscription, BulkEventDelivery, EventAnswer, EventDelivery } from '../../channel/channel.ts';
import type { ComponentLookup, Instance, InstanceStatus } from '../../component-set.ts';
import type { ResiliencyResource, SubscriptionResource } from '../../config/resource-types.ts';
import { MechaError } from '../../errors.ts';
import type { Call } from '../../pipeline.ts';
import { createResilience } from '../../resilience/resilience.ts';
import type { Labels, Metrics } from '../../telemetry/metrics.ts';
import type { Log } from '../../telemetry/log.ts';
import { traceFrom } from '../../telemetry/trace.ts';
import { createPubSubBlock, type PubSubBlockParts } from './pubsub.ts';

/** Lets everything that is ready to run, run. */
export async function settled(rounds = 8): Promise<void> {
  for (let round = 0; round < rounds; round++) await new Promise((resolve) => setImmediate(resolve));
}

interface Queued {
  readonly id: string;
  readonly topic: string;
  readonly message: PublishMessage;
  attempt: number;
}

/** One broker, one consumer group per topic, at most `inFlightMax` out at a time per subscription. */
export class FakeBroker implements PubSub {
  readonly published: PublishMessage[] = [];
  readonly acked: Queued[] = [];
  readonly settlements: { readonly id: string; readonly topic: string; readonly attempt: number; readonly settlement: Settlement }[] = [];
  /** Topics whose publishing or subscribing fails, and with what. */
  readonly refusals = new Map<string, Error>();
  readonly subscriptions = new Set<FakeSubscription>();
  subscribeCount = 0;
  /** Absent unless a test gives the broker one. */
  publishBulk?: NonNullable<PubSub['publishBulk']>;
  inFlightMax = 10;
  readonly #clock: Clock;
  readonly #queues = new Map<string, Queued[]>();
  #sequence = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async publish(message: PublishMessage): Promise<void> {
    const refusal = this.refusals.get(message.topic);
    if (refusal) throw refusal;
    this.published.push(message);
    this.#queue(message.topic).push({ id: String(++this.#sequence), topic: message.topic, message, attempt: 1 });
    this.dispatch(message.topic);
  }

  async subscribe(request: SubscribeRequest): Promise<Subscription> {
    this.subscribeCount += 1;
    const refusal = this.refusals.get(request.topic);
    if (refusal) throw refusal;
    const subscription = new FakeSubscription(this, request);
    this.subscriptions.add(subscription);
    this.dispatch(request.topic);
    return subscription;
  }

  waiting(topic: string): number {
    return this.#queue(topic).length;
  }

  dispatch(topic: string): void {
    for (const subscription of this.subscriptions) {
      while (subscription.request.topic === topic && subscription.open && subscription.inFlight.size < this.inFlightMax) {
        const next = this.#queue(topic).shift();
        if (!next) return;
        subscription.take(next, (settlement) => this.#settle(next, settlement));
      }
    }
  }

  #settle(queued: Queued, settlement: Settlement): void {
    this.settlements.push({ id: queued.id, topic: queued.topic, attempt: queued.attempt, settlement });
    if (settlement.action === 'ack') this.acked.push(queued);
    else if (settlement.action === 'release') this.#queue(queued.topic).unshift(queued);
    else {
      this.#clock.after(settlement.delayMs, () => {
        queued.attempt += 1;
        this.#queue(queued.topic).push(queued);
        this.dispatch(queued.topic);
      });
    }
    this.dispatch(queued.topic);
  }

  #queue(topic: string): Queued[] {
    let queue = this.#queues.get(topic);
    if (!queue) {
      queue = [];
      this.#queues.set(topic, queue);
    }
    return queue;
  }
}

export class FakeSubscription implements Subscription {
  readonly request: SubscribeRequest;
  readonly inFlight = new Set<Promise<void>>();
  open = true;
  readonly #broker: FakeBroker;

  constructor(broker: FakeBroker, request: SubscribeRequest) {
    this.#broker = broker;
    this.request = request;
  }

  take({ id, topic, message, attempt }: Queued, settle: (settlement: Settlement) => void): void {
    const { data, metadata, contentType } = message;
    const delivering = this.request
      .deliver({ id, topic, data, metadata, attempt, ...(contentType === undefined ? {} : { contentType }) })
      .then((settlement) => {
        this.inFlight.delete(delivering);
        settle(settlement);
      });
    this.inFlight.add(delivering);
  }

  async pause(): Promise<void> {
    this.open = false;
  }

  async resume(): Promise<void> {
    this.open = true;
    this.#broker.dispatch(this.request.topic);
  }

  async close(): Promise<void> {
    this.open = false;
    await Promise.all(this.inFlight);
    this.#broker.subscriptions.delete(this);
  }
}

/** An app that answers as the test says; everything it got is kept. */
export class FakeApp implements AppMonitor {
  readonly delivered: EventDelivery[] = [];
  readonly batches: BulkEventDelivery[] = [];
  answer: (event: EventDelivery, signal: AbortSignal) => EventAnswer | Promise<EventAnswer> = () => ({ outcome: 'success' });
  answerBatch: (batch: BulkEventDelivery) => ReadonlyMap<string, EventAnswer> | EventAnswer = () => ({ outcome: 'success' });
  subscriptions: () => Promise<readonly AppSubscription[]> = async () => [];
  asked = 0;
  suspected = 0;
  presence: AppPresence = 'up';
  readonly since = 0;
  readonly #listeners = new Set<(presence: AppPresence) => void>();

  readonly channel: AppChannel = {
    protocol: 'http',
    address: '127.0.0.1',
    port: 6001,
    subscriptions: async () => {
      this.asked += 1;
      return this.subscriptions();
    },
    deliver: async (event, signal) => {
      this.delivered.push(event);
      return this.answer(event, signal);
    },
    deliverBulk: async (batch) => {
      this.batches.push(batch);
      return this.answerBatch(batch);
    },
    wantsBinding: () => Promise.reject(new Error('not part of these tests')),
    deliverBinding: () => Promise.reject(new Error('not part of these tests')),
    deliverJob: () => Promise.reject(new Error('not part of these tests')),
    invoke: () => Promise.reject(new Error('not part of these tests')),
    reach: async () => {},
    probe: async () => true,
    close: async () => {},
  };

  onChange(listener: (presence: AppPresence) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  suspect(): void {
    this.suspected += 1;
  }

  become(presence: AppPresence): void {
    this.presence = presence;
    for (const listener of this.#listeners) listener(presence);
  }
}

export interface BenchOptions {
  readonly appId?: string;
  readonly namespace?: string;
  readonly namespaced?: boolean;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly features?: readonly string[];
  readonly resiliency?: readonly Partial<ResiliencyResource>[];
  readonly clock?: Clock;
}

/** The block with one component, `pubsub`, and everything that it is given. */
export function createBench(options: BenchOptions = {}) {
  const turned = createTurnedClock();
  const clock = options.clock ?? turned;
  const broker = new FakeBroker(clock);
  const kept = createKeptLog();
  const log: Log = { ...kept, scoped: () => log };
  const counts = new Map<string, number>();
  const metrics: Metrics = {
    count: (name, labels = {}, by = 1) => void counts.set(seriesOf(name, labels), (counts.get(seriesOf(name, labels)) ?? 0) + by),
    observe: () => {},
    gauge: (name, labels, value) => void counts.set(seriesOf(name, labels), value),
    timing: (name, _latency, labels) => ({ record: () => metrics.count(name, labels) }),
  };
  const letters: DeadLetter[] = [];
  const ledgerFaults: Error[] = [];
  const ledger = {
    commit: async (batch: Parameters<Ledger['commit']>[0]) => {
      const fault = ledgerFaults.shift();
      if (fault) throw fault;
      for (const operation of batch) if (operation.type === 'dead-letter.add') letters.push(operation.letter);
      return batch.map(() => ({}));
    },
  } as unknown as Ledger;
  const listeners = new Set<(status: InstanceStatus) => void>();
  const component = { state: 'ready' as InstanceStatus['state'] };
  const instance: Instance<'pubsub'> = {
    name: 'pubsub',
    type: 'pubsub.fake',
    port: broker,
    metadata: options.metadata ?? {},
    features: options.features ?? [],
    operations: {},
    namespaced: options.namespaced ?? false,
    get status(): InstanceStatus {
      return { name: 'pubsub', type: 'pubsub.fake', version: 'v1', capabilities: [], state: component.state, since: 0 };
    },
  };
  const components: ComponentLookup = {
    find: ((category: string, name: string) => (category === 'pubsub' && name === 'pubsub' ? instance : undefined)) as ComponentLookup['find'],
    all: ((category: string) => (category === 'pubsub' ? [instance] : [])) as ComponentLookup['all'],
    ready: ((asked: Instance<'pubsub'>) => {
      if (component.state !== 'ready') throw new MechaError({ code: 'ERR_COMPONENT_NOT_READY', kind: 'unavailable', message: `component ${asked.name} is not ready` });
      return asked.port;
    }) as ComponentLookup['ready'],
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
  const appId = options.appId ?? 'orders';
  const resilience = createResilience(
    (options.resiliency ?? []).map((resource) => ({ ...NO_POLICIES, ...resource })),
    { appId, clock, metrics, log, random: () => 0 },
  );
  const parts: PubSubBlockParts = { appId, namespace: options.namespace ?? 'default', components, ledger, clock, random: () => 0, log, metrics, resilience };
  return {
    parts,
    clock,
    broker,
    instance,
    letters,
    ledgerFaults,
    lines: kept.lines,
    block: createPubSubBlock(parts),
    app: new FakeApp(),
    setComponent(state: InstanceStatus['state']): void {
      component.state = state;
      for (const listener of listeners) listener(instance.status);
    },
    counted: (name: string, labels: Labels): number => counts.get(seriesOf(name, labels)) ?? 0,
    /** Turns the clock in small steps, letting everything run in between. */
    async turn(ms: number, stepMs = 50): Promise<void> {
      await settled();
      for (let left = ms; left > 0; left -= stepMs) {
        turned.turn(Math.min(left, stepMs));
        await settled(3);
      }
      await settled();
    },
  };
}

function seriesOf(name: string, labels: Labels): string {
  return `${name} ${JSON.stringify(Object.entries(labels).toSorted())}`;
}

const NO_POLICIES: ResiliencyResource = {
  kind: 'Resiliency',
  name: 'policies',
  timeouts: {},
  retries: {},
  circuitBreakers: {},
  apps: {},
  components: {},
  scopes: [],
  source: { file: '<test>', line: 0 },
};

export function callOf(operation = 'pubsub.publish', traceparent?: string): Call {
  return { operation, protocol: 'internal', trace: traceFrom(traceparent), signal: new AbortController().signal };
}

export function subscriptionTo(topic: string, more: Partial<AppSubscription> = {}): AppSubscription {
  return { pubsubName: 'pubsub', topic, routes: [{ match: '', path: `/${topic}` }], deadLetterTopic: '', metadata: {}, ...more };
}

export function declared(...subscriptions: readonly AppSubscription[]): SubscriptionResource[] {
  return subscriptions.map((subscription, index) => ({
    kind: 'Subscription',
    name: `subscription-${index}`,
    subscription,
    scopes: [],
    source: { file: '<test>', line: 0 },
  }));
}

export function eventOf(bytes: Uint8Array): Record<string, unknown> {
  return JSON.parse(Buffer.from(bytes).toString('utf8')) as Record<string, unknown>;
}
