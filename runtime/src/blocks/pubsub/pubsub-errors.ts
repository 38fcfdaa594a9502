/** The errors of publishing (http-api.md 6.4, grpc-api.md 4.4): one value serves both protocols. */
import { errorTable, type ErrorDetail } from '../../errors.ts';

type Words = Readonly<Record<string, string>>;

function resource(pubsub: string, description: string): ErrorDetail {
  return { type: 'ResourceInfo', resourceType: 'pubsub', resourceName: pubsub, description };
}

function info(reason: string, metadata: Words): ErrorDetail {
  return { type: 'ErrorInfo', reason: `DAPR_PUBSUB_${reason}`, metadata };
}

/** Message and the two details that most of these errors carry. */
function rich(pubsub: string, message: string, reason: string, metadata: Words, cause?: unknown) {
  return { message, details: [resource(pubsub, message), info(reason, metadata)], ...(cause === undefined ? {} : { cause }) };
}

const INVALID_ARGUMENT = 3;

export const errors = errorTable('pubsub', {
  nameEmpty: {
    code: 'ERR_PUBSUB_EMPTY',
    kind: 'not-found',
    grpcCode: INVALID_ARGUMENT,
    make: (metadata: Words) => rich('', 'pubsub name is empty', 'NAME_EMPTY', metadata),
  },
  notFound: {
    code: 'ERR_PUBSUB_NOT_FOUND',
    kind: 'not-found',
    grpcCode: INVALID_ARGUMENT,
    make: (pubsub: string, metadata: Words) => ({ message: `pubsub ${pubsub} is not found`, details: [info('NOT_FOUND', metadata)] }),
  },
  topicEmpty: {
    code: 'ERR_TOPIC_NAME_EMPTY',
    kind: 'not-found',
    grpcCode: INVALID_ARGUMENT,
    make: (pubsub: string, metadata: Words) => rich(pubsub, `topic is empty in pubsub ${pubsub}`, 'TOPIC_NAME_EMPTY', metadata),
  },
  badMetadata: {
    code: 'ERR_PUBSUB_REQUEST_METADATA',
    kind: 'invalid',
    make: (pubsub: string, value: string, metadata: Words) =>
      rich(
        pubsub,
        `failed deserializing metadata. Error: rawPayload value must be a valid boolean: actual is '${value}'`,
        'METADATA_DESERIALIZATION',
        metadata,
      ),
  },
  badCloudEvent: {
    code: 'ERR_PUBSUB_CLOUD_EVENTS_SER',
    kind: 'invalid',
    httpStatus: 500,
    make: (pubsub: string, appId: string, text: string, cause?: unknown) =>
      rich(pubsub, 'cannot create cloudevent', 'CLOUD_EVENT_CREATION', { appID: appId, error: text }, cause),
  },
  badBulkEvent: {
    code: 'ERR_PUBSUB_EVENTS_SER',
    kind: 'invalid',
    make: (pubsub: string, topic: string, appId: string, text: string, cause?: unknown) =>
      rich(
        pubsub,
        `error when marshalling cloud event envelope for topic ${topic} pubsub ${pubsub}: ${text}`,
        'MARSHAL_ENVELOPE',
        { appID: appId, error: text },
        cause,
      ),
  },
  badBulkBody: {
    code: 'ERR_PUBSUB_EVENTS_SER',
    kind: 'invalid',
    make: (pubsub: string, topic: string, appId: string, text: string, cause?: unknown) =>
      rich(pubsub, `error when unmarshaling the request for topic ${topic} pubsub ${pubsub}: ${text}`, 'UNMARSHAL_EVENTS', { appID: appId }, cause),
  },
  badEntryId: {
    code: 'ERR_PUBSUB_EVENTS_SER',
    kind: 'invalid',
    make: (pubsub: string, topic: string, appId: string) => {
      const text = 'entryId is duplicated or not present for entry';
      const message = `error marshaling events to bytes for topic ${topic} pubsub ${pubsub}. error: ${text}`;
      return rich(pubsub, message, 'MARSHAL_EVENTS', { appID: appId, error: text });
    },
  },
  forbidden: {
    code: 'ERR_PUBSUB_FORBIDDEN',
    kind: 'denied',
    make: (pubsub: string, topic: string, appId: string) => {
      const message = `topic ${topic} is not allowed for app id ${appId}`;
      return rich(pubsub, message, 'FORBIDDEN', { topic, error: message });
    },
  },
  publishFailed: {
    code: 'ERR_PUBSUB_PUBLISH_MESSAGE',
    kind: 'internal',
    make: (pubsub: string, topic: string, text: string, cause?: unknown) =>
      rich(pubsub, `error when publishing to topic ${topic} in pubsub ${pubsub}: ${text}`, 'PUBLISH_MESSAGE', { topic, error: text }, cause),
  },
});
