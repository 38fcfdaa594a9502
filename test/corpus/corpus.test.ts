/** The recorded executions through the interpreter alone; `npm run corpus` drives them over the API. */
import { describe, expect, test } from 'vitest';
import { loadDefinition } from '@mecha/runtime/asl/load.ts';
import { serviceEvent } from '@mecha/runtime/asl/service-event.ts';
import { drive } from '@mecha/runtime/asl/testing.ts';
import { corpusFile, readCorpus, type CorpusCase } from './cases.ts';
import { firstDifference } from './compare.ts';

const cases = readCorpus();

describe('recorded executions', () => {
  test('the file of recordings is read, or its absence is said', () => {
    if (cases) expect(cases.length).toBeGreaterThan(100);
    else console.warn(`no recordings at ${corpusFile()}: ASL_CORPUS names the file; the own cases run all the same`);
  });

  test.each(cases ?? [])('$name', async (one) => {
    expect(await differenceOf(one)).toBeUndefined();
  });
});

async function differenceOf(one: CorpusCase): Promise<string | undefined> {
  const { machine, diagnostics } = loadDefinition(JSON.stringify(one.definition));
  if (!machine) return `the definition is refused: ${JSON.stringify(diagnostics)}`;
  const { history } = await drive(machine, { input: one.input, machines: { map: machine } });
  return firstDifference(one.expected.events, history.map(serviceEvent));
}
