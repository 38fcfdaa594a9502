/**
 * The HTTP face of dead letters, `/v1.0-mecha/dead-letters`. Ids and cursors are opaque to callers: the ledger's, in letters that URLs leave alone.
 */
import { isUtf8 } from 'node:buffer';
import type { DeadLetter, DeadLetterRow } from '@mecha/components/kit';
import { present } from '../../json/present.ts';
import type { Pipeline } from '../../pipeline.ts';
import type { HttpReply, HttpRequest, HttpRoute } from '../../servers/http-face.ts';
import { instantOf, limitOf } from '../../servers/query-face.ts';
import { errors } from './dead-letters-errors.ts';
import { messageIdOf, sourceOf, type LetterFilter, type LetterPlace } from './letter-query.ts';
import type { DeadLettersBlock, Replay } from './dead-letters.ts';

const LIMIT = { most: 1000, byDefault: 100 };
const KINDS = ['topic', 'binding'] as const;
const FILTERS = ['kind', 'component', 'topic', 'binding', 'reason', 'since', 'until'];
const OTHERS = ['limit', 'cursor', 'all'];

export function deadLettersHttp(load: () => Promise<DeadLettersBlock>, pipeline: Pipeline): HttpRoute[] {
  const route = (method: string, path: string, operation: string, handle: (request: HttpRequest, block: DeadLettersBlock) => Promise<object | undefined>): HttpRoute => ({
    methods: [method], versions: ['v1.0-mecha'], path: `/dead-letters${path}`, group: 'dead-letters',
    handle: async (request): Promise<HttpReply> => {
      const body = await pipeline.run(request.call(`deadLetters.${operation}`), async () => handle(request, await load()));
      return body === undefined ? { status: 204 } : { status: 200, body: JSON.stringify(body) };
    },
  });
  return [
    route('GET', '', 'list', async ({ query }, block) => {
      const { letters, next } = await block.list({ filter: filterOf(query), limit: limitOf(query, LIMIT, errors.requestInvalid), ...present({ before: placeOf(query) }) });
      return { deadLetters: letters.map(summary), ...cursorOf(next) };
    }),
    route('GET', '/:id', 'get', async (request, block) => details(await block.get(idOf(request)))),
    route('POST', '/:id/replay', 'replay', async (request, block) => block.replay(idOf(request)).then(() => undefined)),
    route('POST', '/replay', 'replayMany', async ({ query }, block) => {
      const { replayed, left, next } = await block.replayMany({ filter: filterOf(query), limit: limitOf(query, LIMIT, errors.requestInvalid), ...present({ after: placeOf(query) }) });
      return { replayed, left: left.map(({ id, replay }) => ({ id: shown(id), ...replay } satisfies { id: string } & Replay)), ...cursorOf(next) };
    }),
    route('DELETE', '/:id', 'drop', async (request, block) => block.drop(idOf(request)).then(() => undefined)),
    route('DELETE', '', 'dropMany', async ({ query }, block) => {
      if (query.get('all') !== 'true' && !FILTERS.some((name) => query.has(name))) throw errors.requestInvalid(`all dead letters are dropped with all=true; else give one of ${FILTERS.join(', ')}`);
      const { next, ...counts } = await block.dropMany({ filter: filterOf(query), limit: limitOf(query, LIMIT, errors.requestInvalid), ...present({ after: placeOf(query) }) });
      return { ...counts, ...cursorOf(next) };
    }),
  ];
}

function summary(row: DeadLetterRow): object {
  const { id, deadLetterTopic, group, reason, attempts, traceparent, contentType, bytes, at, resentAt } = row;
  const { kind, component, topic } = sourceOf(row);
  return {
    id: shown(id), kind, component, ...(kind === 'topic' ? { topic, deadLetterTopic } : {}), group, messageID: messageIdOf(row), reason, attempts, bytes,
    deadAt: new Date(at).toISOString(), ...present({ resentAt: resentAt === undefined ? undefined : new Date(resentAt).toISOString(), traceparent, contentType }),
  };
}

/** Data is text where it is UTF-8, else base64. */
function details({ data, ...letter }: DeadLetter): object {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return { ...summary({ ...letter, bytes: bytes.length }), metadata: letter.metadata, ...(isUtf8(bytes) ? { data: bytes.toString('utf8') } : { dataBase64: bytes.toString('base64') }) };
}

const shown = (id: string): string => Buffer.from(id).toString('base64url');
const OPAQUE = /^[\w-]{1,8192}$/;

function idOf({ params }: HttpRequest): string {
  const given = params['id'] ?? '';
  const id = OPAQUE.test(given) ? Buffer.from(given, 'base64url').toString('utf8') : '';
  if (id === '') throw errors.notFound(JSON.stringify(given.slice(0, 100)));
  return id;
}

function cursorOf(next: LetterPlace | undefined): { readonly cursor?: string } {
  return next ? { cursor: Buffer.from(`${next.at} ${next.id}`).toString('base64url') } : {};
}
function placeOf(query: URLSearchParams): LetterPlace | undefined {
  const text = query.get('cursor');
  if (text === null) return undefined;
  const [, at, id] = (OPAQUE.test(text) && /^(\d{1,16}) (.+)$/s.exec(Buffer.from(text, 'base64url').toString('utf8'))) || [];
  if (at === undefined || id === undefined) throw errors.requestInvalid('cursor is not one of a page of this list');
  return { at: Number(at), id };
}

/** A name that is not known is refused: without it more would be meant than was said. */
function filterOf(query: URLSearchParams): LetterFilter {
  for (const name of query.keys()) if (!FILTERS.includes(name) && !OTHERS.includes(name)) throw errors.requestInvalid(`there is no filter ${JSON.stringify(name.slice(0, 80))}; there are ${FILTERS.join(', ')}`);
  const text = (name: string): string | undefined => query.get(name) ?? undefined;
  const binding = text('binding');
  const kind = text('kind') ?? (binding === undefined ? undefined : 'binding');
  const known = KINDS.find((one) => one === kind);
  if (kind !== undefined && !known) throw errors.requestInvalid(`kind is one of ${KINDS.join(', ')}`);
  if (binding !== undefined && (known !== 'binding' || query.has('component'))) throw errors.requestInvalid('binding says kind and component: give it alone');
  return present({ kind: known, component: text('component') ?? binding, topic: text('topic'), reason: text('reason'), since: instantOf(query, 'since', errors.requestInvalid), until: instantOf(query, 'until', errors.requestInvalid) });
}
