/** Quotas that shape behaviour; the defaults are the real service's where it publishes one. */
export interface Limits {
  /** Input or output of a task, a state or an execution, in bytes of its JSON text. */
  readonly payloadBytesMax: number;
  readonly variableBytesMax: number;
  readonly assignBytesMax: number;
  readonly executionVariableBytesMax: number;
  /** Events of one execution; the next one fails it. */
  readonly historyEventsMax: number;
  /** States entered in one turn; an execution that has more to do goes on in the next one. */
  readonly transitionsPerTurnMax: number;
  readonly jsonDepthMax: number;
  readonly inlineMapConcurrencyMax: number;
  readonly mapRunConcurrencyMax: number;
  readonly mapItemsMax: number;
  readonly jsonata: {
    readonly timeoutMs: number;
    readonly depthMax: number;
    readonly sequenceMax: number;
    /** Characters of an expression. */
    readonly textMax: number;
  };
}

export const DEFAULT_LIMITS: Limits = {
  payloadBytesMax: 262_144,
  variableBytesMax: 262_144,
  assignBytesMax: 262_144,
  executionVariableBytesMax: 10 * 1024 * 1024,
  historyEventsMax: 25_000,
  transitionsPerTurnMax: 500,
  jsonDepthMax: 500,
  inlineMapConcurrencyMax: 40,
  mapRunConcurrencyMax: 1_000,
  mapItemsMax: 1_000_000,
  jsonata: { timeoutMs: 1_000, depthMax: 400, sequenceMax: 250_000, textMax: 65_536 },
};
