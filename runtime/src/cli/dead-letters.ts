/** `mecha dead-letters list|show|replay|drop`. */
import { UsageError, parseFlags, type OptionSpec, type ParsedFlags } from '../config/options.ts';
import { HELP_FLAG, wordsOf, type Command, type CommandContext } from './command.ts';
import { CLIENT_OPTIONS, failure, findSidecar, type SidecarClient } from './sidecar-client.ts';

const PATH = '/v1.0-mecha/dead-letters';
const PAGE = 500;
const LIST_DEFAULT = 100;
const REASON_MAX = 160;
const NO_SUCH = 3;

const FILTERS: readonly OptionSpec[] = [
  { flag: 'kind', type: 'text', value: 'KIND', values: ['topic', 'binding'], group: 'app', words: 'Only those of topics, or of input bindings' },
  { flag: 'component', type: 'text', value: 'NAME', group: 'app', words: 'Only those of this component' },
  { flag: 'topic', type: 'text', value: 'NAME', group: 'app', words: 'Only those of this topic' },
  { flag: 'binding', type: 'text', value: 'NAME', group: 'app', words: 'Only those of this input binding' },
  { flag: 'reason', type: 'text', value: 'TEXT', group: 'app', words: 'Only those whose reason holds this' },
  { flag: 'since', type: 'text', value: 'TIME', group: 'app', words: 'Only those dead from then on, such as 2026-01-31T08:00:00Z' },
  { flag: 'until', type: 'text', value: 'TIME', group: 'app', words: 'Only those dead before then' },
];
const OWN: readonly OptionSpec[] = [
  ...FILTERS,
  { flag: 'all', type: 'boolean', group: 'app', words: 'replay, drop: all dead letters of the app' },
  { flag: 'limit', type: 'integer', value: 'N', group: 'app', words: `list: at most so many (default ${LIST_DEFAULT}); replay, drop: the default is all that are meant` },
  { flag: 'json', type: 'boolean', group: 'app', words: 'list: one JSON object a line' },
  HELP_FLAG,
];

interface Listed {
  readonly id: string;
  readonly component: string;
  readonly topic?: string;
  readonly reason: string;
  readonly attempts: number;
  readonly deadAt: string;
}
interface Many {
  readonly replayed?: number;
  readonly left?: readonly { readonly id: string; readonly outcome: string; readonly reason?: string }[];
  readonly dropped?: number;
  readonly busy?: number;
  readonly cursor?: string;
}

export const deadLettersCommand: Command = {
  name: 'dead-letters',
  summary: 'Look at dead letters of an app, send them again, drop them',
  usage: 'dead-letters list|show|replay|drop [ID] [options]',
  text: `
What the app did not take in the end, of topics with a dead-letter topic and of input bindings, as the ledger keeps it. list prints when
it died, attempts, where it came from, its id and the reason, newest first; show prints one whole, as JSON. replay gives a letter to the
subscription or binding that it came from, and no other: it is gone when the app took it, and stays with the new reason when not. replay
and drop take an id, or filters, or --all, oldest first; what is filtered is what was dead when the command began.

Code 3: show, replay, drop: there is no such letter. Code 1: letters stayed.

  mecha dead-letters list --topic orders --app-id stock
  mecha dead-letters show b3JkZXJz --app-id stock
  mecha dead-letters replay b3JkZXJz --app-id stock
  mecha dead-letters replay --binding ticks --reason 'status 503' --app-id stock
  mecha dead-letters drop --until 2026-01-31T08:00:00Z --app-id stock`,
  options: [...CLIENT_OPTIONS, ...OWN],
  async run(argv, context) {
    const flags = parseFlags(argv, deadLettersCommand.options, 'dead-letters');
    switch (flags.words[0]) {
      case 'list':
        return list(flags, context);
      case 'show':
        return show(flags, context);
      case 'replay':
      case 'drop':
        return flags.words.length + flags.rest.length > 1 ? one(flags.words[0], flags, context) : many(flags.words[0], flags, context);
      default:
        throw new UsageError('mecha dead-letters needs a verb: list, show, replay, drop');
    }
  },
};

async function list(flags: ParsedFlags, context: CommandContext): Promise<number> {
  wordsOf(flags, 'dead-letters list');
  const query = queryOf(flags);
  let left = limitOf(flags) ?? LIST_DEFAULT;
  const sidecar = await findSidecar(flags.values, context);
  while (left > 0) {
    query.set('limit', String(Math.min(left, PAGE)));
    const answer = await sidecar.request('GET', `${PATH}?${query.toString()}`);
    if (!answer.ok) return failure(answer, context);
    const { deadLetters, cursor } = (await answer.json()) as { deadLetters: readonly Listed[]; cursor?: string };
    for (const letter of deadLetters) context.out(flags.values.has('json') ? `${JSON.stringify(letter)}\n` : lineOf(letter));
    left -= deadLetters.length;
    if (cursor === undefined) return 0;
    query.set('cursor', cursor);
  }
  return 0;
}

