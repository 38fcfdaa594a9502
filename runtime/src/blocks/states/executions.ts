/** Executions over the API: start, stop, describe, list, history. */
import { isTerminalStatus, type WorkflowRow, type WorkflowStatus } from '@mecha/components/kit';
import { JsonInvalid, parseJson } from '../../asl/json.ts';
import { DEFAULT_LIMITS } from '../../asl/limits.ts';
import type { ExecutionInfo, ExecutionStatus, HistoryEvent as StatesEvent } from '../../asl/messages.ts';
import { serviceEvent } from '../../asl/service-event.ts';
import type { WorkflowState } from '../../engine/queries.ts';
import { MechaError } from '../../errors.ts';
import type { Call } from '../../pipeline.ts';
import { keptTrace } from '../../telemetry/trace.ts';
import { ALIAS_ATTRIBUTE, arnOf, executionNames, executionTail, machineArn, MACHINE_ATTRIBUTE, MAP_RUN_ATTRIBUTE, REDRIVES_ATTRIBUTE, STATES_WORKFLOW, VERSION_ATTRIBUTE } from '../../workflow-asl/arns.ts';
import { attributesOf, type MachineRecord, type MachineTarget } from '../../workflow-asl/machine-store.ts';
import { readFailure } from '../../workflow-asl/turn-events.ts';
import { sagaOf } from './compensations.ts';
import { snapshotOf } from './kept-snapshot.ts';
import { redriveMembers } from './redrive.ts';
import { arnField, flag, maxResults, nameField, nextToken, oneOf, optionalText, pageToken, seconds, text, type Fields } from './request-fields.ts';
import { errors } from './states-errors.ts';
import type { Operations, StatesBlockParts } from './states.ts';

const STATUSES = ['RUNNING', 'SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED', 'PENDING_REDRIVE'] as const;
const OPEN: readonly WorkflowStatus[] = ['pending', 'running', 'suspended', 'stalled'];
const STATUSES_OF: Readonly<Record<(typeof STATUSES)[number], readonly WorkflowStatus[]>> = { RUNNING: OPEN, SUCCEEDED: ['completed'], FAILED: ['failed'], TIMED_OUT: ['failed'], ABORTED: ['terminated', 'canceled'], PENDING_REDRIVE: [] };
/** A stop is answered when it has come to its end, or after this long: undoing may take its time. */
const STOP_WAIT_MS = 2000;
const SYNC_WAIT_MS = 300_000;

