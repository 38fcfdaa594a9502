/** The jobs block's errors (http-api.md 14, grpc-api.md 4.4): codes, statuses and words are the contract's. */
import { errorTable, type ErrorDetail } from '../../errors.ts';

/** Whose jobs they are. */
export interface JobOwner {
  readonly appId: string;
  readonly namespace: string;
}

function info(reason: string, { appId, namespace }: JobOwner): readonly ErrorDetail[] {
  return [{ type: 'ErrorInfo', reason, metadata: { appID: appId, namespace } }];
}
const SCHEDULE = 'DAPR_SCHEDULER_SCHEDULE_JOB';
const scheduling = (owner: JobOwner, text: string, cause?: unknown) => ({ message: `failed to schedule job due to: ${text}`, details: info(SCHEDULE, owner), cause });

export const errors = errorTable('jobs', {
  malformed: { code: 'ERR_MALFORMED_REQUEST', kind: 'invalid', make: (text: string) => ({ message: `failed deserializing HTTP body: ${text}` }) },
  bodyRead: { code: 'ERR_BODY_READ', kind: 'invalid', make: (text: string) => ({ message: `failed to read request body: ${text}` }) },
  nameInBody: {
    code: 'DAPR_SCHEDULER_JOB_NAME',
    kind: 'invalid',
    make: (appId: string) => ({ message: 'Set the job name in the url only', details: [{ type: 'ErrorInfo', reason: 'DAPR_SCHEDULER_JOB_NAME', metadata: { appID: appId } }] }),
  },
  empty: { code: 'DAPR_SCHEDULER_EMPTY', kind: 'invalid', make: (owner: JobOwner) => ({ message: 'Job is empty', details: info('DAPR_SCHEDULER_EMPTY', owner) }) },
  nameEmpty: { code: 'DAPR_SCHEDULER_JOB_NAME_EMPTY', kind: 'invalid', make: (owner: JobOwner) => ({ message: 'Name is empty', details: info('DAPR_SCHEDULER_JOB_NAME_EMPTY', owner) }) },
  scheduleEmpty: { code: 'DAPR_SCHEDULER_SCHEDULE_EMPTY', kind: 'invalid', make: (owner: JobOwner) => ({ message: 'Schedule is empty', details: info('DAPR_SCHEDULER_SCHEDULE_EMPTY', owner) }) },
  exists: {
    code: SCHEDULE,
    kind: 'already-exists',
    make: (owner: JobOwner, name: string, cause: unknown) => scheduling(owner, `rpc error: code = AlreadyExists desc = job already exists: '${name}'`, cause),
  },
  unusable: { code: SCHEDULE, kind: 'invalid', make: (owner: JobOwner, text: string, cause?: unknown) => scheduling(owner, text, cause) },
  notScheduled: { code: SCHEDULE, kind: 'internal', make: (owner: JobOwner, text: string, cause: unknown) => scheduling(owner, text, cause) },
  /** A job that is not there is an internal error by the contract; the words tell. */
  notFound: {
    code: 'DAPR_SCHEDULER_GET_JOB',
    kind: 'internal',
    make: (owner: JobOwner, name: string) => ({ message: `failed to get job due to: rpc error: code = NotFound desc = job not found: ${name}`, details: info('DAPR_SCHEDULER_GET_JOB', owner) }),
  },
  notRead: { code: 'DAPR_SCHEDULER_GET_JOB', kind: 'internal', make: (owner: JobOwner, text: string, cause: unknown) => ({ message: `failed to get job due to: ${text}`, details: info('DAPR_SCHEDULER_GET_JOB', owner), cause }) },
  notListed: { code: 'DAPR_SCHEDULER_LIST_JOBS', kind: 'internal', make: (owner: JobOwner, text: string, cause?: unknown) => ({ message: `failed to list jobs due to: ${text}`, details: info('DAPR_SCHEDULER_LIST_JOBS', owner), cause }) },
  notDeleted: { code: 'DAPR_SCHEDULER_DELETE_JOB', kind: 'internal', make: (owner: JobOwner, text: string, cause: unknown) => ({ message: `failed to delete job due to: ${text}`, details: info('DAPR_SCHEDULER_DELETE_JOB', owner), cause }) },
  /** Of Mecha's own routes. */
  prefixMissing: { code: 'ERR_JOB_PREFIX_MISSING', kind: 'invalid', make: () => ({ message: 'which jobs are to be deleted? prefix=TEXT says how their names begin, and prefix= means all' }) },
  requestInvalid: { code: 'ERR_JOB_REQUEST_INVALID', kind: 'invalid', make: (why: string) => ({ message: why }) },
  noSuchJob: { code: 'ERR_JOB_NOT_FOUND', kind: 'not-found', make: (name: string) => ({ message: `there is no job ${JSON.stringify(name)}` }) },
});
