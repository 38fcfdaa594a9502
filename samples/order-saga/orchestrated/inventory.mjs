// The inventory service: reserves stock for an order, and gives it back. Both twice are the same as once.
import { records, Refusal, serve } from './service.mjs';

const stocks = records('stocks');

async function reserve({ id, item, quantity }) {
  const [known] = await stocks.load(`reservation-${id}`);
  const reservation = known ?? (await take(id, item, quantity));
  if (reservation.outcome !== 'reserved') throw new Refusal('OutOfStock', `${item} is out of stock`);
  return reservation;
}

/** Stock and reservation change together or not at all. */
async function take(orderId, item, quantity) {
  const [stock, etag] = await stocks.load(`stock-${item}`);
  const enough = stock !== undefined && stock.left >= quantity;
  const reservation = { orderId, item, quantity: enough ? quantity : 0, outcome: enough ? 'reserved' : 'rejected' };
  const taken = enough ? [[`stock-${item}`, { ...stock, left: stock.left - quantity }, etag]] : [];
  await stocks.save([`reservation-${orderId}`, reservation], ...taken);
  return reservation;
}

/** What was never reserved is marked, so that a call on its way cannot reserve it any more. */
async function release({ id, item }) {
  const [reservation, etag] = await stocks.load(`reservation-${id}`);
  if (reservation && reservation.outcome !== 'reserved') return;
  const released = [`reservation-${id}`, { orderId: id, item, quantity: 0, outcome: 'released' }, etag];
  if (!reservation) return stocks.save(released);
  const [stock, stockEtag] = await stocks.load(`stock-${item}`);
  await stocks.save(released, [`stock-${item}`, { ...stock, left: stock.left + reservation.quantity }, stockEtag]);
}

serve('inventory', {
  'POST /reserve': reserve,
  'POST /release': release,
  'PUT /stock/:name': async ({ quantity }, item) => {
    const [, etag] = await stocks.load(`stock-${item}`);
    await stocks.save([`stock-${item}`, { item, initial: quantity, left: quantity }, etag]);
  },
  'GET /stock/:name': async (_body, item) => (await stocks.load(`stock-${item}`))[0],
});
