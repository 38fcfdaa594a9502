// Written by scripts/generate-catalog.ts; do not edit.
import type { ComponentDefinition } from './kit/component.ts';

/** A component of the shelf, as far as it is known without loading it. */
export interface CatalogEntry {
  readonly type: string;
  readonly aliases: readonly string[];
  readonly versions: readonly string[];
  readonly status: 'stable' | 'beta' | 'alpha';
  readonly title: string;
  readonly load: () => Promise<{ readonly default: ComponentDefinition }>;
}

export const catalog: readonly CatalogEntry[] = [
  {
    type: 'bindings.cron',
    aliases: [],
    versions: ['v1'],
    status: 'stable',
    title: 'Cron',
    load: () => import('./cron/binding.ts') as Promise<{ default: ComponentDefinition }>,
  },
  {
    type: 'bindings.http',
    aliases: [],
    versions: ['v1'],
    status: 'stable',
    title: 'HTTP',
    load: () => import('./http/binding.ts') as Promise<{ default: ComponentDefinition }>,
  },
  {
    type: 'bindings.localstorage',
    aliases: [],
    versions: ['v1'],
    status: 'stable',
    title: 'Local folder',
    load: () => import('./local/storage.ts') as Promise<{ default: ComponentDefinition }>,
  },
  {
    type: 'bindings.openapi',
    aliases: [],
    versions: ['v1'],
    status: 'beta',
    title: 'OpenAPI document',
    load: () => import('./openapi/binding.ts') as Promise<{ default: ComponentDefinition }>,
  },
  {
    type: 'bindings.smtp',
    aliases: [],
    versions: ['v1'],
    status: 'stable',
    title: 'SMTP mail',
    load: () => import('./smtp/binding.ts') as Promise<{ default: ComponentDefinition }>,
  },
  {
    type: 'pubsub.in-memory',
    aliases: [],
    versions: ['v1'],
    status: 'stable',
    title: 'In memory',
    load: () => import('./in-memory/pubsub.ts') as Promise<{ default: ComponentDefinition }>,
  },
  {
    type: 'pubsub.kafka',
    aliases: [],
    versions: ['v1'],
    status: 'stable',
    title: 'Apache Kafka',
    load: () => import('./kafka/pubsub.ts') as Promise<{ default: ComponentDefinition }>,
  },
  {
    type: 'pubsub.redis',
    aliases: [],
    versions: ['v1'],
    status: 'stable',
    title: 'Redis Streams',
    load: () => import('./redis/pubsub.ts') as Promise<{ default: ComponentDefinition }>,
  },
  {
    type: 'pubsub.sqlite',
    aliases: [],
    versions: ['v1'],
    status: 'stable',
    title: 'SQLite (embedded broker)',
    load: () => import('./sqlite/pubsub.ts') as Promise<{ default: ComponentDefinition }>,
  },
  {
    type: 'secretstores.local.env',
    aliases: [],
    versions: ['v1'],
    status: 'stable',
    title: 'Environment variables',
    load: () => import('./local/env.ts') as Promise<{ default: ComponentDefinition }>,
  },
  {
    type: 'secretstores.local.file',
    aliases: [],
    versions: ['v1'],
    status: 'stable',
    title: 'JSON file',
    load: () => import('./local/file.ts') as Promise<{ default: ComponentDefinition }>,
  },
  {
    type: 'state.in-memory',
    aliases: [],
    versions: ['v1'],
    status: 'stable',
    title: 'In memory',
    load: () => import('./in-memory/state.ts') as Promise<{ default: ComponentDefinition }>,
  },
  {
    type: 'state.redis',
    aliases: [],
    versions: ['v1'],
    status: 'stable',
    title: 'Redis',
    load: () => import('./redis/state.ts') as Promise<{ default: ComponentDefinition }>,
  },
  {
    type: 'state.sqlite',
    aliases: ['state.sqlite3'],
    versions: ['v1'],
    status: 'stable',
    title: 'SQLite (embedded store)',
    load: () => import('./sqlite/state.ts') as Promise<{ default: ComponentDefinition }>,
  },
];
