import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { loadResources, problemLines } from './resources.ts';

let folder = '';
afterEach(() => rm(folder, { recursive: true, force: true }));

async function load(text: string) {
  folder = await mkdtemp(join(tmpdir(), 'mecha-workflow-'));
  await writeFile(join(folder, 'w.yaml'), text);
  const loaded = await loadResources([folder], { appId: 'order', namespace: undefined, strict: false });
  return { ...loaded, lines: problemLines(loaded.problems).map((line) => line.replace(`${folder}/`, '')) };
}
const workflow = (spec: string, { name = 'order', apiVersion = 'mecha.dev/v1alpha1' } = {}): string => `apiVersion: ${apiVersion}\nkind: Workflow\nmetadata: {name: ${name}}\nspec:\n${spec}`;
const GOOD = `  definition:
    StartAt: Pay
    States:
      Pay: {Type: Task, Resource: 'arn:mecha:invoke:::payment:charge', End: true}
`;

describe('resources of kind Workflow', () => {
  test('a definition may be YAML, or JSON or YAML as text', async () => {
    const { resources, lines } = await load(`${workflow(GOOD)}---\n${workflow(`  type: express\n  definition: '{"StartAt":"S","States":{"S":{"Type":"Succeed"}}}'\n`, { name: 'json' })}---\n${workflow('  definition: |\n    StartAt: S\n    States:\n      S: {Type: Succeed}\n', { name: 'text', apiVersion: 'dapr.io/v1alpha1' })}`);
    expect(lines).toEqual([]);
    expect(resources.map((one) => one.kind === 'Workflow' && [one.name, one.type])).toEqual([['order', 'STANDARD'], ['json', 'EXPRESS'], ['text', 'STANDARD']]);
  });

  test.each<[string, string, RegExp]>([
    ['a transition to nowhere, on its line', workflow(GOOD.replace('End: true', 'Next: Shipp')), /^w\.yaml:8: error: .*Shipp.* at \/States\/Pay\/Next/],
    ['a resource that is not served yet, by name', workflow(GOOD.replace('invoke:::payment:charge', 'lock:::x:take')), /^w\.yaml:8: error: The resource arn:mecha:lock:::x:take is not supported at \/States\/Pay\/Resource \(tasks of the block 'lock' are not served yet/],
    ['text that is no definition', workflow('  definition: "{"\n'), /^w\.yaml:5: error: /],
    ['a definition that is missing', workflow('  type: STANDARD\n'), /^w\.yaml:5: error: a Workflow needs spec\.definition/],
    ['an unknown type', workflow(`  type: EXPRES\n${GOOD}`), /^w\.yaml:5: error: a Workflow is STANDARD or EXPRESS, not EXPRES \(spec\.type\); did you mean EXPRESS\?/],
    ['a name that no ARN can hold', workflow(GOOD, { name: 'a:b' }), /^w\.yaml:3: error: the name of a Workflow/],
  ])('%s', async (_what, text, expected) => {
    const { lines } = await load(text);
    expect(lines[0]).toMatch(expected);
  });

  test('a Workflow of somebody else is left out', async () => {
    const { resources, lines } = await load(workflow('  entrypoint: main\n', { apiVersion: 'argoproj.io/v1alpha1' }));
    expect(resources).toEqual([]);
    expect(lines).toEqual([expect.stringMatching(/^w\.yaml:1: warning: Workflow of argoproj\.io\/v1alpha1 is none of our resources; left out/)]);
  });
});
