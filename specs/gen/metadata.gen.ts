// Written by scripts/generate-proto.ts from specs/proto/dapr/proto/runtime/v1/metadata.proto; not by hand.
// What a sidecar says about itself.
import { createCodec, keepUnknown, readEntry, readNested, type Codec, type Init, type Reader, type Writer } from '../codec.ts';

export const PubsubSubscriptionType = {
  UNKNOWN: 0,
  DECLARATIVE: 1,
  PROGRAMMATIC: 2,
  STREAMING: 3,
} as const;

export const ActorRuntimeStatus = {
  INITIALIZING: 0,
  DISABLED: 1,
  RUNNING: 2,
} as const;

export interface GetMetadataRequest {
  unknown?: Uint8Array | undefined;
}
function writeGetMetadataRequest(m: Init<GetMetadataRequest>, w: Writer): Writer {
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readGetMetadataRequest(r: Reader, _depth: number, target?: GetMetadataRequest): GetMetadataRequest {
  const m: GetMetadataRequest = target ?? {};
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    m.unknown = keepUnknown(r, tag, start, m.unknown);
  }
  return m;
}
export const GetMetadataRequest: Codec<GetMetadataRequest> = createCodec('dapr.proto.runtime.v1.GetMetadataRequest', writeGetMetadataRequest, readGetMetadataRequest);

