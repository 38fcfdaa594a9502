/** The HTTP face of publishing (http-api.md 6): decode, pipeline, encode. */
import { mediaType, OCTET_STREAM } from '../../cloud-event/cloud-event.ts';
import { messageOf, type MechaError } from '../../errors.ts';
import { BadJson, asArray, asObject, member, parseJson, stringMapMember, stringMember } from '../../json/lenient-json.ts';
import type { Pipeline } from '../../pipeline.ts';
import { BodyTooLarge, type HttpReply, type HttpRequest, type HttpRoute } from '../../servers/http-face.ts';
import { membersOf } from '../../json/json-members.ts';
import { errors } from './pubsub-errors.ts';
import type { BulkPublishEntry, FailedEntry, PubSubBlock } from './pubsub.ts';

const METHODS = ['POST', 'PUT'];
const NO_CONTENT: HttpReply = { status: 204 };
/** The list of failed entries goes into a header too, as long as clients will take it there. */
const HEADER_BYTES_MAX = 4096;

export function pubsubHttp(pubsub: PubSubBlock, pipeline: Pipeline): HttpRoute[] {
  return [
    { methods: METHODS, versions: ['v1.0'], path: '/publish/:pubsub/*', group: 'publish', handle: publish },
    { methods: METHODS, versions: ['v1.0', 'v1.0-alpha1'], path: '/publish/bulk/:pubsub/*', group: 'publish', handle: publishBulk },
  ];

  async function publish(request: HttpRequest): Promise<HttpReply> {
    const call = request.call('pubsub.publish');
    await pipeline.run(call, async () => {
      const target = targetOf(request);
      pubsub.checkTarget(target);
      const data = await bodyOf(request, (text, cause) => errors.publishFailed(target.pubsubName, target.topic, text, cause));
      await pubsub.publish(call, { ...target, data, contentType: request.headers['content-type'] ?? '' });
    });
    return NO_CONTENT;
  }

  async function publishBulk(request: HttpRequest): Promise<HttpReply> {
    const call = request.call('pubsub.publishBulk');
    const failed = await pipeline.run(call, async () => {
      const target = targetOf(request);
      pubsub.checkTarget(target);
      const { pubsubName, topic } = target;
      const refuse = (text: string, cause?: unknown): MechaError => errors.badBulkBody(pubsubName, topic, pubsub.appId, text, cause);
      const entries = readEntries(await bodyOf(request, refuse), refuse, (text) => errors.badBulkEvent(pubsubName, topic, pubsub.appId, text));
      return pubsub.publishBulk(call, { ...target, entries });
    });
    return failed.length === 0 ? NO_CONTENT : partialFailure(failed);
  }
}

function targetOf(request: HttpRequest) {
  return { pubsubName: request.params['pubsub'] ?? '', topic: request.params['*'] ?? '', metadata: request.metadata };
}

async function bodyOf(request: HttpRequest, tooLarge: (text: string, cause: unknown) => MechaError): Promise<Buffer> {
  try {
    return await request.body();
  } catch (error) {
    throw error instanceof BodyTooLarge ? tooLarge(error.message, error) : error;
  }
}

/** Events keep the text they were written in, so that no number of theirs loses digits. */
function readEntries(body: Buffer, refuse: (text: string, cause?: unknown) => MechaError, refuseEvent: (text: string) => MechaError): BulkPublishEntry[] {
  try {
    const items = asArray(parseJson(body), 'the body');
    const texts = membersOf(body.toString('utf8'));
    return items.map((item, index) => {
      const fields = asObject(item, `entry ${index}`);
      const contentType = stringMember(fields, 'contentType') ?? '';
      return {
        entryId: stringMember(fields, 'entryId') ?? '',
        contentType,
        metadata: stringMapMember(fields, 'metadata') ?? {},
        data: eventBytes(member(fields, 'event') ?? null, texts[index]?.text ?? '', contentType, refuseEvent),
      };
    });
  } catch (error) {
    throw error instanceof BadJson ? refuse(messageOf(error), error) : error;
  }
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

function eventBytes(event: unknown, entryText: string, contentType: string, refuse: (text: string) => MechaError): Uint8Array {
  const type = mediaType(contentType).trim();
  if (type === 'application/json' || type.endsWith('+json')) return Buffer.from(eventTextOf(entryText));
  if (type === OCTET_STREAM) {
    if (typeof event === 'string' && BASE64.test(event)) return Buffer.from(event, 'base64');
    throw refuse(`an event of content type ${contentType} must be a base64 string`);
  }
  if (type.startsWith('text/') || type === 'application/xml') {
    if (typeof event === 'string') return Buffer.from(event);
    throw refuse(`an event of content type ${contentType} must be a string`);
  }
  throw refuse(contentType === '' ? 'contentType is missing' : `content type ${contentType} is not supported`);
}

/** The `event` member as written; found as `member` finds it: the exact name, else the last in any case. */
function eventTextOf(entryText: string): string {
  const named = membersOf(entryText).filter(({ name }) => name.toLowerCase() === 'event');
  return (named.findLast(({ name }) => name === 'event') ?? named.at(-1))?.text ?? 'null';
}

function partialFailure(failed: readonly FailedEntry[]): HttpReply {
  const body = JSON.stringify({ failedEntries: failed, errorCode: 'ERR_PUBSUB_PUBLISH_MESSAGE' });
  const headers = { 'metadata.responseData': body, 'metadata.error': failed[0]?.error ?? '' };
  return { status: 500, body, ...(isHeaderText(body + headers['metadata.error']) ? { headers } : {}) };
}

function isHeaderText(text: string): boolean {
  return text.length <= HEADER_BYTES_MAX && /^[\u0020-\u007e]*$/.test(text);
}
