/**
 * Durable execution of one sidecar: one engine, and what always stands behind it (the States Language and its tasks). Nothing of it is loaded
 * until it is used: by a call, by a worker, by a resource, by work that the ledger holds for this app, or by work that another process
 * of the app puts there.
 *
 * Owns: when that is, and the order of life of what is then there. Does not own: the engine, the doors.
 *
 * Draining: no more work is taken; what workers have under way may end for half of the time; then `closing` tells doors to let their
 * workers and waiting callers go, and what those held is given back.
 */
import { randomUUID } from 'node:crypto';
import type { Clock, Ledger } from '@mecha/components/kit';
import type { StatesBlock } from './blocks/states/states.ts';
import type { Engine } from './engine/engine.ts';
import type { EngineSettings } from './engine/engine-parts.ts';
import type { Part } from './lifecycle.ts';
import { errors as pipelineErrors } from './pipeline.ts';
import type { WorkflowConfiguration } from './config/resource-types.ts';
import type { Log } from './telemetry/log.ts';
import type { Metrics } from './telemetry/metrics.ts';
import type { ActivityQueue } from './workflow-asl/activity-queue.ts';
import type { DefinitionSweep } from './workflow-asl/definition-sweep.ts';
import type { DeclaredMachine } from './workflow-asl/machine-store.ts';
import type { TaskBlocks } from './workflow-asl/task-executor.ts';

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

interface Loaded {
  readonly engine: Engine;
  readonly queue: ActivityQueue;
  readonly states: StatesBlock;
  readonly sweep: DefinitionSweep;
}

/** At once in a sidecar when the configuration says nothing. */
const CONCURRENT_MAX = 1000;

function settingsOf({ turnsMax = CONCURRENT_MAX, activitiesMax = CONCURRENT_MAX, turnsPerName, activitiesPerName, retention, payloadBytesMax, historyBytesMax }: WorkflowConfiguration): Partial<EngineSettings> {
  return {
    turns: { max: turnsMax, ...(Object.keys(turnsPerName).length > 0 ? { perName: turnsPerName } : {}) },
    activities: { max: activitiesMax, ...(Object.keys(activitiesPerName).length > 0 ? { perName: activitiesPerName } : {}) },
    retention,
    ...(payloadBytesMax === undefined ? {} : { payloadBytesMax }),
    ...(historyBytesMax === undefined ? {} : { historyBytesMax }),
  };
}

export function createWorkflows(parts: WorkflowsParts): Workflows {
  const { appId, namespace, ledger, clock, random, log } = parts;
  const app = `${namespace}/${appId}`;
  let loading: Promise<Loaded> | undefined;
  const closing = new AbortController();
  let unwatch = (): void => undefined;
  let stopped = false;

  function load(): Promise<Loaded> {
    if (stopped && !loading) return Promise.reject(pipelineErrors.shuttingDown());
    loading ??= loadAll().catch((error: unknown) => {
      loading = undefined;
      throw error;
    });
    return loading;
  }

  async function loadAll(): Promise<Loaded> {
    const [{ Engine }, { MachineStore, attributesOf }, { createStatesExecutor }, { createTaskExecutor }, { ActivityQueue }, { createStatesBlock }, { TOLD_EVENT }, { DefinitionSweep }, { checkNewInstanceId }] = await Promise.all([
      import('./engine/engine.ts'),
      import('./workflow-asl/machine-store.ts'),
      import('./workflow-asl/states-executor.ts'),
      import('./workflow-asl/task-executor.ts'),
      import('./workflow-asl/activity-queue.ts'),
      import('./blocks/states/states.ts'),
      import('./workflow-asl/arns.ts'),
      import('./workflow-asl/definition-sweep.ts'),
      import('./blocks/workflow/workflow-errors.ts'),
    ]);
    const engine = new Engine({ appId, namespace, ledger, clock, random, newId: randomUUID, log: log.scoped('mecha.workflow'), settings: parts.configuration ? settingsOf(parts.configuration) : {}, ...(parts.metrics ? { metrics: parts.metrics } : {}) });
    const store = new MachineStore({ app, ledger, now: () => clock.now(), random, declared: parts.declared });
    engine.attachExecutor(
      createStatesExecutor({
        definition: (version) => store.machine(version),
        findMachine: async (arn) => {
          const found = await store.findByArn(arn);
          if (!found) return undefined;
          await store.keep(found.version);
          return { name: found.record.name, version: found.version, roleArn: found.roleArn, attributes: attributesOf(found) };
        },
        instanceExists: async (instanceId) => (await ledger.workflows.find(app, instanceId)) !== undefined,
        checkNewInstanceId,
        random,
        uuid: randomUUID,
      }),
    );
    engine.attachActivities(createTaskExecutor(parts.blocks, async (instanceId, event) => void (await engine.operations.raiseEvent(instanceId, TOLD_EVENT, JSON.stringify(event)))));
    const queue = new ActivityQueue({ engine, ledger, clock, onTrouble: (error) => log.warn({ err: error }, 'workers that ask for activities wait for the ledger') });
    const sweep = new DefinitionSweep({ app, ledger, store, clock, onTrouble: (error) => log.warn({ err: error }, 'definitions of deleted state machines are still there; removed later') });
    if (!stopped) sweep.soon();
    const states = createStatesBlock({ engine, store, queue, onMachineDeleted: () => sweep.soon(), ledger, clock, random, uuid: randomUUID, blocks: parts.blocks });
    unwatch();
    if (!stopped) engine.start();
    return { engine, queue, states, sweep };
  }

  let looking = false;
  let lookAgain = false;
  /** A wake-up may be about anything: what counts is whether the ledger holds work of this app. Never rejects. */
  async function look(): Promise<void> {
    lookAgain = true;
    if (looking) return;
    looking = true;
    try {
      while (lookAgain && !loading && !stopped) {
        lookAgain = false;
        const { instances } = await ledger.workflows.list({ app, statuses: OPEN, limit: 1 });
        if (instances.length > 0 && !stopped) await load();
      }
    } catch (error) {
      log.error({ err: error }, 'workflows that wait in the ledger cannot be run; looked at again with the next change there');
    } finally {
      looking = false;
    }
  }

  return {
    name: 'workflows',
    states: async () => (await load()).states,
    async engine() {
      if (closing.signal.aborted) throw pipelineErrors.shuttingDown();
      return (await load()).engine;
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
      const loaded = await loading?.catch(() => undefined);
      loaded?.queue.stop();
      loaded?.sweep.stop();
      await loaded?.engine.drain(AbortSignal.any([signal, AbortSignal.timeout(parts.gracefulShutdownMs / 2)]));
      closing.abort();
      await loaded?.engine.drain(signal);
    },
    async stop() {
      stopped = true;
      unwatch();
      closing.abort();
      const loaded = await loading?.catch(() => undefined);
      loaded?.queue.stop();
      loaded?.sweep.stop();
      await loaded?.engine.stop();
    },
  };
}
