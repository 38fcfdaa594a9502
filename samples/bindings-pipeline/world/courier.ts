/**
 * A courier with an HTTP API, not the most reliable one: `POST /pickups` with an `Idempotency-Key` books a pick-up. It books once per key,
 * and says the same again when the key comes again.
 *
 * Its moods follow from how many keys it has seen, so that every run sees all of them:
 *  - every fifth (3, 8, …) it is busy, and answers 503 twice before it books;
 *  - every seventh (5, 12, …) no van is free: 422, and that is final;
 *  - from the seventh on it is closed for five requests: 503, whatever the key.
 */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

const BUSY_TIMES = 2;
const CLOSED_FROM = 7;
const CLOSED_TIMES = 5;
/** Older keys and bookings are forgotten. */
const KEPT_MAX = 10_000;

export interface Booking {
  readonly key: string;
  readonly pickup: string;
}

export interface Courier {
  readonly url: string;
  /** In the order in which they were booked. */
  readonly bookings: readonly Booking[];
  /** Every key that came, booked or not. */
  keys(): readonly string[];
  close(): Promise<void>;
}

/** `beforeAnswer` is given the number of each new booking, from 1, and may hold its answer back. */
export async function openCourier({ beforeAnswer }: { beforeAnswer: (number: number) => Promise<void> }): Promise<Courier> {
  const bookings: Booking[] = [];
  const byKey = new Map<string, { readonly number: number; busy: number; booking?: Booking }>();
  let [closedFor, keys, pickups] = [CLOSED_TIMES, 0, 0];

  async function answerTo(key: string): Promise<[status: number, body: object]> {
    const known = byKey.get(key) ?? { number: ++keys, busy: 0 };
    byKey.set(key, known);
    if (byKey.size > KEPT_MAX) byKey.delete(byKey.keys().next().value ?? '');
    if (known.booking) return [200, known.booking];
    if (known.number >= CLOSED_FROM && closedFor > 0) {
      closedFor--;
      return [503, { error: 'closed' }];
    }
    if (known.number % 7 === 5) return [422, { error: 'no van is free' }];
    if (known.number % 5 === 3 && known.busy++ < BUSY_TIMES) return [503, { error: 'busy' }];
    known.booking = { key, pickup: `pickup-${++pickups}` };
    bookings.push(known.booking);
    if (bookings.length > KEPT_MAX) bookings.shift();
    await beforeAnswer(pickups);
    return [201, known.booking];
  }

  const server = createServer(async (request: IncomingMessage, response) => {
    await request.resume().toArray();
    const key = request.headers['idempotency-key'];
    const [status, body] = request.method === 'POST' && request.url === '/pickups' && typeof key === 'string' ? await answerTo(key) : ([404, { error: 'POST /pickups with an Idempotency-Key' }] as const);
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    bookings,
    keys: () => [...byKey.keys()],
    close: () => new Promise((resolve) => {
      server.closeAllConnections();
      server.close(() => resolve());
    }),
  };
}
