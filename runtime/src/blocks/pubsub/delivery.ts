/**
 * From a broker's delivery to its settlement: read, route, hand to the app, interpret the answer, and decide what becomes
 * of the message.
 *
 * ```
 *   read --not an event--> hopeless     route --no rule--> drop      expired --> drop
 *   app: success -> ack | drop -> dead letter, else ack | retry -> later, in the end dead letter | away -> release
 * ```
 *
 * Invariants
 *  1. A message is acknowledged only after the app took it, after its dead letter was written, or when it is dropped and
 *     there is no dead-letter topic.
 *  2. An app that is away, a breaker that is open and a shutdown use up no attempt, and send nothing to the dead letters.
 *  3. No wait between attempts holds up another message; only the waits of an inbound policy are spent in place, and with
 *     them one of the places that the broker has in flight.
 *  4. Nothing here rejects, whatever a message holds.
 */
import type { Clock, Delivery, Settlement } from '@mecha/components/kit';
import type { AppSubscription } from '../../channel/channel.ts';
import { messageOf } from '../../errors.ts';
import { createLogLimit } from '../../log-limit.ts';
import type { Log } from '../../telemetry/log.ts';
import { Timings, type Metrics } from '../../telemetry/metrics.ts';
import { traceparentOf } from '../../telemetry/trace.ts';
import type { Offered, RoutedEvent } from './app-attempts.ts';
import type { DeadLetterReason, DeadLetters } from './dead-letters.ts';
import { NotAnEvent, readEvent, type IncomingEvent } from './incoming-event.ts';
import { ATTEMPTS_MAX, redeliveryDelayMs } from './redelivery.ts';
import { RoutingFailed, type Router } from './routing.ts';

export interface DeliveryParts {
  readonly subscription: AppSubscription;
  readonly raw: boolean;
  readonly router: Router;
  /** Hands one event to the app, under the component's inbound policy, alone or with others. Never rejects. */
  readonly offer: (event: RoutedEvent) => Promise<Offered>;
  /** The inbound policy has done all the retrying there is to be done before an event is given up. */
  readonly retriesByPolicy: boolean;
  /** Undefined: the subscription has no dead-letter topic. */
  readonly deadLetters: DeadLetters | undefined;
  /** The app could not be reached: intake should be paused before the message is handed back. */
  readonly onAway: (reason: string) => void;
  /** Aborts when draining begins: no further waits and no new calls. */
  readonly draining: AbortSignal;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly metrics: Metrics;
}

/**
 * `hopeless`: no further attempt can help. `attempts`: how often the app has had the event, over all deliveries;
 * undefined when it did not get it this time.
 */
type Verdict =
  | { readonly kind: 'success' }
  | { readonly kind: 'drop'; readonly reason: string; readonly deadLetter: boolean; readonly attempts?: number }
  | { readonly kind: 'fail'; readonly reason: string; readonly hopeless: boolean; readonly statusCode?: number | undefined; readonly attempts?: number }
  | { readonly kind: 'release' };

const ACK: Settlement = { action: 'ack' };
const RELEASE: Settlement = { action: 'release' };
const SUCCESS: Verdict = { kind: 'success' };
const HANDED_BACK: Verdict = { kind: 'release' };
const LOG_INTERVAL_MS = 10_000;

