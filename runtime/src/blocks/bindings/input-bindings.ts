/**
 * All input bindings of one app: which of them the app wants, and when each of them flows.
 *
 * Owns: asking the app, again and again until it answers; pausing intake while the app is away. Does not own: one intake's life
 * at its component (`../../intake.ts`), or what becomes of an event (`event-delivery.ts`).
 *
 * Rules
 *  1. A binding whose `direction` names input is read as soon as the app is there; one whose `direction` does not is never
 *     read; any other when the app wants it.
 *  2. The app is asked for each binding by itself, anew each time it comes. No answer, a late one, 408, 429 and 5xx are no
 *     answers: it is asked again with back-off for as long as it is there, and other bindings do not wait for that.
 *  3. What already flows goes on while the app is asked again, and ends when it no longer wants it.
 */
import type { Clock, Ledger } from '@mecha/components/kit';
import type { AppBindingReply, AppChannel, AppMonitor, AppPresence } from '../../channel/channel.ts';
import type { ComponentLookup, Instance } from '../../component-set.ts';
import { messageOf } from '../../errors.ts';
import { Intake, type IntakeState } from '../../intake.ts';
import type { Part } from '../../lifecycle.ts';
import { createLogLimit } from '../../log-limit.ts';
import type { Resend, Resent, ResentEvent } from '../../resend.ts';
import type { Call } from '../../pipeline.ts';
import type { Resilience } from '../../resilience/resilience.ts';
import type { Log } from '../../telemetry/log.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import { childTrace, type TraceContext } from '../../telemetry/trace.ts';
import { waitFor } from '../../wait.ts';
import type { BindingsBlock } from './bindings.ts';
import { directionOf, routeOf } from './direction.ts';
import { createEventDelivery, type EventDelivery } from './event-delivery.ts';

/** Of the state block, what an app's answer may need. */
export interface SavesState {
  save(call: Call, request: { readonly store: string; readonly items: AppBindingReply['states'] }): Promise<void>;
}

export interface InputBindingsParts {
  readonly appId: string;
  readonly components: ComponentLookup;
  readonly block: BindingsBlock;
  readonly state: SavesState;
  readonly channel: AppChannel | undefined;
  readonly monitor: AppMonitor;
  /** How long the app may take to say whether it wants a binding (`--app-binding-options-timeout`). */
  readonly askTimeoutMs: number;
  readonly ledger: Pick<Ledger, 'commit'>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly resilience: Resilience;
}

export interface InputBindingView {
  readonly binding: string;
  readonly route: string;
  /** `unwanted`: the app said that it does not want it. */
  readonly state: IntakeState | 'unwanted';
  /** Why it does not flow; absent while it does. */
  readonly reason?: string;
}

export interface InputBindings extends Part {
  list(): readonly InputBindingView[];
  /** A dead letter of a binding: to the app, past the source. */
  readonly resend: Resend;
}

const ASK_FIRST_MS = 200;
const ASK_MOST_MS = 10_000;
/** After a delivery that found nobody there, intake rests at least this long. */
const HOLD_MS = 500;
const LOG_INTERVAL_MS = 30_000;

export function createInputBindings(parts: InputBindingsParts): InputBindings {
  return new InputBook(parts);
}

/** One binding that may be read. */
interface Input {
  readonly name: string;
  readonly route: string;
  readonly asks: boolean;
  readonly intake: Intake;
  readonly delivery: EventDelivery;
  /** As far as is known; undefined: the app has not said yet. */
  wanted: boolean | undefined;
}

class InputBook implements InputBindings {
  readonly name = 'input bindings';
  readonly #parts: InputBindingsParts;
  readonly #inputs: Input[] = [];
  readonly #mayLog: (key: string) => number | undefined;
  readonly #unsubscribe: (() => void)[] = [];
  readonly #draining = new AbortController();
  readonly #cut = new AbortController();
  /** Those who hold an event until the app is back. */
  readonly #waiting = new Set<() => void>();
  #appIsUp = false;
  #held = false;
  /** Ends the asking of one coming of the app. */
  #coming = new AbortController();

