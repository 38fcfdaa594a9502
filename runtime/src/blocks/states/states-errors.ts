/** The errors of the Step Functions API: codes, words and statuses as the service gives them (`__type`, `message`, 400). */
import { errorTable } from '../../errors.ts';

const httpStatus = 400;

export const errors = errorTable('states', {
  unknownOperation: { code: 'UnknownOperationException', kind: 'unimplemented', httpStatus, make: (operation: string) => ({ message: `The operation ${operation} is not served here` }) },
  serialization: { code: 'SerializationException', kind: 'invalid', httpStatus, make: (why: string) => ({ message: `The request body cannot be read: ${why}` }) },
  notAuthorized: { code: 'UnrecognizedClientException', kind: 'unauthenticated', httpStatus, make: () => ({ message: 'The security token included in the request is invalid: the access key id, or the header dapr-api-token, must be the API token of the sidecar' }) },
  validation: { code: 'ValidationException', kind: 'invalid', httpStatus, make: (message: string) => ({ message }) },
  missingParameter: { code: 'MissingRequiredParameter', kind: 'invalid', httpStatus, make: (message: string) => ({ message }) },
  invalidArn: { code: 'InvalidArn', kind: 'invalid', httpStatus, make: (why: string) => ({ message: `Invalid Arn: '${why}'` }) },
  invalidName: { code: 'InvalidName', kind: 'invalid', httpStatus, make: (name: string) => ({ message: `Invalid Name: '${name}'` }) },
  invalidDefinition: { code: 'InvalidDefinition', kind: 'invalid', httpStatus, make: (faults: string) => ({ message: `Invalid State Machine Definition: '${faults}'` }) },
  invalidInput: { code: 'InvalidExecutionInput', kind: 'invalid', httpStatus, make: (why: string) => ({ message: `Invalid State Machine Execution Input: '${why}'` }) },
  invalidOutput: { code: 'InvalidOutput', kind: 'invalid', httpStatus, make: (why: string) => ({ message: `Invalid Output: '${why}'` }) },
  invalidToken: { code: 'InvalidToken', kind: 'invalid', httpStatus, make: () => ({ message: "Invalid Token: 'Invalid token'" }) },
  taskDoesNotExist: { code: 'TaskDoesNotExist', kind: 'not-found', httpStatus, make: () => ({ message: "Task does not exist: 'its execution is not here'" }) },
  taskTimedOut: { code: 'TaskTimedOut', kind: 'not-found', httpStatus, make: () => ({ message: "Task Timed Out: 'Provided task does not exist anymore'" }) },
  machineDoesNotExist: { code: 'StateMachineDoesNotExist', kind: 'not-found', httpStatus, make: (arn: string) => ({ message: `State Machine Does Not Exist: '${arn}'` }) },
  machineAlreadyExists: { code: 'StateMachineAlreadyExists', kind: 'already-exists', httpStatus, make: (arn: string) => ({ message: `State Machine Already Exists: '${arn}'` }) },
  conflict: { code: 'ConflictException', kind: 'precondition', httpStatus, make: (message: string) => ({ message }) },
  resourceNotFound: { code: 'ResourceNotFound', kind: 'not-found', httpStatus, make: () => ({ message: 'Request references a resource that does not exist.' }) },
  quotaExceeded: { code: 'ServiceQuotaExceededException', kind: 'precondition', httpStatus, make: (what: string) => ({ message: `No more than the allowed number of ${what}` }) },
  tooManyTags: { code: 'TooManyTags', kind: 'invalid', httpStatus, make: (most: number) => ({ message: `A resource has at most ${most} tags` }) },
  notRedrivable: { code: 'ExecutionNotRedrivable', kind: 'precondition', httpStatus, make: (reason: string) => ({ message: reason }) },
  machineDeclared: { code: 'ConflictException', kind: 'precondition', httpStatus, make: (name: string) => ({ message: `The state machine '${name}' is declared by a resource of kind Workflow and is changed there` }) },
  typeNotSupported: { code: 'StateMachineTypeNotSupported', kind: 'precondition', httpStatus, make: () => ({ message: 'This operation is not supported by this type of state machine' }) },
  executionDoesNotExist: { code: 'ExecutionDoesNotExist', kind: 'not-found', httpStatus, make: (arn: string) => ({ message: `Execution Does Not Exist: '${arn}'` }) },
  executionAlreadyExists: { code: 'ExecutionAlreadyExists', kind: 'already-exists', httpStatus, make: (arn: string) => ({ message: `Execution Already Exists: '${arn}'` }) },
  sagaNotFound: { code: 'ERR_COMPENSATION_EXECUTION_NOT_FOUND', kind: 'not-found', make: (execution: string) => ({ message: `there is no execution '${execution}' of a state machine` }) },
  stepNotFound: { code: 'ERR_COMPENSATION_STEP_NOT_FOUND', kind: 'not-found', make: (execution: string, step: string) => ({ message: `the execution '${execution}' has recorded no step ${step}` }) },
  wordInvalid: { code: 'ERR_COMPENSATION_REQUEST', kind: 'invalid', make: (why: string) => ({ message: `the request cannot be read: ${why}` }) },
  argumentsMissing: {
    code: 'ERR_COMPENSATION_ARGUMENTS', kind: 'precondition',
    make: (execution: string, step: number) => ({ message: `the arguments of step ${step} of '${execution}' could not be made when it completed: retry it with arguments, or skip it` }),
  },
  activityDoesNotExist: { code: 'ActivityDoesNotExist', kind: 'not-found', httpStatus, make: (arn: string) => ({ message: `Activity Does Not Exist: '${arn}'` }) },
});
