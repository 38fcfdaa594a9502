/**
 * A group of batches as `run_group` takes it: the operations as JSON, their bytes side by side in one buffer, and what is to be
 * locked before anything is changed, in the order in which everybody locks.
 */
import { endOfPrefix, type LedgerOperation } from '@mecha/components/kit';
import { storedJson } from '@mecha/components/postgresql/text.ts';
import { isDurableJobOperation } from '../job-ledger.ts';
import { isDurableWorkflowOperation, workflowBytes } from '../workflow-ledger.ts';

type Encoded = Readonly<Record<string, unknown>>;

/** A batch of its own, copied out of the caller's hands: what it holds may be changed afterwards. */
export interface EncodedBatch {
  readonly operations: readonly Encoded[];
  readonly data: readonly Uint8Array[];
  readonly bytes: number;
  readonly durable: boolean;
  /** Leases something for this process. */
  readonly claims: boolean;
  readonly locks: Locks;
}

interface Locks {
  readonly states: readonly (readonly [table: string, key: string])[];
  readonly topics: readonly string[];
  readonly groups: readonly (readonly [topic: string, group: string])[];
  readonly rows: readonly number[];
  readonly activities: readonly number[];
  readonly names: readonly (readonly [app: string, instanceId: string])[];
  /** Whose parents are told something. */
  readonly children: readonly number[];
}
type OpenLocks = { [Kind in keyof Locks]: Locks[Kind][number][] };
const noLocks = (): OpenLocks => ({ states: [], topics: [], groups: [], rows: [], activities: [], names: [], children: [] });

export function encodeBatch(batch: readonly LedgerOperation[]): EncodedBatch {
  const locks = noLocks();
  const data: Uint8Array[] = [];
  let bytes = 0;
  let durable = false;
  let claims = false;
  const operations = batch.map((operation): Encoded => {
    if (isDurableWorkflowOperation(operation) ?? isDurableJobOperation(operation) ?? !operation.type.startsWith('message.')) durable = true;
    if ((operation.type === 'workflow.step' || operation.type === 'workflow.first-step') && operation.activities?.some(({ claim }) => claim)) claims = true;
    addLocks(operation, locks);
    bytes += workflowBytes(operation);
    const carried = dataOf(operation);
    if (carried !== undefined) {
      data.push(Uint8Array.from(carried));
      bytes += carried.length;
    }
    return encodeOperation(operation);
  });
  return { operations, data, bytes, durable, claims, locks };
}

export interface EncodedGroup {
  readonly batches: string;
  readonly data: Uint8Array;
  /** Null: nothing that another could lock in another order. */
  readonly locks: string | null;
  readonly claims: boolean;
  readonly durable: boolean;
}

export function encodeGroup(batches: readonly EncodedBatch[]): EncodedGroup {
  let at = 0;
  const operations = batches.map((batch) => {
    let next = 0;
    return batch.operations.map((operation) => {
      if (!('size' in operation)) return operation;
      const placed = { ...operation, at };
      at += batch.data[next++]?.length ?? 0;
      return placed;
    });
  });
  return {
    batches: storedJson(operations),
    data: Buffer.concat(batches.flatMap(({ data }) => data), at),
    locks: encodeLocks(batches),
    claims: batches.some(({ claims }) => claims),
    durable: batches.some(({ durable }) => durable),
  };
}

function dataOf(operation: LedgerOperation): Uint8Array | undefined {
  switch (operation.type) {
    case 'state.set':
    case 'job.put':
      return operation.data;
    case 'topic.append':
      return operation.message.data;
    case 'outbox.add':
      return operation.record.data;
    case 'dead-letter.add':
      return operation.letter.data;
    default:
      return undefined;
  }
}

