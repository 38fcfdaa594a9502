/** Reading what an HTTP app answers to `GET /dapr/subscribe` (http-api.md 21.3). */
import { BadJson, asArray, asObject, integerMember, member, parseJson, stringMapMember, stringMember, type JsonObject } from '../json/lenient-json.ts';
import type { AppSubscription } from './channel.ts';

const BULK_MESSAGES_DEFAULT = 100;
const BULK_AWAIT_DEFAULT_MS = 1000;

/**
 * The subscriptions in full form; those without any route are left out and told to `onUnusable`. Throws `BadJson`, with
 * the place named, when the body is not what the contract asks for: then no subscription of it may be started.
 */
export function parseAppSubscriptions(body: Uint8Array, onUnusable: (pubsubName: string, topic: string) => void): AppSubscription[] {
  if (body.length === 0) return [];
  const entries = asArray(parseJson(body), 'the list of subscriptions');
  const subscriptions: AppSubscription[] = [];
  for (const [index, entry] of entries.entries()) {
    const subscription = inPlace(`subscription ${index}`, () => parseSubscription(asObject(entry, 'a subscription')));
    if (subscription.routes.length === 0) onUnusable(subscription.pubsubName, subscription.topic);
    else subscriptions.push(subscription);
  }
  return subscriptions;
}

function parseSubscription(entry: JsonObject): AppSubscription {
  const pubsubName = stringMember(entry, 'pubsubname') ?? '';
  const topic = stringMember(entry, 'topic') ?? '';
  if (pubsubName === '') throw new BadJson('"pubsubname" is missing');
  if (topic === '') throw new BadJson('"topic" is missing');
  const bulk = parseBulk(entry);
  return {
    pubsubName,
    topic,
    routes: parseRoutes(entry),
    deadLetterTopic: stringMember(entry, 'deadLetterTopic') ?? '',
    metadata: stringMapMember(entry, 'metadata') ?? {},
    ...(bulk ? { bulk } : {}),
  };
}

/** The rules in their order, then the default: `routes.default`, else `route`. */
function parseRoutes(entry: JsonObject): AppSubscription['routes'] {
  const routes = asObject(member(entry, 'routes') ?? {}, '"routes"');
  const rules = asArray(member(routes, 'rules') ?? [], '"routes.rules"').map((rule, index) => {
    const where = `"routes.rules[${index}]"`;
    const fields = asObject(rule, where);
    const path = stringMember(fields, 'path') ?? '';
    if (path === '') throw new BadJson(`${where} has no path`);
    return { match: stringMember(fields, 'match') ?? '', path };
  });
  const otherwise = (stringMember(routes, 'default') ?? '') || (stringMember(entry, 'route') ?? '');
  return otherwise === '' ? rules : [...rules, { match: '', path: otherwise }];
}

function parseBulk(entry: JsonObject): AppSubscription['bulk'] {
  const bulk = asObject(member(entry, 'bulkSubscribe') ?? {}, '"bulkSubscribe"');
  const enabled = member(bulk, 'enabled') ?? false;
  if (typeof enabled !== 'boolean') throw new BadJson('"bulkSubscribe.enabled" must be true or false');
  if (!enabled) return undefined;
  return {
    maxMessagesCount: positive(bulk, 'maxMessagesCount') ?? BULK_MESSAGES_DEFAULT,
    maxAwaitDurationMs: positive(bulk, 'maxAwaitDurationMs') ?? BULK_AWAIT_DEFAULT_MS,
  };
}

/** Zero means "not given", as the contract has it. */
function positive(object: JsonObject, name: string): number | undefined {
  const value = integerMember(object, name) ?? 0;
  if (value < 0) throw new BadJson(`"bulkSubscribe.${name}" must not be negative`);
  return value === 0 ? undefined : value;
}

function inPlace<T>(where: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof BadJson) throw new BadJson(`${where}: ${error.message}`);
    throw error;
  }
}
