/**
 * Where a process listens for the other sidecars of its host: two Unix sockets (HTTP/1.1, and HTTP/2 for gRPC) in a folder
 * that only its owner may enter. The folder is the lock on the door: whoever can connect may act as a sidecar, so a
 * folder that belongs to somebody else, or is open to others, is refused.
 */
import { randomBytes } from 'node:crypto';
import { chmod, lstat, mkdir, readdir, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isUnreachable } from '../channel/unreachable.ts';

/** The kernel's bound is 108 bytes with the closing NUL on Linux and 104 on macOS. */
const SOCKET_PATH_BYTES_MAX = 103;
const HTTP_SUFFIX = '.http';
const GRPC_SUFFIX = '.grpc';
const SOCKET_NAME = /^\d+-[0-9a-f]+\.(?:http|grpc)$/;
/** A process that dies leaves two files; more than this at once is not looked through. */
const STALE_SOCKETS_MAX = 1000;

/** The two sockets of this process: under `<dataDir>/run`, or where that path is too long, in a folder under the system's temporary one. */
export async function preparePeerSockets(dataDir: string): Promise<{ readonly http: string; readonly grpc: string }> {
  const name = `${process.pid}-${randomBytes(4).toString('hex')}`;
  if (process.platform === 'win32') return pairOf(`\\\\.\\pipe\\mecha-${name}`);
  const folders = [join(dataDir, 'run'), join(tmpdir(), `mecha-${process.getuid?.() ?? 0}`), `/tmp/mecha-${process.getuid?.() ?? 0}`];
  const folder = folders.find((candidate) => Buffer.byteLength(join(candidate, name + HTTP_SUFFIX)) <= SOCKET_PATH_BYTES_MAX);
  if (folder === undefined) throw new Error(`no folder has a path short enough for a Unix socket (${SOCKET_PATH_BYTES_MAX} bytes): ${folders.join(', ')}`);
  await makePrivateFolder(folder);
  await removeStaleSockets(folder);
  return pairOf(join(folder, name));
}

/** The HTTP/2 socket of the process whose registry row names `httpSocketPath`. */
export function grpcSocketOf(httpSocketPath: string): string {
  return httpSocketPath.endsWith(HTTP_SUFFIX) ? httpSocketPath.slice(0, -HTTP_SUFFIX.length) + GRPC_SUFFIX : httpSocketPath + GRPC_SUFFIX;
}

/** Resolves when somebody accepts connections there. */
export function reachSocket(path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve();
    });
    socket.once('error', reject);
  });
}

function pairOf(base: string): { http: string; grpc: string } {
  return { http: base + HTTP_SUFFIX, grpc: base + GRPC_SUFFIX };
}

async function makePrivateFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const status = await lstat(folder);
  if (!status.isDirectory() || status.uid !== process.getuid?.()) {
    throw new Error(`${folder} must be a folder of this user: sidecars of the host trust each other by it`);
  }
  if ((status.mode & 0o077) !== 0) await chmod(folder, 0o700);
}

/** Files of processes that died: nobody accepts connections there any more. */
async function removeStaleSockets(folder: string): Promise<void> {
  const names = (await readdir(folder)).filter((name) => SOCKET_NAME.test(name)).slice(0, STALE_SOCKETS_MAX);
  await Promise.all(
    names.map(async (name) => {
      const path = join(folder, name);
      try {
        await reachSocket(path);
      } catch (error) {
        if (isUnreachable(error)) await rm(path, { force: true });
      }
    }),
  );
}
