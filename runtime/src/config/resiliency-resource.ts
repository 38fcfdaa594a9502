/**
 * `kind: Resiliency` (behaviour.md 1.5, 7.1): one resource by itself, and what only all of an app's resources together can
 * tell, because a target may name a policy of another one.
 */
import { nearest } from '@mecha/components/kit/nearest.ts';
import { parseDuration } from '@mecha/components/kit/metadata.ts';
import { messageOf } from '../errors.ts';
import { BUILT_IN_RETRIES, COMPONENT_KINDS } from '../resilience/policy-names.ts';
import { compileTripRule } from '../resilience/trip-rule.ts';
import type { Envelope } from './resource-envelope.ts';
import type { AppPolicyNames, CircuitBreakerPolicy, PolicyNames, ResiliencyResource, RetryPolicy } from './resource-types.ts';
import type { YamlView } from './yaml-view.ts';

const SORTS = ['timeout', 'retry', 'circuitBreaker'] as const;
const SECTIONS = { timeout: 'timeouts', retry: 'retries', circuitBreaker: 'circuitBreakers' } as const;
const ACTOR_SCOPES = ['type', 'id', 'both'];

export function resiliencyResource(document: YamlView, envelope: Envelope): ResiliencyResource | undefined {
  const spec = document.get('spec');
  if (!spec) {
    document.error('a Resiliency needs spec');
    return undefined;
  }
  spec.allow(['policies', 'targets']);
  const policies = spec.get('policies');
  policies?.allow(Object.values(SECTIONS));
  const timeouts = named(policies?.get('timeouts'), (view) => durationOf(view));
  const retries = named(policies?.get('retries'), retryOf);
  const circuitBreakers = named(policies?.get('circuitBreakers'), breakerOf);

  const targets = spec.get('targets');
  targets?.allow(['apps', 'actors', 'components']);
  const apps = named(targets?.get('apps'), (view) => {
    view.allow([...SORTS, 'circuitBreakerCacheSize']);
    return { ...policyNames(view), ...cacheSizeOf(view) } satisfies AppPolicyNames;
  });
  const components = named(targets?.get('components'), (view) => {
    view.allow(['inbound', 'outbound']);
    const inbound = view.get('inbound');
    const outbound = view.get('outbound');
    for (const direction of [inbound, outbound]) direction?.allow(SORTS);
    if (!inbound && !outbound) view.warning('names no policy: neither inbound nor outbound is given, and defaults no longer apply');
    return { ...(inbound ? { inbound: policyNames(inbound) } : {}), ...(outbound ? { outbound: policyNames(outbound) } : {}) };
  });
  const actors = targets?.get('actors');
  actors?.warning('actors are not served yet; their policies have no effect');
  for (const [, view] of actors?.entries() ?? []) checkActor(view);
  return { kind: 'Resiliency', name: envelope.name, timeouts, retries, circuitBreakers, apps, components, scopes: envelope.scopes, source: document.source };
}

/** Trip rules that are no expressions, targets that name policies which no resource has, and defaults that are none. */
export async function checkResiliency(documents: Iterable<YamlView>): Promise<void> {
  const specs = [...documents].flatMap((document) => document.get('spec') ?? []);
  const known = { timeout: new Set<string>(), retry: new Set<string>(BUILT_IN_RETRIES), circuitBreaker: new Set<string>() };
  for (const spec of specs) {
    for (const sort of SORTS) {
      for (const [name, view] of spec.get('policies')?.get(SECTIONS[sort])?.entries() ?? []) {
        known[sort].add(name);
        checkDefaultName(name, sort, view);
        if (sort === 'circuitBreaker') await checkTrip(view.get('trip'));
      }
    }
  }
  for (const spec of specs) {
    const targets = spec.get('targets');
    const uses = [
      ...(targets?.get('apps')?.entries() ?? []),
      ...(targets?.get('actors')?.entries() ?? []),
      ...(targets?.get('components')?.entries() ?? []).flatMap(([, view]) => view.entries()),
    ];
    for (const [, use] of uses) for (const sort of SORTS) checkReference(use.get(sort), sort, known[sort]);
  }
}

function checkReference(view: YamlView | undefined, sort: string, known: ReadonlySet<string>): void {
  const name = view?.text();
  if (!view || !name || known.has(name)) return;
  view.error(`there is no ${sort} policy named ${name}`, nearest(name, known));
}

/** A name that begins like a default and is none would be in force nowhere. */
function checkDefaultName(name: string, sort: (typeof SORTS)[number], view: YamlView): void {
  if (!/^default/i.test(name)) return;
  const word = `${sort === 'timeout' ? 'Timeout' : sort === 'retry' ? 'Retry' : 'CircuitBreaker'}Policy`;
  const components = ['Component', ...COMPONENT_KINDS.map((kind) => `${kind}Component`)].flatMap((owner) => [`${owner}Inbound`, `${owner}Outbound`]);
  const defaults = ['', 'App', 'Actor', 'Component', ...components].map((owner) => `Default${owner}${word}`);
  if (!defaults.includes(name)) view.warning(`${name} begins like the name of a default policy for ${SECTIONS[sort]} and is none`, nearest(name, defaults));
}

