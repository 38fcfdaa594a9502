/**
 * The bindings block, output side: an operation of a binding, under the component's policy.
 *
 * Owns: whether the binding may be called (`direction`), which operations it has and which metadata they need, that the request
 * carries the trace of its call whoever calls, the policy and the measuring around it. Does not own: what a backend does, and
 * events that come in (`input-bindings.ts`).
 */
import { BindingError, checkMetadata, type BindingResponse } from '@mecha/components/kit';
import type { ComponentLookup, Instance } from '../../component-set.ts';
import { MechaError, messageOf } from '../../errors.ts';
import type { Call } from '../../pipeline.ts';
import type { Resilience } from '../../resilience/resilience.ts';
import { Timings, type Metrics } from '../../telemetry/metrics.ts';
import { errors } from './bindings-errors.ts';
import { directionOf } from './direction.ts';
import { withTrace } from './request-trace.ts';

export interface InvokeBinding {
  readonly binding: string;
  readonly operation: string;
  /** As the caller gave it: JSON text over HTTP, any bytes over gRPC. */
  readonly data: Uint8Array;
  readonly metadata: Readonly<Record<string, string>>;
}

export interface BindingsBlock {
  /** Undefined: the binding has nothing to answer. Whoever gets a stream reads it to its end or destroys it. */
  invoke(call: Call, request: InvokeBinding): Promise<BindingResponse | undefined>;
}

export interface BindingsBlockParts {
  readonly components: ComponentLookup;
  readonly metrics: Metrics;
  readonly resilience: Resilience;
}

export function createBindingsBlock(parts: BindingsBlockParts): BindingsBlock {
  const { components, metrics, resilience } = parts;
  const measured = new WeakMap<Instance<'bindings'>, Timings>();

  /** By operation and whether it succeeded: `create true`. */
  function timingsOf(instance: Instance<'bindings'>): Timings {
    let timings = measured.get(instance);
    if (!timings) {
      timings = new Timings((word) => {
        const [operation = '', success = ''] = word.split(' ');
        return metrics.timing('component_output_binding_count', 'component_output_binding_latencies', { component: instance.name, operation, success });
      });
      measured.set(instance, timings);
    }
    return timings;
  }

  function outputOf(name: string): Instance<'bindings'> {
    const instance = components.find('bindings', name);
    if (instance?.port.invoke && directionOf(instance.metadata).output) return instance;
    throw errors.failed(name, `couldn't find output binding ${name}`);
  }

  return {
    async invoke(call, { binding, operation, data, metadata }) {
      const instance = outputOf(binding);
      if (operation === '') throw errors.failed(binding, 'operation field is missing from request');
      const port = components.ready(instance);
      const { operations } = instance;
      const declared = Object.hasOwn(operations, operation) ? operations[operation] : undefined;
      if (!declared) throw errors.failed(binding, `binding ${binding} does not support operation ${operation}. supported operations:${Object.keys(operations).join(' ')}`);
      const request = { operation, data, metadata: withTrace(metadata, call.trace) };
      const began = performance.now();
      let success = false;
      try {
        checkMetadata(declared, request);
        const policy = resilience.forComponent(binding, 'Binding', 'outbound');
        const attempt = async (signal: AbortSignal): Promise<BindingResponse | undefined> => {
          const response = await port.invoke?.(request, signal);
          // It came too late: the policy has given this attempt up.
          if (signal.aborted && response?.data !== undefined && !(response.data instanceof Uint8Array)) response.data.destroy();
          return response;
        };
        const response = await (policy.active ? policy.run(call.signal, attempt) : attempt(call.signal));
        success = true;
        return response;
      } catch (error) {
        if (error instanceof MechaError) throw error;
        throw errors.failed(binding, messageOf(error), { cause: error, metadata: error instanceof BindingError ? error.response?.metadata : undefined });
      } finally {
        timingsOf(instance).record(`${operation} ${success}`, performance.now() - began);
      }
    },
  };
}
