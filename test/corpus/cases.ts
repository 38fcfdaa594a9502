/**
 * Executions recorded on the real service: where they are, and what one looks like. The data is no part of the project;
 * a machine that does not have it says so and runs what the project has of its own.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ROOT } from '../../scripts/tools.ts';

export interface CorpusCase {
  readonly name: string;
  readonly definition: Readonly<Record<string, unknown>>;
  /** JSON text. */
  readonly input: string;
  /** The answer of GetExecutionHistory. */
  readonly expected: { readonly events: readonly RecordedEvent[] };
}

export interface RecordedEvent {
  readonly id: number | readonly number[];
  readonly previousEventId: number;
  readonly type: string;
  readonly [name: string]: unknown;
}

/** `ASL_CORPUS`, or the folder beside the project. */
export function corpusFile(): string {
  return resolve(process.env['ASL_CORPUS'] ?? join(ROOT, '..', 'shared', 'asl-corpus', 'cases.json'));
}

/** undefined: this machine has no such file. */
export function readCorpus(file = corpusFile()): readonly CorpusCase[] | undefined {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as CorpusCase[]) : undefined;
}
