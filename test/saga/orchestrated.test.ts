/**
 * The orchestrated variant of the saga: settles as its users run it, survives kill -9 of the sidecars and services while orders run, and
 * turns red when its compensations are taken out.
 *
 * Again with the same moments of killing: MECHA_TEST_SEED=<the printed seed>
 */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { SEED } from '@mecha/components/kit/test-seed.ts';
import { judge } from '@mecha/sample-order-saga/driver/invariants.ts';
import { placeOrders, planOrders, settle, stockUp } from '@mecha/sample-order-saga/driver/workload.ts';
import { cleanEnv, REPOSITORY, seededRandom, start, startMecha, temporaryFolder, until } from '../tools/processes.ts';

const SAMPLE = join(REPOSITORY, 'samples/order-saga');
const DRIVER = join(SAMPLE, 'driver/main.ts');
const KILLS = 3;
const ORDERS = 120;
const RUN_MS = 240_000;

let cleanup: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const step of cleanup.reverse()) await step();
  cleanup = [];
});

async function runDriver(...args: string[]): Promise<{ code: number | null; last: string; lines: readonly string[] }> {
  const driver = start(process.execPath, [DRIVER, '--exit', '--variant', 'orchestrated', ...args], { env: cleanEnv() });
  cleanup.push(() => driver.kill('SIGKILL'));
  const code = await driver.exited;
  return { code, last: driver.lines.at(-1) ?? '', lines: driver.lines };
}

/** Resources with a saga that is not quite the real one. */
async function mutant(wanted: string, instead: string, times: number): Promise<string> {
  const folder = await temporaryFolder();
  cleanup.push(folder.remove);
  const resources = join(folder.path, 'resources');
  await mkdir(resources);
  for (const file of ['components.yaml', 'order-saga.yaml']) {
    const text = await readFile(join(SAMPLE, 'orchestrated/resources', file), 'utf8');
    if (file === 'order-saga.yaml' && text.split(wanted).length !== times + 1) throw new Error(`the saga no longer has, ${times} times: ${wanted}`);
    await writeFile(join(resources, file), text.replaceAll(wanted, instead));
  }
  return resources;
}

describe('the orchestrated saga', () => {
  test('settles: payment refusals and shipping failures give back what was taken', { timeout: RUN_MS }, async () => {
    const { code, last, lines } = await runDriver('--orders', '60');
    expect(last, lines.join('\n')).toMatch(/^orders: 60 confirmed: \d+ rejected: \d+ lost: 0 oversold: 0 /);
    const [, confirmed = 0, rejected = 0] = /confirmed: (\d+) rejected: (\d+)/.exec(last)?.map(Number) ?? [];
    expect(confirmed + rejected).toBe(60);
    // Twelve of the sixty cannot be paid for or shipped; there is stock for forty-five.
    expect(rejected).toBeGreaterThanOrEqual(15);
    expect(confirmed).toBeGreaterThan(0);
    expect(code).toBe(0);
  });

  test.each([
    ['undoes nothing', 'Mecha: { Compensate: true }, ', '', 2, /! S[45]: /],
    ['gives no stock back', 'arn:mecha:invoke:::inventory:release', 'arn:mecha:invoke:::order:reject', 1, /! S4: /],
    ['gives no money back', 'arn:mecha:invoke:::payment:refund', 'arn:mecha:invoke:::order:reject', 1, /! S5: /],
  ])('turns red when it %s', { timeout: RUN_MS }, async (_what, wanted, instead, times, breach) => {
    const { code, lines } = await runDriver('--orders', '40', '--resources-path', await mutant(wanted, instead, times), '--patience', '20');
    expect(code, lines.join('\n')).toBe(1);
    expect(lines.join('\n')).toMatch(breach);
  });

  test('has its services in one language, and says so', async () => {
    expect(await runDriver('--inventory', 'go')).toMatchObject({ code: 1, last: '--variant orchestrated has its services in js and its records in embedded resources' });
  });

  test(`loses and oversells nothing under kill -9 of sidecars and services (seed ${SEED})`, { timeout: RUN_MS }, async () => {
    const random = seededRandom(SEED);
    const folder = await temporaryFolder();
    cleanup.push(folder.remove);
    const readyFile = join(folder.path, 'ready.json');
    let ready: { apps: { appId: string; pid: number; appPort: number; httpPort: number }[] } = { apps: [] };
    const spawn = () => startMecha(['run', '-f', join(SAMPLE, 'mecha.orchestrated.yaml'), '--data-dir', folder.path, '--ready-file', readyFile, '--metrics-port', '0']);
    let mecha = spawn();
    const killAll = async (): Promise<void> => {
      await mecha.kill('SIGKILL');
      for (const { pid } of ready.apps) if (pid) killQuietly(pid);
    };
    cleanup.push(killAll);
    const whenReady = async (): Promise<void> => {
      ready = await until('mecha run is ready', async () => JSON.parse(await readFile(readyFile, 'utf8')) as typeof ready, { about: mecha, withinMs: 60_000 });
    };
    await whenReady();
    const port = (appId: string, name: 'appPort' | 'httpPort') => () => `http://127.0.0.1:${ready.apps.find((app) => app.appId === appId)?.[name] ?? 1}`;
    const addresses = {
      order: port('order', 'appPort'), inventory: port('inventory', 'appPort'), orderSidecar: port('order', 'httpPort'), inventorySidecar: port('inventory', 'httpPort'),
      paymentSidecar: port('payment', 'httpPort'), shippingSidecar: port('shipping', 'httpPort'),
    };
    const plan = planOrders(ORDERS, 'orchestrated');
    await stockUp(addresses, plan);
    let acknowledged = 0;
    // Each kill comes when a further part of the orders was taken, in the midst of the sagas of the last ones.
    const reaping = (async () => {
      for (let kill = 1; kill <= KILLS; kill++) {
        await until(`orders are taken before kill ${kill}`, () => acknowledged >= (ORDERS * kill) / (KILLS + 1), { withinMs: 120_000 });
        await sleep(random() * 150);
        await killAll();
        await rm(readyFile, { force: true });
        mecha = spawn();
        await whenReady();
      }
    })();
    const [placed] = await Promise.all([placeOrders(addresses, plan, { atOnce: 4, acknowledged: () => acknowledged++ }), reaping]);
    const verdict = judge(await settle(addresses, plan, placed));
    expect(verdict.breaches, `seed ${SEED}\n${mecha.lines.slice(-30).join('\n')}`).toEqual([]);
    expect(verdict).toMatchObject({ orders: ORDERS, lost: 0, oversold: 0 });
    expect(verdict.confirmed).toBeGreaterThan(0);
  });
});

function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
