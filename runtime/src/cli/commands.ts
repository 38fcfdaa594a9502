/** The commands by name, in the order in which help lists them; each is loaded only when asked for, so that a sidecar starts without the rest. */
import type { Command } from './command.ts';

export interface CommandEntry {
  readonly name: string;
  readonly load: () => Promise<Command>;
  /** One line for the list of commands. */
  readonly summary: string;
}

export const COMMANDS: readonly CommandEntry[] = [
  { name: 'sidecar', summary: 'Run a sidecar for one app', load: async () => (await import('./sidecar.ts')).sidecarCommand },
  { name: 'run', summary: 'Run apps together with their sidecars', load: async () => (await import('./run.ts')).runCommand },
  { name: 'validate', summary: 'Check resource YAML and run files', load: async () => (await import('./validate.ts')).validateCommand },
  { name: 'state', summary: 'Read and write state through a sidecar', load: async () => (await import('./state.ts')).stateCommand },
  { name: 'publish', summary: 'Publish an event through a sidecar', load: async () => (await import('./publish.ts')).publishCommand },
  { name: 'invoke', summary: 'Call a method of an app through a sidecar', load: async () => (await import('./invoke.ts')).invokeCommand },
  { name: 'workflow', summary: 'Start workflow instances and steer them', load: async () => (await import('./workflow.ts')).workflowCommand },
  { name: 'job', summary: 'Schedule jobs of an app, look at them, delete them', load: async () => (await import('./job.ts')).jobCommand },
  { name: 'dead-letters', summary: 'Look at dead letters of an app, send them again, drop them', load: async () => (await import('./dead-letters.ts')).deadLettersCommand },
  { name: 'components', summary: 'List the component types, or describe one', load: async () => (await import('./components.ts')).componentsCommand },
  { name: 'metadata', summary: 'Show what a running sidecar is and has', load: async () => (await import('./metadata.ts')).metadataCommand },
];