export function executionOperations(parts: StatesBlockParts): Operations {
  const { engine, store, clock, uuid } = parts;
  /** Of the machine itself, of a version or of an alias. */
  async function targetOf(fields: Fields): Promise<MachineTarget> {
    arnField(fields, 'stateMachineArn', ['stateMachine']);
    const arn = text(fields, 'stateMachineArn');
    const target = await store.findByArn(arn);
    if (!target) throw errors.machineDoesNotExist(arn);
    return target;
  }

  async function begin(target: MachineTarget, tail: string, name: string, input: string, { trace }: Call): Promise<WorkflowRow> {
    const { record, version, roleArn } = target;
    await store.keep(version);
    const execution: ExecutionInfo = { id: arnOf(tail), name, roleArn, stateMachineId: machineArn(record.name), stateMachineName: record.name };
    await engine.operations.start({ name: STATES_WORKFLOW, instanceId: tail, version, input, idReuse: 'unique', attributes: attributesOf(target), trace: keptTrace(trace), extra: { execution } });
    return existing(tail);
  }
  async function existing(tail: string): Promise<WorkflowState> {
    const row = await engine.queries.get(tail);
    if (row?.name !== STATES_WORKFLOW) throw errors.executionDoesNotExist(arnOf(tail));
    return row;
  }

  return {
    async StartExecution(fields, call) {
      const target = await targetOf(fields);
      const { record } = target;
      const name = fields['name'] === undefined ? uuid() : nameField(fields);
      const input = inputOf(fields);
      if (record.type === 'EXPRESS') {
        const row = await begin(target, `express:${record.name}:${name}:${uuid()}`, name, input, call);
        return { executionArn: arnOf(row.instanceId), startDate: seconds(row.createdAt) };
      }
      const tail = executionTail(record.name, name);
      try {
        const row = await begin(target, tail, name, input, call);
        return { executionArn: arnOf(tail), startDate: seconds(row.createdAt) };
      } catch (error) {
        if (!(error instanceof MechaError && error.code === 'ERR_WORKFLOW_ALREADY_EXISTS')) throw error;
        const there = await existing(tail);
        if (isTerminalStatus(there.status) || there.input !== input) throw errors.executionAlreadyExists(arnOf(tail));
        return { executionArn: arnOf(tail), startDate: seconds(there.createdAt) };
      }
    },

    async StartSyncExecution(fields, call) {
      const target = await targetOf(fields);
      const { record } = target;
      if (record.type !== 'EXPRESS') throw errors.typeNotSupported();
      const name = fields['name'] === undefined ? uuid() : nameField(fields);
      const input = inputOf(fields);
      const tail = `express:${record.name}:${name}:${uuid()}`;
      await begin(target, tail, name, input, call);
      await engine.queries.waitFor(tail, 'end', AbortSignal.any([call.signal, AbortSignal.timeout(SYNC_WAIT_MS)]));
      const row = await existing(tail);
      const ms = (row.completedAt ?? clock.now()) - row.createdAt;
      return { ...described(row), stateMachineArn: machineArn(record.name), billingDetails: { billedMemoryUsedInMB: 64, billedDurationInMilliseconds: Math.max(100, Math.ceil(ms / 100) * 100) } };
    },

    async StopExecution(fields) {
      const { tail } = arnField(fields, 'executionArn', ['execution']);
      const error = optionalText(fields, 'error', { max: 256 });
      const cause = optionalText(fields, 'cause', { max: 32_768 });
      await existing(tail);
      if (await engine.operations.terminate(tail, { output: JSON.stringify({ error, cause }) })) {
        // A timeout here is no failure: it is being stopped.
        await engine.queries.waitFor(tail, 'end', AbortSignal.timeout(STOP_WAIT_MS)).catch(() => undefined);
      }
      return { stopDate: seconds((await existing(tail)).completedAt ?? clock.now()) };
    },

    async DescribeExecution(fields) {
      const { tail } = arnField(fields, 'executionArn', ['execution']);
      const row = await existing(tail);
      const snapshot = await snapshotOf(parts, row);
      const saga = await sagaOf(parts, row, snapshot);
      return {
        ...described(row), stateMachineArn: machineArn(executionNames(tail).machine), ...(await startedBy(row)), ...(await redriveMembers(parts, row, snapshot)),
        // Beyond what the service says: how the undoing stands, for executions that have something to undo.
        ...(saga ? { mecha: { saga } } : {}),
      };
    },

    async ListExecutions(fields) {
      const mapRunArn = optionalText(fields, 'mapRunArn');
      const status = oneOf(fields, 'statusFilter', STATUSES);
      const redriven = oneOf(fields, 'redriveFilter', ['REDRIVEN', 'NOT_REDRIVEN']);
      const limit = maxResults(fields);
      const cursor = nextToken(fields, 3096);
      if (mapRunArn === undefined) {
        if ((await listedOf(fields)).type === 'EXPRESS') throw errors.typeNotSupported();
      } else if (fields['stateMachineArn'] !== undefined) throw errors.validation('Only one of stateMachineArn and mapRunArn may be given');
      if (status === 'PENDING_REDRIVE') return { executions: [] };
      const attribute = mapRunArn === undefined ? attributeFor(arnField(fields, 'stateMachineArn', ['stateMachine']).rest) : { name: MAP_RUN_ATTRIBUTE, value: mapRunArn };
      const page = await engine.queries.list({ attribute, limit, ...(status === undefined ? {} : { statuses: STATUSES_OF[status] }), ...(cursor === undefined ? {} : { cursor: String(cursor) }) });
      const rows = page.instances.filter((row) => status === undefined || statusOf(row) === status);
      const listed = (await Promise.all(rows.map(async (row) => ({ row, more: await startedBy(row) })))).filter(({ more }) => redriven === undefined || (Number(more.redriveCount) > 0) === (redriven === 'REDRIVEN'));
      return {
        executions: listed.map(({ row, more }) => ({
          executionArn: arnOf(row.instanceId), stateMachineArn: machineArn(executionNames(row.instanceId).machine), name: executionNames(row.instanceId).name, status: statusOf(row),
          startDate: seconds(row.createdAt), ...more, ...(row.completedAt === undefined ? {} : { stopDate: seconds(row.completedAt) }), ...(mapRunArn === undefined ? {} : { mapRunArn }),
        })),
        ...(page.cursor === undefined ? {} : { nextToken: pageToken(page.cursor) }),
      };
    },

    async GetExecutionHistory(fields) {
      const { tail } = arnField(fields, 'executionArn', ['execution']);
      const limit = maxResults(fields);
      const at = nextToken(fields);
      const bare = flag(fields, 'includeExecutionData') === false;
      const row = await engine.queries.get(tail, { payloads: false });
      if (row?.name !== STATES_WORKFLOW) throw errors.executionDoesNotExist(arnOf(tail));
      const { events, next } = flag(fields, 'reverseOrder') ? await backwards(tail, limit, typeof at === 'number' ? at : row.events) : await forwards(tail, limit, typeof at === 'number' ? at : 0, row.events);
      return { events: events.map((event) => (bare ? withoutData(serviceEvent(event)) : serviceEvent(event))), ...(next === undefined ? {} : { nextToken: pageToken(next) }) };
    },
  };

  async function listedOf(fields: Fields): Promise<MachineRecord> {
    const [name = ''] = arnField(fields, 'stateMachineArn', ['stateMachine']).rest.split(':');
    const record = await store.find(name);
    if (!record) throw errors.machineDoesNotExist(text(fields, 'stateMachineArn'));
    return record;
  }
  /** What lists and descriptions say of how it was started, and how often it was redriven. */
  async function startedBy({ row, instanceId }: WorkflowRow): Promise<Fields & { readonly redriveCount: number }> {
    const { [VERSION_ATTRIBUTE]: version, [ALIAS_ATTRIBUTE]: alias, [REDRIVES_ATTRIBUTE]: redrives = '0' } = await parts.ledger.workflows.attributes(row);
    const [machine = ''] = executionNames(instanceId).machine.split('/');
    const arn = (qualified: string): string => `${machineArn(machine)}${qualified.slice(machine.length)}`;
    return { redriveCount: Number(redrives), ...(version === undefined ? {} : { stateMachineVersionArn: arn(version) }), ...(alias === undefined ? {} : { stateMachineAliasArn: arn(alias) }) };
  }

  /** The history of the instance has a start before and an end behind what the language wrote: those are passed over. */
  async function forwards(tail: string, limit: number, from: number, total: number): Promise<{ events: StatesEvent[]; next?: number }> {
    const page = await engine.queries.history(tail, { from, limit: limit + 1 });
    const events: StatesEvent[] = [];
    let next = from;
    for (const { number, event } of page) {
      if (events.length >= limit) break;
      next = number + 1;
      if (event.kind === 'audit') events.push(event.data as StatesEvent);
    }
    // The last one stands alone when it is the end of the instance.
    const rest = next >= total ? [] : await engine.queries.history(tail, { from: next, limit: 2 });
    return { events, ...(rest.some(({ event }) => event.kind === 'audit') ? { next } : {}) };
  }
  async function backwards(tail: string, limit: number, until: number): Promise<{ events: StatesEvent[]; next?: number }> {
    const from = Math.max(0, until - limit - 2);
    const page = until === 0 ? [] : await engine.queries.history(tail, { from, limit: until - from });
    const found = page.filter(({ event }) => event.kind === 'audit').toReversed().slice(0, limit);
    const oldest = found.at(-1);
    const next = oldest && (oldest.event as { data: StatesEvent }).data.id > 1 ? oldest.number : undefined;
    return { events: found.map(({ event }) => (event as { data: StatesEvent }).data), ...(next === undefined ? {} : { next }) };
  }
}

