/**
 * The operations of a document: what each is called and needs in words, how a request of the block becomes an HTTP request,
 * and whether an answer is one that the document describes.
 */
import { BindingError, type BindingOperation, type BindingRequest, type OperationMetadata } from '@mecha/components/kit';
import { forwardedHeaders } from '@mecha/components/kit/forwarded-headers.ts';
import type { OriginAnswer, OriginRequest } from '@mecha/components/kit/origin-client.ts';
import { bodyOf, essenceOf, isJson, type Body } from './bodies.ts';
import { below, isObject, objectOf, resolve, textIn, type JsonObject, type OpenApiDocument } from './document.ts';
import { parametersOf, type Parameter, type Place } from './parameters.ts';
import { createSchemas, type Schemas } from './schemas.ts';
import { credentialsOf, type Credentials } from './security.ts';

export interface Operation {
  readonly words: BindingOperation;
  /** Throws `BindingError` when the request does not fit the document. */
  build(request: BindingRequest): OriginRequest;
  /** Why an answer is none that the document describes; undefined when it is one. */
  check(answer: OriginAnswer): string | undefined;
}
export interface Operations {
  readonly byName: ReadonlyMap<string, Operation>;
  /** Those that are not served, and why. */
  readonly leftOut: readonly string[];
}

const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'] as const;
const OPERATIONS_MAX = 10_000;

/** `ownServers`: operations that name servers of their own are served all the same. */
export async function operationsOf(document: OpenApiDocument, secrets: Readonly<Record<string, string>>, ownServers: boolean): Promise<Operations> {
  const { root } = document;
  const schemas = await createSchemas(document);
  const byName = new Map<string, Operation>();
  const leftOut: string[] = [];
  for (const [path, item] of Object.entries(objectOf(root['paths']))) {
    if (!path.startsWith('/')) continue;
    const { value: pathItem, pointer } = resolve(root, item, below('#/paths', path));
    for (const method of METHODS) {
      const operation = pathItem[method];
      if (!isObject(operation)) continue;
      const name = textIn(operation['operationId']) || `${method.toUpperCase()} ${path}`;
      if (byName.has(name)) throw new Error(`the document has two operations named ${name}`);
      if (byName.size >= OPERATIONS_MAX) throw new Error(`the document has more than ${OPERATIONS_MAX} operations`);
      if (!ownServers && ('servers' in operation || 'servers' in pathItem)) {
        leftOut.push(`${name}: it names servers of its own, and the component calls one origin only; metadata url says which`);
        continue;
      }
      const at = below(pointer, method);
      const parameters = parametersOf(root, schemas, [
        { list: pathItem['parameters'], pointer: below(pointer, 'parameters') },
        { list: operation['parameters'], pointer: below(at, 'parameters') },
      ]);
      const body = bodyOf(root, schemas, operation, at);
      const credentials = credentialsOf(root, operation['security'] ?? root['security'], secrets, name);
      const description = textIn(operation['summary']) || textIn(operation['description']) || `${method.toUpperCase()} ${path}`;
      byName.set(name, {
        words: { description, metadata: wordsOf(parameters, body), ...(body ? { data: body.words } : {}), result: 'The body of the answer; its status and headers are metadata.' },
        build: (request) => buildRequest({ method: method.toUpperCase(), path, parameters, body, credentials }, request),
        check: (answer) => checkAnswer(root, schemas, operation, at, method, answer),
      });
    }
  }
  if (byName.size === 0) throw new Error('the document has no operation that can be called');
  return { byName, leftOut };
}

function wordsOf(parameters: readonly Parameter[], body: Body | undefined): Readonly<Record<string, OperationMetadata>> {
  const words = parameters.map((parameter) => {
    const { metadataName, description, required } = parameter;
    // Either of two names will do, so the block, which knows of one, does not ask for it.
    if (isIdempotencyKey(parameter)) return [metadataName, { description: `${description} Metadata idempotencyKey where absent.` }] as const;
    return [metadataName, { description, ...(required ? { required } : {}) }] as const;
  });
  const contentType = body && body.media.length > 1 ? { contentType: { description: `Form of the data: ${body.media.join(', ')}.` } } : {};
  return { ...contentType, ...Object.fromEntries(words) };
}

