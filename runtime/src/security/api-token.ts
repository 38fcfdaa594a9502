/** Comparing API tokens without telling by time how much of one was right. */
import { createHash, timingSafeEqual } from 'node:crypto';

/** `undefined` when no token is asked for; else a check of what the caller sent. */
export function createTokenCheck(token: string | undefined): ((given: string | undefined) => boolean) | undefined {
  if (!token) return undefined;
  const wanted = digest(token);
  return (given) => given !== undefined && timingSafeEqual(digest(given), wanted);
}

/** Equal lengths for the comparison, whatever was sent. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
