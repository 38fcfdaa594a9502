/** HTTPEndpoint resources ready for use: secrets fetched, certificates read and checked. Rejects with file, line and what is wrong. */
import type { EndpointTls, HttpEndpoint } from '../channel/external-http.ts';
import { TlsFault, readTls } from '../config/http-endpoint-resource.ts';
import { resolveItems, type ResolveContext } from '../config/resolve-metadata.ts';
import type { HttpEndpointResource } from '../config/resource-types.ts';
import { messageOf } from '../errors.ts';

export function resolveEndpoints(resources: readonly HttpEndpointResource[], context: ResolveContext): Promise<readonly HttpEndpoint[]> {
  return Promise.all(
    resources.map(async (resource) => {
      const { name, baseUrl, headers, secretStore } = resource;
      const tls = await tlsOf(resource, context);
      return { name, baseUrl, headers: await resolveItems(headers, secretStore, context, name), ...(tls ? { tls } : {}) };
    }),
  );
}

async function tlsOf({ name, clientTls, secretStore }: HttpEndpointResource, context: ResolveContext): Promise<EndpointTls | undefined> {
  if (!clientTls) return undefined;
  const { renegotiates, ...items } = clientTls;
  const texts = await resolveItems(Object.values(items), secretStore, context, name);
  try {
    return { ...(await readTls(texts)), renegotiates };
  } catch (error) {
    const item = error instanceof TlsFault ? items[error.part] : undefined;
    if (!item) throw error;
    throw new Error(`${item.source.file}:${item.source.line}: error: ${name}: ${messageOf(error)} (${item.field})`, { cause: error });
  }
}
