/** What a scenario is: either a load that is put on every target, or a measurement of its own. */
import type { GrpcRequest, HttpRequest, Load, Numbers } from '../load/plan.ts';
import type { Fact, Measurement } from '../report/results.ts';
import type { Backend } from '../targets/mecha.ts';
import type { Protocol, Target } from '../targets/target.ts';
import type { Bench } from '../bench.ts';

/** What requests are made of; the same for every target of a scenario. */
export interface RequestContext {
  readonly payloadBytes: number;
  readonly store: string;
  readonly pubsub: string;
  readonly topic: string;
  /** Id of the app that invocation calls. */
  readonly echoAppId: string;
}

export interface LoadScenario {
  readonly kind: 'load';
  readonly name: string;
  readonly words: string;
  /** Backends of a sidecar that it is meaningful on; empty = the bare server alone. */
  readonly backends: readonly Backend[];
  /** Whether a bare server can stand in: it is the unit of the ratios then. */
  readonly bare: boolean;
  readonly protocols: readonly Protocol[];
  /** `events`: an app that takes the events of the topic. `echo`: an app behind a second sidecar. `worker`: one that runs workflows. `service`: what the binding `web` calls. */
  readonly app: 'none' | 'events' | 'echo' | 'worker' | 'service';
  readonly numbers: Numbers;
  readonly ends: Load['ends'];
  /** No number is used twice. */
  readonly unique?: boolean;
  /** Operations per second of the open loop, unless given. */
  readonly openRate: number;
  /** Puts into a target what the requests need. */
  readonly prepare?: (target: Target, context: RequestContext) => Promise<void>;
  request(protocol: Protocol, context: RequestContext): HttpRequest | GrpcRequest;
  /** Asked when the first has been answered: an operation of two requests. `check` sees the answer to the last. */
  next?(protocol: Protocol, context: RequestContext): HttpRequest | GrpcRequest;
  /** What is wrong with the answer to one request, if anything. The bytes are the body or the message. */
  check(answer: Buffer, protocol: Protocol, context: RequestContext): string | undefined;
}

export interface OwnScenario {
  readonly kind: 'own';
  readonly name: string;
  readonly words: string;
  /** Whether it can be aimed at a process that runs already. */
  readonly external: false;
  run(bench: Bench): Promise<{ readonly measurements: readonly Measurement[]; readonly facts: readonly Fact[] }>;
}

export type Scenario = LoadScenario | OwnScenario;
