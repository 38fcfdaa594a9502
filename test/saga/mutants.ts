/** Faulty inventories, made from the real one by one change each: what the invariants are there to find. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { REPOSITORY } from '../tools/processes.ts';

const SAMPLE = join(REPOSITORY, 'samples/order-saga');

export const MUTANTS = {
  'drops an event': ["await post(`${mecha}/publish/pubsub/stock-${reservation.outcome}`", "if (!order.id.endsWith('7')) await post(`${mecha}/publish/pubsub/stock-${reservation.outcome}`"],
  'reserves what is not there': ['stock !== undefined && stock.left >= order.quantity', 'stock !== undefined'],
  'takes stock twice': ['left: stock.left - order.quantity', 'left: stock.left - 2 * order.quantity'],
} as const satisfies Readonly<Record<string, readonly [string, string]>>;

/** Writes the mutant and a run file for it into `folder`; gives the run file. */
export async function writeMutant(folder: string, [wanted, instead]: readonly [string, string]): Promise<string> {
  const source = await readFile(join(SAMPLE, 'inventory-js/inventory.mjs'), 'utf8');
  if (source.split(wanted).length !== 2) throw new Error(`the inventory no longer has, exactly once: ${wanted}`);
  await mkdir(join(folder, 'inventory'), { recursive: true });
  await writeFile(join(folder, 'inventory/inventory.mjs'), source.replace(wanted, instead));
  const runFile = join(folder, 'mecha.yaml');
  const text = (await readFile(join(SAMPLE, 'mecha.yaml'), 'utf8')).replaceAll('./inventory-js', './inventory').replaceAll('./order', join(SAMPLE, 'order')).replaceAll('./resources', join(SAMPLE, 'resources'));
  await writeFile(runFile, text);
  return runFile;
}
