/** What is told of Resiliency resources before anything starts. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { loadResources, problemLines } from './resources.ts';

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

async function load(files: Readonly<Record<string, string>>, anyApp = false) {
  const folder = await mkdtemp(join(tmpdir(), 'mecha-resiliency-'));
  folders.push(folder);
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  const { resources, problems } = await loadResources([folder], { appId: 'orders', namespace: undefined, strict: true, anyApp });
  return { resources, lines: problemLines(problems).map((line) => line.replace(`${folder}/`, '')) };
}

const resiliency = (spec: string, more = '', name = 'rules'): string => `apiVersion: dapr.io/v1alpha1\nkind: Resiliency\nmetadata: {name: ${name}}\nspec: ${spec}\n${more}`;

describe('every fault of a Resiliency is told with its place and what was meant', () => {
  test.each([
    ['a field', '{policies: {retrys: {}}}', 'a.yaml:4: error: unknown field retrys (spec.policies.retrys); did you mean retries?'],
    ['a field of a target', '{targets: {apps: {a: {timeouts: t}}}}', 'a.yaml:4: error: unknown field timeouts (spec.targets.apps.a.timeouts); did you mean timeout?'],
    ['a duration', '{policies: {timeouts: {t: soon}}}', "a.yaml:4: error: must be a duration such as 5s, not 'soon' (spec.policies.timeouts.t)"],
    ['a negative wait', '{policies: {retries: {r: {duration: -5s}}}}', 'a.yaml:4: error: must not be negative: -5s (spec.policies.retries.r.duration)'],
    ['a sort of policy', '{policies: {retries: {r: {policy: exponentail}}}}', "a.yaml:4: error: a retry policy is constant or exponential, not 'exponentail' (spec.policies.retries.r.policy); did you mean exponential?"],
    ['a number of retries', '{policies: {retries: {r: {maxRetries: many}}}}', 'a.yaml:4: error: must be a whole number (spec.policies.retries.r.maxRetries)'],
    ['codes', '{policies: {retries: {r: {matching: {httpStatusCodes: "500-700"}}}}}', `a.yaml:4: error: must be codes or ranges from 100 to 599, such as "429,500-503"; '500-700' is none (spec.policies.retries.r.matching.httpStatusCodes)`],
    ['gRPC codes', '{policies: {retries: {r: {matching: {gRPCStatusCodes: "14, 17"}}}}}', `a.yaml:4: error: must be codes or ranges from 0 to 16, such as "4,13-14"; '17' is none (spec.policies.retries.r.matching.gRPCStatusCodes)`],
    ['a trip rule with an unknown word', '{policies: {circuitBreakers: {b: {trip: "failures > 3"}}}}', /^a\.yaml:4: error: the trip rule "failures > 3" is not usable: .*failures.* \(spec\.policies\.circuitBreakers\.b\.trip\)$/m],
    ['a trip rule that is no condition', '{policies: {circuitBreakers: {b: {trip: "totalFailures + 3"}}}}', /a\.yaml:4: error: the trip rule "totalFailures \+ 3" is not usable: it yields int, not bool/],
    ['a number of trials', '{policies: {circuitBreakers: {b: {maxRequests: -1}}}}', 'a.yaml:4: error: must not be negative: -1 (spec.policies.circuitBreakers.b.maxRequests)'],
    ['a cache size', '{targets: {apps: {a: {circuitBreakerCacheSize: -1}}}}', 'a.yaml:4: error: must not be negative: -1 (spec.targets.apps.a.circuitBreakerCacheSize)'],
    ['the name of a timeout', '{policies: {timeouts: {short: 1s}}, targets: {apps: {a: {timeout: shrot}}}}', 'a.yaml:4: error: there is no timeout policy named shrot (spec.targets.apps.a.timeout); did you mean short?'],
    ['the name of a breaker', '{targets: {components: {c: {inbound: {circuitBreaker: b}}}}}', 'a.yaml:4: error: there is no circuitBreaker policy named b (spec.targets.components.c.inbound.circuitBreaker)'],
    ['the name of a policy of actors', '{targets: {actors: {Cart: {retry: r}}}}', 'a.yaml:4: error: there is no retry policy named r (spec.targets.actors.Cart.retry)'],
    ['a breaker of actors without a scope', '{policies: {circuitBreakers: {b: {}}}, targets: {actors: {Cart: {circuitBreaker: b}}}}', 'a.yaml:4: error: a circuitBreaker of actors needs circuitBreakerScope: type, id or both (spec.targets.actors.Cart)'],
    ['a scope of actors', '{targets: {actors: {Cart: {circuitBreakerScope: ids}}}}', "a.yaml:4: error: must be one of type, id, both, not 'ids' (spec.targets.actors.Cart.circuitBreakerScope); did you mean id?"],
    ['a default that is none', '{policies: {retries: {DefaultStatestoreOutboundRetryPolicy: {}}}}', /a\.yaml:4: warning: DefaultStatestoreOutboundRetryPolicy begins like the name of a default policy for retries and is none/],
    ['a default of another sort', '{policies: {timeouts: {DefaultRetryPolicy: 1s}}}', /a\.yaml:4: warning: DefaultRetryPolicy begins like the name of a default policy for timeouts and is none/],
    ['what exponential does not read', '{policies: {retries: {r: {policy: exponential, duration: 5s}}}}', 'a.yaml:4: warning: has no effect: policy is exponential, which begins with 500 ms and is capped by maxInterval (spec.policies.retries.r.duration)'],
    ['retries without end and pause', '{policies: {retries: {r: {duration: 0}}}}', 'a.yaml:4: warning: tries again for ever and without a pause (spec.policies.retries.r)'],
    ['a target without policies', '{targets: {components: {c: {}}}}', 'a.yaml:4: warning: names no policy: neither inbound nor outbound is given, and defaults no longer apply (spec.targets.components.c)'],
  ])('%s', async (_what, spec, expected) => {
    const { lines } = await load({ 'a.yaml': resiliency(spec) });
    if (typeof expected === 'string') expect(lines).toContain(expected);
    else expect(lines.join('\n')).toMatch(expected);
  });

  test('a direction that nothing comes from', async () => {
    const store = 'apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {name: store}\nspec: {type: state.sqlite}\n---\n';
    const { lines } = await load({ 'a.yaml': store + resiliency('{policies: {timeouts: {t: 1s}}, targets: {components: {store: {inbound: {timeout: t}}}}}') });
    expect(lines).toEqual(['a.yaml:9: warning: has no effect: nothing comes into the app from store (state.sqlite) (spec.targets.components.store.inbound)']);
  });

  test('all of them in one report', async () => {
    const { lines } = await load({ 'a.yaml': resiliency('\n  policies:\n    timeouts: {t: soon}\n    retries: {r: {policy: now}}\n    circuitBreakers: {b: {trip: "1 +"}}\n  targets:\n    apps: {a: {timeout: u}}') });
    expect(lines.map((line) => line.split(': ', 2).join(' '))).toEqual(['a.yaml:6 error', 'a.yaml:7 error', 'a.yaml:8 error', 'a.yaml:10 error']);
  });
});

describe('resources of one app belong together', () => {
  const policies = resiliency('{policies: {timeouts: {t: 1s}}}', '', 'policies');
  const targets = resiliency('{targets: {apps: {inventory: {timeout: t, retry: DaprBuiltInServiceRetries}}}}', '', 'targets');

  test('a target may name a policy of another document or file, and one that is built in', async () => {
    expect((await load({ 'a.yaml': `${policies}---\n${targets}` })).lines).toEqual([]);
    expect((await load({ 'a.yaml': targets, 'b.yaml': policies })).lines).toEqual([]);
  });

  test('but not a policy that is there for other apps only, unless all apps are looked at', async () => {
    const files = { 'a.yaml': targets, 'b.yaml': `${policies}scopes: [billing]\n` };
    expect((await load(files)).lines).toEqual(['a.yaml:4: error: there is no timeout policy named t (spec.targets.apps.inventory.timeout)']);
    expect((await load(files, true)).lines).toEqual([]);
  });

  test('a policy that is wrong in itself is told once, not again where it is named', async () => {
    const { lines } = await load({ 'a.yaml': resiliency('{policies: {retries: {r: {policy: now}}}, targets: {apps: {a: {retry: r}}}}') });
    expect(lines).toHaveLength(1);
  });
});
