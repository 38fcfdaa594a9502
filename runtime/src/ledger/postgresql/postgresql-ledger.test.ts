/** The promises of the port, on a real PostgreSQL. What is particular to it: `sharing.test.ts`, `failures.test.ts`. */
import { afterAll, beforeAll } from 'vitest';
import { ledgerConformance, type LedgerUnderTest } from '@mecha/components/kit/conformance/ledger';
import { jobLedgerConformance } from '@mecha/components/kit/conformance/ledger-jobs';
import { payloadLedgerConformance } from '@mecha/components/kit/conformance/ledger-payloads';
import { ledgerRetentionConformance } from '@mecha/components/kit/conformance/ledger-retention';
import { workflowLedgerConformance } from '@mecha/components/kit/conformance/ledger-workflow';
import { serverAddress } from '../../../../test/servers/servers.ts';
import { createTestSchema, type TestSchema } from './testing.ts';

let schema: TestSchema;
let isMade = false;
beforeAll(async () => {
  schema = await createTestSchema(serverAddress('postgresql'));
});
afterAll(() => schema.drop());

const underTest = (togetherFrom?: number): LedgerUnderTest => ({
  async open(clock) {
    if (isMade) await schema.empty();
    isMade = true;
    return schema.open(clock, undefined, togetherFrom);
  },
  reopen: (clock) => schema.open(clock, undefined, togetherFrom),
});
const postgresql = underTest();
ledgerConformance('postgresql', postgresql);
ledgerRetentionConformance('postgresql', postgresql);
workflowLedgerConformance('postgresql', postgresql);
jobLedgerConformance('postgresql', postgresql);
payloadLedgerConformance('postgresql', postgresql);
// Each step and result by the statements that are meant for many.
workflowLedgerConformance('postgresql, many at once', underTest(1));
