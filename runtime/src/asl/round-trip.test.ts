/**
 * Properties of turns over random machines and random schedules: what is written and read again goes on as what was not,
 * what is handled together ends as what is handled one by one, and what is finished leaves nothing behind.
 */
import { describe, expect, test } from 'vitest';
import { fc } from '@mecha/components/kit/test-properties.ts';
import type { Machine } from './definition.ts';
import type { Json, JsonObject } from './json.ts';
import { DEFAULT_LIMITS } from './limits.ts';
import { loadDefinition } from './load.ts';
import type { HistoryEvent, ScheduleTask } from './messages.ts';
import { drive, type Answer, type Driven, type DriveOptions } from './testing.ts';

type Named = (name: string, next: string | undefined) => JsonObject;
const ends = (next: string | undefined): JsonObject => (next === undefined ? { End: true } : { Next: next });
let names = 0;

/** A state of a kind, with whatever it needs below. */
const stateAt = (depth: number): fc.Arbitrary<Named> => {
  const leaf: fc.Arbitrary<Named>[] = [
    fc.integer({ min: 0, max: 5 }).map((seconds): Named => (_name, next) => ({ Type: 'Wait', Seconds: seconds, ...ends(next) })),
    fc.jsonValue({ maxDepth: 2 }).map((value): Named => (_name, next) => ({ Type: 'Pass', Result: value as Json, ResultPath: '$.r', ...ends(next) })),
    fc.nat(3).map((value): Named => (_name, next) => ({ Type: 'Pass', QueryLanguage: 'JSONata', Output: { x: `{% ${value} + 1 %}`, l: [1, 2] }, ...ends(next) })),
    fc.record({ retry: fc.nat(2), undo: fc.boolean(), timeout: fc.boolean() }).map(({ retry, undo, timeout }): Named => (name, next) => ({
      Type: 'Task',
      Resource: `arn:mecha:invoke:::app:${name}`,
      ResultPath: '$.t',
      ...(timeout ? { TimeoutSeconds: 4 } : {}),
      ...(retry > 0 ? { Retry: [{ ErrorEquals: ['States.ALL'], MaxAttempts: retry, JitterStrategy: 'FULL' }] } : {}),
      ...(undo ? { Mecha: { Compensate: { Resource: 'arn:mecha:invoke:::app:undo', Retry: [{ ErrorEquals: ['States.ALL'], MaxAttempts: 1 }] } } } : {}),
      ...ends(next),
    })),
  ];
  if (depth === 0) return fc.oneof(...leaf);
  const below = rootAt(depth - 1);
  return fc.oneof(
    ...leaf,
    fc.tuple(fc.array(below, { minLength: 1, maxLength: 3 }), fc.boolean()).map(([branches, again]): Named => (_name, next) => ({ Type: 'Parallel', Branches: branches, ResultPath: '$.p', ...(again ? { Retry: [{ ErrorEquals: ['States.ALL'], MaxAttempts: 1 }] } : {}), ...ends(next) })),
    fc.tuple(below, fc.nat(3), fc.nat(2)).map(([root, count, most]): Named => (_name, next) => ({ Type: 'Map', QueryLanguage: 'JSONata', Items: Array.from({ length: count }, (_, at) => ({ at })), MaxConcurrency: most, ItemProcessor: root, Output: '{% {"m": $states.result} %}', ...ends(next) })),
  );
};

const rootAt = (depth: number): fc.Arbitrary<JsonObject> =>
  fc.array(stateAt(depth), { minLength: 1, maxLength: 3 }).map((makers) => {
    const own = makers.map(() => `S${++names}`);
    return { StartAt: own[0] ?? '', States: Object.fromEntries(makers.map((make, at) => [own[at] ?? '', make(own[at] ?? '', own[at + 1])])) };
  });

/** Names made while shrinking may repeat; they are made unique here. */
const machines = rootAt(2).map((definition) => {
  const { machine, diagnostics } = loadDefinition(definition, { limits: { ...DEFAULT_LIMITS, transitionsPerTurnMax: 7 } });
  if (!machine) throw new Error(JSON.stringify(diagnostics));
  return machine;
});

/** What a task answers depends on the task alone, so that two runs see the same. */
const answers = (seed: number) => (command: ScheduleTask): Answer | undefined => {
  let mixed = seed;
  for (const character of `${command.stateName}/${command.attempt}/${command.compensates?.step ?? ''}`) mixed = (Math.imul(mixed, 31) + character.charCodeAt(0)) >>> 0;
  const afterMs = (mixed >>> 8) % 6_000;
  if (mixed % 11 === 0) return undefined;
  return mixed % 4 === 0 ? { error: 'E', cause: 'C', afterMs } : { output: { n: mixed % 5 }, afterMs };
};

