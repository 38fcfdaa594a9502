/** The registry of live sidecars, read from outside: for commands that look for a running sidecar without being one. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { SidecarRow } from '@mecha/components/kit';
import { isAlive } from './ledger-program.ts';

/** Newest start first; [] when there is no ledger, or one that this version cannot read. */
export function findLiveSidecars(dataDir: string): readonly SidecarRow[] {
  const path = join(dataDir, 'ledger.db');
  if (!existsSync(path)) return [];
  const db = new DatabaseSync(path, { readOnly: true, timeout: 2000 });
  try {
    const rows = db.prepare('SELECT s.row, x.pid, x.process_start, x.lease_until FROM sidecars s JOIN sessions x ON x.id = s.session').all() as { row: string; pid: number; process_start: string; lease_until: number }[];
    return rows
      .filter((row) => row.lease_until > Date.now() && isAlive(row.pid, row.process_start))
      .map((row) => JSON.parse(row.row) as SidecarRow)
      .sort((a, b) => b.startedAt - a.startedAt);
  } finally {
    db.close();
  }
}
