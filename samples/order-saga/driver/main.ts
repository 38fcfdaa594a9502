/**
 * `npm start`: brings up the two services with their Mecha, stocks up, places orders, shows how they come to an end,
 * checks the invariants from the stored records, and stays up for a look around.
 */
import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startMecha, type MechaProcess } from '../../driver/mecha-process.ts';
import { serversEnv } from '../../driver/servers.ts';
import { progress, runMain, say, whenInterrupted } from '../../driver/terminal.ts';
import { HELP, parseArguments, type Arguments } from './arguments.ts';
import { judge, verdictLine, type Verdict } from './invariants.ts';
import { placeOrders, planOrders, settle, stockUp, type Addresses, type Plan } from './workload.ts';

const SAMPLE = fileURLToPath(new URL('..', import.meta.url));
const RUN_FILES = { js: 'mecha.yaml', python: 'mecha.python.yaml', go: 'mecha.go.yaml' } as const;
const TOOLS = { js: undefined, python: 'python3', go: 'go' } as const;

async function main(): Promise<number> {
  const options = parseArguments(process.argv.slice(2));
  if (options === 'help') {
    process.stdout.write(HELP);
    return 0;
  }
  const tool = TOOLS[options.inventory];
  if (tool && spawnSync(tool, [tool === 'go' ? 'version' : '--version']).status !== 0) {
    throw new Error(`the ${options.inventory} inventory needs ${tool} on the PATH, and it is not there; install it or choose --inventory js`);
  }
  const env = options.resources === 'redis-kafka' ? await serversEnv('redis-kafka', ['redis', 'kafka']) : {};
  const dataDir = options.keep ? join(SAMPLE, '.mecha') : await mkdtemp(join(tmpdir(), 'mecha-order-saga-'));
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  try {
    return await run(options, dataDir, { ...process.env, ...env });
  } finally {
    if (!options.keep) await rm(dataDir, { recursive: true, force: true });
  }
}

async function run(options: Arguments, dataDir: string, env: Readonly<Record<string, string | undefined>>): Promise<number> {
  const { variant } = options;
  const isOrchestrated = variant === 'orchestrated';
  say(`starting ${isOrchestrated ? 'order, inventory, payment and shipping' : `order and inventory (${options.inventory})`} on ${options.resources} resources …`);
  const mecha = await startMecha({
    runFile: options.runFile ?? join(SAMPLE, isOrchestrated ? 'mecha.orchestrated.yaml' : RUN_FILES[options.inventory]),
    resources: [options.resourcesPath ?? (isOrchestrated ? join(SAMPLE, 'orchestrated/resources') : join(SAMPLE, 'resources', options.resources))],
    dataDir,
    env,
  });
  const interrupted = whenInterrupted();
  try {
    const plan = planOrders(options.orders, variant);
    const verdict = await Promise.race([
      saga(mecha, plan, options),
      interrupted.then(() => undefined),
      mecha.ended.then((code) => {
        throw new Error(`mecha ended with code ${code} while orders were under way:\n${mecha.lines.join('\n')}`);
      }),
    ]);
    if (!verdict) return 130;
    summary(verdict, plan);
    if (!options.exit) {
      curlLines(mecha, plan);
      await Promise.race([interrupted, mecha.ended]);
    }
    process.stdout.write(`${verdictLine(verdict)}\n`);
    return verdict.breaches.length === 0 ? 0 : 1;
  } finally {
    await mecha.stop();
  }
}

function addressesOf(mecha: MechaProcess): Addresses {
  const portOf = (appId: string, port: 'appPort' | 'httpPort') => () => mecha.addressOf(appId, port);
  return {
    order: portOf('order', 'appPort'),
    inventory: portOf('inventory', 'appPort'),
    orderSidecar: portOf('order', 'httpPort'),
    inventorySidecar: portOf('inventory', 'httpPort'),
    paymentSidecar: portOf('payment', 'httpPort'),
    shippingSidecar: portOf('shipping', 'httpPort'),
  };
}

async function saga(mecha: MechaProcess, plan: Plan, { atOnce, rate, patience }: Arguments): Promise<Verdict> {
  const addresses = addressesOf(mecha);
  await stockUp(addresses, plan);
  let acknowledged = 0;
  const total = plan.orders.length;
  const placed = await placeOrders(addresses, plan, {
    atOnce,
    rate,
    acknowledged: () => progress(`placed ${++acknowledged}/${total}`, acknowledged === total),
  });
  const records = await settle(addresses, plan, placed, (final) => progress(`placed ${total}/${total}   final ${final}/${total}`, final === total), patience * 1000);
  return judge(records);
}

function summary(verdict: Verdict, plan: Plan): void {
  const initial = [...plan.initialStock.values()].reduce((sum, stock) => sum + stock, 0);
  const rows: [string, string | number][] = [
    ['orders', verdict.orders],
    ['confirmed', verdict.confirmed],
    ['rejected', verdict.rejected],
    ['stock left', `${verdict.stockLeft} of ${initial}`],
    ['order to final state, p50', `${verdict.p50Ms} ms`],
    ['order to final state, p99', `${verdict.p99Ms} ms`],
    ['orders a second', verdict.ordersPerSecond.toFixed(1)],
    ['invariants', verdict.breaches.length === 0 ? 'all hold' : `${verdict.breaches.length} breaches`],
  ];
  say('');
  for (const [name, value] of rows) say(`  ${name.padEnd(28)}${value}`);
  for (const breach of verdict.breaches.slice(0, 20)) say(`  ! ${breach}`);
  say('');
}

function curlLines(mecha: MechaProcess, plan: Plan): void {
  const { order, inventory, orderSidecar } = addressesOf(mecha);
  const item = plan.orders[0]?.item ?? 'bolt';
  say(`Still up. Try:
  curl -X POST ${order()}/orders -H 'content-type: application/json' -d '{"id":"mine","item":"${item}","quantity":1}'
  curl ${order()}/orders/mine
  curl ${inventory()}/stock/${item}
  curl ${orderSidecar()}/v1.0/state/orders/order-mine
  curl ${orderSidecar()}/v1.0/invoke/inventory/method/stock/${item}
  curl ${orderSidecar()}/v1.0/metadata
Ctrl-C ends it.`);
}

await runMain(main);
