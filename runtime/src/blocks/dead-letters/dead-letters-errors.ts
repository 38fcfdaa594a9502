/** Errors of the dead-letter API, which is Mecha's own. */
import { errorTable } from '../../errors.ts';

const BAD_GATEWAY = 502;

export const errors = errorTable('dead letters', {
  requestInvalid: { code: 'ERR_DEAD_LETTER_REQUEST_INVALID', kind: 'invalid', make: (why: string) => ({ message: why }) },
  notFound: { code: 'ERR_DEAD_LETTER_NOT_FOUND', kind: 'not-found', make: (id: string) => ({ message: `there is no dead letter ${id}` }) },
  busy: { code: 'ERR_DEAD_LETTER_BUSY', kind: 'conflict', make: (id: string) => ({ message: `dead letter ${id} is being sent again at this moment` }) },
  noReceiver: { code: 'ERR_DEAD_LETTER_NO_RECEIVER', kind: 'precondition', make: (why: string) => ({ message: `the dead letter stays: ${why}` }) },
  appAway: { code: 'ERR_DEAD_LETTER_APP_AWAY', kind: 'unavailable', make: (why: string) => ({ message: `the dead letter stays, the app cannot be reached: ${why}`, retryAfterSeconds: 1 }) },
  notTaken: { code: 'ERR_DEAD_LETTER_NOT_TAKEN', kind: 'unknown', httpStatus: BAD_GATEWAY, make: (why: string) => ({ message: `the dead letter stays, the app did not take it: ${why}` }) },
  notSettled: { code: 'ERR_DEAD_LETTER_NOT_SETTLED', kind: 'internal', make: (why: string) => ({ message: `the dead letter may be sent once more: ${why}` }) },
});
