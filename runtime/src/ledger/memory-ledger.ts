/**
 * The ledger in memory: the same promises but for durability, for tests and simulations. One process, one session; a
 * batch that is refused half-way is undone step by step, so that it leaves no trace (L1). Workflows and jobs are the exception:
 * they lie in a SQLite database in memory, under the statements of production (`memory-rows.ts`).
 */
import { randomUUID } from 'node:crypto';
import { LedgerConflict, LedgerRefused } from '@mecha/components/kit';
import type {
  ClaimedMessage,
  ClaimedOutboxRecord,
  Clock,
  DeadLetter,
  DeadLetterRow,
  Ledger,
  LedgerMessage,
  LedgerOperation,
  LedgerResult,
  LedgerStateRow,
  MessageRef,
  OutboxRecord,
  SidecarRow,
  TopicRetention,
} from '@mecha/components/kit';
import { openMemoryRows, type MemoryRows } from './memory-rows.ts';
import { createWatches } from './watches.ts';

const DEAD_LETTERS_MAX = 10_000;
const GROUP_UNSEEN_MS = 7 * 24 * 3600_000;

interface StoredMessage extends LedgerMessage {
  readonly sequence: number;
  readonly publishedAt: number;
}
interface OpenDelivery {
  attempt: number;
  /** Waiting for its next try; undefined while in flight. */
  dueAt: number | undefined;
}
interface Group {
  /** Highest sequence that was ever claimed. */
  cursor: number;
  seenAt: number;
  readonly open: Map<number, OpenDelivery>;
}
interface Topic {
  readonly messages: Map<number, StoredMessage>;
  bytes: number;
  retentionMs: number;
  readonly groups: Map<string, Group>;
}
interface OutboxRow {
  readonly record: OutboxRecord;
  attempt: number;
  freeAt: number;
}

export function createMemoryLedger({ clock }: { readonly clock: Clock }): Ledger {
  return new MemoryLedger(clock);
}

class MemoryLedger implements Ledger {
  readonly kind = 'memory';
  readonly #clock: Clock;
  readonly #watches = createWatches();
  readonly #tables = new Map<string, Map<string, LedgerStateRow>>();
  readonly #topics = new Map<string, Topic>();
  readonly #outbox = new Map<string, OutboxRow>();
  readonly #deadLetters = new Map<string, DeadLetter>();
  readonly #sidecars = new Map<string, SidecarRow>();
  #sequence = 0;
  #closed = false;
  #rows: MemoryRows | undefined;

  readonly outbox: Ledger['outbox'];

