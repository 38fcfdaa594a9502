/** Why an address could not be listened on, in words that say what to change. */
export function listenError(error: unknown, where: { host: string; port: number; flag: string; server: string }): Error {
  const code = (error as NodeJS.ErrnoException).code;
  const address = `${where.host}:${where.port}`;
  if (code === 'EADDRINUSE') {
    return new Error(`the ${where.server} cannot listen on ${address}: the port is taken by another process; choose another with ${where.flag}, or 0 for any free one`, { cause: error });
  }
  if (code === 'EACCES') {
    return new Error(`the ${where.server} may not listen on ${address}: not permitted; choose a port above 1023 with ${where.flag}`, { cause: error });
  }
  if (code === 'EADDRNOTAVAIL') {
    return new Error(`the ${where.server} cannot listen on ${address}: this host has no such address (--dapr-listen-addresses)`, { cause: error });
  }
  return new Error(`the ${where.server} cannot listen on ${address}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
}

/** The same for a Unix socket; `path` is the whole path of its file. */
export function socketError(error: unknown, where: { path: string; server: string }): Error {
  const code = (error as NodeJS.ErrnoException).code;
  const reason =
    // A missing folder comes as EACCES too.
    code === 'ENOENT' || code === 'EACCES' || code === 'EPERM' ? 'there is no such folder, or it may not be written to'
    : code === 'EINVAL' || code === 'ENAMETOOLONG' ? 'the path is too long for a socket'
    : error instanceof Error ? error.message : String(error);
  return new Error(`the ${where.server} cannot listen on ${where.path}: ${reason}; choose another folder with --unix-domain-socket`, { cause: error });
}
