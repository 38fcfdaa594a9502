/** Every npm script and the `mecha` command from a bare clone, under the Node and npm that the machine has. */
import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { COMMANDS, NODE_PACKAGES, NODE_VERSION_MIN, atLeast } from '../../scripts/launch.mjs';
import { ROOT } from '../../scripts/tools.ts';
import { freePorts, temporaryFolder, until } from '../tools/processes.ts';
import { bareClone, machineEnv, runCommand, startCommand } from './clone.ts';

/** Each npm script in a form that ends soon, and what its output must show. */
const QUICK: readonly [script: string, args: readonly string[], shows: RegExp][] = [
  ['start', ['--help'], /--orders N/],
  ['test', ['--help'], /--without NAME/],
  ['check', ['--help'], /walls/],
  ['build', ['--dry-run'], /dist\/mecha from runtime\/src\/main\.ts/],
  ['generate', ['--help'], /--check/],
  ['servers', ['status'], /redis: (up|down|silent)/],
  ['measure', ['--help'], /--starts N/],
  ['bench', ['--help'], /pubsub-roundtrip/],
  ['corpus', ['--help'], /corpus/],
  ['mecha', ['--version'], /^(?!>).*\d+\.\d+\.\d+/m],
];

let place: Awaited<ReturnType<typeof temporaryFolder>>;
let clone: string;

beforeAll(async () => {
  place = await temporaryFolder();
  clone = join(place.path, 'clone');
  await mkdir(clone);
  await bareClone(clone);
});
afterAll(async () => {
  await place.remove();
});

describe('a bare clone', () => {
  // From the registry, with all that there is.
  test('two commands at once install the dependencies once, the second waits', { timeout: 600_000 }, async () => {
    const outcomes = await Promise.all([1, 2].map(() => runCommand(clone, 'npm', ['run', 'bench', '--', '--help'])));
    const said = outcomes.map(({ stderr }) => stderr).join('\n');
    expect(outcomes.map(({ code }) => code), said).toEqual([0, 0]);
    expect(said.match(/installing the dependencies of this clone \(npm ci\)/g)).toHaveLength(1);
    expect(said).toMatch(/waiting for it/);
  });

  test.each(QUICK)('npm run %s %j runs', async (script, args, shows) => {
    const { code, stdout, stderr } = await runCommand(clone, 'npm', ['run', script, ...(args.length > 0 ? ['--', ...args] : [])]);
    expect(stdout, stderr).toMatch(shows);
    expect(code).toBe(0);
  });

  test('every npm script is one of the launcher, and each stands in the table above', async () => {
    const { scripts } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as { scripts: Record<string, string> };
    expect(scripts).toEqual(Object.fromEntries(Object.keys(COMMANDS).map((name) => [name, `node scripts/launch.mjs ${name}`])));
    expect(QUICK.map(([script]) => script).toSorted()).toEqual(Object.keys(scripts).toSorted());
  });

  test('npx mecha finds the clone’s own command', async () => {
    const { code, stdout, stderr } = await runCommand(clone, 'npx', ['--no-install', 'mecha', '--version']);
    expect(stdout, stderr).toMatch(/\d+\.\d+\.\d+/);
    expect(code).toBe(0);
  });

  test('an installation by the reader’s own npm is not done again', async () => {
    await rm(join(clone, 'node_modules', '.mecha-install'));
    const { stderr } = await runCommand(clone, 'npm', ['run', 'bench', '--', '--help']);
    expect(stderr).not.toMatch(/installing/);
  });

  test('a command’s exit code is the launcher’s', async () => {
    expect((await runCommand(clone, 'node', ['scripts/launch.mjs', 'servers'])).code).toBe(2);
    expect((await runCommand(clone, 'node', ['scripts/launch.mjs', 'nonsense'])).code).toBe(1);
  });

  test('SIGTERM reaches the sidecar through the launcher, and its exit code comes back', async () => {
    const [http = 0, grpc = 0] = await freePorts(2);
    const ports = ['--dapr-http-port', String(http), '--dapr-grpc-port', String(grpc), '--metrics-port', '0'];
    const sidecar = startCommand(clone, 'node', ['scripts/launch.mjs', 'mecha', 'sidecar', '--app-id', 'launched', '--data-dir', join(place.path, 'data'), ...ports], machineEnv());
    onTestFinished(async () => {
      sidecar.kill('SIGTERM');
      await sidecar.done;
    });
    await until('the sidecar is ready', async () => (await fetch(`http://127.0.0.1:${http}/v1.0/healthz/outbound`)).status === 204);
    sidecar.kill('SIGTERM');
    const { code, stderr } = await sidecar.done;
    expect(code, stderr).toBe(0);
    await expect(fetch(`http://127.0.0.1:${http}/v1.0/healthz`)).rejects.toThrow();
  });
});

