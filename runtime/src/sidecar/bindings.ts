/**
 * The bindings of one sidecar, both ways. Most sidecars have none: what stands behind the doors is loaded with the first call,
 * or at the start when a component reads events.
 *
 * Owns: when that is. Does not own: output (`blocks/bindings/bindings.ts`), input (`blocks/bindings/input-bindings.ts`).
 */
import type { BindingsBlock, BindingsBlockParts } from '../blocks/bindings/bindings.ts';
import type { InputBindings, InputBindingsParts, InputBindingView } from '../blocks/bindings/input-bindings.ts';
import type { InstanceStatus } from '../component-set.ts';
import { Lazy } from '../lazy.ts';
import type { Part } from '../lifecycle.ts';
import type { Resend } from '../resend.ts';

export type BindingsParts = BindingsBlockParts & Omit<InputBindingsParts, 'block'>;

export interface Bindings extends Part {
  /** Loads what is not there yet. */
  block(): Promise<BindingsBlock>;
  readonly resend: Resend;
  /** The statuses, and with those that are read how their events come in. */
  viewOf(statuses: readonly InstanceStatus[]): readonly (InstanceStatus & { readonly input?: InputBindingView })[];
}

export function createBindings(parts: BindingsParts): Bindings {
  const block = new Lazy(async () => (await import('../blocks/bindings/bindings.ts')).createBindingsBlock(parts));
  let inputs: InputBindings | undefined;
  return {
    name: 'input bindings',
    block: () => block.get(),
    async resend(event, signal) {
      return (await inputs?.resend(event, signal)) ?? { outcome: 'no-receiver', reason: `no input binding ${event.component} is read for the app` };
    },
    viewOf(statuses) {
      if (!inputs) return statuses;
      const byName = new Map(inputs.list().map((input) => [input.binding, input]));
      return statuses.map((status) => {
        const input = status.type.startsWith('bindings.') ? byName.get(status.name) : undefined;
        return input ? { ...status, input } : status;
      });
    },
    async start() {
      if (!parts.components.all('bindings').some(({ port }) => port.start)) return;
      const { createInputBindings } = await import('../blocks/bindings/input-bindings.ts');
      inputs = createInputBindings({ ...parts, block: await block.get() });
      await inputs.start?.();
    },
    async drain(signal) {
      await inputs?.drain?.(signal);
    },
    async stop() {
      await inputs?.stop?.();
    },
  };
}
