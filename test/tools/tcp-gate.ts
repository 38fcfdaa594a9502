/** Stands before a server and lets through, or not: what a broken or a silent network looks like to its client. */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export interface TcpGate {
  /** `host:port` of the gate; the same for as long as it lives. */
  readonly address: string;
  readonly host: string;
  readonly port: number;
  /** Sockets of clients and towards the server that are open. */
  readonly sockets: number;
  /** Lets everything through. */
  open(): Promise<void>;
  /** Breaks all connections, and refuses new ones. */
  shut(): Promise<void>;
  /** Holds back all bytes, and leaves new connections without an answer. */
  freeze(): void;
  close(): Promise<void>;
}

/** `ownPort`: where it listens; by default anywhere. */
export async function tcpGate(address: string, ownPort = 0): Promise<TcpGate> {
  const [host = '127.0.0.1', port = ''] = address.split(':');
  const sockets = new Set<Socket>();
  let frozen = false;
  const server = createServer((client) => {
    const behind = connect(Number(port), host);
    for (const [one, other] of [[client, behind], [behind, client]] as const) {
      sockets.add(one);
      one.setNoDelay(true);
      one.on('data', (chunk: Buffer) => void other.write(chunk));
      one.on('error', () => other.destroy()).on('close', () => {
        sockets.delete(one);
        other.destroy();
      });
      if (frozen) one.pause();
    }
  });
  server.listen(ownPort, '127.0.0.1');
  await once(server, 'listening');
  const own = (server.address() as AddressInfo).port;
  const shut = async (): Promise<void> => {
    if (!server.listening) return;
    server.close();
    for (const socket of sockets) socket.destroy();
    await once(server, 'close');
  };
  return {
    address: `127.0.0.1:${own}`,
    host: '127.0.0.1',
    port: own,
    get sockets() {
      return sockets.size;
    },
    async open() {
      frozen = false;
      for (const socket of sockets) socket.resume();
      if (server.listening) return;
      server.listen(own, '127.0.0.1');
      await once(server, 'listening');
    },
    shut,
    freeze() {
      frozen = true;
      for (const socket of sockets) socket.pause();
    },
    close: shut,
  };
}
