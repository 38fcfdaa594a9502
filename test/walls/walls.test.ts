/**
 * Who may import whom. Each wall is one rule with the sentence that explains it and an example that breaks it: the example
 * proves that the rule can fail. Tests may look over a wall, except where the rule says otherwise.
 */
import { describe, expect, test } from 'vitest';
import { allImports, importsOf, type Import } from './imports.ts';

interface Wall {
  readonly sentence: string;
  breaks(one: Import): boolean;
  /** A file and an import in it that must not be. */
  readonly example: readonly [file: string, source: string];
  /** Whether tests, conformance suites and their fixtures stand under it too. */
  readonly testsToo?: boolean;
}

const inside = (path: string, ...folders: readonly string[]): boolean => folders.some((folder) => path === folder || path.startsWith(`${folder}/`));
const isTest = (file: string): boolean => /\.test\.ts$/.test(file) || inside(file, 'test', 'components/kit/conformance') || /(^|\/)(testing|test-[\w-]+)\.ts$/.test(file);
/** `redis` for `components/redis/state.ts`, undefined for what is no backend's. */
const backendOf = (file: string): string | undefined => {
  const [first, second, third] = file.split('/');
  return first === 'components' && second !== 'kit' && third !== undefined ? second : undefined;
};
const blockOf = (file: string): string | undefined => /^runtime\/src\/blocks\/([^/]+)\/./.exec(file)?.[1];
const isFace = (file: string): boolean => /\.(http|grpc)\.ts$/.test(file);

const BACKEND_LIBRARIES = new Set([
  'ioredis', 'kafkajs', 'pg', 'mysql2', 'amqplib', 'mqtt', '@nats-io/transport-node', '@nats-io/jetstream', 'nodemailer',
  '@aws-sdk/client-s3', '@aws-sdk/client-sqs', '@aws-sdk/s3-request-presigner', 'ajv', 'ajv-formats',
]);
const PROTOCOL_LIBRARIES = new Set(['fastify', '@grpc/grpc-js', 'undici']);
const STATES_LANGUAGE_LIBRARIES = new Set(['jsonata', 're2js', 'yaml', 'node:crypto']);
const COMPOSITION = ['runtime/src/host.ts', 'runtime/src/main.ts', 'runtime/src/sidecar'] as const;

