/**
 * From an event of a source to its settlement: offer it to the app, do what the app's answer asks for, and decide what
 * becomes of it.
 *
 * Invariants
 *  1. An event is acknowledged only after the app took it and all that its answer asked for is done, and rejected only
 *     after its dead letter is in the ledger.
 *  2. An app that is away, a breaker that is open and a shutdown use up no attempt.
 *  3. A source that redelivers gets its event back: waits are spent there. Of a source that does not, the event stays here
 *     (the source bounds how many are in flight) until it is taken, given up, or the sidecar stops: then its dead letter is written.
 *  4. A dead letter counts calls of the app, as those of topics do: each that an inbound policy made, but none that found nobody
 *     there. Of earlier rounds of a source that redelivers no more is known than that each made a call: one counts for each.
 *  5. Nothing here rejects, whatever an event holds.
 */
import type { Binding, BindingEvent, Clock, EventSettlement, Ledger } from '@mecha/components/kit';
import type { AppBindingReply, AppChannel, BindingAnswer } from '../../channel/channel.ts';
import { messageOf } from '../../errors.ts';
import { createLogLimit } from '../../log-limit.ts';
import type { Resent } from '../../resend.ts';
import { CircuitOpen, PermanentFailure, type PolicyRunner } from '../../resilience/resilience.ts';
import type { Log } from '../../telemetry/log.ts';
import { Timings, type Metrics } from '../../telemetry/metrics.ts';
import { traceFrom, traceparentOf, type TraceContext } from '../../telemetry/trace.ts';
import { waitFor } from '../../wait.ts';

