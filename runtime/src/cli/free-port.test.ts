import { createServer } from 'node:net';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { freePort } from './free-port.ts';

test('ports lie below those that the system hands out by itself, and none is given twice', async () => {
  const ports = await Promise.all(Array.from({ length: 20 }, () => freePort('127.0.0.1')));
  expect(new Set(ports).size).toBe(20);
  for (const port of ports) expect(port).toBeLessThan(32_768);
});

test('a port that is taken is passed over', async () => {
  const taken = await freePort('127.0.0.1');
  const draws = [(taken + 1 - 20_000) / 10_000, (taken + 2 - 20_000) / 10_000];
  const server = createServer().listen(taken + 1, '127.0.0.1');
  await once(server, 'listening');
  try {
    expect(await freePort('127.0.0.1', () => (draws.shift() ?? Math.random()) + 1e-9)).not.toBe(taken + 1);
  } finally {
    server.close();
  }
});