const schedules = fc.record({ seed: fc.nat(), stopMs: fc.option(fc.nat(20_000), { nil: undefined }) }).map(({ seed, stopMs }): DriveOptions => ({
  seed,
  task: answers(seed),
  ...(stopMs === undefined ? {} : { at: [{ ms: stopMs, event: { type: 'stopRequested', error: 'Stop' } }] }),
}));

const runs = { numRuns: 150, seed: 20_250_101 };
const outcome = ({ snapshot, history, commands, endMs }: Driven): unknown => ({ snapshot, history, commands, endMs });

describe('turns', () => {
  test('snapshots written and read again between all turns make no difference', async () => {
    await fc.assert(
      fc.asyncProperty(machines, schedules, async (machine, options) => {
        const [written, kept] = [await drive(machine, { ...options, serialise: true }), await drive(machine, { ...options, serialise: false })];
        expect(JSON.stringify(outcome(written))).toBe(JSON.stringify(outcome(kept)));
      }),
      runs,
    );
  });

  test('events of one instant end the same, in one turn or in several', async () => {
    await fc.assert(
      fc.asyncProperty(machines, schedules, async (machine, options) => {
        const [single, batch] = [await drive(machine, options), await drive(machine, { ...options, batch: true })];
        const end = ({ snapshot: { status, error, output } }: Driven): unknown => ({ status, error, output });
        expect(end(batch)).toEqual(end(single));
      }),
      runs,
    );
  });

  test('histories are chains, ids are given once, and an execution that closed leaves nothing behind', async () => {
    await fc.assert(
      fc.asyncProperty(machines, schedules, async (machine, options) => {
        const driven = await drive(machine, options);
        checkHistory(driven.history);
        checkCommands(driven);
        if (driven.snapshot.status === 'RUNNING') expect(driven.snapshot.saga?.steps.some(({ status }) => status === 'PARKED') || someTaskIsSilent(driven)).toBe(true);
        else expect(driven.snapshot).toMatchObject({ threads: {}, waiting: {}, ready: [] });
      }),
      runs,
    );
  });

  test('a turn costs the same after ten rounds and after a thousand', async () => {
    const { machine } = loadDefinition({
      StartAt: 'T',
      States: {
        T: { Type: 'Task', Resource: 'arn:mecha:invoke:::a:b', Parameters: { 'n.$': '$.n' }, Next: 'A' },
        A: { Type: 'Pass', Parameters: { 'n.$': 'States.MathAdd($.n, 1)' }, Assign: { 'last.$': '$.n' }, Next: 'C' },
        C: { Type: 'Choice', Choices: [{ Variable: '$.n', NumericLessThan: 1_000, Next: 'T' }], Default: 'E' },
        E: { Type: 'Succeed' },
      },
    });
    const { sizes, snapshot } = await drive(machine as Machine, { input: '{"n":0}', task: ({ arguments: output }) => ({ output }) });
    expect(snapshot.status).toBe('SUCCEEDED');
    expect(Math.max(...sizes.slice(900)) - Math.max(...sizes.slice(5, 20))).toBeLessThan(40);
  });
});

function checkHistory(history: readonly HistoryEvent[]): void {
  expect(history.map(({ id }) => id)).toEqual(history.map((_, at) => at + 1));
  for (const { id, previousEventId, type } of history) {
    expect(previousEventId).toBeLessThan(id);
    if (/StateExited$/.test(type)) expect(previousEventId).toBeGreaterThan(0);
  }
  expect(history.filter(({ type }) => /^Execution(?:Succeeded|Failed|Aborted|TimedOut)$/.test(type)).length).toBeLessThanOrEqual(1);
}

/** Whatever was asked for was answered, was cancelled, or is still waited for. */
function checkCommands({ commands, snapshot }: Driven): void {
  const given = commands.flatMap((command) => (command.type === 'scheduleTask' || command.type === 'startTimer' ? [command.id] : []));
  expect(new Set(given).size).toBe(given.length);
  const cancelled = commands.flatMap((command) => (command.type === 'cancel' ? command.ids : []));
  expect(new Set(cancelled).size).toBe(cancelled.length);
  for (const id of Object.keys(snapshot.waiting)) expect(given).toContain(id);
  for (const id of given) expect(id).toMatch(/^\d+$/);
}

function someTaskIsSilent({ snapshot, commands }: Driven): boolean {
  return commands.some((command) => command.type === 'scheduleTask' && Object.hasOwn(snapshot.waiting, command.id));
}
