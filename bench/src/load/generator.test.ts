/** The generator's process, from outside: it counts right, and what breaks comes back in words. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { Server as TcpServer, type AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { freePort } from '@mecha/runtime/cli/free-port.ts';
import { Problem } from '../problem.ts';
import { Generator } from './generator.ts';
import type { Load } from './plan.ts';

const HOST = '127.0.0.1';
const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).toReversed()) await step();
});

async function serverOf(answer: (path: string) => number = () => 204): Promise<{ port: number; requests: () => number; close(): void }> {
  let requests = 0;
  const server: Server = createServer((request, response) => {
    requests++;
    request.resume();
    response.writeHead(answer(request.url ?? '')).end();
  }).listen(0, HOST);
  await once(server, 'listening');
  const close = (): void => {
    // Not that of HTTP, which cuts idle connections while it still listens: whoever came back in between would be reset and not refused.
    TcpServer.prototype.close.call(server);
    server.closeAllConnections();
  };
  undo.push(close);
  return { port: (server.address() as AddressInfo).port, requests: () => requests, close };
}

function startGenerator(): Generator {
  const generator = new Generator();
  undo.push(() => generator.end());
  return generator;
}

function loadOn(port: number, differing: Partial<Load> = {}): Load {
  return {
    label: 'test',
    host: HOST,
    port,
    request: { kind: 'http', method: 'POST', path: '/########', headers: {}, body: 'number-########', status: 204 },
    numbers: { from: 0, count: 1000, order: 'sequential' },
    mode: { kind: 'closed', concurrency: 4 },
    ends: 'answer',
    ...differing,
  };
}

test('an operation of two requests sends the second, with the same number, when the first is answered well; a refused first is the end of it', async () => {
  const seen: string[] = [];
  const { port } = await serverOf((path) => {
    seen.push(path);
    return path.endsWith('7') && path.startsWith('/first') ? 503 : 204;
  });
  const request = (path: string): Load['request'] => ({ kind: 'http', method: 'POST', path: `${path}/########`, headers: {}, body: '', status: 204 });
  const { results } = await startGenerator().run([loadOn(port, { request: request('/first'), next: request('/second'), numbers: { from: 0, count: 1_000_000, order: 'sequential' }, mode: { kind: 'closed', concurrency: 1 } })], { warmupMs: 0, durationMs: 2000 });
  expect(seen.slice(0, 4)).toEqual(['/first/00000000', '/second/00000000', '/first/00000001', '/second/00000001']);
  expect(seen.filter((path) => path.endsWith('0000007'))).toEqual(['/first/00000007']);
  expect(results[0]).toMatchObject({ errors: expect.any(Number), firstError: expect.stringContaining('503') });
});

test('loads of one label are counted together, others apart, warm-up and all', async () => {
  const { port, requests } = await serverOf();
  const moments: string[] = [];
  const open = loadOn(port, { label: 'open', mode: { kind: 'open', rate: 200, connections: 128 } });
  const { results, generator } = await startGenerator().run([loadOn(port), loadOn(port), open], { warmupMs: 50, durationMs: 500, onMeasuring: () => moments.push('measuring'), onMeasured: () => moments.push('measured') });
  expect(moments).toEqual(['measuring', 'measured']);
  expect(results.map(({ label }) => label)).toEqual(['test', 'open']);
  const [closed, clocked] = results;
  expect(closed!.operations).toBeGreaterThan(0);
  expect(closed!.operations + clocked!.operations).toBeLessThan(requests());
  // By the clock: a request every 5 ms, however busy the machine is.
  expect(clocked!.operations).toBeGreaterThanOrEqual(95);
  for (const { errors, latency, distribution, seconds } of results) {
    expect(errors).toBe(0);
    expect(latency.max).toBeGreaterThan(0);
    expect(distribution.length).toBeGreaterThan(20);
    expect(seconds).toBeGreaterThanOrEqual(0.49);
  }
  expect(generator.busy).toBeGreaterThan(0);
});

test('a target whose operations take longer than the load is measured all the same; one that never answers is told', async () => {
  const server = createServer((incoming, response) => {
    if (incoming.url?.startsWith('/slow')) setTimeout(() => response.writeHead(204).end(), 300);
  }).listen(0, HOST);
  await once(server, 'listening');
  undo.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const generator = startGenerator();
  const measured = async (path: string, drainMs: number) => {
    const request: Load['request'] = { kind: 'http', method: 'POST', path, headers: {}, body: '', status: 204 };
    return (await generator.run([loadOn((server.address() as AddressInfo).port, { request })], { warmupMs: 0, durationMs: 50, drainMs })).results[0];
  };
  const slow = await measured('/slow/########', 10_000);
  expect(slow).toMatchObject({ errors: 0 });
  expect(slow?.operations).toBeGreaterThan(0);
  expect(slow?.seconds, 'as long as it took').toBeGreaterThan(0.29);
  expect(await measured('/silent/########', 200)).toMatchObject({ operations: 0 });
});

test('an operation lasts until its event has reached the app of the same process', async () => {
  const generator = startGenerator();
  const appPort = await freePort(HOST);
  await generator.app({ protocol: 'http', port: appPort, pubsub: 'pubsub', topic: 'topic' });
  const subscriptions = await (await fetch(`http://${HOST}:${appPort}/dapr/subscribe`)).json();
  expect(subscriptions).toEqual([{ pubsubname: 'pubsub', topic: 'topic', route: '/events' }]);
  // A broker that forgets each third event and brings each second one twice.
  const { port } = await serverOf((path) => {
    const number = Number(path.slice(1));
    const deliver = (): void => void fetch(`http://${HOST}:${appPort}/events`, { method: 'POST', body: `{"data":"number-${path.slice(1)}"}` });
    if (number % 3 !== 2) deliver();
    if (number % 2 === 0 && number % 3 !== 2) setTimeout(deliver, 20);
    return 204;
  });
  const mode = { kind: 'open', rate: 20, connections: 4 } as const;
  const { results } = await generator.run([loadOn(port, { ends: 'delivery', mode })], { warmupMs: 0, durationMs: 3000, drainMs: 4000 });
  const [{ operations, errors, lost, duplicates }] = results as [(typeof results)[0]];
  expect(operations).toBeGreaterThanOrEqual(6);
  expect(errors).toBeGreaterThanOrEqual(3);
  expect(lost).toBeGreaterThanOrEqual(errors);
  expect(duplicates).toBeGreaterThanOrEqual(3);
});

test('a server that is not there, and one that goes away in the middle, are problems in words', async () => {
  const nowhere = await freePort(HOST);
  const generator = startGenerator();
  const refused = generator.run([loadOn(nowhere)], { warmupMs: 0, durationMs: 100 });
  await expect(refused).rejects.toThrow(new Problem(`connect ECONNREFUSED ${HOST}:${nowhere}`));
  const { port, close } = await serverOf();
  const startedMs = performance.now();
  const broken = generator.run([loadOn(port)], { warmupMs: 0, durationMs: 60_000, onMeasuring: () => setTimeout(close, 100) });
  await expect(broken).rejects.toThrow(new Problem(`the server is gone: connect ECONNREFUSED ${HOST}:${port}`));
  expect(performance.now() - startedMs, 'it does not go on to the end').toBeLessThan(30_000);
  const { port: other } = await serverOf();
  const { results } = await generator.run([loadOn(other)], { warmupMs: 0, durationMs: 100 });
  expect(results[0]?.operations, 'the generator can be used again').toBeGreaterThan(0);
});

test('an app whose port is taken is a problem in words', async () => {
  const { port } = await serverOf();
  await expect(startGenerator().app({ protocol: 'http', port, pubsub: 'p', topic: 't' })).rejects.toThrow(/EADDRINUSE/);
});

test('what is thrown as the measured time begins ends the run', async () => {
  const { port } = await serverOf();
  const run = startGenerator().run([loadOn(port)], {
    warmupMs: 0,
    durationMs: 100,
    onMeasuring: () => {
      throw new Problem('no process has the pid 1');
    },
  });
  await expect(run).rejects.toThrow('no process has the pid 1');
});

test('a generator that was ended takes nothing more', async () => {
  const generator = startGenerator();
  await generator.end();
  await generator.end();
  await expect(generator.run([], { warmupMs: 0, durationMs: 1 })).rejects.toThrow('the load generator has ended');
});
