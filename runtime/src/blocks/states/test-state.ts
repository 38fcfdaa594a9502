/** TestState: one state by itself, with every value on its way through it; nothing of it is stored. */
import { isObject, JsonInvalid, parseJson, type Json, type JsonObject } from '../../asl/json.ts';
import { DEFAULT_LIMITS } from '../../asl/limits.ts';
import type { ScheduleTask } from '../../asl/messages.ts';
import { testState, type Performed } from '../../asl/test-state.ts';
import { failureOf } from '../../workflow-asl/task-arguments.ts';
import { performTask } from '../../workflow-asl/task-executor.ts';
import { keptTrace } from '../../telemetry/trace.ts';
import { faults, loadMachine } from '../../workflow-asl/machine-store.ts';
import { arnOf, machineArn } from '../../workflow-asl/arns.ts';
import { oneOf, optionalText, text, type Fields } from './request-fields.ts';
import { errors } from './states-errors.ts';
import type { Operations, StatesBlockParts } from './states.ts';

const LONE = 'State';

export function testStateOperations({ blocks, clock, random, uuid }: StatesBlockParts): Operations {
  return {
    async TestState(fields, { signal, trace }) {
      const definition = text(fields, 'definition', { max: 1_048_576 });
      const level = oneOf(fields, 'inspectionLevel', ['INFO', 'DEBUG', 'TRACE']) ?? 'INFO';
      const { machine, diagnostics } = loadMachine(wholeMachine(definition), 'STANDARD');
      if (!machine) throw errors.invalidDefinition(faults(diagnostics));
      const stateName = optionalText(fields, 'stateName');
      const mock = mockOf(fields);
      const retries = (fields['stateConfiguration'] as Fields | undefined)?.['retrierRetryCount'];
      const perform = async (command: ScheduleTask): Promise<Performed> => {
        try {
          return { output: await performTask(blocks, { resource: command.resource, arguments: command.arguments, idempotencyKey: command.idempotencyKey, trace: keptTrace(trace) }, signal) };
        } catch (error) {
          return failureOf(error);
        }
      };
      try {
        const { inspection, ...tested } = await testState({
          machine, input: optionalText(fields, 'input') ?? '{}', ...(stateName === undefined ? {} : { stateName }),
          variables: jsonField(fields, 'variables'), context: jsonField(fields, 'context'),
          execution: { id: arnOf(`express:${LONE}:${uuid()}:${uuid()}`), name: uuid(), roleArn: optionalText(fields, 'roleArn') ?? '', stateMachineId: machineArn(LONE), stateMachineName: LONE },
          ...(typeof retries === 'number' ? { retryCount: retries } : {}), ...(mock === undefined ? {} : { mock }), perform,
          ports: { now: clock.now(), random, uuid, taskToken: (id) => id },
        });
        return { ...tested, ...(level === 'INFO' ? {} : { inspectionData: inspection }) };
      } catch (error) {
        if (error instanceof JsonInvalid) throw errors.invalidInput(error.message);
        if (error instanceof Error && /^State not found|nobody does the work/.test(error.message)) throw errors.validation(error.message);
        throw error;
      }
    },
  };
}

/** A state by itself becomes a machine, in which whatever it leads to exists. */
function wholeMachine(definition: string): string {
  let state: Json;
  try {
    state = parseJson(definition, DEFAULT_LIMITS.jsonDepthMax);
  } catch {
    return definition;
  }
  if (!isObject(state) || state['States'] !== undefined) return definition;
  const below = [state['Catch'], state['Choices']].flatMap((list) => (Array.isArray(list) ? (list as Json[]) : []));
  const targets = [state['Next'], state['Default'], ...below.map((one) => (isObject(one) ? one['Next'] : undefined))].filter((name) => typeof name === 'string');
  const states: Record<string, Json> = {};
  for (const name of targets) states[name] = { Type: 'Succeed' };
  states[LONE] = state;
  return JSON.stringify({ StartAt: LONE, States: states });
}

function jsonField(fields: Fields, name: string): JsonObject {
  const given = optionalText(fields, name);
  if (given === undefined) return {};
  let value: Json = null;
  try {
    value = parseJson(given, DEFAULT_LIMITS.jsonDepthMax);
  } catch (error) {
    if (!(error instanceof JsonInvalid)) throw error;
  }
  if (!isObject(value)) throw errors.validation(`The value of '${name}' must be the text of a JSON object`);
  return value;
}

function mockOf(fields: Fields): Performed | undefined {
  const { mock } = fields;
  if (mock === undefined || mock === null) return undefined;
  const { result, errorOutput } = mock as Fields;
  if (result !== undefined && errorOutput !== undefined) throw errors.validation('A test mock should have only one of the following fields: [result, errorOutput].');
  if (errorOutput !== undefined) {
    const { error, cause } = errorOutput as Fields;
    return { ...(typeof error === 'string' ? { error } : {}), ...(typeof cause === 'string' ? { cause } : {}) };
  }
  if (typeof result !== 'string') throw errors.validation('A test mock should have one of the following fields: [result, errorOutput].');
  try {
    parseJson(result, DEFAULT_LIMITS.jsonDepthMax);
  } catch {
    throw errors.validation('Mocked result must be valid JSON');
  }
  return { output: result };
}
