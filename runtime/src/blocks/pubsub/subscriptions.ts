/**
 * All subscriptions of one app: the declared ones, those the app asks for, and streams; when each of them flows.
 *
 * Owns: which subscription stands for a (component, topic), asking the app again whenever it comes, and pausing intake
 * while it is away. Does not own: a single subscription's life at the broker (`../../intake.ts`), or what becomes of a message
 * (`delivery.ts`).
 *
 * Rules
 *  1. What the app asks for replaces what is declared for the same component and topic. Among declared ones the first
 *     counts, among the app's own the last.
 *  2. Nothing flows before the app has been asked, since a route that it replaces may not exist any more.
 *  3. An app that cannot be asked, or answers nonsense, keeps its own subscriptions off, with a named reason, and is asked
 *     again with back-off; the declared ones flow.
 *  4. A subscription that is the same after asking again is left alone: no reconnect, no duplicate.
 *  5. One bad rule keeps off that subscription, not its siblings.
 */
import type { AppChannel, AppMonitor, AppPresence, AppSubscription } from '../../channel/channel.ts';
import type { SubscriptionResource } from '../../config/resource-types.ts';
import { messageOf } from '../../errors.ts';
import type { Part } from '../../lifecycle.ts';
import { createLogLimit } from '../../log-limit.ts';
import type { Resend, Resent, ResentEvent } from '../../resend.ts';
import { waitFor } from '../../wait.ts';
import { createActiveSubscription, type ActiveSubscription, type SubscriptionType } from './active-subscription.ts';
import { sendByChannel } from './app-sender.ts';
import { createEventStream, type EventStream, type SendEvent, type StreamRequest } from './event-stream.ts';
import type { IntakeState } from '../../intake.ts';
import type { PubSubBlock, PubSubBlockParts } from './pubsub.ts';

export interface SubscriptionsParts extends PubSubBlockParts {
  readonly block: PubSubBlock;
  /** Undefined: there is no app to deliver to, only streams. */
  readonly channel?: AppChannel | undefined;
  readonly monitor?: AppMonitor | undefined;
  readonly declared: readonly SubscriptionResource[];
  /** False with `--disable-init-endpoints=subscribe`. Default true. */
  readonly asksApp?: boolean;
  /** Each time a coming of the app was asked and what follows from it stands, even when the answer was of no use. */
  readonly onAsked?: () => void;
}

export interface SubscriptionView {
  readonly subscription: AppSubscription;
  readonly type: SubscriptionType;
  readonly state: IntakeState | 'rejected';
  /** Why it does not flow; absent while it does. */
  readonly reason?: string;
}

export interface Subscriptions extends Part {
  /** Streams included, rejected ones too. */
  list(): readonly SubscriptionView[];
  /** Why the app's own subscriptions are off; undefined when they are not. */
  readonly problem: string | undefined;
  /**
   * Resolves when the broker's subscription stands; rejects with `MechaError`. `send` is called for each event; one that throws ends the
   * stream.
   */
  openStream(request: StreamRequest, send: SendEvent): Promise<EventStream>;
  /** A dead letter of a topic: to the subscription that stands for it now, past the broker. */
  readonly resend: Resend;
}

const ASK_TIMEOUT_MS = 10_000;
const ASK_FIRST_MS = 500;
const ASK_MOST_MS = 30_000;
/** After a delivery that found nobody there, intake rests at least this long. */
const HOLD_MS = 500;
const LOG_INTERVAL_MS = 30_000;
/** How long a replaced subscription's calls may go on. */
const REPLACE_DEADLINE_MS = 30_000;

export function createSubscriptions(parts: SubscriptionsParts): Subscriptions {
  return new SubscriptionBook(parts);
}

/** What stands for one (component, topic). */
interface Wanted {
  readonly subscription: AppSubscription;
  readonly type: SubscriptionType;
}

