/** For tests only: ledger files in a folder that goes with the test. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Ledger } from '@mecha/components/kit';
import { createLog } from '../../runtime/src/telemetry/log.ts';
import { openSqliteLedger } from '../../runtime/src/ledger/sqlite-ledger.ts';
import { realClock } from '../kit/testing.ts';

export interface TestLedgers {
  readonly folder: string;
  /** The open ledger of `path`, opened if it is not. */
  open(path: string): Promise<Ledger>;
  close(path: string): Promise<void>;
  end(): Promise<void>;
}

export async function createTestLedgers(): Promise<TestLedgers> {
  const folder = await mkdtemp(join(tmpdir(), 'mecha-sqlite-'));
  const log = createLog({ level: 'error', json: true, appId: 'test', version: '0' });
  const ledgers = new Map<string, Promise<Ledger>>();
  const close = async (path: string): Promise<void> => {
    const ledger = ledgers.get(path);
    ledgers.delete(path);
    await (await ledger)?.close();
  };
  return {
    folder,
    open(path) {
      const ledger = ledgers.get(path) ?? openSqliteLedger({ path, clock: realClock, log });
      ledgers.set(path, ledger);
      return ledger;
    },
    close,
    async end() {
      await Promise.all([...ledgers.keys()].map(close));
      await rm(folder, { recursive: true, force: true });
    },
  };
}
