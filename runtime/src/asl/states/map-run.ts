/**
 * Distributed Map: each item or batch is an execution of its own, started and followed by command and event. The thread
 * holds the inputs that are still to be started and, of those that ended, the outcome.
 *
 * 1. At most `concurrency` children run.
 * 2. The run fails as soon as more children failed than are tolerated; the others are then stopped.
 * 3. Outputs are in the order of the items. Children whose failure was tolerated have no place in the output.
 */
import { BLOCKED, type Behaviour, type Outcome } from '../behaviour.ts';
import type { State } from '../definition.ts';
import { mapRunCounts } from '../map-run-counts.ts';
import { isObject, JsonInvalid, member, parseJson, type Json, type JsonObject } from '../json.ts';
import type { ClosedStatus, MapResult, TurnEvent } from '../messages.ts';
import { evaluateQueries, evaluateTemplate, type Scope } from '../scope.ts';
import { placeOf, type MapRunDoing, type Thread } from '../snapshot.ts';
import { said, StateError, STATES, type Failure } from '../state-error.ts';
import { effectiveInput, isJsonata, numberField } from '../state-io.ts';
import type { Turn } from '../turn.ts';
import { batched } from './item-batcher.ts';
import { itemContext, iterationInput, itemsOf, mapItems, maxConcurrency, tolerance, type Items } from './map-input.ts';
import { shapedResults } from './result-shape.ts';

const EXCEEDED: Failure = { error: STATES.exceedToleratedFailureThreshold, cause: 'The specified tolerated failure threshold was exceeded' };

export const mapRun: Behaviour = {
  async start(turn, thread, state) {
    const scope = turn.scope(thread);
    const { ItemReader: reader } = state.fields;
    const items = reader === undefined ? await mapItems(turn, scope, state) : undefined;
    const concurrency = await maxConcurrency(scope, state, turn.limits.mapRunConcurrencyMax);
    const started = turn.emit(thread.id, 'MapStateStarted', 'mapStateStartedEventDetails', { length: items?.values.length ?? 0 });
    const tolerated = await tolerance(scope, state);
    const doing = open(turn, thread, state, started, concurrency, tolerated);
    if (items) return begin(turn, thread, state, doing, items, 'STATE_DATA');
    const fields = isObject(reader) ? reader : {};
    const given = await callArguments(scope, state, fields, 'ItemReader');
    const config = await readerConfig(scope, state, fields);
    turn.send({ type: 'readItems', id: ask(turn, thread, doing, 'read'), mapRunArn: doing.arn, resource: String(fields['Resource']), arguments: given, config });
    return BLOCKED;
  },

  async event(turn, thread, state, event) {
    const doing = turn.doing(thread.id, 'mapRun');
    switch (event.type) {
      case 'taskSucceeded':
        if (event.id !== doing.asked) return BLOCKED;
        turn.settled(event.id);
        return doing.stage === 'read' ? read(turn, thread, state, { ...doing, stage: 'run' }, event.output) : written(turn, thread, doing, event.output);
      case 'childEnded':
        return childEnded(turn, thread, state, doing, event);
      case 'mapRunChanged':
        return changed(turn, thread, state, doing, event);
      case 'taskFailed':
      case 'taskTimedOut': {
        if (event.id !== doing.asked) return BLOCKED;
        turn.settled(event.id);
        const { error, cause } = event.type === 'taskFailed' ? event : { error: STATES.timeout, cause: undefined };
        return runFailed(turn, thread, doing, { error: error ?? (doing.stage === 'read' ? STATES.itemReaderFailed : STATES.resultWriterFailed), ...(cause === undefined ? {} : { cause }) });
      }
      default:
        return BLOCKED;
    }
  },
};

function open(turn: Turn, thread: Thread, state: State, started: number, concurrency: number, tolerated: { readonly count?: number; readonly percentage?: number }): MapRunDoing {
  const label = state.distributed?.label ?? turn.ports.uuid();
  const arn = `${turn.execution.stateMachineId.replace(':stateMachine:', ':mapRun:')}/${label}:${turn.ports.uuid()}`;
  const doing: MapRunDoing = {
    kind: 'mapRun',
    arn,
    stage: state.fields['ItemReader'] === undefined ? 'run' : 'read',
    inputs: [],
    next: 0,
    running: 0,
    failed: 0,
    concurrency,
    ...(tolerated.count === undefined ? {} : { toleratedCount: tolerated.count }),
    ...(tolerated.percentage === undefined ? {} : { toleratedPercentage: tolerated.percentage }),
    results: [],
  };
  turn.note(started, 'MapRunStarted', 'mapRunStartedEventDetails', { mapRunArn: arn });
  turn.change(thread.id, { at: turn.lastEventId, doing });
  return doing;
}

