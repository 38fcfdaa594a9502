/** Resources of Task states: which kind of work an ARN names, and what the history calls it. */

/** How the work completes. */
export type Pattern = 'request' | 'sync' | 'sync2' | 'token';

export interface Resource {
  readonly arn: string;
  /** Decides the names of the history's events. */
  readonly family: 'task' | 'lambda' | 'activity';
  readonly pattern: Pattern;
  /** The service as the history names it: `sqs`, `aws-sdk:dynamodb`, `mecha-pubsub`. */
  readonly resourceType: string;
  /** The action with its suffix: `sendMessage.waitForTaskToken`. */
  readonly resource: string;
  readonly region: string;
  /** states:startExecution: the interpreter builds the results itself. */
  readonly nested: boolean;
  /** arn:mecha:saga:::compensate and the like: the interpreter does it itself. */
  readonly saga?: 'compensate' | 'complete';
}

/** Blocks that `arn:mecha:<block>:::<component>:<operation>` may name. */
export const MECHA_BLOCKS = ['invoke', 'state', 'pubsub', 'binding', 'secret', 'configuration', 'lock', 'jobs', 'conversation', 'actor', 'workflow', 'route', 'openapi', 'http', 'saga'] as const;
const SYNC_BLOCKS: ReadonlySet<string> = new Set(['workflow', 'jobs']);

const SUFFIX = /^(.*?)(\.waitForTaskToken|\.sync:2|\.sync)?$/s;
const PATTERNS: Readonly<Record<string, Pattern>> = { '.waitForTaskToken': 'token', '.sync': 'sync', '.sync:2': 'sync2' };
const ARN = /^arn:([a-z0-9-]+):([a-z0-9-]+):([a-z0-9-]*):([A-Za-z0-9_-]*):(.+)$/s;
/** Services whose jobs the `.sync` patterns of the real service follow. */
const DEFAULT_REGION = 'us-east-1';

/** undefined: the text names no kind of work that is known. */
export function parseResource(arn: string): Resource | undefined {
  const found = ARN.exec(arn);
  if (!found) return undefined;
  const [, partition = '', service = '', region = '', , rest = ''] = found;
  if (partition === 'mecha') return mechaResource(arn, service, rest);
  const common = { arn, region: region === '' ? DEFAULT_REGION : region, nested: false } as const;
  if (service === 'lambda' && rest.startsWith('function:')) return { ...common, family: 'lambda', pattern: 'request', resourceType: 'lambda', resource: rest };
  if (service !== 'states') return undefined;
  if (rest.startsWith('activity:')) return { ...common, family: 'activity', pattern: 'token', resourceType: 'activity', resource: rest };
  const [, action = '', suffix = ''] = SUFFIX.exec(rest) ?? [];
  const at = action.lastIndexOf(':');
  if (at <= 0 || at === action.length - 1) return undefined;
  const pattern = PATTERNS[suffix] ?? 'request';
  const resourceType = action.slice(0, at);
  if (pattern === 'sync2' && action !== 'states:startExecution') return undefined;
  return { ...common, family: 'task', pattern, resourceType, resource: rest.slice(at + 1), nested: action === 'states:startExecution' && pattern !== 'token' };
}

function mechaResource(arn: string, block: string, rest: string): Resource | undefined {
  if (!(MECHA_BLOCKS as readonly string[]).includes(block)) return undefined;
  const [, action = '', suffix = ''] = SUFFIX.exec(rest) ?? [];
  const pattern = PATTERNS[suffix] ?? 'request';
  if (pattern === 'sync2' || (pattern === 'sync' && !SYNC_BLOCKS.has(block)) || action === '') return undefined;
  const common = { arn, family: 'task', pattern, resourceType: `mecha-${block}`, resource: rest, region: 'local', nested: false } as const;
  if (block !== 'saga') return common;
  return (action === 'compensate' || action === 'complete') && pattern === 'request' ? { ...common, saga: action } : undefined;
}