  constructor(parts: InputBindingsParts) {
    this.#parts = parts;
    this.#mayLog = createLogLimit(parts.clock, LOG_INTERVAL_MS);
  }

  start(): void {
    const { channel, monitor, components, log } = this.#parts;
    const readable = components.all('bindings').filter(({ port, metadata }) => port.start && directionOf(metadata).input !== 'never');
    if (readable.length === 0) return;
    if (!channel || monitor.presence === 'none') {
      log.warn({ bindings: readable.map(({ name }) => name) }, 'there are input bindings but no app port to deliver to');
      return;
    }
    for (const instance of readable) this.#inputs.push(this.#inputOf(instance, channel));
    this.#unsubscribe.push(
      components.onChange(({ name, state }) => {
        if (state === 'ready') for (const input of this.#inputs) if (input.name === name) input.intake.componentReady();
      }),
      monitor.onChange((presence) => this.#onPresence(presence)),
    );
    this.#onPresence(monitor.presence);
  }

  async drain(signal: AbortSignal): Promise<void> {
    this.#draining.abort();
    this.#coming.abort();
    for (const unsubscribe of this.#unsubscribe.splice(0)) unsubscribe();
    this.#letGo();
    const end = (): void => this.#cut.abort();
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
    await Promise.all(this.#inputs.map(({ intake }) => intake.close()));
    signal.removeEventListener('abort', end);
  }

  stop(): Promise<void> {
    return this.drain(AbortSignal.abort());
  }

  list(): readonly InputBindingView[] {
    return this.#inputs.map(({ name, route, intake, wanted }) => ({
      binding: name,
      route,
      state: wanted === false ? 'unwanted' : intake.state,
      ...(intake.reason === undefined ? {} : { reason: intake.reason }),
    }));
  }

  readonly resend = async ({ component, topic: _, ...event }: ResentEvent, signal: AbortSignal): Promise<Resent> => {
    const input = this.#inputs.find(({ name }) => name === component);
    if (!input) return { outcome: 'no-receiver', reason: `no input binding ${component} is read for the app` };
    if (!this.#appIsUp) return { outcome: 'away', reason: 'waiting for the app' };
    if (input.wanted === false) return { outcome: 'no-receiver', reason: `the app does not want binding ${component}` };
    return input.delivery.resend(event, signal);
  };

  #inputOf(instance: Instance<'bindings'>, channel: AppChannel): Input {
    const { appId, components, clock, random, log, metrics, ledger, resilience } = this.#parts;
    const { name } = instance;
    const route = routeOf(name, instance.metadata);
    const delivery = createEventDelivery({
      appId, binding: name, route, channel, ledger, clock, random, log, metrics,
      source: instance.port,
      carryOut: (reply, trace, signal) => this.#carryOut(reply, trace, signal),
      policy: resilience.forComponent(name, 'Binding', 'inbound'),
      onAway: (reason) => this.#hold(reason),
      appBack: () => this.#appBack(),
      draining: this.#draining.signal,
      cut: this.#cut.signal,
    });
    const intake = new Intake({
      words: `input binding ${name}`, fields: { binding: name }, clock, random, log,
      async open() {
        const port = components.ready(instance);
        if (!port.start) throw new Error(`binding ${name} has no input`);
        return port.start({ deliver: delivery.deliver });
      },
    });
    return { name, route, intake, delivery, asks: directionOf(instance.metadata).input === 'maybe', wanted: undefined };
  }

