/**
 * (users 55) What TLS options of a binding must do: `tlsBindingConformance(definition, { … })` in a test file, with a real server whose
 * certificate is for `localhost`, and an authority that no system knows.
 */
/* oxlint-disable vitest/no-conditional-tests -- what the backend offers decides which claims hold */
import { describe, expect, test } from 'vitest';
import type { Binding } from '../bindings.ts';
import type { ComponentDefinition } from '../component.ts';
import { bytesOfResponse, requestOf, type ConformanceCall } from './output-binding.ts';

/** What an instance is told about TLS; PEM texts. */
export interface TlsChoice {
  readonly authority?: string;
  readonly clientCertificate?: string;
  readonly clientKey?: string;
  /** Any certificate will do. */
  readonly unverified?: boolean;
}

export interface TlsBindingConformance {
  /** PEM texts: the authority of the server, and a certificate that it gave a client. */
  readonly pem: { readonly authority: string; readonly clientCertificate: string; readonly clientKey: string };
  /** An instance that reaches the server by `host`, which is `localhost` or `127.0.0.1`. Not connected; throws what its declaration does. */
  build(host: string, tls: TlsChoice): Binding;
  /** The same, for a server that wants a certificate of its clients. Absent: the binding has no client certificates. */
  buildForClients?(host: string, tls: TlsChoice): Binding;
  readonly call: ConformanceCall;
  /** The binding can be told to take any certificate. */
  readonly mayBeUnverified: boolean;
  /** Texts that no error may show. */
  readonly secrets?: readonly string[];
}

const CONNECT_TIMEOUT_MS = 20_000;

export function tlsBindingConformance(definition: ComponentDefinition<'bindings'>, { pem, build, buildForClients, call, mayBeUnverified, secrets = [] }: TlsBindingConformance): void {
  const { authority, clientCertificate, clientKey } = pem;

  /** Connects and calls, whichever of both it is that reaches the server first. */
  async function use(binding: Binding): Promise<void> {
    try {
      await binding.connect?.(AbortSignal.timeout(CONNECT_TIMEOUT_MS));
      await bytesOfResponse(await binding.invoke?.(requestOf(call), AbortSignal.timeout(CONNECT_TIMEOUT_MS)));
    } finally {
      await binding.close?.();
    }
  }
  const failureOf = async (make: () => Binding): Promise<string> => {
    const error = await (async () => use(make()))().then(() => undefined, (reason: unknown) => reason);
    expect(error).toBeInstanceOf(Error);
    const { message } = error as Error;
    for (const secret of [clientKey, ...secrets]) expect(message).not.toContain(secret);
    return message;
  };

  describe(`(users 55) TLS of ${definition.type}`, () => {
    test('a server whose authority is named is spoken to', async () => {
      await expect(use(build('localhost', { authority }))).resolves.toBeUndefined();
    });

    test('a certificate that nobody vouches for is refused, in words that say so', async () => {
      expect(await failureOf(() => build('localhost', {}))).toMatch(/certificate|self.signed/i);
    });

    test('a certificate for another name is refused, though its authority is named', async () => {
      expect(await failureOf(() => build('127.0.0.1', { authority }))).toMatch(/altnames|certificate|IP:|hostname/i);
    });

    if (mayBeUnverified) {
      test('any certificate is taken only where the component says so', async () => {
        await expect(use(build('127.0.0.1', { unverified: true }))).resolves.toBeUndefined();
      });
    }

    test('a client shows its certificate to a server that wants one, and is refused without', async () => {
      if (!buildForClients) return expect(Object.keys(definition.metadata).filter((name) => /client(Cert|Key)/i.test(name))).toEqual([]);
      await expect(use(buildForClients('localhost', { authority, clientCertificate, clientKey }))).resolves.toBeUndefined();
      await failureOf(() => buildForClients('localhost', { authority }));
      expect(() => buildForClients('localhost', { authority, clientCertificate })).toThrow(/client(Cert|Key)|certificate/);
    });
  });
}
