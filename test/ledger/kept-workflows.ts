/**
 * Workflows as this version of Mecha leaves them behind, for the versions to come: a sidecar with a worker of the JavaScript SDK and machines
 * in the States Language is killed while its instances wait for everything that an instance can wait for, and its ledger is written down as SQL
 * (`workflows-schema-N.sql`). `kept-workflows.test.ts` opens every such file and brings its instances to their ends.
 *
 * After a change of the schema, or of what lies in its rows:  node test/ledger/kept-workflows.ts
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { INLINE_MAX } from '@mecha/runtime/engine/payloads.ts';
import { MECHA, REPOSITORY, cleanEnv, freePorts, start, temporaryFolder, until, untilStatus, type Running } from '../tools/processes.ts';

const HOST = '127.0.0.1';
export const FLOWS = 'flows';
const WORKER = join(REPOSITORY, 'test/sdk-js/workflow-worker.ts');
/** More than lies in the rows themselves: kept apart since schema 5. */
const MUCH = 'x'.repeat(INLINE_MAX + 1);
const ROLE = 'arn:aws:iam::000000000000:role/kept';
/** Longer than it takes to get everything to where it waits, and over long before anybody loads the file. */
const NAP_SECONDS = 30;

/** A sidecar of the app on that ledger, its worker, and the two ways to speak to them. */
export class FlowsProcess {
  readonly #grpcPort: number;
  readonly #httpPort: number;
  readonly #dataDir: string;
  readonly sidecar: Running;
  #worker: Running | undefined;

