/**
 * What every output binding must do: `outputBindingConformance(definition, { open, calls, wrong })` in a test file. What a
 * backend makes of its data is its own test's; here stands what the block relies on.
 */
/* oxlint-disable vitest/no-conditional-tests -- what the backend declares decides which claims hold */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BINDING_FAULTS, BindingError, checkMetadata, type Binding, type BindingRequest, type BindingResponse } from '../bindings.ts';
import type { ComponentDefinition } from '../component.ts';

export interface ConformanceCall {
  readonly operation: string;
  /** Text is taken as UTF-8. Default: the `null` that HTTP callers without data send. */
  readonly data?: string | Uint8Array;
  readonly metadata?: Readonly<Record<string, string>>;
}

export interface OutputBindingConformance {
  /** A connected instance; called once per claim that needs its own. All reach the same backend. */
  open(): Promise<Binding>;
  /** Good calls, in an order in which they can run again and again: every operation has at least one. */
  readonly calls: readonly ConformanceCall[];
  /** Calls of which each is at fault itself (metadata of a wrong form, data that is none, a target that may not be). */
  readonly wrong: readonly ConformanceCall[];
  /** A call that the backend takes long to answer, seconds at least. Absent: none can be had. */
  readonly slow?: ConformanceCall;
  /** An instance whose backend is not there: `connect` rejects, or every call does. Not connected yet. */
  away(): Binding;
  /** Texts (passwords, tokens) that no error and no answer may show. */
  readonly secrets?: readonly string[];
}

const AT_ONCE = 20;

/** The request as the block hands it over. */
export function requestOf({ operation, data = 'null', metadata = {} }: ConformanceCall): BindingRequest {
  return { operation, data: typeof data === 'string' ? Buffer.from(data) : data, metadata };
}

/** The bytes of an answer, read to the end if it is a stream. */
export async function bytesOfResponse(response: BindingResponse | undefined): Promise<Buffer> {
  const data = response?.data;
  if (data === undefined) return Buffer.alloc(0);
  if (data instanceof Uint8Array) return Buffer.from(data);
  const chunks: Buffer[] = [];
  for await (const chunk of data) chunks.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks);
}

