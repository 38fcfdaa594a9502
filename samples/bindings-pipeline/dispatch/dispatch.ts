// The dispatch service: at each tick it orders a pick-up from the courier and enters it in the book; where the courier does not come, the
// office gets a mail. Plain HTTP, no SDK: schedule, retries, SQL, SMTP and what a crash leaves undone are its Mecha's business.
import { createServer } from 'node:http';

const mecha = `http://127.0.0.1:${process.env['DAPR_HTTP_PORT']}/v1.0`;

function invoke(binding: string, operation: string, request: { data?: unknown; metadata: Record<string, string> }): Promise<Response> {
  return fetch(`${mecha}/bindings/${binding}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ operation, ...request }) });
}

async function write(sql: string, ...params: string[]): Promise<void> {
  const answer = await invoke('book', 'exec', { metadata: { sql, params: JSON.stringify(params) } });
  if (!answer.ok) throw new Error(await answer.text());
}

/** The tick's id is the courier's idempotency key and the key of the row, so a tick that comes again changes nothing. The answer is for Mecha. */
async function pickUp(tick: string): Promise<object> {
  const answer = await invoke('courier', 'post', { data: { parcels: 3 }, metadata: { path: '/pickups', 'Idempotency-Key': tick } });
  if (!answer.ok) {
    const { message } = (await answer.json()) as { message: string };
    return { to: ['office'], data: `<p>No courier comes for ${tick}</p>\n<p>${message}</p>` };
  }
  const { pickup } = (await answer.json()) as { pickup: string };
  await write('INSERT INTO pickups (tick, pickup) VALUES ($1, $2) ON CONFLICT (tick) DO NOTHING', tick, pickup);
  return { storeName: 'statestore', state: [{ key: 'latest-pickup', value: { tick, pickup } }] };
}

createServer(async (request, response) => {
  try {
    // Mecha asks whether the ticks are wanted, again until there is an answer: they are once there is a book.
    if (request.method === 'OPTIONS') await write('CREATE TABLE IF NOT EXISTS pickups (tick varchar(100) PRIMARY KEY, pickup varchar(100) NOT NULL)');
    const tick = request.headers['mecha-event-id'];
    const answer = request.method === 'POST' && typeof tick === 'string' ? await pickUp(tick) : {};
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  } catch (error) {
    console.error(String(error));
    response.writeHead(500).end();
  }
}).listen(Number(process.env['APP_PORT']), '127.0.0.1', () => console.log(`dispatch service on port ${process.env['APP_PORT']}`));
