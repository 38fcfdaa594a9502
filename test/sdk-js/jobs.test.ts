/**
 * Jobs with the official JavaScript SDK, as it comes from the registry. It has no client for them, so they are scheduled over HTTP; its
 * servers are called back: over HTTP as a method that the app listens to, over gRPC by the older of the two names.
 */
import dapr, { type DaprServer as App } from '@dapr/dapr';
import { afterEach, expect, test } from 'vitest';
import { freePorts, startMecha, temporaryFolder, until, untilStatus } from '../tools/processes.ts';

const { CommunicationProtocolEnum, DaprServer, HttpMethod } = dapr;
const HOST = '127.0.0.1';
const silence = (): void => {};
const quiet = { service: { error: silence, warn: silence, info: silence, verbose: silence, debug: silence } };

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const undo of cleanups.splice(0).reverse()) await undo();
});

async function startApp(protocol: 'http' | 'grpc'): Promise<{ app: App; base: string; start(): Promise<void> }> {
  const folder = await temporaryFolder();
  cleanups.push(folder.remove);
  const [http = 0, grpc = 0, appPort = 0] = await freePorts(3);
  const sidecar = startMecha(['sidecar', '--app-id', 'jobs', '--app-port', String(appPort), '--app-protocol', protocol, '--dapr-http-port', String(http), '--dapr-grpc-port', String(grpc), '--metrics-port', '0', '--data-dir', folder.path]);
  cleanups.push(() => sidecar.kill('SIGTERM'));
  await untilStatus(`http://${HOST}:${http}/v1.0/healthz/outbound`, 204, sidecar);
  const communicationProtocol = protocol === 'http' ? CommunicationProtocolEnum.HTTP : CommunicationProtocolEnum.GRPC;
  const app = new DaprServer({ serverHost: HOST, serverPort: String(appPort), communicationProtocol, logger: quiet, clientOptions: { daprHost: HOST, daprPort: String(protocol === 'http' ? http : grpc), communicationProtocol, logger: quiet } });
  const start = async (): Promise<void> => {
    await app.start();
    cleanups.push(() => app.stop());
  };
  return { app, base: `http://${HOST}:${http}/v1.0/jobs`, start };
}
const schedule = async (url: string, job: object): Promise<number> => (await fetch(url, { method: 'POST', body: JSON.stringify(job) })).status;
const gone = (url: string) => until(`${url} is over`, async () => (await fetch(url)).status === 500);

test('an HTTP server of the SDK is given each tick with its data', async () => {
  const { app, base, start } = await startApp('http');
  const ticks: unknown[] = [];
  await app.invoker.listen('job/report', async ({ body }) => void ticks.push(JSON.parse(body ?? '')), { method: HttpMethod.POST });
  await start();
  expect(await schedule(`${base}/report`, { schedule: '@every 200ms', repeats: 3, data: { month: 'März', n: 1.5 } })).toBe(204);
  await gone(`${base}/report`);
  expect(ticks).toEqual(Array.from({ length: 3 }, () => ({ month: 'März', n: 1.5 })));
});

test('a gRPC server of the SDK, which knows the older name alone, takes the tick', async () => {
  const { base, start } = await startApp('grpc');
  await start();
  // Only one that was taken ends: a tick that fails would be tried for ever.
  expect(await schedule(`${base}/report`, { dueTime: '0s', data: 1, failurePolicy: { constant: { interval: '0.2s' } } })).toBe(204);
  await gone(`${base}/report`);
});
