/**
 * A group of batches as `run_group` takes it: the operations as JSON, their bytes side by side in one buffer, and what is to be
 * locked before anything is changed, in the order in which everybody locks.
 */
import { endOfPrefix, isTerminalStatus, type LedgerOperation, type WorkflowMessage, type WorkflowStep } from '@mecha/components/kit';
import { Json } from '@mecha/components/postgresql/connection.ts';
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
  /** The one operation that it is, where many such are applied by one statement. */
  readonly plain: 'step' | 'complete' | undefined;
  /** What it locks, when that is one thing or none: batches in this order lock as everybody does. */
  readonly lockKey: string | undefined;
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
  return { operations: operations.map(withoutFirstMessage), data, bytes, durable, claims, locks, plain: plainKind(batch, operations), lockKey: lockKeyOf(locks) };
}

/** What a step may have and still be one of many; all else is done by itself. */
const PLAIN_FIELDS: ReadonlySet<string> = new Set<keyof WorkflowStep>(['type', 'row', 'fence', 'consumed', 'resolved', 'status', 'reason', 'customStatus', 'version', 'append', 'snapshot', 'activities']);

function plainKind(batch: readonly LedgerOperation[], [encoded]: readonly Encoded[]): EncodedBatch['plain'] {
  const [operation] = batch;
  if (operation === undefined || encoded === undefined || batch.length > 1) return undefined;
  if (operation.type === 'workflow.complete') return operation.message.payloads?.length ? undefined : 'complete';
  return operation.type === 'workflow.step' && isPlain(operation, encoded) ? 'step' : undefined;
}
function isPlain(step: WorkflowStep, encoded: Encoded): boolean {
  const { append, activities = [], snapshot, consumed, resolved = [] } = step;
  if (Object.keys(encoded).some((name) => !PLAIN_FIELDS.has(name))) return false;
  if (snapshot === null || append?.payloads?.length || activities.some(({ payloads }) => payloads?.length)) return false;
  // What ends is over: it orders nothing. What is named twice is refused, each in its own words.
  return !(isTerminalStatus(step.status) && activities.length > 0) && new Set(consumed).size === consumed.length && new Set(resolved.map(({ activity }) => activity)).size === resolved.length;
}

/** A first step consumes the first message whatever it is: where it comes in the same batch, the message need not be written, but for what it brings. */
function withoutFirstMessage(operation: Encoded, _index: number, all: readonly Encoded[]): Encoded {
  if (operation['type'] !== 'workflow.create' || (operation['message'] as WorkflowMessage).payloads?.length) return operation;
  const isStepped = all.some(({ type, app, instanceId }) => type === 'workflow.first-step' && app === operation['app'] && instanceId === operation['instanceId']);
  return isStepped ? { ...operation, message: undefined } : operation;
}

const ID_DIGITS = 16;
function lockKeyOf({ states, topics, groups, rows, names, activities, children }: Locks): string | undefined {
  // Which instances these stand for is not known here.
  if (activities.length + children.length > 0) return undefined;
  const keys = [
    ...states.map((pair) => `1 ${pair.join('\u0000')}`),
    ...topics.map((topic) => `2 ${topic}`),
    ...groups.map((pair) => `3 ${pair.join('\u0000')}`),
    ...rows.map((row) => `4 ${String(row).padStart(ID_DIGITS, '0')}`),
    ...names.map((pair) => `5 ${pair.join('\u0000')}`),
  ];
  return keys.length > 1 ? undefined : (keys[0] ?? '');
}

/** What waited together has no order among itself; put so that most groups need not lock anything beforehand. */
export function inLockOrder<T extends { readonly batch: EncodedBatch }>(waiting: readonly T[]): readonly T[] {
  return waiting.toSorted(({ batch: a }, { batch: b }) => {
    const [first, second] = [a.lockKey ?? '', b.lockKey ?? ''];
    return first < second ? -1 : first > second ? 1 : 0;
  });
}

export interface EncodedGroup {
  readonly batches: Json;
  readonly data: Uint8Array;
  /** Null: each batch locks one thing, and they stand in order. */
  readonly locks: Json | null;
  readonly claims: boolean;
  readonly durable: boolean;
}

/** From so many of a kind on, they are applied together: fewer cost less by themselves. */
const TOGETHER_FROM = 3;

export function encodeGroup(batches: readonly EncodedBatch[], togetherFrom: number = TOGETHER_FROM): EncodedGroup {
  const together = new Set([...chooseTogether(batches, 'step', togetherFrom), ...chooseTogether(batches, 'complete', togetherFrom)]);
  let at = 0;
  const operations = batches.map((batch) => {
    let next = 0;
    if (together.has(batch)) return batch.operations[0];
    return batch.operations.map((operation) => {
      if (!('size' in operation)) return operation;
      const placed = { ...operation, at };
      at += batch.data[next++]?.length ?? 0;
      return placed;
    });
  });
  return {
    batches: new Json(operations),
    data: Buffer.concat(batches.flatMap(({ data }) => data), at),
    locks: encodeLocks(batches, together),
    claims: batches.some(({ claims }) => claims),
    durable: batches.some(({ durable }) => durable),
  };
}

/** Of one instance, or one activity, one is among them; the others are by themselves. */
function chooseTogether(batches: readonly EncodedBatch[], kind: EncodedBatch['plain'], from: number): readonly EncodedBatch[] {
  const chosen = new Map(batches.filter(({ plain }) => plain === kind).map((batch) => [batch.operations[0]?.['row'] ?? batch.operations[0]?.['activity'], batch]));
  return chosen.size < from ? [] : [...chosen.values()];
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
      return { type, topic, retention, id: message.id, contentType: message.contentType, metadata: JSON.stringify(message.metadata), size: message.data.length };
    }
    case 'outbox.add': {
      const { data, metadata, ...rest } = operation.record;
      return { type: operation.type, ...rest, metadata: JSON.stringify(metadata), size: data.length };
    }
    case 'dead-letter.add': {
      const { data, ...letter } = operation.letter;
      return { type: operation.type, id: letter.id, appId: letter.appId, letterAt: letter.at, letter: JSON.stringify(letter), size: data.length };
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

function encodeLocks(batches: readonly EncodedBatch[], together: ReadonlySet<EncodedBatch>): Json | null {
  const of = <Kind extends keyof Locks>(kind: Kind): Locks[Kind][number][] => batches.flatMap(({ locks }) => locks[kind] as Locks[Kind][number][]);
  const states = distinctPairs(of('states'));
  const topics = [...new Set(of('topics'))];
  const groups = distinctPairs(of('groups'));
  const instances = { rows: of('rows'), activities: of('activities'), names: distinctPairs(of('names')), children: of('children') };
  // What is applied together comes last: what others lock of the instances would be before it.
  const isMixed = together.size > 0 && batches.some((batch) => !together.has(batch) && batch.locks.rows.length + batch.locks.names.length > 0);
  if (!isMixed && batches.every(({ lockKey }) => lockKey !== undefined)) return null;
  const instanceCount = Object.values(instances).reduce((sum, { length }) => sum + length, 0);
  return new Json({
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
