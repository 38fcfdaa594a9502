/**
 * State type x field: what each field does, in both query languages. The last test holds the table against the fields that
 * validation knows, so that a field without a row cannot be added.
 */
import { describe, expect, test } from 'vitest';
import { CONFORMANCE_ROWS, type ConformanceRow } from './conformance-rows.ts';
import { STATE_TYPES } from './definition.ts';
import { isArray, isObject, type Json, type JsonObject } from './json.ts';
import { loadDefinition } from './load.ts';
import { drive } from './testing.ts';
import { FIELDS } from './validate/fields.ts';

const machineOf = ({ state, jsonata }: ConformanceRow): JsonObject => ({ ...(jsonata ? { QueryLanguage: 'JSONata' } : {}), ...(state['States'] === undefined ? { StartAt: 'S', States: { S: state } } : state) });

describe('the States Language, state by state and field by field', () => {
  test.each(CONFORMANCE_ROWS.map((row) => [`${row.type} ${row.feature}${row.jsonata ? ' (JSONata)' : ''}: ${row.claim}`, row] as const))('%s', async (_title, row) => {
    const { machine, diagnostics } = loadDefinition(machineOf(row));
    expect(diagnostics.filter(({ severity }) => severity === 'ERROR')).toEqual([]);
    if (!machine) return;
    const tries = new Map<string, number>();
    const { snapshot, endMs, history } = await drive(machine, {
      ...row.options,
      input: JSON.stringify(row.input ?? {}),
      machines: { map: machine },
      task: (command) => {
        const key = `${command.stateName}${JSON.stringify(command.arguments)}`;
        const attempt = tries.get(key) ?? 0;
        tries.set(key, attempt + 1);
        return row.task?.(attempt, command.arguments);
      },
    });
    const said = { status: snapshot.status, ...(snapshot.output === undefined ? {} : { output: JSON.parse(snapshot.output) as Json }), ...(row.error === undefined ? {} : { error: snapshot.error }), ...(row.cause === undefined ? {} : { cause: snapshot.cause }) };
    expect(said).toEqual({ status: row.error === undefined ? 'SUCCEEDED' : 'FAILED', ...(row.output === undefined ? {} : { output: row.output }), ...(row.error === undefined ? {} : { error: row.error }), ...(row.cause === undefined ? {} : { cause: row.cause }) });
    if (row.seconds !== undefined) expect((endMs - Date.UTC(2025, 0, 1)) / 1000).toBe(row.seconds);
    expect(history.map(({ id }) => id)).toEqual(history.map((_, at) => at + 1));
    expect(Object.keys(snapshot.threads)).toEqual([]);
    expect(Object.keys(snapshot.waiting)).toEqual([]);
  });

  test('every field that a type of state may have has a row', () => {
    const used = new Set(CONFORMANCE_ROWS.flatMap((row) => [...usedIn(machineOf(row))]));
    const missing = STATE_TYPES.flatMap((type) => Object.entries(FIELDS).filter(([name, { types }]) => types.includes(type) && !used.has(`${type} ${name}`)).map(([name]) => `${type} ${name}`));
    expect(missing.filter((pair) => !/ (Comment|QueryLanguage|Mecha|End)$/.test(pair))).toEqual([]);
  });
});

function* usedIn(fields: JsonObject): Iterable<string> {
  for (const state of Object.values(isObject(fields['States']) ? fields['States'] : {})) {
    if (!isObject(state)) continue;
    for (const name of Object.keys(state)) yield `${String(state['Type'])} ${name}`;
    const below = [state['ItemProcessor'], state['Iterator'], ...(isArray(state['Branches']) ? state['Branches'] : [])];
    for (const root of below) if (isObject(root)) yield* usedIn(root);
  }
}