  constructor(clock: Clock) {
    this.#clock = clock;
    this.outbox = {
      claim: async (request) => this.#claimOutbox(request),
      remove: async (ids) => {
        this.#checkOpen();
        for (const id of ids) this.#outbox.delete(id);
      },
      release: async (ids, delayMs) => {
        this.#checkOpen();
        for (const id of ids) {
          const row = this.#outbox.get(id);
          if (row) row.freeAt = this.#clock.now() + delayMs;
        }
      },
      onRecords: (appId, listener) => this.#watches.watch(`outbox/${appId}`, listener),
      pending: async (appId) => {
        this.#checkOpen();
        return [...this.#outbox.values()].filter(({ record }) => record.appId === appId).length;
      },
    };
  }

  async commit(batch: readonly LedgerOperation[]): Promise<readonly LedgerResult[]> {
    this.#checkOpen();
    const undo: (() => void)[] = [];
    const touched = new Set<string>();
    let results: LedgerResult[];
    const work = (): LedgerResult[] => batch.map((operation, index) => this.#apply(operation, index, undo, touched));
    try {
      results = batch.some(({ type }) => type.startsWith('workflow.') || type.startsWith('job.')) ? this.#openRows().transaction(work) : work();
    } catch (error) {
      for (const step of undo.toReversed()) step();
      throw error;
    }
    // As with any other ledger, nobody hears of a commit before the next turn.
    await Promise.resolve();
    if (touched.size > 0) this.#watches.touch([...touched]);
    return results;
  }

  get workflows(): Ledger['workflows'] {
    return this.#openRows().workflows;
  }
  get jobs(): Ledger['jobs'] {
    return this.#openRows().jobs;
  }
  /** Opened when first asked for: most who use this ledger have neither workflows nor jobs. */
  #openRows(): MemoryRows {
    return (this.#rows ??= openMemoryRows({ now: () => this.#clock.now(), touch: (channels) => this.#watches.touch(channels), check: () => this.#checkOpen() }));
  }

  async readState(table: string, keys: readonly string[]): Promise<readonly (LedgerStateRow | undefined)[]> {
    this.#checkOpen();
    return keys.map((key) => this.#live(table, key));
  }

  async openGroup(topic: string, group: string): Promise<void> {
    this.#checkOpen();
    this.#group(topic, group).seenAt = this.#clock.now();
  }

  async claimMessages(request: { topic: string; group: string; limit: number }): ReturnType<Ledger['claimMessages']> {
    this.#checkOpen();
    const now = this.#clock.now();
    this.#tend(now);
    const topic = this.#topic(request.topic);
    const group = this.#group(request.topic, request.group);
    group.seenAt = now;
    const claimed: ClaimedMessage[] = [];
    const give = (message: StoredMessage, attempt: number): void => {
      claimed.push({ ...message, topic: request.topic, group: request.group, attempt });
    };
    const due = [...group.open].filter(([, delivery]) => delivery.dueAt !== undefined && delivery.dueAt <= now).sort(([a, x], [b, y]) => (x.dueAt ?? 0) - (y.dueAt ?? 0) || a - b);
    for (const [sequence, delivery] of due.slice(0, request.limit)) {
      delivery.dueAt = undefined;
      const message = topic.messages.get(sequence);
      if (message) give(message, delivery.attempt);
    }
    for (const message of topic.messages.values()) {
      if (claimed.length >= request.limit) break;
      if (message.sequence <= group.cursor) continue;
      group.cursor = message.sequence;
      group.open.set(message.sequence, { attempt: 1, dueAt: undefined });
      give(message, 1);
    }
    const waiting = [...group.open.values()].flatMap(({ dueAt }) => (dueAt === undefined ? [] : [dueAt]));
    return { messages: claimed, more: claimed.length >= request.limit, ...(waiting.length > 0 ? { nextDueAt: Math.min(...waiting) } : {}) };
  }

  async topicStatus(name: string): ReturnType<Ledger['topicStatus']> {
    this.#checkOpen();
    const topic = this.#topics.get(name);
    if (!topic) return { topic: name, messages: 0, bytes: 0, groups: [] };
    const groups = [...topic.groups].map(([group, { open, cursor }]) => {
      const inFlight = [...open.values()].filter(({ dueAt }) => dueAt === undefined).length;
      const unread = [...topic.messages.keys()].filter((sequence) => sequence > cursor).length;
      return { group, inFlight, waiting: open.size - inFlight, unread };
    });
    return { topic: name, messages: topic.messages.size, bytes: topic.bytes, groups };
  }

  async deadLetters({ appId, limit, before }: Parameters<Ledger['deadLetters']>[0]): Promise<readonly DeadLetterRow[]> {
    this.#checkOpen();
    const newestFirst = (a: { at: number; id: string }, b: { at: number; id: string }): number => b.at - a.at || (a.id < b.id ? 1 : a.id > b.id ? -1 : 0);
    return [...this.#deadLetters.values()]
      .filter((letter) => letter.appId === appId && (before === undefined || newestFirst(before, letter) < 0))
      .sort(newestFirst)
      .slice(0, limit)
      .map(({ data, ...row }) => ({ ...row, bytes: data.length }));
  }

  async deadLetter({ appId, id }: Parameters<Ledger['deadLetter']>[0]): Promise<DeadLetter | undefined> {
    this.#checkOpen();
    const letter = this.#deadLetters.get(id);
    return letter?.appId === appId ? letter : undefined;
  }

  async liveSidecars(query: Parameters<Ledger['liveSidecars']>[0] = {}): Promise<readonly SidecarRow[]> {
    this.#checkOpen();
    return [...this.#sidecars.values()]
      .filter((row) => (query.appId === undefined || row.appId === query.appId) && (query.namespace === undefined || row.namespace === query.namespace))
      .sort((a, b) => b.startedAt - a.startedAt);
  }

  watch(channel: string, listener: () => void): () => void {
    return this.#watches.watch(channel, listener);
  }
  onTouched(listener: (channels: readonly string[]) => void): () => void {
    return this.#watches.onTouched(listener);
  }
  wake(channels: readonly string[]): void {
    this.#watches.wake(channels);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#watches.clear();
    this.#rows?.close();
  }

  #checkOpen(): void {
    if (this.#closed) throw new LedgerRefused('closed', 'the ledger is closed');
  }

  #apply(operation: LedgerOperation, index: number, undo: (() => void)[], touched: Set<string>): LedgerResult {
    switch (operation.type) {
      case 'state.set': {
        const { table, key } = operation;
        const live = this.#live(table, key);
        if (operation.ifEtag !== undefined ? live?.etag !== operation.ifEtag : operation.ifAbsent && live) throw new LedgerConflict(key, index);
        const row: LedgerStateRow = {
          key,
          data: Uint8Array.from(operation.data),
          binary: operation.binary,
          etag: randomUUID(),
          ...(operation.expiresAt === undefined ? {} : { expiresAt: operation.expiresAt }),
        };
        put(this.#table(table), key, row, undo);
        return { etag: row.etag };
      }
      case 'state.delete': {
        const live = this.#live(operation.table, operation.key);
        if (operation.ifEtag !== undefined && live?.etag !== operation.ifEtag) throw new LedgerConflict(operation.key, index);
        remove(this.#table(operation.table), operation.key, undo);
        return { deleted: live !== undefined };
      }
      case 'topic.append':
        touched.add(`topic/${operation.topic}`);
        return { sequence: this.#append(operation.topic, operation.message, operation.retention, undo) };
      case 'message.ack':
      case 'message.retry':
      case 'message.release':
        return { applied: this.#settle(operation, undo, touched) };
      case 'outbox.add':
        touched.add(`outbox/${operation.record.appId}`);
        put(this.#outbox, operation.record.id, { record: { ...operation.record, data: Uint8Array.from(operation.record.data) }, attempt: 0, freeAt: 0 }, undo);
        return {};
      case 'dead-letter.add':
        this.#addDeadLetter(operation.letter, undo);
        return {};
      case 'dead-letter.remove':
        remove(this.#deadLetters, operation.id, undo);
        return {};
      case 'sidecar.put':
        touched.add('sidecars');
        put(this.#sidecars, operation.sidecar.instanceId, operation.sidecar, undo);
        return {};
      case 'sidecar.remove':
        touched.add('sidecars');
        remove(this.#sidecars, operation.instanceId, undo);
        return {};
      default:
        return this.#openRows().apply(operation, index, touched);
    }
  }

  #table(name: string): Map<string, LedgerStateRow> {
    return getOrAdd(this.#tables, name, () => new Map<string, LedgerStateRow>());
  }

  #live(table: string, key: string): LedgerStateRow | undefined {
    const row = this.#tables.get(table)?.get(key);
    return row?.expiresAt !== undefined && row.expiresAt <= this.#clock.now() ? undefined : row;
  }

  #topic(name: string): Topic {
    return getOrAdd(this.#topics, name, () => ({ messages: new Map<number, StoredMessage>(), bytes: 0, retentionMs: 0, groups: new Map<string, Group>() }));
  }

  #group(topic: string, name: string): Group {
    return getOrAdd(this.#topic(topic).groups, name, () => ({ cursor: 0, seenAt: this.#clock.now(), open: new Map<number, OpenDelivery>() }));
  }

  #append(name: string, message: LedgerMessage, retention: TopicRetention, undo: (() => void)[]): number {
    const topic = this.#topic(name);
    const size = message.data.length;
    if (topic.bytes + size > retention.bytesMax && !this.#makeRoom(topic, size, retention, undo)) {
      throw new LedgerRefused('topic-full', `topic ${name} has no room: it may hold ${retention.bytesMax} bytes, and the ${topic.bytes} it holds are still to be acknowledged, or within their retention and without a group`);
    }
    const { retentionMs } = topic;
    topic.retentionMs = retention.retentionMs;
    undo.push(() => (topic.retentionMs = retentionMs));
    const sequence = ++this.#sequence;
    put(topic.messages, sequence, { ...message, data: Uint8Array.from(message.data), sequence, publishedAt: this.#clock.now() }, undo);
    topic.bytes += size;
    undo.push(() => (topic.bytes -= size));
    return sequence;
  }

  #settle(operation: Extract<LedgerOperation, MessageRef>, undo: (() => void)[], touched: Set<string>): boolean {
    const open = this.#topics.get(operation.topic)?.groups.get(operation.group)?.open;
    const delivery = open?.get(operation.sequence);
    if (!open || !delivery || delivery.dueAt !== undefined) return false;
    if (operation.type === 'message.ack') {
      remove(open, operation.sequence, undo);
      return true;
    }
    touched.add(`topic/${operation.topic}`);
    const isRetry = operation.type === 'message.retry';
    put(open, operation.sequence, { attempt: delivery.attempt + (isRetry ? 1 : 0), dueAt: isRetry ? operation.dueAt : 0 }, undo);
    return true;
  }

  #claimOutbox({ appId, limit, leaseMs }: { appId: string; limit: number; leaseMs: number }): readonly ClaimedOutboxRecord[] {
    this.#checkOpen();
    const now = this.#clock.now();
    const free = [...this.#outbox.values()].filter((row) => row.record.appId === appId && row.freeAt <= now).slice(0, limit);
    return free.map((row) => {
      row.freeAt = now + leaseMs;
      return { ...row.record, attempt: row.attempt++ };
    });
  }

  #addDeadLetter(letter: DeadLetter, undo: (() => void)[]): void {
    put(this.#deadLetters, letter.id, { ...letter, data: Uint8Array.from(letter.data) }, undo);
    if (this.#deadLetters.size <= DEAD_LETTERS_MAX) return;
    const mine = [...this.#deadLetters.values()].filter(({ appId }) => appId === letter.appId).sort((a, b) => a.at - b.at);
    for (const oldest of mine.slice(0, Math.max(0, mine.length - DEAD_LETTERS_MAX))) remove(this.#deadLetters, oldest.id, undo);
  }

  /** Groups that nobody asked for in seven days are dropped, and topics trimmed (L5). */
  #tend(now: number): void {
    for (const topic of this.#topics.values()) {
      for (const [name, group] of topic.groups) if (group.seenAt < now - GROUP_UNSEEN_MS) topic.groups.delete(name);
      this.#trim(topic, now - topic.retentionMs);
    }
  }

  /** L5 at the limit. */
  #makeRoom(topic: Topic, size: number, { retentionMs, bytesMax }: TopicRetention, undo: (() => void)[]): boolean {
    if (size > bytesMax) return false;
    const publishedUntil = topic.groups.size > 0 ? Infinity : this.#clock.now() - retentionMs;
    const gone = this.#trim(topic, publishedUntil, bytesMax - size);
    if (gone.length > 0) {
      undo.push(() => {
        // Order in the map is order in the log.
        const all = [...gone, ...topic.messages.values()].sort((a, b) => a.sequence - b.sequence);
        topic.messages.clear();
        for (const message of all) topic.messages.set(message.sequence, message);
        topic.bytes += gone.reduce((sum, { data }) => sum + data.length, 0);
      });
    }
    return topic.bytes + size <= bytesMax;
  }

  /** L5, oldest first, down to so many bytes: what every group has done with and was published until then. */
  #trim(topic: Topic, publishedUntil: number, bytesLeft = 0): StoredMessage[] {
    const groups = [...topic.groups.values()];
    const through = Math.min(...groups.map(({ cursor }) => cursor));
    const gone: StoredMessage[] = [];
    for (const message of topic.messages.values()) {
      if (message.sequence > through || message.publishedAt > publishedUntil || (bytesLeft > 0 && topic.bytes <= bytesLeft)) break;
      if (groups.some(({ open }) => open.has(message.sequence))) continue;
      topic.messages.delete(message.sequence);
      topic.bytes -= message.data.length;
      gone.push(message);
    }
    return gone;
  }
}

function put<K, V>(map: Map<K, V>, key: K, value: V, undo: (() => void)[]): void {
  const before = map.get(key);
  map.set(key, value);
  undo.push(() => void (before === undefined ? map.delete(key) : map.set(key, before)));
}

function remove<K, V>(map: Map<K, V>, key: K, undo: (() => void)[]): void {
  const before = map.get(key);
  if (before === undefined) return;
  map.delete(key);
  undo.push(() => void map.set(key, before));
}

function getOrAdd<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = make()));
  return value;
}
