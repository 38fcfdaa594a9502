/** What is wrong with a definition, in the shape of ValidateStateMachineDefinition's answer. */

export type DiagnosticCode = 'SCHEMA_VALIDATION_FAILED' | 'INVALID_JSON_DESCRIPTION' | 'MISSING_TRANSITION_TARGET' | 'DUPLICATE_STATE_NAME' | 'UNREACHABLE_STATE' | 'MISSING_END_STATE' | 'NOT_SUPPORTED';

export interface Diagnostic {
  readonly severity: 'ERROR' | 'WARNING';
  readonly code: DiagnosticCode;
  readonly message: string;
  /** `/States/Pay/Retry/0/ErrorEquals`. */
  readonly location: string;
  /** What to do about it. */
  readonly hint?: string;
}

/** Collects diagnostics; a definition with thousands of faults is not worth all of them. */
export class Diagnostics {
  readonly list: Diagnostic[] = [];

  error(location: string, message: string, hint?: string, code: DiagnosticCode = 'SCHEMA_VALIDATION_FAILED'): void {
    this.#add({ severity: 'ERROR', code, message, location: location === '' ? '/' : location, ...(hint === undefined ? {} : { hint }) });
  }

  warning(location: string, message: string, hint?: string, code: DiagnosticCode = 'SCHEMA_VALIDATION_FAILED'): void {
    this.#add({ severity: 'WARNING', code, message, location: location === '' ? '/' : location, ...(hint === undefined ? {} : { hint }) });
  }

  get failed(): boolean {
    return this.list.some(({ severity }) => severity === 'ERROR');
  }

  /** Nothing more is kept. */
  get full(): boolean {
    return this.list.length >= DIAGNOSTICS_MAX;
  }

  #add(diagnostic: Diagnostic): void {
    if (!this.full) this.list.push(diagnostic);
  }
}

const DIAGNOSTICS_MAX = 500;
