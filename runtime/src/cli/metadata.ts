/** `mecha metadata`. */
import { parseFlags } from '../config/options.ts';
import { HELP_FLAG, wordsOf, type Command } from './command.ts';
import { CLIENT_OPTIONS, failure, findSidecar } from './sidecar-client.ts';

export const metadataCommand: Command = {
  name: 'metadata',
  summary: 'Show what a running sidecar is and has',
  usage: 'metadata [options]',
  text: `
Prints the metadata of the sidecar as JSON: components with their state and reason, subscriptions, the app.

  mecha metadata --app-id order`,
  options: [...CLIENT_OPTIONS, HELP_FLAG],
  async run(argv, context) {
    const flags = parseFlags(argv, metadataCommand.options, 'metadata');
    wordsOf(flags, 'metadata');
    const sidecar = await findSidecar(flags.values, context);
    const answer = await sidecar.request('GET', '/v1.0/metadata');
    if (!answer.ok) return failure(answer, context);
    context.out(`${JSON.stringify(await answer.json(), null, 2)}\n`);
    return 0;
  },
};