  private constructor(main: string, dataDir: string, [httpPort = 0, grpcPort = 0]: readonly number[]) {
    this.#httpPort = httpPort;
    this.#grpcPort = grpcPort;
    this.#dataDir = dataDir;
    this.sidecar = start(process.execPath, [main, 'sidecar', '--app-id', FLOWS, '--dapr-http-port', String(httpPort), '--dapr-grpc-port', String(grpcPort), '--metrics-port', '0', '--data-dir', dataDir], { env: cleanEnv() });
  }
  static async start(dataDir: string, main = MECHA): Promise<FlowsProcess> {
    const flows = new FlowsProcess(main, dataDir, await freePorts(2));
    await untilStatus(`http://${HOST}:${flows.#httpPort}/v1.0/healthz/outbound`, 204, flows.sidecar);
    return flows;
  }
  get runs(): string {
    return join(this.#dataDir, 'runs');
  }
  startWorker(): void {
    this.#worker = start(process.execPath, [WORKER, HOST, String(this.#grpcPort)], { env: cleanEnv({ RUNS: this.runs }) });
  }
  /** Path behind the workflow API. */
  async workflow(method: 'GET' | 'POST', path: string, body?: unknown): Promise<Record<string, unknown>> {
    const response = await fetch(`http://${HOST}:${this.#httpPort}/v1.0/workflows/dapr/${path}`, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return JSON.parse(text === '' ? '{}' : text) as Record<string, unknown>;
  }
  async status(id: string): Promise<unknown> {
    return (await this.workflow('GET', id))['runtimeStatus'];
  }
  async states<T = Record<string, unknown>>(operation: string, body: unknown): Promise<T> {
    const headers = { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': `AWSStepFunctions.${operation}` };
    const response = await fetch(`http://${HOST}:${this.#httpPort}/v1.0-mecha/states`, { method: 'POST', headers, body: JSON.stringify(body) });
    const text = await response.text();
    if (!response.ok) throw new Error(`${operation}: ${response.status} ${text}`);
    return JSON.parse(text) as T;
  }
  async kill(): Promise<void> {
    await this.sidecar.kill('SIGKILL');
    await this.#worker?.kill('SIGKILL');
  }
}

/** Waits for a worker that asks for `pack`, in one branch, and for time, in the other. */
const parcel = (activityArn: string) => ({
  StartAt: 'Both',
  States: {
    Both: {
      Type: 'Parallel',
      Branches: [
        { StartAt: 'Pack', States: { Pack: { Type: 'Task', Resource: activityArn, End: true } } },
        { StartAt: 'Dry', States: { Dry: { Type: 'Wait', Seconds: NAP_SECONDS, Next: 'Dried' }, Dried: { Type: 'Pass', Result: 'dry', End: true } } },
      ],
      Next: 'Sent',
    },
    Sent: { Type: 'Pass', Parameters: { 'parcel.$': '$' }, End: true },
  },
});

/** Gets every instance to where it waits. */
async function leaveBehind(flows: FlowsProcess): Promise<void> {
  const begin = (name: string, id: string, input: unknown = null) => flows.workflow('POST', `${name}/start?instanceID=${id}`, input);
  const { activityArn } = await flows.states<{ activityArn: string }>('CreateActivity', { name: 'pack' });
  const { stateMachineArn } = await flows.states<{ stateMachineArn: string }>('CreateStateMachine', { name: 'parcel', roleArn: ROLE, definition: JSON.stringify(parcel(activityArn)) });
  await begin('chain', 'done', 1);
  await begin('approval', 'waits-for-event');
  await begin('collect', 'has-had-events', 3);
  await begin('collect', 'has-had-much', 2);
  await begin('approval', 'suspended');
  await begin('household', 'waits-for-child');
  await begin('race', 'waits-for-event-or-time');
  for (const id of ['waits-for-event', 'has-had-events', 'has-had-much', 'suspended', 'waits-for-child', 'waits-for-child:0001', 'waits-for-event-or-time']) {
    await until(`${id} waits`, async () => (await flows.status(id).catch(() => '')) === 'RUNNING');
  }
  await until('done has ended', async () => (await flows.status('done')) === 'COMPLETED');
  await flows.workflow('POST', 'has-had-events/raiseEvent/item', 1);
  await flows.workflow('POST', 'has-had-events/raiseEvent/item', 2);
  await flows.workflow('POST', 'has-had-much/raiseEvent/item', MUCH);
  await flows.workflow('POST', 'suspended/pause');
  await flows.workflow('POST', 'suspended/raiseEvent/approve', 'early');
  await begin('nap', 'waits-for-time', NAP_SECONDS);
  await flows.states('StartExecution', { stateMachineArn, name: 'waits-for-both', input: '{"item":"bolt"}' });
  await begin('slowChain', 'waits-for-activity', 1);
  await until('the nap has begun', async () => (await flows.status('waits-for-time')) === 'RUNNING');
  await until('the slow chain runs', async () => (await flows.status('waits-for-activity')) === 'RUNNING');
}

/** The file's tables and rows as SQL, without who runs on which host. */
function dumpOf(path: string): { readonly schema: number; readonly sql: string } {
  const db = new DatabaseSync(path);
  try {
    db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    const schema = Number((db.prepare("SELECT value FROM ledger_meta WHERE name = 'schema'").get() as { value: string }).value);
    const objects = db.prepare("SELECT name, type, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY type DESC, rowid").all() as { name: string; type: string; sql: string }[];
    const lines = [`-- Running workflows in a ledger of schema ${schema}, by test/ledger/kept-workflows.ts of that time. Never changed: files like it are out there.`];
    for (const { name, type, sql } of objects) {
      lines.push(`${sql.replaceAll(/\s+/g, ' ')};`);
      if (type !== 'table' || name === 'sidecars') continue;
      for (const row of db.prepare(`SELECT * FROM "${name}"`).iterate()) lines.push(`INSERT INTO "${name}" VALUES (${Object.values(row).map(literalOf).join(', ')});`);
    }
    // Ids are never given twice, also not those of rows that are gone.
    lines.push('DELETE FROM sqlite_sequence;');
    for (const { name, seq } of db.prepare('SELECT name, seq FROM sqlite_sequence').all() as { name: string; seq: number }[]) lines.push(`INSERT INTO sqlite_sequence VALUES (${literalOf(name)}, ${seq});`);
    return { schema, sql: `${lines.join('\n')}\n` };
  } finally {
    db.close();
  }
}
function literalOf(value: unknown): string {
  if (value === null) return 'NULL';
  if (value instanceof Uint8Array) return `x'${Buffer.from(value).toString('hex')}'`;
  return typeof value === 'string' ? `'${value.replaceAll("'", "''")}'` : String(value);
}

/** Another main.ts may be given, of an older version. */
async function keep(main = MECHA): Promise<void> {
  const folder = await temporaryFolder();
  try {
    const flows = await FlowsProcess.start(folder.path, main);
    try {
      flows.startWorker();
      await leaveBehind(flows);
    } finally {
      await flows.kill();
    }
    const { schema, sql } = dumpOf(join(folder.path, 'ledger.db'));
    const file = join(import.meta.dirname, `workflows-schema-${schema}.sql`);
    await writeFile(file, sql);
    console.log(`${file}: ${sql.length} bytes`);
  } finally {
    await folder.remove();
  }
}
if (process.argv[1] === fileURLToPath(import.meta.url)) await keep(process.argv[2]);
