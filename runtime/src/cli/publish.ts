/** `mecha publish`. */
import { UsageError, parseFlags, type OptionSpec } from '../config/options.ts';
import { HELP_FLAG, wordsOf, type Command } from './command.ts';
import { CLIENT_OPTIONS, failure, findSidecar } from './sidecar-client.ts';

const OWN: readonly OptionSpec[] = [
  { flag: 'pubsub', type: 'text', value: 'NAME', default: 'pubsub', group: 'app', words: 'The pub/sub component' },
  { flag: 'content-type', type: 'text', value: 'TYPE', group: 'app', words: 'Content type of the data; application/json when the data is JSON, else text/plain' },
  { flag: 'metadata', type: 'list', value: 'NAME=VALUE', group: 'app', words: 'Publish metadata, such as ttlInSeconds=60; may be repeated' },
  HELP_FLAG,
];

export const publishCommand: Command = {
  name: 'publish',
  summary: 'Publish an event through a sidecar',
  usage: 'publish TOPIC DATA [options]',
  text: `
  mecha publish orders '{"id":7}' --app-id order
  mecha publish news 'hello' --pubsub pubsub --metadata ttlInSeconds=60`,
  options: [...CLIENT_OPTIONS, ...OWN],
  async run(argv, context) {
    const flags = parseFlags(argv, publishCommand.options, 'publish');
    const { values } = flags;
    const [topic = '', data = ''] = wordsOf(flags, 'publish TOPIC DATA');
    const query = new URLSearchParams();
    for (const entry of (values.get('metadata') ?? '').split(',').filter((text) => text !== '')) {
      const equals = entry.indexOf('=');
      if (equals < 1) throw new UsageError(`--metadata takes name=value, not '${entry}'`);
      query.append(`metadata.${entry.slice(0, equals)}`, entry.slice(equals + 1));
    }
    const path = `/v1.0/publish/${encodeURIComponent(values.get('pubsub') ?? 'pubsub')}/${topic.split('/').map(encodeURIComponent).join('/')}`;
    const sidecar = await findSidecar(values, context);
    const answer = await sidecar.request('POST', query.size > 0 ? `${path}?${query}` : path, {
      body: data,
      headers: { 'content-type': values.get('content-type') ?? (isJson(data) ? 'application/json' : 'text/plain') },
    });
    return answer.ok ? 0 : failure(answer, context);
  },
};

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
