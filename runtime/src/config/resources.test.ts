import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { fc } from '@mecha/components/kit/test-properties.ts';
import type { ComponentResource, SubscriptionResource } from './resource-types.ts';
import { loadResources, problemLines, type LoadOptions } from './resources.ts';

let folders: string[] = [];
afterEach(async () => {
  await Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true })));
  folders = [];
});

async function load(files: Record<string, string>, options: Partial<LoadOptions> = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'mecha-resources-'));
  folders.push(folder);
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  const loaded = await loadResources([folder], { appId: 'order', namespace: undefined, strict: false, ...options });
  return { ...loaded, lines: problemLines(loaded.problems).map((line) => line.replace(`${folder}/`, '')) };
}

const component = (name: string, type: string, rest = '') => `apiVersion: dapr.io/v1alpha1
kind: Component
metadata:
  name: ${name}
spec:
  type: ${type}
${rest}`;

describe('good resources', () => {
  test('a component loads with its metadata as text, a missing version is v1', async () => {
    const { resources, lines } = await load({
      'a.yaml': component('store', 'state.redis', '  metadata:\n  - name: redisHost\n    value: localhost:6379\n  - name: redisDB\n    value: 3\n  - name: enableTLS\n    value: false\n  - name: redisPassword\n    value: null\n'),
    });
    expect(lines).toEqual([]);
    const [store] = resources as ComponentResource[];
    expect(store).toMatchObject({ kind: 'Component', name: 'store', type: 'state.redis', version: 'v1', required: false });
    expect(store?.metadata.map(({ name, value }) => [name, value])).toEqual([['redisHost', 'localhost:6379'], ['redisDB', '3'], ['enableTLS', 'false'], ['redisPassword', '']]);
  });

  test('keys match in any case, several documents stand in one file, aliases are known', async () => {
    const { resources, lines } = await load({ 'a.yml': `${component('a', 'STATE.sqlite3')}---\nAPIVERSION: dapr.io/v1alpha1\nKind: Component\nMetadata: {Name: b}\nSpec: {Type: pubsub.sqlite}\n` });
    expect(lines).toEqual([]);
    expect(resources.map((resource) => resource.kind === 'Component' && resource.type)).toEqual(['state.sqlite', 'pubsub.sqlite']);
  });

  test('scopes and namespaces leave out what is not for this app', async () => {
    const { resources } = await load(
      { 'a.yaml': `${component('a', 'state.sqlite')}scopes: [other]\n---\n${component('b', 'state.sqlite').replace('name: b', 'name: b\n  namespace: far')}\n---\n${component('c', 'state.sqlite')}scopes: [order]\n` },
      { namespace: 'near' },
    );
    expect(resources.map(({ name }) => name)).toEqual(['c']);
  });

  test('subscriptions of both versions become the same', async () => {
    const v1 = 'apiVersion: dapr.io/v1alpha1\nkind: Subscription\nmetadata: {name: s}\nspec: {topic: t, pubsubname: pubsub, route: /x}\n';
    const v2 = 'apiVersion: dapr.io/v2alpha1\nkind: Subscription\nmetadata: {name: s}\nspec: {topic: t, pubsubname: pubsub, routes: {default: x}}\n';
    const { resources, lines } = await load({ 'a.yaml': component('pubsub', 'pubsub.sqlite'), 'b.yaml': v1, 'c.yaml': v2 });
    expect(lines).toEqual([]);
    const [first, second] = resources.filter((resource): resource is SubscriptionResource => resource.kind === 'Subscription');
    expect(first?.subscription).toEqual(second?.subscription);
    expect(first?.subscription.routes).toEqual([{ match: '', path: '/x' }]);
  });

  test('values are read as YAML 1.1 has them: unquoted yes and off are booleans, numbers stay as written, the rest is JSON', async () => {
    const { resources } = await load({
      'a.yaml': component('a', 'pubsub.kafka', '  metadata:\n  - {name: brokers, value: b}\n  - {name: authType, value: none}\n  - {name: a, value: yes}\n  - {name: b, value: Off}\n  - {name: c, value: "yes"}\n  - {name: d, value: 1.10}\n  - {name: e, value: {x: [1, true, null]}}\n  - {name: f}\n  - name: g\n    value: |\n      two\n      lines\n'),
    });
    const [store] = resources as ComponentResource[];
    expect(store?.metadata.slice(2).map(({ value }) => value)).toEqual(['true', 'false', 'yes', '1.10', '{"x":[1,true,null]}', '', 'two\nlines\n']);
  });

  test('anchors and merge keys bring what they name, and what stands there itself wins', async () => {
    const { resources, lines } = await load({
      'a.yaml': 'apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {name: a, labels: &base {version: v1, ignoreErrors: true, initTimeout: 9s}}\nspec:\n  <<: *base\n  type: state.sqlite\n  initTimeout: 1s\n',
    });
    expect(lines).toEqual([]);
    expect(resources[0]).toMatchObject({ ignoreErrors: true, initTimeoutMs: 1000, version: 'v1' });
  });

  test('a key without a value is as if it were not there', async () => {
    const { resources, lines } = await load({ 'a.yaml': `${component('a', 'state.sqlite', '  version:\n  metadata:\n')}scopes:\nauth:\n` });
    expect(lines).toEqual([]);
    expect(resources).toHaveLength(1);
  });

  test('an annotation makes a component required', async () => {
    const { resources } = await load({ 'a.yaml': component('a', 'state.sqlite').replace('name: a', 'name: a\n  annotations: {mecha.dev/required: "true"}') });
    expect(resources[0]).toMatchObject({ required: true });
  });
});

