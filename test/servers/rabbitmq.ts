/**
 * RabbitMQ, one node on loopback: user `guest`, password `guest`, virtual host `/`. Erlang's own directory of nodes (`epmd`),
 * which a node starts when there is none, goes on when the node ends: other nodes of the machine may be in it.
 */
import { existsSync } from 'node:fs';
import { chmod, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { findCommand, findOrInstall } from './machine.ts';
import { freePort } from './processes.ts';
import type { ServerKind } from './server-kind.ts';
import { serverUser } from './unprivileged.ts';

const WHAT_TO_DO = 'install it (Debian: apt-get install rabbitmq-server; macOS: brew install rabbitmq), or name a running one that lets guest in: MECHA_TEST_RABBITMQ=host:port';
const PROBE_TIMEOUT_MS = 5_000;
/** What the command of that name is behind the wrapper that changes the user by itself. */
const DEBIAN_SCRIPT = '/usr/lib/rabbitmq/bin/rabbitmq-server';
const owner = serverUser('rabbitmq', 'rabbitmq');

export const rabbitmq: ServerKind = {
  name: 'rabbitmq',
  addressVariable: 'MECHA_TEST_RABBITMQ',
  exportVariable: 'MECHA_RABBITMQ_HOST',
  usualPort: 5672,
  startTimeoutMs: 90_000,

  obtain: (_folder, say) => findOrInstall(async () => (existsSync(DEBIAN_SCRIPT) ? DEBIAN_SCRIPT : findCommand('rabbitmq-server')), ['rabbitmq-server'], WHAT_TO_DO, say),

  async launch(server, { folder, port, configuration = [] }) {
    const data = owner.dataFolder(folder);
    if (!existsSync(path.join(data, 'enabled_plugins'))) {
      await owner.makeFolder(data);
      await chmod(data, 0o755);
      // Clients may be known by their certificate, where the configuration says so.
      await writeFile(path.join(data, 'enabled_plugins'), '[rabbitmq_auth_mechanism_ssl].\n');
      await writeFile(path.join(data, 'rabbitmq.conf'), ['loopback_users.guest = true', 'log.console = true', 'log.file = false', 'log.console.level = warning', ...configuration, ''].join('\n'));
      await writeFile(path.join(data, 'advanced.config'), '[].\n');
    }
    return {
      ...(await owner.as(server, ['-noinput'])),
      cwd: data,
      env: {
        HOME: data,
        // Makes the script become the server, in place of a parent of it that alone would be killed.
        RABBITMQ_ALLOW_INPUT: '1',
        // A node has the name under which its data lies, so the port, which may change, is not part of it.
        RABBITMQ_NODENAME: `mecha-${path.basename(data).replaceAll(/[^a-z0-9]/gi, '')}@localhost`,
        RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
        RABBITMQ_NODE_PORT: String(port),
        RABBITMQ_DIST_PORT: String(await freePort()),
        RABBITMQ_MNESIA_BASE: path.join(data, 'mnesia'),
        RABBITMQ_LOG_BASE: path.join(data, 'log'),
        RABBITMQ_PID_FILE: path.join(data, 'server.pid'),
        RABBITMQ_CONFIG_FILE: path.join(data, 'rabbitmq.conf'),
        RABBITMQ_ADVANCED_CONFIG_FILE: path.join(data, 'advanced.config'),
        RABBITMQ_ENABLED_PLUGINS_FILE: path.join(data, 'enabled_plugins'),
        RABBITMQ_CONF_ENV_FILE: '/dev/null',
        RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '-kernel inet_dist_use_interface {127,0,0,1} +S 2:2 +sbwt none',
        ERL_EPMD_ADDRESS: '127.0.0.1',
      },
    };
  },

  dispose: (folder) => owner.removeData(folder),

  async answers({ host, port }) {
    const { connect } = await import('amqplib');
    const connection = await connect(`amqp://guest:guest@${host}:${port}`, { timeout: PROBE_TIMEOUT_MS });
    await connection.close();
  },
};
