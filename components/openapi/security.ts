/** How calls prove who makes them: the document names the schemes, the component's secret metadata their values. */
import { BindingError } from '@mecha/components/kit';
import { nearest } from '@mecha/components/kit/nearest.ts';
import { isObject, listOf, objectOf, resolve, textIn, type Json, type JsonObject } from './document.ts';

export interface Credentials {
  readonly headers: Readonly<Record<string, string>>;
  /** Pairs as they stand in the query, encoded. */
  readonly query: readonly string[];
  readonly cookies: readonly string[];
}
type Values = Readonly<Record<string, string>>;

const NOTHING: Credentials = { headers: {}, query: [], cookies: [] };

/**
 * What the first of an operation's alternatives needs for which all values are there. Returns a function that throws when
 * there is none: an operation without credentials does not keep the others from being called.
 */
export function credentialsOf(root: JsonObject, security: Json | undefined, values: Values, operation: string): () => Credentials {
  const schemes = objectOf(objectOf(root['components'])['securitySchemes']);
  const alternatives = listOf(security).filter(isObject).map((requirement) => Object.keys(requirement));
  const chosen = alternatives.find((names) => names.every((name) => Object.hasOwn(values, name)));
  if (alternatives.length === 0) return () => NOTHING;
  if (!chosen) {
    const wanted = alternatives.map((names) => names.map((name) => `security:${name}`).join(' and ')).join(', or ');
    return () => {
      throw new BindingError('denied', `operation ${operation} needs credentials: give the component metadata ${wanted}`);
    };
  }
  const all = chosen.map((name) => credentialOf(resolve(root, schemes[name], `#/components/securitySchemes/${name}`).value, name, values[name] ?? ''));
  const credentials = { headers: Object.assign({}, ...all.map(({ headers }) => headers)) as Record<string, string>, query: all.flatMap(({ query }) => query), cookies: all.flatMap(({ cookies }) => cookies) };
  return () => credentials;
}

/** Values for schemes that the document does not have: names that are most likely mistyped. */
export function uselessValues(root: JsonObject, values: Values): readonly string[] {
  const names = Object.keys(objectOf(objectOf(root['components'])['securitySchemes']));
  return Object.keys(values).filter((name) => !names.includes(name)).map((name) => {
    const meant = nearest(name, names);
    return `security:${name}: the document has no such scheme${meant ? `; did you mean security:${meant}?` : names.length > 0 ? `; it has ${names.join(', ')}` : ''}`;
  });
}

function credentialOf(scheme: JsonObject, name: string, value: string): Credentials {
  const type = textIn(scheme['type']);
  if (type === 'apiKey') {
    const key = textIn(scheme['name']);
    const pair = `${encodeURIComponent(key)}=${encodeURIComponent(value)}`;
    if (scheme['in'] === 'query') return { ...NOTHING, query: [pair] };
    return scheme['in'] === 'cookie' ? { ...NOTHING, cookies: [pair] } : { ...NOTHING, headers: { [key.toLowerCase()]: value } };
  }
  if (type === 'http' && textIn(scheme['scheme']).toLowerCase() === 'basic') return { ...NOTHING, headers: { authorization: `Basic ${Buffer.from(value).toString('base64')}` } };
  // Tokens are given, not fetched.
  if (type === 'http' && textIn(scheme['scheme']).toLowerCase() === 'bearer') return { ...NOTHING, headers: { authorization: `Bearer ${value}` } };
  if (type === 'oauth2' || type === 'openIdConnect') return { ...NOTHING, headers: { authorization: `Bearer ${value}` } };
  if (type === 'mutualTLS') return NOTHING;
  throw new Error(`the security scheme ${name} is of a kind that is not served: apiKey, http basic and bearer, oauth2, openIdConnect and mutualTLS are`);
}
