/** Telling "nobody was there to talk to" from "somebody was, and it went wrong": only the first may be tried again blindly. */

/** No connection came about, so not one byte of the request was seen by anybody. */
const NO_CONNECTION = new Set([
  'ECONNREFUSED',
  'ENOENT', // a Unix socket whose file is gone
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EHOSTDOWN',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EADDRNOTAVAIL',
  'UND_ERR_CONNECT_TIMEOUT',
]);
/** A connection was there and broke before the answer was complete. */
const BROKEN = new Set(['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'UND_ERR_SOCKET', 'HPE_INVALID_EOF_STATE']);

export function isUnreachable(error: unknown): boolean {
  return NO_CONNECTION.has(codeOf(error));
}

export function isBroken(error: unknown): boolean {
  return BROKEN.has(codeOf(error));
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}
