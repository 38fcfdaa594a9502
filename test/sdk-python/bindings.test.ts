/**
 * Bindings with the official Python SDK, as it comes from the registry: called over gRPC, received by its gRPC server. It has no server of HTTP:
 * there an app receives by any, here by that of the standard library.
 */
// needs: python
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { cleanUp, component, folder, folderWith, later, startSidecar } from '../e2e/sidecar.ts';
import { serverAddress } from '../servers/servers.ts';
import { cleanEnv, freePorts, until } from '../tools/processes.ts';
import { pythonWith } from '../tools/python.ts';

let python: string;
beforeAll(async () => {
  python = await pythonWith('jobs', ['dapr-ext-grpc==1.18.3', 'dapr==1.18.3']);
}, 600_000);
afterEach(cleanUp);

describe.each(['grpc', 'http'])('an app that is called over %s', (protocol) => {
  test('calls an output binding and is given the events of an input binding, each with an id of its own', async () => {
    const resources = await folderWith({
      'files.yaml': component('files', 'bindings.localstorage', { rootPath: join(await folder(), 'files') }),
      'tick.yaml': component('tick', 'bindings.cron', { schedule: '@every 1s' }),
      'orders.yaml': component('orders', 'bindings.rabbitmq', { host: `amqp://guest:guest@${serverAddress('rabbitmq')}`, queueName: `sdk-python-${randomUUID()}`, deleteWhenUnused: 'true' }),
    });
    const [appPort = 0] = await freePorts(1);
    const sidecar = await startSidecar({ appPort, resources, args: ['--app-protocol', protocol] });
    const app = spawn(python, [join(import.meta.dirname, 'bindings_app.py')], {
      env: cleanEnv({ APP_PORT: String(appPort), APP_PROTOCOL: protocol, DAPR_GRPC_PORT: String(sidecar.grpcPort), DAPR_HTTP_PORT: String(sidecar.httpPort) }),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    later(async () => app.kill('SIGKILL'));
    const results: unknown[] = [];
    const events: string[] = [];
    const orders: unknown[] = [];
    createInterface({ input: app.stdout }).on('line', (line) => {
      const { event, order, ...result } = JSON.parse(line) as { event?: string; order?: unknown };
      if (order !== undefined) orders.push(order);
      else if (event !== undefined) events.push(event);
      else results.push(result);
    });
    await until('it has called', () => results.length >= 2, { about: sidecar.process });
    expect(results[0]).toEqual({ result: { order: 7 }, metadata: { fileName: 'orders/7' } });
    expect(results[1]).toEqual({ result: expect.stringContaining('does not support operation fly. supported operations:create get list delete') });
    await until('the order has come', () => orders.length > 0, { about: sidecar.process });
    expect(orders).toEqual([{ order: 7, customer: 'Zoë' }]);
    await until('two ticks have come', () => events.length >= 2, { about: sidecar.process });
    expect(new Set(events).size).toBe(events.length);
  });
});
