/**
 * Runs a load scenario: per protocol all targets are started, then measured in turn (A B C C B A A B C …) at each concurrency
 * and at the fixed rate, so that what changes about the machine meanwhile changes all of them.
 */
import type { Build } from '../arguments.ts';
import type { Bench } from '../bench.ts';
import type { Load, Mode } from '../load/plan.ts';
import { Problem } from '../problem.ts';
import { removeFolder, temporaryFolder } from '../process/leftovers.ts';
import type { Measurement } from '../report/results.ts';
import { startBare } from '../targets/bare.ts';
import { startWithWorker, type Worker } from '../targets/worker.ts';
import { freePort, until } from '../targets/child.ts';
import { externalTarget } from '../targets/external.ts';
import { PUBSUB, startMecha, type Backend } from '../targets/mecha.ts';
import { isSubscribed } from '../targets/ready.ts';
import { addressOf, type Protocol, type Target } from '../targets/target.ts';
import { callOnce } from './call.ts';
import type { LoadScenario, RequestContext } from './scenario.ts';

const SUBSCRIBED_WITHIN_MS = 60_000;
/** Operations that one run can make at most, for numbers that must not repeat. */
const NUMBERS_PER_RUN = 3_000_000;
const NUMBER_OF_CALL = 99_999_999;

interface Contestant {
  readonly target: Target;
  readonly context: RequestContext;
}

export async function runLoadScenario(bench: Bench, scenario: LoadScenario): Promise<readonly Measurement[]> {
  const measurements: Measurement[] = [];
  for (const protocol of scenario.protocols.filter((one) => bench.options.protocols.includes(one))) {
    const contestants: Contestant[] = [];
    try {
      await startAll(bench, scenario, protocol, contestants);
      if (contestants.length === 0) bench.say(`  ${scenario.name}: there is nothing to measure on ${bench.options.backends.join(', ')}`);
      for (const mode of contestants.length === 0 ? [] : modesOf(bench, scenario)) {
        const taken: Measurement[] = [];
        for (let round = 1; round <= bench.options.rounds; round++) {
          // There and back: what one leaves to do behind itself (trimming, checkpoints) meets each of its neighbours.
          const inTurn = round % 2 === 1 ? contestants : contestants.toReversed();
          for (const { target, context } of inTurn) taken.push(...(await bench.measure({ scenario: scenario.name, protocol, round }, target, [loadOf(bench, scenario, protocol, target, context, mode)])));
        }
        bench.say(progressLine(scenario, protocol, mode, taken));
        measurements.push(...taken);
      }
    } finally {
      for (const { target } of contestants) await target.stop();
      await bench.renewGenerator();
    }
  }
  return measurements;
}

export function loadOf(bench: Bench, scenario: LoadScenario, protocol: Protocol, target: Target, context: RequestContext, mode: Mode): Load {
  const unique = scenario.unique ?? scenario.ends === 'delivery';
  const next = scenario.next?.(protocol, context);
  return {
    label: scenario.name,
    ...addressOf(target, protocol),
    request: scenario.request(protocol, context),
    ...(next === undefined ? {} : { next }),
    numbers: unique ? { from: bench.takeNumbers(NUMBERS_PER_RUN), count: NUMBERS_PER_RUN, order: 'sequential' } : scenario.numbers,
    mode,
    ends: scenario.ends,
  };
}

function modesOf(bench: Bench, scenario: LoadScenario): readonly Mode[] {
  const { modes, concurrencies, rate, connections } = bench.options;
  const closed = modes.includes('closed') ? concurrencies.map((concurrency): Mode => ({ kind: 'closed', concurrency })) : [];
  const open = modes.includes('open') ? [{ kind: 'open', rate: rate ?? scenario.openRate, connections } satisfies Mode] : [];
  return [...closed, ...open];
}

async function startAll(bench: Bench, scenario: LoadScenario, protocol: Protocol, into: Contestant[]): Promise<void> {
  if (bench.options.external) {
    into.push(await startExternal(bench, scenario, protocol));
  } else {
    const bareOptions = { payloadBytes: bench.options.payloadBytes, inspect: bench.options.profile !== undefined };
    if (scenario.bare) into.push({ target: await (scenario.app === 'service' ? withService(bench, (servicePort) => startBare({ ...bareOptions, servicePort })) : startBare(bareOptions)), context: contextOf(bench, 'bare', 'bare') });
    for (const backend of scenario.backends.filter((one) => bench.options.backends.includes(one))) {
      for (const build of bench.builds) {
        for (const worker of scenario.app === 'worker' ? bench.options.workers : [undefined]) into.push(await startOn(bench, scenario, protocol, backend, build, worker ? { worker } : {}));
      }
    }
  }
  for (const { target, context } of into) {
    if (target.variant !== 'bare') await scenario.prepare?.(target, context);
    const number = scenario.app === 'events' || scenario.unique ? NUMBER_OF_CALL : scenario.numbers.from;
    let answer = await callOnce(addressOf(target, protocol), scenario.request(protocol, context), number);
    const next = scenario.next?.(protocol, context);
    if (next) answer = await callOnce(addressOf(target, protocol), next, number);
    const wrong = scenario.check(answer, protocol, context);
    if (wrong !== undefined) throw new Problem(`${scenario.name} ${protocol} ${target.variant}: ${wrong}`);
  }
}

