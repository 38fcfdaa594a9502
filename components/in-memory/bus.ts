/**
 * The bus behind `pubsub.in-memory`: topics and consumer groups in the memory of one process.
 *
 * Owns: who is given which message, and what becomes of it. Does not own: the port (`pubsub.ts`), envelopes, retry policy.
 *
 * Invariants
 * B1  A message is with one subscription of a group at a time, and leaves the group by its acknowledgement alone.
 * B2  Messages of a group are given in the order published; released ones go back to their place, retried ones come when due.
 * B3  A group holds at most `GROUP_MESSAGES_MAX` messages and `GROUP_BYTES_MAX` bytes that are not acknowledged; at that
 *     limit publishing is refused for all groups, so that no group misses what another was given.
 * B4  A group is known from its first subscription until the last instance that subscribed for it is closed.
 */
import { PublishRefused, type Clock, type Delivery, type PublishMessage, type Settlement, type SubscribeRequest, type Subscription } from '@mecha/components/kit';

export const GROUP_MESSAGES_MAX = 10_000;
export const GROUP_BYTES_MAX = 64 * 1024 * 1024;
export const IN_FLIGHT_MAX = 64;
/** Who hands a message back does not take another one for so long: an app that is away must not make the process spin. */
const REST_MS = 100;

interface Message {
  readonly sequence: number;
  /** Unlike those of any earlier bus. */
  readonly id: string;
  readonly topic: string;
  readonly data: Uint8Array;
  readonly contentType: string | undefined;
  readonly metadata: Readonly<Record<string, string>>;
}
interface Waiting {
  readonly message: Message;
  readonly attempt: number;
}

/** One consumer group's share of a topic, or of all topics that begin with `pattern` less its `*`. */
class Group {
  readonly name: string;
  readonly pattern: string;
  /** The instances that subscribed for it and are not closed. */
  readonly owners = new Set<object>();
  readonly members = new Set<Member>();
  readonly #clock: Clock;
  readonly #ready: Waiting[] = [];
  readonly #cancelRetries = new Set<() => void>();
  #messages = 0;
  #bytes = 0;

  constructor(name: string, pattern: string, clock: Clock) {
    this.name = name;
    this.pattern = pattern;
    this.#clock = clock;
  }

  wants(topic: string): boolean {
    if (!this.pattern.endsWith('*')) return this.pattern === topic;
    return topic.length >= this.pattern.length && topic.startsWith(this.pattern.slice(0, -1));
  }

  hasRoomFor(bytes: number): boolean {
    return this.#messages < GROUP_MESSAGES_MAX && this.#bytes + bytes <= GROUP_BYTES_MAX;
  }

  add(message: Message): void {
    this.#messages++;
    this.#bytes += message.data.length;
    this.#ready.push({ message, attempt: 1 });
    this.give();
  }

  settle(waiting: Waiting, settlement: Settlement): void {
    switch (settlement.action) {
      case 'ack':
        this.#messages--;
        this.#bytes -= waiting.message.data.length;
        return;
      case 'retry': {
        const cancel = this.#clock.after(settlement.delayMs, () => {
          this.#cancelRetries.delete(cancel);
          this.#putBack({ message: waiting.message, attempt: waiting.attempt + 1 });
        });
        this.#cancelRetries.add(cancel);
        return;
      }
      case 'release':
        this.#putBack(waiting);
    }
  }

  /** Hands out what is ready to whoever has a place, the least busy first. */
  give(): void {
    while (this.#ready.length > 0) {
      let chosen: Member | undefined;
      for (const member of this.members) if (member.hasPlace && (!chosen || member.inFlight < chosen.inFlight)) chosen = member;
      const next = chosen && this.#ready.shift();
      if (!chosen || !next) return;
      chosen.take(next);
    }
  }

  end(): void {
    for (const cancel of this.#cancelRetries) cancel();
    this.#cancelRetries.clear();
    this.#ready.length = 0;
  }

  #putBack(waiting: Waiting): void {
    const place = this.#ready.findIndex(({ message }) => message.sequence > waiting.message.sequence);
    this.#ready.splice(place < 0 ? this.#ready.length : place, 0, waiting);
    this.give();
  }
}

/** One subscription: a member of its group. */
class Member implements Subscription {
  readonly #group: Group;
  readonly #request: SubscribeRequest;
  readonly #clock: Clock;
  readonly #idle: (() => void)[] = [];
  #cancelRest: (() => void) | undefined;
  #paused = false;
  #closed = false;
  #inFlight = 0;

  constructor(group: Group, request: SubscribeRequest, clock: Clock) {
    this.#group = group;
    this.#request = request;
    this.#clock = clock;
    group.members.add(this);
    group.give();
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get hasPlace(): boolean {
    return !this.#closed && !this.#paused && !this.#cancelRest && this.#inFlight < IN_FLIGHT_MAX;
  }

  take(waiting: Waiting): void {
    this.#inFlight++;
    void this.#deliver(waiting);
  }

  async pause(): Promise<void> {
    this.#paused = true;
  }

  async resume(): Promise<void> {
    this.#paused = false;
    this.#group.give();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelRest?.();
    this.#group.members.delete(this);
    if (this.#inFlight > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  async #deliver(waiting: Waiting): Promise<void> {
    const settlement = await this.#request.deliver(deliveryOf(waiting));
    this.#inFlight--;
    if (settlement.action === 'release' && !this.#closed) {
      this.#cancelRest ??= this.#clock.after(REST_MS, () => {
        this.#cancelRest = undefined;
        this.#group.give();
      });
    }
    this.#group.settle(waiting, settlement);
    this.#group.give();
    if (this.#inFlight === 0) for (const resolve of this.#idle.splice(0)) resolve();
  }
}

export class Bus {
  readonly #clock: Clock;
  readonly #groups = new Set<Group>();
  /** Begins each id: dead letters outlive the process, and the next one counts anew. */
  readonly #began: string;
  #sequence = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#began = clock.now().toString(36);
  }

  publish({ topic, data, contentType, metadata }: PublishMessage): void {
    const groups = [...this.#groups].filter((group) => group.wants(topic));
    const full = groups.find((group) => !group.hasRoomFor(data.length));
    if (full) {
      throw new PublishRefused(
        'topic-full',
        `topic ${topic} is full: consumer group ${full.name} has ${GROUP_MESSAGES_MAX} messages or ${GROUP_BYTES_MAX} bytes of them still to acknowledge, the most that pubsub.in-memory keeps`,
      );
    }
    const sequence = ++this.#sequence;
    const message: Message = { sequence, id: `${this.#began}-${sequence}`, topic, data: Buffer.from(data), contentType, metadata: { ...metadata } };
    for (const group of groups) group.add(message);
  }

  subscribe(owner: object, name: string, request: SubscribeRequest): Subscription {
    let group = [...this.#groups].find((known) => known.name === name && known.pattern === request.topic);
    if (!group) {
      group = new Group(name, request.topic, this.#clock);
      this.#groups.add(group);
    }
    group.owners.add(owner);
    return new Member(group, request, this.#clock);
  }

  /** `owner` is closed: groups that nobody else holds are forgotten with all they have. */
  leave(owner: object): void {
    for (const group of this.#groups) {
      if (!group.owners.delete(owner) || group.owners.size > 0) continue;
      group.end();
      this.#groups.delete(group);
    }
  }
}

function deliveryOf({ message, attempt }: Waiting): Delivery {
  const { id, topic, data, contentType, metadata } = message;
  return { id, topic, data, metadata, attempt, ...(contentType === undefined ? {} : { contentType }) };
}
