/** The order saga of the samples, as fast as it goes: orders a second, and from placing an order to its final state. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { Problem } from '../problem.ts';
import { adopt } from '../process/leftovers.ts';
import type { Fact } from '../report/results.ts';
import type { OwnScenario } from './scenario.ts';

const DRIVER = join(import.meta.dirname, '../../../samples/order-saga/driver/main.ts');

export const saga: OwnScenario = {
  kind: 'own',
  name: 'saga',
  words: 'the order saga of the samples, orders placed as fast as they are answered',
  external: false,
  async run(bench) {
    const facts: Fact[] = [];
    for (let round = 1; round <= bench.options.rounds; round++) {
      const text = await runSaga(bench.options.orders);
      const figures = /p50: (\d+(?:\.\d+)?) ms +p99: (\d+(?:\.\d+)?) ms +orders\/s: (\d+(?:\.\d+)?)/.exec(text);
      if (!figures) throw new Problem(`saga: its last line gives no figures: ${text.trim().split('\n').at(-1) ?? ''}`);
      const [, p50, p99, perSecond] = figures.map(Number);
      const fact = (name: string, unit: Fact['unit'], value = 0): Fact => ({ scenario: 'saga', variant: 'embedded', round, name, unit, value });
      facts.push(fact('orders to their final state', '1/s', perSecond), fact('order to final state, p50', 'ms', p50), fact('order to final state, p99', 'ms', p99));
    }
    return { measurements: [], facts };
  },
};

function runSaga(orders: number): Promise<string> {
  const child = adopt(spawn(process.execPath, [DRIVER, '--orders', String(orders), '--rate', '0', '--at-once', '32', '--exit'], { stdio: ['ignore', 'pipe', 'pipe'] }));
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (chunk: string) => (text = (text + chunk).slice(-20_000)));
  return new Promise((resolve, reject) => {
    child.once('error', reject).once('close', (code) => {
      if (code === 0) resolve(text);
      else reject(new Problem(`saga: ended with code ${code}: ${text.trim().split('\n').slice(-3).join(' | ')}`));
    });
  });
}
