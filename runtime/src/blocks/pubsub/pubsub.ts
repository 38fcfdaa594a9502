/**
 * Publishing: what every publish means, whichever protocol brought it, and the one way out to a pub/sub component that
 * events, dead letters and outbox records share (topic scopes, namespace prefix, readiness, outbound policy, metrics).
 *
 * Does not own: subscriptions and delivery (`subscriptions.ts`, `delivery.ts`), the shape of envelopes (`envelope.ts`).
 */
import { randomUUID } from 'node:crypto';
import { LedgerRefused } from '@mecha/components/kit';
import type { BulkPublishOutcome, Clock, Ledger, OutboxRecord, PubSub, PublishMessage } from '@mecha/components/kit';
import { CLOUD_EVENT_JSON, mediaType } from '../../cloud-event/cloud-event.ts';
import type { ComponentLookup, Instance } from '../../component-set.ts';
import { MechaError, messageOf } from '../../errors.ts';
import type { Call } from '../../pipeline.ts';
import type { Resilience } from '../../resilience/resilience.ts';
import type { Log } from '../../telemetry/log.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import { traceparentOf, type TraceContext } from '../../telemetry/trace.ts';
import { adoptEvent, buildEnvelope, rawPayloadOf, ttlMsOf, type EnvelopeInput } from './envelope.ts';
import { errors } from './pubsub-errors.ts';
import { topicScopesOf, type TopicDirection, type TopicScopes } from './scopes.ts';

type Words = Readonly<Record<string, string>>;

export interface PublishRequest {
  readonly pubsubName: string;
  readonly topic: string;
  readonly data: Uint8Array;
  /** As the caller gave it; '' = none. */
  readonly contentType: string;
  readonly metadata: Words;
}

export interface BulkPublishEntry {
  /** Not empty, unique in the request. */
  readonly entryId: string;
  readonly data: Uint8Array;
  readonly contentType: string;
  /** Its keys win over the request's. */
  readonly metadata: Words;
}

export interface BulkPublishRequest {
  readonly pubsubName: string;
  readonly topic: string;
  readonly entries: readonly BulkPublishEntry[];
  /** Part of every entry's metadata. */
  readonly metadata: Words;
}

export interface FailedEntry {
  readonly entryId: string;
  readonly error: string;
}

/** Bytes on their way to a component as they are, no envelope. */
export interface DirectPublish {
  readonly pubsubName: string;
  readonly topic: string;
  readonly data: Uint8Array;
  readonly contentType?: string | undefined;
  readonly metadata: Words;
}

export interface PubSubBlock {
  readonly appId: string;
  /** Throws as a publish would for its target and metadata; faces call it before they read a body. */
  checkTarget(target: Pick<PublishRequest, 'pubsubName' | 'topic' | 'metadata'>): void;
  /** Resolves when the broker has the event. Rejects with `MechaError`. */
  publish(call: Call, request: PublishRequest): Promise<void>;
  /** Resolves with the entries that failed, [] when none did; rejects with `MechaError` when the request as a whole is at fault. */
  publishBulk(call: Call, request: BulkPublishRequest): Promise<readonly FailedEntry[]>;
  /** For dead letters and relays; `signal` ends the retries of a policy, not a publish under way. Rejects with `MechaError`. */
  publishDirect(message: DirectPublish, signal: AbortSignal): Promise<void>;
  /** An outbox record on its way to its topic. Rejects with `MechaError`. */
  publishRecord(record: OutboxRecord, signal: AbortSignal): Promise<void>;
  /** What the component's scopes say about this app. */
  isTopicAllowed(instance: Instance<'pubsub'>, topic: string, direction: TopicDirection): boolean;
  /** The topic by its name on the broker, and back. */
  brokerTopic(instance: Instance<'pubsub'>, topic: string): string;
  appTopic(instance: Instance<'pubsub'>, brokerTopic: string): string;
}

export interface PubSubBlockParts {
  readonly appId: string;
  readonly namespace: string;
  readonly components: ComponentLookup;
  readonly ledger: Ledger;
  readonly clock: Clock;
  /** 0 <= x < 1, for jitter. */
  readonly random: () => number;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly resilience: Resilience;
}

