/**
 * What must hold when the dust has settled, recomputed from the stored records alone: no counter of a service or of the
 * driver is believed.
 *
 * S1  Every order that was acknowledged reaches a final state.
 * S2  Stock is never negative.
 * S3  What is left and what is reserved add up to the initial stock of each item.
 * S4  A confirmed order holds exactly one reservation, of its item and quantity; a rejected one holds none.
 * S5  Where orders are paid for and shipped: a confirmed one is both, a rejected one neither.
 */

export interface OrderRecord {
  readonly id: string;
  readonly item: string;
  readonly quantity: number;
  readonly status: 'open' | 'confirmed' | 'rejected';
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly finalAt?: number;
}
export interface StockRecord {
  readonly item: string;
  readonly initial: number;
  readonly left: number;
}
export interface ReservationRecord {
  readonly orderId: string;
  readonly item: string;
  readonly quantity: number;
  readonly outcome: 'reserved' | 'rejected' | 'released';
}
/** Of a payment or a shipment. */
export interface StepRecord {
  readonly orderId: string;
  readonly outcome: 'taken' | 'refused' | 'refunded' | 'shipped';
}

export interface StoredRecords {
  /** Orders that were answered with 2xx, with the initial stock that the driver set per item. */
  readonly placed: readonly { readonly id: string; readonly item: string; readonly quantity: number }[];
  readonly initialStock: ReadonlyMap<string, number>;
  readonly orders: ReadonlyMap<string, OrderRecord>;
  readonly stocks: ReadonlyMap<string, StockRecord>;
  readonly reservations: ReadonlyMap<string, ReservationRecord>;
  /** Of the orchestrated variant. */
  readonly steps?: { readonly payments: ReadonlyMap<string, StepRecord>; readonly shipments: ReadonlyMap<string, StepRecord> };
}

export interface Verdict {
  readonly orders: number;
  readonly confirmed: number;
  readonly rejected: number;
  /** Acknowledged orders that are not final. */
  readonly lost: number;
  /** Pieces reserved beyond the initial stock. */
  readonly oversold: number;
  readonly stockLeft: number;
  /** Milliseconds from order to final state. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Orders that came to an end, over the time from the first order placed to the last one final. */
  readonly ordersPerSecond: number;
  /** One sentence per breach; empty = all invariants hold. */
  readonly breaches: readonly string[];
}

export function judge(records: StoredRecords): Verdict {
  const breaches: string[] = [];
  const latenciesMs: number[] = [];
  let [firstMs, lastMs] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  const reservedByItem = new Map<string, number>();
  let confirmed = 0;
  let rejected = 0;
  let lost = 0;

  for (const placed of records.placed) {
    const order = records.orders.get(placed.id);
    const reservation = records.reservations.get(placed.id);
    const reserved = reservation?.outcome === 'reserved' ? reservation.quantity : 0;
    if (reserved > 0 && reservation) reservedByItem.set(reservation.item, (reservedByItem.get(reservation.item) ?? 0) + reserved);
    if (!order || order.status === 'open') {
      lost++;
      breaches.push(`S1: order ${placed.id} was acknowledged and is ${order ? 'still open' : 'not stored'}`);
      continue;
    }
    if (order.finalAt !== undefined) {
      latenciesMs.push(order.finalAt - order.createdAt);
      firstMs = Math.min(firstMs, order.createdAt);
      lastMs = Math.max(lastMs, order.finalAt);
    }
    if (order.status === 'confirmed') {
      confirmed++;
      if (reserved !== placed.quantity || reservation?.item !== placed.item) {
        breaches.push(`S4: order ${placed.id} is confirmed for ${placed.quantity} of ${placed.item}, and ${reserved} are reserved for it`);
      }
    } else {
      rejected++;
      if (reserved !== 0) breaches.push(`S4: order ${placed.id} is rejected, and ${reserved} are reserved for it`);
    }
    if (records.steps) {
      const isPaid = records.steps.payments.get(placed.id)?.outcome === 'taken';
      const isShipped = records.steps.shipments.has(placed.id);
      const isWanted = order.status === 'confirmed';
      if (isPaid !== isWanted || isShipped !== isWanted) breaches.push(`S5: order ${placed.id} is ${order.status}, ${isPaid ? 'paid for' : 'not paid for'} and ${isShipped ? 'shipped' : 'not shipped'}`);
    }
  }

  let oversold = 0;
  let stockLeft = 0;
  for (const [item, initial] of records.initialStock) {
    const left = records.stocks.get(item)?.left;
    const reserved = reservedByItem.get(item) ?? 0;
    oversold += Math.max(0, reserved - initial);
    if (left === undefined) {
      breaches.push(`S3: there is no stock record of ${item}`);
      continue;
    }
    stockLeft += left;
    if (left < 0) breaches.push(`S2: the stock of ${item} is ${left}`);
    if (left + reserved !== initial) breaches.push(`S3: ${item} began with ${initial}; ${left} are left and ${reserved} reserved`);
  }

  latenciesMs.sort((a, b) => a - b);
  return {
    orders: records.placed.length,
    confirmed,
    rejected,
    lost,
    oversold,
    stockLeft,
    p50Ms: percentile(latenciesMs, 0.5),
    p99Ms: percentile(latenciesMs, 0.99),
    // The services' clocks count milliseconds: less than one is none.
    ordersPerSecond: latenciesMs.length === 0 ? 0 : (latenciesMs.length * 1000) / Math.max(lastMs - firstMs, 1),
    breaches,
  };
}

function percentile(sorted: readonly number[], fraction: number): number {
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * fraction) - 1)] ?? 0;
}

/** The one line that scripts read. */
export function verdictLine(verdict: Verdict): string {
  const { orders, confirmed, rejected, lost, oversold, p50Ms, p99Ms, ordersPerSecond } = verdict;
  return `orders: ${orders} confirmed: ${confirmed} rejected: ${rejected} lost: ${lost} oversold: ${oversold} p50: ${p50Ms} ms p99: ${p99Ms} ms orders/s: ${ordersPerSecond.toFixed(1)}`;
}
