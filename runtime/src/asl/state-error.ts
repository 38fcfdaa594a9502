/**
 * What goes wrong in an execution: an error name and a cause, as a Catch sees them. Everything the interpreter throws on
 * purpose is one of these; anything else is a fault of the interpreter and stops the turn.
 */

export const STATES = {
  all: 'States.ALL',
  branchFailed: 'States.BranchFailed',
  dataLimitExceeded: 'States.DataLimitExceeded',
  exceedToleratedFailureThreshold: 'States.ExceedToleratedFailureThreshold',
  heartbeatTimeout: 'States.HeartbeatTimeout',
  intrinsicFailure: 'States.IntrinsicFailure',
  itemReaderFailed: 'States.ItemReaderFailed',
  noChoiceMatched: 'States.NoChoiceMatched',
  parameterPathFailure: 'States.ParameterPathFailure',
  permissions: 'States.Permissions',
  queryEvaluationError: 'States.QueryEvaluationError',
  resultPathMatchFailure: 'States.ResultPathMatchFailure',
  resultWriterFailed: 'States.ResultWriterFailed',
  runtime: 'States.Runtime',
  taskFailed: 'States.TaskFailed',
  timeout: 'States.Timeout',
} as const;

export const RESERVED_ERRORS: ReadonlySet<string> = new Set(Object.values(STATES));

/** An error name and cause; both may be missing. */
export interface Failure {
  readonly error?: string;
  readonly cause?: string;
  /** Fails the execution whatever Retry and Catch say. */
  readonly terminal?: boolean;
  /** Matches this name in ErrorEquals besides its own. */
  readonly alias?: string;
}

/** Error and cause as far as they are known. */
export function said({ error, cause }: { readonly error?: string | undefined; readonly cause?: string | undefined }): { readonly error?: string; readonly cause?: string } {
  return { ...(error === undefined ? {} : { error }), ...(cause === undefined ? {} : { cause }) };
}

export class StateError extends Error {
  readonly error: string;
  /** Whether the cause is preceded by "An error occurred while executing the state ...". */
  readonly prefixed: boolean;
  /** Set when a JSONata evaluation failed: an EvaluationFailed event is written. */
  readonly evaluation: { readonly location?: string; readonly afterEntry?: boolean } | undefined;

  constructor(error: string, cause: string, options: { readonly prefixed?: boolean; readonly evaluation?: { readonly location?: string; readonly afterEntry?: boolean } } = {}) {
    super(cause);
    this.name = 'StateError';
    this.error = error;
    this.prefixed = options.prefixed ?? true;
    this.evaluation = options.evaluation;
  }

  /** The execution cannot go on whatever Retry and Catch say. */
  get terminal(): boolean {
    return this.error === STATES.runtime;
  }
}

export const runtimeError = (cause: string, prefixed = true): StateError => new StateError(STATES.runtime, cause, { prefixed });
export const intrinsicFailure = (cause: string): StateError => new StateError(STATES.intrinsicFailure, cause);
export const queryError = (cause: string, location?: string, afterEntry?: boolean): StateError =>
  new StateError(STATES.queryEvaluationError, cause, { evaluation: { ...(location === undefined ? {} : { location }), ...(afterEntry ? { afterEntry } : {}) } });
