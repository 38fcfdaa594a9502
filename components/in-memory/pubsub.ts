/** `pubsub.in-memory`: topics in the memory of one process, with the groups, retries and releases of every other broker. */
import { defineComponent, field, type BulkPublishOutcome, type ComponentContext, type Ledger, type OptionsOf, type PubSub, type Subscription } from '@mecha/components/kit';
import { Bus } from './bus.ts';

const metadata = {
  consumerID: field.string('The consumer group; the app id unless given. Groups are each given every message, members of one share.'),
} as const;

/** Sidecars of one process share its ledger, and so what they call by the same name. */
const busesByProcess = new WeakMap<Ledger, Map<string, Bus>>();

function busOf({ ledger, namespace, name, clock }: ComponentContext<OptionsOf<typeof metadata>>): Bus {
  const buses = busesByProcess.get(ledger) ?? new Map<string, Bus>();
  busesByProcess.set(ledger, buses);
  const id = JSON.stringify([namespace, name]);
  const bus = buses.get(id) ?? new Bus(clock);
  buses.set(id, bus);
  return bus;
}

function createPubSub(context: ComponentContext<OptionsOf<typeof metadata>>): PubSub {
  const group = context.options.consumerID?.trim() || context.appId;
  const bus = busOf(context);
  const owner = {};
  const subscriptions = new Set<Subscription>();

  return {
    async publish(message) {
      bus.publish(message);
    },
    async publishBulk(messages): Promise<BulkPublishOutcome> {
      const failed: { index: number; error: Error }[] = [];
      for (const [index, message] of messages.entries()) {
        try {
          bus.publish(message);
        } catch (error) {
          failed.push({ index, error: error as Error });
        }
      }
      return { failed };
    },
    async subscribe(request) {
      const subscription = bus.subscribe(owner, group, request);
      subscriptions.add(subscription);
      return {
        pause: () => subscription.pause(),
        resume: () => subscription.resume(),
        close: () => subscription.close().finally(() => subscriptions.delete(subscription)),
      };
    },
    async close() {
      await Promise.all([...subscriptions].map((subscription) => subscription.close()));
      subscriptions.clear();
      bus.leave(owner);
    },
  };
}

export default defineComponent({
  type: 'pubsub.in-memory',
  versions: ['v1'],
  status: 'stable',
  title: 'In memory',
  description:
    'Topics in the memory of one process, for tests and trials. The apps of one `mecha run` reach each other; nothing outlives the process, and what is published before a group has subscribed is gone. A topic that ends in * subscribes to all topics that begin so.',
  durability: 'None: what was not delivered is lost when the process ends.',
  metadata,
  features: ['SUBSCRIBE_WILDCARDS'],
  create: createPubSub,
});