async function checkTrip(view: YamlView | undefined): Promise<void> {
  const text = view?.text();
  if (!view || !text) return;
  try {
    await compileTripRule(text);
  } catch (error) {
    view.error(messageOf(error));
  }
}

function named<T>(view: YamlView | undefined, read: (entry: YamlView) => T | undefined): Record<string, T> {
  const found: Record<string, T> = {};
  for (const [name, entry] of view?.entries() ?? []) {
    const value = read(entry);
    if (value !== undefined) Object.defineProperty(found, name, { value, enumerable: true, configurable: true, writable: true });
  }
  return found;
}

function policyNames(view: YamlView): PolicyNames {
  const names: { timeout?: string; retry?: string; circuitBreaker?: string } = {};
  for (const sort of SORTS) {
    const name = view.get(sort)?.text();
    if (name) names[sort] = name;
  }
  return names;
}

function cacheSizeOf(view: YamlView): { readonly circuitBreakerCacheSize?: number } {
  const size = count(view.get('circuitBreakerCacheSize'));
  return size ? { circuitBreakerCacheSize: size } : {};
}

function checkActor(view: YamlView): void {
  view.allow([...SORTS, 'circuitBreakerScope', 'circuitBreakerCacheSize']);
  cacheSizeOf(view);
  const scope = view.get('circuitBreakerScope');
  const word = scope?.text();
  if (word !== undefined && !ACTOR_SCOPES.includes(word)) scope?.error(`must be one of ${ACTOR_SCOPES.join(', ')}, not '${word}'`, nearest(word, ACTOR_SCOPES));
  if (word === undefined && view.get('circuitBreaker')) view.error('a circuitBreaker of actors needs circuitBreakerScope: type, id or both');
}

/** A whole number that is not negative; 0 stands for the default. */
function count(view: YamlView | undefined): number | undefined {
  const value = view?.integer();
  if (value === undefined || value >= 0) return value;
  view?.error(`must not be negative: ${value}`);
  return undefined;
}

/** Milliseconds; a bare integer is milliseconds too (behaviour.md 7.1). */
function durationOf(view: YamlView, least = Number.NEGATIVE_INFINITY): number | undefined {
  const text = view.text();
  if (text === undefined) return undefined;
  const ms = parseDuration(text, 'ms');
  if (ms === undefined) view.error(`must be a duration such as 5s, not '${text}'`);
  else if (ms < least) view.error(`must not be negative: ${text}`);
  return ms;
}

function retryOf(view: YamlView): RetryPolicy | undefined {
  view.allow(['policy', 'duration', 'maxInterval', 'maxRetries', 'matching']);
  const word = view.get('policy')?.text()?.toLowerCase() ?? 'constant';
  if (word !== 'constant' && word !== 'exponential') {
    view.get('policy')?.error(`a retry policy is constant or exponential, not '${word}'`, nearest(word, ['constant', 'exponential']));
    return undefined;
  }
  const matching = view.get('matching');
  matching?.allow(['httpStatusCodes', 'gRPCStatusCodes']);
  const duration = view.get('duration');
  const maxInterval = view.get('maxInterval');
  const ignored = word === 'constant' ? maxInterval : duration;
  ignored?.warning(`has no effect: policy is ${word}, which ${word === 'constant' ? 'waits for duration' : 'begins with 500 ms and is capped by maxInterval'}`);
  const policy: RetryPolicy = {
    policy: word,
    durationMs: (duration && durationOf(duration, 0)) ?? 5000,
    maxIntervalMs: (maxInterval && durationOf(maxInterval, 0)) ?? 60_000,
    maxRetries: view.get('maxRetries')?.integer() ?? -1,
    matching: matching && {
      httpStatusCodes: ranges(matching.get('httpStatusCodes'), 100, 599),
      gRPCStatusCodes: ranges(matching.get('gRPCStatusCodes'), 0, 16),
    },
  };
  const waitMs = word === 'constant' ? policy.durationMs : policy.maxIntervalMs;
  if (policy.maxRetries < 0 && waitMs === 0) view.warning('tries again for ever and without a pause');
  return policy;
}

/** `"429,500-503"` */
function ranges(view: YamlView | undefined, least: number, most: number): readonly (readonly [number, number])[] {
  const text = view?.text();
  if (!view || !text) return [];
  return text.split(',').flatMap((part) => {
    const match = /^\s*(\d+)\s*(?:-\s*(\d+)\s*)?$/.exec(part);
    const from = Number(match?.[1]);
    const to = Number(match?.[2] ?? match?.[1]);
    if (!match || from < least || to > most || from > to) {
      view.error(`must be codes or ranges from ${least} to ${most}, such as ${least === 0 ? '"4,13-14"' : '"429,500-503"'}; '${part.trim()}' is none`);
      return [];
    }
    return [[from, to] as const];
  });
}

function breakerOf(view: YamlView): CircuitBreakerPolicy | undefined {
  view.allow(['maxRequests', 'interval', 'timeout', 'trip']);
  const interval = view.get('interval');
  const timeout = view.get('timeout');
  return {
    maxRequests: count(view.get('maxRequests')) || 1,
    intervalMs: (interval && durationOf(interval)) ?? 0,
    timeoutMs: (timeout && durationOf(timeout, 0)) || 60_000,
    trip: view.get('trip')?.text() || 'consecutiveFailures > 5',
  };
}
