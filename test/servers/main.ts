/** `npm run servers -- up|down|status [name...]` */
import { ensureServers, serverNames, serverStatus, stopServers, type ServerName } from './servers.ts';

const USAGE = `usage: npm run servers -- up|down|status [${serverNames.join('|')} ...]   (no name = all)`;

const [command, ...asked] = process.argv.slice(2);
const unknown = asked.filter((name) => !serverNames.includes(name as ServerName));
if (unknown.length > 0) fail(`no server is named ${unknown.join(', ')}; there are ${serverNames.join(' and ')}\n${USAGE}`);
const names = asked.length > 0 ? (asked as readonly ServerName[]) : serverNames;

switch (command) {
  case 'up': {
    const { env, missing } = await ensureServers(names, (line) => console.log(line));
    for (const [name, address] of Object.entries(env)) console.log(`${name}=${address}`);
    for (const { name, why, whatToDo } of missing) console.error(`${name}: cannot be had: ${why}\n  ${whatToDo}`);
    process.exitCode = missing.length > 0 ? 1 : 0;
    break;
  }
  case 'down':
    for (const name of await stopServers(names)) console.log(`${name}: stopped`);
    break;
  case 'status':
    for (const { name, state, address, pid } of await serverStatus(names)) {
      console.log(`${name}: ${state}${address ? ` at ${address}` : ''}${pid ? ` (pid ${pid})` : ''}`);
    }
    break;
  default:
    fail(USAGE);
}

function fail(words: string): never {
  console.error(words);
  process.exit(2);
}
