/** `kind: HTTPEndpoint` (behaviour.md 1.7), and its certificates as far as they can be looked at without a secret store. */
import { checkAuthority, checkKeyPair, readPem } from '@mecha/components/kit/pem.ts';
import { nearest } from '@mecha/components/kit/nearest.ts';
import { messageOf } from '../errors.ts';
import { metadataItems, valueOrSecret } from './component-resource.ts';
import type { Envelope } from './resource-envelope.ts';
import type { HttpEndpointResource, HttpEndpointTls } from './resource-types.ts';
import type { Problems, YamlView } from './yaml-view.ts';

export function httpEndpointResource(document: YamlView, envelope: Envelope): HttpEndpointResource | undefined {
  const spec = document.get('spec');
  spec?.allow(['baseUrl', 'headers', 'clientTLS']);
  const view = spec?.get('baseUrl');
  const baseUrl = view?.text();
  if (!spec || !view || !baseUrl) {
    (spec ?? document).error('an HTTPEndpoint needs spec.baseUrl');
    return undefined;
  }
  if (!/^https?:$/.test(URL.parse(baseUrl)?.protocol ?? '')) {
    view.error('spec.baseUrl must be a URL that begins with http:// or https://');
    return undefined;
  }
  const { name, secretStore, scopes } = envelope;
  return { kind: 'HTTPEndpoint', name, baseUrl, headers: metadataItems(spec.get('headers')), clientTls: tlsOf(spec.get('clientTLS'), baseUrl), secretStore, scopes, source: document.source };
}

const RENEGOTIATION = ['RenegotiateNever', 'RenegotiateOnceAsClient', 'RenegotiateFreelyAsClient'];

function tlsOf(view: YamlView | undefined, baseUrl: string): HttpEndpointTls | undefined {
  if (!view) return undefined;
  view.allow(['rootCA', 'certificate', 'privateKey', 'renegotiation']);
  const renegotiation = view.get('renegotiation');
  const word = renegotiation?.text();
  if (word !== undefined && !RENEGOTIATION.includes(word)) renegotiation?.error(`must be one of ${RENEGOTIATION.join(', ')}, not '${word}'`, nearest(word, RENEGOTIATION));
  else if (word === 'RenegotiateOnceAsClient') renegotiation?.warning('renegotiation is allowed or not, and never counted: this is read as RenegotiateFreelyAsClient');
  if (!/^https:/i.test(baseUrl)) view.warning('clientTLS has no effect on a baseUrl that begins with http://');
  const [rootCA, certificate, privateKey] = (['rootCA', 'certificate', 'privateKey'] as const).map((name) => {
    const item = view.get(name);
    return item && valueOrSecret(item, name);
  });
  if (!certificate !== !privateKey) view.error('certificate and privateKey go together: the other one is missing');
  return { ...(rootCA ? { rootCA } : {}), ...(certificate ? { certificate } : {}), ...(privateKey ? { privateKey } : {}), renegotiates: word !== undefined && word !== 'RenegotiateNever' };
}

const PARTS = { rootCA: 'root CA', certificate: 'client certificate', privateKey: 'client key' } as const;
type TlsPart = keyof typeof PARTS;
/** PEM texts, or paths of files that hold them. */
export type TlsTexts = { readonly [Part in TlsPart]?: string | undefined };

/** What is wrong with the certificates of an endpoint, and with which of them. */
export class TlsFault extends Error {
  readonly part: TlsPart;
  constructor(part: TlsPart, cause: unknown) {
    super(messageOf(cause), { cause });
    this.name = 'TlsFault';
    this.part = part;
  }
}

/** PEM texts that can be used. Rejects with `TlsFault`. A certificate without a key, or a key alone, is not looked at. */
export async function readTls(texts: TlsTexts): Promise<TlsTexts> {
  const [rootCA, certificate, privateKey] = await Promise.all((['rootCA', 'certificate', 'privateKey'] as const).map((part) => read(part, texts[part])));
  await about('rootCA', () => void (rootCA === undefined || checkAuthority(rootCA)));
  await about('certificate', () => void (certificate === undefined || privateKey === undefined || checkKeyPair(certificate, privateKey)));
  return { rootCA, certificate, privateKey };
}

function read(part: TlsPart, text: string | undefined): Promise<string | undefined> {
  return about(part, async () => {
    if (text === undefined) return undefined;
    const pem = await readPem(text, PARTS[part]);
    if (pem === undefined) throw new Error(`the ${PARTS[part]} is empty`);
    return pem;
  });
}

async function about<T>(part: TlsPart, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new TlsFault(part, error);
  }
}

/** Those that stand in the resource or in files; what comes from a secret store shows at the start. */
export async function checkEndpointTls({ name, clientTls = { renegotiates: false } }: HttpEndpointResource, problems: Problems): Promise<void> {
  const { rootCA, certificate, privateKey } = clientTls;
  try {
    await readTls({ rootCA: rootCA?.value, certificate: certificate?.value, privateKey: privateKey?.value });
  } catch (error) {
    const item = error instanceof TlsFault ? clientTls[error.part] : undefined;
    if (!item) throw error;
    problems.error(item.source, `${name}: ${messageOf(error)}`, { field: item.field ?? 'spec.clientTLS' });
  }
}