const isIdempotencyKey = ({ name, place }: Parameter): boolean => place === 'header' && name.toLowerCase() === 'idempotency-key';

/** What a request says of a parameter; a declared header `Idempotency-Key` is also given by the metadata that stands for it everywhere. */
function textFor(parameter: Parameter, metadata: BindingRequest['metadata']): string | undefined {
  const { metadataName, required } = parameter;
  const own = Object.hasOwn(metadata, metadataName) ? metadata[metadataName] : undefined;
  if (!isIdempotencyKey(parameter) || own) return own;
  const text = forwardedHeaders(metadata)['idempotency-key'];
  if (text === undefined && required) throw new BindingError('invalid-metadata', `metadata ${metadataName}, or idempotencyKey, is missing`);
  return text;
}

interface Target {
  readonly method: string;
  readonly path: string;
  readonly parameters: readonly Parameter[];
  readonly body: Body | undefined;
  readonly credentials: () => Credentials;
}

function buildRequest({ method, path, parameters, body, credentials }: Target, { data, metadata }: BindingRequest): OriginRequest {
  const proof = credentials();
  const given = parameters.flatMap((parameter) => {
    const text = textFor(parameter, metadata);
    if (text === undefined) return [];
    const { checked, exact } = parameter.read(text);
    const problem = parameter.check(checked);
    if (problem !== undefined) throw new BindingError('invalid-metadata', `metadata ${parameter.metadataName} does not fit the document: ${problem}`);
    return [{ name: parameter.name, place: parameter.place, text: parameter.write(exact) }];
  });
  const of = (place: Place): readonly string[] => given.filter((one) => one.place === place).map(({ text }) => text);
  const inPath = new Map(given.filter(({ place }) => place === 'path').map(({ name, text }) => [name, text]));
  const filled = path.replaceAll(/\{([^{}]+)\}/g, (_whole, name: string) => {
    const text = inPath.get(name);
    if (text === undefined || text === '') throw new BindingError('invalid-metadata', `metadata ${name} is missing: the path ${path} needs it`);
    return text;
  });
  const sent = body?.encode(data, metadata['contentType']);
  const cookies = [...of('cookie'), ...proof.cookies];
  return {
    method,
    path: filled,
    query: [...of('query'), ...proof.query].filter((pair) => pair !== '').join('&'),
    headers: {
      ...forwardedHeaders(metadata),
      ...Object.fromEntries(given.filter(({ place }) => place === 'header').map(({ name, text }) => [name.toLowerCase(), text])),
      accept: 'application/json, */*;q=0.5',
      ...(sent ? { 'content-type': sent.contentType } : {}),
      ...(cookies.length > 0 ? { cookie: cookies.join('; ') } : {}),
      ...proof.headers,
    },
    ...(sent ? { body: sent.bytes } : {}),
  };
}

function checkAnswer(root: JsonObject, schemas: Schemas, operation: JsonObject, at: string, method: string, answer: OriginAnswer): string | undefined {
  const responses = objectOf(operation['responses']);
  const key = [String(answer.status), `${Math.trunc(answer.status / 100)}XX`, 'default'].find((one) => Object.hasOwn(responses, one));
  if (key === undefined) return `the document describes no answer of status ${answer.status}`;
  const { value, pointer } = resolve(root, responses[key], below(at, 'responses', key));
  const content = objectOf(value['content']);
  if (Object.keys(content).length === 0 || method === 'head' || answer.status === 204 || answer.status === 304) return undefined;
  const essence = essenceOf(answer.headers['content-type'] ?? '');
  const media = [essence, `${essence.split('/')[0]}/*`, '*/*'].flatMap((wanted) => Object.keys(content).filter((one) => essenceOf(one) === wanted))[0];
  if (media === undefined) return `its content type is ${essence || 'missing'}, and the document describes ${Object.keys(content).join(', ')}`;
  if (!isJson(essence) || objectOf(content[media])['schema'] === undefined) return undefined;
  let body: unknown;
  try {
    body = JSON.parse(answer.body.toString('utf8'));
  } catch {
    return 'it is not valid JSON';
  }
  return schemas.at(below(pointer, 'content', media, 'schema'), 'response')(body);
}
