// The order service: an order is open until the inventory has spoken, then confirmed or rejected. Plain HTTP, no SDK:
// whatever is distributed about it (state, events, retries, discovery) is its Mecha's business.
import { createServer } from 'node:http';

const mecha = `http://127.0.0.1:${process.env.DAPR_HTTP_PORT}/v1.0`;
const orders = `${mecha}/state/orders`;

/** The order, or undefined. */
async function load(id) {
  const answer = await fetch(`${orders}/${encodeURIComponent(`order-${id}`)}`);
  if (answer.status === 204) return undefined;
  if (!answer.ok) throw new Error(`reading order ${id}: ${answer.status} ${await answer.text()}`);
  return { order: await answer.json(), etag: answer.headers.get('etag') };
}

/** A new order and its order-created event are written in one transaction; the store's YAML names the topic. */
async function create({ id, item, quantity }) {
  const order = { id, item, quantity, status: 'open', createdAt: Date.now() };
  const request = { key: `order-${id}`, value: order, contentType: 'application/json', options: { concurrency: 'first-write' } };
  const answer = await fetch(`${orders}/transaction`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ operations: [{ operation: 'upsert', request }] }),
  });
  if (answer.ok) return order;
  const known = await load(id); // the same order, sent again: its first answer still holds
  if (known) return known.order;
  throw new Error(`creating order ${id}: ${answer.status} ${await answer.text()}`);
}

/** The inventory's verdict. An order that is final stays as it is, so a second delivery changes nothing. */
async function decide(id, status) {
  const known = await load(id);
  if (!known) throw new Error(`there is no order ${id}`);
  if (known.order.status !== 'open') return;
  const order = { ...known.order, status, finalAt: Date.now() };
  const answer = await fetch(orders, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify([{ key: `order-${id}`, value: order, etag: known.etag, options: { concurrency: 'first-write' } }]),
  });
  if (!answer.ok) throw new Error(`deciding order ${id}: ${answer.status} ${await answer.text()}`);
}

/** [status, body] for a request. */
async function handle(method, path, body) {
  if (method === 'POST' && path === '/orders') {
    if (!body?.id || !body.item || !(body.quantity > 0)) return [400, { error: 'an order needs id, item and a positive quantity' }];
    return [201, await create(body)];
  }
  if (method === 'GET' && path.startsWith('/orders/')) {
    const known = await load(decodeURIComponent(path.slice('/orders/'.length)));
    return known ? [200, known.order] : [404, { error: 'no such order' }];
  }
  if (method === 'POST' && path === '/stock-reserved') return [200, await decide(body.data.orderId, 'confirmed')];
  if (method === 'POST' && path === '/stock-rejected') return [200, await decide(body.data.orderId, 'rejected')];
  return [404, { error: 'no such path' }];
}

createServer(async (request, response) => {
  try {
    const chunks = await request.toArray();
    const body = chunks.length > 0 ? JSON.parse(Buffer.concat(chunks).toString('utf8')) : undefined;
    const [status, answer] = await handle(request.method, new URL(request.url, 'http://localhost').pathname, body);
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer ?? {}));
  } catch (error) {
    console.error(error.message);
    response.writeHead(500, { 'content-type': 'application/json' }).end(JSON.stringify({ error: error.message }));
  }
}).listen(Number(process.env.APP_PORT), '127.0.0.1', () => console.log(`order service on port ${process.env.APP_PORT}`));
