/**
 * Ids for events of MQTT, which gives them none. A packet has a number, which the broker may use again once it is acknowledged,
 * or from 1 on when it has lost the session; and the flag DUP, which says that it was sent before.
 *
 * Invariants
 *  1. A packet without DUP is a new event, and gets an id that none of the last `REMEMBERED` had, and none that is held.
 *  2. A packet with DUP is the event that had its number and content last, and gets that one's id; also when it was acknowledged,
 *     because the acknowledgement may have been lost.
 *  3. The first event of a number and content gets an id that is made of these alone: that is all by which a process that starts
 *     after a crash can tell what the broker then sends again.
 *
 * Limits. From 3: an event that was told apart from an earlier one, and comes again after a crash (or after `REMEMBERED` others), has
 * the id of the earlier one; and two processes, one after the other, give one id to two events of the same number and content. From 2:
 * so does one process where the connection broke before the second was read for the first time.
 */
import { createHash } from 'node:crypto';
import type { IPublishPacket } from 'mqtt';

/** As many as there are numbers, so that a broker which counts through all of them does not outrun it. */
const REMEMBERED = 65_536;
/** Of a digest, so many bits as fit behind a number of 16 into an integer that a double holds. */
const DIGEST_RANGE = 2 ** 37;
const DIGEST_BYTES = 5;
const DIGEST_LETTERS = 22;

export type Packet = Pick<IPublishPacket, 'qos' | 'dup' | 'messageId' | 'topic' | 'payload'>;

export interface EventIdsParts {
  /** The broker sends again what was not acknowledged. */
  readonly redelivers: boolean;
  readonly uuid: () => string;
  readonly remembered?: number;
}

export class EventIds {
  readonly #parts: EventIdsParts;
  /** Stands in ids of events that were told apart, so that another process makes none of them. */
  readonly #life: string;
  #toldApart = 0;
  /**
   * By number and content, what tells the last such event apart; 0: nothing does. Two generations of at most `REMEMBERED` each, the
   * older one dropped as a whole: a map that forgets one by one would be slow at its front. Numbers, not texts: a few MB in the worst case.
   */
  #recent = new Map<number, number>();
  #before = new Map<number, number>();

  constructor(parts: EventIdsParts) {
    this.#parts = parts;
    this.#life = parts.uuid();
  }

  /** `isHeld`: whether an event of that id is not acknowledged yet. */
  idOf({ qos, dup, messageId, topic, payload }: Packet, isHeld: (id: string) => boolean): string {
    const { redelivers, uuid, remembered = REMEMBERED } = this.#parts;
    if (!redelivers || qos === 0 || messageId === undefined) return uuid();
    const digest = createHash('sha256').update(topic).update('\0').update(payload).digest();
    const plain = `${messageId}-${digest.toString('base64url').slice(0, DIGEST_LETTERS)}`;
    const key = messageId * DIGEST_RANGE + (digest.readUIntBE(0, DIGEST_BYTES) % DIGEST_RANGE);
    const last = this.#recent.get(key) ?? this.#before.get(key) ?? (isHeld(plain) ? 0 : undefined);
    const mark = last === undefined ? 0 : dup ? last : ++this.#toldApart;
    if (this.#recent.size >= remembered) {
      this.#before = this.#recent;
      this.#recent = new Map();
    }
    this.#recent.set(key, mark);
    return mark === 0 ? plain : `${plain}-${this.#life}-${mark}`;
  }
}