/** The id of a question to a reader or writer. */
function ask(turn: Turn, thread: Thread, doing: MapRunDoing, stage: 'read' | 'write'): string {
  const id = turn.nextId();
  turn.expect(id, thread.id);
  turn.does(thread.id, { ...doing, stage, asked: id });
  return id;
}

async function begin(turn: Turn, thread: Thread, state: State, doing: MapRunDoing, items: Items, source: string): Promise<Outcome> {
  const inputs: Json[] = [];
  for (let index = 0; index < items.values.length; index++) inputs.push(await iterationInput(turn, thread, state, items, itemContext(items, index, source), index));
  const children = await batched(turn, thread, state, inputs);
  turn.send({
    type: 'openMapRun',
    mapRunArn: doing.arn,
    maxConcurrency: doing.concurrency,
    toleratedFailureCount: doing.toleratedCount ?? 0,
    toleratedFailurePercentage: doing.toleratedPercentage ?? 0,
    total: children.length,
  });
  const ready: MapRunDoing = { ...doing, inputs: children, results: children.map(() => null) };
  turn.does(thread.id, ready);
  return children.length === 0 ? finished(turn, thread, state, ready) : startChildren(turn, thread, state, ready);
}

function startChildren(turn: Turn, thread: Thread, state: State, doing: MapRunDoing): Outcome {
  let { next, running, inputs } = doing;
  const label = doing.arn.slice(doing.arn.lastIndexOf('/') + 1, doing.arn.lastIndexOf(':'));
  const { execution } = turn;
  for (; running < doing.concurrency && next < inputs.length; next++, running++) {
    const name = turn.ports.uuid();
    const id = turn.nextId();
    turn.expect(id, placeOf(thread.id, next));
    const machine = `${execution.stateMachineId}/${label}`;
    turn.send({
      type: 'startMapChild',
      id,
      mapRunArn: doing.arn,
      index: next,
      execution: { id: `${machine.replace(':stateMachine:', ':execution:')}:${name}`, name, roleArn: execution.roleArn, stateMachineId: machine, stateMachineName: `${execution.stateMachineName}/${label}` },
      executionType: state.distributed?.executionType ?? 'STANDARD',
      root: state.roots[0] ?? '',
      input: inputs[next] ?? null,
    });
    inputs = turn.place(inputs, next, null);
  }
  turn.does(thread.id, { ...doing, inputs, next, running });
  return BLOCKED;
}

function childEnded(turn: Turn, thread: Thread, state: State, doing: MapRunDoing, event: Extract<TurnEvent, { readonly type: 'childEnded' }>): Promise<Outcome> | Outcome {
  const { id, status, output, error, cause } = event;
  const waiter = turn.waiter(id) ?? '';
  if (doing.stage !== 'run' || !waiter.startsWith(placeOf(thread.id, ''))) return BLOCKED;
  const index = Number(waiter.slice(waiter.indexOf('/') + 1));
  turn.settled(id);
  const result: MapResult = {
    index,
    status,
    ...(output === undefined ? {} : { output: parseJson(output, turn.limits.jsonDepthMax) }),
    ...(error === undefined ? {} : { error }),
    ...(cause === undefined ? {} : { cause }),
  };
  const failed = doing.failed + (status === 'SUCCEEDED' ? 0 : 1);
  const after: MapRunDoing = { ...doing, running: doing.running - 1, failed, results: turn.place(doing.results, index, result) };
  turn.does(thread.id, after);
  if (exceeds(after)) return runFailed(turn, thread, after, EXCEEDED);
  if (after.next < after.inputs.length) return startChildren(turn, thread, state, after);
  return after.running === 0 ? finished(turn, thread, state, after) : BLOCKED;
}

/** Other limits count from now on. */
function changed(turn: Turn, thread: Thread, state: State, doing: MapRunDoing, event: Extract<TurnEvent, { readonly type: 'mapRunChanged' }>): Outcome {
  const { maxConcurrency, toleratedFailureCount: count, toleratedFailurePercentage: percentage } = event;
  const most = turn.limits.mapRunConcurrencyMax;
  const after: MapRunDoing = {
    ...doing,
    ...(maxConcurrency === undefined ? {} : { concurrency: maxConcurrency === 0 ? most : Math.min(maxConcurrency, most) }),
    ...(count === undefined ? {} : { toleratedCount: count }),
    ...(percentage === undefined ? {} : { toleratedPercentage: percentage }),
  };
  turn.does(thread.id, after);
  if (after.stage !== 'run') return BLOCKED;
  return exceeds(after) ? runFailed(turn, thread, after, EXCEEDED) : startChildren(turn, thread, state, after);
}

