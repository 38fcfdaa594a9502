/**
 * Durable execution of one sidecar: one engine, and what always stands behind it (the States Language and its tasks). Nothing of it is loaded
 * until it is used: by a call, by a worker, by a resource, by work that the ledger holds for this app, or by work that another process
 * of the app puts there.
 *
 * Owns: when that is, and the order of life of what is then there. Does not own: the engine and its parts
 * (`durable-execution.ts`), the doors.
 *
 * Draining: no more work is taken; what workers have under way may end for half of the time; then `closing` tells doors to let their
 * workers and waiting callers go, and what those held is given back.
 */
import type { Clock, Ledger } from '@mecha/components/kit';
import { unlessAborted } from '@mecha/components/kit/unless-aborted.ts';
import type { StatesBlock } from '../blocks/states/states.ts';
import type { WorkflowConfiguration } from '../config/resource-types.ts';
import type { DurableExecution } from './durable-execution.ts';
import type { Engine } from '../engine/engine.ts';
import { Lazy } from '../lazy.ts';
import type { Part } from '../lifecycle.ts';
import { errors as pipelineErrors } from '../pipeline.ts';
import type { Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { DeclaredMachine } from '../workflow-asl/machine-store.ts';
import type { TaskBlocks } from '../workflow-asl/task-executor.ts';

export interface WorkflowsParts {
  readonly appId: string;
  readonly namespace: string;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly blocks: TaskBlocks;
  readonly declared: readonly DeclaredMachine[];
  /** `spec.workflow`; absent: nothing is said. */
  readonly configuration?: WorkflowConfiguration;
  readonly metrics?: Metrics;
  /** Milliseconds for all draining of the sidecar. */
  readonly gracefulShutdownMs: number;
}

export interface Workflows extends Part {
  /** Loads what is not there yet; rejects with `MechaError` once the sidecar stops. */
  states(): Promise<StatesBlock>;
  /** The same, for the doors that speak to the engine itself. */
  engine(): Promise<Engine>;
  /** Aborts when workers and callers that wait are to go. */
  readonly closing: AbortSignal;
}

const OPEN = ['pending', 'running', 'suspended', 'stalled'] as const;

export function createWorkflows(parts: WorkflowsParts): Workflows {
  const { appId, namespace, ledger, log } = parts;
  const app = `${namespace}/${appId}`;
  const closing = new AbortController();
  let unwatch = (): void => undefined;
  let stopped = false;
  const behind = new Lazy(load, () => (stopped ? pipelineErrors.shuttingDown() : undefined));

  async function load(): Promise<DurableExecution> {
    const { openDurableExecution } = await import('./durable-execution.ts');
    const opened = openDurableExecution(parts);
    unwatch();
    if (!stopped) {
      opened.sweep.soon();
      opened.engine.start();
    }
    return opened;
  }

  let looking = false;
  let lookAgain = false;
  /** A wake-up may be about anything: what counts is whether the ledger holds work of this app. Never rejects. */
  async function look(): Promise<void> {
    lookAgain = true;
    if (looking) return;
    looking = true;
    try {
      while (lookAgain && !behind.loaded && !stopped) {
        lookAgain = false;
        const { instances } = await ledger.workflows.list({ app, statuses: OPEN, limit: 1 });
        if (instances.length > 0 && !stopped) await behind.get();
      }
    } catch (error) {
      log.error({ err: error }, 'workflows that wait in the ledger cannot be run; looked at again with the next change there');
    } finally {
      looking = false;
    }
  }

  return {
    name: 'workflows',
    states: async () => (await behind.get()).states,
    async engine() {
      if (closing.signal.aborted) throw pipelineErrors.shuttingDown();
      return (await behind.get()).engine;
    },
    closing: closing.signal,

    /** Work that waits does not hold up the start. */
    start() {
      unwatch = ledger.watch(`workflow/${app}`, () => void look());
      void look();
    },
    /** Turns and activities under way end, or are given back; workers that wait are answered. */
    async drain(signal) {
      stopped = true;
      unwatch();
      const loaded = await behind.whenLoaded();
      loaded?.sweep.stop();
      // A ledger that is away keeps what it has not been given back, until its deadline.
      if (loaded) await unlessAborted(loaded.queue.stop(), signal).catch(() => undefined);
      await loaded?.engine.drain(AbortSignal.any([signal, AbortSignal.timeout(parts.gracefulShutdownMs / 2)]));
      closing.abort();
      await loaded?.engine.drain(signal);
    },
    async stop() {
      stopped = true;
      unwatch();
      closing.abort();
      const loaded = await behind.whenLoaded();
      void loaded?.queue.stop();
      loaded?.sweep.stop();
      await loaded?.engine.stop();
    },
  };
}