class SubscriptionBook implements Subscriptions {
  readonly name = 'subscriptions';
  readonly #parts: SubscriptionsParts;
  readonly #mayLog: (key: string) => number | undefined;
  readonly #active = new Map<string, ActiveSubscription>();
  readonly #streams = new Set<EventStream>();
  readonly #unsubscribe: (() => void)[] = [];
  #rejected: SubscriptionView[] = [];
  /** The app's last usable answer. */
  #answer: readonly AppSubscription[] = [];
  /** How far this coming of the app has been asked. */
  #asked: 'not yet' | 'in vain' | 'answered' = 'not yet';
  #problem: string | undefined;
  #appIsUp = false;
  #held = false;
  /** Ends the asking of one coming of the app. */
  #coming = new AbortController();
  #arranging: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(parts: SubscriptionsParts) {
    this.#parts = parts;
    this.#mayLog = createLogLimit(parts.clock, LOG_INTERVAL_MS);
  }

  get problem(): string | undefined {
    return this.#problem;
  }

  start(): void {
    const { channel, monitor, components, declared, log } = this.#parts;
    this.#unsubscribe.push(
      components.onChange(({ name, state }) => {
        if (state !== 'ready') return;
        for (const { subscription, intake } of this.#active.values()) if (subscription.pubsubName === name) intake.componentReady();
      }),
    );
    if (!channel || !monitor || monitor.presence === 'none') {
      if (declared.length > 0) log.warn({ subscriptions: declared.map(({ name }) => name) }, 'there are subscriptions but no app port to deliver to');
      return;
    }
    this.#unsubscribe.push(monitor.onChange((presence) => this.#onPresence(presence)));
    this.#onPresence(monitor.presence);
  }

  async drain(signal: AbortSignal): Promise<void> {
    this.#closed = true;
    this.#coming.abort();
    for (const unsubscribe of this.#unsubscribe.splice(0)) unsubscribe();
    await this.#arranging;
    const all = [...this.#active.values(), ...this.#streams];
    const ended = await Promise.allSettled(all.map((one) => one.close(signal)));
    for (const end of ended) if (end.status === 'rejected') this.#parts.log.warn({ err: end.reason }, 'a subscription did not close cleanly');
  }

  async stop(): Promise<void> {
    await this.drain(AbortSignal.abort());
    this.#active.clear();
  }

  list(): readonly SubscriptionView[] {
    const view = ({ subscription, type, intake }: ActiveSubscription): SubscriptionView => ({
      subscription,
      type,
      state: intake.state,
      ...(intake.reason === undefined ? {} : { reason: intake.reason }),
    });
    return [...Array.from(this.#active.values(), view), ...Array.from(this.#streams, ({ active }) => view(active)), ...this.#rejected];
  }

  async openStream(request: StreamRequest, send: SendEvent): Promise<EventStream> {
    const stream = await createEventStream(this.#parts, request, send, (ended) => this.#streams.delete(ended));
    if (this.#closed) {
      await stream.close(AbortSignal.abort());
      return stream;
    }
    this.#streams.add(stream);
    return stream;
  }

  readonly resend = async ({ component, topic, ...event }: ResentEvent, signal: AbortSignal): Promise<Resent> => {
    const standing = [...this.#active.values(), ...Array.from(this.#streams, ({ active }) => active)].filter(({ subscription }) => subscription.pubsubName === component);
    const receiver = standing.find(({ subscription }) => subscription.topic === topic) ?? standing.find(({ subscription }) => covers(subscription.topic, topic));
    if (receiver) return receiver.resend({ ...event, topic }, signal);
    if (this.#parts.channel && this.#asked === 'not yet') return { outcome: 'away', reason: this.#stoppedBy('PROGRAMMATIC') ?? 'the app is not there' };
    return { outcome: 'no-receiver', reason: `the app has no subscription to topic ${topic} of ${component}` };
  };

  #onPresence(presence: AppPresence): void {
    if (this.#closed) return;
    this.#coming.abort();
    this.#appIsUp = presence === 'up';
    this.#asked = 'not yet';
    this.#setFlows();
    if (!this.#appIsUp) return;
    this.#coming = new AbortController();
    void this.#ask(this.#coming.signal);
  }

  /** Asks until there is an answer or the app is gone. Never rejects. */
  async #ask(gone: AbortSignal): Promise<void> {
    const { clock, components, random, asksApp = true, log } = this.#parts;
    const asks = asksApp && components.all('pubsub').length > 0;
    for (let failures = 0; !gone.aborted; failures++) {
      try {
        const answer = asks ? await this.#askOnce(gone) : [];
        if (gone.aborted) return;
        this.#answer = answer;
        this.#problem = undefined;
        this.#asked = 'answered';
        await this.#arrange();
        this.#parts.onAsked?.();
        return;
      } catch (error) {
        if (gone.aborted) return;
        this.#problem = messageOf(error);
        this.#asked = 'in vain';
        const delayMs = Math.min(ASK_MOST_MS, ASK_FIRST_MS * 2 ** Math.min(failures, 10)) * (0.75 + 0.25 * random());
        const heldBack = this.#mayLog(this.#problem);
        if (heldBack !== undefined) {
          log.warn({ retryInMs: Math.round(delayMs) }, `the app's own subscriptions are off until it can be asked for them: ${this.#problem}`);
        }
        await this.#arrange();
        this.#parts.onAsked?.();
        await waitFor(clock, delayMs, gone);
      }
    }
  }

  async #askOnce(gone: AbortSignal): Promise<readonly AppSubscription[]> {
    const late = new AbortController();
    const cancel = this.#parts.clock.after(ASK_TIMEOUT_MS, () => late.abort());
    try {
      const answer = await this.#parts.channel?.subscriptions(AbortSignal.any([gone, late.signal]));
      return answer ?? [];
    } catch (error) {
      throw late.signal.aborted ? new Error(`no answer about its subscriptions within ${ASK_TIMEOUT_MS} ms`, { cause: error }) : error;
    } finally {
      cancel();
    }
  }

  /** Brings what stands in line with what is wanted; one at a time. Never rejects. */
  #arrange(): Promise<void> {
    this.#arranging = this.#arranging.then(() => this.#arrangeNow());
    return this.#arranging;
  }

  async #arrangeNow(): Promise<void> {
    if (this.#closed) return;
    const wanted = this.#wanted();
    const outdated = Array.from(this.#active).filter(([key, active]) => !isSame(active, wanted.get(key)));
    await Promise.all(outdated.map(([key, active]) => this.#replace(key, active)));
    const rejected: SubscriptionView[] = [];
    for (const [key, want] of wanted) {
      if (this.#active.has(key)) continue;
      try {
        this.#active.set(key, await this.#activate(want));
      } catch (error) {
        const { pubsubName, topic } = want.subscription;
        const reason = messageOf(error);
        rejected.push({ ...want, state: 'rejected', reason });
        this.#parts.log.error({ pubsub: pubsubName, topic, type: want.type }, `subscription to topic ${topic} is not usable: ${reason}`);
      }
    }
    this.#rejected = rejected;
    this.#setFlows();
    const topics = Array.from(this.#active.values(), ({ subscription }) => `${subscription.pubsubName}/${subscription.topic}`);
    this.#parts.log.info({ topics }, topics.length === 0 ? 'the app has no subscriptions' : 'the app is subscribed');
  }

  #wanted(): Map<string, Wanted> {
    const { declared, appId, log } = this.#parts;
    const wanted = new Map<string, Wanted>();
    for (const { name, subscription, scopes } of declared) {
      if (scopes.length > 0 && !scopes.includes(appId)) continue;
      const key = keyOf(subscription);
      if (wanted.has(key)) log.warn({ subscription: name, topic: subscription.topic }, 'another subscription to this topic came first, this one is ignored');
      else wanted.set(key, { subscription, type: 'DECLARATIVE' });
    }
    for (const subscription of this.#answer) wanted.set(keyOf(subscription), { subscription, type: 'PROGRAMMATIC' });
    return wanted;
  }

  /** Rejects with words when it can never stand. */
  async #activate({ subscription, type }: Wanted): Promise<ActiveSubscription> {
    const { block, channel, components, appId } = this.#parts;
    const instance = components.find('pubsub', subscription.pubsubName);
    if (instance && !block.isTopicAllowed(instance, subscription.topic, 'subscribe')) throw new Error(`the topic is not allowed for app id ${appId}`);
    if (!channel) throw new Error('there is no app port');
    return createActiveSubscription({ ...this.#parts, subscription, type, send: sendByChannel(channel, subscription), onAway: (reason) => this.#hold(reason) });
  }

  async #replace(key: string, active: ActiveSubscription): Promise<void> {
    const late = new AbortController();
    const cancel = this.#parts.clock.after(REPLACE_DEADLINE_MS, () => late.abort());
    try {
      await active.close(late.signal);
    } catch (error) {
      this.#parts.log.warn({ topic: active.subscription.topic, err: error }, 'a replaced subscription did not close cleanly');
    } finally {
      cancel();
      this.#active.delete(key);
    }
  }

  /** A delivery found nobody there: intake rests, and the app is looked for. */
  #hold(reason: string): void {
    const { clock, monitor, log } = this.#parts;
    if (this.#held || this.#closed) return;
    this.#held = true;
    this.#setFlows();
    log.info({ reason }, 'the app could not be reached; intake is paused until it can');
    clock.after(HOLD_MS, () => {
      this.#held = false;
      this.#setFlows();
    });
    monitor?.suspect();
  }

  #setFlows(): void {
    for (const { type, intake } of this.#active.values()) {
      const reason = this.#stoppedBy(type);
      intake.setFlow(reason === undefined, reason);
    }
  }

  #stoppedBy(type: SubscriptionType): string | undefined {
    if (!this.#appIsUp) return 'the app is not there';
    if (this.#held) return 'the app could not be reached';
    if (this.#asked === 'not yet') return 'the app is being asked for its subscriptions';
    if (this.#asked === 'in vain' && type === 'PROGRAMMATIC') return `the app could not be asked for its subscriptions: ${this.#problem ?? ''}`;
    return undefined;
  }
}

function keyOf(subscription: AppSubscription): string {
  return `${subscription.pubsubName}\u0000${subscription.topic}`;
}

/** A topic that ends in `*`, where brokers have that, stands for all that begin so. */
function covers(pattern: string, topic: string): boolean {
  return pattern.endsWith('*') && topic.length >= pattern.length && topic.startsWith(pattern.slice(0, -1));
}

function isSame(active: ActiveSubscription, wanted: Wanted | undefined): boolean {
  return wanted !== undefined && active.type === wanted.type && JSON.stringify(active.subscription) === JSON.stringify(wanted.subscription);
}
