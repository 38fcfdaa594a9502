#!/usr/bin/env node
/** The `mecha` command: the bundle beside it in an installed package, the sources in a clone. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const bundle = new URL('../lib/main.js', import.meta.url);
const args = process.argv.slice(2);

if (existsSync(bundle)) {
  const { launchFromPackage } = await import('./launch.mjs');
  await launchFromPackage(fileURLToPath(import.meta.url), fileURLToPath(bundle), args);
} else {
  const { launchFromClone } = await import('../../scripts/launch.mjs');
  await launchFromClone('mecha', args);
}
