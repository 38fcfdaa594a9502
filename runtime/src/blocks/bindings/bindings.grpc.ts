/** The gRPC face of output bindings (grpc-api.md 5.5): decode, pipeline, encode. */
import { Dapr } from '@mecha/specs/gen/dapr.gen.ts';
import type { BindingResponse } from '@mecha/components/kit';
import { MechaError } from '../../errors.ts';
import type { Pipeline } from '../../pipeline.ts';
import { unary, type GrpcMethod, type GrpcRequest } from '../../servers/grpc-face.ts';
import { errors } from './bindings-errors.ts';
import type { BindingsBlock } from './bindings.ts';
import { TRACE_NAMES } from './request-trace.ts';

type Words = Readonly<Record<string, string>>;

/** `maxBodyBytes`: a message is whole, so an answer is read up to this and refused by name beyond it; undefined = no limit. */
export function bindingsGrpc(load: () => Promise<BindingsBlock>, pipeline: Pipeline, { maxBodyBytes }: { readonly maxBodyBytes: number | undefined }): GrpcMethod[] {
  return [
    unary(Dapr.InvokeBinding, async (request) => {
      const call = request.call('bindings.invoke');
      const { name, operation, data, metadata } = request.message;
      try {
        const { data: answer, metadata: given = {} } = await pipeline.run(call, async () => {
          const response = await (await load()).invoke(call, { binding: name, operation, data, metadata: metadataOf(request, metadata) });
          return { ...response, data: await bytesOf(name, response, maxBodyBytes) };
        });
        setHeaders(request, given);
        return { data: answer, metadata: given };
      } catch (error) {
        if (error instanceof MechaError) setHeaders(request, error.metadata);
        throw error;
      }
    }),
  ];
}

/** The request's own entries win over what the call carried as headers. The trace among these is left to the block, which knows this hop's. */
function metadataOf(request: Pick<GrpcRequest<unknown>, 'metadata'>, own: Words): Words {
  const carried = Object.entries(request.metadata)
    .filter(([name]) => !TRACE_NAMES.has(name))
    .map(([name, value]): [string, string] => [name.startsWith('grpc-') || name.startsWith(':') ? `dapr-${name}` : name, Array.isArray(value) ? value.join(',') : value]);
  return { ...Object.fromEntries(carried), ...own };
}

async function bytesOf(name: string, response: BindingResponse | undefined, bytesMax = Number.POSITIVE_INFINITY): Promise<Uint8Array> {
  const data = response?.data;
  if (data === undefined) return Buffer.alloc(0);
  if (data instanceof Uint8Array) {
    if (data.byteLength > bytesMax) throw errors.tooLong(name, bytesMax);
    return data;
  }
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of data as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength;
    if (bytes > bytesMax) throw errors.tooLong(name, bytesMax);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function setHeaders(request: Pick<GrpcRequest<unknown>, 'setHeader'>, metadata: Words): void {
  for (const [name, value] of Object.entries(metadata)) request.setHeader(`metadata.${name}`, value);
}
