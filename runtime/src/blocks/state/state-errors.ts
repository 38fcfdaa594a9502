/** The state block's errors (http-api.md 5, grpc-api.md 4.4): codes and statuses are the contract's. */
import { errorTable, type ErrorDetail } from '../../errors.ts';

const SUPPORTED_STORES = 'https://docs.dapr.io/reference/components-reference/supported-state-stores/';

function resource(store: string, description = ''): ErrorDetail {
  return { type: 'ResourceInfo', resourceType: 'state', resourceName: store, description };
}
function info(reason: string, metadata: Readonly<Record<string, string>> | null = null): ErrorDetail {
  return { type: 'ErrorInfo', reason, metadata };
}
/** Plain over HTTP, but gRPC adds an ErrorInfo whose reason is the code itself. */
function legacy(code: string, message: string, cause?: unknown) {
  return { message, grpcDetails: [info(code)], ...(cause === undefined ? {} : { cause }) };
}

export const errors = errorTable('state', {
  notConfigured: {
    code: 'ERR_STATE_STORE_NOT_CONFIGURED',
    kind: 'precondition',
    httpStatus: 500,
    make: (store: string, appId: string) => ({
      message: `state store ${store} is not configured`,
      details: [info('DAPR_STATE_NOT_CONFIGURED', { appID: appId })],
    }),
  },
  notFound: {
    code: 'ERR_STATE_STORE_NOT_FOUND',
    kind: 'invalid',
    make: (store: string, appId: string) => ({
      message: `state store ${store} is not found`,
      details: [info('DAPR_STATE_NOT_FOUND', { appID: appId })],
    }),
  },
  /** Over HTTP the message is the inner error in its text form. */
  illegalKey: {
    code: 'ERR_MALFORMED_REQUEST',
    kind: 'invalid',
    make: (store: string, key: string) => {
      const text = `input key/keyPrefix '${key}' can't contain '||'`;
      return {
        message: `api error: code = InvalidArgument desc = ${text}`,
        grpcMessage: text,
        details: [
          { type: 'BadRequest', violations: [{ field: key, description: text }] },
          resource(store),
          info('DAPR_STATE_ILLEGAL_KEY'),
        ],
      };
    },
  },
  malformed: {
    code: 'ERR_MALFORMED_REQUEST',
    kind: 'invalid',
    make: (message: string) => ({ message }),
  },
  keyEmpty: {
    code: 'ERR_MALFORMED_REQUEST',
    kind: 'invalid',
    make: () => ({ message: '"key" is a required field', grpcMessage: 'state key cannot be empty', grpcDetails: [info('ERR_STATE_SAVE')] }),
  },
  get: {
    code: 'ERR_STATE_GET',
    kind: 'internal',
    make: (store: string, key: string, text: string, cause?: unknown) => legacy('ERR_STATE_GET', `fail to get ${key} from state store ${store}: ${text}`, cause),
  },
  bulkGet: {
    code: 'ERR_STATE_BULK_GET',
    kind: 'internal',
    make: (text: string, cause?: unknown) => legacy('ERR_STATE_BULK_GET', text, cause),
  },
  save: {
    code: 'ERR_STATE_SAVE',
    kind: 'internal',
    make: (store: string, text: string, cause?: unknown) => legacy('ERR_STATE_SAVE', `failed saving state in state store ${store}: ${text}`, cause),
  },
  saveMismatch: {
    code: 'ERR_STATE_SAVE',
    kind: 'conflict',
    make: (store: string, text: string, cause?: unknown) => legacy('ERR_STATE_SAVE', `failed saving state in state store ${store}: ${text}`, cause),
  },
  saveInvalid: {
    code: 'ERR_STATE_SAVE',
    kind: 'invalid',
    make: (store: string, text: string, cause?: unknown) => legacy('ERR_STATE_SAVE', `failed saving state in state store ${store}: ${text}`, cause),
  },
  delete: {
    code: 'ERR_STATE_DELETE',
    kind: 'internal',
    make: (key: string, text: string, cause?: unknown) => legacy('ERR_STATE_DELETE', `failed deleting state with key ${key}: ${text}`, cause),
  },
  deleteMismatch: {
    code: 'ERR_STATE_DELETE',
    kind: 'conflict',
    make: (key: string, text: string, cause?: unknown) => legacy('ERR_STATE_DELETE', `failed deleting state with key ${key}: ${text}`, cause),
  },
  deleteInvalid: {
    code: 'ERR_STATE_DELETE',
    kind: 'invalid',
    make: (key: string, text: string, cause?: unknown) => legacy('ERR_STATE_DELETE', `failed deleting state with key ${key}: ${text}`, cause),
  },
  bulkDelete: {
    code: 'ERR_STATE_BULK_DELETE',
    kind: 'internal',
    make: (store: string, text: string, cause?: unknown) => legacy('ERR_STATE_BULK_DELETE', `failed deleting state in state store ${store}: ${text}`, cause),
  },
  bulkDeleteMismatch: {
    code: 'ERR_STATE_BULK_DELETE',
    kind: 'conflict',
    make: (store: string, text: string, cause?: unknown) => legacy('ERR_STATE_BULK_DELETE', `failed deleting state in state store ${store}: ${text}`, cause),
  },
  bulkDeleteInvalid: {
    code: 'ERR_STATE_BULK_DELETE',
    kind: 'invalid',
    make: (store: string, text: string, cause?: unknown) => legacy('ERR_STATE_BULK_DELETE', `failed deleting state in state store ${store}: ${text}`, cause),
  },
  transactionsUnsupported: {
    code: 'ERR_STATE_STORE_NOT_SUPPORTED',
    kind: 'unimplemented',
    httpStatus: 500,
    make: (store: string) => {
      const message = `state store ${store} doesn't support transactions`;
      return {
        message,
        details: [
          { type: 'Help', links: [{ url: SUPPORTED_STORES, description: 'Check the list of state stores and the features they support' }] },
          resource(store, message),
          info('DAPR_STATE_TRANSACTIONS_NOT_SUPPORTED'),
        ],
      };
    },
  },
  tooManyOperations: {
    code: 'ERR_STATE_STORE_TOO_MANY_TRANSACTIONS',
    kind: 'invalid',
    make: (store: string, given: number, most: number) => {
      const message = `the transaction contains ${given} operations, which is more than what the state store supports: ${most}`;
      return {
        message,
        details: [
          resource(store, message),
          info('DAPR_STATE_TOO_MANY_TRANSACTIONS', { currentOpsTransaction: String(given), maxOpsPerTransaction: String(most) }),
        ],
      };
    },
  },
  unknownOperation: {
    code: 'ERR_NOT_SUPPORTED_STATE_OPERATION',
    kind: 'unimplemented',
    httpStatus: 400,
    make: (operation: string) => legacy('ERR_NOT_SUPPORTED_STATE_OPERATION', `operation type ${operation} not supported`),
  },
  transaction: {
    code: 'ERR_STATE_TRANSACTION',
    kind: 'internal',
    make: (text: string, cause?: unknown) => legacy('ERR_STATE_TRANSACTION', `error while executing state transaction: ${text}`, cause),
  },
  outbox: {
    code: 'ERR_PUBLISH_OUTBOX',
    kind: 'internal',
    make: (appId: string, text: string) => ({
      message: `error while publishing outbox message: ${text}`,
      details: [info('DAPR_PUBSUB_OUTBOX', { appID: appId, error: text })],
    }),
  },
});
