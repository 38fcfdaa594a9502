/**
 * The load of the sample: stock for several items, orders against it, and the stored records afterwards. Everything goes
 * through the doors that any client has: the services' own HTTP paths, and the sidecars' state API.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Variant } from './arguments.ts';
import type { OrderRecord, ReservationRecord, StepRecord, StockRecord, StoredRecords } from './invariants.ts';

export interface Addresses {
  /** `http://127.0.0.1:port` of the two services and their sidecars; functions, since a restart may move them. */
  readonly order: () => string;
  readonly inventory: () => string;
  readonly orderSidecar: () => string;
  readonly inventorySidecar: () => string;
  /** These two are in the orchestrated variant only. */
  readonly paymentSidecar?: () => string;
  readonly shippingSidecar?: () => string;
}

export interface Order {
  readonly id: string;
  readonly item: string;
  readonly quantity: number;
  /** `refused`: no payment can be taken. */
  readonly card?: string;
  /** `nowhere`: it cannot be shipped. */
  readonly address?: string;
}

export interface Plan {
  readonly variant: Variant;
  readonly orders: readonly Order[];
  readonly initialStock: ReadonlyMap<string, number>;
}

const ITEMS_MAX = 5;
const BULK_KEYS = 100;
const ANSWER_WITHIN_MS = 10_000;
const RESEND_AFTER_MS = 250;
/** An order that is not final this long after the last one was acknowledged counts as lost. */
export const FINAL_WITHIN_MS = 60_000;

/** Fresh ids and items; one piece per order, stock for three quarters of the orders. */
export function planOrders(count: number, variant: Variant = 'choreographed'): Plan {
  const run = randomUUID().slice(0, 8);
  const items = Array.from({ length: Math.min(ITEMS_MAX, count) }, (_, index) => `item-${run}-${index + 1}`);
  const orders = Array.from({ length: count }, (_, index) => ({ id: `${run}-${index + 1}`, item: items[index % items.length] ?? '', quantity: 1, ...(variant === 'orchestrated' ? trouble(index) : {}) }));
  const initialStock = new Map(items.map((item) => [item, Math.floor((orders.filter((order) => order.item === item).length * 3) / 4)]));
  let missing = Math.floor((count * 3) / 4) - [...initialStock.values()].reduce((sum, stock) => sum + stock, 0);
  for (const item of items) if (missing-- > 0) initialStock.set(item, (initialStock.get(item) ?? 0) + 1);
  return { variant, orders, initialStock };
}

/** Of ten orders one cannot be paid for and one cannot be shipped. */
const trouble = (index: number): Pick<Order, 'card' | 'address'> => ({ card: index % 10 === 3 ? 'refused' : 'good', address: index % 10 === 6 ? 'nowhere' : 'here' });

export async function stockUp(addresses: Addresses, plan: Plan): Promise<void> {
  for (const [item, quantity] of plan.initialStock) {
    await untilAcknowledged(() => send(`${addresses.inventory()}/stock/${item}`, 'PUT', { quantity }));
  }
}

/** Places every order, at most `atOnce` at a time and `rate` a second; one that gets no answer is sent again with the same id. */
export async function placeOrders(addresses: Addresses, plan: Plan, options: { atOnce: number; rate?: number; acknowledged?: () => void; giveUpAfterMs?: number }): Promise<readonly Order[]> {
  const placed: Order[] = [];
  const waiting = [...plan.orders];
  const began = performance.now();
  let sent = 0;
  const lanes = Array.from({ length: options.atOnce }, async () => {
    for (let order = waiting.shift(); order; order = waiting.shift()) {
      const wanted = order;
      if (options.rate) {
        const early = began + (sent++ * 1000) / options.rate - performance.now();
        if (early > 0) await sleep(early);
      }
      await untilAcknowledged(() => send(`${addresses.order()}/orders`, 'POST', wanted), options.giveUpAfterMs);
      placed.push(wanted);
      options.acknowledged?.();
    }
  });
  await Promise.all(lanes);
  return placed;
}

