/**
 * Handing events to the app under the component's inbound policy: one at a time, or several in one call of which each is
 * answered for itself. Attempts after the first carry only what the app has not taken yet.
 *
 * A breaker that is open says nothing about the events: they wait in their place until it lets calls through. Those whose own attempts
 * open it anew each time would wait for ever: they are not taken once they were tried as often as the policy says.
 */
import type { Clock, Delivery } from '@mecha/components/kit';
import type { EventAnswer } from '../../channel/channel.ts';
import { messageOf } from '../../errors.ts';
import { CircuitOpen, PermanentFailure, type PolicyRunner } from '../../resilience/resilience.ts';
import { waitFor } from '../../wait.ts';
import type { IncomingEvent } from './incoming-event.ts';

/** An event that is ready for the app. */
export interface RoutedEvent extends IncomingEvent {
  readonly delivery: Delivery;
  readonly path: string;
}

/** What came of offering an event, after `attempts` calls. */
export interface Offered {
  readonly answer: EventAnswer;
  readonly attempts: number;
}

/** One call into the app; an answer per event, in order. Never rejects. The signal calls the call off. */
export type SendToApp = (events: readonly RoutedEvent[], signal: AbortSignal) => Promise<readonly EventAnswer[]>;

export interface AttemptParts {
  readonly send: SendToApp;
  readonly policy: PolicyRunner;
  /** Aborts when draining begins: no further attempts. */
  readonly draining: AbortSignal;
  /** Aborts at the end of draining: calls under way are called off. */
  readonly cut: AbortSignal;
  readonly clock: Clock;
}

/** Never rejects; as many results as events, in order. */
export type OfferAll = (events: readonly RoutedEvent[]) => Promise<readonly Offered[]>;

const CALLED_OFF: EventAnswer = { outcome: 'away', reason: 'the sidecar is shutting down' };
const UNANSWERED: EventAnswer = { outcome: 'retry', reason: 'the app did not answer for this event' };

export function createAttempts(parts: AttemptParts): OfferAll {
  const { send, policy, draining, cut, clock } = parts;

  if (!policy.active) {
    return async (events) => {
      const answers = await send(events, cut);
      return events.map((_event, index) => ({ answer: answers[index] ?? UNANSWERED, attempts: 1 }));
    };
  }

  return async (events) => {
    const offered: Offered[] = events.map(() => ({ answer: CALLED_OFF, attempts: 0 }));
    let left = events.map((_event, index) => index);
    let made = 0;
    let last: AbortSignal | undefined;

    const attempt = async (signal: AbortSignal): Promise<void> => {
      made += 1;
      last = signal;
      const asked = left;
      for (const index of asked) offered[index] = { answer: CALLED_OFF, attempts: made };
      const answers = await send(asked.map((index) => events[index]).filter((event) => event !== undefined), signal);
      // The policy has given this attempt up: what it still brings counts for nothing.
      if (signal.aborted && !cut.aborted) return;
      for (const [position, index] of asked.entries()) offered[index] = { answer: answers[position] ?? UNANSWERED, attempts: made };
      left = asked.filter((index) => offered[index]?.answer.outcome === 'retry');
      if (answers.some(({ outcome }) => outcome === 'away')) throw new PermanentFailure(new AppGone());
      const first = left[0] === undefined ? undefined : offered[left[0]]?.answer;
      if (first?.outcome === 'retry') throw new NotTaken(first.reason, first.statusCode);
    };

    for (;;) {
      try {
        await policy.run(cut, attempt, { stopRetrying: draining });
        return offered;
      } catch (error) {
        if (error instanceof NotTaken || error instanceof AppGone) return offered;
        if (!(error instanceof CircuitOpen)) return failedFor(offered, left, messageOf(error));
        if (made >= policy.attemptsMax) return offered.map(({ answer, ...one }) => ({ ...one, answer: answer.outcome === 'away' ? { outcome: 'retry', reason: messageOf(last?.aborted ? last.reason : error) } : answer }));
        await waitFor(clock, error.retryAfterMs, draining);
        if (draining.aborted) return offered.map((one, index) => (left.includes(index) ? { ...one, answer: CALLED_OFF } : one));
      }
    }
  };
}

/** The attempt itself failed, by its timeout for instance: that is the answer for all that it carried. */
function failedFor(offered: readonly Offered[], left: readonly number[], reason: string): Offered[] {
  return offered.map((one, index) => (left.includes(index) ? { answer: { outcome: 'retry', reason }, attempts: one.attempts } : one));
}

const LOWEST_HTTP_STATUS = 100;

/** The app did not take what it was given. Carries the code that a policy's `matching` compares: HTTP status or gRPC code. */
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
  constructor() {
    super('the app is away');
    this.name = 'AppGone';
  }
}
