import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { freePort } from '@mecha/runtime/cli/free-port.ts';
import { parseArguments } from '../arguments.ts';
import { Problem } from '../problem.ts';
import { externalTarget } from './external.ts';

let server: Server | undefined;
afterEach(() => server?.close());

async function listening(): Promise<number> {
  server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

test('an address is taken as host:port and as a URL, and its process is left alone', async () => {
  const port = await listening();
  const target = await externalTarget({ http: `http://127.0.0.1:${port}/`, grpc: `localhost:${port}`, pids: [process.pid] });
  expect(target).toMatchObject({ variant: 'external', http: { host: '127.0.0.1', port }, grpc: { host: 'localhost', port }, pids: [process.pid] });
  await target.stop();
  expect(server?.listening).toBe(true);
});

test('an IPv6 address stands in brackets', async () => {
  const port = await freePort('127.0.0.1');
  await expect(externalTarget({ http: `[::1]:${port}`, pids: [] })).rejects.toThrow(`--http: nothing to measure at ::1:${port}: `);
});

describe('one clear line for', () => {
  test.each(['http', 'grpc'] as const)('an address of --%s where nobody listens', async (flag) => {
    const port = await freePort('127.0.0.1');
    await expect(externalTarget({ [flag]: `127.0.0.1:${port}`, pids: [] })).rejects.toThrow(new Problem(`--${flag}: nothing to measure at 127.0.0.1:${port}: connect ECONNREFUSED 127.0.0.1:${port}`));
  });

  test('a name that stands for several addresses, at none of which anybody listens', async () => {
    const port = await freePort('127.0.0.1');
    await expect(externalTarget({ http: `localhost:${port}`, pids: [] })).rejects.toThrow(/^--http: nothing to measure at localhost:\d+: connect E[A-Z]+ \S+$/);
  });

  test.each(['3500', 'localhost', 'localhost:', 'localhost:0', 'localhost:70000', 'https://localhost:1', 'http://localhost:1/v1.0', 'a b:1', ''])('%j, which is no address', async (text) => {
    await expect(externalTarget({ http: text, pids: [] })).rejects.toThrow(new Problem(`--http takes host:port, not ${JSON.stringify(text)}`));
  });

  test('a pid that no process has', () => {
    expect(() => parseArguments(['--http', 'localhost:1', '--pid', `${process.pid},4194303`], [])).toThrow(new Problem('--pid: no process has the pid 4194303'));
  });
});