function lineOf({ deadAt, attempts, component, topic, id, reason }: Listed): string {
  return `${deadAt}  ${attempts}  ${topic === undefined ? component : `${component}/${topic}`}  ${id}  (${reason.replaceAll(/\s+/g, ' ').slice(0, REASON_MAX)})\n`;
}

async function show(flags: ParsedFlags, context: CommandContext): Promise<number> {
  const [, id = ''] = wordsOf(flags, 'dead-letters show ID');
  const answer = await (await findSidecar(flags.values, context)).request('GET', `${PATH}/${encodeURIComponent(id)}`);
  if (answer.status === 404) return NO_SUCH;
  if (!answer.ok) return failure(answer, context);
  context.out(`${await answer.text()}\n`);
  return 0;
}

async function one(verb: 'replay' | 'drop', flags: ParsedFlags, context: CommandContext): Promise<number> {
  const [, id = ''] = wordsOf(flags, `dead-letters ${verb} ID`);
  if (isFiltered(flags)) throw new UsageError(`mecha dead-letters ${verb}: an id, or filters, or --all`);
  const sidecar = await findSidecar(flags.values, context);
  const path = `${PATH}/${encodeURIComponent(id)}`;
  const answer = await (verb === 'replay' ? sidecar.request('POST', `${path}/replay`) : sidecar.request('DELETE', path));
  if (answer.ok) return 0;
  const code = await failure(answer, context);
  return answer.status === 404 ? NO_SUCH : code;
}

/** Until all are done that were there at the beginning, one bounded call after the other. */
async function many(verb: 'replay' | 'drop', flags: ParsedFlags, context: CommandContext): Promise<number> {
  if (!isFiltered(flags)) throw new UsageError(`mecha dead-letters ${verb} needs an id, filters, or --all`);
  const query = queryOf(flags);
  let left = limitOf(flags) ?? Infinity;
  const sidecar = await findSidecar(flags.values, context);
  // By the clock that dates letters, which need not be this machine's.
  const newest = await sidecar.request('GET', `${PATH}?limit=1&${query.toString()}`);
  if (!newest.ok) return failure(newest, context);
  const [last] = ((await newest.json()) as { deadLetters: readonly Listed[] }).deadLetters;
  if (last) query.set('until', new Date(Date.parse(last.deadAt) + 1).toISOString());
  else left = 0;
  let [done, stayed] = [0, 0];
  while (left > 0) {
    query.set('limit', String(Math.min(left, PAGE)));
    const answer = await ask(sidecar, verb, query);
    if (!answer.ok) return failure(answer, context);
    const { replayed, left: stays = [], dropped, busy = 0, cursor } = (await answer.json()) as Many;
    for (const { id, outcome, reason = outcome } of stays) context.err(`${id} stays: ${reason}\n`);
    const finished = replayed ?? dropped ?? 0;
    done += finished;
    stayed += stays.length + busy;
    left -= finished + stays.length + busy;
    if (cursor === undefined) break;
    query.set('cursor', cursor);
  }
  context.out(`${done} ${verb === 'replay' ? 'replayed' : 'dropped'}${stayed > 0 ? `, ${stayed} stayed` : ''}\n`);
  return stayed > 0 ? 1 : 0;
}

function ask(sidecar: SidecarClient, verb: 'replay' | 'drop', query: URLSearchParams): Promise<Response> {
  return verb === 'replay' ? sidecar.request('POST', `${PATH}/replay?${query.toString()}`) : sidecar.request('DELETE', `${PATH}?${query.toString()}`);
}

function isFiltered({ values }: ParsedFlags): boolean {
  return values.has('all') || FILTERS.some(({ flag }) => values.has(flag));
}
function queryOf({ values }: ParsedFlags): URLSearchParams {
  const query = new URLSearchParams();
  for (const { flag } of FILTERS) if (values.has(flag)) query.set(flag, values.get(flag) ?? '');
  return query;
}
function limitOf({ values }: ParsedFlags): number | undefined {
  const text = values.get('limit');
  if (text === undefined) return undefined;
  const limit = Number(text);
  if (!Number.isInteger(limit) || limit < 1) throw new UsageError(`--limit takes a whole number from 1, not '${text}'`);
  return limit;
}
