/**
 * (users 1, 40) The saga under kill -9: services and sidecars are killed at random moments while orders run, come back,
 * and in the end the invariants hold, recomputed from the stored records.
 *
 * Short by default. Longer: MECHA_CRASH_KILLS=60 MECHA_CRASH_ORDERS=2000 npm test -- test/crash
 * Again:  MECHA_TEST_SEED=<the printed seed>
 */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { SEED } from '@mecha/components/kit/test-seed.ts';
import { judge } from '@mecha/sample-order-saga/driver/invariants.ts';
import { placeOrders, planOrders, settle, stockUp, type Addresses } from '@mecha/sample-order-saga/driver/workload.ts';
import { cleanEnv, freePorts, REPOSITORY, seededRandom, start, startMecha, temporaryFolder, until, untilStatus, type Running } from '../tools/processes.ts';

const SAMPLE = join(REPOSITORY, 'samples/order-saga');
const RESOURCES = join(SAMPLE, 'resources/embedded');
const ORDERS = Number(process.env['MECHA_CRASH_ORDERS'] ?? 500);
const KILLS = Number(process.env['MECHA_CRASH_KILLS'] ?? 6);
const TEST_MS = 180_000 + KILLS * 5_000;

let cleanup: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const step of cleanup.reverse()) await step();
  cleanup = [];
});

/** A process that is started again whenever it was killed. */
class Reborn {
  readonly name: string;
  readonly #spawn: () => Running;
  running: Running;

  constructor(name: string, spawn: () => Running) {
    this.name = name;
    this.#spawn = spawn;
    this.running = spawn();
  }

  async killAndRestart(pauseMs: number): Promise<void> {
    await this.running.kill('SIGKILL');
    await sleep(pauseMs);
    this.running = this.#spawn();
  }
}

/** Kills until `over`; the moments and victims follow from the seed. */
async function reap(victims: readonly Reborn[], random: () => number, over: () => boolean): Promise<string[]> {
  const killed: string[] = [];
  for (let kill = 0; kill < KILLS && !over(); kill++) {
    await sleep(100 + random() * 700);
    const victim = victims[Math.floor(random() * victims.length)];
    if (!victim || over()) break;
    killed.push(victim.name);
    await victim.killAndRestart(random() * 400);
  }
  return killed;
}

