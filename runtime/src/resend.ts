/**
 * A dead letter on its way back to the app, as the blocks that once gave it up take it: past its broker or source, to the
 * subscription or binding that it came from, once more under its inbound policy.
 */

/** What was in the dead letter, by the id that it had when the app was given it. */
export interface ResentEvent {
  readonly component: string;
  /** Of a topic; a binding has none. */
  readonly topic: string;
  readonly id: string;
  readonly data: Uint8Array;
  readonly metadata: Readonly<Record<string, string>>;
  readonly contentType?: string;
  /** Of this try: one more than the app has had it. */
  readonly attempt: number;
}

/**
 * What came of it.
 * - `taken`: the app took it, and all that its answer asked for is done.
 * - `failed`: it did not; `attempts` more were made.
 * - `away`: the app could not be reached, or the sidecar stops; no attempt was made.
 * - `no-receiver`: nothing of this app takes events from there now.
 */
export type Resent =
  | { readonly outcome: 'taken' }
  | { readonly outcome: 'failed'; readonly reason: string; readonly attempts: number }
  | { readonly outcome: 'away'; readonly reason: string }
  | { readonly outcome: 'no-receiver'; readonly reason: string };

/** Never rejects. `signal` calls the call into the app off. */
export type Resend = (event: ResentEvent, signal: AbortSignal) => Promise<Resent>;
