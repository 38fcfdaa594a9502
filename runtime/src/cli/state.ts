/** `mecha state get|set|delete`. */
import { UsageError, parseFlags, type OptionSpec } from '../config/options.ts';
import { HELP_FLAG, wordsOf, type Command } from './command.ts';
import { CLIENT_OPTIONS, failure, findSidecar } from './sidecar-client.ts';

const OWN: readonly OptionSpec[] = [
  { flag: 'store', short: 's', type: 'text', value: 'NAME', default: 'statestore', group: 'app', words: 'The state store' },
  { flag: 'etag', type: 'text', value: 'ETAG', group: 'app', words: 'set, delete: only when the stored etag is this one' },
  { flag: 'ttl', type: 'integer', value: 'SECONDS', group: 'app', words: 'set: forget the key after this time' },
  HELP_FLAG,
];

export const stateCommand: Command = {
  name: 'state',
  summary: 'Read and write state through a sidecar',
  usage: 'state get|set|delete KEY [VALUE] [options]',
  text: `
VALUE is JSON; a value that is no JSON is taken as a text. get prints the value as stored; with no such key it
prints nothing and ends with code 3.

  mecha state set order-7 '{"status":"open"}' --app-id order
  mecha state get order-7 --app-id order
  mecha state delete order-7 --app-id order`,
  options: [...CLIENT_OPTIONS, ...OWN],
  async run(argv, context) {
    const flags = parseFlags(argv, stateCommand.options, 'state');
    const { values } = flags;
    const verb = flags.words[0] ?? '';
    if (!['get', 'set', 'delete'].includes(verb)) throw new UsageError('mecha state needs a verb: get, set or delete');
    const [, key = '', value = ''] = wordsOf(flags, verb === 'set' ? 'state set KEY VALUE' : `state ${verb} KEY`);
    const store = encodeURIComponent(values.get('store') ?? 'statestore');
    const etag = values.get('etag');
    const sidecar = await findSidecar(values, context);
    const path = `/v1.0/state/${store}/${encodeURIComponent(key)}`;
    if (verb === 'get') {
      const answer = await sidecar.request('GET', path);
      if (answer.status === 204) return 3;
      if (!answer.ok) return failure(answer, context);
      context.out(`${await answer.text()}\n`);
      return 0;
    }
    if (verb === 'delete') {
      const answer = await sidecar.request('DELETE', path, { headers: etag ? { 'if-match': etag } : {} });
      return answer.ok ? 0 : failure(answer, context);
    }
    const ttl = values.get('ttl');
    const item = { key, value: jsonOrText(value), ...(etag ? { etag, options: { concurrency: 'first-write' } } : {}), ...(ttl ? { metadata: { ttlInSeconds: ttl } } : {}) };
    const answer = await sidecar.request('POST', `/v1.0/state/${store}`, { body: JSON.stringify([item]), headers: { 'content-type': 'application/json' } });
    return answer.ok ? 0 : failure(answer, context);
  },
};

export function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
