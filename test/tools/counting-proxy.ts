/** Stands between a worker and its sidecar and counts what comes through. What is counted is bytes, so that a slow machine changes nothing. */
import { once } from 'node:events';
import { createServer, connect, type AddressInfo, type Socket } from 'node:net';

export interface CountingProxy {
  readonly port: number;
  /** From the sidecar to the worker, so far. */
  readonly bytesToWorker: number;
  close(): Promise<void>;
}

export async function countingProxy(sidecarPort: number): Promise<CountingProxy> {
  let bytesToWorker = 0;
  const sockets = new Set<Socket>();
  const server = createServer((worker) => {
    const sidecar = connect(sidecarPort, '127.0.0.1');
    for (const [one, other] of [[worker, sidecar], [sidecar, worker]] as const) {
      sockets.add(one);
      one.setNoDelay(true);
      // One that breaks off takes the other with it; who sees it is the worker or the sidecar.
      one.on('error', () => other.destroy()).on('close', () => {
        sockets.delete(one);
        other.destroy();
      });
    }
    sidecar.on('data', (chunk: Buffer) => {
      bytesToWorker += chunk.length;
    });
    worker.pipe(sidecar);
    sidecar.pipe(worker);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    get bytesToWorker() {
      return bytesToWorker;
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
