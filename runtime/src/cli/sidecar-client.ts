/** How the client commands find a running sidecar and speak to it. */
import { OptionValues, UsageError, dataDirOf, type OptionSpec } from '../config/options.ts';
import { messageOf } from '../errors.ts';
import { findLiveSidecars } from '../ledger/live-sidecars.ts';
import type { CommandContext } from './command.ts';
import { askLoopback } from './loopback.ts';

export const CLIENT_OPTIONS: readonly OptionSpec[] = [
  { flag: 'app-id', short: 'a', type: 'text', value: 'ID', env: 'APP_ID', group: 'app', words: 'The app whose sidecar is meant; may be left out when one sidecar runs' },
  { flag: 'dapr-http-port', short: 'H', type: 'integer', value: 'PORT', env: 'DAPR_HTTP_PORT', group: 'servers', words: 'Speak to the sidecar on this port instead of looking it up' },
  { flag: 'data-dir', type: 'text', value: 'DIR', env: 'MECHA_DATA_DIR', group: 'resources', words: 'Data folder in which running sidecars are looked up (default ~/.mecha)' },
];

export interface SidecarClient {
  /** `path` with its leading `/v1.0`. Rejects with words when the sidecar cannot be reached. */
  request(method: string, path: string, options?: { body?: string; headers?: Readonly<Record<string, string>> }): Promise<Response>;
}

export async function findSidecar(flags: ReadonlyMap<string, string>, context: CommandContext): Promise<SidecarClient> {
  const port = Number(flags.get('dapr-http-port') ?? 0) || (await lookUp(flags, context));
  const token = context.env['DAPR_API_TOKEN'];
  return {
    async request(method, path, options = {}) {
      try {
        return await askLoopback(port, { method, path, ...options, headers: { ...options.headers, ...(token ? { 'dapr-api-token': token } : {}) } });
      } catch (error) {
        throw new Error(`no sidecar answers on port ${port}: ${messageOf(error)}`, { cause: error });
      }
    },
  };
}

async function lookUp(flags: ReadonlyMap<string, string>, context: CommandContext): Promise<number> {
  const appId = flags.get('app-id') ?? context.env['APP_ID'];
  const fromEnv = Number(context.env['DAPR_HTTP_PORT'] ?? 0);
  if (appId === undefined && fromEnv > 0) return fromEnv;
  const dataDir = dataDirOf(new OptionValues(new Map([...flags].filter(([flag]) => flag === 'data-dir')), context.env), context.env);
  const live = findLiveSidecars(dataDir);
  const [found] = appId === undefined ? live : live.filter((row) => row.appId === appId);
  if (appId === undefined && new Set(live.map((row) => row.appId)).size > 1) {
    throw new UsageError(`several sidecars run; choose one with --app-id: ${[...new Set(live.map((row) => row.appId))].sort().join(', ')}`);
  }
  if (!found) throw new Error(`no ${appId === undefined ? 'sidecar' : `sidecar of app ${appId}`} runs with data folder ${dataDir}`);
  return found.httpPort;
}

/** Shows a failed answer and gives the exit code. */
export async function failure(answer: Response, context: CommandContext): Promise<number> {
  const text = await answer.text();
  let message = text.trim();
  try {
    const { errorCode, message: said } = JSON.parse(text) as { errorCode?: string; message?: string };
    if (errorCode) message = `${errorCode}: ${said ?? ''}`;
  } catch {
    // Not the sidecar's error shape: shown as it is.
  }
  context.err(`${answer.status} ${message}\n`);
  return 1;
}
