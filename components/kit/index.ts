/** The door of the kit: what a backend needs, and what the runtime knows of backends. */
export * from './bindings.ts';
export * from './bounded-calls.ts';
export * from './component.ts';
export * from './connectable.ts';
export * from './ledger.ts';
export * from './ledger-jobs.ts';
export * from './ledger-workflow.ts';
export * from './outbox.ts';
export * from './pubsub.ts';
export * from './secret-store.ts';
export * from './sql-binding.ts';
export * from './state-store.ts';
export * from './turns.ts';
export * from './unless-aborted.ts';
