/**
 * What stands behind the doors of workflows: the engine, the States Language with its tasks, and the Step Functions API. `workflows.ts` loads
 * this, and with it all of them, when there is work.
 *
 * Owns: who is handed what. Does not own: when it is opened, drained and stopped.
 */
import { randomUUID } from 'node:crypto';
import { createStatesBlock, type StatesBlock } from '../blocks/states/states.ts';
import { checkNewInstanceId } from '../blocks/workflow/workflow-errors.ts';
import type { WorkflowConfiguration } from '../config/resource-types.ts';
import { Engine } from '../engine/engine.ts';
import type { EngineSettings } from '../engine/engine-parts.ts';
import { ActivityQueue } from '../workflow-asl/activity-queue.ts';
import { TOLD_EVENT } from '../workflow-asl/arns.ts';
import { DefinitionSweep } from '../workflow-asl/definition-sweep.ts';
import { MachineStore, attributesOf } from '../workflow-asl/machine-store.ts';
import { createStatesExecutor } from '../workflow-asl/states-executor.ts';
import { createTaskExecutor } from '../workflow-asl/task-executor.ts';
import type { WorkflowsParts } from './workflows.ts';

export interface DurableExecution {
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

/** Nothing runs yet. */
export function openDurableExecution({ appId, namespace, ledger, clock, random, log, ...parts }: WorkflowsParts): DurableExecution {
  const app = `${namespace}/${appId}`;
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
  const states = createStatesBlock({ engine, store, queue, onMachineDeleted: () => sweep.soon(), ledger, clock, random, uuid: randomUUID, blocks: parts.blocks });
  return { engine, queue, states, sweep };
}
