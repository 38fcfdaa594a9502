/** Bindings with the official JavaScript SDK, as it comes from the registry: called and received, over HTTP and over gRPC. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import dapr from '@dapr/dapr';
import { afterEach, describe, expect, test } from 'vitest';
import { cleanUp, component, folder, folderWith, later, startSidecar } from '../e2e/sidecar.ts';
import { serverAddress } from '../servers/servers.ts';
import { freePorts, until } from '../tools/processes.ts';

const { CommunicationProtocolEnum, DaprClient, DaprServer } = dapr;
const HOST = '127.0.0.1';
const silence = (): void => {};
const quiet = { service: { error: silence, warn: silence, info: silence, verbose: silence, debug: silence } };

afterEach(cleanUp);

describe.each(['http', 'grpc'] as const)('over %s', (protocol) => {
  const communicationProtocol = protocol === 'http' ? CommunicationProtocolEnum.HTTP : CommunicationProtocolEnum.GRPC;

  test('an app calls an output binding and is given the events of an input binding', async () => {
    const resources = await folderWith({
      'files.yaml': component('files', 'bindings.localstorage', { rootPath: join(await folder(), 'files') }),
      'tick.yaml': component('tick', 'bindings.cron', { schedule: '@every 1s' }),
      'orders.yaml': component('orders', 'bindings.rabbitmq', { host: `amqp://guest:guest@${serverAddress('rabbitmq')}`, queueName: `sdk-js-${randomUUID()}`, deleteWhenUnused: 'true' }),
    });
    const [appPort = 0] = await freePorts(1);
    const sidecar = await startSidecar({ appPort, resources, args: ['--app-protocol', protocol] });
    const daprPort = String(protocol === 'http' ? sidecar.httpPort : sidecar.grpcPort);
    const options = { daprHost: HOST, daprPort, communicationProtocol, logger: quiet };

    const app = new DaprServer({ serverHost: HOST, serverPort: String(appPort), communicationProtocol, logger: quiet, clientOptions: options });
    let ticks = 0;
    await app.binding.receive('tick', async () => void ticks++);
    const received: unknown[] = [];
    await app.binding.receive('orders', async (order) => void received.push(order));
    await app.start();
    later(() => app.stop());
    const client = new DaprClient(options);
    later(() => client.stop());

    await client.binding.send('files', 'create', { order: 7 }, { fileName: 'orders/7' });
    const read = await client.binding.send('files', 'get', undefined, { fileName: 'orders/7' });
    // Over HTTP the SDK gives the data, parsed; over gRPC the answer with its bytes.
    expect(protocol === 'http' ? read : JSON.parse(Buffer.from((read as { data: Uint8Array }).data).toString())).toEqual({ order: 7 });
    await expect(client.binding.send('files', 'fly', {})).rejects.toThrow();
    await client.binding.send('orders', 'create', { order: 7, customer: 'Zoë' });
    await until('the order has come', () => received.length > 0, { about: sidecar.process });
    expect(received).toEqual([{ order: 7, customer: 'Zoë' }]);
    await until('two ticks have come', () => ticks >= 2, { about: sidecar.process });
  });
});
