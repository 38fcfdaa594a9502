/** HTTPEndpoints from YAML to what invocation gets: certificates by value, by file and from a secret store, and every fault of theirs. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeCertificates, type Certificates } from '../../../test/tools/certificates.ts';
import { loadResources, problemLines } from '../config/resources.ts';
import { resolveEndpoints } from './http-endpoints.ts';

let folder = '';
let own: Certificates;
let strangers: Certificates;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mecha-endpoints-'));
  [own, strangers] = await Promise.all([makeCertificates(), makeCertificates()]);
});
afterAll(async () => {
  await Promise.all([own.remove(), strangers.remove(), rm(folder, { recursive: true })]);
});

const VAULT = '---\napiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {name: vault}\nspec: {type: secretstores.local.env}\n';
async function load(clientTls: string, { baseUrl = 'https://bank.example.com', more = 'auth: {secretStore: vault}\n' } = {}) {
  const path = join(folder, 'a.yaml');
  await writeFile(path, `apiVersion: dapr.io/v1alpha1\nkind: HTTPEndpoint\nmetadata: {name: bank}\nspec:\n  baseUrl: ${baseUrl}\n  clientTLS:\n${clientTls}${more}${VAULT}`);
  const { resources, problems } = await loadResources([path], { appId: 'orders', namespace: undefined, strict: true });
  return { lines: problemLines(problems).map((line) => line.replace(`${folder}/`, '')), endpoints: resources.flatMap((resource) => (resource.kind === 'HTTPEndpoint' ? [resource] : [])) };
}
const inFile = (part: string, path: string): string => `    ${part}: { value: ${path} }\n`;
const inStore = (part: string, name: string): string => `    ${part}: { secretKeyRef: { name: ${name}, key: pem } }\n`;
const inline = async (part: string, path: string): Promise<string> => `    ${part}:\n      value: |\n${(await readFile(path, 'utf8')).replaceAll(/^(?=.)/gm, '        ')}`;

describe('certificates of an HTTPEndpoint', () => {
  test('may stand in the YAML, in files and in a secret store', async () => {
    const { lines, endpoints } = await load((await inline('rootCA', own.authority)) + inFile('certificate', own.certificate) + inStore('privateKey', 'bank'));
    expect(lines).toEqual([]);
    const asked: string[][] = [];
    const secret = async (...names: string[]): Promise<string> => {
      asked.push(names);
      return readFile(own.key, 'utf8');
    };
    const [rootCA, certificate, privateKey] = await Promise.all([own.authority, own.certificate, own.key].map((path) => readFile(path, 'utf8')));
    expect(await resolveEndpoints(endpoints, { appId: 'orders', env: {}, secret })).toEqual([
      { name: 'bank', baseUrl: 'https://bank.example.com', headers: {}, tls: { rootCA, certificate, privateKey, renegotiates: false } },
    ]);
    expect(asked).toEqual([['vault', 'bank', 'pem']]);
  });

  test.each<[string, () => string, string | RegExp]>([
    ['a file that is not there', () => inFile('rootCA', '/no/such/file.pem'), 'a.yaml:7: error: bank: the root CA is neither PEM text nor a file that can be read (spec.clientTLS.rootCA)'],
    ['a file that holds something else', () => inFile('rootCA', join(folder, 'a.yaml')), 'a.yaml:7: error: bank: the file of the root CA holds no PEM (spec.clientTLS.rootCA)'],
    ['a key where an authority belongs', () => inFile('rootCA', own.key), 'a.yaml:7: error: bank: the root CA is no certificate that can be read (spec.clientTLS.rootCA)'],
    ['the key of another certificate', () => inFile('certificate', own.certificate) + inFile('privateKey', strangers.key), 'a.yaml:7: error: bank: the client certificate and its key cannot be used together (spec.clientTLS.certificate)'],
    ['a certificate without its key', () => inFile('certificate', own.certificate), 'a.yaml:7: error: certificate and privateKey go together: the other one is missing (spec.clientTLS)'],
    ['an empty value', () => '    rootCA: { value: "" }\n', 'a.yaml:7: error: must have a value or a secretKeyRef (spec.clientTLS.rootCA)'],
    ['a text in the place of a value', () => '    rootCA: /etc/ca.pem\n', 'a.yaml:7: error: must be a map with value or secretKeyRef (spec.clientTLS.rootCA)'],
    ['a field that is none', () => '    rootCa: { file: /etc/ca.pem }\n', 'a.yaml:7: error: unknown field file (spec.clientTLS.rootCa.file)'],
    ['a word about renegotiation', () => '    renegotiation: RenegotiateNevr\n', /a\.yaml:7: error: must be one of RenegotiateNever, .*, not 'RenegotiateNevr' \(spec\.clientTLS\.renegotiation\); did you mean RenegotiateNever\?/],
    ['renegotiation that is counted', () => '    renegotiation: RenegotiateOnceAsClient\n', /a\.yaml:7: warning: renegotiation is allowed or not, and never counted/],
  ])('%s is told at load', async (_what, clientTls, expected) => {
    const { lines } = await load(clientTls());
    if (typeof expected === 'string') expect(lines).toContain(expected);
    else expect(lines.join('\n')).toMatch(expected);
    expect(lines.join('\n')).not.toContain('-----BEGIN');
  });

  test('need a store that is there, and a URL with TLS to have an effect', async () => {
    expect((await load(inStore('rootCA', 'ca'), { more: '' })).lines).toEqual(['a.yaml:7: error: bank: rootCA refers to a secret, and auth.secretStore does not say in which store (auth.secretStore)']);
    expect((await load(inFile('rootCA', own.authority), { baseUrl: 'http://bank.example.com' })).lines).toEqual(['a.yaml:7: warning: clientTLS has no effect on a baseUrl that begins with http:// (spec.clientTLS)']);
  });

  test('that come from a secret store and are no good are told with their place, and not repeated', async () => {
    const { endpoints } = await load(inFile('certificate', own.certificate) + inStore('privateKey', 'bank'));
    const resolve = (text: string) => resolveEndpoints(endpoints, { appId: 'orders', env: {}, secret: async () => text });
    const wrong = await readFile(strangers.key, 'utf8');
    await expect(resolve(wrong)).rejects.toThrow(/a\.yaml:7: error: bank: the client certificate and its key cannot be used together \(spec\.clientTLS\.certificate\)$/);
    await expect(resolve('')).rejects.toThrow(/a\.yaml:8: error: bank: the client key is empty \(spec\.clientTLS\.privateKey\)$/);
    await expect(resolve('sesame')).rejects.toThrow(/^(?!.*sesame).*a\.yaml:8: error: bank: the client key is neither PEM text nor a file/);
  });
});
