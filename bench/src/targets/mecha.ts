/**
 * Starts sidecars of the built package on a data folder of their own, with the components `statestore` and `pubsub` on
 * the backend that is asked for: the same names as a sidecar without resources has.
 */
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Problem } from '../problem.ts';
import { removeFolder, temporaryFolder } from '../process/leftovers.ts';
import { freePort, startChild, until, type Child } from './child.ts';
import { createDatabaseSchema } from './database-schema.ts';
import { answers204 } from './ready.ts';
import type { Protocol, Target } from './target.ts';

export const STORE = 'statestore';
export const PUBSUB = 'pubsub';
/** `sqlite` and `postgresql` are ledgers: state, topics and workflows lie in them. With the others the ledger is SQLite. */
export const BACKENDS = ['memory', 'sqlite', 'postgresql', 'redis', 'kafka'] as const;
export type Backend = (typeof BACKENDS)[number];

const READY_WITHIN_MS = 60_000;

export interface MechaOptions {
  readonly variant: string;
  /** Folder of the built package. */
  readonly build: string;
  readonly backend: Backend;
  /** Unique per start, so that what an earlier run left on a shared server is not seen. */
  readonly appId: string;
  readonly app?: { readonly port: number; readonly protocol: Protocol };
  /** Shared by sidecars that are to find each other; made and removed here unless given. */
  readonly dataDir?: string;
  readonly node?: string;
  readonly inspect?: boolean;
  /** `default`: what a sidecar has without resources. */
  readonly resources?: 'default';
  /** How long the embedded broker keeps messages; short unless given, so that a long run measures trimming too. */
  readonly retention?: string;
  /** Addresses of the servers that backends need, by variable. */
  readonly servers: Readonly<Record<string, string>>;
  /** Port of the HTTP service behind the binding `web`; absent: there is no such binding. */
  readonly servicePort?: number;
}

export interface Mecha extends Target {
  readonly child: Child;
}

export async function startMecha(options: MechaOptions): Promise<Mecha> {
  const started = await spawnMecha(options);
  await until(`${options.variant} (Mecha on ${options.backend}) starts`, started.child, READY_WITHIN_MS, () => answers204(started.http, '/v1.0/healthz/outbound')).catch(async (error: unknown) => {
    await started.stop();
    throw error;
  });
  return { ...started, ...(options.inspect ? { inspectUrl: await started.child.inspectUrl } : {}) };
}

/** Without waiting for it to be ready. */
export async function spawnMecha(options: MechaOptions): Promise<Mecha> {
  const bin = join(options.build, 'bin', 'mecha.mjs');
  if (!existsSync(bin)) throw new Problem(`no built package at ${options.build}: npm run build makes it`);
  const dataDir = options.dataDir ?? (await temporaryFolder());
  const [http, grpc] = [await freePort(), await freePort()];
  const args = [bin, 'sidecar', '--app-id', options.appId, '--data-dir', dataDir, '--dapr-http-port', String(http), '--dapr-grpc-port', String(grpc), '--metrics-port', '0', '--log-level', 'warn'];
  if (options.resources !== 'default') {
    const resources = join(dataDir, `resources-${options.appId}`);
    await mkdir(resources, { recursive: true });
    await writeFile(join(resources, 'components.yaml'), componentsYaml(options));
    args.push('--resources-path', resources);
  }
  if (options.app) args.push('--app-port', String(options.app.port), '--app-protocol', options.app.protocol);
  const ledger = options.backend === 'postgresql' ? await createDatabaseSchema(serverOf('postgresql', options.servers, 'MECHA_POSTGRESQL_HOST')) : undefined;
  const child = startChild(args, { ...(options.node === undefined ? {} : { node: options.node }), ...(ledger ? { env: { MECHA_LEDGER: ledger.url } } : {}), inspect: options.inspect ?? false });
  return {
    variant: options.variant,
    child,
    http: { host: '127.0.0.1', port: http },
    grpc: { host: '127.0.0.1', port: grpc },
    pids: [child.pid],
    async stop() {
      await child.stop();
      await ledger?.drop();
      if (options.dataDir === undefined) await removeFolder(dataDir);
    },
  };
}

export const DEFAULT_BUILD = fileURLToPath(new URL('../../../dist/mecha', import.meta.url));

function componentsYaml({ backend, appId, servers, retention = '5s', servicePort }: MechaOptions): string {
  const redis = { redisHost: backend === 'redis' ? serverOf(backend, servers, 'MECHA_REDIS_HOST') : '' };
  const kafka = { brokers: backend === 'kafka' ? serverOf(backend, servers, 'MECHA_KAFKA_BROKERS') : '', consumerGroup: appId, authType: 'none', initialOffset: 'oldest' };
  const state = {
    memory: componentYaml(STORE, 'state.in-memory', {}),
    sqlite: componentYaml(STORE, 'state.sqlite', {}),
    postgresql: componentYaml(STORE, 'state.sqlite', {}),
    redis: componentYaml(STORE, 'state.redis', redis),
    kafka: componentYaml(STORE, 'state.in-memory', {}),
  };
  const pubsub = {
    memory: componentYaml(PUBSUB, 'pubsub.in-memory', {}),
    sqlite: componentYaml(PUBSUB, 'pubsub.sqlite', { retention, retentionBytes: '64Gi' }),
    postgresql: componentYaml(PUBSUB, 'pubsub.sqlite', { retention, retentionBytes: '64Gi' }),
    redis: componentYaml(PUBSUB, 'pubsub.redis', { ...redis, consumerID: appId, maxLenApprox: '1000000' }),
    kafka: componentYaml(PUBSUB, 'pubsub.kafka', kafka),
  };
  const web = servicePort === undefined ? '' : `---\n${componentYaml('web', 'bindings.http', { url: `http://127.0.0.1:${servicePort}` })}`;
  return `${state[backend]}---\n${pubsub[backend]}${web}`;
}

function componentYaml(name: string, type: string, metadata: Readonly<Record<string, string>>): string {
  const items = Object.entries(metadata).map(([item, value]) => `    - { name: ${item}, value: ${JSON.stringify(value)} }\n`);
  return `apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata:\n  name: ${name}\nspec:\n  type: ${type}\n  version: v1\n${items.length > 0 ? `  metadata:\n${items.join('')}` : '  metadata: []\n'}`;
}

function serverOf(backend: Backend, servers: Readonly<Record<string, string>>, variable: string): string {
  const address = servers[variable];
  if (address === undefined) {
    throw new Problem(`the ${backend} backend needs its server, and none is known: npm run servers -- up ${backend}, or set ${variable}`);
  }
  return address;
}
