/** The metrics port: Prometheus text on any path, one for the whole process (behaviour.md 11.1). */
import { createServer, type Server } from 'node:http';
import type { Part } from '../lifecycle.ts';
import { METRICS_CONTENT_TYPE, type MetricsRegistry } from '../telemetry/metrics.ts';
import { listenError } from './listen-error.ts';

export class MetricsServer implements Part {
  readonly name = 'metrics';
  readonly #options: { readonly registry: MetricsRegistry; readonly host: string; readonly port: number };
  #server: Server | undefined;

  constructor(options: { registry: MetricsRegistry; host: string; port: number }) {
    this.#options = options;
  }

  /** The port in use, known after `start`. */
  get port(): number {
    const address = this.#server?.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  async start(): Promise<void> {
    const { registry, host, port } = this.#options;
    const server = createServer((request, response) => {
      if (request.method !== 'GET' && request.method !== 'HEAD') {
        response.writeHead(405).end();
        return;
      }
      registry.render().then(
        (text) => response.writeHead(200, { 'content-type': METRICS_CONTENT_TYPE }).end(text),
        () => response.writeHead(500).end(),
      );
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) => reject(listenError(error, { host, port, flag: '--metrics-port', server: 'metrics server' })));
      server.listen({ host, port }, resolve);
    });
    // Scrapes alone never keep the process alive.
    server.unref();
    this.#server = server;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    if (!server) return;
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }
}
