/**
 * Whether a process that once said who it is still lives. A pid alone does not tell: it is used again, and in another
 * container it means another process.
 */
import { readFileSync, readlinkSync } from 'node:fs';

/** `<pid namespace> <start time>`, each empty where the system does not tell. */
export function processIdentity(pid: number): string {
  return `${pidNamespace()} ${startOf(pid)}`;
}

/**
 * Whether the process `pid` that had this identity is there. True when it cannot be known from here, as for a process of
 * another container: then only its lease tells.
 */
export function isAlive(pid: number, identity: string): boolean {
  const [namespace = '', start = ''] = identity.split(' ');
  if (namespace !== pidNamespace()) return true;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  return start === '' || startOf(pid) === start;
}

function pidNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return '';
  }
}

/** In ticks since the machine was started. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}
