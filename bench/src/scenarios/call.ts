/** One request made with an ordinary client, before the load: what the load counts is known to be right then. */
import { Client, credentials } from '@grpc/grpc-js';
import type { GrpcRequest, HttpRequest } from '../load/plan.ts';
import { withNumber } from '../load/template.ts';
import { Problem } from '../problem.ts';
import { ask } from '../targets/ready.ts';
import type { Address } from '../targets/target.ts';

const DEADLINE_MS = 10_000;

/** The body or the message of the answer. @throws Problem when the target answers otherwise than it should */
export async function callOnce(address: Address, request: HttpRequest | GrpcRequest, number: number): Promise<Buffer> {
  return request.kind === 'http' ? callHttp(address, request, number) : callGrpc(address, request, number);
}

async function callHttp(address: Address, request: HttpRequest, number: number): Promise<Buffer> {
  const { status, body } = await ask(address, withNumber(request.path, number), { method: request.method, headers: request.headers, body: withNumber(request.body, number) });
  if (status !== request.status) throw new Problem(`${request.method} ${request.path}: status ${status} instead of ${request.status}: ${body.slice(0, 300)}`);
  return Buffer.from(body);
}

function callGrpc(address: Address, request: GrpcRequest, number: number): Promise<Buffer> {
  const client = new Client(`${address.host}:${address.port}`, credentials.createInsecure());
  const message = Buffer.from(withNumber(Buffer.from(request.message, 'base64').toString('latin1'), number), 'latin1');
  const same = (bytes: Buffer): Buffer => bytes;
  return new Promise<Buffer>((resolve, reject) => {
    client.makeUnaryRequest(request.path, same, same, message, { deadline: Date.now() + DEADLINE_MS }, (error, answer) => {
      if (error) reject(new Problem(`${request.path}: ${error.message}`));
      else resolve(answer ?? Buffer.alloc(0));
    });
  }).finally(() => client.close());
}