export function outputBindingConformance(definition: ComponentDefinition<'bindings'>, options: OutputBindingConformance): void {
  const { calls, wrong, slow, secrets = [] } = options;
  const never = new AbortController().signal;
  let binding: Binding;

  async function run(instance: Binding, call: ConformanceCall, signal = never): Promise<BindingResponse | undefined> {
    const request = requestOf(call);
    const declared = (instance.operations ?? definition.operations ?? {})[call.operation];
    if (!declared) throw new Error(`${definition.type} declares no operation ${call.operation}`);
    checkMetadata(declared, request);
    return instance.invoke?.(request, signal);
  }
  const faultOf = async (work: Promise<unknown>): Promise<BindingError> => {
    const error = await work.then(() => undefined, (reason: unknown) => reason);
    expect(error).toBeInstanceOf(BindingError);
    return error as BindingError;
  };
  const hidesSecrets = (error: Error): void => {
    const causes: unknown[] = [];
    for (let at: unknown = error; at instanceof Error && causes.length < 10; at = at.cause) causes.push(at.message, at.stack);
    for (const secret of secrets) expect(JSON.stringify([causes, error])).not.toContain(secret);
  };

  describe(`${definition.type} is an output binding`, () => {
    beforeAll(async () => {
      binding = await options.open();
    });
    afterAll(async () => {
      await binding.close?.();
      await binding.close?.();
    });

    test('its capabilities say what it is, and its operations are told in words', () => {
      expect(definition.features.includes('OUTPUT_BINDING')).toBe(binding.invoke !== undefined);
      expect(definition.features.includes('INPUT_BINDING')).toBe(binding.start !== undefined);
      const operations = Object.entries(binding.operations ?? definition.operations ?? {});
      expect(operations.length).toBeGreaterThan(0);
      for (const [name, { description, metadata = {} }] of operations) {
        expect(description, name).toMatch(/\S/);
        for (const [key, words] of Object.entries(metadata)) expect(words.description, `${name}: ${key}`).toMatch(/\S/);
      }
    });

    test('every operation is among the calls', () => {
      expect(new Set(calls.map(({ operation }) => operation))).toEqual(new Set(Object.keys(binding.operations ?? definition.operations ?? {})));
    });

    test('a ping succeeds where there is one', async () => {
      await expect((async () => binding.ping?.())()).resolves.toBeUndefined();
    });

    test('every operation is done, twice over, and its answer is bytes and texts', async () => {
      for (const call of [...calls, ...calls]) {
        const response = await run(binding, call);
        await bytesOfResponse(response);
        for (const [name, value] of Object.entries(response?.metadata ?? {})) expect(typeof value, `${call.operation}: ${name}`).toBe('string');
      }
    });

    test(`${AT_ONCE} calls at a time are all answered`, async () => {
      const first = calls[0];
      if (!first) throw new Error('there must be a call');
      const answers = await Promise.all(Array.from({ length: AT_ONCE }, () => run(binding, first).then(bytesOfResponse)));
      expect(answers).toHaveLength(AT_ONCE);
    });

    test('metadata that no operation knows changes nothing', async () => {
      for (const call of calls) {
        const metadata = { ...call.metadata, traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', unheardOf: 'value', __proto__x: 'y' };
        await bytesOfResponse(await run(binding, { ...call, metadata }));
      }
    });

    test('metadata that an operation requires is named when it is missing or empty', async () => {
      for (const [operation, { metadata = {} }] of Object.entries(binding.operations ?? definition.operations ?? {})) {
        const [call] = calls.filter((one) => one.operation === operation);
        for (const [name] of Object.entries(metadata).filter(([, { required }]) => required)) {
          const { [name]: _left, ...rest } = call?.metadata ?? {};
          for (const given of [rest, { ...rest, [name]: '' }]) {
            const error = await faultOf(run(binding, { operation, ...(call?.data === undefined ? {} : { data: call.data }), metadata: given }));
            expect(error.fault).toBe('invalid-metadata');
            expect(error.message).toContain(name);
          }
        }
      }
    });

    test.each(wrong.map((call) => [JSON.stringify(call).slice(0, 200), call] as const))('a wrong call is refused as one that no repetition mends: %s', async (_text, call) => {
      const error = await faultOf(run(binding, call));
      expect(error.permanent, `${error.fault}: ${error.message}`).toBe(true);
      hidesSecrets(error);
    });

    test('no wrong call has spoiled the instance', async () => {
      for (const call of calls) await bytesOfResponse(await run(binding, call));
    });

    if (slow) {
      test('a call that is called off ends at once, and the next one is answered', async () => {
        const leave = new AbortController();
        const under = run(binding, slow, leave.signal).then(bytesOfResponse);
        leave.abort(new Error('called off'));
        await expect(under).rejects.toThrow();
        for (const call of calls) await bytesOfResponse(await run(binding, call));
      });
    }

    test('a backend that is away is named as such, with nothing secret in it', async () => {
      const away = options.away();
      const [call] = calls;
      if (!call) throw new Error('there must be a call');
      const error = await (async () => {
        await away.connect?.(AbortSignal.timeout(10_000));
        await bytesOfResponse(await run(away, call));
      })().then(() => undefined, (reason: unknown) => reason);
      expect(error).toBeInstanceOf(Error);
      hidesSecrets(error as Error);
      if (error instanceof BindingError) expect(BINDING_FAULTS.filter((fault) => !new BindingError(fault, '').permanent)).toContain(error.fault);
      await away.close?.();
    });

    test('once closed it refuses, and closing again is no error', async () => {
      const instance = await options.open();
      const [call] = calls;
      if (!call) throw new Error('there must be a call');
      await bytesOfResponse(await run(instance, call));
      await instance.close?.();
      await instance.close?.();
      if (instance.close) await expect(run(instance, call).then(bytesOfResponse)).rejects.toThrow();
    });
  });
}
