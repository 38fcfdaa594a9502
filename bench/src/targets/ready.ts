/** Whether an address answers, asked with Node's own client: these are single questions, not load. */
import { request } from 'node:http';
import { wordsOf } from '../problem.ts';
import type { Address } from './target.ts';

export function answers204(address: Address, path: string): Promise<boolean> {
  return ask(address, path).then(({ status }) => status === 204);
}

/** Status 0 when nothing answers. */
export function ask(address: Address, path: string, options: { readonly method?: string; readonly body?: string; readonly headers?: Readonly<Record<string, string>> } = {}): Promise<{ readonly status: number; readonly body: string }> {
  return new Promise((resolve) => {
    const asked = request({ ...address, path, method: options.method ?? 'GET', headers: { ...options.headers }, agent: false }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.once('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(parts).toString() }));
      response.once('error', (error) => resolve({ status: 0, body: wordsOf(error) }));
    });
    asked.once('error', (error) => resolve({ status: 0, body: wordsOf(error) })).end(options.body);
  });
}

/** Whether the target lists a subscription of its app to the topic. */
export async function isSubscribed(address: Address, topic: string): Promise<boolean> {
  const { status, body } = await ask(address, '/v1.0/metadata');
  if (status !== 200) return false;
  const { subscriptions = [] } = JSON.parse(body) as { subscriptions?: readonly { topic?: string }[] };
  return subscriptions.some((one) => one.topic === topic);
}
