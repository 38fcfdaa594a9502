/** The ledger that a process is told to use: the file of its data folder, or a PostgreSQL database with that file for what is per host. */
import type { Clock, Ledger } from '@mecha/components/kit';
import type { Log } from '../telemetry/log.ts';
import { openSqliteLedger } from './sqlite-ledger.ts';

export interface LedgerPlace {
  /** The data folder's ledger. */
  readonly path: string;
  /** `postgresql://…`; undefined: the file. */
  readonly address?: string | undefined;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
}

/** `clock`: the time that the ledger goes by; whatever is compared with its instants asks this one. */
export async function openLedger({ path, address, clock, random, log }: LedgerPlace): Promise<{ readonly ledger: Ledger; readonly clock: Clock }> {
  const file = await openSqliteLedger({ path, clock, log });
  if (address === undefined) return { ledger: file, clock };
  try {
    // Loaded for those who name it alone.
    const [{ readAddress }, { openPostgresqlLedger }] = await Promise.all([import('@mecha/components/postgresql/connection.ts'), import('./postgresql/postgresql-ledger.ts')]);
    const ledger = await openPostgresqlLedger({ address: readAddress(address), registry: file, random, log });
    return { ledger, clock: ledger.clock };
  } catch (error) {
    await file.close();
    throw error;
  }
}
