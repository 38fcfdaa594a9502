import { describe, expect, test } from 'vitest';
import { judge, verdictLine, type StoredRecords } from './invariants.ts';

const order = (id: string, status: 'open' | 'confirmed' | 'rejected') => ({ id, item: 'bolt', quantity: 1, status, createdAt: 1000, finalAt: 1012 });

function settled(change: Partial<StoredRecords> = {}): StoredRecords {
  return {
    placed: ['a', 'b'].map((id) => ({ id, item: 'bolt', quantity: 1 })),
    initialStock: new Map([['bolt', 1]]),
    orders: new Map([
      ['a', order('a', 'confirmed')],
      ['b', order('b', 'rejected')],
    ]),
    stocks: new Map([['bolt', { item: 'bolt', initial: 1, left: 0 }]]),
    reservations: new Map([
      ['a', { orderId: 'a', item: 'bolt', quantity: 1, outcome: 'reserved' }],
      ['b', { orderId: 'b', item: 'bolt', quantity: 0, outcome: 'rejected' }],
    ]),
    ...change,
  };
}

describe('the judge of the saga', () => {
  test('finds nothing wrong with a settled saga, and says so in one line', () => {
    const verdict = judge(settled());
    expect(verdict.breaches).toEqual([]);
    expect(verdictLine(verdict)).toBe('orders: 2 confirmed: 1 rejected: 1 lost: 0 oversold: 0 p50: 12 ms p99: 12 ms orders/s: 166.7');
  });

  test('counts orders a second from the first one placed to the last one final, without those that are open', () => {
    const at = (id: string, createdAt: number, finalAt: number, status: 'open' | 'rejected' = 'rejected') => [id, { ...order(id, status), createdAt, finalAt }] as const;
    const verdict = judge(settled({ placed: ['a', 'b', 'c', 'd'].map((id) => ({ id, item: 'bolt', quantity: 1 })), orders: new Map([at('b', 4000, 6000), at('a', 2000, 2500), at('c', 3000, 3500), at('d', 0, 9000, 'open')]) }));
    expect(verdict.ordersPerSecond).toBe(0.75);
    expect(judge(settled({ placed: [] })).ordersPerSecond).toBe(0);
    expect(judge(settled({ orders: new Map([at('a', 1000, 1000), at('b', 1000, 1000)]) })).ordersPerSecond).toBe(2000);
  });

  test('counts an acknowledged order that is open, or not stored, as lost', () => {
    const verdict = judge(settled({ orders: new Map([['a', order('a', 'open')]]) }));
    expect(verdict.lost).toBe(2);
    expect(verdict.breaches.filter((breach) => breach.startsWith('S1'))).toHaveLength(2);
  });

  test('sees stock that was given away twice', () => {
    const reservations = new Map([...settled().reservations, ['b', { orderId: 'b', item: 'bolt', quantity: 1, outcome: 'reserved' as const }] as const]);
    const orders = new Map([...settled().orders, ['b', order('b', 'confirmed')] as const]);
    const verdict = judge(settled({ reservations, orders }));
    expect(verdict.oversold).toBe(1);
    expect(verdict.breaches.some((breach) => breach.startsWith('S3'))).toBe(true);
  });

  test('sees stock that fell without a reservation', () => {
    const verdict = judge(settled({ stocks: new Map([['bolt', { item: 'bolt', initial: 1, left: -1 }]]) }));
    expect(verdict.breaches.map((breach) => breach.slice(0, 2))).toEqual(['S2', 'S3']);
  });

  test('sees a rejected order that holds a reservation', () => {
    const orders = new Map([...settled().orders, ['a', order('a', 'rejected')] as const]);
    expect(judge(settled({ orders })).breaches).toEqual(['S4: order a is rejected, and 1 are reserved for it']);
  });

  test('sees what was paid or shipped for a rejected order, and not for a confirmed one', () => {
    const taken = (id: string) => [id, { orderId: id, outcome: 'taken' as const }] as const;
    const shipped = (id: string) => [id, { orderId: id, outcome: 'shipped' as const }] as const;
    expect(judge(settled({ steps: { payments: new Map([taken('a')]), shipments: new Map([shipped('a')]) } })).breaches).toEqual([]);
    expect(judge(settled({ steps: { payments: new Map([taken('b')]), shipments: new Map([shipped('a')]) } })).breaches).toEqual(['S5: order a is confirmed, not paid for and shipped', 'S5: order b is rejected, paid for and not shipped']);
  });
});
