/** Bindings with the official JavaScript SDK, as it comes from the registry: called and received, over HTTP and over gRPC. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import dapr from '@dapr/dapr';
import { afterEach, describe, expect, test } from 'vitest';
import { cleanUp, component, folder, later, startSidecar } from '../e2e/sidecar.ts';
import { freePorts, until } from '../tools/processes.ts';

const { CommunicationProtocolEnum, DaprClient, DaprServer } = dapr;
const HOST = '127.0.0.1';
const silence = (): void => {};
const quiet = { service: { error: silence, warn: silence, info: silence, verbose: silence, debug: silence } };

afterEach(cleanUp);

describe.each(['http', 'grpc'] as const)('over %s', (protocol) => {
  const communicationProtocol = protocol === 'http' ? CommunicationProtocolEnum.HTTP : CommunicationProtocolEnum.GRPC;

  test('an app calls an output binding and is given the events of an input binding', async () => {
    const resources = await folder();
    await mkdir(resources, { recursive: true });
    await writeFile(join(resources, 'all.yaml'), component('files', 'bindings.localstorage', { rootPath: join(resources, 'files') }) + component('tick', 'bindings.cron', { schedule: '@every 1s' }));
    const [appPort = 0] = await freePorts(1);
    const sidecar = await startSidecar({ appPort, resources, args: ['--app-protocol', protocol] });
    const daprPort = String(protocol === 'http' ? sidecar.httpPort : sidecar.grpcPort);
    const options = { daprHost: HOST, daprPort, communicationProtocol, logger: quiet };

    const app = new DaprServer({ serverHost: HOST, serverPort: String(appPort), communicationProtocol, logger: quiet, clientOptions: options });
    let ticks = 0;
    await app.binding.receive('tick', async () => void ticks++);
    await app.start();
    later(() => app.stop());
    const client = new DaprClient(options);
    later(() => client.stop());

    await client.binding.send('files', 'create', { order: 7 }, { fileName: 'orders/7' });
    expect(await client.binding.send('files', 'get', undefined, { fileName: 'orders/7' })).toEqual(protocol === 'http' ? { order: 7 } : expect.anything());
    await expect(client.binding.send('files', 'fly', {})).rejects.toThrow();
    await until('two ticks have come', () => ticks >= 2, { about: sidecar.process });
  });
});
