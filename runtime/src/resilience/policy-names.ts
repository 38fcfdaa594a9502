/** Names that mean something by themselves, whichever resource defines them (behaviour.md 7.3, 7.4). */

/** Component categories as the names of default policies spell them. */
export const COMPONENT_KINDS = ['Binding', 'Configuration', 'Conversation', 'Crypto', 'Lock', 'Pubsub', 'Secretstore', 'Statestore'] as const;
export type ComponentKind = (typeof COMPONENT_KINDS)[number];

/** Retry policies that are there without a resource, and that one may redefine. */
export const BUILT_IN_RETRIES = ['DaprBuiltInServiceRetries', 'DaprBuiltInActorRetries', 'DaprBuiltInActorReminderRetries', 'DaprBuiltInInitializationRetries'] as const;
