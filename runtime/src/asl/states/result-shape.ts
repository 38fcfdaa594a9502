/** WriterConfig without a Resource: the results stay in the output, in the asked shape. */
import { isArray, type Json, type JsonObject } from '../json.ts';
import type { MapResult } from '../messages.ts';

export function shapedResults(results: readonly MapResult[], config: JsonObject): Json {
  const { Transformation: shape = 'NONE', OutputType: type = 'JSON' } = config;
  const values = shape === 'NONE' ? results.map(described) : succeededOutputs(results, shape === 'FLATTEN');
  return type === 'JSONL' ? values.map((value) => JSON.stringify(value)).join('\n') : values;
}

function described({ index, status, output, error, cause }: MapResult): JsonObject {
  return { Index: index, Status: status, ...(output === undefined ? {} : { Output: JSON.stringify(output) }), ...(error === undefined ? {} : { Error: error }), ...(cause === undefined ? {} : { Cause: cause }) };
}

function succeededOutputs(results: readonly MapResult[], flatten: boolean): Json[] {
  const outputs = results.filter(({ status }) => status === 'SUCCEEDED').map(({ output }) => output ?? null);
  return flatten ? outputs.flatMap((output) => (isArray(output) ? [...output] : [output])) : outputs;
}