export interface GetMetadataResponse {
  id: string;
  activeActorsCount: ActiveActorsCount[];
  registeredComponents: RegisteredComponents[];
  extendedMetadata: Record<string, string>;
  subscriptions: PubsubSubscription[];
  httpEndpoints: MetadataHTTPEndpoint[];
  appConnectionProperties?: AppConnectionProperties | undefined;
  runtimeVersion: string;
  enabledFeatures: string[];
  actorRuntime?: ActorRuntime | undefined;
  scheduler?: MetadataScheduler | undefined;
  workflows?: MetadataWorkflows | undefined;
  mcpServers: MetadataMCPServer[];
  workflowAccessPolicies: MetadataWorkflowAccessPolicy[];
  resiliencies: MetadataResiliency[];
  unknown?: Uint8Array | undefined;
}
function writeGetMetadataResponse(m: Init<GetMetadataResponse>, w: Writer): Writer {
  if (m.id) w.uint32(10).string(m.id);
  if (m.activeActorsCount) for (const v of m.activeActorsCount) ActiveActorsCount.write(v, w.uint32(18).fork()).ldelim();
  if (m.registeredComponents) for (const v of m.registeredComponents) RegisteredComponents.write(v, w.uint32(26).fork()).ldelim();
  if (m.extendedMetadata) {
    for (const [k, v] of Object.entries(m.extendedMetadata)) {
      if (v === undefined) continue;
      w.uint32(34).fork().uint32(10).string(k);
      w.uint32(18).string(v);
      w.ldelim();
    }
  }
  if (m.subscriptions) for (const v of m.subscriptions) PubsubSubscription.write(v, w.uint32(42).fork()).ldelim();
  if (m.httpEndpoints) for (const v of m.httpEndpoints) MetadataHTTPEndpoint.write(v, w.uint32(50).fork()).ldelim();
  if (m.appConnectionProperties) AppConnectionProperties.write(m.appConnectionProperties, w.uint32(58).fork()).ldelim();
  if (m.runtimeVersion) w.uint32(66).string(m.runtimeVersion);
  if (m.enabledFeatures) for (const v of m.enabledFeatures) w.uint32(74).string(v);
  if (m.actorRuntime) ActorRuntime.write(m.actorRuntime, w.uint32(82).fork()).ldelim();
  if (m.scheduler) MetadataScheduler.write(m.scheduler, w.uint32(90).fork()).ldelim();
  if (m.workflows) MetadataWorkflows.write(m.workflows, w.uint32(98).fork()).ldelim();
  if (m.mcpServers) for (const v of m.mcpServers) MetadataMCPServer.write(v, w.uint32(106).fork()).ldelim();
  if (m.workflowAccessPolicies) for (const v of m.workflowAccessPolicies) MetadataWorkflowAccessPolicy.write(v, w.uint32(114).fork()).ldelim();
  if (m.resiliencies) for (const v of m.resiliencies) MetadataResiliency.write(v, w.uint32(122).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readGetMetadataResponse(r: Reader, depth: number, target?: GetMetadataResponse): GetMetadataResponse {
  const m: GetMetadataResponse = target ?? { id: '', activeActorsCount: [], registeredComponents: [], extendedMetadata: {}, subscriptions: [], httpEndpoints: [], appConnectionProperties: undefined, runtimeVersion: '', enabledFeatures: [], actorRuntime: undefined, scheduler: undefined, workflows: undefined, mcpServers: [], workflowAccessPolicies: [], resiliencies: [] };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.id = r.stringVerify();
        break;
      case 18:
        m.activeActorsCount.push(readNested(r, depth, ActiveActorsCount.read));
        break;
      case 26:
        m.registeredComponents.push(readNested(r, depth, RegisteredComponents.read));
        break;
      case 34:
        readEntry(r, m.extendedMetadata, '', (r) => r.stringVerify(), 18);
        break;
      case 42:
        m.subscriptions.push(readNested(r, depth, PubsubSubscription.read));
        break;
      case 50:
        m.httpEndpoints.push(readNested(r, depth, MetadataHTTPEndpoint.read));
        break;
      case 58:
        m.appConnectionProperties = readNested(r, depth, AppConnectionProperties.read, m.appConnectionProperties);
        break;
      case 66:
        m.runtimeVersion = r.stringVerify();
        break;
      case 74:
        m.enabledFeatures.push(r.stringVerify());
        break;
      case 82:
        m.actorRuntime = readNested(r, depth, ActorRuntime.read, m.actorRuntime);
        break;
      case 90:
        m.scheduler = readNested(r, depth, MetadataScheduler.read, m.scheduler);
        break;
      case 98:
        m.workflows = readNested(r, depth, MetadataWorkflows.read, m.workflows);
        break;
      case 106:
        m.mcpServers.push(readNested(r, depth, MetadataMCPServer.read));
        break;
      case 114:
        m.workflowAccessPolicies.push(readNested(r, depth, MetadataWorkflowAccessPolicy.read));
        break;
      case 122:
        m.resiliencies.push(readNested(r, depth, MetadataResiliency.read));
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const GetMetadataResponse: Codec<GetMetadataResponse> = createCodec('dapr.proto.runtime.v1.GetMetadataResponse', writeGetMetadataResponse, readGetMetadataResponse);

export interface MetadataWorkflows {
  connectedWorkers: number;
  unknown?: Uint8Array | undefined;
}
function writeMetadataWorkflows(m: Init<MetadataWorkflows>, w: Writer): Writer {
  if (m.connectedWorkers) w.uint32(8).int32(m.connectedWorkers);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readMetadataWorkflows(r: Reader, _depth: number, target?: MetadataWorkflows): MetadataWorkflows {
  const m: MetadataWorkflows = target ?? { connectedWorkers: 0 };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 8:
        m.connectedWorkers = r.int32();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const MetadataWorkflows: Codec<MetadataWorkflows> = createCodec('dapr.proto.runtime.v1.MetadataWorkflows', writeMetadataWorkflows, readMetadataWorkflows);

export interface MetadataScheduler {
  connectedAddresses: string[];
  unknown?: Uint8Array | undefined;
}
function writeMetadataScheduler(m: Init<MetadataScheduler>, w: Writer): Writer {
  if (m.connectedAddresses) for (const v of m.connectedAddresses) w.uint32(10).string(v);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readMetadataScheduler(r: Reader, _depth: number, target?: MetadataScheduler): MetadataScheduler {
  const m: MetadataScheduler = target ?? { connectedAddresses: [] };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.connectedAddresses.push(r.stringVerify());
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const MetadataScheduler: Codec<MetadataScheduler> = createCodec('dapr.proto.runtime.v1.MetadataScheduler', writeMetadataScheduler, readMetadataScheduler);

export interface ActorRuntime {
  runtimeStatus: number;
  activeActors: ActiveActorsCount[];
  hostReady: boolean;
  placement: string;
  unknown?: Uint8Array | undefined;
}
function writeActorRuntime(m: Init<ActorRuntime>, w: Writer): Writer {
  if (m.runtimeStatus) w.uint32(8).int32(m.runtimeStatus);
  if (m.activeActors) for (const v of m.activeActors) ActiveActorsCount.write(v, w.uint32(18).fork()).ldelim();
  if (m.hostReady) w.uint32(24).bool(m.hostReady);
  if (m.placement) w.uint32(34).string(m.placement);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readActorRuntime(r: Reader, depth: number, target?: ActorRuntime): ActorRuntime {
  const m: ActorRuntime = target ?? { runtimeStatus: 0, activeActors: [], hostReady: false, placement: '' };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 8:
        m.runtimeStatus = r.int32();
        break;
      case 18:
        m.activeActors.push(readNested(r, depth, ActiveActorsCount.read));
        break;
      case 24:
        m.hostReady = r.bool();
        break;
      case 34:
        m.placement = r.stringVerify();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const ActorRuntime: Codec<ActorRuntime> = createCodec('dapr.proto.runtime.v1.ActorRuntime', writeActorRuntime, readActorRuntime);

export interface ActiveActorsCount {
  type: string;
  count: number;
  unknown?: Uint8Array | undefined;
}
function writeActiveActorsCount(m: Init<ActiveActorsCount>, w: Writer): Writer {
  if (m.type) w.uint32(10).string(m.type);
  if (m.count) w.uint32(16).int32(m.count);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readActiveActorsCount(r: Reader, _depth: number, target?: ActiveActorsCount): ActiveActorsCount {
  const m: ActiveActorsCount = target ?? { type: '', count: 0 };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.type = r.stringVerify();
        break;
      case 16:
        m.count = r.int32();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const ActiveActorsCount: Codec<ActiveActorsCount> = createCodec('dapr.proto.runtime.v1.ActiveActorsCount', writeActiveActorsCount, readActiveActorsCount);

export interface RegisteredComponents {
  name: string;
  type: string;
  version: string;
  capabilities: string[];
  unknown?: Uint8Array | undefined;
}
function writeRegisteredComponents(m: Init<RegisteredComponents>, w: Writer): Writer {
  if (m.name) w.uint32(10).string(m.name);
  if (m.type) w.uint32(18).string(m.type);
  if (m.version) w.uint32(26).string(m.version);
  if (m.capabilities) for (const v of m.capabilities) w.uint32(34).string(v);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readRegisteredComponents(r: Reader, _depth: number, target?: RegisteredComponents): RegisteredComponents {
  const m: RegisteredComponents = target ?? { name: '', type: '', version: '', capabilities: [] };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.name = r.stringVerify();
        break;
      case 18:
        m.type = r.stringVerify();
        break;
      case 26:
        m.version = r.stringVerify();
        break;
      case 34:
        m.capabilities.push(r.stringVerify());
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const RegisteredComponents: Codec<RegisteredComponents> = createCodec('dapr.proto.runtime.v1.RegisteredComponents', writeRegisteredComponents, readRegisteredComponents);

export interface MetadataHTTPEndpoint {
  name: string;
  unknown?: Uint8Array | undefined;
}
function writeMetadataHTTPEndpoint(m: Init<MetadataHTTPEndpoint>, w: Writer): Writer {
  if (m.name) w.uint32(10).string(m.name);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readMetadataHTTPEndpoint(r: Reader, _depth: number, target?: MetadataHTTPEndpoint): MetadataHTTPEndpoint {
  const m: MetadataHTTPEndpoint = target ?? { name: '' };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.name = r.stringVerify();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const MetadataHTTPEndpoint: Codec<MetadataHTTPEndpoint> = createCodec('dapr.proto.runtime.v1.MetadataHTTPEndpoint', writeMetadataHTTPEndpoint, readMetadataHTTPEndpoint);

export interface MetadataMCPServer {
  name: string;
  unknown?: Uint8Array | undefined;
}
function writeMetadataMCPServer(m: Init<MetadataMCPServer>, w: Writer): Writer {
  if (m.name) w.uint32(10).string(m.name);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readMetadataMCPServer(r: Reader, _depth: number, target?: MetadataMCPServer): MetadataMCPServer {
  const m: MetadataMCPServer = target ?? { name: '' };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.name = r.stringVerify();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const MetadataMCPServer: Codec<MetadataMCPServer> = createCodec('dapr.proto.runtime.v1.MetadataMCPServer', writeMetadataMCPServer, readMetadataMCPServer);

export interface MetadataWorkflowAccessPolicy {
  name: string;
  unknown?: Uint8Array | undefined;
}
function writeMetadataWorkflowAccessPolicy(m: Init<MetadataWorkflowAccessPolicy>, w: Writer): Writer {
  if (m.name) w.uint32(10).string(m.name);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readMetadataWorkflowAccessPolicy(r: Reader, _depth: number, target?: MetadataWorkflowAccessPolicy): MetadataWorkflowAccessPolicy {
  const m: MetadataWorkflowAccessPolicy = target ?? { name: '' };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.name = r.stringVerify();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const MetadataWorkflowAccessPolicy: Codec<MetadataWorkflowAccessPolicy> = createCodec('dapr.proto.runtime.v1.MetadataWorkflowAccessPolicy', writeMetadataWorkflowAccessPolicy, readMetadataWorkflowAccessPolicy);

export interface MetadataResiliency {
  name: string;
  unknown?: Uint8Array | undefined;
}
function writeMetadataResiliency(m: Init<MetadataResiliency>, w: Writer): Writer {
  if (m.name) w.uint32(10).string(m.name);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readMetadataResiliency(r: Reader, _depth: number, target?: MetadataResiliency): MetadataResiliency {
  const m: MetadataResiliency = target ?? { name: '' };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.name = r.stringVerify();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const MetadataResiliency: Codec<MetadataResiliency> = createCodec('dapr.proto.runtime.v1.MetadataResiliency', writeMetadataResiliency, readMetadataResiliency);

export interface AppConnectionProperties {
  port: number;
  protocol: string;
  channelAddress: string;
  maxConcurrency: number;
  health?: AppConnectionHealthProperties | undefined;
  unknown?: Uint8Array | undefined;
}
function writeAppConnectionProperties(m: Init<AppConnectionProperties>, w: Writer): Writer {
  if (m.port) w.uint32(8).int32(m.port);
  if (m.protocol) w.uint32(18).string(m.protocol);
  if (m.channelAddress) w.uint32(26).string(m.channelAddress);
  if (m.maxConcurrency) w.uint32(32).int32(m.maxConcurrency);
  if (m.health) AppConnectionHealthProperties.write(m.health, w.uint32(42).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readAppConnectionProperties(r: Reader, depth: number, target?: AppConnectionProperties): AppConnectionProperties {
  const m: AppConnectionProperties = target ?? { port: 0, protocol: '', channelAddress: '', maxConcurrency: 0, health: undefined };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 8:
        m.port = r.int32();
        break;
      case 18:
        m.protocol = r.stringVerify();
        break;
      case 26:
        m.channelAddress = r.stringVerify();
        break;
      case 32:
        m.maxConcurrency = r.int32();
        break;
      case 42:
        m.health = readNested(r, depth, AppConnectionHealthProperties.read, m.health);
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const AppConnectionProperties: Codec<AppConnectionProperties> = createCodec('dapr.proto.runtime.v1.AppConnectionProperties', writeAppConnectionProperties, readAppConnectionProperties);

export interface AppConnectionHealthProperties {
  healthCheckPath: string;
  healthProbeInterval: string;
  healthProbeTimeout: string;
  healthThreshold: number;
  unknown?: Uint8Array | undefined;
}
function writeAppConnectionHealthProperties(m: Init<AppConnectionHealthProperties>, w: Writer): Writer {
  if (m.healthCheckPath) w.uint32(10).string(m.healthCheckPath);
  if (m.healthProbeInterval) w.uint32(18).string(m.healthProbeInterval);
  if (m.healthProbeTimeout) w.uint32(26).string(m.healthProbeTimeout);
  if (m.healthThreshold) w.uint32(32).int32(m.healthThreshold);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readAppConnectionHealthProperties(r: Reader, _depth: number, target?: AppConnectionHealthProperties): AppConnectionHealthProperties {
  const m: AppConnectionHealthProperties = target ?? { healthCheckPath: '', healthProbeInterval: '', healthProbeTimeout: '', healthThreshold: 0 };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.healthCheckPath = r.stringVerify();
        break;
      case 18:
        m.healthProbeInterval = r.stringVerify();
        break;
      case 26:
        m.healthProbeTimeout = r.stringVerify();
        break;
      case 32:
        m.healthThreshold = r.int32();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const AppConnectionHealthProperties: Codec<AppConnectionHealthProperties> = createCodec('dapr.proto.runtime.v1.AppConnectionHealthProperties', writeAppConnectionHealthProperties, readAppConnectionHealthProperties);

export interface PubsubSubscription {
  pubsubName: string;
  topic: string;
  metadata: Record<string, string>;
  rules?: PubsubSubscriptionRules | undefined;
  deadLetterTopic: string;
  type: number;
  unknown?: Uint8Array | undefined;
}
function writePubsubSubscription(m: Init<PubsubSubscription>, w: Writer): Writer {
  if (m.pubsubName) w.uint32(10).string(m.pubsubName);
  if (m.topic) w.uint32(18).string(m.topic);
  if (m.metadata) {
    for (const [k, v] of Object.entries(m.metadata)) {
      if (v === undefined) continue;
      w.uint32(26).fork().uint32(10).string(k);
      w.uint32(18).string(v);
      w.ldelim();
    }
  }
  if (m.rules) PubsubSubscriptionRules.write(m.rules, w.uint32(34).fork()).ldelim();
  if (m.deadLetterTopic) w.uint32(42).string(m.deadLetterTopic);
  if (m.type) w.uint32(48).int32(m.type);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readPubsubSubscription(r: Reader, depth: number, target?: PubsubSubscription): PubsubSubscription {
  const m: PubsubSubscription = target ?? { pubsubName: '', topic: '', metadata: {}, rules: undefined, deadLetterTopic: '', type: 0 };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.pubsubName = r.stringVerify();
        break;
      case 18:
        m.topic = r.stringVerify();
        break;
      case 26:
        readEntry(r, m.metadata, '', (r) => r.stringVerify(), 18);
        break;
      case 34:
        m.rules = readNested(r, depth, PubsubSubscriptionRules.read, m.rules);
        break;
      case 42:
        m.deadLetterTopic = r.stringVerify();
        break;
      case 48:
        m.type = r.int32();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const PubsubSubscription: Codec<PubsubSubscription> = createCodec('dapr.proto.runtime.v1.PubsubSubscription', writePubsubSubscription, readPubsubSubscription);

export interface PubsubSubscriptionRules {
  rules: PubsubSubscriptionRule[];
  unknown?: Uint8Array | undefined;
}
function writePubsubSubscriptionRules(m: Init<PubsubSubscriptionRules>, w: Writer): Writer {
  if (m.rules) for (const v of m.rules) PubsubSubscriptionRule.write(v, w.uint32(10).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readPubsubSubscriptionRules(r: Reader, depth: number, target?: PubsubSubscriptionRules): PubsubSubscriptionRules {
  const m: PubsubSubscriptionRules = target ?? { rules: [] };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.rules.push(readNested(r, depth, PubsubSubscriptionRule.read));
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const PubsubSubscriptionRules: Codec<PubsubSubscriptionRules> = createCodec('dapr.proto.runtime.v1.PubsubSubscriptionRules', writePubsubSubscriptionRules, readPubsubSubscriptionRules);

export interface PubsubSubscriptionRule {
  match: string;
  path: string;
  unknown?: Uint8Array | undefined;
}
function writePubsubSubscriptionRule(m: Init<PubsubSubscriptionRule>, w: Writer): Writer {
  if (m.match) w.uint32(10).string(m.match);
  if (m.path) w.uint32(18).string(m.path);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readPubsubSubscriptionRule(r: Reader, _depth: number, target?: PubsubSubscriptionRule): PubsubSubscriptionRule {
  const m: PubsubSubscriptionRule = target ?? { match: '', path: '' };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.match = r.stringVerify();
        break;
      case 18:
        m.path = r.stringVerify();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const PubsubSubscriptionRule: Codec<PubsubSubscriptionRule> = createCodec('dapr.proto.runtime.v1.PubsubSubscriptionRule', writePubsubSubscriptionRule, readPubsubSubscriptionRule);

export interface SetMetadataRequest {
  /** An empty key changes nothing. */
  key: string;
  value: string;
  unknown?: Uint8Array | undefined;
}
function writeSetMetadataRequest(m: Init<SetMetadataRequest>, w: Writer): Writer {
  if (m.key) w.uint32(10).string(m.key);
  if (m.value) w.uint32(18).string(m.value);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readSetMetadataRequest(r: Reader, _depth: number, target?: SetMetadataRequest): SetMetadataRequest {
  const m: SetMetadataRequest = target ?? { key: '', value: '' };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.key = r.stringVerify();
        break;
      case 18:
        m.value = r.stringVerify();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const SetMetadataRequest: Codec<SetMetadataRequest> = createCodec('dapr.proto.runtime.v1.SetMetadataRequest', writeSetMetadataRequest, readSetMetadataRequest);
