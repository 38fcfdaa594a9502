/**
 * The bindings of one sidecar, both ways. Most sidecars have none: what stands behind the doors is loaded with the first call,
 * or at the start when a component reads events.
 *
 * Owns: when that is. Does not own: output (`blocks/bindings/bindings.ts`), input (`blocks/bindings/input-bindings.ts`).
 */
import type { BindingsBlock, BindingsBlockParts } from './blocks/bindings/bindings.ts';
import type { InputBindings, InputBindingsParts } from './blocks/bindings/input-bindings.ts';
import type { Part } from './lifecycle.ts';

export type BindingsParts = BindingsBlockParts & Omit<InputBindingsParts, 'block'>;

export interface Bindings extends Part {
  readonly block: BindingsBlock;
  /** Of the bindings that may be read; empty until the start. */
  list(): ReturnType<InputBindings['list']>;
}

export function createBindings(parts: BindingsParts): Bindings {
  let loading: Promise<BindingsBlock> | undefined;
  let inputs: InputBindings | undefined;
  const block: BindingsBlock = {
    async invoke(call, request) {
      loading ??= import('./blocks/bindings/bindings.ts').then(({ createBindingsBlock }) => createBindingsBlock(parts));
      return (await loading).invoke(call, request);
    },
  };
  return {
    name: 'input bindings',
    block,
    list: () => inputs?.list() ?? [],
    async start() {
      if (!parts.components.all('bindings').some(({ port }) => port.start)) return;
      const { createInputBindings } = await import('./blocks/bindings/input-bindings.ts');
      inputs = createInputBindings({ ...parts, block });
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
