/**
 * Names on the wire. An ARN's tail is the id of the thing itself: `execution:orders:7` is the id of the workflow instance. Partition,
 * region and account are read and ignored, and written as these defaults: there is one account, and it is this app.
 */
const PREFIX = 'arn:aws:states:us-east-1:000000000000:';
const ARN = /^arn:[a-z0-9-]+:states:[a-z0-9-]*:\d*:((stateMachine|execution|express|activity|mapRun):(.+))$/s;

export type ArnKind = 'stateMachine' | 'execution' | 'express' | 'activity' | 'mapRun';
export interface ParsedArn {
  readonly kind: ArnKind;
  /** `execution:orders:7` */
  readonly tail: string;
  /** `orders:7` */
  readonly rest: string;
}

/** undefined: no ARN of this service. */
export function parseArn(arn: string): ParsedArn | undefined {
  const found = ARN.exec(arn);
  return found ? { kind: found[2] as ArnKind, tail: found[1] ?? '', rest: found[3] ?? '' } : undefined;
}
export const arnOf = (tail: string): string => PREFIX + tail;
export const machineArn = (name: string): string => arnOf(`stateMachine:${name}`);
export const activityArn = (name: string): string => arnOf(`activity:${name}`);
export const executionTail = (machine: string, name: string): string => `execution:${machine}:${name}`;

/** Of an execution: the machine (with the label of a distributed Map) and its own name. */
export function executionNames(tail: string): { readonly machine: string; readonly name: string } {
  const [, machine = '', name = ''] = tail.split(':');
  return { machine, name };
}

/** All executions are workflows of this one name; which machine is an attribute, which definition the version. */
export const STATES_WORKFLOW = 'Mecha.States';
export const MACHINE_ATTRIBUTE = 'machine';
export const MAP_RUN_ATTRIBUTE = 'mapRun';
/** Of the execution that a map run belongs to; its value is `parent`. */
export const mapRunAttribute = (mapRunArn: string): string => `mapRun:${mapRunArn.slice(mapRunArn.lastIndexOf(':') + 1)}`;
/** `<machine>:<number>` and `<machine>:<alias>`, when the execution was started so. */
export const VERSION_ATTRIBUTE = 'machineVersion';
export const ALIAS_ATTRIBUTE = 'machineAlias';
/** How often it went on after an end; absent: never. */
export const REDRIVES_ATTRIBUTE = 'redrives';
/** How the undoing of its steps stands; absent as long as none was undone. */
export const SAGA_ATTRIBUTE = 'saga';
/** Tasks that this process does by itself. */
export const TASK_ACTIVITY = 'Mecha.States.Task';
/** What is said to an execution from outside travels as a raised event of this name. */
export const TOLD_EVENT = 'Mecha.States.Told';
