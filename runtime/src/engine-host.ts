/**
 * The workflow engine of a sidecar, as a part: its code is loaded and its loops are begun by the first who asks for it, so that a sidecar
 * without workflows pays nothing for them. What must go on by itself (timers, children, retries) goes on from then.
 *
 * Draining: no more work is taken; what workers have under way may end for half of the time; then `closing` tells doors to let their
 * workers and waiting callers go, and what those held is given back.
 */
import { randomUUID } from 'node:crypto';
import type { Clock, Ledger } from '@mecha/components/kit';
import type { Engine } from './engine/engine.ts';
import type { Part } from './lifecycle.ts';
import { errors as pipelineErrors } from './pipeline.ts';
import type { Log } from './telemetry/log.ts';

export interface EngineHostParts {
  readonly appId: string;
  readonly namespace: string;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** Milliseconds for all draining of the sidecar. */
  readonly gracefulShutdownMs: number;
}

export class EngineHost implements Part {
  readonly name = 'workflow engine';
  readonly #parts: EngineHostParts;
  readonly #closing = new AbortController();
  #opening: Promise<Engine> | undefined;
  #stopped = false;

  constructor(parts: EngineHostParts) {
    this.#parts = parts;
  }

  /** Aborts when workers and callers that wait are to go. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  async engine(): Promise<Engine> {
    if (this.#stopped) throw pipelineErrors.shuttingDown();
    return (this.#opening ??= this.#open());
  }

  async #open(): Promise<Engine> {
    const { appId, namespace, ledger, clock, random, log } = this.#parts;
    const { Engine: EngineClass } = await import('./engine/engine.ts');
    const engine = new EngineClass({ appId, namespace, ledger, clock, random, newId: randomUUID, log: log.scoped('mecha.workflow') });
    if (!this.#closing.signal.aborted) engine.start();
    return engine;
  }

  async drain(signal: AbortSignal): Promise<void> {
    const engine = await this.#opening?.catch(() => undefined);
    await engine?.drain(AbortSignal.any([signal, AbortSignal.timeout(this.#parts.gracefulShutdownMs / 2)]));
    this.#closing.abort();
    await engine?.drain(signal);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#closing.abort();
    const engine = await this.#opening?.catch(() => undefined);
    await engine?.stop();
  }
}
