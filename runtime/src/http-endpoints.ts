/** HTTPEndpoint resources ready for use: secrets fetched, certificates read and checked. Rejects with file, line and what is wrong. */
import { checkAuthority, checkKeyPair, readPem } from '@mecha/components/kit/pem.ts';
import type { EndpointTls, HttpEndpoint } from './channel/external-http.ts';
import type { HttpEndpointResource, MetadataItem } from './config/resource-types.ts';
import { resolveItems, type ResolveContext } from './config/resolve-metadata.ts';
import { messageOf } from './errors.ts';

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
  const pem = async (item: MetadataItem | undefined, what: string, check?: (text: string) => void): Promise<string | undefined> => {
    if (!item) return undefined;
    const text = (await resolveItems([item], secretStore, context, name))[item.name] ?? '';
    return atPlace(item, name, async () => {
      const read = await readPem(text, what);
      if (read === undefined) throw new Error(`the ${what} is empty`);
      check?.(read);
      return read;
    });
  };
  const rootCA = await pem(clientTls.rootCA, 'root CA', checkAuthority);
  const privateKey = await pem(clientTls.privateKey, 'client key');
  const certificate = await pem(clientTls.certificate, 'client certificate', (text) => checkKeyPair(text, privateKey ?? ''));
  return { rootCA, certificate, privateKey, renegotiates: clientTls.renegotiates };
}

async function atPlace<T>({ source, field }: MetadataItem, owner: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new Error(`${source.file}:${source.line}: error: ${owner}: ${messageOf(error)} (${field})`, { cause: error });
  }
}