describe(`the order saga under kill -9 (seed ${SEED})`, () => {
  test('two services and two sidecar processes on one ledger lose nothing and oversell nothing', { timeout: TEST_MS }, async () => {
    const random = seededRandom(SEED);
    const folder = await temporaryFolder();
    cleanup.push(folder.remove);
    const [orderApp, orderHttp, orderGrpc, inventoryApp, inventoryHttp, inventoryGrpc] = (await freePorts(6)) as [number, number, number, number, number, number];
    const service = (appId: string, script: string, appPort: number, httpPort: number) =>
      new Reborn(`${appId} service`, () =>
        start(process.execPath, [join(SAMPLE, script)], { env: cleanEnv({ APP_ID: appId, APP_PORT: String(appPort), DAPR_HTTP_PORT: String(httpPort) }) }),
      );
    const sidecar = (appId: string, appPort: number, httpPort: number, grpcPort: number) =>
      new Reborn(`${appId} sidecar`, () =>
        startMecha([
          'sidecar', '--app-id', appId, '--app-port', String(appPort), '--dapr-http-port', String(httpPort), '--dapr-grpc-port', String(grpcPort),
          '--metrics-port', '0', '--resources-path', RESOURCES, '--data-dir', folder.path,
        ]),
      );
    const victims = [
      sidecar('order', orderApp, orderHttp, orderGrpc),
      sidecar('inventory', inventoryApp, inventoryHttp, inventoryGrpc),
      service('order', 'order/order.mjs', orderApp, orderHttp),
      service('inventory', 'inventory-js/inventory.mjs', inventoryApp, inventoryHttp),
    ];
    cleanup.push(() => Promise.all(victims.map((victim) => victim.running.kill('SIGKILL'))).then(() => undefined));
    for (const [index, port] of [orderHttp, inventoryHttp].entries()) await untilStatus(`http://127.0.0.1:${port}/v1.0/healthz`, 204, victims[index]?.running);

    const at = (port: number) => () => `http://127.0.0.1:${port}`;
    const addresses: Addresses = { order: at(orderApp), inventory: at(inventoryApp), orderSidecar: at(orderHttp), inventorySidecar: at(inventoryHttp) };
    const plan = planOrders(ORDERS);
    await stockUp(addresses, plan);
    let placing = true;
    const [placed, killed] = await Promise.all([
      placeOrders(addresses, plan, { atOnce: 4 }).finally(() => (placing = false)),
      reap(victims, random, () => !placing),
    ]);
    const verdict = judge(await settle(addresses, plan, placed));
    console.log(`seed ${SEED}, killed: ${killed.join(', ')}; ${verdict.confirmed} confirmed, ${verdict.rejected} rejected`);
    expect(verdict.breaches, `seed ${SEED}; ${victims.map((victim) => victim.running.lines.slice(-10).join('\n')).join('\n---\n')}`).toEqual([]);
    expect(verdict).toMatchObject({ orders: ORDERS, lost: 0, oversold: 0, confirmed: Math.floor((ORDERS * 3) / 4) });
    expect(killed.length).toBeGreaterThan(0);
  });

  test('so does the single process of mecha run -f', { timeout: TEST_MS }, async () => {
    const random = seededRandom(SEED + 1);
    const folder = await temporaryFolder();
    cleanup.push(folder.remove);
    const readyFile = join(folder.path, 'ready.json');
    type Ready = { apps: { appId: string; pid: number; appPort: number; httpPort: number }[] };
    let ready: Ready = { apps: [] };
    const spawn = () => startMecha(['run', '-f', join(SAMPLE, 'mecha.yaml'), '--data-dir', folder.path, '--ready-file', readyFile, '--metrics-port', '0']);
    let mecha = spawn();
    const killAll = async () => {
      await mecha.kill('SIGKILL');
      // kill -9 of the parent leaves its apps behind, as it would leave any; a host that reboots would not.
      for (const app of ready.apps) if (app.pid) killQuietly(app.pid);
    };
    cleanup.push(killAll);
    const whenReady = async () => {
      ready = await until('mecha run is ready', async () => JSON.parse(await readFile(readyFile, 'utf8')) as Ready, { about: mecha, withinMs: 60_000 });
    };
    await whenReady();

    const port = (appId: string, name: 'appPort' | 'httpPort') => () => `http://127.0.0.1:${ready.apps.find((app) => app.appId === appId)?.[name] ?? 1}`;
    const addresses: Addresses = {
      order: port('order', 'appPort'),
      inventory: port('inventory', 'appPort'),
      orderSidecar: port('order', 'httpPort'),
      inventorySidecar: port('inventory', 'httpPort'),
    };
    const plan = planOrders(ORDERS);
    await stockUp(addresses, plan);
    let placing = true;
    let kills = 0;
    const reaping = (async () => {
      for (; kills < Math.ceil(KILLS / 2) && placing; kills++) {
        await sleep(200 + random() * 800);
        await killAll();
        await rm(readyFile, { force: true });
        mecha = spawn();
        await whenReady();
      }
    })();
    const [placed] = await Promise.all([placeOrders(addresses, plan, { atOnce: 4 }).finally(() => (placing = false)), reaping]);
    const verdict = judge(await settle(addresses, plan, placed));
    console.log(`seed ${SEED}, ${kills} kills; ${verdict.confirmed} confirmed, ${verdict.rejected} rejected`);
    expect(verdict.breaches, `seed ${SEED}\n${mecha.lines.slice(-30).join('\n')}`).toEqual([]);
    expect(verdict).toMatchObject({ orders: ORDERS, lost: 0, oversold: 0 });
    expect(kills).toBeGreaterThan(0);
  });
});

function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
