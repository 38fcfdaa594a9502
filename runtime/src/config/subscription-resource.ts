/** `kind: Subscription` (behaviour.md 1.6). */
import type { AppSubscription } from '../channel/channel.ts';
import type { Envelope } from './resource-envelope.ts';
import type { SubscriptionResource } from './resource-types.ts';
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