describe('bad resources are told with file, line, field and the nearest right spelling', () => {
  test.each([
    ['unknown kind', 'kind: Componnet\napiVersion: dapr.io/v1alpha1\n', 'a.yaml:1: error: unknown kind Componnet (kind); did you mean Component?'],
    ['unknown type', component('a', 'state.reddis'), 'a.yaml:6: error: unknown component type state.reddis (spec.type); did you mean state.redis?'],
    ['unknown version', component('a', 'state.sqlite', '  version: v9\n'), 'a.yaml:7: error: state.sqlite has no version v9; it has v1 (spec.version)'],
    ['unknown field of the envelope', `${component('a', 'state.sqlite')}scope: [x]\n`, 'a.yaml:7: error: unknown field scope (scope); did you mean scopes?'],
    ['unknown field of spec', component('a', 'state.sqlite', '  metdata: []\n'), 'a.yaml:7: error: unknown field metdata (spec.metdata); did you mean metadata?'],
    ['unknown metadata name', component('a', 'state.redis', '  metadata:\n  - {name: redisHost, value: x}\n  - {name: redisPasword, value: y}\n'), 'a.yaml:9: warning: a: state.redis has no metadata name redisPasword (spec.metadata[1]); did you mean redisPassword?'],
    ['missing metadata', component('a', 'state.redis'), /^a\.yaml:1: error: a: state\.redis needs metadata name redisHost/],
    ['bad apiVersion', component('a', 'state.sqlite').replace('v1alpha1', 'v1alpha9'), /^a\.yaml:1: error: Component needs apiVersion dapr\.io\/v1alpha1, not dapr\.io\/v1alpha9/],
    ['no name', 'apiVersion: dapr.io/v1alpha1\nkind: Component\nspec: {type: state.sqlite}\n', 'a.yaml:1: error: a resource needs metadata.name'],
    ['a name with a slash', component('a/b', 'state.sqlite'), /a name is a path segment/],
    ['a secret without a store', component('a', 'state.redis', '  metadata:\n  - name: redisHost\n    secretKeyRef: {name: x}\n'), /refers to a secret, and auth\.secretStore does not say in which store \(auth\.secretStore\)/],
    ['a secret of an unknown store', `${component('a', 'state.redis', '  metadata:\n  - name: redisHost\n    secretKeyRef: {name: x}\n')}auth: {secretStore: vualt}\n---\n${component('vault', 'secretstores.local.env')}`, /there is no secret store named vualt \(auth\.secretStore\); did you mean vault\?/],
    ['a subscription to nowhere', 'apiVersion: dapr.io/v2alpha1\nkind: Subscription\nmetadata: {name: s}\nspec: {topic: t, pubsubname: pubsbu, routes: {default: /x}}\n---\n' + component('pubsub', 'pubsub.sqlite'), /^a\.yaml:4: error: there is no pub\/sub component named pubsbu \(spec\.pubsubname\); did you mean pubsub\?/],
    ['an outbox to nowhere', component('a', 'state.sqlite', '  metadata:\n  - {name: outboxPublishPubsub, value: nope}\n  - {name: outboxPublishTopic, value: t}\n'), /outboxPublishPubsub names nope, and there is no such pub\/sub component/],
    ['half an outbox', component('a', 'state.sqlite', '  metadata:\n  - {name: outboxPublishPubsub, value: pubsub}\n'), 'a.yaml:8: warning: a: outboxPublishPubsub has no effect without outboxPublishTopic: no event goes out (spec.metadata[0])'],
    ['an initTimeout that is none', component('a', 'state.sqlite', '  initTimeout: soon\n'), "a.yaml:7: warning: must be a duration such as 5s, not 'soon'; 5s is taken instead (spec.initTimeout)"],
    ['policies for a component that is nearly there', component('store', 'state.sqlite') + '---\napiVersion: dapr.io/v1alpha1\nkind: Resiliency\nmetadata: {name: r}\nspec:\n  policies: {timeouts: {t: 1s}}\n  targets:\n    components:\n      stroe: {outbound: {timeout: t}}\n', 'a.yaml:15: warning: there is no component named stroe (spec.targets.components.stroe); did you mean store?'],
    ['a document for somebody else', 'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x}\n---\nservices: {web: {image: x}}\n', 'a.yaml:1: warning: Deployment of apps/v1 is none of our resources; left out'],
    ['a document of no kind at all', 'services: {web: {image: x}}\n', 'a.yaml:1: warning: is no resource, having neither apiVersion nor kind; left out'],
    ['an apiVersion that is nearly ours', 'apiVersion: dpar.io/v1alpha1\nkind: Componnt\n', /^a\.yaml:2: error: unknown kind Componnt/],
    ['a kind that is not served', 'apiVersion: dapr.io/v1alpha1\nkind: MCPServer\nmetadata: {name: m}\n', 'a.yaml:1: warning: MCPServer resources are not served yet; this one has no effect'],
    ['a policy that is not there', 'apiVersion: dapr.io/v1alpha1\nkind: Resiliency\nmetadata: {name: r}\nspec: {policies: {retries: {often: {policy: constant}}}, targets: {components: {x: {outbound: {retry: oftne}}}}}\n', /there is no retry policy named oftne \(spec\.targets\.components\.x\.outbound\.retry\); did you mean often\?/],
    ['no YAML', 'a: [1, 2\nb: }', /^a\.yaml:\d+: error: is not YAML/],
  ])('%s', async (_what, text, expected) => {
    const { lines } = await load({ 'a.yaml': text });
    if (typeof expected === 'string') expect(lines).toContain(expected);
    else expect(lines.join('\n')).toMatch(expected);
  });

  test('all of them come in one report', async () => {
    const { lines } = await load({ 'a.yaml': component('a', 'state.reddis'), 'b.yaml': component('b', 'pubsub.kafak'), 'c.yaml': 'kind: Nothing\n' });
    expect(lines.filter((line) => line.includes('error'))).toHaveLength(3);
  });

  test('--strict makes an unknown metadata name an error', async () => {
    const { problems } = await load({ 'a.yaml': component('a', 'state.sqlite', '  metadata: [{name: nonsense, value: 1}]\n') }, { strict: true });
    expect(problems.map(({ severity }) => severity)).toEqual(['error']);
  });

  test('two components of one name are an error that names both places', async () => {
    const { lines } = await load({ 'a.yaml': component('a', 'state.sqlite'), 'b.yaml': component('a', 'state.sqlite') });
    expect(lines[0]).toMatch(/^b\.yaml:1: error: a Component named a already stands in .*a\.yaml:1$/);
  });

  test('(users 57) a bad value of a secret field is not shown', async () => {
    const { lines } = await load({ 'a.yaml': component('a', 'state.redis', '  metadata:\n  - {name: redisHost, value: x}\n  - {name: redisPassword, value: hunter2}\n  - {name: redisPassword, value: hunter3}\n') });
    expect(lines.join('\n')).toContain('given twice');
    expect(lines.join('\n')).not.toContain('hunter');
  });
});

