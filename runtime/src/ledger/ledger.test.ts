import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { ledgerConformance, type LedgerUnderTest } from '@mecha/components/kit/conformance/ledger';
import { jobLedgerConformance } from '@mecha/components/kit/conformance/ledger-jobs';
import { payloadLedgerConformance } from '@mecha/components/kit/conformance/ledger-payloads';
import { ledgerRetentionConformance } from '@mecha/components/kit/conformance/ledger-retention';
import { workflowLedgerConformance } from '@mecha/components/kit/conformance/ledger-workflow';
import { createLog } from '../telemetry/log.ts';
import { createMemoryLedger } from './memory-ledger.ts';
import { openSqliteLedger } from './sqlite-ledger.ts';

const log = createLog({ level: 'fatal', json: true, appId: 'test', version: '0' });
const folders: string[] = [];
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))));

let path = '';
const memory: LedgerUnderTest = { open: async (clock) => createMemoryLedger({ clock }) };
const sqlite: LedgerUnderTest = {
  async open(clock) {
    const folder = await mkdtemp(join(tmpdir(), 'mecha-ledger-'));
    folders.push(folder);
    path = join(folder, 'ledger.db');
    return openSqliteLedger({ path, clock, log });
  },
  reopen: (clock) => openSqliteLedger({ path, clock, log }),
};
ledgerConformance('memory', memory);
ledgerConformance('sqlite', sqlite);
ledgerRetentionConformance('memory', memory);
ledgerRetentionConformance('sqlite', sqlite);
workflowLedgerConformance('memory', memory);
workflowLedgerConformance('sqlite', sqlite);
jobLedgerConformance('memory', memory);
jobLedgerConformance('sqlite', sqlite);
payloadLedgerConformance('memory', memory);
payloadLedgerConformance('sqlite', sqlite);
