// The order service: takes an order and starts its saga; the saga says in the end whether it is confirmed or rejected.
import { mecha, post, records, serve } from './service.mjs';

const orders = records('orders');
const SAGA = 'arn:aws:states:us-east-1:000000000000:stateMachine:order';

/** An order sent again finds its record, and its saga is started under the same name: once. */
async function create({ id, item, quantity, card, address }) {
  const [known] = await orders.load(`order-${id}`);
  const order = known ?? { id, item, quantity, card, address, status: 'open', createdAt: Date.now() };
  if (!known) await orders.save([`order-${id}`, order]);
  if (order.status === 'open') {
    const start = { stateMachineArn: SAGA, name: id, input: JSON.stringify({ id, item, quantity, card, address }) };
    await post(`${mecha}/v1.0-mecha/states`, start, { 'x-amz-target': 'AWSStepFunctions.StartExecution' });
  }
  return order;
}

/** An order that is final stays as it is, so a second call changes nothing. */
async function decide(id, status) {
  const [order, etag] = await orders.load(`order-${id}`);
  if (order.status === 'open') await orders.save([`order-${id}`, { ...order, status, finalAt: Date.now() }, etag]);
}

serve('order', {
  'POST /orders': create,
  'GET /orders/:name': async (_body, id) => (await orders.load(`order-${id}`))[0],
  'POST /confirm': ({ id }) => decide(id, 'confirmed'),
  'POST /reject': ({ id }) => decide(id, 'rejected'),
});
