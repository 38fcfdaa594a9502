import { describe, expect, test } from 'vitest';
import { RouteInvalid, RoutingFailed, compileRoutes } from './routing.ts';
import { topicScopesOf } from './scopes.ts';

const EVENT = {
  type: 'order.placed', source: 'shop', id: '1', __proto__: null,
  data: { size: 5, price: 2.5, name: 'Widget', tags: ['a', 'b'], items: [{ n: 1 }, { n: 3 }], nested: { deep: { yes: true } }, important: true, nothing: null },
};
const holds = async (match: string, event: Record<string, unknown> = EVENT) => (await compileRoutes([{ match, path: '/yes' }])).pathFor(event) === '/yes';

describe('routing rules', () => {
  test('are tried in the order written, and the default comes last', async () => {
    const router = await compileRoutes([
      { match: 'event.type == "a"', path: '/a' },
      { match: 'event.type.startsWith("order.")', path: '/orders' },
      { match: 'event.source == "shop"', path: '/shop' },
      { match: '', path: '/rest' },
    ]);
    expect(router.pathFor(EVENT)).toBe('/orders');
    expect(router.pathFor({ type: 'x', source: 'shop' })).toBe('/shop');
    expect(router.pathFor({ type: 'x', source: 'y' })).toBe('/rest');
  });

  test('without a rule that holds there is no path, and none at all without rules', async () => {
    expect((await compileRoutes([{ match: 'event.type == "a"', path: '/a' }])).pathFor(EVENT)).toBeUndefined();
    expect((await compileRoutes([])).pathFor(EVENT)).toBeUndefined();
  });

  test('speak CEL as existing rules do', async () => {
    for (const match of [
      'event.type == "order.placed"', 'event["type"] == "order.placed"', 'event.type.endsWith("placed") && event.source in ["shop", "till"]',
      'has(event.data.size)', '!has(event.data.absent)', 'int(event.data.size) < 100', 'event.data.size < 100', 'event.data.size == 5', 'event.data.price > 2',
      'event.data.important', 'event.data.important == true', 'event.data.nested.deep.yes', 'event.data.nothing == null', 'size(event.data.tags) == 2',
      'event.data.tags.exists(t, t == "b")', 'event.data.items.all(i, i.n > 0)', 'event.data.items.filter(i, i.n > 2).size() == 1', 'event.data.name.contains("idg")',
      'event.type.matches("^order\\\\.")', 'event.data.name.matches("(?i)^WIDGET$")', 'matches(event.type, "placed$")', 'event.data.absent == 1 || event.data.important',
      'event.type == "x" ? false : true', '"event.type.matches(1)" != "" && event . type . matches("p")',
    ]) expect([match, await holds(match)]).toEqual([match, true]);
    for (const match of ['event.type == "x"', 'event.data.size > 5', 'event.type.matches("^placed")', 'event.data.name == 1']) expect([match, await holds(match)]).toEqual([match, false]);
  });

  test('that touch what is not there, or yield no bool, fail for this event alone', async () => {
    for (const match of ['event.data.absent == 1', 'event.absent.size < 3', 'other == 1', 'event.data.size', 'event.data.size > "a"', 'event.constructor == 1', 'event.data.name.matches("(")']) {
      const router = await compileRoutes([{ match, path: '/x' }]);
      expect(() => router.pathFor(EVENT)).toThrow(RoutingFailed);
    }
  });

  test('that are no expressions, or too large ones, are refused when they are compiled', async () => {
    const tooDeep = `${'('.repeat(200)}true${')'.repeat(200)}`;
    for (const match of ['event.type ==', '"text"', '1 + 1', 'true && '.repeat(700) + 'true', 'event.type == "' + 'x'.repeat(5000) + '"', tooDeep, 'noSuchFunction(event)']) {
      await expect(compileRoutes([{ match, path: '/x' }])).rejects.toThrow(RouteInvalid);
    }
  });

  test('cannot be made to run for long by an event', async () => {
    const evil = { ...EVENT, data: { text: 'a'.repeat(200_000), list: Array.from({ length: 100_000 }, (_, index) => index) } };
    expect(await holds('event.data.text.matches("^(a+)+$")', evil)).toBe(true);
    expect(await holds('event.data.text.matches("^(a+)+b$")', evil)).toBe(false);
    const router = await compileRoutes([{ match: 'event.data.list.all(x, event.data.list.exists(y, y == x + 0.5))', path: '/x' }, { match: 'event.data.list.all(x, event.data.list.all(y, y >= 0))', path: '/y' }]);
    expect(() => router.pathFor(evil)).toThrow(RoutingFailed);
    expect(() => router.pathFor({ data: { list: evil.data.list.map(Number) } })).toThrow(/took longer|could not be evaluated/);
  });
});

describe('topic scopes', () => {
  const decide = (metadata: Record<string, string>, topic: string, app = 'app1') => {
    const scopes = topicScopesOf(metadata);
    return [scopes.isAllowed(app, topic, 'publish'), scopes.isAllowed(app, topic, 'subscribe')];
  };

  test('without entries everything is allowed', () => expect(decide({}, 'a')).toEqual([true, true]));
  test('allowedTopics closes all others, in any spelling of its name and with blanks', () => {
    expect(decide({ AllowedTopics: 'a, b' }, 'b')).toEqual([true, true]);
    expect(decide({ allowedTopics: 'a,b' }, 'c')).toEqual([false, false]);
  });
  test('a listed app is held to its list, in that direction only', () => {
    const metadata = { publishingScopes: 'app1=a,b;app2=c; app3=', subscriptionScopes: 'app2=a' };
    expect(decide(metadata, 'a')).toEqual([true, true]);
    expect(decide(metadata, 'c')).toEqual([false, true]);
    expect(decide(metadata, 'a', 'app3')).toEqual([false, true]);
    expect(decide(metadata, 'a', 'app4')).toEqual([true, true]);
    expect(decide(metadata, 'b', 'app2')).toEqual([false, false]);
  });
  test('a protected topic needs an explicit grant', () => {
    const metadata = { protectedTopics: 'a', publishingScopes: 'app1=a', subscriptionScopes: 'nothing' };
    expect(decide(metadata, 'a')).toEqual([true, false]);
    expect(decide(metadata, 'a', 'app2')).toEqual([false, false]);
  });
  test('a grant does not open what allowedTopics closes, and wildcards are letters', () => {
    expect(decide({ allowedTopics: 'b', publishingScopes: 'app1=a' }, 'a')).toEqual([false, false]);
    expect(decide({ allowedTopics: 'orders/*' }, 'orders/x')).toEqual([false, false]);
  });
});