/** With neither limit given none is tolerated; with both, either decides. */
function exceeds({ failed, toleratedCount, toleratedPercentage, results }: MapRunDoing): boolean {
  if (failed === 0) return false;
  const byCount = toleratedCount !== undefined && failed > toleratedCount;
  const byPercentage = toleratedPercentage !== undefined && (failed * 100) / results.length > toleratedPercentage;
  return byCount || byPercentage || (toleratedCount === undefined && toleratedPercentage === undefined);
}

async function finished(turn: Turn, thread: Thread, state: State, doing: MapRunDoing): Promise<Outcome> {
  const results = doing.results.filter((result) => result !== null);
  const { ResultWriter: writer } = state.fields;
  if (!isObject(writer)) return succeeded(turn, thread, doing, outputs(results));
  const config = isObject(writer['WriterConfig']) ? writer['WriterConfig'] : {};
  if (writer['Resource'] === undefined) return succeeded(turn, thread, doing, shapedResults(results, config));
  const scope = turn.scope(turn.thread(thread.id));
  const given = await callArguments(scope, state, writer, 'ResultWriter');
  turn.send({ type: 'writeResults', id: ask(turn, thread, doing, 'write'), mapRunArn: doing.arn, resource: String(writer['Resource']), arguments: given, config, results });
  return BLOCKED;
}

const outputs = (results: readonly MapResult[]): readonly Json[] => results.filter(({ status }) => status === 'SUCCEEDED').map(({ output }) => output ?? null);

/** The state's exit follows MapRunStarted's successor as the real service's does. */
function succeeded(turn: Turn, thread: Thread, doing: MapRunDoing, result: Json): Outcome {
  close(turn, thread, doing, 'SUCCEEDED');
  const opened = turn.thread(thread.id).at;
  const done = turn.note(opened, 'MapRunSucceeded');
  turn.note(done, 'MapStateSucceeded');
  return { kind: 'result', result };
}

function runFailed(turn: Turn, thread: Thread, doing: MapRunDoing, failure: Failure): Outcome {
  close(turn, thread, doing, 'FAILED');
  turn.cancelFor(placeOf(thread.id, ''));
  const { error, cause } = failure;
  turn.emit(thread.id, 'MapRunFailed', 'mapRunFailedEventDetails', said({ error, cause }));
  return { kind: 'failed', failure };
}

function close(turn: Turn, thread: Thread, doing: MapRunDoing, status: ClosedStatus): void {
  turn.does(thread.id, { kind: 'again' });
  turn.send({ type: 'closeMapRun', mapRunArn: doing.arn, status, counts: mapRunCounts(doing, true) });
}

/** What a writer answered is the state's result. */
function written(turn: Turn, thread: Thread, doing: MapRunDoing, text: string): Outcome {
  let result: Json;
  try {
    result = parseJson(text, turn.limits.jsonDepthMax);
  } catch (error) {
    if (!(error instanceof JsonInvalid)) throw error;
    return runFailed(turn, thread, doing, { error: STATES.resultWriterFailed, cause: error.message });
  }
  return succeeded(turn, thread, doing, result);
}

/** What a reader found; text that is no list or object fails the run. */
function read(turn: Turn, thread: Thread, state: State, doing: MapRunDoing, text: string): Promise<Outcome> | Outcome {
  let items: Items;
  try {
    items = itemsOf(parseJson(text, turn.limits.jsonDepthMax));
  } catch (error) {
    if (!(error instanceof JsonInvalid || error instanceof StateError)) throw error;
    return runFailed(turn, thread, doing, { error: STATES.itemReaderFailed, cause: error.message });
  }
  return begin(turn, thread, state, doing, items, sourceOf(state));
}

/** Where the items came from, for `Map.Item.Source`. */
function sourceOf(state: State): string {
  const { ItemReader: reader } = state.fields;
  return isObject(reader) ? String(reader['Resource']) : 'STATE_DATA';
}

async function callArguments(scope: Scope, state: State, fields: JsonObject, where: string): Promise<Json> {
  if (isJsonata(state)) return evaluateQueries(scope, member(fields, 'Arguments') ?? {}, `${where}/Arguments`);
  return evaluateTemplate(scope, member(fields, 'Parameters') ?? {}, effectiveInput(scope, state));
}

async function readerConfig(scope: Scope, state: State, fields: JsonObject): Promise<JsonObject> {
  const config = isObject(fields['ReaderConfig']) ? fields['ReaderConfig'] : {};
  const { MaxItems: _literal, MaxItemsPath: _path, ...rest } = config;
  const most = await numberField(scope, state, { name: 'MaxItems', integer: true }, config, 'ItemReader/ReaderConfig/');
  if (most !== undefined && most < 0) throw new StateError(STATES.itemReaderFailed, 'field MaxItems must be positive', { prefixed: false });
  return { ...rest, ...(most === undefined ? {} : { MaxItems: most }) };
}
