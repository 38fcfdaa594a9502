/** `mecha workflow` and its verbs; those that look at many instances, and checks, are in `workflow-instances.ts`. */
import { UsageError, parseFlags, type OptionSpec, type ParsedFlags } from '../config/options.ts';
import { HELP_FLAG, wordsOf, type Command, type CommandContext } from './command.ts';
import { COMPENSATION_OPTIONS, compensations } from './compensations.ts';
import { CLIENT_OPTIONS, failure, findSidecar } from './sidecar-client.ts';
import { INSTANCE_OPTIONS, WORKFLOWS_PATH, history, list, rerun, validate, waitsOf } from './workflow-instances.ts';
import { startMachine } from './workflow-machines.ts';

const OWN: readonly OptionSpec[] = [
  { flag: 'instance-id', short: 'i', type: 'text', value: 'ID', group: 'app', words: 'start, rerun: the id of the new instance; one is made when it is left out' },
  { flag: 'input', type: 'text', value: 'JSON', group: 'app', words: 'start: its input, passed on as it is; rerun: the input of that step instead of what it had' },
  { flag: 'data', short: 'd', type: 'text', value: 'JSON', group: 'app', words: 'raise: the data of the event, passed on as it is' },
  { flag: 'force', type: 'boolean', group: 'app', words: 'terminate: at once, undoing nothing; purge: also what has not ended' },
  HELP_FLAG,
];
const OTHERS: Readonly<Record<string, (flags: ParsedFlags, context: CommandContext) => Promise<number>>> = { list, history, rerun, validate, compensations };
const WORDS: Readonly<Record<string, string>> = { start: 'start NAME', get: 'get ID', raise: 'raise ID EVENT', pause: 'pause ID', resume: 'resume ID', terminate: 'terminate ID', purge: 'purge ID' };

export const workflowCommand: Command = {
  name: 'workflow',
  summary: 'Start workflow instances and steer them',
  usage: 'workflow start|get|list|history|raise|pause|resume|terminate|purge|rerun|validate|compensations [NAME|ID|PATH] [EVENT] [options]',
  text: `
start prints the id of the instance and does not wait for it; a state machine of that name is started if there is one, and else a workflow
of the app's workers. get prints what is known of an instance as JSON, with what it waits for,
and ends with code 3 when there is none. list prints instances, newest first; history what happened to one. terminate and purge take all
children with them; only what has ended can be purged, unless by --force, and a saga undoes its steps before it ends, unless by --force.
rerun begins a new instance with the history of one that has ended, up to a step, which is run again; an execution of a state machine
goes on itself from the state that failed. validate needs no sidecar.

  mecha workflow start order --input '{"item":"bolt"}' --instance-id order-7 --app-id order
  mecha workflow get order-7 --app-id order
  mecha workflow raise order-7 approved --data '{"by":"Ada"}' --app-id order
  mecha workflow list --status running,stalled --app-id order
  mecha workflow history order-7 --app-id order
  mecha workflow rerun order-7 --event 3 --app-id order
  mecha workflow rerun execution:trip:t-1 --app-id order
  mecha workflow terminate order-7 --app-id order
  mecha workflow validate resources/ saga.asl.json

Steps of sagas whose undoing is stuck wait for a person: compensations list shows them, and each is tried again or left as it is.
Both end with code 3 when the step is not stuck any more.

  mecha workflow compensations list --app-id order
  mecha workflow compensations retry execution:order:o-7 2 --app-id order
  mecha workflow compensations skip execution:order:o-7 2 --reason 'paid back by hand' --app-id order`,
  options: [...CLIENT_OPTIONS, ...OWN, ...INSTANCE_OPTIONS, ...COMPENSATION_OPTIONS],
  async run(argv, context) {
    const flags = parseFlags(argv, workflowCommand.options, 'workflow');
    const { values } = flags;
    const verb = flags.words[0] ?? '';
    const other = Object.hasOwn(OTHERS, verb) ? OTHERS[verb] : undefined;
    if (other) return other(flags, context);
    const words = Object.hasOwn(WORDS, verb) ? WORDS[verb] : undefined;
    if (words === undefined) throw new UsageError(`mecha workflow needs a verb: ${[...Object.keys(WORDS), ...Object.keys(OTHERS)].join(', ')}`);
    const [, id = '', event = ''] = wordsOf(flags, `workflow ${words}`);
    const sidecar = await findSidecar(values, context);
    const path = `/v1.0/workflows/mecha/${encodeURIComponent(id)}`;
    if (verb === 'get') {
      const answer = await sidecar.request('GET', path);
      if (answer.status === 404) return 3;
      if (!answer.ok) return failure(answer, context);
      const known = (await answer.json()) as object;
      context.out(`${JSON.stringify({ ...known, ...(await waitsOf(id, sidecar)) })}\n`);
      return 0;
    }
    if (verb === 'start') {
      const instanceId = values.get('instance-id');
      const code = await startMachine(id, { instanceId, input: values.get('input') }, sidecar, context);
      if (code !== undefined) return code;
      const answer = await sidecar.request('POST', `${path}/start${instanceId === undefined ? '' : `?instanceID=${encodeURIComponent(instanceId)}`}`, bodyOf(values.get('input')));
      if (!answer.ok) return failure(answer, context);
      context.out(`${((await answer.json()) as { instanceID: string }).instanceID}\n`);
      return 0;
    }
    const isForced = values.has('force') && (verb === 'terminate' || verb === 'purge');
    const answer = verb === 'raise' ? await sidecar.request('POST', `${path}/raiseEvent/${encodeURIComponent(event)}`, bodyOf(values.get('data'))) : await sidecar.request('POST', isForced ? `${WORKFLOWS_PATH}/${encodeURIComponent(id)}/${verb}?force=true` : `${path}/${verb}`);
    return answer.ok ? 0 : failure(answer, context);
  },
};

function bodyOf(body: string | undefined): { body?: string; headers: Readonly<Record<string, string>> } {
  return body === undefined ? { headers: {} } : { body, headers: { 'content-type': 'application/json' } };
}
