/**
 * `secretstores.local.file`: a JSON file as a secret store, read once when the component connects.
 *
 * Values nested in objects and arrays get names of their own, their path joined by `nestedSeparator`. What is no text
 * (numbers, booleans, null) is given as it stands in the file. No error holds a part of the file's contents.
 */
import { readFile } from 'node:fs/promises';
import { defineComponent, field, type Secret, type SecretStore } from '@mecha/components/kit';

/** Texts at the leaves: the reviver has turned every other primitive into its JSON text. */
type Node = string | { readonly [name: string]: Node };

function parse(path: string, text: string): { readonly [name: string]: Node } {
  const asText = (_name: string, value: unknown, context?: { readonly source?: string }): unknown =>
    typeof value === 'string' || (typeof value === 'object' && value !== null) ? value : (context?.source ?? String(value));
  let parsed: unknown;
  try {
    parsed = JSON.parse(text.replace(/^\uFEFF/, ''), asText);
  } catch (error) {
    // The parser's own words quote the file, so only the place is taken from them.
    const place = error instanceof Error ? /line \d+ column \d+/.exec(error.message)?.[0] : undefined;
    // oxlint-disable-next-line preserve-caught-error -- the cause would carry secrets into the log
    throw new Error(`secretsFile ${path} is not valid JSON${place ? ` (${place})` : ''}`);
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) throw new Error(`secretsFile ${path} must hold a JSON object`);
  return parsed as { readonly [name: string]: Node };
}

/** The leaves below `node`, by their path. */
function* leaves(node: Node, path: string, separator: string): Generator<readonly [string, string]> {
  if (typeof node === 'string') {
    yield [path, node];
    return;
  }
  for (const [name, child] of Object.entries(node)) yield* leaves(child, path === '' ? name : path + separator + name, separator);
}

function single(node: { readonly [name: string]: Node }, separator: string): Iterable<readonly [string, Secret]> {
  return [...leaves(node, '', separator)].map(([name, value]) => [name, { [name]: value }]);
}

function multiple(node: { readonly [name: string]: Node }, separator: string): Iterable<readonly [string, Secret]> {
  return Object.entries(node).map(([name, child]) => [name, typeof child === 'string' ? { [name]: child } : Object.fromEntries(leaves(child, '', separator))]);
}

export default defineComponent({
  type: 'secretstores.local.file',
  versions: ['v1'],
  status: 'stable',
  title: 'JSON file',
  description: 'Secrets from a JSON file on the disk of the sidecar, read once at start.',
  metadata: {
    secretsFile: field.string('Path of the file.', { required: true }),
    nestedSeparator: field.string('Stands between the names of nested values.', { default: ':' }),
    multiValued: field.boolean('Each member at the top is one secret, an object there a secret of several keys; otherwise every value is a secret of its own.', { default: false }),
  },
  features: [],
  create({ options: { secretsFile, nestedSeparator, multiValued } }): SecretStore {
    let secrets: ReadonlyMap<string, Secret> | undefined;
    const loaded = (): ReadonlyMap<string, Secret> => {
      if (!secrets) throw new Error(`secretsFile ${secretsFile} has not been read yet`);
      return secrets;
    };

    return {
      async connect(signal) {
        const file = parse(secretsFile, await readFile(secretsFile, { encoding: 'utf8', signal }));
        const found = new Map<string, Secret>();
        for (const [name, secret] of multiValued ? multiple(file, nestedSeparator) : single(file, nestedSeparator)) {
          if (found.has(name)) throw new Error(`secretsFile ${secretsFile} has two secrets named ${name}`);
          found.set(name, secret);
        }
        secrets = found;
      },
      async get({ name }) {
        const secret = loaded().get(name);
        if (!secret) throw new Error(`secret ${name} not found`);
        return { ...secret };
      },
      async getAll() {
        return Object.fromEntries([...loaded()].map(([name, secret]) => [name, { ...secret }]));
      },
    };
  },
});
