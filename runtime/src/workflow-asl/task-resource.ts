/** What a task may name here, and why something else is refused when a definition is loaded. */
import { nearest } from '@mecha/components/kit/nearest.ts';
import type { Resource } from '../asl/resource.ts';

export interface MechaTask {
  readonly block: string;
  /** App, store, component or job. */
  readonly target: string;
  readonly operation: string;
}

const OPERATIONS: Readonly<Record<string, readonly string[]>> = { state: ['get', 'set', 'delete'], pubsub: ['publish'], jobs: ['schedule', 'delete'], workflow: ['start', 'raise', 'terminate'], http: ['request'] };
const SUFFIX = /\.(?:waitForTaskToken|sync|sync:2)$/;

/** `arn:mecha:<block>:::<component>:<operation>`; undefined when it is none. */
export function mechaTask(arn: string): MechaTask | undefined {
  const found = /^arn:mecha:([a-z]+):[^:]*:[^:]*:(.+)$/s.exec(arn.replace(SUFFIX, ''));
  if (!found) return undefined;
  const [, block = '', rest = ''] = found;
  // Whatever has a colon of its own (a URL) comes before the operation; methods have none.
  const at = rest.lastIndexOf(':');
  return { block, target: at < 0 ? rest : rest.slice(0, at), operation: at < 0 ? '' : rest.slice(at + 1) };
}

/** Why this host cannot do it; undefined: it can. */
export function refusal(resource: Resource, role: 'task' | 'reader' | 'writer' = 'task'): string | undefined {
  if (role !== 'task') {
    const task = mechaTask(resource.arn);
    const served = task && resource.pattern === 'request' && (task.block === 'invoke' || task.block === 'http' || task.block === 'binding' || (task.block === 'state' && task.operation === (role === 'reader' ? 'get' : 'set')));
    if (!served) return `a ${role} of a distributed Map is arn:mecha:state:::<store>:${role === 'reader' ? 'get' : 'set'}, arn:mecha:binding:::<name>:<operation>, arn:mecha:invoke:::<app>:<method> or arn:mecha:http:::<app>:request`;
  }
  if (resource.saga || resource.nested || resource.family === 'activity') return undefined;
  const task = mechaTask(resource.arn);
  if (!task) return `${resource.family === 'lambda' ? 'functions' : resource.resourceType} are not served here; invoke an app with arn:mecha:invoke:::<app>:<method>, or let a worker poll an activity`;
  const { block, target, operation } = task;
  if (block === 'invoke') return target !== '' && operation !== '' ? undefined : 'arn:mecha:invoke:::<app>:<method>';
  // Which operations a binding has, its component knows; the task fails by name when it has not this one.
  if (block === 'binding') return target !== '' && operation !== '' && resource.pattern !== 'sync' ? undefined : 'arn:mecha:binding:::<name>:<operation>';
  const operations = OPERATIONS[block];
  if (!operations) return `tasks of the block '${block}' are not served yet; there are invoke, http, state, pubsub, binding, workflow, jobs, activities and nested executions`;
  if (resource.pattern === 'sync' && (block !== 'workflow' || operation !== 'start')) return "'.sync' exists for nested executions and for arn:mecha:workflow:::<name>:start";
  if (operations.includes(operation) && target !== '') return undefined;
  const meant = nearest(operation, operations);
  return `arn:mecha:${block}:::<component>:${operations.join('|')}${meant === undefined || meant === operation ? '' : `; did you mean '${meant}'?`}`;
}
