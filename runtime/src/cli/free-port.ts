/**
 * Ports for processes that are told their port before they listen. Between the choice and the listening nobody must take
 * it, so it comes from below the range in which systems hand out ports by themselves (32768 and up on Linux, 49152 on
 * others): no `listen(0)` and no outgoing connection gets it, this process's own servers included.
 */
import { createServer } from 'node:net';

const FIRST = 20_000;
const COUNT = 10_000;
const TRIES_MAX = 200;
const chosen = new Set<number>();

/** A port on which nobody listens, and which this process has not given away before. */
export async function freePort(host: string, random: () => number = Math.random): Promise<number> {
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const port = FIRST + Math.floor(random() * COUNT);
    if (chosen.has(port) || !(await isFree(host, port))) continue;
    chosen.add(port);
    return port;
  }
  throw new Error(`no free port found from ${FIRST} to ${FIRST + COUNT - 1} in ${TRIES_MAX} tries`);
}

function isFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
