/** What every secret store must do: `secretStoreConformance('secretstores.local.file', { open, missing })` in a test file. */
/* oxlint-disable vitest/no-conditional-tests, vitest/no-conditional-expect -- what the store declares decides which claims hold */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { SecretStore } from '../secret-store.ts';

/** What the store under test must hold; it may hold more. */
export const conformanceSecrets = { conftestsecret: 'abcd', secondsecret: 'efgh' } as const;

export interface SecretStoreConformance {
  /** A connected store that holds `conformanceSecrets`. */
  open(): Promise<SecretStore>;
  /** What a name that is not there gives: an error that names it (default), or an empty text. */
  readonly missing?: 'error' | 'empty';
  /** Texts that must appear nowhere: secrets that this store may not show. */
  readonly hidden?: Readonly<Record<string, string>>;
}

const ABSENT = ['no-such-secret', '__proto__', 'constructor', 'toString', 'hasOwnProperty', ''];

export function secretStoreConformance(name: string, options: SecretStoreConformance): void {
  const metadata = {};
  let store: SecretStore;

  describe(`${name} is a secret store`, () => {
    beforeAll(async () => {
      store = await options.open();
    });
    afterAll(async () => {
      await store.close?.();
      await store.close?.();
    });

    test('a ping succeeds where there is one', async () => {
      await expect((async () => store.ping?.())()).resolves.toBeUndefined();
    });

    test('a secret is given as its own pair and nothing else', async () => {
      for (const [secret, value] of Object.entries(conformanceSecrets)) expect(await store.get({ name: secret, metadata })).toEqual({ [secret]: value });
    });

    test('all secrets are listed by name, each as a single read gives it', async () => {
      const all = await store.getAll({ metadata });
      for (const [secret, value] of Object.entries(conformanceSecrets)) expect(all[secret]).toEqual({ [secret]: value });
      for (const secret of Object.keys(all)) expect(await store.get({ name: secret, metadata })).toEqual(all[secret]);
    });

    test.each(ABSENT)('a name that is not there gives what the documents say: %j', async (absent) => {
      if (options.missing === 'empty') expect(Object.entries(await store.get({ name: absent, metadata }))).toEqual([[absent, '']]);
      else await expect(store.get({ name: absent, metadata })).rejects.toThrow(`secret ${absent} not found`);
      expect(Object.hasOwn(await store.getAll({ metadata }), absent)).toBe(false);
    });

    test('an error holds no value of any secret', async () => {
      const error = await store.get({ name: 'no-such-secret', metadata }).catch((reason: unknown) => reason);
      const text = String(error instanceof Error ? (error.stack ?? error.message) : '');
      for (const value of Object.values(conformanceSecrets)) expect(text).not.toContain(value);
    });

    test('changing an answer changes nothing in the store', async () => {
      const answer = (await store.get({ name: 'conftestsecret', metadata })) as Record<string, string>;
      try {
        answer['conftestsecret'] = 'changed';
      } catch (error) {
        expect(error).toBeInstanceOf(TypeError);
      }
      expect(await store.get({ name: 'conftestsecret', metadata })).toEqual({ conftestsecret: 'abcd' });
    });

    if (options.hidden) {
      const { hidden } = options;
      test('what is not to be shown is neither read nor listed', async () => {
        const all = await store.getAll({ metadata });
        for (const [secret, value] of Object.entries(hidden)) {
          const read = await store.get({ name: secret, metadata }).catch(() => ({}));
          expect(JSON.stringify(read)).not.toContain(value);
          expect(Object.keys(all)).not.toContain(secret);
          expect(JSON.stringify(all)).not.toContain(value);
        }
      });
    }
  });
}
