/**
 * A dead letter of a topic, given to its subscription once more: read and routed as a delivery is, one call under the inbound
 * policy, also where the subscription takes batches. An expiration that has passed does not count: somebody wants it sent.
 * Nothing is settled here, and nothing is buried again.
 */
import type { Clock, Delivery } from '@mecha/components/kit';
import { messageOf } from '../../errors.ts';
import type { Resent } from '../../resend.ts';
import type { PolicyRunner } from '../../resilience/resilience.ts';
import { createAttempts, type SendToApp } from './app-attempts.ts';
import { readEvent } from './incoming-event.ts';
import type { Router } from './routing.ts';

export interface ResendParts {
  readonly pubsubName: string;
  readonly raw: boolean;
  readonly router: Router;
  readonly send: SendToApp;
  readonly policy: PolicyRunner;
  readonly draining: AbortSignal;
  readonly cut: AbortSignal;
  readonly clock: Clock;
}

/** Never rejects. */
export async function resendTo(parts: ResendParts, delivery: Delivery, signal: AbortSignal): Promise<Resent> {
  const { pubsubName, raw, router, send, policy, clock } = parts;
  if (parts.draining.aborted) return { outcome: 'away', reason: 'the subscription is being closed' };
  try {
    const event = await readEvent(delivery, { pubsubName, raw, now: clock.now() });
    const path = router.pathFor(event.event);
    if (path === undefined) return { outcome: 'failed', reason: 'no route matches it', attempts: 0 };
    const offerAll = createAttempts({ send, policy, clock, draining: AbortSignal.any([parts.draining, signal]), cut: AbortSignal.any([parts.cut, signal]) });
    const [offered] = await offerAll([{ ...event, delivery, path }]);
    if (!offered) return { outcome: 'failed', reason: 'the app did not answer', attempts: 1 };
    const { answer, attempts } = offered;
    switch (answer.outcome) {
      case 'success':
        return { outcome: 'taken' };
      case 'away':
        return { outcome: 'away', reason: answer.reason };
      case 'retry':
      case 'drop':
        return { outcome: 'failed', reason: answer.reason, attempts };
    }
  } catch (error) {
    return { outcome: 'failed', reason: messageOf(error), attempts: 0 };
  }
}
