// The inventory service: reserves stock for an order or rejects it, once per order. Plain HTTP, no SDK.
import { createServer } from 'node:http';

const mecha = `http://127.0.0.1:${process.env.DAPR_HTTP_PORT}/v1.0`;
const stocks = `${mecha}/state/stocks`;

/** [value, etag] of a key; [undefined] when there is none. */
async function load(key) {
  const answer = await fetch(`${stocks}/${encodeURIComponent(key)}`);
  if (answer.status === 204) return [undefined];
  if (!answer.ok) throw new Error(`reading ${key}: ${answer.status} ${await answer.text()}`);
  return [await answer.json(), answer.headers.get('etag')];
}

async function post(url, body) {
  const answer = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${url}: ${answer.status} ${await answer.text()}`);
}

/** Stock and reservation change together or not at all; the etag keeps two orders from taking the same piece. */
async function reserve(order) {
  const [stock, etag] = await load(`stock-${order.item}`);
  const enough = stock !== undefined && stock.left >= order.quantity;
  const reservation = { orderId: order.id, item: order.item, quantity: enough ? order.quantity : 0, outcome: enough ? 'reserved' : 'rejected' };
  const once = { concurrency: 'first-write' };
  const operations = [{ operation: 'upsert', request: { key: `reservation-${order.id}`, value: reservation, options: once } }];
  if (enough) {
    const value = { ...stock, left: stock.left - order.quantity };
    operations.push({ operation: 'upsert', request: { key: `stock-${order.item}`, value, etag, options: once } });
  }
  await post(`${stocks}/transaction`, { operations });
  return reservation;
}

/** An order that was seen before gets the same answer again: that is all it takes to be idempotent. */
async function orderCreated(order) {
  const [known] = await load(`reservation-${order.id}`);
  const reservation = known ?? (await reserve(order));
  await post(`${mecha}/publish/pubsub/stock-${reservation.outcome}`, { orderId: order.id, item: order.item });
}

/** [status, body] for a request. */
async function handle(method, path, body) {
  if (method === 'POST' && path === '/order-created') return [200, await orderCreated(body.data)];
  if (method === 'PUT' && path.startsWith('/stock/')) {
    const item = decodeURIComponent(path.slice('/stock/'.length));
    if (!Number.isInteger(body?.quantity) || body.quantity < 0) return [400, { error: 'a stock needs a quantity that is a whole number' }];
    return [204, await post(stocks, [{ key: `stock-${item}`, value: { item, initial: body.quantity, left: body.quantity } }])];
  }
  if (method === 'GET' && path.startsWith('/stock/')) {
    const [stock] = await load(`stock-${decodeURIComponent(path.slice('/stock/'.length))}`);
    return stock ? [200, stock] : [404, { error: 'no such item' }];
  }
  return [404, { error: 'no such path' }];
}

createServer(async (request, response) => {
  try {
    const chunks = await request.toArray();
    const body = chunks.length > 0 ? JSON.parse(Buffer.concat(chunks).toString('utf8')) : undefined;
    const [status, answer] = await handle(request.method, new URL(request.url, 'http://localhost').pathname, body);
    if (status === 204) return response.writeHead(204).end();
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer ?? {}));
  } catch (error) {
    console.error(error.message);
    response.writeHead(500, { 'content-type': 'application/json' }).end(JSON.stringify({ error: error.message }));
  }
}).listen(Number(process.env.APP_PORT), '127.0.0.1', () => console.log(`inventory service (JavaScript) on port ${process.env.APP_PORT}`));
