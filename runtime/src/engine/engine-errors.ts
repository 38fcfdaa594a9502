/** The engine's errors: one table, rendered by the faces. */
import { errorTable } from '../errors.ts';

export const engineErrors = errorTable('workflow engine', {
  notFound: {
    code: 'ERR_INSTANCE_ID_NOT_FOUND',
    kind: 'not-found',
    make: (instanceId: string) => ({ message: `unable to find workflow with the provided instance ID: ${instanceId}` }),
  },
  alreadyExists: {
    code: 'ERR_WORKFLOW_ALREADY_EXISTS',
    kind: 'already-exists',
    make: (instanceId: string, status: string) => ({ message: `a workflow with ID '${instanceId}' already exists (${status}), and this start does not replace it` }),
  },
  notEnded: {
    code: 'ERR_WORKFLOW_NOT_ENDED',
    kind: 'precondition',
    make: (instanceId: string, status: string) => ({ message: `workflow '${instanceId}' or a child of it has not ended (${status}); terminate it first, or purge by force` }),
  },
  invalidInstanceId: {
    code: 'ERR_WORKFLOW_INSTANCE_ID_INVALID',
    kind: 'invalid',
    make: (why: string) => ({ message: `the workflow's instance ID cannot be used: ${why}` }),
  },
  payloadTooLarge: {
    code: 'ERR_WORKFLOW_PAYLOAD_TOO_LARGE',
    kind: 'invalid',
    make: (what: string, bytes: number, bytesMax: number) => ({ message: `${what} has ${bytes} bytes, and the limit is ${bytesMax}` }),
  },
  rerunNotEnded: {
    code: 'ERR_WORKFLOW_RERUN_NOT_ENDED',
    kind: 'invalid',
    make: (instanceId: string) => ({ message: `'${instanceId}' is not in a terminal state` }),
  },
  rerunChild: {
    code: 'ERR_WORKFLOW_RERUN_CHILD',
    kind: 'invalid',
    make: (instanceId: string) => ({ message: `'${instanceId}': cannot rerun from child-workflows` }),
  },
  rerunTarget: {
    code: 'ERR_WORKFLOW_RERUN_TARGET',
    kind: 'not-found',
    make: (instanceId: string, eventId: number, why: string) => ({ message: `'${instanceId}' cannot be rerun from event ${eventId}: ${why}` }),
  },
  activityGone: {
    code: 'ERR_WORKFLOW_ACTIVITY_GONE',
    kind: 'not-found',
    make: () => ({ message: 'no activity waits for this token: it was completed, timed out or cancelled, or its workflow has ended' }),
  },
  invalidToken: {
    code: 'ERR_WORKFLOW_ACTIVITY_TOKEN_INVALID',
    kind: 'invalid',
    make: () => ({ message: 'this is no token of an activity' }),
  },
});
