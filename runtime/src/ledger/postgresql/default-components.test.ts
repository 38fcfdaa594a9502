/** The default state store and broker, which are the ledger, when that is PostgreSQL. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll } from 'vitest';
import type { Ledger } from '@mecha/components/kit';
import { pubSubConformance } from '@mecha/components/kit/conformance/pubsub';
import { stateStoreConformance } from '@mecha/components/kit/conformance/state-store';
import { buildComponent, connected } from '@mecha/components/kit/testing.ts';
import sqlitePubSub from '@mecha/components/sqlite/pubsub.ts';
import sqliteState from '@mecha/components/sqlite/state.ts';
import { serverAddress } from '../../../../test/servers/servers.ts';
import { createTestSchema, type TestSchema } from './testing.ts';

const RETENTION_BYTES = 8 * 1024 * 1024;
let schema: TestSchema;
let ledger: Ledger;
beforeAll(async () => {
  schema = await createTestSchema(serverAddress('postgresql'));
  ledger = await schema.open();
});
afterAll(async () => {
  await ledger.close();
  await schema.drop();
});

stateStoreConformance('the default state store on PostgreSQL', {
  features: sqliteState.features,
  badEtag: randomUUID(),
  open: () => connected(buildComponent(sqliteState, {}, { ledger })),
});
pubSubConformance('the default broker on PostgreSQL', {
  open: (group) => connected(buildComponent(sqlitePubSub, { retentionBytes: RETENTION_BYTES }, { appId: group, ledger })),
  maxInFlight: 64,
  orderScope: 'topic',
  persistent: true,
  topicBytesMax: RETENTION_BYTES,
  refused: (topic) => ({ topic, data: Buffer.alloc(RETENTION_BYTES + 1), metadata: {} }),
});
