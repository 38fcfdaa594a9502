/** `mecha workflow list|history|rerun|validate`: what the sidecar's own API and its checks tell of workflows. */
import { readFile, stat } from 'node:fs/promises';
import { UsageError, type OptionSpec, type ParsedFlags } from '../config/options.ts';
import { messageOf } from '../errors.ts';
import { wordsOf, type CommandContext } from './command.ts';
import { failure, findSidecar, type SidecarClient } from './sidecar-client.ts';
import { validateCommand } from './validate.ts';
import { isExecution, redrive } from './workflow-machines.ts';

export const WORKFLOWS_PATH = '/v1.0-mecha/workflows';
const PAGE = 500;
const LIST_DEFAULT = 100;
const WORDS_MAX = 160;

export const INSTANCE_OPTIONS: readonly OptionSpec[] = [
  { flag: 'status', type: 'text', value: 'LIST', group: 'app', words: 'list: only these, with commas: pending, running, suspended, stalled, completed, failed, terminated, canceled' },
  { flag: 'name', type: 'text', value: 'NAME', group: 'app', words: 'list: only workflows of this name' },
  { flag: 'id-prefix', type: 'text', value: 'TEXT', group: 'app', words: 'list: only ids that begin so' },
  { flag: 'attribute', type: 'text', value: 'NAME=VALUE', group: 'app', words: 'list: only those with this attribute, such as machine=orders' },
  { flag: 'created-from', type: 'text', value: 'TIME', group: 'app', words: 'list: only those created from then on' },
  { flag: 'created-to', type: 'text', value: 'TIME', group: 'app', words: 'list: only those created before then' },
  { flag: 'limit', type: 'integer', value: 'N', group: 'app', words: `list: at most so many (default ${LIST_DEFAULT}); history: the default is all` },
  { flag: 'json', type: 'boolean', group: 'app', words: 'list, history: one JSON object a line' },
  { flag: 'event', type: 'integer', value: 'ID', group: 'app', words: 'rerun: the id of the task, timer or child from which on it is run again' },
];
/** How a query names what a flag gives. */
const QUERY: Readonly<Record<string, string>> = { status: 'status', name: 'name', 'id-prefix': 'idPrefix', attribute: 'attribute', 'created-from': 'createdFrom', 'created-to': 'createdTo' };

interface Listed {
  readonly instanceID: string;
  readonly workflowName: string;
  readonly status: string;
  readonly createdAt: string;
  readonly reason?: string;
}
interface Happened {
  readonly number: number;
  readonly at: string;
  readonly kind: string;
  readonly [field: string]: unknown;
}

export async function list(flags: ParsedFlags, context: CommandContext): Promise<number> {
  wordsOf(flags, 'workflow list');
  const query = new URLSearchParams();
  for (const [flag, name] of Object.entries(QUERY)) if (flags.values.has(flag)) query.set(name, flags.values.get(flag) ?? '');
  let left = limitOf(flags) ?? LIST_DEFAULT;
  const isJson = flags.values.has('json');
  const sidecar = await findSidecar(flags.values, context);
  while (left > 0) {
    query.set('limit', String(Math.min(left, PAGE)));
    const answer = await sidecar.request('GET', `${WORKFLOWS_PATH}?${query.toString()}`);
    if (!answer.ok) return failure(answer, context);
    const { instances, cursor } = (await answer.json()) as { instances: readonly Listed[]; cursor?: string };
    for (const one of instances) {
      const { instanceID, workflowName, status, createdAt, reason } = one;
      context.out(isJson ? `${JSON.stringify(one)}\n` : `${createdAt}  ${status.padEnd(10)}  ${instanceID}  ${workflowName}${reason === undefined ? '' : `  (${short(reason)})`}\n`);
    }
    left -= instances.length;
    if (cursor === undefined) return 0;
    query.set('cursor', cursor);
  }
  return 0;
}

export async function history(flags: ParsedFlags, context: CommandContext): Promise<number> {
  const [, id = ''] = wordsOf(flags, 'workflow history ID');
  let left = limitOf(flags) ?? Infinity;
  const sidecar = await findSidecar(flags.values, context);
  for (let from: number | undefined = 0; from !== undefined && left > 0; ) {
    const answer = await sidecar.request('GET', `${WORKFLOWS_PATH}/${encodeURIComponent(id)}/history?from=${from}&limit=${Math.min(left, PAGE)}`);
    if (answer.status === 404) return 3;
    if (!answer.ok) return failure(answer, context);
    const { events, next } = (await answer.json()) as { events: readonly Happened[]; next?: number };
    for (const event of events) context.out(flags.values.has('json') ? `${JSON.stringify(event)}\n` : `${historyLine(event)}\n`);
    left -= events.length;
    from = next;
  }
  return 0;
}

