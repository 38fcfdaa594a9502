/** `kind: Subscription`, `Resiliency` and `HTTPEndpoint` (behaviour.md 1.5, 1.6, 1.7). */
import { nearest } from '@mecha/components/kit/nearest.ts';
import { parseDuration } from '@mecha/components/kit/metadata.ts';
import type { AppSubscription } from '../channel/channel.ts';
import { metadataItems } from './component-resource.ts';
import type { Envelope } from './resource-envelope.ts';
import type {
  CircuitBreakerPolicy,
  HttpEndpointResource,
  PolicyNames,
  ResiliencyResource,
  RetryPolicy,
  SubscriptionResource,
} from './resource-types.ts';
import type { YamlView } from './yaml-view.ts';

const BULK_COUNT = 100;
const BULK_AWAIT_MS = 1000;

export function subscriptionResource(document: YamlView, envelope: Envelope): SubscriptionResource | undefined {
  const spec = document.get('spec');
  if (!spec) {
    document.error('a Subscription needs spec');
    return undefined;
  }
  const isV2 = envelope.apiVersion.endsWith('v2alpha1');
  spec.allow(['topic', 'pubsubname', isV2 ? 'routes' : 'route', 'metadata', 'bulkSubscribe', 'deadLetterTopic']);
  const topic = spec.get('topic')?.text();
  const pubsubName = spec.get('pubsubname')?.text();
  if (!topic) spec.error('a Subscription needs spec.topic');
  if (!pubsubName) spec.error('a Subscription needs spec.pubsubname');
  const routes = isV2 ? routesOf(spec) : routeOf(spec);
  if (!topic || !pubsubName || !routes) return undefined;
  const bulk = spec.get('bulkSubscribe');
  bulk?.allow(['enabled', 'maxMessagesCount', 'maxAwaitDurationMs']);
  const subscription: AppSubscription = {
    pubsubName,
    topic,
    routes,
    deadLetterTopic: spec.get('deadLetterTopic')?.text() ?? '',
    metadata: spec.get('metadata')?.textMap() ?? {},
    ...(bulk?.get('enabled')?.boolean()
      ? { bulk: { maxMessagesCount: bulk.get('maxMessagesCount')?.integer() || BULK_COUNT, maxAwaitDurationMs: bulk.get('maxAwaitDurationMs')?.integer() || BULK_AWAIT_MS } }
      : {}),
  };
  return { kind: 'Subscription', name: envelope.name, subscription, scopes: envelope.scopes, source: document.source };
}

function routeOf(spec: YamlView): AppSubscription['routes'] | undefined {
  const path = spec.get('route')?.text();
  if (path) return [{ match: '', path: withSlash(path) }];
  spec.error('a v1alpha1 Subscription needs spec.route');
  return undefined;
}

function routesOf(spec: YamlView): AppSubscription['routes'] | undefined {
  const routes = spec.get('routes');
  if (!routes) {
    spec.error('a v2alpha1 Subscription needs spec.routes, with rules or a default');
    return undefined;
  }
  routes.allow(['rules', 'default']);
  const rules = (routes.get('rules')?.items() ?? []).flatMap((rule) => {
    rule.allow(['match', 'path']);
    const path = rule.get('path')?.text();
    if (!path) {
      rule.error('a rule needs a path');
      return [];
    }
    return [{ match: rule.get('match')?.text() ?? '', path: withSlash(path) }];
  });
  const fallback = routes.get('default')?.text();
  if (rules.length === 0 && !fallback) {
    routes.error('spec.routes needs rules or a default: every event would be dropped');
    return undefined;
  }
  return fallback ? [...rules, { match: '', path: withSlash(fallback) }] : rules;
}

function withSlash(path: string): string {
  return path.startsWith('/') ? path : `/${path}`;
}

