/**
 * What every sidecar loads before it is ready, followed through the imports that are not lazy. Time and memory of a start are what is
 * loaded; these lists are longer only on purpose.
 */
import { expect, test } from 'vitest';
import { allImports, type Import } from './imports.ts';

/** The process itself, and what it imports lazily at each start. */
const ROOTS = ['runtime/src/main.ts', 'runtime/src/cli/sidecar.ts', 'runtime/src/sidecar/serving.ts', 'components/local/env.ts', 'components/sqlite/state.ts', 'components/sqlite/pubsub.ts'];
const LIBRARIES = ['@grpc/grpc-js', 'fastify', 'pino', 'protobufjs'];

const NOT_AT_START: readonly (readonly [what: string, path: RegExp])[] = [
  ['the engine of workflows', /^runtime\/src\/(?:engine\/|durable-execution\.ts$)/],
  ['the States Language', /^runtime\/src\/(?:asl|workflow-asl)\//],
  ['what answers the Step Functions API', /^runtime\/src\/blocks\/states\/states\.ts$/],
  ["the service of workflows' workers", /^runtime\/src\/blocks\/workflow\/(?:task-hub|task-hub\.grpc|work-items\.grpc|worker-pool|actions\.grpc|history\.grpc)\.ts$|^specs\/gen\/(?:orchestrat|history_events|durabletask)/],
  ['jobs and their ticks', /^runtime\/src\/blocks\/jobs\/(?:jobs|job-runner|job-definition)\.ts$/],
  ['bindings, either way', /^runtime\/src\/blocks\/bindings\/(?:bindings|input-bindings|event-delivery)\.ts$/],
  ['dead letters', /^runtime\/src\/blocks\/dead-letters\/(?:dead-letters|letter-retention|letter-claim)\.ts$/],
  ['what reads YAML', /^runtime\/src\/config\/(?:configuration|resources|yaml-view|resource-envelope|workflow-resource|run-file)\.ts$/],
  ['the ledger in PostgreSQL, or in memory', /^runtime\/src\/ledger\/(?:postgresql\/|memory)/],
  ['what only the writer thread does', /^runtime\/src\/ledger\/.+-program\.ts$|^components\/sqlite\/group-writer-thread\.ts$/],
  ['backends that nobody has declared', /^components\/(?!kit\/|sqlite\/|local\/env\.ts$|catalog\.gen\.ts$)/],
];

const imports = allImports();
const loaded = loadedFrom(ROOTS);

/** Each file and package that is loaded with `roots`, and the import by which. */
function loadedFrom(roots: readonly string[]): ReadonlyMap<string, Import | undefined> {
  const importsBy = Map.groupBy(imports.filter(({ typeOnly, lazy }) => !typeOnly && !lazy), ({ from }) => from);
  const found = new Map<string, Import | undefined>(roots.map((root) => [root, undefined]));
  const left = [...roots];
  for (let file = left.pop(); file !== undefined; file = left.pop()) {
    for (const one of importsBy.get(file) ?? []) {
      if (found.has(one.to)) continue;
      found.set(one.to, one);
      left.push(one.to);
    }
  }
  return found;
}

/** `a.ts < b.ts < main.ts`: who brings it in. */
function roadTo(file: string): string {
  const from = loaded.get(file)?.from;
  return from === undefined ? file : `${file} < ${roadTo(from)}`;
}

test('the way through the imports reaches what a start needs', () => {
  for (const needed of ['runtime/src/servers/grpc.ts', 'runtime/src/ledger/sqlite-ledger.ts', 'specs/gen/dapr.gen.ts', 'fastify']) expect([...loaded.keys()]).toContain(needed);
  expect(loaded.get('fastify')?.from).toBe('runtime/src/servers/http.ts');
});

test.each(NOT_AT_START)('a sidecar that uses none of it does not load %s', (_what, path) => {
  expect(imports.some(({ from }) => path.test(from)), 'the pattern must name files that there are').toBe(true);
  expect([...loaded.keys()].filter((file) => path.test(file)).map(roadTo)).toEqual([]);
});

test(`a start loads the libraries ${LIBRARIES.join(', ')}, and no other`, () => {
  const packages = [...loaded].filter(([to, by]) => by && !by.ours && !to.startsWith('node:')).map(([to]) => to);
  expect(packages.toSorted()).toEqual(LIBRARIES);
});
