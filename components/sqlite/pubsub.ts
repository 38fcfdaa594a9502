/** `pubsub.sqlite`: the durable embedded broker, on the topics and groups of the ledger. */
import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import {
  defineComponent,
  field,
  LedgerRefused,
  PublishRefused,
  type BulkPublishOutcome,
  type ComponentContext,
  type Ledger,
  type OptionsOf,
  type PublishMessage,
  type PubSub,
} from '@mecha/components/kit';
import { parseConnectionString } from './connection-string.ts';
import { LedgerSubscription } from './ledger-subscription.ts';

const metadata = {
  connectionString: field.string('File of topics of its own, shared by all who name it; absent, the ledger, which the apps of a host share.'),
  consumerID: field.string('The consumer group; the app id unless given. Groups are each given every message, members of one share.'),
  maxInFlight: field.integer('Deliveries that one subscription has under way at most.', { default: 64, minimum: 1, maximum: 10_000 }),
  retention: field.duration('How long a message is kept, for groups that come later; longer, until every group has acknowledged it; shorter where the topic is at retentionBytes.', { default: 24 * 3_600_000, minimum: 0 }),
  retentionBytes: field.size('Bytes of messages that a topic keeps at most. At the limit the oldest that every group has acknowledged are dropped before retention ends; where unacknowledged ones fill it, or there is no group, publishing is refused. Nothing unacknowledged is dropped.', {
    default: 1024 ** 3,
    minimum: 1,
  }),
} as const;

function createPubSub(context: ComponentContext<OptionsOf<typeof metadata>>): PubSub {
  const { options, clock, log } = context;
  const group = options.consumerID?.trim() || context.appId;
  const retention = { retentionMs: options.retention, bytesMax: options.retentionBytes };
  const path = options.connectionString === undefined ? undefined : filePath(options.connectionString);
  const subscriptions = new Set<LedgerSubscription>();
  let opened: Ledger | undefined = path === undefined ? context.ledger : undefined;

  const ledger = (): Ledger => {
    if (!opened) throw new Error(`${path} is not open`);
    return opened;
  };

  const publish = async ({ topic, data, contentType, metadata: given }: PublishMessage): Promise<void> => {
    const message = { id: randomUUID(), data, metadata: given, ...(contentType === undefined ? {} : { contentType }) };
    try {
      await ledger().commit([{ type: 'topic.append', topic, message, retention }]);
    } catch (error) {
      if (!(error instanceof LedgerRefused && error.code === 'topic-full')) throw error;
      throw new PublishRefused(
        'topic-full',
        `topic ${topic} is full: it may keep ${retention.bytesMax} bytes (retentionBytes) of messages, and those it keeps are still to be acknowledged by a group, or there is no group yet and they are younger than retention`,
      );
    }
  };

  return {
    async connect() {
      if (opened || path === undefined) return;
      if (!context.openLedger) throw new Error('connectionString cannot be served here: nobody opens ledger files');
      opened = await context.openLedger(path);
    },
    publish,
    // Handed in together, these share a commit, and yet each can fail by itself.
    async publishBulk(messages): Promise<BulkPublishOutcome> {
      const outcomes = await Promise.allSettled(messages.map(publish));
      return { failed: outcomes.flatMap((outcome, index) => (outcome.status === 'rejected' ? [{ index, error: outcome.reason as Error }] : [])) };
    },
    async subscribe(request) {
      await ledger().openGroup(request.topic, group);
      const subscription = new LedgerSubscription({ ledger: ledger(), group, request, maxInFlight: options.maxInFlight, clock, log });
      subscriptions.add(subscription);
      return {
        pause: () => subscription.pause(),
        resume: () => subscription.resume(),
        close: () => subscription.close().finally(() => subscriptions.delete(subscription)),
      };
    },
    // The ledger itself is the host's to close.
    async close() {
      await Promise.all([...subscriptions].map((subscription) => subscription.close()));
      subscriptions.clear();
    },
  };
}

function filePath(connectionString: string): string {
  const { path, memory, readOnly } = parseConnectionString(connectionString);
  if (memory) throw new Error('connectionString of pubsub.sqlite must name a file; for topics in memory there is pubsub.in-memory');
  if (readOnly) throw new Error('connectionString of pubsub.sqlite asks for a read-only file, and a broker has to write');
  return resolve(path);
}

export default defineComponent({
  type: 'pubsub.sqlite',
  versions: ['v1'],
  status: 'stable',
  title: 'SQLite (embedded broker)',
  description:
    'Durable topics with consumer groups in one file on the disk of the host: nothing to install, and what was acknowledged to the publisher survives a crash. The sidecars of a host share it; a group that was away for 7 days is forgotten.',
  durability: 'A publish is acknowledged when it is on the disk (WAL, synchronous=FULL): it survives kill -9 and the loss of power.',
  metadata,
  features: [],
  create: createPubSub,
});
