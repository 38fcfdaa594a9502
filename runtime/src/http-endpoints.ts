/** HTTPEndpoint resources ready for use: secrets fetched, certificates read and checked. Rejects with file, line and what is wrong. */
import { checkAuthority, checkKeyPair, readPem } from '@mecha/components/kit/pem.ts';
import type { EndpointTls, HttpEndpoint } from './channel/external-http.ts';
import type { HttpEndpointResource } from './config/resource-types.ts';
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
  const items = [clientTls.rootCA, clientTls.certificate, clientTls.privateKey].filter((item) => item !== undefined);
  const texts = await resolveItems(items, secretStore, context, name);
  const about = items[0]?.source;
  try {
    const [rootCA, certificate, privateKey] = await Promise.all([
      readPem(texts['rootCA'] ?? '', 'root CA'),
      readPem(texts['certificate'] ?? '', 'client certificate'),
      readPem(texts['privateKey'] ?? '', 'client key'),
    ]);
    if (rootCA !== undefined) checkAuthority(rootCA);
    if (certificate !== undefined) checkKeyPair(certificate, privateKey ?? '');
    return { rootCA, certificate, privateKey, renegotiates: clientTls.renegotiates };
  } catch (error) {
    throw new Error(`${about ? `${about.file}:${about.line}: ` : ''}error: ${name}: ${messageOf(error)} (spec.clientTLS)`, { cause: error });
  }
}