  #onPresence(presence: AppPresence): void {
    if (this.#draining.signal.aborted) return;
    this.#coming.abort();
    this.#appIsUp = presence === 'up';
    this.#setFlows();
    if (!this.#appIsUp) return;
    this.#letGo();
    this.#coming = new AbortController();
    for (const input of this.#inputs) if (input.asks) void this.#ask(input, this.#coming.signal);
  }

  /** Asks until there is an answer or the app is gone. Never rejects. */
  async #ask(input: Input, gone: AbortSignal): Promise<void> {
    const { clock, random, log } = this.#parts;
    for (let failures = 0; !gone.aborted; failures++) {
      try {
        const wanted = await this.#askOnce(input, gone);
        if (gone.aborted) return;
        if (wanted !== input.wanted) log.info({ binding: input.name, route: input.route }, wanted ? `the app reads binding ${input.name}` : `the app does not want binding ${input.name}`);
        input.wanted = wanted;
        this.#setFlows();
        return;
      } catch (error) {
        if (gone.aborted) return;
        const reason = `the app has not said whether it wants binding ${input.name}: ${messageOf(error)}`;
        if (input.wanted === undefined) input.intake.setFlow(false, reason);
        const delayMs = Math.min(ASK_MOST_MS, ASK_FIRST_MS * 2 ** Math.min(failures, 10)) * (0.75 + 0.25 * random());
        if (this.#mayLog(reason) !== undefined) log.warn({ binding: input.name, retryInMs: Math.round(delayMs) }, `${reason}; it is asked again`);
        await waitFor(clock, delayMs, gone);
      }
    }
  }

  async #askOnce({ name, route }: Input, gone: AbortSignal): Promise<boolean> {
    const { askTimeoutMs, channel, clock } = this.#parts;
    const late = new AbortController();
    const cancel = clock.after(askTimeoutMs, () => late.abort());
    try {
      return (await channel?.wantsBinding({ name, route }, AbortSignal.any([gone, late.signal]))) ?? false;
    } catch (error) {
      throw late.signal.aborted ? new Error(`no answer within ${askTimeoutMs} ms`, { cause: error }) : error;
    } finally {
      cancel();
    }
  }

  #setFlows(): void {
    for (const { intake, asks, wanted } of this.#inputs) {
      const reason = !this.#appIsUp ? 'waiting for the app' : this.#held ? 'the app could not be reached' : wanted === false ? 'the app does not want it' : 'waiting for the app to say whether it wants it';
      intake.setFlow(this.#appIsUp && !this.#held && (!asks || wanted === true), reason);
    }
  }

  /** Everything rests for a moment, so that what is handed back does not return at once. */
  #hold(reason: string): void {
    const { monitor, clock, log } = this.#parts;
    if (this.#held || this.#draining.signal.aborted) return;
    this.#held = true;
    log.debug({}, `input bindings rest: ${reason}`);
    this.#setFlows();
    monitor.suspect();
    clock.after(HOLD_MS, () => {
      this.#held = false;
      if (this.#draining.signal.aborted) return;
      this.#setFlows();
      if (this.#appIsUp) this.#letGo();
    });
  }

  #appBack(): Promise<void> {
    if (this.#draining.signal.aborted) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.add(resolve));
  }

  #letGo(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }

  /** State first, then the bindings, so that whoever they wake finds it. Rejects with the first failure. */
  async #carryOut(reply: AppBindingReply, trace: TraceContext, signal: AbortSignal): Promise<void> {
    const call = (operation: string): Call => ({ operation, protocol: 'internal', trace: childTrace(trace), signal });
    if (reply.states.length > 0) await this.#parts.state.save(call('state.save'), { store: reply.storeName, items: reply.states });
    const invoke = async (binding: string): Promise<void> => {
      const response = await this.#parts.block.invoke(call('bindings.invoke'), { binding, operation: 'create', data: reply.data, metadata: {} });
      const data = response?.data;
      if (data !== undefined && !(data instanceof Uint8Array)) data.destroy();
    };
    if (reply.parallel) {
      // All have ended before the event may come again: what it asks for is never under way twice.
      const outcomes = await Promise.allSettled(reply.to.map(invoke));
      for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason as Error;
    } else for (const binding of reply.to) await invoke(binding);
  }
}
