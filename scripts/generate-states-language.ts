/** Writes docs/states-language.md: type of state by field, from the rows that the conformance test runs. `--check` says whether it is stale. */
import { CONFORMANCE_ROWS } from '../runtime/src/asl/conformance-rows.ts';
import { STATE_TYPES } from '../runtime/src/asl/definition.ts';
import { FIELDS } from '../runtime/src/asl/validate/fields.ts';
import { table, writeOrCheck } from './generated-page.ts';

const EVERYWHERE = new Set(['Comment', 'QueryLanguage', 'End']);
const names = Object.keys(FIELDS).filter((name) => !EVERYWHERE.has(name)).sort();

/** How many rows are about the field; nothing where a type of state does not have it, `·` where other rows use it on the way. */
function cellOf(type: (typeof STATE_TYPES)[number], name: string): string {
  const field = FIELDS[name];
  if (!field?.types.includes(type)) return '';
  const count = CONFORMANCE_ROWS.filter((row) => row.type === type && row.feature === name).length;
  return count === 0 ? '·' : String(count);
}

const claims = STATE_TYPES.map((type) => {
  const rows = CONFORMANCE_ROWS.filter((row) => row.type === type).toSorted((a, b) => (a.feature < b.feature ? -1 : a.feature > b.feature ? 1 : 0));
  return `### ${type}\n\n${table(['Field', 'Language', 'Claim'], rows.map(({ feature, jsonata, claim }) => [feature, jsonata ? 'JSONata' : 'JSONPath', claim]))}\n`;
});

await writeOrCheck(
  'docs/states-language.md',
  `<!-- Written by scripts/generate-states-language.ts; do not edit. -->

# The States Language, by state and field

Every number is that many tests of \`runtime/src/asl/conformance.test.ts\` about the field in that type of state; \`·\` is a field that
other tests use on the way; an empty place is a field that the type does not have. A field without a test fails the run. What
executions do as a whole is compared with recorded executions (\`npm run corpus\`). ${CONFORMANCE_ROWS.length} tests are listed here.
Readers and writers here are those of \`arn:mecha:\` ([states](../runtime/src/blocks/states/README.md#tasks)).

${table(['Field', ...STATE_TYPES], names.map((name) => [name, ...STATE_TYPES.map((type) => cellOf(type, name))]))}

## What the tests say

${claims.join('\n')}`,
);
