/**
 * MariaDB, on loopback, for what speaks the protocol of MySQL: user and database `mecha`, password `mecha-password`. Every
 * commit is on the disk before it is acknowledged.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { findCommand, findOrInstall } from './machine.ts';
import type { ServerKind } from './server-kind.ts';
import { serverUser } from './unprivileged.ts';

const run = promisify(execFile);
const WHAT_TO_DO = 'install it (Debian: apt-get install mariadb-server; macOS: brew install mariadb), or name a running one with user and database mecha, password mecha-password: MECHA_TEST_MYSQL=host:port';
const PROBE_TIMEOUT_MS = 2_000;
const owner = serverUser('mysql', 'mysql');
/** Run at each start, before clients are let in. */
const SETUP = [
  'CREATE DATABASE IF NOT EXISTS mecha CHARACTER SET utf8mb4;',
  "CREATE USER IF NOT EXISTS 'mecha'@'%' IDENTIFIED BY 'mecha-password';",
  "GRANT ALL ON mecha.* TO 'mecha'@'%';",
  '',
].join('\n');

export const mysql: ServerKind = {
  name: 'mysql',
  addressVariable: 'MECHA_TEST_MYSQL',
  exportVariable: 'MECHA_MYSQL_HOST',
  usualPort: 3306,
  startTimeoutMs: 60_000,

  obtain: (_folder, say) => findOrInstall(() => findCommand('mariadbd'), ['mariadb-server'], WHAT_TO_DO, say),

  async launch(server, { folder, port }) {
    const data = owner.dataFolder(folder);
    if (!existsSync(path.join(data, 'mysql', 'db.frm'))) {
      await owner.makeFolder(data);
      const install = (await findCommand('mariadb-install-db', 'mysql_install_db')) ?? 'mariadb-install-db';
      const { command, args } = await owner.as(install, ['--no-defaults', `--datadir=${data}`, '--auth-root-authentication-method=normal', '--skip-test-db']);
      await run(command, [...args], { cwd: data });
    }
    const setup = path.join(data, 'setup.sql');
    await writeFile(setup, SETUP, { mode: 0o644 });
    // The socket's name is short and relative: a system allows about a hundred characters.
    const settings = ['--no-defaults', `--datadir=${data}`, `--port=${port}`, '--bind-address=127.0.0.1', '--socket=server.sock', '--pid-file=server.pid', `--init-file=${setup}`, '--skip-name-resolve', '--innodb-buffer-pool-size=32M', '--innodb-log-file-size=16M'];
    return { ...(await owner.as(server, settings)), cwd: data };
  },

  dispose: (folder) => owner.removeData(folder),

  async answers({ host, port }) {
    const { default: library } = await import('mysql2/promise');
    const connection = await library.createConnection({ host, port, user: 'mecha', password: 'mecha-password', database: 'mecha', connectTimeout: PROBE_TIMEOUT_MS });
    try {
      await connection.query('SELECT 1');
    } finally {
      await connection.end();
    }
  },
};
