/**
 * How the leader of a consumer group divides partitions: the strategies `range` and `roundrobin`, under the names and in
 * the form that clients of other languages use, so that a group may be shared with them while one replaces the other.
 * Unlike the library's own, they give a member only topics that it subscribed to.
 */
import type { Assigner, AssignerProtocol, Cluster, GroupMember, PartitionAssigner } from 'kafkajs';

type Protocol = typeof AssignerProtocol;
type TopicPartition = readonly [topic: string, partition: number];
/** Member id -> topics it subscribed to. */
type Subscriptions = ReadonlyMap<string, readonly string[]>;
type Divide = (partitions: ReadonlyMap<string, readonly number[]>, subscriptions: Subscriptions) => Iterable<readonly [memberId: string, ...TopicPartition]>;

/** Each topic by itself: its partitions in order, in pieces of equal size, to its members in order. */
export const divideByRange: Divide = function* (partitions, subscriptions) {
  for (const [topic, numbers] of partitions) {
    const members = [...subscriptions].filter(([, topics]) => topics.includes(topic)).map(([id]) => id);
    // The first `more` members get one more than the others.
    const [share, more] = [Math.floor(numbers.length / members.length), numbers.length % members.length];
    for (const [index, member] of members.entries()) {
      const from = index * share + Math.min(index, more);
      for (const partition of numbers.slice(from, from + share + (index < more ? 1 : 0))) yield [member, topic, partition];
    }
  }
};

/** All partitions in order of topic, one after the other to the next member that wants the topic. */
export const divideInTurn: Divide = function* (partitions, subscriptions) {
  const members = [...subscriptions];
  let turn = 0;
  for (const [topic, numbers] of partitions) {
    if (!members.some(([, topics]) => topics.includes(topic))) continue;
    for (const partition of numbers) {
      while (!members[turn % members.length]?.[1].includes(topic)) turn += 1;
      yield [members[turn % members.length]?.[0] ?? '', topic, partition];
      turn += 1;
    }
  }
};

/** The chosen strategy first; a group takes the first that all its members know. */
export function partitionAssigners(strategy: string, protocol: Protocol): PartitionAssigner[] {
  const range = createAssigner('range', divideByRange, protocol);
  const inTurn = createAssigner('roundrobin', divideInTurn, protocol);
  return strategy.toLowerCase() === 'roundrobin' ? [inTurn, range] : [range, inTurn];
}

function createAssigner(name: string, divide: Divide, { MemberMetadata, MemberAssignment }: Protocol): PartitionAssigner {
  return ({ cluster }): Assigner => ({
    name,
    version: 0,
    protocol: ({ topics }) => ({ name, metadata: MemberMetadata.encode({ version: 0, topics, userData: Buffer.alloc(0) }) }),
    async assign({ members }) {
      const subscriptions = subscriptionsOf(members, MemberMetadata);
      const topics = [...new Set([...subscriptions.values()].flat())].sort();
      const partitions = await partitionsOf(cluster, topics);
      const assignments = new Map<string, Record<string, number[]>>([...subscriptions.keys()].map((id) => [id, {}]));
      for (const [member, topic, partition] of divide(partitions, subscriptions)) {
        const own = assignments.get(member) ?? {};
        (own[topic] ??= []).push(partition);
      }
      return [...assignments].map(([memberId, assignment]) => ({
        memberId,
        memberAssignment: MemberAssignment.encode({ version: 0, assignment, userData: Buffer.alloc(0) }),
      }));
    },
  });
}

function subscriptionsOf(members: readonly GroupMember[], codec: Protocol['MemberMetadata']): Subscriptions {
  return new Map(
    members
      .map(({ memberId, memberMetadata }) => [memberId, codec.decode(memberMetadata)?.topics ?? []] as const)
      .sort(([one], [other]) => (one < other ? -1 : 1)),
  );
}

async function partitionsOf(cluster: Cluster, topics: readonly string[]): Promise<ReadonlyMap<string, readonly number[]>> {
  // Another member may want topics that this one never asked about. The types leave this method out.
  await (cluster as Cluster & { addMultipleTargetTopics(topics: readonly string[]): Promise<void> }).addMultipleTargetTopics(topics);
  return new Map(topics.map((topic) => [topic, cluster.findTopicPartitionMetadata(topic).map(({ partitionId }) => partitionId).sort((one, other) => one - other)]));
}