export interface EventDeliveryParts {
  readonly appId: string;
  readonly binding: string;
  readonly route: string;
  readonly source: Pick<Binding, 'redelivers' | 'attemptsMax'>;
  readonly channel: Pick<AppChannel, 'deliverBinding'>;
  /** Saves state and calls bindings; rejects when it cannot be done, and the event counts as not taken then. */
  readonly carryOut: (reply: AppBindingReply, trace: TraceContext, signal: AbortSignal) => Promise<void>;
  readonly policy: PolicyRunner;
  readonly ledger: Pick<Ledger, 'commit'>;
  /** The app could not be reached: intake should rest before the event is handed back. */
  readonly onAway: (reason: string) => void;
  /** Resolves when the app may be there again, or draining has begun. */
  readonly appBack: () => Promise<void>;
  /** Aborts when draining begins: no further waits and no new calls. */
  readonly draining: AbortSignal;
  /** Aborts at the end of draining: calls under way are called off. */
  readonly cut: AbortSignal;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** Attempts of an event that its source does not give again, where no policy says how many. */
const ATTEMPTS_MAX = 5;
const FIRST_MS = 100;
const MOST_IN_PLACE_MS = 10_000;
const MOST_AT_SOURCE_MS = 60_000;
const JITTER = 0.3;
const LOG_INTERVAL_MS = 10_000;
const RELEASE: EventSettlement = { action: 'release' };
const STOPPED = 'the sidecar was stopped before the app had taken it';

/** Sidecars say it, and whoever made the event does not, in any case of letters. */
const EVENT_ID = 'mecha-event-id';

/** `calls`: how often the app had the event and did not take it. */
type Offer =
  | { readonly outcome: 'success'; readonly body: Uint8Array }
  | { readonly outcome: 'failed'; readonly reason: string; readonly calls: number }
  | { readonly outcome: 'away'; readonly reason: string; readonly calls: number };

export interface EventDelivery {
  /** What a source calls for each event. Never rejects. */
  deliver(event: BindingEvent): Promise<EventSettlement>;
  /** Gives a dead letter to the app once more; nothing is buried again. Never rejects. */
  resend(event: BindingEvent, signal: AbortSignal): Promise<Resent>;
}

export function createEventDelivery(parts: EventDeliveryParts): EventDelivery {
  const { binding, source, clock, log, metrics, draining, policy } = parts;
  const redelivers = source.redelivers ?? false;
  const mayLog = createLogLimit(clock, LOG_INTERVAL_MS);
  const timings = new Timings((success) => metrics.timing('component_input_binding_count', 'component_input_binding_latencies', { component: binding, success }));

  const traceOf = ({ metadata }: BindingEvent): TraceContext => traceFrom(metadata['traceparent'], metadata['tracestate'], metadata['baggage']);

  async function deliver(event: BindingEvent): Promise<EventSettlement> {
    const trace = traceOf(event);
    let attempts = event.attempt - 1;
    for (let number = event.attempt; ; ) {
      if (draining.aborted) return redelivers ? RELEASE : bury(event, STOPPED, attempts, trace);
      const began = performance.now();
      const offer = await offerUnderPolicy(event, trace, parts);
      if (offer.outcome === 'success') {
        timings.record('true', performance.now() - began);
        return { action: 'ack', ...(offer.body.byteLength > 0 ? { response: { data: offer.body } } : {}) };
      }
      attempts += offer.calls;
      if (offer.outcome === 'away') {
        if (!draining.aborted) parts.onAway(offer.reason);
        if (redelivers) return RELEASE;
        await parts.appBack();
        continue;
      }
      timings.record('false', performance.now() - began);
      // An app that is being stopped fails what it still has; that is no fault of the event.
      if (draining.aborted && redelivers) return RELEASE;
      const attemptsMax = redelivers ? source.attemptsMax : policy.retries ? number : ATTEMPTS_MAX;
      if (attemptsMax !== undefined && number >= attemptsMax) return bury(event, offer.reason, attempts, trace);
      const delayMs = delayAfter(number, redelivers ? MOST_AT_SOURCE_MS : MOST_IN_PLACE_MS);
      warn('not taken', event, `an event of binding ${binding} was not taken and is tried again: ${offer.reason}`, { attempt: number, delayMs });
      if (redelivers) return { action: 'retry', delayMs, reason: offer.reason };
      await waitFor(clock, delayMs, draining);
      number++;
    }
  }

  async function resend(event: BindingEvent, signal: AbortSignal): Promise<Resent> {
    if (draining.aborted) return { outcome: 'away', reason: STOPPED };
    const ends = { draining: AbortSignal.any([draining, signal]), cut: AbortSignal.any([parts.cut, signal]) };
    const offer = await offerUnderPolicy(event, traceOf(event), ends);
    if (offer.outcome === 'success') return { outcome: 'taken' };
    return offer.outcome === 'away' ? { outcome: 'away', reason: offer.reason } : { outcome: 'failed', reason: offer.reason, attempts: offer.calls };
  }

  /**
   * One attempt, or as many as the policy makes of it. An open breaker says nothing about the event: it waits. But one that each of its own
   * attempts opens anew would wait for ever: it has failed once it was tried as often as the policy says.
   */
  async function offerUnderPolicy(event: BindingEvent, trace: TraceContext, { draining: ending, cut }: Pick<EventDeliveryParts, 'draining' | 'cut'>): Promise<Offer> {
    let calls = 0;
    /** Of the last attempt. */
    let failed: { readonly signal: AbortSignal; readonly reason?: string } | undefined;
    for (;;) {
      try {
        const body = await policy.run(
          cut,
          async (signal) => {
            // Before the answer: of an attempt that the policy gives up there is none.
            calls++;
            failed = { signal };
            const taken = await attempt(event, trace, signal).catch((error: unknown) => {
              failed = { signal, reason: messageOf(error) };
              throw error;
            });
            if (taken.outcome === 'success') return taken.body;
            calls--;
            throw new PermanentFailure(new AppGone(taken.reason));
          },
          { stopRetrying: ending },
        );
        return { outcome: 'success', body };
      } catch (caught) {
        const error = caught instanceof PermanentFailure ? caught.failure : caught;
        if (error instanceof AppGone) return { outcome: 'away', reason: error.message, calls };
        if (!(error instanceof CircuitOpen)) return { outcome: 'failed', reason: messageOf(error), calls };
        if (calls >= policy.attemptsMax) return { outcome: 'failed', reason: messageOf(failed?.signal.aborted ? failed.signal.reason : (failed?.reason ?? error)), calls };
        await waitFor(clock, error.retryAfterMs, ending);
        if (ending.aborted) return { outcome: 'away', reason: STOPPED, calls };
      }
    }
  }

  /** Rejects when the app, or what its answer asked for, failed. */
  async function attempt(event: BindingEvent, trace: TraceContext, signal: AbortSignal): Promise<Extract<BindingAnswer, { outcome: 'success' | 'away' }>> {
    const metadata = Object.fromEntries(Object.entries(event.metadata).filter(([name]) => name.toLowerCase() !== EVENT_ID));
    const answer = await parts.channel.deliverBinding({ binding, route: parts.route, data: event.data, metadata: { ...metadata, [EVENT_ID]: event.id }, trace }, signal);
    if (answer.outcome === 'retry') throw new NotTaken(answer.reason, answer.statusCode);
    if (answer.outcome === 'away') return answer;
    if (answer.malformed !== undefined) warn('malformed', event, `the answer to an event of binding ${binding} asks for nothing: ${answer.malformed}`, {});
    if (answer.reply) await parts.carryOut(answer.reply, trace, signal);
    return answer;
  }

  /** Tries until the ledger has it or the sidecar must end; then a source that redelivers keeps the event. */
  async function bury(event: BindingEvent, reason: string, attempts: number, trace: TraceContext): Promise<EventSettlement> {
    for (let failures = 1; ; failures++) {
      try {
        await parts.ledger.commit([{ type: 'dead-letter.add', letter: letterOf(event, reason, attempts, trace) }]);
        metrics.count('component_input_binding_dead_letter_count', { component: binding });
        warn('buried', event, `an event of binding ${binding} is a dead letter now: ${reason}`, { attempt: attempts });
        return { action: 'reject', reason };
      } catch (error) {
        const delayMs = delayAfter(failures, MOST_IN_PLACE_MS);
        warn('unburied', event, `the dead letter of an event of binding ${binding} could not be written: ${messageOf(error)}`, { attempt: attempts, delayMs });
        if (redelivers) return draining.aborted ? RELEASE : { action: 'retry', delayMs, reason };
        if (draining.aborted) {
          log.error({ binding, id: event.id, err: error }, `an event of binding ${binding} is lost: the app did not take it, and neither did the ledger`);
          return { action: 'reject', reason };
        }
        await waitFor(clock, delayMs, draining);
      }
    }
  }

  function letterOf(event: BindingEvent, reason: string, attempts: number, trace: TraceContext) {
    const topic = `bindings/${binding}`;
    return {
      id: [binding, topic, parts.appId, event.id].map(encodeURIComponent).join('/'),
      appId: parts.appId, pubsub: binding, topic, group: parts.appId, deadLetterTopic: '', reason, attempts,
      traceparent: traceparentOf(trace), data: event.data, metadata: event.metadata, at: clock.now(),
      ...(event.contentType === undefined ? {} : { contentType: event.contentType }),
    };
  }

  return { deliver, resend };

  /** 100 ms doubling; up to 30 % less by chance, so that what failed together does not return together. */
  function delayAfter(failed: number, mostMs: number): number {
    return Math.round(Math.min(mostMs, FIRST_MS * 2 ** Math.min(Math.max(failed, 1) - 1, 20)) * (1 - JITTER * parts.random()));
  }

  function warn(sort: string, event: BindingEvent, message: string, fields: Readonly<Record<string, unknown>>): void {
    const heldBack = mayLog(sort);
    if (heldBack !== undefined) log.warn({ binding, id: event.id, ...fields, ...(heldBack > 0 ? { notLogged: heldBack } : {}) }, message);
  }
}

const LOWEST_HTTP_STATUS = 100;

/** The app did not take it. Carries the code that a policy's `matching` compares: HTTP status or gRPC code. */
class NotTaken extends Error {
  readonly httpStatus: number | undefined;
  readonly grpcCode: number | undefined;
  constructor(reason: string, statusCode: number | undefined) {
    super(reason);
    this.name = 'NotTaken';
    const isHttp = statusCode !== undefined && statusCode >= LOWEST_HTTP_STATUS;
    this.httpStatus = isHttp ? statusCode : undefined;
    this.grpcCode = isHttp ? undefined : statusCode;
  }
}

/** There was nobody to take it. */
class AppGone extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = 'AppGone';
  }
}
