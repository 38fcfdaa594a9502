/** The errors of the bindings block (http-api.md 7, grpc-api.md 4.5). */
import { errorTable } from '../../errors.ts';

export const errors = errorTable('bindings', {
  malformed: {
    code: 'ERR_MALFORMED_REQUEST',
    kind: 'invalid',
    make: (text: string) => ({ message: `failed deserializing HTTP body: ${text}` }),
  },
  /** All that goes wrong with a call, an unknown binding included; 500 is the contract's choice. */
  failed: {
    code: 'ERR_INVOKE_OUTPUT_BINDING',
    kind: 'internal',
    make: (binding: string, text: string, more: { readonly metadata?: Readonly<Record<string, string>> | undefined; readonly cause?: unknown } = {}) => ({
      message: `error invoking output binding ${binding}: ${text}`,
      grpcDetails: [{ type: 'ErrorInfo' as const, reason: 'ERR_INVOKE_OUTPUT_BINDING' }],
      cause: more.cause,
      ...(more.metadata ? { metadata: more.metadata } : {}),
    }),
  },
  tooLong: {
    code: 'ERR_INVOKE_OUTPUT_BINDING',
    kind: 'exhausted',
    make: (binding: string, bytesMax: number) => ({ message: `error invoking output binding ${binding}: its answer is longer than ${bytesMax} bytes, the limit set by --max-body-size` }),
  },
});