/** `   4  2026-01-31T08:00:00.120Z  taskScheduled  id=2 name=reserve input={"sku":"bolt"}` */
function historyLine({ number, at, kind, data, ...fields }: Happened): string {
  // An executor's own record says itself what it is, and what is worth saying of it.
  const { type, details = {} } = (kind === 'audit' ? data : undefined) as { type?: string; details?: object } | undefined ?? {};
  const shown = Object.entries(kind === 'audit' ? details : fields).map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  return `${String(number).padStart(5)}  ${at}  ${type ?? kind}${shown.length > 0 ? `  ${short(shown.join(' '))}` : ''}`;
}
function short(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ');
  return line.length > WORDS_MAX ? `${line.slice(0, WORDS_MAX)}…` : line;
}

export async function rerun(flags: ParsedFlags, context: CommandContext): Promise<number> {
  const [, id = ''] = wordsOf(flags, 'workflow rerun ID');
  const event = flags.values.get('event');
  if (event === undefined && isExecution(id)) return redrive(id, await findSidecar(flags.values, context), context);
  if (event === undefined) throw new UsageError('mecha workflow rerun needs --event: the id of a task, timer or child, as history shows it');
  const [newInstanceID, input] = [flags.values.get('instance-id'), flags.values.get('input')];
  const body = { eventId: Number(event), ...(newInstanceID === undefined ? {} : { newInstanceID }), ...(input === undefined ? {} : { input: jsonOf(input) }) };
  const sidecar = await findSidecar(flags.values, context);
  const answer = await sidecar.request('POST', `${WORKFLOWS_PATH}/${encodeURIComponent(id)}/rerun`, { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } });
  if (!answer.ok) return failure(answer, context);
  context.out(`${((await answer.json()) as { instanceID: string }).instanceID}\n`);
  return 0;
}

/** Resources of `kind: Workflow` as `mecha validate` checks them; a file that holds a definition and nothing else, too. Needs no sidecar. */
export async function validate(flags: ParsedFlags, context: CommandContext): Promise<number> {
  const paths = [...flags.words.slice(1), ...flags.rest];
  if (paths.length === 0) throw new UsageError('mecha workflow validate needs a path');
  let worst = 0;
  for (const path of paths) {
    const definition = await definitionIn(path);
    worst = Math.max(worst, definition === undefined ? await validateCommand.run([path], context) : await validateDefinition(path, definition, context));
  }
  return worst;
}

async function definitionIn(path: string): Promise<string | undefined> {
  const found = await stat(path).catch(() => undefined);
  if (!found?.isFile()) return undefined;
  const text = await readFile(path, 'utf8');
  const { parse } = await import('yaml');
  try {
    const value = parse(text, { maxAliasCount: 100 }) as unknown;
    return typeof value === 'object' && value !== null && 'States' in value && !('kind' in value) ? JSON.stringify(value) : undefined;
  } catch {
    // Not for here: the check of resources says what is wrong with it, and on which line.
    return undefined;
  }
}

async function validateDefinition(path: string, definition: string, context: CommandContext): Promise<number> {
  const { loadMachine } = await import('../workflow-asl/machine-store.ts');
  const { diagnostics } = loadMachine(definition, 'STANDARD');
  for (const { severity, location, message, hint } of diagnostics) context.out(`${path}: ${severity.toLowerCase()}: ${location}: ${message}${hint === undefined ? '' : `; ${hint}`}\n`);
  const errors = diagnostics.filter(({ severity }) => severity === 'ERROR').length;
  context.out(errors > 0 ? `${errors} ${errors === 1 ? 'error' : 'errors'}\n` : '1 checked, no errors\n');
  return errors > 0 ? 1 : 0;
}

/** What an instance that has not ended waits for; undefined: it cannot be told. */
export async function waitsOf(id: string, sidecar: SidecarClient): Promise<{ readonly reason?: string; readonly waitsFor?: readonly unknown[] }> {
  const answer = await sidecar.request('GET', `${WORKFLOWS_PATH}/${encodeURIComponent(id)}`);
  if (!answer.ok) return {};
  const { reason, waitsFor } = (await answer.json()) as { reason?: string; waitsFor: readonly unknown[] };
  return { ...(reason === undefined ? {} : { reason }), ...(waitsFor.length === 0 ? {} : { waitsFor }) };
}

function limitOf(flags: ParsedFlags): number | undefined {
  const text = flags.values.get('limit');
  if (text === undefined) return undefined;
  const limit = Number(text);
  if (!Number.isInteger(limit) || limit < 1) throw new UsageError(`--limit takes a whole number from 1, not '${text}'`);
  return limit;
}
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new UsageError(`--input is no JSON: ${messageOf(error)}`);
  }
}