const walls: readonly Wall[] = [
  {
    sentence: 'components/kit imports nothing of ours: whoever writes a backend needs the kit and nothing else',
    breaks: ({ from, to, ours }) => inside(from, 'components/kit') && ours && !inside(to, 'components/kit'),
    example: ['components/kit/component.ts', "import { MechaError } from '../../runtime/src/errors.ts';"],
  },
  {
    sentence: 'the kit does not need a library at run time, so that a backend of others brings in none by way of it',
    breaks: ({ from, to, ours }) => inside(from, 'components/kit') && !ours && !to.startsWith('node:'),
    example: ['components/kit/metadata.ts', "import { parse } from 'yaml';"],
  },
  {
    sentence: 'a backend imports the kit and its own folder: backends are read, tested and removed one by one',
    breaks: ({ from, to, ours }) => {
      const backend = backendOf(from);
      return backend !== undefined && ours && !inside(to, 'components/kit', `components/${backend}`);
    },
    example: ['components/redis/state.ts', "import { relay } from '../kafka/pubsub.ts';"],
  },
  {
    sentence: 'a client library of a backend is imported by that backend alone and lazily, so that an idle sidecar stays small',
    breaks: ({ from, to, typeOnly, lazy }) => BACKEND_LIBRARIES.has(to) && !inside(from, 'test', 'bench') && !(backendOf(from) !== undefined && (typeOnly || lazy)),
    example: ['components/redis/connection.ts', "import { Redis } from 'ioredis';"],
  },
  {
    sentence: 'the runtime knows the kit and the catalog, which loads backends by id; only the ledger is built from two (SQLite, PostgreSQL) directly',
    breaks: ({ from, to }) =>
      inside(from, 'runtime') &&
      inside(to, 'components') &&
      !inside(to, 'components/kit') &&
      to !== 'components/catalog.gen.ts' &&
      !(inside(from, 'runtime/src/ledger') && inside(to, 'components/sqlite', 'components/postgresql')),
    example: ['runtime/src/sidecar/component-host.ts', "import redis from '@mecha/components/redis/state.ts';"],
  },
  {
    sentence: "a block never imports another block's files: what two blocks share is a part of its own, handed to both",
    breaks: ({ from, to }) => {
      const [block, other] = [blockOf(from), blockOf(to)];
      return block !== undefined && other !== undefined && block !== other;
    },
    example: ['runtime/src/blocks/state/state.ts', "import { publish } from '../pubsub/pubsub.ts';"],
  },
  {
    sentence: 'a block knows no protocol library: faces speak through the contract in servers/*-face.ts',
    breaks: ({ from, to, typeOnly }) => blockOf(from) !== undefined && PROTOCOL_LIBRARIES.has(to) && !(typeOnly && isFace(from)),
    example: ['runtime/src/blocks/state/state.http.ts', "import { fastify } from 'fastify';"],
  },
  {
    sentence: "a block's service knows no server: only its faces do, and they know the face contract alone",
    breaks: ({ from, to }) => blockOf(from) !== undefined && inside(to, 'runtime/src/servers') && !(isFace(from) && /-face\.ts$/.test(to)),
    example: ['runtime/src/blocks/state/state.ts', "import type { HttpRoute } from '../../servers/http-face.ts';"],
  },
  {
    sentence: "a service never imports its face: the logic must run without a protocol",
    breaks: ({ from, to }) => blockOf(from) !== undefined && !isFace(from) && isFace(to),
    example: ['runtime/src/blocks/state/state.ts', "import { stateHttp } from './state.http.ts';"],
  },
  {
    sentence: 'servers know no block by name: routes are handed to them',
    breaks: ({ from, to }) => inside(from, 'runtime/src/servers') && inside(to, 'runtime/src/blocks'),
    example: ['runtime/src/servers/http.ts', "import { stateHttp } from '../blocks/state/state.http.ts';"],
  },
  {
    sentence: 'protocol libraries stay in servers, channels, peers and the command line, where their types end',
    breaks: ({ from, to }) =>
      inside(from, 'runtime/src') && PROTOCOL_LIBRARIES.has(to) && blockOf(from) === undefined && !inside(from, 'runtime/src/servers', 'runtime/src/channel', 'runtime/src/peers', 'runtime/src/cli'),
    example: ['runtime/src/pipeline.ts', "import { Agent } from 'undici';"],
  },
  {
    sentence: 'only the composition knows all parts: below the command line nobody imports host, sidecar or main',
    breaks: ({ from, to }) => inside(to, ...COMPOSITION) && !inside(from, ...COMPOSITION, 'runtime/src/cli'),
    example: ['runtime/src/blocks/shutdown/shutdown.ts', "import { createHost } from '../../host.ts';"],
  },
  {
    sentence: 'the ground floor (pipeline, errors, lifecycle) knows nobody who stands on it',
    breaks: ({ from, to }) =>
      /^runtime\/src\/(pipeline|errors|lifecycle|clock|version)\.ts$/.test(from) && inside(to, 'runtime/src/blocks', 'runtime/src/servers', 'runtime/src/channel', 'runtime/src/peers', 'runtime/src/ledger', 'runtime/src/cli'),
    example: ['runtime/src/pipeline.ts', "import { HttpServer } from './servers/http.ts';"],
  },
  {
    sentence: 'the States Language is pure: it knows the kit and the types of the engine, and no protocol, block, ledger or server',
    breaks: ({ from, to, ours, typeOnly }) =>
      inside(from, 'runtime/src/asl') &&
      !inside(to, 'runtime/src/asl', 'components/kit') &&
      !(inside(to, 'runtime/src/engine') && typeOnly) &&
      (ours || !STATES_LANGUAGE_LIBRARIES.has(to)),
    example: ['runtime/src/asl/states/task.ts', "import { invoke } from '../../blocks/invocation/invocation.ts';"],
  },
  {
    sentence: 'the States Language has no clock and no chance of its own: both come in by its ports, so that a turn can be replayed',
    breaks: ({ from, to }) => inside(from, 'runtime/src/asl') && to.startsWith('node:') && to !== 'node:crypto',
    example: ['runtime/src/asl/states/wait.ts', "import { setTimeout } from 'node:timers/promises';"],
  },
  {
    sentence: 'what joins the States Language and the engine knows these two, the ledger and what blocks do for tasks by their shape: no block, server or channel',
    breaks: ({ from, to }) =>
      inside(from, 'runtime/src/workflow-asl') && inside(to, 'runtime/src/blocks', 'runtime/src/servers', 'runtime/src/channel', 'runtime/src/peers', 'runtime/src/cli', 'runtime/src/ledger'),
    example: ['runtime/src/workflow-asl/task-executor.ts', "import type { StateBlock } from '../blocks/state/state.ts';"],
  },
  {
    sentence: 'the engine and the States Language are loaded when they are used: an idle sidecar has neither',
    breaks: ({ from, to, typeOnly, lazy }) =>
      inside(to, 'runtime/src/engine', 'runtime/src/asl', 'runtime/src/workflow-asl') && !typeOnly && !lazy &&
      !inside(from, 'runtime/src/engine', 'runtime/src/asl', 'runtime/src/workflow-asl', 'runtime/src/blocks/states', 'scripts', 'bench') &&
      // Loaded with the door for workers, which is lazy itself.
      !/^runtime\/src\/blocks\/workflow\/(?:actions\.grpc|work-items\.grpc|worker-pool)\.ts$/.test(from) &&
      // Lazy itself.
      from !== 'runtime/src/sidecar/durable-execution.ts',
    example: ['runtime/src/sidecar/sidecar.ts', "import { Engine } from '../engine/engine.ts';"],
  },
  {
    sentence: 'jobs are loaded when there are any: an idle sidecar has neither what answers for them nor what delivers them',
    breaks: ({ from, to, typeOnly, lazy }) => /^runtime\/src\/blocks\/jobs\/(?:jobs|job-runner|job-definition)\.ts$/.test(to) && !typeOnly && !lazy && (blockOf(from) !== 'jobs' || isFace(from)) && !inside(from, 'scripts'),
    example: ['runtime/src/sidecar/sidecar.ts', "import { JobRunner } from '../blocks/jobs/job-runner.ts';"],
  },
  {
    sentence: 'the engine knows no HTTP, no gRPC, no block: doors stand before it, executors behind it',
    breaks: ({ from, to }) =>
      inside(from, 'runtime/src/engine') && (PROTOCOL_LIBRARIES.has(to) || /^node:(?:http|https|http2|net|tls)$/.test(to) || inside(to, 'specs', 'runtime/src/blocks', 'runtime/src/servers', 'runtime/src/channel', 'runtime/src/peers', 'runtime/src/cli')),
    example: ['runtime/src/engine/engine.ts', "import { encode } from '../blocks/workflow/workflow.grpc.ts';"],
    testsToo: true,
  },
  {
    sentence: 'the runtime and the components import neither tests nor samples nor scripts',
    breaks: ({ from, to }) => inside(from, 'runtime', 'components', 'sdk', 'specs') && inside(to, 'test', 'samples', 'scripts', 'bench') && from !== 'runtime/bin/mecha.mjs',
    example: ['runtime/src/main.ts', "import { ROOT } from '../../scripts/tools.ts';"],
  },
  {
    sentence: 'the SDK imports the specs and nothing else of ours: it is what an app author installs',
    breaks: ({ from, to, ours }) => inside(from, 'sdk') && ours && !inside(to, 'sdk', 'specs'),
    example: ['sdk/src/index.ts', "import { MechaError } from '@mecha/runtime/errors.ts';"],
  },
  {
    sentence: 'the specs import nothing else of ours',
    breaks: ({ from, to, ours }) => inside(from, 'specs') && ours && !inside(to, 'specs'),
    example: ['specs/codecs.ts', "import { createLog } from '@mecha/runtime/telemetry/log.ts';"],
  },
  {
    sentence: 'the report knows results files and nothing of what measured them: an old run can be shown anew',
    breaks: ({ from, to, ours }) => inside(from, 'bench/src/report') && (ours ? !inside(to, 'bench/src/report') : !to.startsWith('node:')),
    example: ['bench/src/report/table.ts', "import { runLoad } from '../load/load.ts';"],
  },
  {
    sentence: 'the bench measures processes from outside: of the runtime it takes the search for a free port, of the components the kit, of the specs what is on the wire',
    breaks: ({ from, to, ours }) => inside(from, 'bench') && ours && to !== 'runtime/src/cli/free-port.ts' && !inside(to, 'bench', 'components/kit', 'specs'),
    example: ['bench/src/targets/mecha.ts', "import { createHost } from '@mecha/runtime/host.ts';"],
  },
  {
    sentence: 'nobody imports the bench: what it measures does not know that it is measured',
    breaks: ({ from, to }) => inside(to, 'bench') && !inside(from, 'bench'),
    example: ['scripts/measure-start.ts', "import { createSampler } from '@mecha/bench/src/process/sampler.ts';"],
  },
  {
    sentence: "the samples' services use no SDK and no library: they show that business code is all they hold",
    breaks: ({ from, to }) => inside(from, 'samples/order-saga/order', 'samples/order-saga/inventory-js', 'samples/bindings-pipeline/dispatch') && !to.startsWith('node:'),
    example: ['samples/order-saga/order/order.mjs', "import { DaprClient } from '@dapr/dapr';"],
    testsToo: true,
  },
  {
    sentence: 'the launcher needs nothing that is not in Node: it runs before anything is installed',
    breaks: ({ from, to }) =>
      inside(from, 'scripts/launch.mjs', 'runtime/bin') && !to.startsWith('node:') && !(from === 'runtime/bin/mecha.mjs' && /launch\.mjs$/.test(to)),
    example: ['scripts/launch.mjs', "import { parse } from 'yaml';"],
    testsToo: true,
  },
];

