/** The HTTP face of output bindings (http-api.md 7): decode, pipeline, encode. */
import { BadJson, asObject, hasMember, member, parseJson, stringMapMember, stringMember } from '../../json/lenient-json.ts';
import { membersOf } from '../../json/json-members.ts';
import type { Pipeline } from '../../pipeline.ts';
import { BodyTooLarge, metadataHeaders, type HttpReply, type HttpRequest, type HttpRoute } from '../../servers/http-face.ts';
import { errors } from './bindings-errors.ts';
import type { BindingsBlock } from './bindings.ts';
import { traceMetadata } from './request-trace.ts';

export function bindingsHttp(load: () => Promise<BindingsBlock>, pipeline: Pipeline): HttpRoute[] {
  return [{ methods: ['POST', 'PUT'], versions: ['v1.0'], path: '/bindings/:name', group: 'bindings', handle }];

  async function handle(request: HttpRequest): Promise<HttpReply> {
    const call = request.call('bindings.invoke');
    const response = await pipeline.run(call, async () => {
      const body = await decode(request);
      // Here, other than over gRPC, the call's trace wins over one that the body names.
      const metadata = { ...body.metadata, ...traceMetadata(call.trace) };
      return (await load()).invoke(call, { ...body, metadata, binding: request.params['name'] ?? '' });
    });
    if (!response) return { status: 204 };
    return { status: 200, body: response.data ?? '', headers: metadataHeaders(response.metadata) };
  }
}

async function decode(request: HttpRequest): Promise<{ operation: string; data: Uint8Array; metadata: Readonly<Record<string, string>> }> {
  try {
    const body = await request.body();
    const object = asObject(parseJson(body), 'the body');
    return { operation: stringMember(object, 'operation') ?? '', data: dataOf(object, body), metadata: stringMapMember(object, 'metadata') ?? {} };
  } catch (error) {
    if (error instanceof BadJson || error instanceof BodyTooLarge) throw errors.malformed(error.message);
    throw error;
  }
}

/** `data` as it is written, so that no number loses digits; `null` when there is none. Found as `member` finds it. */
function dataOf(object: Readonly<Record<string, unknown>>, body: Buffer): Uint8Array {
  if (!hasMember(object, 'data') || member(object, 'data') === undefined) return Buffer.from('null');
  const named = membersOf(body.toString('utf8')).filter(({ name }) => name.toLowerCase() === 'data');
  return Buffer.from((named.findLast(({ name }) => name === 'data') ?? named.at(-1))?.text ?? 'null');
}
