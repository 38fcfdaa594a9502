// The payment service: takes the money for an order, and gives it back. It refuses the card named `refused`.
import { records, Refusal, serve } from './service.mjs';

const payments = records('payments');

async function charge({ id, card }) {
  const [known] = await payments.load(`payment-${id}`);
  const payment = known ?? { orderId: id, outcome: card === 'refused' ? 'refused' : 'taken' };
  if (!known) await payments.save([`payment-${id}`, payment]);
  if (payment.outcome !== 'taken') throw new Refusal('PaymentRefused', `the card of order ${id} is refused`);
  return payment;
}

async function refund({ id }) {
  const [known, etag] = await payments.load(`payment-${id}`);
  if (known === undefined || known.outcome === 'taken') await payments.save([`payment-${id}`, { orderId: id, outcome: 'refunded' }, etag]);
}

serve('payment', { 'POST /charge': charge, 'POST /refund': refund });
