/** `mecha job schedule|get|list|delete`. */
import { UsageError, parseFlags, type OptionSpec } from '../config/options.ts';
import { HELP_FLAG, wordsOf, type Command } from './command.ts';
import { CLIENT_OPTIONS, failure, findSidecar } from './sidecar-client.ts';

const OWN: readonly OptionSpec[] = [
  { flag: 'schedule', type: 'text', value: 'CRON', group: 'app', words: 'schedule: six fields, seconds first, with CRON_TZ=ZONE before them if need be; or @every 1h30m, @daily, …' },
  { flag: 'due', type: 'text', value: 'TIME', group: 'app', words: 'schedule: the first tick, or the only one: RFC 3339, 1h30m, or PT90M' },
  { flag: 'repeats', type: 'integer', value: 'N', group: 'app', words: 'schedule: ticks in all; without end when it is left out' },
  { flag: 'ttl', type: 'text', value: 'TIME', group: 'app', words: 'schedule: when the job is removed' },
  { flag: 'data', short: 'd', type: 'text', value: 'JSON', group: 'app', words: 'schedule: what each tick carries, passed on as it is' },
  { flag: 'overwrite', type: 'boolean', group: 'app', words: 'schedule: replace the job of this name' },
  { flag: 'missed', type: 'text', value: 'POLICY', group: 'app', words: 'schedule: what missed ticks become: one, skip or all' },
  { flag: 'overlap', type: 'text', value: 'POLICY', group: 'app', words: 'schedule: what ticks become that fall due while one is under way: wait or skip' },
  { flag: 'prefix', type: 'text', value: 'TEXT', group: 'app', words: 'list, delete: all whose names begin so' },
  HELP_FLAG,
];
const WORDS: Readonly<Record<string, string>> = { schedule: 'schedule NAME', get: 'get NAME', list: 'list', delete: 'delete NAME' };
const OWN_PATH = '/v1.0-mecha/jobs';

interface ListedJob {
  readonly name: string;
  readonly schedule?: string;
  readonly dueTime?: string;
  readonly mecha: { readonly nextAt: string; readonly ticks: number; readonly attempt: number };
}

export const jobCommand: Command = {
  name: 'job',
  summary: 'Schedule jobs of an app, look at them, delete them',
  usage: 'job schedule|get|list|delete [NAME] [options]',
  text: `
list prints name, schedule, next tick, ticks so far and attempt, with tabs between; get prints a job as JSON, and ends with code 3 when there
is none. delete --prefix deletes all whose names begin so.

  mecha job schedule nightly --schedule "CRON_TZ=Europe/Vienna 0 0 3 * * *" --data '{"full":true}' --app-id order
  mecha job schedule reminder --due 90m --app-id order
  mecha job list --app-id order
  mecha job delete nightly --app-id order`,
  options: [...CLIENT_OPTIONS, ...OWN],
  async run(argv, context) {
    const flags = parseFlags(argv, jobCommand.options, 'job');
    const { values } = flags;
    const verb = flags.words[0] ?? '';
    const prefix = values.get('prefix');
    const words = Object.hasOwn(WORDS, verb) ? WORDS[verb] : undefined;
    if (words === undefined) throw new UsageError(`mecha job needs a verb: ${Object.keys(WORDS).join(', ')}`);
    const [, name = ''] = wordsOf(flags, `job ${verb === 'delete' && prefix !== undefined ? 'delete' : words}`);
    const sidecar = await findSidecar(values, context);
    const path = `${OWN_PATH}/${encodeURIComponent(name)}`;
    switch (verb) {
      case 'schedule': {
        const answer = await sidecar.request('POST', path, { body: bodyOf(values), headers: { 'content-type': 'application/json' } });
        return answer.ok ? 0 : failure(answer, context);
      }
      case 'get': {
        const answer = await sidecar.request('GET', path);
        if (answer.status === 404) return 3;
        if (!answer.ok) return failure(answer, context);
        context.out(`${await answer.text()}\n`);
        return 0;
      }
      case 'list':
        for (let after: string | undefined = ''; after !== undefined; ) {
          const answer: Response = await sidecar.request('GET', `${OWN_PATH}?${new URLSearchParams({ limit: '1000', after, ...(prefix === undefined ? {} : { prefix }) })}`);
          if (!answer.ok) return failure(answer, context);
          const page = (await answer.json()) as { jobs: readonly ListedJob[]; next?: string };
          for (const job of page.jobs) context.out(`${lineOf(job)}\n`);
          after = page.next;
        }
        return 0;
      default: {
        const answer = prefix === undefined ? await sidecar.request('DELETE', path) : await sidecar.request('DELETE', `${OWN_PATH}?${new URLSearchParams({ prefix })}`);
        if (!answer.ok) return failure(answer, context);
        if (prefix !== undefined) context.out(`${((await answer.json()) as { deleted: number }).deleted} deleted\n`);
        return 0;
      }
    }
  },
};

function lineOf({ name, schedule, dueTime = '', mecha: { nextAt, ticks, attempt } }: ListedJob): string {
  return [name, schedule ?? dueTime, nextAt, ticks, attempt].join('\t');
}

/** The data is spliced in as it is: no digit of it is read here. */
function bodyOf(values: { get(flag: string): string | undefined }): string {
  const texts = { schedule: values.get('schedule'), dueTime: values.get('due'), ttl: values.get('ttl') };
  const repeats = values.get('repeats');
  const policies = { missed: values.get('missed'), overlap: values.get('overlap') };
  const data = values.get('data');
  const fields = { ...texts, ...(repeats === undefined ? {} : { repeats: Number(repeats) }), ...(values.get('overwrite') === 'true' ? { overwrite: true } : {}), mecha: policies };
  const text = JSON.stringify(fields);
  return data === undefined ? text : `${text.slice(0, -1)},"data":${data}}`;
}