const imports = allImports();

describe('walls', () => {
  test('the reader of imports sees static, type, re-exported, bare and lazy ones, and no comments', () => {
    const source = `
      import a, { b } from 'fastify';
      import type { C } from '@mecha/components/kit';
      import {
        d,
      } from './d.ts';
      export * from '../e.ts';
      import 'node:fs';
      // import { no } from 'commented';
      const lazy = await import('@grpc/grpc-js');`;
    expect(importsOf('runtime/src/x/y.ts', source).map(({ to, typeOnly, lazy, line }) => [to, typeOnly, lazy, line])).toEqual([
      ['fastify', false, false, 2],
      ['components/kit/index.ts', true, false, 3],
      ['runtime/src/x/d.ts', false, false, 4],
      ['runtime/src/e.ts', false, false, 7],
      ['node:fs', false, false, 8],
      ['@grpc/grpc-js', false, true, 10],
    ]);
  });

  test('there are imports to judge', () => {
    expect(imports.length).toBeGreaterThan(100);
  });

  test.each(walls)('$sentence', ({ sentence, breaks, example, testsToo }) => {
    expect(importsOf(...example).some(breaks), 'the example of this wall must break it').toBe(true);
    const broken = imports.filter((one) => (testsToo || !isTest(one.from)) && breaks(one));
    expect(broken.map(({ from, line, to }) => `${from}:${line} imports ${to}`), sentence).toEqual([]);
  });
});
