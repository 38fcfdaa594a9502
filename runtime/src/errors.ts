/**
 * The one error type that faces render, and the closed list of kinds.
 *
 * Each block declares its codes once, with `errorTable`; the kind maps to a gRPC code here and nowhere else, and to an
 * HTTP status unless the wire contract (http-api.md 22) asks for another, which the table then says. Anything that is
 * not a `MechaError` becomes `internal` in the pipeline's single catch: stack to the log, only an id to the caller.
 */

/** kind -> [HTTP status, gRPC code] (http-api.md 3.5). */
export const KINDS = {
  cancelled: [408, 1],
  unknown: [500, 2],
  invalid: [400, 3],
  deadline: [504, 4],
  'not-found': [404, 5],
  'already-exists': [409, 6],
  denied: [403, 7],
  exhausted: [429, 8],
  precondition: [400, 9],
  conflict: [409, 10],
  unimplemented: [501, 12],
  internal: [500, 13],
  unavailable: [503, 14],
  unauthenticated: [401, 16],
} as const;
export type ErrorKind = keyof typeof KINDS;

/** google.rpc details, in the order in which they are sent. */
export type ErrorDetail =
  | { readonly type: 'ErrorInfo'; readonly reason: string; readonly metadata?: Readonly<Record<string, string>> | null }
  | { readonly type: 'ResourceInfo'; readonly resourceType: string; readonly resourceName: string; readonly description?: string }
  | { readonly type: 'BadRequest'; readonly violations: readonly { readonly field: string; readonly description: string }[] }
  | { readonly type: 'Help'; readonly links: readonly { readonly url: string; readonly description: string }[] };

export interface MechaErrorInit {
  /** Stable code: `ERR_STATE_GET`. */
  readonly code: string;
  readonly kind: ErrorKind;
  readonly message: string;
  /** When the contract's HTTP status is not the kind's. */
  readonly httpStatus?: number;
  /** When the contract's gRPC code is not the kind's. */
  readonly grpcCode?: number;
  /** Shown over HTTP and gRPC (a rich error). */
  readonly details?: readonly ErrorDetail[];
  /** Shown over gRPC only, where the HTTP body is a legacy one (grpc-api.md 4.4). */
  readonly grpcDetails?: readonly ErrorDetail[];
  /** The gRPC text where it differs from HTTP's. */
  readonly grpcMessage?: string;
  /** Seconds for a Retry-After header. */
  readonly retryAfterSeconds?: number;
  /** What the caller learns in spite of the failure: response headers `metadata.<name>`. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** The whole HTTP body and its content type, where the contract has neither error shape. */
  readonly httpBody?: { readonly contentType: string; readonly body: string };
  readonly cause?: unknown;
}

export class MechaError extends Error {
  readonly code: string;
  readonly kind: ErrorKind;
  readonly httpStatus: number;
  readonly grpcCode: number;
  readonly details: readonly ErrorDetail[];
  readonly grpcDetails: readonly ErrorDetail[];
  readonly grpcMessage: string;
  readonly retryAfterSeconds: number | undefined;
  readonly metadata: Readonly<Record<string, string>>;
  readonly httpBody: MechaErrorInit['httpBody'];

  constructor(init: MechaErrorInit) {
    super(init.message, init.cause === undefined ? undefined : { cause: init.cause });
    this.name = 'MechaError';
    this.code = init.code;
    this.kind = init.kind;
    this.httpStatus = init.httpStatus ?? KINDS[init.kind][0];
    this.grpcCode = init.grpcCode ?? KINDS[init.kind][1];
    this.details = init.details ?? [];
    this.grpcDetails = init.grpcDetails ?? init.details ?? [];
    this.grpcMessage = init.grpcMessage ?? init.message;
    this.retryAfterSeconds = init.retryAfterSeconds;
    this.metadata = init.metadata ?? {};
    this.httpBody = init.httpBody;
  }
}

/** One declared error: what never depends on the case is data, the words are made from arguments. */
export interface ErrorEntry<A extends readonly never[] = readonly never[]> {
  readonly code: string;
  readonly kind: ErrorKind;
  readonly httpStatus?: number;
  readonly grpcCode?: number;
  readonly make: (...args: A) => Omit<MechaErrorInit, 'code' | 'kind' | 'httpStatus' | 'grpcCode'> & { readonly httpStatus?: number; readonly grpcCode?: number };
}

/** Every declared error by block, for the test that compares them with the docs. */
export const declaredErrors = new Map<string, Readonly<Record<string, { readonly code: string; readonly kind: ErrorKind }>>>();

/**
 * Declares a block's errors once:
 * `const errors = errorTable('state', { storeNotFound: { code: 'ERR_STATE_STORE_NOT_FOUND', kind: 'invalid', make: (store: string) => ({ message: ... }) } })`
 * and `throw errors.storeNotFound('x')`.
 */
export function errorTable<const T extends Record<string, ErrorEntry>>(
  block: string,
  entries: T,
): { readonly [K in keyof T]: (...args: Parameters<T[K]['make']>) => MechaError } {
  declaredErrors.set(block, entries);
  const made = Object.entries(entries).map(([name, entry]) => [
    name,
    (...args: never[]) => {
      const { make, ...fixed } = entry;
      return new MechaError({ ...fixed, ...make(...args) });
    },
  ]);
  return Object.fromEntries(made) as { readonly [K in keyof T]: (...args: Parameters<T[K]['make']>) => MechaError };
}

/** The text of an error as it may be shown to a caller: message only, never a stack. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
