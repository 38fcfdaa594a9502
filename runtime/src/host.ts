/**
 * The composition root: the one file that knows every part, and the order in which they live.
 *
 * A host is a process: ledger, metrics port and peer socket, shared by one or more sidecars. A sidecar serves one app and
 * shares nothing else: ports, tokens, components, health and environment are its own.
 */
import { chmodSync, mkdirSync } from 'node:fs';
import type { Clock, Ledger } from '@mecha/components/kit';
import type { HostOptions } from './config/sidecar-options.ts';
import { systemClock } from './clock.ts';
import { openLedger } from './ledger/open-ledger.ts';
import { openSqliteLedger } from './ledger/sqlite-ledger.ts';
import { Lifecycle, type Part } from './lifecycle.ts';
import type { MetricsServer } from './servers/metrics-server.ts';
import type { SharedParts, Sidecar } from './sidecar/sidecar.ts';
import { createLog } from './telemetry/log.ts';
import { MetricsRegistry } from './telemetry/metrics.ts';
import { MECHA_VERSION } from './version.ts';

export interface Host {
  readonly sidecars: readonly Sidecar[];
  /** 0 until started, or when metrics are off. */
  readonly metricsPort: number;
  /** Resolves when every listener is up; rejects with words for the user when something is wrong for good. */
  start(): Promise<void>;
  /** Drains and stops; idempotent. */
  stop(): Promise<void>;
  /** Exit code, once the host has stopped: by `stop`, by the shutdown API of its last sidecar, or by a fatal error. */
  readonly done: Promise<number>;
}

export interface HostExtras {
  /** Where log lines go, with the app they are about; default standard output. */
  readonly writeLog?: (line: string, appId: string) => void;
  /** Ends the process without draining, for a forced shutdown. */
  readonly exit?: (code: number) => void;
}

export function createHost(options: HostOptions, extras: HostExtras = {}): Host {
  const [first] = options.sidecars;
  if (!first) throw new Error('a host needs at least one sidecar');
  const log = createLog({
    level: first.logLevel,
    json: first.logAsJson,
    appId: options.sidecars.length === 1 ? first.appId : '',
    version: MECHA_VERSION,
    ...(extras.writeLog ? { write: (line) => extras.writeLog?.(line, 'host') } : {}),
  });
  const registry = new MetricsRegistry({ processMetrics: options.metrics.enabled });
  const ledgers = new LedgerFiles((path) => openSqliteLedger({ path, clock: systemClock, log: log.scoped('mecha.ledger') }));
  let metrics: MetricsServer | undefined;
  const sidecars: Sidecar[] = [];
  const done = Promise.withResolvers<number>();
  let lifecycle: Lifecycle | undefined;
  /** What all sidecars share, being opened; a stop that comes meanwhile waits for it. */
  let opening: Promise<Omit<SharedParts, 'metrics' | 'writeLog'>> | undefined;
  let stopping: Promise<void> | undefined;

  function stop(code = 0): Promise<void> {
    stopping ??= (async () => {
      await opening?.catch((error: unknown) => log.debug({ err: error }, 'the start failed'));
      // Sidecars drain side by side; what they share goes after the last of them.
      await Promise.all(sidecars.map((sidecar) => sidecar.stop()));
      await (lifecycle ? lifecycle.stop(first?.gracefulShutdownMs ?? 0) : ledgers.closeAll());
      done.resolve(code);
    })();
    return stopping;
  }

  /** In the database that the process is told, if it is; files that components name are files of this host all the same. */
  async function openOwnLedger(): Promise<{ readonly ledger: Ledger; readonly clock: Clock }> {
    const path = ledgerPath(options.dataDir);
    if (options.ledger === undefined) return { ledger: await ledgers.open(path), clock: systemClock };
    const opened = await openLedger({ path, address: options.ledger, clock: systemClock, random: Math.random, log: log.scoped('mecha.ledger') });
    ledgers.add(`${path} of this host`, opened.ledger);
    return opened;
  }

  /** Comes to the writer thread without giving way: it takes longer to come up than anything else, and what serves is loaded meanwhile. */
  async function openShared(): Promise<Omit<SharedParts, 'metrics' | 'writeLog'>> {
    const { dataDir } = options;
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    chmodSync(dataDir, 0o700);
    const [{ ledger, clock }, { createPeerLink, MetricsServer }] = await Promise.all([openOwnLedger(), import('./sidecar/serving.ts')]);
    void ledger.broken?.then((error) => {
      log.error({ err: error }, 'the ledger has failed for good; ending, so that whoever supervises this process starts it anew');
      void stop(1);
    });
    metrics = new MetricsServer({ registry, host: options.metrics.listenAddress, port: options.metrics.port });
    const peers = createPeerLink({ ledger, dataDir, log: log.scoped('mecha.peers'), clock });
    const parts: Part[] = [{ name: 'ledger', stop: () => ledgers.closeAll() }, ...(options.metrics.enabled ? [metrics] : []), peers];
    lifecycle = new Lifecycle(parts, log);
    await lifecycle.start();
    return { ledger, openLedger: (path) => ledgers.open(path), peers, dataDir, clock, random: Math.random, exit: extras.exit ?? ((code) => process.exit(code)) };
  }

  return {
    sidecars,
    get metricsPort() {
      return metrics?.port ?? 0;
    },
    done: done.promise,
    stop: () => stop(),
    async start() {
      try {
        opening = openShared();
        const shared = await opening;
        const { createSidecar } = await import('./sidecar/serving.ts');
        if (stopping) return;
        for (const one of options.sidecars) {
          const writeLog = extras.writeLog ? { writeLog: (line: string) => extras.writeLog?.(line, one.appId) } : {};
          sidecars.push(createSidecar(one, { ...shared, metrics: registry.forApp(one.appId), ...writeLog }));
        }
        for (const sidecar of sidecars) {
          void sidecar.done.then((code) => {
            if (code !== 0 || sidecars.every((other) => other.state === 'stopped')) void stop(code);
          });
        }
        await Promise.all(sidecars.map((sidecar) => sidecar.start()));
      } catch (error) {
        await stop(1);
        throw error;
      }
    },
  };
}

function ledgerPath(dataDir: string): string {
  return `${dataDir}/ledger.db`;
}

/** One open ledger per file and process, however many components name it. */
class LedgerFiles {
  readonly #open = new Map<string, Promise<Ledger>>();
  readonly #openFile: (path: string) => Promise<Ledger>;

  constructor(openFile: (path: string) => Promise<Ledger>) {
    this.#openFile = openFile;
  }

  open(path: string): Promise<Ledger> {
    let ledger = this.#open.get(path);
    if (!ledger) {
      ledger = this.#openFile(path);
      this.#open.set(path, ledger);
      // A failed opening is tried anew by the next one who asks.
      ledger.catch(() => this.#open.delete(path));
    }
    return ledger;
  }

  /** Closed with the others. */
  add(name: string, ledger: Ledger): void {
    this.#open.set(name, Promise.resolve(ledger));
  }

  async closeAll(): Promise<void> {
    const ledgers = [...this.#open.values()];
    this.#open.clear();
    await Promise.all(ledgers.map(async (ledger) => (await ledger.catch(() => undefined))?.close()));
  }
}