/** The function that a broker's subscription calls for each message. */
export function createDelivery(parts: DeliveryParts): (delivery: Delivery) => Promise<Settlement> {
  const { subscription, deadLetters, clock, metrics, log } = parts;
  const { pubsubName, topic } = subscription;
  const mayLog = createLogLimit(clock, LOG_INTERVAL_MS);
  /** By outcome and status: `success `, `retry 503`. */
  const timings = new Timings((word) => {
    const [process_status = '', status = ''] = word.split(' ');
    return metrics.timing('component_pubsub_ingress_count', 'component_pubsub_ingress_latencies', { component: pubsubName, process_status, topic, status });
  });

  return async (delivery) => {
    const began = performance.now();
    let event: IncomingEvent | undefined;
    let verdict: Verdict;
    const unfinished = deadLetters?.unfinished(delivery);
    if (parts.draining.aborted) verdict = HANDED_BACK;
    else if (deadLetters && unfinished) return bury(deadLetters, delivery, unfinished);
    else {
      try {
        const reading = readEvent(delivery, { pubsubName, raw: parts.raw, now: clock.now() });
        event = reading instanceof Promise ? await reading : reading;
        verdict = await judge(delivery, event);
      } catch (error) {
        verdict = { kind: 'fail', reason: messageOf(error), hopeless: error instanceof NotAnEvent || error instanceof RoutingFailed };
      }
    }
    if (verdict.kind !== 'release') count(verdict, performance.now() - began);
    return settle(delivery, verdict, event);
  };

  /** Throws when a rule cannot be evaluated. */
  async function judge(delivery: Delivery, event: IncomingEvent): Promise<Verdict> {
    if (event.expired) return { kind: 'drop', reason: 'its expiration has passed', deadLetter: true };
    const path = parts.router.pathFor(event.event);
    if (path === undefined) return { kind: 'drop', reason: 'no route matches it', deadLetter: true };
    const { answer, attempts } = await parts.offer({ ...event, delivery, path });
    const spent = delivery.attempt - 1 + attempts;
    switch (answer.outcome) {
      case 'success':
        return SUCCESS;
      case 'drop':
        return { kind: 'drop', reason: answer.reason, deadLetter: answer.deadLetter !== false, attempts: spent };
      case 'retry':
        return { kind: 'fail', reason: answer.reason, statusCode: answer.statusCode, hopeless: false, attempts: spent };
      case 'away':
        if (!parts.draining.aborted) parts.onAway(answer.reason);
        return HANDED_BACK;
    }
  }

  async function settle(delivery: Delivery, verdict: Verdict, event: IncomingEvent | undefined): Promise<Settlement> {
    switch (verdict.kind) {
      case 'success':
        return ACK;
      case 'release':
        return RELEASE;
      case 'drop': {
        if (deadLetters && verdict.deadLetter) return bury(deadLetters, delivery, whyOf(delivery, verdict, event));
        warn('dropped', delivery, `an event of topic ${topic} was dropped: ${verdict.reason}`);
        return ACK;
      }
      case 'fail': {
        // An app that is being stopped fails what it still has; that is no fault of the event.
        if (parts.draining.aborted && !verdict.hopeless) return RELEASE;
        const givenUp = verdict.hopeless || parts.retriesByPolicy || delivery.attempt >= ATTEMPTS_MAX;
        if (deadLetters && givenUp) return bury(deadLetters, delivery, whyOf(delivery, verdict, event));
        const delayMs = redeliveryDelayMs(delivery.attempt, deadLetters !== undefined, parts.random);
        metrics.count('component_pubsub_redelivery_count', { component: pubsubName, topic });
        if (givenUp) warn('stuck', delivery, `an event of topic ${topic} cannot be delivered and has no dead-letter topic, so it stays: ${verdict.reason}`, delayMs);
        else log.debug({ topic, id: delivery.id, attempt: delivery.attempt, delayMs }, `an event was not taken: ${verdict.reason}`);
        return { action: 'retry', delayMs };
      }
    }
  }

  async function bury(letters: DeadLetters, delivery: Delivery, why: DeadLetterReason): Promise<Settlement> {
    const burial = await letters.bury(delivery, why);
    if (burial.done) {
      warn('buried', delivery, `an event of topic ${topic} went to dead-letter topic ${subscription.deadLetterTopic}: ${why.reason}`);
      return ACK;
    }
    warn('unburied', delivery, `the dead letter of an event of topic ${topic} could not be written, so the event stays: ${burial.error}`);
    return parts.draining.aborted ? RELEASE : { action: 'retry', delayMs: redeliveryDelayMs(burial.failures, false, parts.random) };
  }

  function warn(sort: string, delivery: Delivery, message: string, delayMs?: number): void {
    const heldBack = mayLog(sort);
    if (heldBack === undefined) return;
    const fields = { pubsub: pubsubName, topic: delivery.topic, id: delivery.id, attempt: delivery.attempt, ...(delayMs === undefined ? {} : { delayMs }) };
    log.warn(heldBack > 0 ? { ...fields, notLogged: heldBack } : fields, message);
  }

  function count(verdict: Exclude<Verdict, { kind: 'release' }>, ms: number): void {
    const process_status = verdict.kind === 'fail' ? 'retry' : verdict.kind;
    const status = verdict.kind === 'fail' && verdict.statusCode !== undefined ? String(verdict.statusCode) : '';
    timings.record(`${process_status} ${status}`, ms);
  }
}

function whyOf(delivery: Delivery, verdict: { readonly reason: string; readonly attempts?: number }, event: IncomingEvent | undefined): DeadLetterReason {
  return { reason: verdict.reason, attempts: verdict.attempts ?? delivery.attempt - 1, traceparent: event ? traceparentOf(event.trace) : undefined };
}
