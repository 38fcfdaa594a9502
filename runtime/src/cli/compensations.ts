/** `mecha workflow compensations list|retry|skip`: undoings of sagas that are stuck. */
import { UsageError, type OptionSpec, type ParsedFlags } from '../config/options.ts';
import { wordsOf, type CommandContext } from './command.ts';
import { failure, findSidecar, type SidecarClient } from './sidecar-client.ts';

const PATH = '/v1.0-mecha/compensations';
export const COMPENSATION_OPTIONS: readonly OptionSpec[] = [
  { flag: 'reason', type: 'text', value: 'TEXT', group: 'app', words: 'compensations skip: why, for the history' },
  { flag: 'arguments', type: 'text', value: 'JSON', group: 'app', words: 'compensations retry: arguments in place of those that were recorded' },
];
const WORDS: Readonly<Record<string, string>> = { list: 'list', retry: 'retry EXECUTION STEP', skip: 'skip EXECUTION STEP' };

interface Listed {
  readonly executions: readonly { readonly execution: string; readonly steps: readonly { readonly step: number; readonly state: string; readonly stuck: boolean; readonly attempts: number; readonly error?: string; readonly cause?: string }[] }[];
  readonly cursor?: string;
}

export async function compensations(flags: ParsedFlags, context: CommandContext): Promise<number> {
  const verb = flags.words[1] ?? '';
  const words = Object.hasOwn(WORDS, verb) ? WORDS[verb] : undefined;
  if (words === undefined) throw new UsageError(`mecha workflow compensations needs a verb: ${Object.keys(WORDS).join(', ')}`);
  const [, , execution = '', step = ''] = wordsOf(flags, `workflow compensations ${words}`);
  const sidecar = await findSidecar(flags.values, context);
  if (verb === 'list') return list(sidecar, context);
  const [given, reason] = [flags.values.get('arguments'), flags.values.get('reason')];
  const body = verb === 'retry' ? { ...(given === undefined ? {} : { arguments: jsonOf(given) }) } : { ...(reason === undefined ? {} : { reason }) };
  const answer = await sidecar.request('POST', `${PATH}/${encodeURIComponent(execution)}/${encodeURIComponent(step)}/${verb}`, { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } });
  if (!answer.ok) return failure(answer, context);
  const { applied } = (await answer.json()) as { applied: boolean };
  if (!applied) context.err(`step ${step} of ${execution} is not stuck, or not any more: nothing was changed\n`);
  return applied ? 0 : 3;
}

/** One line for each stuck step, as `retry` and `skip` take it. */
async function list(sidecar: SidecarClient, context: CommandContext): Promise<number> {
  for (let cursor: string | undefined; ; ) {
    const answer = await sidecar.request('GET', `${PATH}?limit=100${cursor === undefined ? '' : `&cursor=${encodeURIComponent(cursor)}`}`);
    if (!answer.ok) return failure(answer, context);
    const page = (await answer.json()) as Listed;
    for (const { execution, steps } of page.executions) {
      for (const { step, state, stuck, attempts, error = '', cause = '' } of steps) {
        if (stuck) context.out(`${execution} ${step}  ${state}, ${attempts} ${attempts === 1 ? 'try' : 'tries'}: ${error}${cause === '' ? '' : `: ${cause.replaceAll(/\s+/g, ' ').slice(0, 200)}`}\n`);
      }
    }
    cursor = page.cursor;
    if (cursor === undefined) return 0;
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new UsageError(`--arguments is no JSON: ${(error as Error).message}`);
  }
}
