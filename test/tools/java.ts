/** A Java program of the tests' own: the jars that its pom.xml names, fetched once, its sources compiled when they changed; kept in `.cache`. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, mkdir, readFile, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findCommand, findOrInstall, lastLine } from '../servers/machine.ts';
import { REPOSITORY } from './processes.ts';

const run = promisify(execFile);
const FETCH_TIMEOUT_MS = 10 * 60_000;
const COMPILE_TIMEOUT_MS = 60_000;
const OUTPUT_BYTES_MAX = 16 * 1024 * 1024;
const VERSION_MIN = 17;
const WHAT_TO_DO = `install a JDK ${VERSION_MIN} or later and Maven (Debian: apt-get install default-jdk-headless maven)`;
/** A short life: quick to start rather than quick in the end. */
const FLAGS = ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn'];

/** How to run `mainClass` of `folder`, which holds pom.xml and the sources. Rejects with the name of what cannot be had. */
export async function javaProgram(name: string, folder: string, mainClass: string): Promise<{ readonly command: string; readonly args: readonly string[] }> {
  for (const [command, packageName] of [['javac', 'default-jdk-headless'], ['mvn', 'maven']] as const) {
    await findOrInstall(() => findCommand(command), [packageName], WHAT_TO_DO, console.log);
  }
  const { stdout } = await run('javac', ['-version']);
  if (Number(/^javac (\d+)/.exec(stdout)?.[1] ?? 0) < VERSION_MIN) throw new Error(`the Java program ${name} needs Java ${VERSION_MIN} or later, and this is ${stdout.trim()}; ${WHAT_TO_DO}`);
  const home = join(REPOSITORY, '.cache', `java-${name}`);
  const pom = join(folder, 'pom.xml');
  const sources = (await readdir(folder)).filter((file) => file.endsWith('.java')).map((file) => join(folder, file));
  const jars = await made(home, 'jars', [pom], (into) =>
    run('mvn', ['-B', '-q', '-f', pom, 'dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${into}`], { timeout: FETCH_TIMEOUT_MS, maxBuffer: OUTPUT_BYTES_MAX }));
  const classes = await made(home, 'classes', [pom, ...sources], (into) =>
    run('javac', ['-cp', join(jars, '*'), '-d', into, ...sources], { timeout: COMPILE_TIMEOUT_MS, maxBuffer: OUTPUT_BYTES_MAX }));
  return { command: 'java', args: [...FLAGS, '-cp', `${classes}:${join(jars, '*')}`, mainClass] };
}

/** A folder that is there whole or not at all, for these inputs. */
async function made(home: string, what: string, inputs: readonly string[], make: (into: string) => Promise<unknown>): Promise<string> {
  const hash = createHash('sha256');
  for (const input of inputs) hash.update(await readFile(input));
  const folder = join(home, `${what}-${hash.digest('hex').slice(0, 16)}`);
  if (await access(folder).then(() => true, () => false)) return folder;
  const unfinished = `${folder}.unfinished`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { recursive: true });
  try {
    await make(unfinished);
  } catch (error) {
    throw new Error(`the ${what} of the Java program in ${home} cannot be made: ${lastLine(error)}; ${WHAT_TO_DO}`, { cause: error });
  }
  await rename(unfinished, folder);
  return folder;
}
