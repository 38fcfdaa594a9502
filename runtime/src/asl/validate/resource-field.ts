/** Resource: whether it names work that exists, and that this kind of machine may do. */
import { nearest } from '@mecha/components/kit/nearest.ts';
import type { Json } from '../json.ts';
import { MECHA_BLOCKS, parseResource, type Resource } from '../resource.ts';
import type { Context, ResourceRole } from './context.ts';
import { checkText } from './values.ts';

export function checkResource(context: Context, value: Json, location: string): void {
  if (!checkText(context, value, location)) return;
  const resource = parseResource(value);
  if (!resource) {
    context.diagnostics.error(location, `The resource provided ${value} is not recognized. The value is not a valid resource ARN, or the resource is not available in this region.`, hintFor(value));
    return;
  }
  if (context.express) {
    if (resource.family === 'activity') context.diagnostics.error(location, 'Express state machine does not support Activity ARN');
    else if (resource.pattern === 'token') context.diagnostics.error(location, "Express state machine does not support '.waitForTaskToken' service integration");
    else if (resource.pattern !== 'request') context.diagnostics.error(location, "Express state machine does not support '.sync' service integration");
  }
  checkRefused(context, resource, location, 'task');
}

/** Readers and writers of a distributed Map: whether this host has them. */
export function checkMapResource(context: Context, value: Json, location: string, role: ResourceRole): void {
  const resource = checkText(context, value, location) ? parseResource(value) : undefined;
  if (resource) checkRefused(context, resource, location, role);
}

function checkRefused(context: Context, resource: Resource, location: string, role: ResourceRole): void {
  const refused = context.refuse?.(resource, role);
  if (refused !== undefined) context.diagnostics.error(location, `The resource ${resource.arn} is not supported`, refused, 'NOT_SUPPORTED');
}

function hintFor(arn: string): string {
  const [, partition, service = '', ...rest] = arn.split(':');
  if (partition === 'mecha') {
    const block = nearest(service, MECHA_BLOCKS);
    if (!(MECHA_BLOCKS as readonly string[]).includes(service)) return `the blocks are ${MECHA_BLOCKS.join(', ')}${block === undefined ? '' : `; did you mean '${block}'?`}`;
    return /\.sync/.test(rest.join(':')) ? "'.sync' exists for arn:mecha:workflow:::<name>:start" : 'arn:mecha:<block>:::<component>:<operation>';
  }
  return 'arn:aws:states:::<service>:<action>, an activity, a function, or arn:mecha:<block>:::<component>:<operation>';
}
