/**
 * Readers and writers of a distributed Map: tasks whose answer is a list of items, and tasks that are given the results of all children.
 * What is read is JSON, JSON lines or CSV; a value that came as JSON is taken as it is.
 */
import type { Command } from '../asl/messages.ts';
import { shapedResults } from '../asl/states/result-shape.ts';
import { mechaTask } from './task-resource.ts';

type Fields = Readonly<Record<string, unknown>>;
/** What becomes of the answer of a reader's or a writer's task. */
export type MapTask = { readonly reads: Fields } | { readonly writes: { readonly mapRunArn: string; readonly details: Fields } };

const DELIMITERS: Readonly<Record<string, string>> = { COMMA: ',', PIPE: '|', SEMICOLON: ';', SPACE: ' ', TAB: '\t' };

export class ItemsUnreadable extends Error {}

/** The arguments of the task that writes, with the results in them. */
export function writerArguments({ resource, arguments: given, config, results }: Extract<Command, { readonly type: 'writeResults' }>): { readonly arguments: Fields; readonly details: Fields } {
  const task = mechaTask(resource);
  const fields = given as Fields;
  const content = shapedResults(results, config);
  if (task?.block === 'state') return { arguments: { ...fields, Value: content }, details: { Store: task.target, Key: fields['Key'] } };
  if (task?.block === 'binding') return { arguments: { ...fields, Data: content }, details: { Binding: task.target, Operation: task.operation, ...fields } };
  if (task?.block === 'http') return { arguments: { Method: 'POST', ...fields, Body: content }, details: fields };
  return { arguments: { ...fields, Results: content }, details: fields };
}

/** JSON text of what the Map goes on with. Throws `ItemsUnreadable`. */
export function mapTaskResult(task: MapTask, resource: string, output: string): string {
  if ('writes' in task) return JSON.stringify({ MapRunArn: task.writes.mapRunArn, ResultWriterDetails: task.writes.details });
  return JSON.stringify(itemsOf(contentOf(resource, JSON.parse(output)), task.reads));
}

function contentOf(resource: string, answer: unknown): unknown {
  const block = mechaTask(resource)?.block;
  if (block === 'state') return (answer as Fields)['Value'];
  if (block === 'binding') return (answer as Fields)['Data'];
  return block === 'http' ? (answer as Fields)['ResponseBody'] : answer;
}

function itemsOf(content: unknown, config: Fields): unknown {
  const { InputType: type = 'JSON', ItemsPointer: pointer, MaxItems: most } = config;
  const read = at(parsed(content, String(type), config), typeof pointer === 'string' ? pointer : '');
  if (typeof read !== 'object' || read === null) throw new ItemsUnreadable('Attempting to map over non-iterable node.');
  // 0 is no limit.
  const limit = typeof most === 'number' && most > 0 ? most : Number.POSITIVE_INFINITY;
  return Array.isArray(read) ? read.slice(0, limit) : Object.fromEntries(Object.entries(read).slice(0, limit));
}

function parsed(content: unknown, type: string, config: Fields): unknown {
  if (type !== 'JSON' && type !== 'JSONL' && type !== 'CSV') throw new ItemsUnreadable(`items of the type ${type} are not read here: JSON, JSONL or CSV`);
  if (typeof content !== 'string') {
    if (type === 'CSV') throw new ItemsUnreadable('what was read is no text');
    // One line alone is JSON by itself.
    return type === 'JSONL' && !Array.isArray(content) ? [content] : content;
  }
  if (type === 'CSV') return csvItems(content, config);
  try {
    return type === 'JSON' ? (JSON.parse(content) as unknown) : content.split(/\r?\n/).filter((line) => line.trim() !== '').map((line) => JSON.parse(line) as unknown);
  } catch (error) {
    throw new ItemsUnreadable(`what was read is no ${type}: ${(error as Error).message}`);
  }
}

/** RFC 6901. */
function at(value: unknown, pointer: string): unknown {
  let found = value;
  for (const part of pointer.split('/').slice(1)) {
    const name = part.replaceAll('~1', '/').replaceAll('~0', '~');
    found = typeof found === 'object' && found !== null && Object.hasOwn(found, name) ? (found as Fields)[name] : undefined;
  }
  return found;
}

function csvItems(text: string, config: Fields): readonly Fields[] {
  const { CSVHeaderLocation: from = 'FIRST_ROW', CSVHeaders: given, CSVDelimiter: delimiter = 'COMMA' } = config;
  const rows = csvRows(text, DELIMITERS[String(delimiter)] ?? ',');
  const headers = from === 'GIVEN' && Array.isArray(given) ? given.map(String) : (rows.shift() ?? []);
  if (new Set(headers).size !== headers.length) throw new ItemsUnreadable('CSV headers cannot contain duplicates.');
  return rows.map((row) => Object.fromEntries(headers.map((header, column) => [header, row[column] ?? ''])));
}

/** Fields in quotes may hold delimiters, line ends and doubled quotes. */
function csvRows(text: string, delimiter: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let field = '';
  let quoted = false;
  const endRow = (): void => {
    if (row.length > 0 || field !== '') rows.push([...row, field]);
    row = [];
    field = '';
  };
  for (let index = 0; index < text.length; index++) {
    const character = text[index] ?? '';
    if (quoted) {
      if (character !== '"') field += character;
      else if (text[index + 1] === '"') field += text[++index];
      else quoted = false;
    } else if (character === '"' && field === '') quoted = true;
    else if (character === delimiter) {
      row.push(field);
      field = '';
    } else if (character === '\n') endRow();
    else if (character !== '\r') field += character;
  }
  endRow();
  return rows;
}
