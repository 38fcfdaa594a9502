/** The built packages as a user gets them: packed, installed in an empty folder, started, and asked for something. */
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ROOT } from '../../scripts/tools.ts';
import { machineEnv, runCommand, startCommand, type Command, type Outcome } from '../launcher/clone.ts';
import { freePorts, temporaryFolder, until } from '../tools/processes.ts';

let place: Awaited<ReturnType<typeof temporaryFolder>>;
let folder: string;
let sidecar: Command | undefined;

beforeAll(async () => {
  place = await temporaryFolder();
  folder = join(place.path, 'user');
  await mkdir(folder);
  await writeFile(join(folder, 'package.json'), JSON.stringify({ name: 'user', version: '1.0.0', private: true, type: 'module' }));
  const dist = join(place.path, 'dist');
  succeeded(await runCommand(ROOT, process.execPath, ['scripts/build.ts', '--out', dist]));
  for (const name of ['mecha', 'sdk']) succeeded(await runCommand(join(dist, name), 'npm', ['pack', '--pack-destination', place.path]));
  const archives = (await readdir(place.path)).filter((file) => file.endsWith('.tgz'));
  succeeded(await runCommand(folder, 'npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', ...archives.map((file) => join(place.path, file))]));
});
afterAll(async () => {
  sidecar?.kill('SIGKILL');
  await sidecar?.done;
  await place.remove();
});

test('the sidecar package brings its licences and needs no other package', async () => {
  const installed = join(folder, 'node_modules', '@mecha', 'mecha');
  const manifest = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8')) as { private: boolean; dependencies?: unknown };
  expect(manifest.private).toBe(true);
  expect(manifest.dependencies).toBeUndefined();
  expect(await readFile(join(installed, 'LICENSE'), 'utf8')).toMatch(/Apache License/);
  expect(await readFile(join(installed, 'THIRD-PARTY.txt'), 'utf8')).toMatch(/fastify \d[^]*MIT/);
  expect((await readdir(join(folder, 'node_modules'))).filter((name) => !name.startsWith('.'))).toEqual(['@mecha']);
});

test('an installed sidecar starts, keeps a value for the SDK, and ends when it is told to', async () => {
  const [http = 0, grpc = 0] = await freePorts(2);
  const ports = ['--dapr-http-port', String(http), '--dapr-grpc-port', String(grpc), '--metrics-port', '0'];
  sidecar = startCommand(folder, join(folder, 'node_modules', '.bin', 'mecha'), ['sidecar', '--app-id', 'packed', '--data-dir', join(place.path, 'data'), ...ports], machineEnv());
  await Promise.race([
    until('the sidecar is ready', async () => (await fetch(`http://127.0.0.1:${http}/v1.0/healthz/outbound`)).status === 204),
    sidecar.done.then(({ stdout, stderr }) => Promise.reject(new Error(`the sidecar ended:\n${stdout}\n${stderr}`))),
  ]);

  await writeFile(
    join(folder, 'app.js'),
    `import { createClient } from '@mecha/sdk';
     const state = createClient().state('statestore');
     await state.save('order-7', { status: 'open' });
     const first = await state.get('order-7');
     const stale = await state.save('order-7', { status: 'lost' }, { etag: 'no-such-etag' }).catch((error) => error.status);
     const { value } = await state.get('order-7');
     console.log(JSON.stringify({ value, hasEtag: first.etag !== '', stale, absent: await state.get('order-8') ?? null }));`,
  );
  const app = succeeded(await runCommand(folder, 'node', ['app.js'], machineEnv({ DAPR_HTTP_PORT: String(http) })));
  expect(JSON.parse(app.stdout)).toEqual({ value: { status: 'open' }, hasEtag: true, stale: 409, absent: null });

  sidecar.kill('SIGTERM');
  const { code, stderr } = await sidecar.done;
  expect(code, stderr).toBe(0);
});

function succeeded(outcome: Outcome): Outcome {
  expect(outcome.code, `${outcome.stdout}\n${outcome.stderr}`).toBe(0);
  return outcome;
}