describe('hostile resources', () => {
  test('(users 58) a bomb of anchors is a problem, not a crash', async () => {
    const bomb = `a: &a ["x","x","x","x","x","x","x","x","x"]\n${'bcdefgh'.split('').map((letter, index) => `${letter}: &${letter} [${Array(9).fill(`*${'abcdefgh'[index]}`).join(',')}]`).join('\n')}\n`;
    const { problems } = await load({ 'a.yaml': bomb, 'b.yaml': component('x', 'state.sqlite', `  metadata:\n  - name: tableName\n    value:\n${bomb.replace(/^/gm, '      ')}`) });
    expect(problems.length).toBeGreaterThan(0);
  });

  test('(users 58) a bomb of merge keys, anchors in circles and nesting without end are problems, not crashes', async () => {
    const merges = `x0: &x0 {a: 1}\n${Array.from({ length: 30 }, (_, n) => `x${n + 1}: &x${n + 1} {<<: [*x${n}, *x${n}], k${n}: 1}`).join('\n')}\nspec: {<<: *x30, type: state.sqlite}\nkind: Component\napiVersion: dapr.io/v1alpha1\nmetadata: {name: a}\n`;
    const circle = component('c', 'state.sqlite', '  metadata:\n  - name: tableName\n    value: &v [*v, *v]\n');
    const deep = `kind: Component\nspec: ${'['.repeat(100_000)}${']'.repeat(100_000)}\n`;
    for (const text of [merges, circle, deep]) expect((await load({ 'a.yaml': text })).problems.length).toBeGreaterThan(0);
  });

  test('(users 59) whatever the text, loading answers with problems and never throws', { timeout: 60_000 }, async () => {
    const words = fc.constantFrom('kind: Component\n', 'apiVersion: dapr.io/v1alpha1\n', 'metadata:\n', '  name: a\n', 'spec:\n', '  type: state.redis\n', '  metadata:\n', '  - name: x\n', '    value: ', '---\n', '&a ', '*a ', '? ', ': ', '{', '}', '[', ']', '"', '!!binary x\n', '__proto__: 1\n', 'scopes: 5\n', 'auth: []\n', '\t', '\u0000');
    const text = fc.oneof(fc.string({ maxLength: 200 }), fc.array(words, { maxLength: 30 }).map((parts) => parts.join('')));
    await fc.assert(
      fc.asyncProperty(text, async (document) => {
        const { problems } = await load({ 'a.yaml': document });
        expect(Array.isArray(problems)).toBe(true);
      }),
      { numRuns: 300, verbose: true },
    );
  });
});
