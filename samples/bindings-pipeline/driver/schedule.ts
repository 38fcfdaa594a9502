/** The schedule of the sample's cron binding, read from its YAML: which ticks there must have been. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { nextTick, parseSchedule } from '@mecha/components/kit/schedule/schedule.ts';

export interface TickSchedule {
  /** As the YAML has it. */
  readonly text: string;
  readonly idOf: (instant: number) => string;
  /** Milliseconds since the epoch; undefined when this is the id of something else. */
  readonly instantOf: (id: string) => number | undefined;
  /** The first `count` ticks of a schedule whose first tick this was. */
  readonly ticksFrom: (first: number, count: number) => readonly number[];
}

interface ComponentYaml {
  readonly metadata?: { readonly name?: string };
  readonly spec?: { readonly type?: string; readonly metadata?: readonly { readonly name?: string; readonly value?: unknown }[] };
}

/** Throws with words for the user when the folder has not exactly one cron binding. */
export async function readSchedule(folder: string): Promise<TickSchedule> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.yaml'));
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')));
  const found = texts.flatMap((text) => parseAllDocuments(text)).map((document) => document.toJS() as ComponentYaml | null).filter((one) => one?.spec?.type === 'bindings.cron');
  const [cron] = found;
  if (!cron || found.length > 1) throw new Error(`${folder} must have one component of type bindings.cron, and has ${found.length}`);
  const { metadata: { name = '' } = {}, spec: { metadata = [] } = {} } = cron;
  const text = String(metadata.find((field) => field.name === 'schedule')?.value ?? '');
  const schedule = parseSchedule(text);
  return {
    text,
    idOf: (instant) => `${name}/${new Date(instant).toISOString()}`,
    instantOf(id) {
      const instant = id.startsWith(`${name}/`) ? Date.parse(id.slice(name.length + 1)) : Number.NaN;
      return Number.isNaN(instant) ? undefined : instant;
    },
    ticksFrom(first, count) {
      const instants = [first];
      for (let instant = nextTick(schedule, first, first); instant !== undefined && instants.length < count; instant = nextTick(schedule, instant, first)) instants.push(instant);
      return instants;
    },
  };
}
