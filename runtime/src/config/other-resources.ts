/** `kind: Subscription` and `HTTPEndpoint` (behaviour.md 1.6, 1.7). */
import { nearest } from '@mecha/components/kit/nearest.ts';
import type { AppSubscription } from '../channel/channel.ts';
import { metadataItems, valueOrSecret } from './component-resource.ts';
import type { Envelope } from './resource-envelope.ts';
import type { HttpEndpointResource, HttpEndpointTls, SubscriptionResource } from './resource-types.ts';
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
  const { name, secretStore, scopes } = envelope;
  return { kind: 'HTTPEndpoint', name, baseUrl, headers: metadataItems(spec.get('headers')), clientTls: tlsOf(spec.get('clientTLS'), baseUrl), secretStore, scopes, source: document.source };
}

const RENEGOTIATION = ['RenegotiateNever', 'RenegotiateOnceAsClient', 'RenegotiateFreelyAsClient'];

function tlsOf(view: YamlView | undefined, baseUrl: string): HttpEndpointTls | undefined {
  if (!view) return undefined;
  view.allow(['rootCA', 'certificate', 'privateKey', 'renegotiation']);
  const renegotiation = view.get('renegotiation');
  const word = renegotiation?.text();
  if (word !== undefined && !RENEGOTIATION.includes(word)) renegotiation?.error(`must be one of ${RENEGOTIATION.join(', ')}, not '${word}'`, nearest(word, RENEGOTIATION));
  else if (word === 'RenegotiateOnceAsClient') renegotiation?.warning('renegotiation is allowed or not, and never counted: this is read as RenegotiateFreelyAsClient');
  if (!/^https:/i.test(baseUrl)) view.warning('clientTLS has no effect on a baseUrl that begins with http://');
  const [rootCA, certificate, privateKey] = (['rootCA', 'certificate', 'privateKey'] as const).map((name) => {
    const item = view.get(name);
    return item && valueOrSecret(item, name);
  });
  if (!certificate !== !privateKey) view.error('certificate and privateKey go together: the other one is missing');
  return { ...(rootCA ? { rootCA } : {}), ...(certificate ? { certificate } : {}), ...(privateKey ? { privateKey } : {}), renegotiates: word !== undefined && word !== 'RenegotiateNever' };
}
