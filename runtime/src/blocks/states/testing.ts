/** A states block over the memory ledger for tests, with the engine and the interpreter behind it and apps that are functions. */
import { Readable } from 'node:stream';
import { afterEach, beforeEach } from 'vitest';
import type { Ledger } from '@mecha/components/kit';
import { createKeptLog, realClock, until } from '@mecha/components/kit/testing.ts';
import type { Engine } from '../../engine/engine.ts';
import { createMemoryLedger } from '../../ledger/memory-ledger.ts';
import { createLog } from '../../telemetry/log.ts';
import { traceFrom } from '../../telemetry/trace.ts';
import type { TaskBlocks } from '../../workflow-asl/task-executor.ts';
import { createWorkflows, type Workflows } from '../../sidecar/workflows.ts';
import type { Fields } from './request-fields.ts';
import type { StatesBlock } from './states.ts';

export type Invoked = Parameters<TaskBlocks['invocation']['invoke']>[1];
type Answer = { readonly status: number; readonly text: string };
type Declared = Parameters<typeof createWorkflows>[0]['declared'];

export interface Described extends Fields {
  readonly status: string;
  readonly output?: string;
  readonly error?: string;
  readonly cause?: string;
}

export interface StatesBench {
  /** What apps answer; by default the body that they were sent. Set anew for each test. */
  answer: (request: Invoked, signal: AbortSignal) => Promise<Answer> | Answer;
  readonly invoked: readonly Invoked[];
  /** What the state store holds. */
  readonly stored: Map<string, string>;
  readonly ledger: Ledger;
  block(): Promise<StatesBlock>;
  /** Of the process that runs now. */
  engine(): Promise<Engine>;
  call<T = Fields>(operation: string, fields?: Fields): Promise<T>;
  /** `Code: message` of what the operation fails with. */
  failing(operation: string, fields: Fields): Promise<string>;
  /** The ARN. */
  create(name: string, definition: object, more?: Fields): Promise<string>;
  started(stateMachineArn: string, input?: unknown, more?: Fields): Promise<string>;
  /** The description of an execution once it is not RUNNING. */
  ended(executionArn: string): Promise<Described>;
  types(executionArn: string): Promise<string[]>;
  /** The process goes, another one takes over on the same ledger. */
  restart(declared?: Declared): Promise<void>;
}

export const ROLE = 'arn:aws:iam::000000000000:role/r';

export function createStatesBench(): StatesBench {
  const log = createKeptLog();
  const invoked: Invoked[] = [];
  const stored = new Map<string, string>();
  let ledger: Ledger;
  let running: Workflows[] = [];
  let current: Workflows;
  const blocks: TaskBlocks = {
    invocation: {
      invoke: async (call, request) => {
        invoked.push(request);
        const { status, text } = await bench.answer(request, call.signal);
        return { status, headers: {}, body: Readable.from([Buffer.from(text)]) };
      },
    },
    state: {
      get: async (_call, { key }) => (stored.has(key) ? { data: Buffer.from(stored.get(key) ?? ''), etag: '1' } : undefined),
      save: async (_call, { items }) => items.forEach(({ key, value }) => stored.set(key, Buffer.from(value.data).toString('utf8'))),
      delete: async (_call, { item }) => void stored.delete(item.key),
    },
    pubsub: { publish: async () => undefined },
    bindings: { invoke: async () => undefined },
    workflow: { start: async ({ instanceId }) => instanceId, raiseEvent: async () => undefined, terminate: async () => undefined },
    jobs: { schedule: async () => undefined, delete: async () => undefined },
  };
  const begin = (declared: Declared): Workflows => {
    const workflows = createWorkflows({
      appId: 'app', namespace: 'default', ledger, clock: realClock, random: Math.random, blocks, declared, gracefulShutdownMs: 5000,
      log: createLog({ level: 'error', json: true, appId: 'app', version: '0', write: (line) => log.error({}, line) }),
    });
    void workflows.start?.();
    running.push(workflows);
    return workflows;
  };
  const echo: StatesBench['answer'] = ({ body }) => ({ status: 200, text: Buffer.from(body ?? []).toString('utf8') });

  const bench: StatesBench = {
    answer: echo,
    invoked,
    stored,
    get ledger() {
      return ledger;
    },
    block: () => current.states(),
    engine: () => current.engine(),
    async call<T = Fields>(operation: string, fields: Fields = {}) {
      return (await (await current.states()).perform(operation, fields, { operation: `states.${operation}`, protocol: 'http', trace: traceFrom(undefined), signal: AbortSignal.timeout(20_000) })) as T;
    },
    failing: (operation, fields) => bench.call(operation, fields).then(() => 'nothing', (error: unknown) => `${(error as { code?: string }).code}: ${(error as Error).message}`),
    create: async (name, definition, more = {}) => (await bench.call<{ stateMachineArn: string }>('CreateStateMachine', { name, definition: JSON.stringify(definition), roleArn: ROLE, ...more })).stateMachineArn,
    started: async (stateMachineArn, input = {}, more = {}) => (await bench.call<{ executionArn: string }>('StartExecution', { stateMachineArn, input: JSON.stringify(input), ...more })).executionArn,
    async ended(executionArn) {
      let found: Described = { status: 'none' };
      await until(async () => (found = await bench.call<Described>('DescribeExecution', { executionArn })).status !== 'RUNNING');
      return found;
    },
    types: async (executionArn) => (await bench.call<{ events: { type: string }[] }>('GetExecutionHistory', { executionArn, maxResults: 1000 })).events.map(({ type }) => type),
    async restart(declared = []) {
      await current.stop?.();
      current = begin(declared);
    },
  };

  beforeEach(() => {
    ledger = createMemoryLedger({ clock: realClock });
    running = [];
    invoked.length = 0;
    stored.clear();
    bench.answer = echo;
    current = begin([]);
  });
  afterEach(async () => {
    for (const one of running) await one.stop?.();
    await ledger.close();
  });
  return bench;
}
