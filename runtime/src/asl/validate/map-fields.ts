/** Fields of Map and Parallel that are more than a value: roots below, readers, batchers, writers. */
import { isObject, type Json, type JsonObject } from '../json.ts';
import type { Context, Inspected } from './context.ts';
import { checkMapResource } from './resource-field.ts';
import { checkFields, checkList, checkNumber, checkObject, checkOneOf, checkPath, checkQueries, checkTemplate, checkText } from './values.ts';

const LABEL_MAX = 40;
/** Blanks, wildcards, brackets, punctuation, control characters. */
const LABEL_FORBIDDEN = /[\s?*<>{}[\]:;,\\|^~$#%&"`\u0000-\u001f\u007f-\u009f]/;
const READER_FIELDS = new Set(['Resource', 'ReaderConfig', 'Parameters', 'Arguments']);
const READER_CONFIG_FIELDS = new Set(['InputType', 'CSVHeaderLocation', 'CSVHeaders', 'CSVDelimiter', 'MaxItems', 'MaxItemsPath', 'ItemsPointer', 'Transformation', 'ManifestType']);
const BATCHER_FIELDS = new Set(['MaxItemsPerBatch', 'MaxItemsPerBatchPath', 'MaxInputBytesPerBatch', 'MaxInputBytesPerBatchPath', 'BatchInput']);
const WRITER_FIELDS = new Set(['Resource', 'Parameters', 'Arguments', 'WriterConfig']);

export function checkBranches(context: Context, value: Json, location: string): void {
  for (const [at, branch] of checkList(context, value, location).entries()) checkObject(context, branch, `${location}/${at}`);
}

export function checkProcessorField(context: Context, value: Json, location: string, state: Inspected): void {
  if (Object.hasOwn(state.fields, 'ItemProcessor') && location.endsWith('/Iterator')) context.diagnostics.error(location, "You cannot set both 'ItemProcessor' and 'Iterator'", "'Iterator' is the old name");
  if (!checkObject(context, value, location)) return;
  const { ProcessorConfig: config } = value;
  if (config === undefined) return;
  const here = `${location}/ProcessorConfig`;
  if (!checkObject(context, config, here)) return;
  checkFields(context, config, here, new Set(['Mode', 'ExecutionType']), 'ProcessorConfig');
  const { Mode: mode = 'INLINE', ExecutionType: type } = config;
  if (!checkOneOf(context, mode, `${here}/Mode`, 'Mode', ['INLINE', 'DISTRIBUTED'])) return;
  if (mode === 'DISTRIBUTED' && type === undefined) context.diagnostics.error(here, "The field 'ExecutionType' is required but was missing", "'STANDARD' or 'EXPRESS'");
  if (type !== undefined) checkOneOf(context, type, `${here}/ExecutionType`, 'ExecutionType', ['STANDARD', 'EXPRESS']);
}

export function checkLabel(context: Context, value: Json, location: string): void {
  if (!checkText(context, value, location)) return;
  if (value === '' || value.length > LABEL_MAX || LABEL_FORBIDDEN.test(value)) context.diagnostics.error(location, `A label has 1 to ${LABEL_MAX} characters, without blanks and punctuation other than - _ . ' ( ) @ ! + = /`);
}

const isDistributed = (state: Inspected): boolean => {
  const processor = state.fields['ItemProcessor'] ?? state.fields['Iterator'];
  const config = isObject(processor) ? processor['ProcessorConfig'] : undefined;
  return isObject(config) && config['Mode'] === 'DISTRIBUTED';
};

function distributedOnly(context: Context, location: string, state: Inspected): void {
  const name = location.slice(location.lastIndexOf('/') + 1);
  if (!isDistributed(state)) context.diagnostics.error(location, `The field '${name}' needs a distributed Map`, "set ItemProcessor/ProcessorConfig/Mode to 'DISTRIBUTED'");
}

function checkCall(context: Context, fields: JsonObject, location: string, state: Inspected): void {
  const { Resource: resource, Parameters: parameters, Arguments: queries } = fields;
  if (resource !== undefined) checkMapResource(context, resource, `${location}/Resource`, location.endsWith('/ItemReader') ? 'reader' : 'writer');
  if (parameters !== undefined) {
    if (state.language === 'JSONata') context.diagnostics.error(`${location}/Parameters`, "The field 'Parameters' can not be used in a JSONata state", "JSONata states say it with 'Arguments'");
    else checkTemplate(context, parameters, `${location}/Parameters`);
  }
  if (queries !== undefined) {
    if (state.language === 'JSONPath') context.diagnostics.error(`${location}/Arguments`, "The field 'Arguments' can not be used in a JSONPath state", "JSONPath states say it with 'Parameters'");
    else checkQueries(context, queries, `${location}/Arguments`);
  }
}

export function checkItemReader(context: Context, value: Json, location: string, state: Inspected): void {
  distributedOnly(context, location, state);
  if (!checkObject(context, value, location)) return;
  checkFields(context, value, location, READER_FIELDS, 'ItemReader');
  if (value['Resource'] === undefined) context.diagnostics.error(location, "The field 'Resource' is required but was missing");
  checkCall(context, value, location, state);
  const { ReaderConfig: config } = value;
  if (config === undefined || !checkObject(context, config, `${location}/ReaderConfig`)) return;
  const here = `${location}/ReaderConfig`;
  checkFields(context, config, here, READER_CONFIG_FIELDS, 'ReaderConfig');
  const closed: Readonly<Record<string, readonly string[]>> = {
    InputType: ['CSV', 'JSON', 'JSONL', 'MANIFEST', 'PARQUET'],
    CSVHeaderLocation: ['FIRST_ROW', 'GIVEN'],
    CSVDelimiter: ['COMMA', 'PIPE', 'SEMICOLON', 'SPACE', 'TAB'],
    Transformation: ['NONE', 'LOAD_AND_FLATTEN'],
    ManifestType: ['ATHENA_DATA', 'S3_INVENTORY'],
  };
  for (const [name, allowed] of Object.entries(closed)) if (config[name] !== undefined) checkOneOf(context, config[name], `${here}/${name}`, name, allowed);
  checkTwins(context, config, here, ['MaxItems'], state);
  const { CSVHeaders: headers, CSVHeaderLocation: from } = config;
  if (headers !== undefined && from !== 'GIVEN') context.diagnostics.error(`${here}/CSVHeaders`, "The field 'CSVHeaders' needs 'CSVHeaderLocation' to be 'GIVEN'");
  if (from === 'GIVEN' && headers === undefined) context.diagnostics.error(here, "The field 'CSVHeaders' is required but was missing");
}

export function checkItemBatcher(context: Context, value: Json, location: string, state: Inspected): void {
  distributedOnly(context, location, state);
  if (!checkObject(context, value, location)) return;
  checkFields(context, value, location, BATCHER_FIELDS, 'ItemBatcher');
  checkTwins(context, value, location, ['MaxItemsPerBatch', 'MaxInputBytesPerBatch'], state);
  if (![...BATCHER_FIELDS].some((name) => name.startsWith('Max') && Object.hasOwn(value, name))) context.diagnostics.error(location, "One of 'MaxItemsPerBatch' and 'MaxInputBytesPerBatch' is required");
  const { BatchInput: input } = value;
  if (input === undefined) return;
  if (state.language === 'JSONata') checkQueries(context, input, `${location}/BatchInput`);
  else checkTemplate(context, input, `${location}/BatchInput`);
}

function checkTwins(context: Context, fields: JsonObject, location: string, names: readonly string[], state: Inspected): void {
  for (const name of names) {
    const { [name]: literal, [`${name}Path`]: path } = fields;
    if (literal !== undefined && path !== undefined) context.diagnostics.error(location, `You cannot set both '${name}' and '${name}Path' at the same time`);
    if (literal !== undefined) checkNumber(context, literal, `${location}/${name}`, { least: 0, most: 100_000_000, integer: true }, state.language);
    if (path === undefined) continue;
    if (state.language === 'JSONata') context.diagnostics.error(`${location}/${name}Path`, `The field '${name}Path' can not be used in a JSONata state`, `'${name}' takes an expression`);
    else checkPath(context, path, `${location}/${name}Path`);
  }
}

export function checkResultWriter(context: Context, value: Json, location: string, state: Inspected): void {
  distributedOnly(context, location, state);
  if (!checkObject(context, value, location)) return;
  checkFields(context, value, location, WRITER_FIELDS, 'ResultWriter');
  checkCall(context, value, location, state);
  const { WriterConfig: config, Resource: resource } = value;
  if (config === undefined && resource === undefined) context.diagnostics.error(location, "One of 'Resource' and 'WriterConfig' is required");
  if (config === undefined || !checkObject(context, config, `${location}/WriterConfig`)) return;
  const { OutputType: type, Transformation: shape } = config;
  if (type !== undefined) checkOneOf(context, type, `${location}/WriterConfig/OutputType`, 'OutputType', ['JSON', 'JSONL']);
  if (shape !== undefined) checkOneOf(context, shape, `${location}/WriterConfig/Transformation`, 'Transformation', ['NONE', 'COMPACT', 'FLATTEN']);
}
