/** TLS in front of a server that speaks none: what comes is passed on as it is. Its clients see a server with that certificate. */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { createServer } from 'node:tls';
import type { Certificates } from './certificates.ts';

export interface TlsFront {
  readonly port: number;
  close(): Promise<void>;
}

/** `address`: `host:port` of the server behind. `wantsClients`: only clients with a certificate of the same authority come in. */
export async function tlsFront(address: string, certificates: Certificates, wantsClients = false): Promise<TlsFront> {
  const [host = '', behindPort = ''] = address.split(':');
  const [key, cert, ca] = await Promise.all([certificates.key, certificates.certificate, certificates.authority].map((file) => readFile(file)));
  const sockets = new Set<Socket>();
  const server = createServer({ key, cert, ca, requestCert: wantsClients, rejectUnauthorized: wantsClients }, (client) => {
    const behind = connect(Number(behindPort), host);
    for (const [one, other] of [[client, behind], [behind, client]] as const) {
      sockets.add(one);
      one.on('error', () => other.destroy()).on('close', () => {
        sockets.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  });
  // Clients that do not trust it go away in the middle.
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, 'close');
    },
  };
}