/** Waits until every placed order is final, or `FINAL_WITHIN_MS` are over; then reads all records. */
export async function settle(addresses: Addresses, plan: Plan, placed: readonly Order[], progress?: (final: number) => void, withinMs = FINAL_WITHIN_MS): Promise<StoredRecords> {
  const orders = new Map<string, OrderRecord>();
  const deadline = Date.now() + withinMs;
  for (;;) {
    const open = placed.filter(({ id }) => !isFinal(orders.get(id)));
    const read = await readRecords<OrderRecord>(addresses.orderSidecar, 'orders', open.map(({ id }) => `order-${id}`));
    for (const record of read.values()) orders.set(record.id, record);
    const final = placed.filter(({ id }) => isFinal(orders.get(id))).length;
    progress?.(final);
    if (final === placed.length || Date.now() >= deadline) break;
    await sleep(100);
  }
  const reservations = await readRecords<ReservationRecord>(addresses.inventorySidecar, 'stocks', plan.orders.map(({ id }) => `reservation-${id}`));
  const stocks = await readRecords<StockRecord>(addresses.inventorySidecar, 'stocks', [...plan.initialStock.keys()].map((item) => `stock-${item}`));
  const ids = placed.map(({ id }) => id);
  const [payments, shipments] = plan.variant === 'choreographed' ? [] : await Promise.all([readRecords<StepRecord>(needed(addresses.paymentSidecar), 'payments', ids.map((id) => `payment-${id}`)), readRecords<StepRecord>(needed(addresses.shippingSidecar), 'shipments', ids.map((id) => `shipment-${id}`))]);
  return {
    placed,
    initialStock: plan.initialStock,
    orders,
    stocks: new Map([...stocks.values()].map((stock) => [stock.item, stock])),
    ...(payments && shipments ? { steps: { payments: byOrder(payments), shipments: byOrder(shipments) } } : {}),
    reservations: new Map([...reservations.values()].map((reservation) => [reservation.orderId, reservation])),
  };
}

const byOrder = (records: ReadonlyMap<string, StepRecord>): ReadonlyMap<string, StepRecord> => new Map([...records.values()].map((record) => [record.orderId, record]));
function needed(address: (() => string) | undefined): () => string {
  if (!address) throw new Error('the orchestrated variant has payment and shipping, and their addresses are not known');
  return address;
}

function isFinal(order: OrderRecord | undefined): boolean {
  return order !== undefined && order.status !== 'open';
}

async function readRecords<T>(sidecar: () => string, store: string, keys: readonly string[]): Promise<ReadonlyMap<string, T>> {
  const records = new Map<string, T>();
  for (let from = 0; from < keys.length; from += BULK_KEYS) {
    const chunk = keys.slice(from, from + BULK_KEYS);
    const answer = await untilAcknowledged(() => send(`${sidecar()}/v1.0/state/${store}/bulk`, 'POST', { keys: chunk }));
    for (const item of (await answer.json()) as { key: string; data?: T }[]) if (item.data !== undefined) records.set(item.key, item.data);
  }
  return records;
}

function send(url: string, method: string, body: unknown): Promise<Response> {
  return fetch(url, {
    method,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
  });
}

/** Tries until a 2xx came; no answer and 5xx are tried again, anything else is the caller's mistake. */
async function untilAcknowledged(attempt: () => Promise<Response>, giveUpAfterMs = 120_000): Promise<Response> {
  const deadline = Date.now() + giveUpAfterMs;
  for (;;) {
    let said: string;
    try {
      const answer = await attempt();
      if (answer.ok) return answer;
      said = `${answer.status} ${await answer.text()}`;
      if (answer.status < 500) throw new RefusedError(said);
    } catch (error) {
      if (error instanceof RefusedError) throw error;
      said = error instanceof Error ? `${error.message} ${String(error.cause ?? '')}` : String(error);
    }
    if (Date.now() >= deadline) throw new Error(`no acknowledgement within ${giveUpAfterMs} ms: ${said}`);
    await sleep(RESEND_AFTER_MS);
  }
}

class RefusedError extends Error {}
