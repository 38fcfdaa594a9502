/** The workflow block's errors (http-api.md 15, grpc-api.md 4.4, workflow-protocol.md 4): codes, statuses and words are the contract's. */
import { errorTable } from '../../errors.ts';

const INSTANCE_ID_MAX = 64;

export const errors = errorTable('workflow', {
  nameMissing: { code: 'ERR_WORKFLOW_NAME_MISSING', kind: 'invalid', make: () => ({ message: 'workflow name is not configured' }) },
  instanceIdMissing: { code: 'ERR_INSTANCE_ID_PROVIDED_MISSING', kind: 'invalid', make: () => ({ message: 'no instance ID was provided' }) },
  instanceIdTooLong: { code: 'ERR_INSTANCE_ID_TOO_LONG', kind: 'invalid', make: () => ({ message: `workflow instance ID exceeds the max length of ${INSTANCE_ID_MAX} characters` }) },
  instanceIdInvalid: {
    code: 'ERR_INSTANCE_ID_INVALID',
    kind: 'invalid',
    make: (instanceId: string) => ({ message: `workflow instance ID '${instanceId}' is invalid: only alphanumeric and underscore characters are allowed` }),
  },
  eventNameMissing: { code: 'ERR_WORKFLOW_EVENT_NAME_MISSING', kind: 'invalid', make: () => ({ message: 'missing workflow event name' }) },
  appIdInvalid: {
    code: 'ERR_WORKFLOW_APP_ID_INVALID',
    kind: 'invalid',
    make: (appId: string) => ({ message: `workflow app ID '${appId}' is invalid: only alphanumeric, dash and underscore characters are allowed` }),
  },
  bodyRead: { code: 'ERR_BODY_READ', kind: 'invalid', make: (text: string) => ({ message: `failed to read request body: ${text}` }) },
  notFound: { code: 'ERR_INSTANCE_ID_NOT_FOUND', kind: 'not-found', make: (instanceId: string) => ({ message: `unable to find workflow with the provided instance ID: ${instanceId}` }) },
  start: { code: 'ERR_START_WORKFLOW', kind: 'internal', make: (name: string, text: string, cause?: unknown) => ({ message: `error starting workflow '${name}': ${text}`, cause }) },
  terminate: { code: 'ERR_TERMINATE_WORKFLOW', kind: 'internal', make: (id: string, text: string, cause?: unknown) => ({ message: `error terminating workflow '${id}': failed to terminate workflow ${id}: ${text}`, cause }) },
  raiseEvent: {
    code: 'ERR_RAISE_EVENT_WORKFLOW',
    kind: 'internal',
    make: (id: string, event: string, text: string, cause?: unknown) => ({ message: `error raising event on workflow '${id}': failed to raise event ${event} on workflow ${id}: ${text}`, cause }),
  },
  pause: { code: 'ERR_PAUSE_WORKFLOW', kind: 'internal', make: (id: string, text: string, cause?: unknown) => ({ message: `error pausing workflow ${id}: failed to pause workflow ${id}: ${text}`, cause }) },
  resume: { code: 'ERR_RESUME_WORKFLOW', kind: 'internal', make: (id: string, text: string, cause?: unknown) => ({ message: `error resuming workflow ${id}: failed to resume workflow ${id}: ${text}`, cause }) },
  purge: { code: 'ERR_PURGE_WORKFLOW', kind: 'internal', make: (id: string, text: string, cause?: unknown) => ({ message: `error purging workflow ${id}: failed to Purge workflow ${id}: ${text}`, cause }) },
  /** What workers' clients are told. */
  exists: {
    code: 'ERR_WORKFLOW_EXISTS',
    kind: 'already-exists',
    make: (id: string, unique: boolean, cause?: unknown) => ({
      message: `failed to create workflow instance: ${unique ? `a workflow with ID '${id}' already exists and the create enforces instance ID uniqueness` : `an active workflow with ID '${id}' already exists`}`,
      cause,
    }),
  },
  noSuchInstance: { code: 'ERR_WORKFLOW_NO_SUCH_INSTANCE', kind: 'unknown', make: (what: string, cause?: unknown) => ({ message: `failed to ${what}: no such instance exists`, cause }) },
  notCompleted: { code: 'ERR_WORKFLOW_NOT_COMPLETED', kind: 'unknown', make: (cause?: unknown) => ({ message: 'failed to purge workflow state: orchestration has not yet completed', cause }) },
  historyNotFound: { code: 'ERR_WORKFLOW_HISTORY_NOT_FOUND', kind: 'not-found', make: (id: string, cause?: unknown) => ({ message: `workflow instance '${id}' not found`, cause }) },
  rerunSourceMissing: { code: 'ERR_WORKFLOW_RERUN_SOURCE_MISSING', kind: 'invalid', make: () => ({ message: 'rerun workflow source instance ID is required' }) },
  requestInvalid: { code: 'ERR_WORKFLOW_REQUEST_INVALID', kind: 'invalid', make: (why: string) => ({ message: why }) },
  callerGone: { code: 'ERR_WORKFLOW_CALLER_GONE', kind: 'cancelled', make: () => ({ message: 'the caller does not wait any more' }) },
});

/** Letters and digits of any script, dash and underscore. */
export function checkNewInstanceId(instanceId: string): void {
  if (Buffer.byteLength(instanceId) > INSTANCE_ID_MAX) throw errors.instanceIdTooLong();
  if (!/^[\p{L}\p{Nd}_-]*$/u.test(instanceId)) throw errors.instanceIdInvalid(instanceId);
}