/** Fields as the functions read them: objects whose keys are a user's become text or pairs, empty lists and false are left out. */
function encodeOperation(operation: LedgerOperation): Encoded {
  switch (operation.type) {
    case 'state.set': {
      const { data, ifAbsent, ...rest } = operation;
      return { ...rest, size: data.length, ...(ifAbsent ? { ifAbsent } : {}) };
    }
    case 'topic.append': {
      const { type, topic, retention, message } = operation;
      return { type, topic, retention, id: message.id, contentType: message.contentType, metadata: storedJson(message.metadata), size: message.data.length };
    }
    case 'outbox.add': {
      const { data, metadata, ...rest } = operation.record;
      return { type: operation.type, ...rest, metadata: storedJson(metadata), size: data.length };
    }
    case 'dead-letter.add': {
      const { data, ...letter } = operation.letter;
      return { type: operation.type, id: letter.id, appId: letter.appId, letterAt: letter.at, letter: storedJson(letter), size: data.length };
    }
    case 'job.put': {
      const { data, ...rest } = operation;
      return { ...rest, size: data.length };
    }
    case 'job.delete-prefix': {
      const end = endOfPrefix(operation.prefix);
      return { ...operation, ...(end === undefined ? {} : { end }) };
    }
    case 'workflow.create':
      return encodeNew(operation);
    case 'workflow.step':
    case 'workflow.first-step':
      return encodeStep(operation);
    default:
      return { ...operation };
  }
}

function encodeNew<T extends { readonly attributes?: Readonly<Record<string, string>> }>({ attributes, ...rest }: T): Encoded {
  return { ...rest, ...(attributes ? { attributes: Object.entries(attributes) } : {}) };
}

function encodeStep(step: Extract<LedgerOperation, { type: 'workflow.step' | 'workflow.first-step' }>): Encoded {
  const { attributes, create, ...rest } = step;
  const fields = Object.entries({ ...rest, attributes: attributes && Object.entries(attributes), create: create?.map(encodeNew) });
  return Object.fromEntries(fields.filter(([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0)));
}

function addLocks(operation: LedgerOperation, locks: OpenLocks): void {
  switch (operation.type) {
    case 'state.set':
    case 'state.delete':
      locks.states.push([operation.table, operation.key]);
      break;
    case 'topic.append':
      locks.topics.push(operation.topic);
      break;
    case 'message.ack':
    case 'message.retry':
    case 'message.release':
      locks.groups.push([operation.topic, operation.group]);
      break;
    case 'workflow.create':
      locks.names.push([operation.app, operation.instanceId]);
      if (operation.parent) locks.names.push([operation.parent.app, operation.parent.instanceId]);
      break;
    case 'workflow.step':
    case 'workflow.first-step':
      if (operation.type === 'workflow.step') locks.rows.push(operation.row);
      for (const { app, instanceId } of [...(operation.create ?? []), ...(operation.send ?? [])]) locks.names.push([app, instanceId]);
      if (operation.type === 'workflow.step' && operation.toParent) locks.children.push(operation.row);
      break;
    case 'workflow.send':
      locks.names.push([operation.app, operation.instanceId]);
      break;
    case 'workflow.complete':
      locks.activities.push(operation.activity);
      break;
    case 'workflow.control':
    case 'workflow.purge':
      locks.rows.push(operation.row);
      locks.children.push(operation.row);
      break;
    case 'workflow.release':
    case 'workflow.wake':
    case 'workflow.reopen':
      locks.rows.push(operation.row);
      break;
    default:
  }
}

function encodeLocks(batches: readonly EncodedBatch[]): string | null {
  const of = <Kind extends keyof Locks>(kind: Kind): Locks[Kind][number][] => batches.flatMap(({ locks }) => locks[kind] as Locks[Kind][number][]);
  const states = distinctPairs(of('states'));
  const topics = [...new Set(of('topics'))];
  const groups = distinctPairs(of('groups'));
  const instances = { rows: of('rows'), activities: of('activities'), names: distinctPairs(of('names')), children: of('children') };
  const instanceCount = Object.values(instances).reduce((sum, { length }) => sum + length, 0);
  // What locks one thing alone cannot lock two in another order.
  if (states.length + topics.length + groups.length + instanceCount <= 1) return null;
  return storedJson({
    states,
    ...(topics.length > 0 ? { topics } : {}),
    ...(groups.length > 0 ? { groups } : {}),
    ...(instanceCount > 0 ? { instances } : {}),
  });
}

function distinctPairs(pairs: readonly (readonly [string, string])[]): (readonly [string, string])[] {
  const byText = new Map(pairs.map((pair) => [`${pair[0]}\u0000${pair[1]}`, pair]));
  return [...byText.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, pair]) => pair);
}
