/**
 * `spec.workflow` of a Configuration (behaviour.md 1.4): how much of workflows runs at once, and how long what has ended is kept; beside the
 * names that are known elsewhere, two of our own for how large payloads and histories may grow.
 */
import { parseDuration, parseQuantity } from '@mecha/components/kit/metadata.ts';
import type { WorkflowConfiguration } from './resource-types.ts';
import type { YamlView } from './yaml-view.ts';

const GLOBAL = ['globalMaxConcurrentWorkflowInvocations', 'globalMaxConcurrentActivityInvocations'] as const;
const FIELDS = ['maxConcurrentWorkflowInvocations', 'maxConcurrentActivityInvocations', ...GLOBAL, 'workflowConcurrencyLimits', 'activityConcurrencyLimits', 'stateRetentionPolicy', 'maxPayloadSize', 'maxHistorySize'];
const KEPT = ['anyTerminal', 'completed', 'failed', 'terminated'] as const;
const LIMITS_MAX = 1000;
const PAYLOAD_BYTES = { least: 64 * 1024, most: 128 * 1024 * 1024 };
const HISTORY_BYTES = { least: 1024 * 1024, most: 1024 * 1024 * 1024 };

export const DEFAULT_WORKFLOW_CONFIGURATION: WorkflowConfiguration = { turnsPerName: {}, activitiesPerName: {}, retention: {} };

export function workflowConfiguration(view: YamlView | undefined, before: WorkflowConfiguration): WorkflowConfiguration {
  if (!view) return before;
  view.allow(FIELDS);
  for (const name of GLOBAL) view.get(name)?.warning(`${view.field}.${name} has no effect: limits hold for each sidecar; use ${name.replace('globalMax', 'max')}`);
  const turnsMax = countOf(view.get('maxConcurrentWorkflowInvocations'), before.turnsMax);
  const activitiesMax = countOf(view.get('maxConcurrentActivityInvocations'), before.activitiesMax);
  const payloadBytesMax = sizeOf(view.get('maxPayloadSize'), PAYLOAD_BYTES) ?? before.payloadBytesMax;
  const historyBytesMax = sizeOf(view.get('maxHistorySize'), HISTORY_BYTES) ?? before.historyBytesMax;
  return {
    turnsPerName: limitsOf(view.get('workflowConcurrencyLimits')) ?? before.turnsPerName,
    activitiesPerName: limitsOf(view.get('activityConcurrencyLimits')) ?? before.activitiesPerName,
    retention: retentionOf(view.get('stateRetentionPolicy')) ?? before.retention,
    ...(turnsMax === undefined ? {} : { turnsMax }),
    ...(activitiesMax === undefined ? {} : { activitiesMax }),
    ...(payloadBytesMax === undefined ? {} : { payloadBytesMax }),
    ...(historyBytesMax === undefined ? {} : { historyBytesMax }),
  };
}

/** 0 is no limit of the user's: the sidecar's own bound holds. */
function countOf(view: YamlView | undefined, before: number | undefined): number | undefined {
  const count = view?.integer();
  if (view === undefined || count === undefined) return before;
  if (count < 0) view.error('must be a whole number from 0 on; 0 = no limit');
  return count > 0 ? count : undefined;
}

function limitsOf(list: YamlView | undefined): Readonly<Record<string, number>> | undefined {
  if (!list) return undefined;
  const limits = new Map<string, number>();
  for (const item of list.items()) {
    item.allow(['name', 'maxConcurrent']);
    const name = item.get('name')?.text() ?? '';
    const most = item.get('maxConcurrent')?.integer();
    if (name === '') item.error('a concurrency limit needs name');
    else if (limits.has(name)) item.error(`there are two concurrency limits for ${name}`);
    else if (most === undefined) item.error(`the concurrency limit for ${name} needs maxConcurrent`);
    else if (most < 0) item.get('maxConcurrent')?.error('must be a whole number from 0 on; 0 = no limit');
    else if (limits.size >= LIMITS_MAX) item.error(`there are more than ${LIMITS_MAX} concurrency limits`);
    else if (most > 0) limits.set(name, most);
  }
  return Object.fromEntries(limits);
}

function retentionOf(view: YamlView | undefined): WorkflowConfiguration['retention'] | undefined {
  if (!view) return undefined;
  view.allow(KEPT);
  const [any, completed, failed, terminated] = KEPT.map((name) => durationOf(view.get(name)));
  const kept = { completedMs: completed ?? any, failedMs: failed ?? any, terminatedMs: terminated ?? any, canceledMs: any };
  return Object.fromEntries(Object.entries(kept).filter(([, ms]) => ms !== undefined));
}

function durationOf(view: YamlView | undefined): number | undefined {
  const text = view?.text();
  if (view === undefined || text === undefined) return undefined;
  const ms = parseDuration(text, 'ms');
  if (ms === undefined || ms < 0) view.error(`must be a duration such as 24h, not '${text}'`);
  return ms;
}

function sizeOf(view: YamlView | undefined, { least, most }: { readonly least: number; readonly most: number }): number | undefined {
  const text = view?.text();
  if (view === undefined || text === undefined) return undefined;
  const bytes = parseQuantity(text);
  if (bytes !== undefined && bytes >= least && bytes <= most) return bytes;
  view.error(`must be a size from ${least / 1024}Ki to ${most / 1024 / 1024}Mi, not '${text}'`);
  return undefined;
}
