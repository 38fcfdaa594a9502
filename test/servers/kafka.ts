/**
 * Apache Kafka, one node that is broker and controller in one (KRaft), on loopback. Its jars come from Maven Central by
 * `kafka/pom.xml` and are kept under `.servers/jars/`; a `KAFKA_HOME` on the machine is used instead if there is one.
 */
import { execFile } from 'node:child_process';
import { access, mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { findCommand, findOrInstall, lastLine } from './machine.ts';
import { freePort } from './processes.ts';
import { ServerMissing, type Say, type ServerKind } from './server-kind.ts';

const run = promisify(execFile);
const POM = path.join(import.meta.dirname, 'kafka', 'pom.xml');
const JAVA_VERSION_MIN = 17;
const DOWNLOAD_TIMEOUT_MS = 10 * 60_000;
const PROBE_TIMEOUT_MS = 5_000;
const QUIET = '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn';
/** Any 16 bytes; each node is a cluster of its own. */
const CLUSTER_ID = Buffer.from('mecha-test-kafka').toString('base64url');
/** Whom listeners with SCRAM know. */
export const KAFKA_USER = { name: 'ada', password: 'w0rd-of-ada' } as const;
const WHAT_TO_DO = `install Java ${JAVA_VERSION_MIN} or later and Maven (Debian: apt-get install default-jre-headless maven), or name a running broker: MECHA_TEST_KAFKA=host:port`;

export const kafka: ServerKind = {
  name: 'kafka',
  addressVariable: 'MECHA_TEST_KAFKA',
  exportVariable: 'MECHA_KAFKA_BROKERS',
  usualPort: 9092,
  startTimeoutMs: 90_000,

  /** Returns the class path. */
  async obtain(folder, say) {
    await ensureJava(say);
    const home = process.env['KAFKA_HOME'];
    if (home && (await exists(path.join(home, 'libs')))) return path.join(home, 'libs', '*');
    return path.join(await ensureJars(folder, say), '*');
  },

  async launch(classPath, { folder, port }) {
    const java = (await findJava()) ?? 'java';
    const data = path.join(folder, 'data');
    const config = path.join(folder, 'server.properties');
    await mkdir(folder, { recursive: true });
    await writeFile(config, properties({ data, port, controllerPort: await freePort() }));
    if (!(await exists(path.join(data, 'meta.properties')))) {
      const users = ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((mechanism) => ['--add-scram', `${mechanism}=[name=${KAFKA_USER.name},password=${KAFKA_USER.password}]`]);
      const format = [QUIET, '-cp', classPath, 'kafka.tools.StorageTool', 'format', '-t', CLUSTER_ID, '-c', config, ...users];
      await run(java, format, { maxBuffer: 16 * 1024 * 1024 }).catch((error: unknown) => {
        throw new Error(`its storage could not be formatted: ${lastLine(error)}`, { cause: error });
      });
    }
    return {
      command: java,
      args: ['-Xmx512m', '-XX:+UseSerialGC', QUIET, '-cp', classPath, 'kafka.Kafka', config],
    };
  },

  async answers({ host, port }) {
    const { createClient } = await import('../../components/kafka/client.ts');
    const client = await createClient({
      clientId: 'mecha-servers',
      brokers: [`${host}:${port}`],
      connectionTimeout: PROBE_TIMEOUT_MS,
      requestTimeout: PROBE_TIMEOUT_MS,
      retry: { retries: 0 },
      logLevel: 0, // a broker that is not up yet is what we are here to find out
    });
    const admin = client.admin();
    try {
      await admin.connect();
      if ((await admin.describeCluster()).brokers.length === 0) throw new Error(`no broker of the cluster at ${host}:${port} is up yet`);
    } finally {
      await admin.disconnect();
    }
  },
};

/** A further listener of a private broker: `address` is what its clients are told to connect to. */
export interface KafkaListener {
  readonly name: string;
  readonly port: number;
  readonly address: string;
  readonly protocol: 'PLAINTEXT' | 'SASL_SSL' | 'SSL';
  /** Its own properties, without `listener.name.<name>.` before them. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** Arguments of a private broker that has these listeners besides. */
export async function kafkaListeners(listeners: readonly KafkaListener[]): Promise<(ownPort: number) => readonly string[]> {
  const controllerPort = await freePort();
  const of = (say: (listener: KafkaListener) => string): string => listeners.map((listener) => `,${say(listener)}`).join('');
  return (ownPort) =>
    [
      `controller.quorum.voters=1@127.0.0.1:${controllerPort}`,
      `listeners=PLAINTEXT://127.0.0.1:${ownPort},CONTROLLER://127.0.0.1:${controllerPort}${of(({ name, port }) => `${name}://127.0.0.1:${port}`)}`,
      `advertised.listeners=PLAINTEXT://127.0.0.1:${ownPort}${of(({ name, address }) => `${name}://${address}`)}`,
      `listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT${of(({ name, protocol }) => `${name}:${protocol}`)}`,
      ...listeners.flatMap(({ name, settings = {} }) => Object.entries(settings).map(([key, value]) => `listener.name.${name.toLowerCase()}.${key}=${value}`)),
    ].flatMap((property) => ['--override', property]);
}

const findJava = async (): Promise<string | undefined> => {
  const home = process.env['JAVA_HOME'];
  const own = home ? path.join(home, 'bin', 'java') : undefined;
  return own && (await exists(own)) ? own : findCommand('java');
};

async function ensureJava(say: Say): Promise<void> {
  const java = await findOrInstall(findJava, ['default-jre-headless'], WHAT_TO_DO, say);
  const { stderr } = await run(java, ['-version']);
  const major = Number(/version "(\d+)/.exec(stderr)?.[1] ?? 0);
  if (major < JAVA_VERSION_MIN) throw new ServerMissing(`the broker needs Java ${JAVA_VERSION_MIN} or later, and ${java} is ${stderr.split('\n')[0] ?? 'unknown'}`, WHAT_TO_DO);
}

/** The folder with the jars of the pinned version, fetched once. */
async function ensureJars(folder: string, say: Say): Promise<string> {
  const version = /<kafka\.version>([^<]+)</.exec(await readFile(POM, 'utf8'))?.[1];
  if (!version) throw new Error(`${POM} names no kafka.version`);
  const jars = path.join(folder, 'jars', `kafka-${version}`);
  if (await exists(jars)) return jars;

  const maven = await findOrInstall(() => findCommand('mvn'), ['maven'], WHAT_TO_DO, say);
  say(`fetching the jars of Apache Kafka ${version} from Maven Central (about 45 MB, once)`);
  const unfinished = `${jars}.unfinished`;
  await rm(unfinished, { recursive: true, force: true });
  try {
    await run(maven, ['-B', '-q', '-f', POM, 'dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${unfinished}`], {
      timeout: DOWNLOAD_TIMEOUT_MS,
      maxBuffer: 16 * 1024 * 1024,
    });
    if (!(await readdir(unfinished)).includes(`kafka_2.13-${version}.jar`)) throw new Error('the broker jar is not among the files that Maven fetched');
  } catch (error) {
    throw new ServerMissing(`Maven could not fetch Apache Kafka ${version}: ${lastLine(error)}`, WHAT_TO_DO, error);
  }
  await rename(unfinished, jars);
  return jars;
}

function properties(place: { data: string; port: number; controllerPort: number }): string {
  const { data, port, controllerPort } = place;
  return [
    'process.roles=broker,controller',
    'node.id=1',
    `controller.quorum.voters=1@127.0.0.1:${controllerPort}`,
    `listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    `advertised.listeners=PLAINTEXT://127.0.0.1:${port}`,
    'controller.listener.names=CONTROLLER',
    'listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    `log.dirs=${data}`,
    'auto.create.topics.enable=true',
    'num.partitions=3',
    // One node holds the only copy of everything, and groups need not wait for members that will not come.
    'default.replication.factor=1',
    'offsets.topic.replication.factor=1',
    'offsets.topic.num.partitions=4',
    'transaction.state.log.replication.factor=1',
    'transaction.state.log.min.isr=1',
    'transaction.state.log.num.partitions=4',
    'share.coordinator.state.topic.replication.factor=1',
    'share.coordinator.state.topic.min.isr=1',
    'group.initial.rebalance.delay.ms=0',
    // After a crash the node waits for its own old session to end, and groups for those of their members.
    'broker.session.timeout.ms=3000',
    'broker.heartbeat.interval.ms=500',
    'group.min.session.timeout.ms=1000',
    '',
  ].join('\n');
}

function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
