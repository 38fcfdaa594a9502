import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import protobuf from 'protobufjs';
import { describe, expect, test } from 'vitest';
import { fc } from '@mecha/components/kit/test-properties.ts';
import type { Codec, Method } from './codec.ts';

const PROTO_DIR = join(import.meta.dirname, 'proto');
const generated = await loadGenerated();
const codecs = Object.values(generated).filter(isCodec);
const codecOf = new Map(codecs.map((codec) => [codec.typeName, codec]));
const contract = parseAll(PROTO_DIR);

describe('the contract', () => {
  test('the services have all their methods', () => {
    const counts = ['Dapr', 'AppCallback', 'AppCallbackHealthCheck', 'AppCallbackAlpha'].map(
      (name) => contract.lookupService(`dapr.proto.runtime.v1.${name}`).methodsArray.length,
    );
    expect(counts).toEqual([72, 7, 1, 2]);
  });

  test('both packages have all their messages', () => {
    const count = (name: string) => (contract.lookup(name) as protobuf.Namespace).nestedArray.filter((object) => object instanceof protobuf.Type).length;
    expect(count('dapr.proto.common.v1')).toBe(11);
    expect(count('dapr.proto.runtime.v1')).toBe(177);
  });

  test('which methods stream, and which way', () => {
    const streams = contract
      .lookupService('dapr.proto.runtime.v1.Dapr')
      .methodsArray.filter((method) => method.requestStream || method.responseStream)
      .map((method) => `${method.requestStream ? '>' : ''}${method.name}${method.responseStream ? '>' : ''}`);
    expect(streams).toEqual([
      '>SubscribeTopicEventsAlpha1>',
      '>SubscribeActorEventsAlpha1>',
      'SubscribeConfigurationAlpha1>',
      'SubscribeConfiguration>',
      '>EncryptAlpha1>',
      '>DecryptAlpha1>',
    ]);
  });

  test.each([
    ['common.v1.StateItem', 'key=1 value=2 etag=3 metadata=4 options=5'],
    ['runtime.v1.InvokeServiceRequest', 'id=1 message=3'],
    ['runtime.v1.TopicEventRequest', 'id=1 source=2 type=3 spec_version=4 data_content_type=5 topic=6 data=7 pubsub_name=8 path=9 extensions=10'],
    ['runtime.v1.TopicSubscription', 'pubsub_name=1 topic=2 metadata=3 routes=5 dead_letter_topic=6 bulk_subscribe=7'],
    ['runtime.v1.EncryptRequestOptions', 'component_name=1 key_name=2 key_wrap_algorithm=3 data_encryption_cipher=10 omit_decryption_key_name=11 decryption_key_name=12'],
    ['runtime.v1.DecryptRequestOptions', 'component_name=1 key_name=12'],
    ['runtime.v1.ActorReminder', 'actor_type=1 actor_id=2 due_time=4 period=5 data=6 ttl=7'],
  ])('%s has the numbers of the contract', (name, fields) => {
    const found = contract.lookupType(`dapr.proto.${name}`).fieldsArray.toSorted((a, b) => a.id - b.id);
    expect(found.map((field) => `${field.name}=${field.id}`).join(' ')).toBe(fields);
  });

  test('every message, field and method that the official JavaScript SDK knows is there, with the same number and type', () => {
    const sdk = parseAll(join(dirname(createRequire(import.meta.url).resolve('@dapr/dapr/package.json')), 'proto'), /^dapr\/proto\/(common|runtime)\//, parseAll(PROTO_DIR, /^google\//));
    const missing: string[] = [];
    let compared = 0;
    for (const theirs of typesOf(sdk)) {
      const ours = contract.lookup(theirs.fullName);
      if (!(ours instanceof protobuf.Type)) {
        missing.push(theirs.fullName);
        continue;
      }
      for (const field of theirs.fieldsArray) {
        compared++;
        const same = ours.fields[field.name];
        if (!same || shape(same) !== shape(field)) missing.push(`${theirs.fullName} ${shape(field)}; here ${same ? shape(same) : 'absent'}`);
      }
    }
    for (const service of ['Dapr', 'AppCallback', 'AppCallbackHealthCheck', 'AppCallbackAlpha']) {
      for (const method of sdk.lookupService(`dapr.proto.runtime.v1.${service}`).methodsArray) {
        const same = contract.lookupService(`dapr.proto.runtime.v1.${service}`).methods[method.name];
        if (!same || signature(same) !== signature(method)) missing.push(signature(method));
      }
    }
    expect(compared).toBeGreaterThan(400);
    expect(missing).toEqual([]);
  });

  test('the service of workflow workers has no package, and one stream', () => {
    const methods = contract.lookupService('TaskHubSidecarService').methodsArray;
    expect(methods).toHaveLength(17);
    expect(methods.filter(({ requestStream }) => requestStream)).toEqual([]);
    expect(methods.filter(({ responseStream }) => responseStream).map(({ name }) => name)).toEqual(['GetWorkItems']);
    expect((generated['TaskHubSidecarService'] as Record<string, Method<unknown, unknown>>)['GetWorkItems']?.path).toBe('/TaskHubSidecarService/GetWorkItems');
  });

  test.each([
    ['WorkItem', 'workflowRequest=1 activityRequest=2 completionToken=10'],
    ['WorkflowRequest', 'instanceId=1 executionId=2 pastEvents=3 newEvents=4 requiresHistoryStreaming=6 router=7 propagatedHistory=8 cachedHistory=9'],
    ['WorkflowResponse', 'instanceId=1 actions=2 customStatus=3 completionToken=4 numEventsProcessed=5 version=6'],
    ['WorkflowAction', 'id=1 scheduleTask=2 createChildWorkflow=3 createTimer=4 sendEvent=5 completeWorkflow=6 terminateWorkflow=7 router=9 workflowVersionNotAvailable=10 createDetachedWorkflow=11'],
  ])('%s has the numbers that workers know', (name, fields) => {
    const found = contract.lookupType(name).fieldsArray.toSorted((a, b) => a.id - b.id);
    expect(found.map((field) => `${field.name}=${field.id}`).join(' ')).toBe(fields);
  });

  test('a work item reads in the official JavaScript SDK as it was written, under the older names that it has', () => {
    const require = createRequire(import.meta.url);
    const sdk = dirname(require.resolve('@dapr/dapr/package.json'));
    const theirs = require(join(sdk, 'workflow/internal/durabletask/proto/orchestrator_service_pb.js')) as { WorkItem: { deserializeBinary(bytes: Uint8Array): { toObject(): unknown } } };
    const { WorkItem } = generated as unknown as { WorkItem: Codec<never> };
    const started = { eventId: -1, timestamp: { seconds: 1, nanos: 2 }, executionStarted: { name: 'w', input: { value: '' }, workflowInstance: { instanceId: 'i', executionId: { value: 'e' } } } };
    const fired = { eventId: -1, timerFired: { timerId: 3, fireAt: { seconds: 253402300799, nanos: 999999999 } } };
    const bytes = WorkItem.encode({ workflowRequest: { instanceId: 'i', executionId: { value: 'e' }, pastEvents: [started], newEvents: [fired] }, completionToken: 't' } as never);
    expect(theirs.WorkItem.deserializeBinary(bytes).toObject()).toMatchObject({
      orchestratorrequest: {
        instanceid: 'i',
        executionid: { value: 'e' },
        pasteventsList: [{ eventid: -1, timestamp: { seconds: 1, nanos: 2 }, executionstarted: { name: 'w', input: { value: '' }, orchestrationinstance: { instanceid: 'i', executionid: { value: 'e' } } } }],
        neweventsList: [{ timerfired: { timerid: 3, fireat: { seconds: 253402300799, nanos: 999999999 } } }],
      },
    });
  });

  test('the generated files are up to date', () => {
    execFileSync(process.execPath, [join(import.meta.dirname, '..', 'scripts', 'generate-proto.ts'), '--check']);
  });
});

describe('the codecs', () => {
  test('there is one for every message', () => {
    expect(typesOf(contract).map((type) => type.fullName.slice(1)).filter((name) => !codecOf.has(name))).toEqual([]);
  });

  test('a table names every method with its codecs', () => {
    const dapr = generated['Dapr'] as Record<string, Method<unknown, unknown>>;
    expect(Object.keys(dapr)).toHaveLength(72);
    expect(dapr['GetState']).toMatchObject({ path: '/dapr.proto.runtime.v1.Dapr/GetState', requestStream: false, responseStream: false });
    expect(dapr['GetState']?.response.typeName).toBe('dapr.proto.runtime.v1.GetStateResponse');
  });

  test('any message goes both ways as an independent implementation says', () => {
    const types = typesOf(contract).filter((type) => type.fieldsArray.length > 0);
    fc.assert(
      fc.property(fc.constantFrom(...types).chain((type) => messageOf(type, 0).map((value) => ({ type, value }))), ({ type, value }) => {
        const theirs = Buffer.from(type.encode(type.fromObject(value)).finish());
        const codec = codecOf.get(type.fullName.slice(1));
        if (!codec) throw new Error(type.fullName);
        const decoded = codec.decode(theirs);
        // Field by field through the other implementation: order of fields and of map entries is free.
        const plain = (bytes: Uint8Array) => type.toObject(type.decode(bytes), { bytes: String, longs: String });
        expect(plain(codec.encode(decoded as never))).toEqual(plain(theirs));
        expect((decoded as { unknown?: Uint8Array }).unknown).toBeUndefined();
      }),
      { numRuns: 600 },
    );
  });

  test('fields of a later contract survive decoding and encoding, at every depth', () => {
    const later = protobuf.parse(
      `syntax = "proto3"; message Later { string store_name = 1; repeated Item states = 2; string added = 900; fixed64 more = 901; }
       message Item { string key = 1; int32 weight = 77; }`,
      { keepCase: true },
    ).root.lookupType('Later');
    const value = { store_name: 's', states: [{ key: 'a', weight: -5 }, { key: 'b', weight: 9 }], added: 'é', more: 12 };
    const codec = codecOf.get('dapr.proto.runtime.v1.SaveStateRequest');
    const bytes = later.encode(later.fromObject(value)).finish();
    const again = codec?.encode(codec.decode(bytes));
    expect(later.toObject(later.decode(again ?? Buffer.alloc(0)), { longs: Number })).toEqual(value);
  });

  test('a known number with another wire type counts as unknown', () => {
    const { GetStateRequest } = generated as { GetStateRequest: Codec<{ key: string; unknown?: Uint8Array }> };
    const odd = Buffer.from([0x10, 0x2a]);
    const decoded = GetStateRequest.decode(odd);
    expect(decoded.key).toBe('');
    expect(GetStateRequest.encode(decoded)).toEqual(odd);
  });

  test('absent and empty are told apart where the contract does', () => {
    const { StateItem, Job } = generated as unknown as { StateItem: Codec<{ etag?: { value: string } }>; Job: Codec<{ schedule?: string }> };
    expect(StateItem.decode(StateItem.encode({})).etag).toBeUndefined();
    expect(StateItem.decode(StateItem.encode({ etag: { value: '' } })).etag).toEqual({ value: '' });
    expect(Job.decode(Job.encode({})).schedule).toBeUndefined();
    expect(Job.decode(Job.encode({ schedule: '' })).schedule).toBe('');
  });

  test('the last member of a oneof wins', () => {
    const { Value } = generated as unknown as { Value: Codec<{ stringValue?: string; boolValue?: boolean }> };
    const both = Buffer.concat([Value.encode({ stringValue: 'a' }), Value.encode({ boolValue: false })]);
    expect(Value.decode(both)).toMatchObject({ stringValue: undefined, boolValue: false });
  });

  test('a message that comes in two parts is merged', () => {
    const { GetJobResponse } = generated as unknown as { GetJobResponse: Codec<{ job?: { name: string; schedule?: string } }> };
    const parts = Buffer.concat([GetJobResponse.encode({ job: { name: 'a', schedule: 'x' } }), GetJobResponse.encode({ job: { name: 'b' } })]);
    expect(GetJobResponse.decode(parts).job).toMatchObject({ name: 'b', schedule: 'x' });
  });

  test('a key called __proto__ is a key', () => {
    const { GetSecretResponse } = generated as unknown as { GetSecretResponse: Codec<{ data: Record<string, string> }> };
    const data = JSON.parse('{"__proto__":"x","constructor":"y"}') as Record<string, string>;
    const decoded = GetSecretResponse.decode(GetSecretResponse.encode({ data }));
    expect(Object.entries(decoded.data)).toEqual([['__proto__', 'x'], ['constructor', 'y']]);
    expect(Object.getPrototypeOf(decoded.data)).toBe(Object.prototype);
  });

  test.each([
    ['text that is not UTF-8', [0x0a, 0x02, 0xc3, 0x28]],
    ['a length past the end', [0x0a, 0x7f, 0x61]],
    ['a nested message past its own end', [0x12, 0x02, 0x0a, 0x05, 0x61, 0x61, 0x61, 0x61, 0x61]],
    ['a tag that stops half way', [0x80]],
    ['field number 0', [0x02, 0x00]],
  ])('%s is refused', (_title, bytes) => {
    expect(() => codecOf.get('dapr.proto.runtime.v1.SaveStateRequest')?.decode(Buffer.from(bytes))).toThrow();
  });

  test('nesting is bounded', () => {
    const { Value } = generated as unknown as { Value: Codec<unknown> };
    let bytes: Buffer = Buffer.from([0x20, 0x01]);
    const wrap = (tag: number, inner: Buffer) => Buffer.concat([Buffer.from(new protobuf.Writer().uint32(tag).uint32(inner.length).finish()), inner]);
    for (let depth = 0; depth < 200; depth++) bytes = wrap(0x32, wrap(0x0a, bytes));
    expect(() => Value.decode(bytes)).toThrow('nested more than 100 deep');
  });

  test('whole numbers of 64 bits keep their sign and their size up to 2^53', () => {
    const { Timestamp } = generated as unknown as { Timestamp: Codec<{ seconds: number; nanos: number }> };
    for (const seconds of [-62_135_596_800, -1, 0, 2 ** 32, 253_402_300_799, Number.MAX_SAFE_INTEGER]) {
      expect(Timestamp.decode(Timestamp.encode({ seconds, nanos: 1 })).seconds).toBe(seconds);
    }
  });
});

async function loadGenerated(): Promise<Record<string, unknown>> {
  const folder = join(import.meta.dirname, 'gen');
  const modules = await Promise.all(readdirSync(folder).map((file) => import(join(folder, file)) as Promise<Record<string, unknown>>));
  return Object.assign({}, ...modules) as Record<string, unknown>;
}

function isCodec(value: unknown): value is Codec<unknown> {
  return typeof value === 'object' && value !== null && 'typeName' in value;
}

function parseAll(folder: string, only = /./, root = new protobuf.Root()): protobuf.Root {
  for (const path of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
    if (path.endsWith('.proto') && only.test(path)) protobuf.parse(readFileSync(join(folder, path), 'utf8'), root, { keepCase: true });
  }
  root.resolveAll();
  return root;
}

function typesOf(parent: protobuf.NamespaceBase): protobuf.Type[] {
  return parent.nestedArray.flatMap((object) => [
    ...(object instanceof protobuf.Type && object.fullName.startsWith('.dapr.') ? [object] : []),
    ...(object instanceof protobuf.Namespace ? typesOf(object) : []),
  ]);
}

/** What of a field is seen on the wire. */
function shape(field: protobuf.Field): string {
  const { resolvedType } = field;
  const key = field instanceof protobuf.MapField ? `map ${field.keyType} ` : field.repeated ? 'repeated ' : '';
  return `${field.name}=${field.id} ${key}${resolvedType ? (resolvedType instanceof protobuf.Enum ? `enum ${JSON.stringify(resolvedType.values)}` : resolvedType.fullName) : field.type}`;
}

function signature(method: protobuf.Method): string {
  method.resolve();
  return `${method.name} ${method.requestStream === true} ${method.resolvedRequestType?.fullName} ${method.responseStream === true} ${method.resolvedResponseType?.fullName}`;
}

/** A random message as protobufjs's `fromObject` takes it. */
function messageOf(type: protobuf.Type, depth: number): fc.Arbitrary<Record<string, unknown>> {
  const chosen = type.oneofsArray.filter((oneof) => !oneof.isProto3Optional);
  const free = type.fieldsArray.filter((field) => !field.partOf || field.partOf.isProto3Optional);
  const freeValues = fc.record(Object.fromEntries(free.map((field) => [field.name, fieldOf(field, depth)])), { requiredKeys: [] });
  const oneofValues = chosen.map((oneof) => fc.oneof(...oneof.fieldsArray.map((field) => fieldOf(field, depth).map((value) => ({ [field.name]: value })))));
  return fc.tuple(freeValues, ...oneofValues).map((parts) => Object.assign({}, ...parts) as Record<string, unknown>);
}

function fieldOf(field: protobuf.Field, depth: number): fc.Arbitrary<unknown> {
  const one = valueOf(field, depth);
  if (field instanceof protobuf.MapField) return fc.dictionary(fc.string({ maxLength: 5, unit: 'grapheme-ascii' }).map((key) => `k${key}`), one, { maxKeys: 3 });
  return field.repeated ? fc.array(one, { maxLength: 3 }) : one;
}

function valueOf(field: protobuf.Field, depth: number): fc.Arbitrary<unknown> {
  const { resolvedType } = field;
  if (resolvedType instanceof protobuf.Enum) return fc.constantFrom(...Object.values(resolvedType.values));
  if (resolvedType instanceof protobuf.Type) return depth > 3 ? fc.constant({}) : fc.constant(null).chain(() => messageOf(resolvedType, depth + 1));
  switch (field.type) {
    case 'string':
      return fc.string({ maxLength: 60, unit: 'grapheme' });
    case 'bytes':
      return fc.uint8Array({ maxLength: 40 });
    case 'bool':
      return fc.boolean();
    case 'double':
      return fc.double({ noNaN: true });
    case 'int32':
      return fc.integer();
    case 'uint32':
      return fc.nat();
    default:
      return fc.maxSafeNat();
  }
}
