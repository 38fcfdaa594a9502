/** The registry of live sidecars as the SQLite ledger keeps it; also read from outside, by commands that look for a running one. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { SidecarRow } from '@mecha/components/kit';
import { isAlive } from './process-identity.ts';

interface Row {
  readonly row: string;
  readonly pid: number;
  readonly process_start: string;
  readonly lease_until: number;
}

/** Rows whose process is there and holds its lease, newest start first. */
export function liveSidecarsIn(db: DatabaseSync, now: number): readonly SidecarRow[] {
  const rows = db.prepare('SELECT s.row, x.pid, x.process_start, x.lease_until FROM sidecars s JOIN sessions x ON x.id = s.session').all() as unknown as Row[];
  return rows
    .filter((row) => row.lease_until > now && isAlive(row.pid, row.process_start))
    .map((row) => JSON.parse(row.row) as SidecarRow)
    .sort((a, b) => b.startedAt - a.startedAt);
}

/** [] when there is no ledger in this data folder. */
export function findLiveSidecars(dataDir: string): readonly SidecarRow[] {
  const path = join(dataDir, 'ledger.db');
  if (!existsSync(path)) return [];
  const db = new DatabaseSync(path, { readOnly: true, timeout: 2000 });
  try {
    return liveSidecarsIn(db, Date.now());
  } finally {
    db.close();
  }
}