export function resiliencyResource(document: YamlView, envelope: Envelope): ResiliencyResource | undefined {
  const spec = document.get('spec');
  if (!spec) {
    document.error('a Resiliency needs spec');
    return undefined;
  }
  spec.allow(['policies', 'targets']);
  const policies = spec.get('policies');
  policies?.allow(['timeouts', 'retries', 'circuitBreakers']);
  const timeouts = named(policies?.get('timeouts'), (view) => durationOf(view));
  const retries = named(policies?.get('retries'), retryOf);
  const circuitBreakers = named(policies?.get('circuitBreakers'), breakerOf);
  const known = { timeout: Object.keys(timeouts), retry: Object.keys(retries), circuitBreaker: Object.keys(circuitBreakers) };

  const targets = spec.get('targets');
  targets?.allow(['apps', 'actors', 'components']);
  targets?.get('actors')?.warning('actors are not served yet; their policies have no effect');
  const apps = named(targets?.get('apps'), (view) => {
    view.allow(['timeout', 'retry', 'circuitBreaker', 'circuitBreakerCacheSize']);
    return policyNames(view, known);
  });
  const components = named(targets?.get('components'), (view) => {
    view.allow(['inbound', 'outbound']);
    const inbound = view.get('inbound');
    const outbound = view.get('outbound');
    for (const direction of [inbound, outbound]) direction?.allow(['timeout', 'retry', 'circuitBreaker']);
    return { ...(inbound ? { inbound: policyNames(inbound, known) } : {}), ...(outbound ? { outbound: policyNames(outbound, known) } : {}) };
  });
  return { kind: 'Resiliency', name: envelope.name, timeouts, retries, circuitBreakers, apps, components, scopes: envelope.scopes, source: document.source };
}

function named<T>(view: YamlView | undefined, read: (entry: YamlView) => T | undefined): Record<string, T> {
  const found: Record<string, T> = {};
  for (const [name, entry] of view?.entries() ?? []) {
    const value = read(entry);
    if (value !== undefined) Object.defineProperty(found, name, { value, enumerable: true, configurable: true, writable: true });
  }
  return found;
}

function policyNames(view: YamlView, known: { timeout: string[]; retry: string[]; circuitBreaker: string[] }): PolicyNames {
  const names: { timeout?: string; retry?: string; circuitBreaker?: string } = {};
  for (const sort of ['timeout', 'retry', 'circuitBreaker'] as const) {
    const entry = view.get(sort);
    const name = entry?.text();
    if (!entry || !name) continue;
    if (!known[sort].includes(name)) entry.error(`there is no ${sort} policy named ${name}`, nearest(name, known[sort]));
    else names[sort] = name;
  }
  return names;
}

/** Milliseconds; a bare integer is milliseconds too (behaviour.md 7.1). */
function durationOf(view: YamlView): number | undefined {
  const text = view.text();
  if (text === undefined) return undefined;
  const ms = parseDuration(text, 'ms');
  if (ms === undefined) view.error(`must be a duration such as 5s, not '${text}'`);
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
  return {
    policy: word,
    durationMs: (duration && durationOf(duration)) ?? 5000,
    maxIntervalMs: (maxInterval && durationOf(maxInterval)) ?? 60_000,
    maxRetries: view.get('maxRetries')?.integer() ?? -1,
    matching: matching && {
      httpStatusCodes: ranges(matching.get('httpStatusCodes'), 100, 599),
      gRPCStatusCodes: ranges(matching.get('gRPCStatusCodes'), 0, 16),
    },
  };
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
    maxRequests: view.get('maxRequests')?.integer() || 1,
    intervalMs: (interval && durationOf(interval)) ?? 0,
    timeoutMs: (timeout && durationOf(timeout)) || 60_000,
    trip: view.get('trip')?.text() || 'consecutiveFailures > 5',
  };
}

export function httpEndpointResource(document: YamlView, envelope: Envelope): HttpEndpointResource | undefined {
  const spec = document.get('spec');
  spec?.allow(['baseUrl', 'headers', 'clientTLS']);
  const view = spec?.get('baseUrl');
  const baseUrl = view?.text();
  if (!spec || !view || !baseUrl) {
    (spec ?? document).error('an HTTPEndpoint needs spec.baseUrl');
    return undefined;
  }
  if (!/^https?:$/.test(URL.parse(baseUrl)?.protocol ?? '')) {
    view.error('spec.baseUrl must be a URL that begins with http:// or https://');
    return undefined;
  }
  spec.get('clientTLS')?.warning('clientTLS is not served yet; it has no effect');
  return { kind: 'HTTPEndpoint', name: envelope.name, baseUrl, headers: metadataItems(spec.get('headers')), secretStore: envelope.secretStore, scopes: envelope.scopes, source: document.source };
}
