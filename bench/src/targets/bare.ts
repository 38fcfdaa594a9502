/** Starts the bare server in a process of its own. */
import { fileURLToPath } from 'node:url';
import { freePort, startChild, until } from './child.ts';
import { answers204 } from './ready.ts';
import type { Target } from './target.ts';

const READY_WITHIN_MS = 30_000;

export async function startBare(options: { readonly payloadBytes: number; readonly inspect?: boolean; /** Of the service that bindings are passed on to. */ readonly servicePort?: number }): Promise<Target> {
  const [http, grpc] = [await freePort(), await freePort()];
  const child = startChild([fileURLToPath(new URL('./bare-server.ts', import.meta.url)), String(http), String(grpc), String(options.payloadBytes), ...(options.servicePort === undefined ? [] : [String(options.servicePort)])], { inspect: options.inspect ?? false });
  const address = { host: '127.0.0.1', port: http };
  await until('the bare server starts', child, READY_WITHIN_MS, () => answers204(address, '/v1.0/healthz/outbound'));
  return {
    variant: 'bare',
    http: address,
    grpc: { host: '127.0.0.1', port: grpc },
    pids: [child.pid],
    ...(options.inspect ? { inspectUrl: await child.inspectUrl } : {}),
    stop: () => child.stop(),
  };
}
