import { describe, expect, test } from 'vitest';
import { conformanceSecrets, secretStoreConformance } from '../kit/conformance/secret-store.ts';
import { buildComponent } from '../kit/testing.ts';
import localEnv from './env.ts';

const hidden = { APP_API_TOKEN: 'app-token', app_api_token: 'small-token', DAPR_API_TOKEN: 'dapr-token', Dapr_Other: 'dapr-other', MECHA_DATA_DIR: 'mecha-dir' };

secretStoreConformance('secretstores.local.env', {
  open: async () => buildComponent(localEnv, {}, { env: { ...conformanceSecrets, ...hidden, UNSET: undefined } }),
  missing: 'empty',
  hidden,
});

describe('the prefix of secretstores.local.env', () => {
  const env = { SHOP_DB: 'secret', OTHER: 'not ours', DAPR_API_TOKEN: 'hidden' };

  test('only variables that begin with it are seen, by the rest of their name', async () => {
    const store = buildComponent(localEnv, { prefix: 'SHOP_' }, { env });
    expect(await store.get({ name: 'DB', metadata: {} })).toEqual({ DB: 'secret' });
    expect(await store.get({ name: 'OTHER', metadata: {} })).toEqual({ OTHER: '' });
    expect(await store.getAll({ metadata: {} })).toEqual({ DB: { DB: 'secret' } });
  });

  test('it opens no way around what is hidden', async () => {
    const store = buildComponent(localEnv, { prefix: 'DAPR_' }, { env });
    expect(await store.get({ name: 'API_TOKEN', metadata: {} })).toEqual({ API_TOKEN: '' });
    expect(await store.getAll({ metadata: {} })).toEqual({});
  });
});