/** Executions of a machine, of one of its versions, or of an alias. */
function attributeFor(rest: string): { readonly name: string; readonly value: string } {
  const [, qualifier] = rest.split(':');
  if (qualifier === undefined) return { name: MACHINE_ATTRIBUTE, value: rest };
  return { name: /^\d+$/.test(qualifier) ? VERSION_ATTRIBUTE : ALIAS_ATTRIBUTE, value: rest };
}

function inputOf(fields: Fields): string {
  const input = optionalText(fields, 'input') ?? '{}';
  if (Buffer.byteLength(input) > DEFAULT_LIMITS.payloadBytesMax) throw errors.validation(`1 validation error detected: Value at 'input' failed to satisfy constraint: Member must have length less than or equal to ${DEFAULT_LIMITS.payloadBytesMax}`);
  try {
    parseJson(input, DEFAULT_LIMITS.jsonDepthMax);
  } catch (error) {
    if (error instanceof JsonInvalid) throw errors.invalidInput(error.message);
    throw error;
  }
  return input;
}

function statusOf({ status, customStatus }: WorkflowRow): ExecutionStatus {
  switch (status) {
    case 'completed':
      return 'SUCCEEDED';
    case 'failed':
      return customStatus === 'TIMED_OUT' ? 'TIMED_OUT' : 'FAILED';
    case 'terminated':
    case 'canceled':
      return 'ABORTED';
    default:
      return 'RUNNING';
  }
}

function described(row: WorkflowState): Fields {
  const status = statusOf(row);
  const [, , name = ''] = row.instanceId.split(':');
  const { error, cause } = row.failure ? readFailure(row.failure) : {};
  return {
    executionArn: arnOf(row.instanceId), name, status, startDate: seconds(row.createdAt), input: row.input ?? '{}', inputDetails: { included: true },
    ...(row.completedAt === undefined ? {} : { stopDate: seconds(row.completedAt) }),
    ...(status === 'SUCCEEDED' && row.output !== undefined ? { output: row.output, outputDetails: { included: true } } : {}),
    ...(error === undefined ? {} : { error }), ...(cause === undefined ? {} : { cause }),
  };
}

const DATA = new Set(['input', 'output', 'parameters', 'error', 'cause', 'assignedVariables']);
function withoutData(event: Fields): Fields {
  return Object.fromEntries(
    Object.entries(event).map(([name, value]) => [name, name.endsWith('EventDetails') ? Object.fromEntries(Object.entries(value as Fields).filter(([field]) => !DATA.has(field))) : value]),
  );
}