export function contextOf(bench: Bench, unique: string, echoAppId: string): RequestContext {
  return { payloadBytes: bench.options.payloadBytes, store: bench.options.store, pubsub: bench.options.pubsub, topic: `bench-${unique}`, echoAppId };
}

async function startExternal(bench: Bench, scenario: LoadScenario, protocol: Protocol): Promise<Contestant> {
  const { external } = bench.options;
  if (!external?.[protocol]) throw new Problem(`${scenario.name} over ${protocol} needs --${protocol} host:port`);
  if (scenario.backends.length === 0) throw new Problem(`${scenario.name} measures the bare server; it cannot be aimed at another process`);
  if (!external.http && (scenario.prepare || scenario.app === 'events')) throw new Problem(`${scenario.name} over ${protocol} needs --http host:port too: ${scenario.prepare ? 'it is filled' : 'it is asked for its subscriptions'} there`);
  const target = await externalTarget(external);
  const context = { ...contextOf(bench, 'external', external.echoAppId), topic: external.topic };
  if (scenario.app === 'events') {
    if (external.appPort === undefined) throw new Problem(`${scenario.name}: --app-port says where the process at ${external[protocol]} expects its app; the bench answers there`);
    await bench.generator.app({ protocol: external.appProtocol, port: external.appPort, pubsub: context.pubsub, topic: context.topic });
    await until(`${external[protocol]} subscribes its app to ${context.topic}`, undefined, SUBSCRIBED_WITHIN_MS, () => isSubscribed(target.http, context.topic));
  }
  return { target, context };
}

export async function startOn(bench: Bench, scenario: Pick<LoadScenario, 'app'>, protocol: Protocol, backend: Backend, build: Build, more: { readonly retention?: string; readonly worker?: Worker } = {}): Promise<Contestant> {
  const unique = `${process.pid}-${Math.round(performance.timeOrigin + performance.now()).toString(36)}`;
  const appId = `bench-${unique}`;
  const context = contextOf(bench, unique, `${appId}-echo`);
  const variant = bench.builds.length > 1 ? `${backend} ${build.name}` : backend;
  const common = { variant, build: build.folder, backend, servers: bench.servers, inspect: bench.options.profile !== undefined, ...(more.retention === undefined ? {} : { retention: more.retention }) };
  if (scenario.app === 'echo') return { target: await startPair(bench, common, appId, protocol), context };
  if (scenario.app === 'service') return { target: await withService(bench, (servicePort) => startMecha({ ...common, appId, servicePort })), context };
  if (scenario.app === 'none') return { target: await startMecha({ ...common, appId }), context };
  if (scenario.app === 'worker') return { target: await startWithWorker(await startMecha({ ...common, ...(more.worker ? { variant: `${variant} ${more.worker}` } : {}), appId }), more.worker ?? 'javascript'), context };
  const port = await freePort();
  await bench.generator.app({ protocol, port, pubsub: PUBSUB, topic: context.topic });
  const target = await startMecha({ ...common, appId, app: { port, protocol } });
  await until(`${variant} subscribes its app`, target.child, SUBSCRIBED_WITHIN_MS, () => isSubscribed(target.http, context.topic));
  return { target, context };
}

/** What `start` starts, and behind it a service that ends with it. */
async function withService(bench: Bench, start: (servicePort: number) => Promise<Target>): Promise<Target> {
  const service = await startBare({ payloadBytes: bench.options.payloadBytes });
  try {
    const target = await start(service.http.port);
    return {
      ...target,
      async stop() {
        await target.stop();
        await service.stop();
      },
    };
  } catch (error) {
    await service.stop();
    throw error;
  }
}

/** The caller's sidecar, the app's sidecar and the app, on one data folder. */
async function startPair(bench: Bench, common: Omit<Parameters<typeof startMecha>[0], 'appId'>, appId: string, protocol: Protocol): Promise<Target> {
  const dataDir = await temporaryFolder();
  const app = await startBare({ payloadBytes: bench.options.payloadBytes });
  const started: Target[] = [app];
  const stop = async (): Promise<void> => {
    for (const one of started.toReversed()) await one.stop();
    await removeFolder(dataDir);
  };
  try {
    const callee = await startMecha({ ...common, dataDir, appId: `${appId}-echo`, app: { port: app[protocol].port, protocol } });
    started.push(callee);
    const caller = await startMecha({ ...common, dataDir, appId });
    started.push(caller);
    return { ...caller, pids: [...caller.pids, ...callee.pids], stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function progressLine(scenario: LoadScenario, protocol: Protocol, mode: Mode, taken: readonly Measurement[]): string {
  const load = mode.kind === 'closed' ? `${mode.concurrency} at a time` : `${mode.rate}/s`;
  const variants = [...new Set(taken.map(({ variant }) => variant))].map((variant) => {
    const own = taken.filter((one) => one.variant === variant);
    return `${variant} ${Math.round(median(own.map(({ perSecond }) => perSecond)))}/s p99 ${median(own.map(({ latency }) => latency.p99)).toFixed(2)} ms`;
  });
  return `  ${scenario.name} ${protocol} ${load}: ${variants.join(', ')}`;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? 0;
}
