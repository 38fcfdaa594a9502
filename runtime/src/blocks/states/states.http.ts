/**
 * The HTTP face of the states block: the JSON protocol that SDKs and tools of Step Functions speak. One path, the operation in a header, JSON both
 * ways. The signature is not checked. Loads what stands behind it with the first request.
 */
import { randomUUID } from 'node:crypto';
import { MechaError } from '../../errors.ts';
import type { Pipeline } from '../../pipeline.ts';
import { BodyTooLarge, type HttpReply, type HttpRequest, type HttpRoute } from '../../servers/http-face.ts';
import { errors } from './states-errors.ts';
import type { StatesBlock } from './states.ts';

const CONTENT_TYPE = 'application/x-amz-json-1.0';
const TARGET = /^AWSStepFunctions\.(\w+)$/;
const CREDENTIAL = /^AWS4-HMAC-SHA256 .*?\bCredential=([^/,\s]*)\//;

export function statesHttp(load: () => Promise<StatesBlock>, pipeline: Pipeline): HttpRoute[] {
  return [
    {
      methods: ['POST'],
      versions: ['v1.0-mecha'],
      path: '/states',
      group: 'states',
      token: {
        // The access key id stands for the API token: SDKs have no other place for it.
        of: (headers) => CREDENTIAL.exec(headers.authorization ?? '')?.[1],
        refused: () => reply(errors.notAuthorized()),
      },
      handle,
    },
  ];

  async function handle(request: HttpRequest): Promise<HttpReply> {
    const target = request.headers['x-amz-target'];
    const name = TARGET.exec(typeof target === 'string' ? target : '')?.[1];
    const call = request.call(`states.${name ?? 'unknown'}`);
    try {
      const answer = await pipeline.run(call, async () => {
        if (name === undefined) throw errors.unknownOperation(String(target ?? ''));
        const fields = await read(request);
        return (await load()).perform(name, fields, call);
      });
      return { status: 200, headers: headers(), body: JSON.stringify(answer) };
    } catch (error) {
      if (error instanceof MechaError) return reply(error);
      throw error;
    }
  }
}

async function read(request: HttpRequest): Promise<Readonly<Record<string, unknown>>> {
  let value: unknown;
  try {
    const body = await request.body();
    value = body.length === 0 ? {} : JSON.parse(body.toString('utf8'));
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof BodyTooLarge) throw errors.serialization(error.message);
    throw error;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw errors.serialization('it is no JSON object');
  return value as Record<string, unknown>;
}

const headers = (): Record<string, string> => ({ 'content-type': CONTENT_TYPE, 'x-amzn-requestid': randomUUID() });

function reply(error: MechaError): HttpReply {
  const { httpStatus: status, code, message, retryAfterSeconds } = error;
  return {
    status,
    headers: { ...headers(), ...(retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }) },
    body: JSON.stringify({ __type: code, message }),
  };
}
