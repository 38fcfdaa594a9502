/** The built packages as a user gets them: packed, installed in an empty folder, started, and asked for something. */
import { mkdir, readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ROOT } from '../../scripts/tools.ts';
import { machineEnv, runCommand, startCommand, type Command, type Outcome } from '../launcher/clone.ts';
import { freePorts, temporaryFolder, until } from '../tools/processes.ts';

/** As it is, and room for a file; a tenth of the bytes. What needs more is loaded when it is used. */
const START_FILES_MAX = 16;
const START_BYTES_MAX = 2_500_000;

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

test('a start reads a dozen files, of its bundle only what it uses, and none of Node’s costly parts', async () => {
  const notes = join(place.path, 'loaded.txt');
  const preload = join(place.path, 'note-loads.mjs');
  await writeFile(
    preload,
    `import { appendFileSync } from 'node:fs';
     import { registerHooks } from 'node:module';
     const note = (line) => appendFileSync(${JSON.stringify(notes)}, line + '\\n');
     registerHooks({ load: (url, context, next) => (url.startsWith('file:') && note(new URL(url).pathname), next(url, context)) });
     process.on('SIGUSR2', () => note('builtin: ' + process.moduleLoadList.join(' ')));`,
  );
  const [http = 0, grpc = 0] = await freePorts(2);
  const installed = join(folder, 'node_modules', '@mecha', 'mecha');
  const args = ['--import', preload, join(installed, 'bin', 'mecha.mjs'), 'sidecar', '--app-id', 'idle', '--data-dir', join(place.path, 'idle'), '--dapr-http-port', String(http), '--dapr-grpc-port', String(grpc), '--metrics-port', '0'];
  sidecar = startCommand(folder, process.execPath, args, { ...process.env, XDG_CACHE_HOME: join(place.path, 'cache') });
  await until('the sidecar is ready', async () => (await fetch(`http://127.0.0.1:${http}/v1.0/healthz`)).status === 204);
  sidecar.kill('SIGUSR2');
  const lines = await until('what is loaded is noted', async () => {
    const read = (await readFile(notes, 'utf8')).trim().split('\n');
    return read.some((line) => line.startsWith('builtin: ')) && read;
  });
  sidecar.kill('SIGTERM');
  await sidecar.done;

  const files = [...new Set(lines.filter((line) => line.startsWith(installed)))];
  expect(files.map((file) => basename(file))).toEqual(expect.arrayContaining(['main.js', 'start-host.js', 'start-serving.js', 'group-writer-thread.js', 'ledger-program.js']));
  expect(files.length, files.join('\n')).toBeLessThanOrEqual(START_FILES_MAX);
  const sizes = await Promise.all(files.map(async (file) => (await stat(file)).size));
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(START_BYTES_MAX);
  for (const file of files.filter((one) => one.includes('/lib/'))) expect(await readFile(file, 'utf8'), `${file} must be ASCII: V8 keeps two bytes for each of its letters otherwise`).toMatch(/^[\x00-\x7F]*$/);
  expect(await readFile(join(installed, 'lib', 'start-serving.js'), 'utf8'), 'who reads a stack trace finds the source by the name above the code').toMatch(/^\/\/ runtime\/src\/pipeline\.ts$/m);
  const builtins = lines.find((line) => line.startsWith('builtin: ')) ?? '';
  expect(builtins).toContain(' NativeModule http2');
  for (const costly of ['internal/deps/undici/undici', 'internal/crypto/webcrypto', 'internal/webstreams/readablestream', 'inspector', 'repl', 'v8']) expect(builtins.split(' NativeModule ')).not.toContain(costly);
});

test('every file of the package finds what it imports', async () => {
  const lib = join(folder, 'node_modules', '@mecha', 'mecha', 'lib');
  // What begins a life of its own when it is loaded: the command line, and threads.
  const files = (await readdir(lib)).filter((name) => name !== 'main.js' && (name.startsWith('part-') || name.startsWith('start-') || name.startsWith('required-')));
  const script = `for (const name of ${JSON.stringify(files)}) await import(${JSON.stringify(`${lib}/`)} + name); console.log('all there'); process.exit(0);`;
  const { stdout } = succeeded(await runCommand(folder, process.execPath, ['--input-type=module', '--eval', script]));
  expect(files.length).toBeGreaterThan(50);
  expect(stdout.trim()).toBe('all there');
});

function succeeded(outcome: Outcome): Outcome {
  expect(outcome.code, `${outcome.stdout}\n${outcome.stderr}`).toBe(0);
  return outcome;
}
