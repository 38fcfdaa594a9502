/**
 * The health block: is everything ready (`healthz`), and may the app already call (`healthz/outbound`).
 *
 * `outbound` turns ready when the listeners are up and each component's first attempt to connect has ended, whichever
 * way; `healthz` also waits for the app. Which targets are missing is said by name.
 */
import { errorTable } from '../../errors.ts';

export const errors = errorTable('health', {
  notReady: {
    code: 'ERR_HEALTH_NOT_READY',
    kind: 'internal',
    httpStatus: 500,
    make: (missing: readonly string[]) => ({ message: `dapr is not ready: [${missing.join(' ')}]` }),
  },
  outboundNotReady: {
    code: 'ERR_OUTBOUND_HEALTH_NOT_READY',
    kind: 'internal',
    httpStatus: 500,
    make: () => ({ message: 'dapr outbound is not ready' }),
  },
  appIdMismatch: {
    code: 'ERR_HEALTH_APPID_NOT_MATCH',
    kind: 'internal',
    httpStatus: 500,
    make: () => ({ message: 'dapr app-id does not match' }),
  },
});

export interface HealthBlock {
  /** Throws while a target is missing, or when `appId` is another app's. */
  ready(appId: string | undefined): void;
  outbound(): void;
}

export interface HealthBlockParts {
  readonly appId: string;
  /** Names of the targets that are not ready. */
  readonly missing: () => readonly string[];
  readonly outboundReady: () => boolean;
}

export function createHealthBlock(parts: HealthBlockParts): HealthBlock {
  return {
    ready(appId) {
      const missing = parts.missing();
      if (missing.length > 0) throw errors.notReady(missing);
      if (appId !== undefined && appId !== '' && appId !== parts.appId) throw errors.appIdMismatch();
    },
    outbound() {
      if (!parts.outboundReady()) throw errors.outboundNotReady();
    },
  };
}
