/** An HTTP service behind two doors of TLS: one for everybody, one for clients that show a certificate of the service's authority. */
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { makeCertificates, type Certificates } from './certificates.ts';
import { tlsFront } from './tls-front.ts';

export interface TlsService {
  /** The server's is for `localhost` alone. */
  readonly certificates: Certificates;
  /** `host:port`, without TLS. */
  readonly address: string;
  readonly port: number;
  readonly portForClients: number;
  close(): Promise<void>;
}

export async function startTlsService(answer: RequestListener): Promise<TlsService> {
  const certificates = await makeCertificates(undefined, ['DNS:localhost']);
  const service = createServer(answer);
  await new Promise<void>((resolve) => void service.listen(0, '127.0.0.1', resolve));
  const address = `127.0.0.1:${(service.address() as AddressInfo).port}`;
  const [front, frontForClients] = [await tlsFront(address, certificates), await tlsFront(address, certificates, true)];
  return {
    certificates, address, port: front.port, portForClients: frontForClients.port,
    async close() {
      await Promise.all([front.close(), frontForClients.close()]);
      service.close();
      await certificates.remove();
    },
  };
}