describe('what cannot be had', () => {
  /** Only what the launcher needs, with nothing in any cache and no registry. */
  async function launcherAlone(name: string, change: (source: string) => string = (source) => source): Promise<string> {
    const folder = join(place.path, name);
    await mkdir(join(folder, 'scripts'), { recursive: true });
    for (const file of ['package.json', 'package-lock.json']) await copyFile(join(ROOT, file), join(folder, file));
    await writeFile(join(folder, 'scripts', 'launch.mjs'), change(await readFile(join(ROOT, 'scripts', 'launch.mjs'), 'utf8')));
    return folder;
  }
  const pretendOld = (source: string): string => source.replace(/NODE_VERSION_MIN = '[^']+'/, "NODE_VERSION_MIN = '999.0.0'");
  const withoutDependencies = (source: string): string => source.replace('await installDependencies(root);', '');

  test('without a registry the launcher says so in one line', async () => {
    const folder = await launcherAlone('offline');
    const env = machineEnv({ npm_config_registry: 'http://127.0.0.1:1/', npm_config_cache: join(folder, 'npm'), npm_config_fetch_retries: '0' });
    const { code, stderr } = await runCommand(folder, 'node', ['scripts/launch.mjs', 'bench'], env);
    expect(code).toBe(1);
    expect(stderr.trim().split('\n')).toEqual([
      'mecha: installing the dependencies of this clone (npm ci)',
      'mecha: the dependencies cannot be installed: the npm registry cannot be reached (ECONNREFUSED); connect to it and run this again',
    ]);
  });

  test('a Node whose content is not the pinned one is refused', async () => {
    const folder = await launcherAlone('forged', (source) => withoutDependencies(pretendOld(source)).replaceAll(/sha512-.{20}/g, 'sha512-AAAAAAAAAAAAAAAAAAAA'));
    const cache = join(folder, 'cache');
    const { code, stderr } = await runCommand(folder, 'node', ['scripts/launch.mjs', 'bench'], machineEnv({ XDG_CACHE_HOME: cache }));
    expect(stderr).toMatch(/cannot be installed[^]*EINTEGRITY/);
    expect(code).toBe(1);
  });
});

describe('the table of Nodes', () => {
  test.each(Object.entries(NODE_PACKAGES))('%s gets one that is new enough, pinned by checksum', (_platform, { version, integrity }) => {
    expect(atLeast(version, NODE_VERSION_MIN)).toBe(true);
    expect(integrity).toMatch(/^sha512-[\w+/]{86}==$/);
  });

  test.each([
    ['24.18.1', '24.18.1', true],
    ['24.18.0', '24.18.1', false],
    ['24.9.0', '24.18.1', false],
    ['26.0.0', '24.18.1', true],
    ['20.20.2', '24.18.1', false],
  ])('%s is at least %s: %s', (version, minimum, expected) => {
    expect(atLeast(version, minimum)).toBe(expected);
  });
});