const DEFAULT_CONTENT_TYPE = 'text/plain';
const FAN_OUT_MAX = 100;

export function createPubSubBlock(parts: PubSubBlockParts): PubSubBlock {
  const { appId, components, namespace } = parts;
  const scopes = new WeakMap<Instance<'pubsub'>, TopicScopes>();

  function isTopicAllowed(instance: Instance<'pubsub'>, topic: string, direction: TopicDirection): boolean {
    let mine = scopes.get(instance);
    if (!mine) {
      mine = topicScopesOf(instance.metadata);
      scopes.set(instance, mine);
    }
    return mine.isAllowed(appId, topic, direction);
  }

  const brokerTopic = (instance: Instance<'pubsub'>, topic: string): string => (instance.namespaced ? namespace + topic : topic);

  /** The checks of the contract, in its order. */
  function targetOf(pubsubName: string, topic: string, metadata: Words): { instance: Instance<'pubsub'>; raw: boolean } {
    if (pubsubName === '') throw errors.nameEmpty(metadata);
    const instance = components.find('pubsub', pubsubName);
    if (!instance) throw errors.notFound(pubsubName, metadata);
    if (topic === '') throw errors.topicEmpty(pubsubName, metadata);
    const raw = rawPayloadOf(metadata);
    if (raw === undefined) throw errors.badMetadata(pubsubName, metadata['rawPayload'] ?? '', metadata);
    return { instance, raw };
  }

  function portFor(instance: Instance<'pubsub'>, topic: string): PubSub {
    if (!isTopicAllowed(instance, topic, 'publish')) throw errors.forbidden(instance.name, topic, appId);
    return components.ready(instance);
  }

  function messageFor(instance: Instance<'pubsub'>, raw: boolean, item: Omit<PublishRequest, 'pubsubName'>, trace: TraceContext): PublishMessage {
    const { metadata } = item;
    const topic = brokerTopic(instance, item.topic);
    if (raw) {
      // No envelope carries the trace, so the message's metadata does.
      const carried = trace.tracestate === '' ? { traceid: traceparentOf(trace) } : { traceid: traceparentOf(trace), tracestate: trace.tracestate };
      return { topic, data: item.data, metadata: { ...carried, ...metadata }, ...(item.contentType === '' ? {} : { contentType: item.contentType }) };
    }
    const contentType = item.contentType === '' ? DEFAULT_CONTENT_TYPE : item.contentType;
    const input: EnvelopeInput = {
      id: randomUUID(),
      source: appId,
      topic: item.topic,
      pubsubName: instance.name,
      contentType,
      data: item.data,
      metadata,
      traceparent: traceparentOf(trace),
      tracestate: trace.tracestate,
      now: parts.clock.now(),
      ttlMs: instance.features.includes('MESSAGE_TTL') ? undefined : ttlMsOf(metadata),
    };
    const isEvent = mediaType(contentType) === CLOUD_EVENT_JSON;
    return { topic, data: isEvent ? adoptEvent(input) : buildEnvelope(input), metadata, contentType: CLOUD_EVENT_JSON };
  }

  /** Against the broker: under the component's policy, counted and timed. */
  async function send<T>(instance: Instance<'pubsub'>, topic: string, metric: string, signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const began = performance.now();
    let success = 'false';
    try {
      const result = await parts.resilience.forComponent(instance.name, 'Pubsub', 'outbound').run(signal, work);
      success = 'true';
      return result;
    } catch (error) {
      if (error instanceof MechaError || (error instanceof LedgerRefused && error.code === 'closed')) throw error;
      throw errors.publishFailed(instance.name, topic, messageOf(error), error);
    } finally {
      const labels = { component: instance.name, success, topic };
      parts.metrics.count(`component_pubsub_egress_${metric}count`, labels);
      parts.metrics.observe(`component_pubsub_egress_${metric}latencies`, labels, performance.now() - began);
    }
  }

  async function publishDirect(message: DirectPublish, signal: AbortSignal): Promise<void> {
    const { instance } = targetOf(message.pubsubName, message.topic, {});
    const port = portFor(instance, message.topic);
    const { data, metadata, contentType } = message;
    const topic = brokerTopic(instance, message.topic);
    await send(instance, message.topic, '', signal, () => port.publish({ topic, data, metadata, ...(contentType === undefined ? {} : { contentType }) }));
  }

  return {
    appId,
    isTopicAllowed,
    brokerTopic,
    appTopic: (instance, topic) => (instance.namespaced && topic.startsWith(namespace) ? topic.slice(namespace.length) : topic),
    publishDirect,

    checkTarget({ pubsubName, topic, metadata }) {
      targetOf(pubsubName, topic, metadata);
    },

    async publish(call, request) {
      const { instance, raw } = targetOf(request.pubsubName, request.topic, request.metadata);
      const port = portFor(instance, request.topic);
      let message: PublishMessage;
      try {
        message = messageFor(instance, raw, request, call.trace);
      } catch (error) {
        throw errors.badCloudEvent(instance.name, appId, messageOf(error), error);
      }
      await send(instance, request.topic, '', call.signal, () => port.publish(message));
    },

    async publishBulk(call, request) {
      const { entries, topic, pubsubName } = request;
      const { instance, raw } = targetOf(pubsubName, topic, request.metadata);
      if (new Set(entries.map(({ entryId }) => entryId)).size < entries.length || entries.some(({ entryId }) => entryId === '')) {
        throw errors.badEntryId(pubsubName, topic, appId);
      }
      const port = portFor(instance, topic);
      let left: { entryId: string; message: PublishMessage }[];
      try {
        left = entries.map((entry) => ({
          entryId: entry.entryId,
          message: messageFor(instance, raw, { ...entry, topic, metadata: { ...request.metadata, ...entry.metadata } }, call.trace),
        }));
      } catch (error) {
        throw errors.badCloudEvent(pubsubName, appId, messageOf(error), error);
      }
      if (left.length === 0) return [];
      let failed: FailedEntry[] = [];
      try {
        // Each attempt of a policy sends only what failed in the one before.
        await send(instance, topic, 'bulk_', call.signal, async (signal) => {
          const sent = left;
          const outcome = await publishAll(port, sent.map(({ message }) => message));
          // The policy has given this attempt up: what it still brings counts for nothing.
          signal.throwIfAborted();
          left = [];
          failed = [];
          for (const { index, error } of outcome.failed) {
            const item = sent[index];
            if (!item) continue;
            left.push(item);
            failed.push({ entryId: item.entryId, error: messageOf(error) });
          }
          if (failed.length > 0) throw new EntriesFailed(failed.length);
        });
        return [];
      } catch (error) {
        if (!(error instanceof MechaError) || error.code !== 'ERR_PUBSUB_PUBLISH_MESSAGE') throw error;
        if (error.cause instanceof EntriesFailed) return failed;
        return left.map(({ entryId }) => ({ entryId, error: messageOf(error) }));
      }
    },

    publishRecord: (record, signal) =>
      publishDirect({ pubsubName: record.pubsub, topic: record.topic, data: record.data, contentType: record.contentType, metadata: record.metadata }, signal),
  };
}

/** Some entries of a bulk publish failed; which ones stands beside it. */
class EntriesFailed extends Error {
  constructor(count: number) {
    super(`${count} of the entries were not published`);
    this.name = 'EntriesFailed';
  }
}

/** With the broker's own bulk operation, else one by one, so many at a time. */
async function publishAll(port: PubSub, messages: readonly PublishMessage[]): Promise<BulkPublishOutcome> {
  if (port.publishBulk) return port.publishBulk(messages);
  const failed: { index: number; error: Error }[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let index = next++; index < messages.length; index = next++) {
      const message = messages[index];
      try {
        if (message) await port.publish(message);
      } catch (error) {
        failed.push({ index, error: error instanceof Error ? error : new Error(String(error)) });
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(FAN_OUT_MAX, messages.length) }, lane));
  return { failed: failed.toSorted((a, b) => a.index - b.index) };
}
