/**
 * Ids for events of MQTT, which gives them none. A packet has a number, which the broker may use again once it is acknowledged,
 * or from 1 on when it has lost the session; and the flag DUP, which says that it was sent before.
 *
 * Invariants
 *  1. A packet without DUP is a new event, and gets an id that none of the last `REMEMBERED` had.
 *  2. A packet with DUP is the event that had its number and content last, and gets that one's id; also when it was acknowledged,
 *     because the acknowledgement may have been lost.
 *  3. The first event of a number and content gets an id that is made of these alone: that is all by which a process that starts
 *     after a crash can tell what the broker then sends again.
 *
 * From 3 follow the two limits. An event that was told apart from an earlier one, and comes again after a crash, has the id of the
 * earlier one. And two processes, one after the other, give one id to two events of the same number and content.
 */
import { createHash } from 'node:crypto';
import type { IPublishPacket } from 'mqtt';

/** More than there are numbers, so that a broker which counts through all of them does not outrun it. */
const REMEMBERED = 70_000;

export type Packet = Pick<IPublishPacket, 'qos' | 'dup' | 'messageId' | 'topic' | 'payload'>;

export interface EventIdsParts {
  /** The broker sends again what was not acknowledged. */
  readonly redelivers: boolean;
  readonly uuid: () => string;
  readonly remembered?: number;
}

export class EventIds {
  readonly #parts: EventIdsParts;
  /** Ids by number and content, those used last at the end. */
  readonly #ids = new Map<string, string>();

  constructor(parts: EventIdsParts) {
    this.#parts = parts;
  }

  /** `isHeld`: whether an event of that id is not acknowledged yet; such are not forgotten. */
  idOf({ qos, dup, messageId, topic, payload }: Packet, isHeld: (id: string) => boolean): string {
    const { redelivers, uuid, remembered = REMEMBERED } = this.#parts;
    if (!redelivers || qos === 0 || messageId === undefined) return uuid();
    const key = `${messageId}-${createHash('sha256').update(topic).update('\0').update(payload).digest('base64url').slice(0, 22)}`;
    const known = this.#ids.get(key);
    const id = known === undefined ? key : dup ? known : `${key}-${uuid()}`;
    this.#ids.delete(key);
    this.#ids.set(key, id);
    for (const [oldest, itsId] of this.#ids) {
      if (this.#ids.size <= remembered) break;
      if (!isHeld(itsId)) this.#ids.delete(oldest);
    }
    return id;
  }
}
