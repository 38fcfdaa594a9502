/** What a type of state has to say; `flow.ts` does the rest. */
import type { State } from './definition.ts';
import type { Json } from './json.ts';
import type { TurnEvent } from './messages.ts';
import type { Thread } from './snapshot.ts';
import type { Exit } from './state-io.ts';
import type { Failure } from './state-error.ts';
import type { Turn } from './turn.ts';

export type Outcome =
  /** The work is done; ResultSelector, ResultPath, Output and Assign follow. */
  | { readonly kind: 'result'; readonly result: Json }
  /** The state is left with this; `next` only where the state's own Next does not say it. */
  | { readonly kind: 'exit'; readonly exit: Exit; readonly next?: string }
  | { readonly kind: 'failed'; readonly failure: Failure }
  /** Steps of the scope shall be undone, back to the state named; the result is the list of them. */
  | { readonly kind: 'compensate'; readonly upTo?: string }
  /** Something was asked for; an event goes on with it. */
  | { readonly kind: 'blocked' };

export const BLOCKED: Outcome = { kind: 'blocked' };

/** Errors are thrown as StateError; they are the state's failure. */
export interface Behaviour {
  /** Begins the work: when the state is entered, and again at each retry. */
  start(turn: Turn, thread: Thread, state: State): Promise<Outcome> | Outcome;
  /** An event about an id that the thread waits for. */
  event?(turn: Turn, thread: Thread, state: State, event: TurnEvent): Promise<Outcome> | Outcome;
  /** A child thread ended with this output; `at` is its last event. */
  childDone?(turn: Turn, thread: Thread, state: State, child: Thread, output: Json): Promise<Outcome> | Outcome;
  /** A child thread failed; called before its siblings are stopped. */
  childFailed?(turn: Turn, thread: Thread, state: State, child: Thread): void;
}
