/** `mecha invoke`. */
import { parseFlags, type OptionSpec } from '../config/options.ts';
import { HELP_FLAG, wordsOf, type Command } from './command.ts';
import { CLIENT_OPTIONS, findSidecar } from './sidecar-client.ts';

const OWN: readonly OptionSpec[] = [
  { flag: 'verb', short: 'v', type: 'text', value: 'VERB', group: 'app', words: 'HTTP method; POST with data, GET without' },
  { flag: 'data', short: 'd', type: 'text', value: 'DATA', group: 'app', words: 'Body of the request' },
  { flag: 'content-type', type: 'text', value: 'TYPE', default: 'application/json', group: 'app', words: 'Content type of the data' },
  HELP_FLAG,
];

export const invokeCommand: Command = {
  name: 'invoke',
  summary: 'Call a method of an app through a sidecar',
  usage: 'invoke TARGET METHOD [options]',
  text: `
TARGET is the id of the app that is called; --app-id says through whose sidecar (by default the target's own). The
answer's body is printed; the exit code is 0 for a 2xx and 1 otherwise.

  mecha invoke inventory stock/bolt
  mecha invoke order orders --data '{"id":"7","item":"bolt","quantity":1}'`,
  options: [...CLIENT_OPTIONS, ...OWN],
  async run(argv, context) {
    const flags = parseFlags(argv, invokeCommand.options, 'invoke');
    const { values } = flags;
    const [target = '', method = ''] = wordsOf(flags, 'invoke TARGET METHOD');
    const data = values.get('data');
    const via = values.has('app-id') || values.has('dapr-http-port') ? values : new Map([...values, ['app-id', target]]);
    const sidecar = await findSidecar(via, context);
    const answer = await sidecar.request(values.get('verb')?.toUpperCase() ?? (data === undefined ? 'GET' : 'POST'), `/v1.0/invoke/${encodeURIComponent(target)}/method/${method.replace(/^\//, '')}`, {
      ...(data === undefined ? {} : { body: data }),
      headers: data === undefined ? {} : { 'content-type': values.get('content-type') ?? 'application/json' },
    });
    const text = await answer.text();
    if (answer.ok) {
      context.out(text === '' || text.endsWith('\n') ? text : `${text}\n`);
      return 0;
    }
    context.err(`${answer.status} ${text}\n`);
    return 1;
  },
};
