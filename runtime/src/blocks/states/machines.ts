/** State machines over the API: create, update, delete, describe, list, validate. */
import { faults, loadMachine, versionOf, type MachineRecord, type MachineType } from '../../workflow-asl/machine-store.ts';
import { executionNames, machineArn } from '../../workflow-asl/arns.ts';
import { arnField, flag, maxResults, nameField, oneOf, optionalText, pageOfNames, seconds, text, type Fields } from './request-fields.ts';
import { errors } from './states-errors.ts';
import { tagsField } from './tags.ts';
import { machineNamed, publish, versionArn } from './versions.ts';
import type { Operations, StatesBlockParts } from './states.ts';

const DEFINITION_MAX = 1_048_576;
const TYPES: readonly MachineType[] = ['STANDARD', 'EXPRESS'];
const LOGGING_OFF = { level: 'OFF', includeExecutionData: false };
const TRACING_OFF = { enabled: false };

interface Publishing {
  readonly description?: string;
}

export function machineOperations(parts: StatesBlockParts): Operations {
  const { store, clock, uuid, engine } = parts;
  const published = async (record: MachineRecord, publishing: Publishing | undefined): Promise<Fields> =>
    publishing ? { stateMachineVersionArn: versionArn(record.name, (await publish(parts, record, publishing.description)).number) } : {};
  async function described(record: MachineRecord, version = record.version): Promise<Fields> {
    const [definition, machine] = await Promise.all([store.text(version), store.machine(version)]);
    return {
      stateMachineArn: machineArn(record.name), name: record.name, definition: definition ?? '', roleArn: record.roleArn,
      loggingConfiguration: record.loggingConfiguration ?? LOGGING_OFF, tracingConfiguration: record.tracingConfiguration ?? TRACING_OFF, encryptionConfiguration: { type: 'AWS_OWNED_KEY' },
      ...(record.revisionId === undefined ? {} : { revisionId: record.revisionId }),
      ...(machine && Object.keys(machine.variableReferences).length > 0 ? { variableReferences: machine.variableReferences } : {}),
    };
  }

  return {
    async CreateStateMachine(fields) {
      const name = nameField(fields);
      const definition = text(fields, 'definition', { max: DEFINITION_MAX });
      const roleArn = text(fields, 'roleArn', { max: 256 });
      const type = oneOf(fields, 'type', TYPES) ?? 'STANDARD';
      const publishing = publishField(fields);
      const tags = tagsField(fields);
      checkDefinition(definition, type);
      const { loggingConfiguration, tracingConfiguration } = fields;
      const record: MachineRecord = {
        name, type, roleArn, version: versionOf(definition), createdAt: clock.now(),
        ...(loggingConfiguration === undefined ? {} : { loggingConfiguration }), ...(tracingConfiguration === undefined ? {} : { tracingConfiguration }),
      };
      const stateMachineArn = machineArn(name);
      const there = await store.find(name);
      if (!there && (await store.create(record, definition))) {
        if (Object.keys(tags).length > 0) await store.changeTags(`stateMachine:${name}`, () => tags);
        return { stateMachineArn, creationDate: seconds(record.createdAt), ...(await published(record, publishing)) };
      }
      const existing = there ?? (await store.find(name));
      if (!existing || !isSame(existing, record)) throw errors.machineAlreadyExists(stateMachineArn);
      return { stateMachineArn, creationDate: seconds(existing.createdAt), ...(await published(existing, publishing)) };
    },

    async UpdateStateMachine(fields) {
      const record = await machineNamed(parts, fields);
      if (record.declared) throw errors.machineDeclared(record.name);
      const definition = optionalText(fields, 'definition', { max: DEFINITION_MAX });
      const roleArn = optionalText(fields, 'roleArn', { max: 256 });
      const publishing = publishField(fields);
      const { loggingConfiguration, tracingConfiguration } = fields;
      if (definition === undefined && roleArn === undefined && loggingConfiguration === undefined && tracingConfiguration === undefined) {
        throw errors.missingParameter('Either the definition, the role ARN, the LoggingConfiguration, or the TracingConfiguration must be specified');
      }
      if (definition !== undefined) checkDefinition(definition, record.type);
      const updatedAt = clock.now();
      const revisionId = uuid();
      const given: Partial<MachineRecord> = {
        updatedAt, revisionId,
        ...(definition === undefined ? {} : { version: versionOf(definition) }), ...(roleArn === undefined ? {} : { roleArn }),
        ...(loggingConfiguration === undefined ? {} : { loggingConfiguration }), ...(tracingConfiguration === undefined ? {} : { tracingConfiguration }),
      };
      const updated = await store.update(record.name, (now) => ({ ...now, ...given }), definition);
      if (!updated) throw errors.machineDoesNotExist(text(fields, 'stateMachineArn'));
      return { updateDate: seconds(updatedAt), revisionId, ...(await published(updated, publishing)) };
    },

    /** Executions that run go on with the definition that they began with. */
    async DeleteStateMachine(fields) {
      const { rest } = arnField(fields, 'stateMachineArn', ['stateMachine']);
      if ((await store.find(rest))?.declared) throw errors.machineDeclared(rest);
      await store.remove(rest);
      parts.onMachineDeleted();
      return {};
    },

    async DescribeStateMachine(fields) {
      arnField(fields, 'stateMachineArn', ['stateMachine']);
      const arn = text(fields, 'stateMachineArn');
      const target = await store.findByArn(arn);
      if (!target) throw errors.machineDoesNotExist(arn);
      const { record, published: version } = target;
      const common = { ...(await described({ ...record, roleArn: target.roleArn }, target.version)), status: 'ACTIVE', type: record.type };
      if (!version) return { ...common, creationDate: seconds(record.createdAt) };
      const { number, createdAt, revisionId, description } = version;
      return { ...common, stateMachineArn: versionArn(record.name, number), creationDate: seconds(createdAt), ...(revisionId === undefined ? {} : { revisionId }), ...(description === undefined ? {} : { description }) };
    },

    async DescribeStateMachineForExecution(fields) {
      const { tail } = arnField(fields, 'executionArn', ['execution']);
      const row = await engine.queries.get(tail, { payloads: false });
      if (!row) throw errors.executionDoesNotExist(text(fields, 'executionArn'));
      const [name = ''] = executionNames(tail).machine.split('/');
      const record = (await store.find(name)) ?? { name, type: 'STANDARD', roleArn: '', version: row.version ?? '', createdAt: row.createdAt };
      return { ...(await described(record, row.version ?? '')), updateDate: seconds(record.updatedAt ?? record.createdAt) };
    },

    async ListStateMachines(fields) {
      const { names, nextToken } = pageOfNames(await store.names(), fields);
      const records = (await Promise.all(names.map((name) => store.find(name)))).filter((record) => record !== undefined);
      return {
        stateMachines: records.map(({ name, type, createdAt }) => ({ stateMachineArn: machineArn(name), name, type, creationDate: seconds(createdAt) })),
        ...(nextToken === undefined ? {} : { nextToken }),
      };
    },

    async ValidateStateMachineDefinition(fields) {
      const definition = text(fields, 'definition', { max: DEFINITION_MAX });
      const type = oneOf(fields, 'type', TYPES) ?? 'STANDARD';
      const severity = oneOf(fields, 'severity', ['ERROR', 'WARNING']) ?? 'ERROR';
      const most = maxResults(fields, { most: 100 });
      const { diagnostics } = loadMachine(definition, type);
      const told = diagnostics.filter((one) => one.severity === 'ERROR' || severity === 'WARNING');
      return {
        result: diagnostics.some((one) => one.severity === 'ERROR') ? 'FAIL' : 'OK',
        diagnostics: told.slice(0, most).map(({ severity: how, code, message, location, hint }) => ({ severity: how, code, message: hint === undefined ? message : `${message} (${hint})`, location })),
        truncated: told.length > most,
      };
    },
  };
}

function checkDefinition(definition: string, type: MachineType): void {
  const { machine, diagnostics } = loadMachine(definition, type);
  if (!machine) throw errors.invalidDefinition(faults(diagnostics));
}

/** undefined: nothing is to be published. */
function publishField(fields: Fields): Publishing | undefined {
  const description = optionalText(fields, 'versionDescription', { max: 256 });
  if (flag(fields, 'publish')) return description === undefined ? {} : { description };
  if (description !== undefined) throw errors.validation('Version description can only be set when publish is true');
  return undefined;
}

/** Role and tags do not count. */
function isSame(one: MachineRecord, other: MachineRecord): boolean {
  const compared = ({ version, type, loggingConfiguration = LOGGING_OFF, tracingConfiguration = TRACING_OFF }: MachineRecord): string => JSON.stringify([version, type, loggingConfiguration, tracingConfiguration]);
  return compared(one) === compared(other);
}
