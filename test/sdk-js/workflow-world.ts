/** A sidecar, its client and any number of workers of the official JavaScript SDK, as the workflow tests of this folder share them. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import dapr, { type DaprWorkflowClient as Client } from '@dapr/dapr';
import { REPOSITORY, cleanEnv, freePorts, start, startMecha, temporaryFolder, until, untilStatus, type Running } from '../tools/processes.ts';

const { DaprWorkflowClient, WorkflowRuntimeStatus: Status } = dapr;
const HOST = '127.0.0.1';
const WORKER = join(REPOSITORY, 'test/sdk-js/workflow-worker.ts');
// The SDK's workflow client takes no logger.
console.info = (): void => undefined;

export interface Run {
  readonly name: string;
  readonly instance: string;
  readonly input: unknown;
  readonly pid: number;
}

export interface Setup {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Another sidecar of the same app on the same ledger. */
  readonly beside?: World;
}
type Folder = Awaited<ReturnType<typeof temporaryFolder>>;

/** A sidecar, its client and any number of workers. */
export class World {
  readonly client: Client;
  readonly httpPort: number;
  readonly #grpcPort: number;
  /** The ledger's, and of what the activities leave behind. */
  readonly folder: Folder;
  readonly #setup: Setup;
  sidecar: Running;
  readonly workers: Running[] = [];

  private constructor(ports: readonly number[], folder: Folder, setup: Setup) {
    const [httpPort = 0, grpcPort = 0] = ports;
    this.httpPort = httpPort;
    this.#grpcPort = grpcPort;
    this.folder = folder;
    this.#setup = setup;
    this.sidecar = this.#startSidecar();
    this.client = new DaprWorkflowClient({ daprHost: HOST, daprPort: String(grpcPort) });
  }
  static async begin(workers = 1, setup: Setup = {}): Promise<World> {
    const world = new World(await freePorts(2), setup.beside?.folder ?? (await temporaryFolder()), setup);
    await world.ready();
    for (let n = 0; n < workers; n++) await world.addWorker();
    return world;
  }
  #startSidecar(): Running {
    return startMecha(['sidecar', '--app-id', 'flows', '--dapr-http-port', String(this.httpPort), '--dapr-grpc-port', String(this.#grpcPort), '--metrics-port', '0', '--data-dir', this.folder.path, ...(this.#setup.args ?? [])], { ...this.#setup.env });
  }
  get grpcPort(): number {
    return this.#grpcPort;
  }
  async ready(): Promise<void> {
    await untilStatus(`http://${HOST}:${this.httpPort}/v1.0/healthz/outbound`, 204, this.sidecar);
  }
  async restart(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    await this.sidecar.kill(signal);
    this.sidecar = this.#startSidecar();
    await this.ready();
  }
  /** `grpcPort`: of what stands between it and the sidecar; `code`: how old its workflows are. */
  async addWorker({ grpcPort = this.#grpcPort, code = '' } = {}): Promise<Running> {
    const connections = () => this.sidecar.lines.filter((line) => line.includes('a workflow worker is connected')).length;
    const before = connections();
    const worker = start(process.execPath, [WORKER, HOST, String(grpcPort)], { env: cleanEnv({ RUNS: join(this.folder.path, 'runs'), CODE: code }) });
    this.workers.push(worker);
    await until('the worker is connected', () => connections() > before, { about: worker });
    return worker;
  }
  async runs(instance: string): Promise<readonly Run[]> {
    const lines = (await readFile(join(this.folder.path, 'runs'), 'utf8').catch(() => '')).split('\n').filter((line) => line !== '');
    return lines.map((line) => JSON.parse(line) as Run).filter((run) => run.instance === instance);
  }
  /** What was worth recording, and how often it was, in the ledger's own rows. */
  async recordedTimes(instance: string): Promise<Record<string, number>> {
    const db = new DatabaseSync(join(this.folder.path, 'ledger.db'), { readOnly: true });
    try {
      const rows = db.prepare('SELECT h.data FROM wf_history h JOIN wf_instances i ON i.id = h.instance WHERE i.instance_id = ?').all(instance) as { data: string }[];
      const times: Record<string, number> = {};
      for (const { kind } of rows.flatMap(({ data }) => JSON.parse(data) as { kind: string }[])) if (/^(task|execution)(Scheduled|Completed)$/.test(kind)) times[kind] = (times[kind] ?? 0) + 1;
      return times;
    } finally {
      db.close();
    }
  }
  async start(name: string, input?: unknown, id?: string): Promise<string> {
    return this.client.scheduleNewWorkflow(name, input, id);
  }
  async end(id: string, seconds = 30): Promise<{ status: string; output: unknown; failure: string | undefined; customStatus: string | undefined }> {
    const state = await this.client.waitForWorkflowCompletion(id, true, seconds);
    if (!state) throw new Error(`there is no workflow ${id}`);
    return {
      status: Status[state.runtimeStatus] ?? String(state.runtimeStatus),
      output: state.serializedOutput === undefined ? undefined : JSON.parse(state.serializedOutput),
      failure: state.workflowFailureDetails?.getErrorMessage(),
      customStatus: state.customStatus,
    };
  }
  async status(id: string): Promise<string | undefined> {
    const state = await this.client.getWorkflowState(id, false);
    return state && (Status[state.runtimeStatus] ?? String(state.runtimeStatus));
  }
  http(method: string, path: string, body?: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
    return fetch(`http://${HOST}:${this.httpPort}/${path}`, { method, headers, ...(body === undefined ? {} : { body }) });
  }
  async close(): Promise<void> {
    await this.client.stop();
    for (const worker of this.workers) await worker.kill('SIGKILL');
    await this.sidecar.kill('SIGKILL');
    if (!this.#setup.beside) await this.folder.remove();
  }
}

export const inputsOf = (runs: readonly Run[]): unknown[] => runs.map(({ input }) => input);
export const distinct = (values: readonly unknown[]): number => new Set(values).size;
