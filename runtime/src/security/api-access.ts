/**
 * Which operations a sidecar serves, by the Configuration's `spec.api` (http-api.md 2.4, grpc-api.md 3): denied wins; then,
 * if anything is allowed by name, everything else is not. Health is always served. Unlike in the original, a denied HTTP
 * path is a plain 404 and never becomes a call to another app.
 */
import type { ApiRule, Configuration } from '../config/resource-types.ts';
import type { GrpcMethod } from '../servers/grpc-face.ts';
import type { HttpRoute } from '../servers/http-face.ts';

const ALWAYS = 'healthz';
const GROUP_VERSIONS: Readonly<Record<string, string>> = { 'v1.0': 'v1', 'v1.0-alpha1': 'v1alpha1', 'v1.0-alpha2': 'v1alpha2', 'v1.0-beta1': 'v1beta1' };

/** Methods of the `Dapr` service by group and version; methods of other services are never filtered. */
const GRPC_GROUPS: Readonly<Record<string, readonly string[]>> = {
  'v1/invoke': ['InvokeService'],
  'v1/state': ['GetState', 'GetBulkState', 'SaveState', 'DeleteState', 'DeleteBulkState', 'ExecuteStateTransaction'],
  'v1/publish': ['PublishEvent', 'BulkPublishEvent'],
  'v1alpha1/publish': ['BulkPublishEventAlpha1'],
  'v1/secrets': ['GetSecret', 'GetBulkSecret'],
  'v1/metadata': ['GetMetadata', 'SetMetadata'],
  'v1alpha1/subscribe': ['SubscribeTopicEventsAlpha1'],
  'v1/shutdown': ['Shutdown'],
  'v1alpha1/workflows': workflowMethods('Alpha1'),
  'v1beta1/workflows': workflowMethods('Beta1'),
  'v1/jobs': jobMethods(''),
  'v1alpha1/jobs': jobMethods('Alpha1'),
};
function workflowMethods(stage: string): string[] {
  return ['Start', 'Get', 'Purge', 'Terminate', 'Pause', 'Resume', 'RaiseEvent'].map((verb) => `${verb}Workflow${stage}`);
}
function jobMethods(stage: string): string[] {
  return ['ScheduleJob', 'GetJob', 'DeleteJob', 'DeleteJobsByPrefix', 'ListJobs'].map((method) => `${method}${stage}`);
}
const GRPC_PREFIX = '/dapr.proto.runtime.v1.Dapr/';

const NOT_SERVED: HttpRoute['handle'] = () => ({ status: 404, headers: { 'content-type': 'text/plain; charset=utf-8' }, body: '404 page not found\n' });

type Api = Configuration['api'];

/** The routes as served: of a denied one the path stays, and answers 404. */
export function servedRoutes(routes: readonly HttpRoute[], api: Api): readonly HttpRoute[] {
  if (api.allowed.length === 0 && api.denied.length === 0) return routes;
  return routes.flatMap((route) => route.versions.map((version): HttpRoute => ({ ...route, versions: [version], ...(isRouteServed(route, version, api) ? {} : { handle: NOT_SERVED }) })));
}

/** What paths that match no route come to: service invocation, unless that is denied. */
export function servedFallback(fallback: HttpRoute['handle'], api: Api): HttpRoute['handle'] | undefined {
  return decide(api, 'http', (rule) => matchesRoute(rule, 'invoke', 'v1.0', '/invoke/*')) ? fallback : undefined;
}

export function servedMethods(methods: readonly GrpcMethod[], api: Api): readonly GrpcMethod[] {
  return methods.filter(({ path }) => {
    if (!path.startsWith(GRPC_PREFIX)) return true;
    const name = path.slice(GRPC_PREFIX.length);
    return decide(api, 'grpc', (rule) => GRPC_GROUPS[`${rule.version}/${rule.name}`]?.includes(name) ?? false);
  });
}

function isRouteServed(route: HttpRoute, version: string, api: Api): boolean {
  return route.group === ALWAYS || decide(api, 'http', (rule) => matchesRoute(rule, route.group, version, route.path));
}

function decide(api: Api, protocol: string, matches: (rule: ApiRule) => boolean): boolean {
  const ofProtocol = (rule: ApiRule): boolean => rule.protocol === protocol;
  if (api.denied.some((rule) => ofProtocol(rule) && matches(rule))) return false;
  const allowed = api.allowed.filter(ofProtocol);
  return allowed.length === 0 || allowed.some(matches);
}

/** By group (`v1` + `state`), or the older way: `version/name` as whole leading segments of `v1.0/state/…`. */
function matchesRoute(rule: ApiRule, group: string, version: string, path: string): boolean {
  if (rule.version === GROUP_VERSIONS[version] && rule.name === group) return true;
  const key = `${rule.version}/${rule.name}`;
  const route = `${version}${path}`;
  return route === key || route.startsWith(`${key}/`);
}
