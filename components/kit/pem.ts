/** Certificates and keys as YAML names them: PEM text, or the path of a file that holds it. Errors never repeat what was given. */
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';

/** The PEM text; undefined for ''. `what` names it in errors. */
export async function readPem(value: string, what: string): Promise<string | undefined> {
  if (value === '') return undefined;
  if (value.includes('-----BEGIN')) return value;
  // What was meant as PEM may be taken for a path: the system's words would repeat it.
  const text = await readFile(value, 'utf8').catch(() => undefined);
  if (text === undefined) throw new Error(`the ${what} is neither PEM text nor a file that can be read`);
  if (!text.includes('-----BEGIN')) throw new Error(`the file of the ${what} holds no PEM`);
  return text;
}

/** Throws when the text holds no certificate; TLS itself would pass over that in silence and trust nobody. */
export function checkAuthority(rootCA: string): void {
  try {
    for (const text of rootCA.match(/-----BEGIN[^]*?-----END[^-]*-----/g) ?? ['']) void new X509Certificate(text);
  } catch (error) {
    throw new Error('the root CA is no certificate that can be read', { cause: error });
  }
}

/** Throws when they are not a certificate and its key. */
export function checkKeyPair(certificate: string, privateKey: string): void {
  try {
    createSecureContext({ cert: certificate, key: privateKey });
  } catch (error) {
    throw new Error('the client certificate and its key cannot be used together', { cause: error });
  }
}
