/**
 * Is there an app to call? Looks for the app until it answers, watches whether it stays, and tells whoever listens.
 * The app may come late, go and come back at any time; nothing of the sidecar depends on which.
 *
 * ```
 *   none (no app port)
 *   waiting --connects--> up                       without health checks
 *   waiting --connects--> unhealthy --probe ok--> up --`threshold` probes in a row fail--> unhealthy
 *   up | unhealthy --no connection, or suspect()--> waiting
 * ```
 *
 * Does not own: what anybody does about it. Probes bypass the concurrency limit and every policy; calls do not count as
 * probes. A restart shorter than `WATCH_INTERVAL_MS` that no call ran into can go unnoticed.
 */
import type { Clock } from '@mecha/components/kit';
import { messageOf } from '../errors.ts';
import type { Part } from '../lifecycle.ts';
import type { Log } from '../telemetry/log.ts';
import type { AppChannel, AppMonitor, AppPresence } from './channel.ts';

export interface AppHealthCheck {
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** Failures in a row that make the app unhealthy. */
  readonly threshold: number;
}

export interface AppMonitorParts {
  /** Undefined: no app port was given. */
  readonly channel: Pick<AppChannel, 'address' | 'port' | 'reach' | 'probe'> | undefined;
  readonly healthCheck: AppHealthCheck | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

const SEARCH_INTERVAL_MS = 100;
const SLOW_SEARCH_INTERVAL_MS = 500;
/** After this many looks in vain the search slows down. */
const FAST_SEARCHES = 100;
const WATCH_INTERVAL_MS = 500;

export function createAppMonitor(parts: AppMonitorParts): AppMonitor & Part {
  return new Monitor(parts);
}

class Monitor implements AppMonitor, Part {
  readonly name = 'app monitor';
  readonly #parts: AppMonitorParts;
  readonly #listeners = new Set<(presence: AppPresence) => void>();
  #presence: AppPresence;
  #since: number;
  #running = false;
  #looking = false;
  #looksInVain = 0;
  #failedProbes = 0;
  #cancelLook: (() => void) | undefined;
  #cancelProbe: (() => void) | undefined;
  /** Counts the app's comings, so that a probe that outlived the app it asked changes nothing. */
  #coming = 0;

  constructor(parts: AppMonitorParts) {
    this.#parts = parts;
    this.#presence = parts.channel ? 'waiting' : 'none';
    this.#since = parts.clock.now();
  }

  get presence(): AppPresence {
    return this.#presence;
  }

  get since(): number {
    return this.#since;
  }

  onChange(listener: (presence: AppPresence) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  start(): void {
    const { channel, log } = this.#parts;
    if (!channel) return;
    this.#running = true;
    log.info({ address: channel.address, port: channel.port }, 'waiting for the app to listen');
    this.#lookSoon(0);
  }

  stop(): void {
    this.#running = false;
    this.#cancelLook?.();
    this.#cancelProbe?.();
    this.#listeners.clear();
  }

  suspect(): void {
    if (!this.#running || this.#presence === 'none') return;
    this.#lost('a call found nobody there');
    this.#lookSoon(0);
  }

  #lookSoon(delayMs: number): void {
    this.#cancelLook?.();
    this.#cancelLook = this.#running ? this.#parts.clock.after(delayMs, () => void this.#look()) : undefined;
  }

  async #look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    try {
      await this.#parts.channel?.reach();
      if (this.#running) this.#found();
    } catch (error) {
      if (this.#running) this.#lost(messageOf(error));
    } finally {
      this.#looking = false;
    }
    this.#lookSoon(this.#nextLookMs());
  }

  #nextLookMs(): number {
    if (this.#presence !== 'waiting') return WATCH_INTERVAL_MS;
    return this.#looksInVain < FAST_SEARCHES ? SEARCH_INTERVAL_MS : SLOW_SEARCH_INTERVAL_MS;
  }

  #found(): void {
    this.#looksInVain = 0;
    if (this.#presence !== 'waiting') return;
    this.#coming++;
    this.#failedProbes = 0;
    if (!this.#parts.healthCheck) {
      this.#become('up', 'the app listens');
      return;
    }
    this.#become('unhealthy', 'the app listens; waiting for its first healthy answer');
    this.#probeSoon(0, this.#coming);
  }

  #lost(reason: string): void {
    this.#looksInVain++;
    this.#cancelProbe?.();
    if (this.#presence !== 'waiting') this.#become('waiting', `the app is away: ${reason}`);
  }

  #probeSoon(delayMs: number, coming: number): void {
    this.#cancelProbe = this.#parts.clock.after(delayMs, () => void this.#probe(coming));
  }

  async #probe(coming: number): Promise<void> {
    const { channel, healthCheck } = this.#parts;
    if (!channel || !healthCheck) return;
    let reason = 'the health check failed';
    let healthy = false;
    try {
      healthy = await channel.probe(healthCheck.timeoutMs);
    } catch (error) {
      reason = `the health check failed: ${messageOf(error)}`;
    }
    if (!this.#running || coming !== this.#coming || this.#presence === 'waiting') return;
    if (healthy) {
      this.#failedProbes = 0;
      if (this.#presence === 'unhealthy') this.#become('up', 'the app is healthy');
    } else if (++this.#failedProbes >= healthCheck.threshold && this.#presence === 'up') {
      this.#become('unhealthy', `${reason} (${this.#failedProbes} times in a row)`);
    }
    this.#probeSoon(healthCheck.intervalMs, coming);
  }

  #become(presence: AppPresence, reason: string): void {
    this.#presence = presence;
    this.#since = this.#parts.clock.now();
    const { log } = this.#parts;
    if (presence === 'up') log.info({ presence }, reason);
    else log.warn({ presence }, reason);
    for (const listener of this.#listeners) {
      try {
        listener(presence);
      } catch (error) {
        log.error({ err: error }, 'a listener of the app monitor failed');
      }
    }
  }
}
