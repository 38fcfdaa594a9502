/** A process that runs already, whatever it is: only its addresses and, for sampling, its pids are known. */
import { connect } from 'node:net';
import { Problem, wordsOf } from '../problem.ts';
import type { Address, Target } from './target.ts';

const CONNECT_WITHIN_MS = 3000;

export interface ExternalOptions {
  readonly http?: string;
  readonly grpc?: string;
  readonly pids: readonly number[];
  readonly inspectUrl?: string;
}

/** @throws Problem when an address is none or nothing listens there */
export async function externalTarget(options: ExternalOptions): Promise<Target> {
  const http = parseAddress('--http', options.http);
  const grpc = parseAddress('--grpc', options.grpc);
  for (const [flag, address] of [['--http', http], ['--grpc', grpc]] as const) if (address) await reach(flag, address);
  const nowhere = { host: '', port: 0 };
  return {
    variant: 'external',
    http: http ?? nowhere,
    grpc: grpc ?? nowhere,
    pids: options.pids,
    ...(options.inspectUrl === undefined ? {} : { inspectUrl: options.inspectUrl }),
    stop: () => Promise.resolve(),
  };
}

function parseAddress(flag: string, text: string | undefined): Address | undefined {
  if (text === undefined) return undefined;
  const parts = /^(?:http:\/\/)?(\[[\da-fA-F:]+\]|[\w.-]+):(\d{1,5})\/?$/.exec(text);
  const port = Number(parts?.[2]);
  if (!parts?.[1] || port < 1 || port > 65_535) throw new Problem(`${flag} takes host:port, not ${JSON.stringify(text)}`);
  return { host: parts[1].replace(/^\[|\]$/g, ''), port };
}

function reach(flag: string, { host, port }: Address): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (words: string): void => {
      socket.destroy();
      reject(new Problem(`${flag}: nothing to measure at ${host}:${port}: ${words}`));
    };
    const socket = connect({ host, port, timeout: CONNECT_WITHIN_MS }, () => {
      socket.destroy();
      resolve();
    });
    socket.once('timeout', () => fail(`no answer within ${CONNECT_WITHIN_MS / 1000} s`)).once('error', (error) => fail(wordsOf(error)));
  });
}
