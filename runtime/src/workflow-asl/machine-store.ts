/**
 * State machines and activities that an app has: rows of the ledger in a table of their own, and those of resources beside them.
 *
 * 1. A definition is a row under its version, which is made from its text: executions name the version, so that an update changes none of
 *    them. Definitions are kept when their machine is changed; those of a deleted one go later (`definition-sweep.ts`).
 * 2. The index of names changes in the transaction of the row that it names; whoever finds it changed begins anew.
 * 3. What a resource declares cannot be changed here, and comes before a row of the same name.
 */
import { createHash } from 'node:crypto';
import { LedgerConflict, type Ledger, type LedgerOperation } from '@mecha/components/kit';
import type { Machine } from '../asl/definition.ts';
import type { Diagnostic } from '../asl/diagnostic.ts';
import { loadDefinition, type Loaded } from '../asl/load.ts';
import { ALIAS_ATTRIBUTE, MACHINE_ATTRIBUTE, parseArn, VERSION_ATTRIBUTE } from './arns.ts';
import { MachineVersions, publishedKey, routeOf, type Alias, type PublishedVersion } from './machine-versions.ts';
import { refusal } from './task-resource.ts';

export type MachineType = 'STANDARD' | 'EXPRESS';
export interface MachineRecord {
  readonly name: string;
  readonly type: MachineType;
  readonly roleArn: string;
  readonly version: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly updatedAt?: number;
  readonly revisionId?: string;
  readonly loggingConfiguration?: unknown;
  readonly tracingConfiguration?: unknown;
  /** Declared by a resource. */
  readonly declared?: boolean;
}
export interface ActivityRecord {
  readonly name: string;
  readonly createdAt: number;
}
/** What executions are started from. */
export interface MachineTarget {
  readonly record: MachineRecord;
  /** Of the definition. */
  readonly version: string;
  readonly roleArn: string;
  /** Set when a version, or an alias of it, was named. */
  readonly published?: PublishedVersion;
  readonly alias?: Alias;
}
/** A `kind: Workflow` resource. */
export interface DeclaredMachine {
  readonly name: string;
  readonly type: MachineType;
  /** JSON text. */
  readonly definition: string;
}

/** A definition of a machine that was deleted. */
export interface Deleted {
  readonly machine: string;
  readonly version: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}
export type Tags = Readonly<Record<string, string>>;

const TRIES_MAX = 20;
const DELETED = 'deleted';
const tagsKey = (tail: string): string => `tags/${tail}`;
const MACHINES_KEPT = 500;
const encode = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));

export function loadMachine(definition: string, type: MachineType): Loaded {
  return loadDefinition(definition, { express: type === 'EXPRESS', refuse: refusal });
}
export const versionOf = (definition: string): string => createHash('sha256').update(definition).digest('hex').slice(0, 32);

export interface MachineStoreParts {
  /** `namespace/app id`. */
  readonly app: string;
  readonly ledger: Ledger;
  readonly now: () => number;
  readonly random: () => number;
  readonly declared: readonly DeclaredMachine[];
}

export class MachineStore {
  readonly versions: MachineVersions;
  readonly #parts: MachineStoreParts;
  readonly #table: string;
  readonly #declared: ReadonlyMap<string, MachineRecord>;
  readonly #texts: ReadonlyMap<string, string>;
  /** Definitions of resources that are in the ledger. */
  readonly #stored = new Set<string>();
  /** Compiled, by version; the least recently used goes first. */
  readonly #machines = new Map<string, Machine>();

  constructor(parts: MachineStoreParts) {
    this.#parts = parts;
    this.#table = `states/${parts.app}`;
    this.versions = new MachineVersions(parts.ledger, this.#table);
    const createdAt = parts.now();
    this.#texts = new Map(parts.declared.map(({ definition }) => [versionOf(definition), definition]));
    this.#declared = new Map(parts.declared.map(({ name, type, definition }) => [name, { name, type, roleArn: '', version: versionOf(definition), createdAt, declared: true }]));
  }

  async find(name: string): Promise<MachineRecord | undefined> {
    return this.#declared.get(name) ?? this.#read<MachineRecord>(`machine/${name}`);
  }
  /** What an ARN of a machine, of one of its versions or of an alias stands for now. */
  async findByArn(arn: string): Promise<MachineTarget | undefined> {
    const parsed = parseArn(arn);
    if (parsed?.kind !== 'stateMachine') return undefined;
    const [name = '', qualifier, ...more] = parsed.rest.split(':');
    const record = await this.find(name);
    if (!record || more.length > 0) return undefined;
    if (qualifier === undefined) return { record, version: record.version, roleArn: record.roleArn };
    const published = await this.versions.of(name);
    const alias = published.aliases.find((one) => one.name === qualifier);
    const number = alias ? routeOf(alias, this.#parts.random)?.version : Number(qualifier);
    const version = published.versions.find((one) => one.number === number);
    if (!version) return undefined;
    return { record, version: version.definition, roleArn: version.roleArn, published: version, ...(alias ? { alias } : {}) };
  }
  async names(): Promise<readonly string[]> {
    const rows = (await this.#read<readonly string[]>('machines')) ?? [];
    return [...new Set([...this.#declared.keys(), ...rows])].sort();
  }

  /** False: there is one of that name. */
  create(record: MachineRecord, definition: string): Promise<boolean> {
    return this.#put('machine', 'machines', record.name, record, [this.#definitionRow(definition)]);
  }
  /** What it is now; undefined: there is none of that name. Rejects with what `change` throws. */
  update(name: string, change: (record: MachineRecord) => MachineRecord, definition?: string): Promise<MachineRecord | undefined> {
    return this.#changeRow<MachineRecord | undefined>(`machine/${name}`, undefined, (record) => record && change(record), definition === undefined ? [] : [this.#definitionRow(definition)]);
  }
  async remove(name: string): Promise<void> {
    const record = await this.#read<MachineRecord>(`machine/${name}`);
    if (!record) return;
    const versions = new Set([record.version, ...(await this.versions.of(name)).versions.map(({ definition }) => definition)]);
    // First on the list, so that no end of the process between the two leaves a definition that nobody removes.
    await this.#changeDeleted((deleted) => [...deleted.filter(({ machine, version }) => machine !== name || !versions.has(version)), ...[...versions].map((version) => ({ machine: name, version, at: this.#parts.now() }))]);
    await this.#remove('machine', 'machines', name, [publishedKey(name), tagsKey(`stateMachine:${name}`)]);
  }

  deleted(): Promise<readonly Deleted[]> {
    return this.#read<readonly Deleted[]>(DELETED).then((rows) => rows ?? []);
  }
  async forgetDeleted(versions: readonly string[]): Promise<void> {
    if (versions.length > 0) await this.#changeDeleted((deleted) => deleted.filter(({ version }) => !versions.includes(version)));
  }
  /** Not when a machine or a published version has it. `changed`: somebody wrote it meanwhile. */
  async dropDefinition(version: string): Promise<'dropped' | 'used' | 'changed'> {
    const [row] = await this.#parts.ledger.readState(this.#table, [`definition/${version}`]);
    if (!row || this.#texts.has(version)) return 'used';
    const names = await this.names();
    for (const name of names) {
      const { versions } = await this.versions.of(name);
      if ((await this.find(name))?.version === version || versions.some(({ definition }) => definition === version)) return 'used';
    }
    try {
      await this.#parts.ledger.commit([{ type: 'state.delete', table: this.#table, key: `definition/${version}`, ifEtag: row.etag }]);
      this.#machines.delete(version);
      return 'dropped';
    } catch (error) {
      if (error instanceof LedgerConflict) return 'changed';
      throw error;
    }
  }
  async #changeDeleted(change: (deleted: readonly Deleted[]) => readonly Deleted[]): Promise<void> {
    await this.#changeRow<readonly Deleted[]>(DELETED, [], change);
  }

  createActivity(record: ActivityRecord): Promise<boolean> {
    return this.#put('activity', 'activities', record.name, record, []);
  }
  findActivity(name: string): Promise<ActivityRecord | undefined> {
    return this.#read<ActivityRecord>(`activity/${name}`);
  }
  async activityNames(): Promise<readonly string[]> {
    return [...((await this.#read<readonly string[]>('activities')) ?? [])].sort();
  }
  async removeActivity(name: string): Promise<void> {
    await this.#remove('activity', 'activities', name, [tagsKey(`activity:${name}`)]);
  }

  /** Of a machine or an activity, by the tail of its ARN. */
  async tags(tail: string): Promise<Tags> {
    return (await this.#read<Tags>(tagsKey(tail))) ?? {};
  }
  /** Rejects with what `change` throws. */
  async changeTags(tail: string, change: (tags: Tags) => Tags): Promise<void> {
    await this.#changeRow<Tags>(tagsKey(tail), {}, change);
  }

  /** What the row holds now, unless that is what it held: whoever finds it changed meanwhile begins anew. `more` is written with it. */
  async #changeRow<T>(key: string, none: T, change: (value: T) => T, more: readonly LedgerOperation[] = []): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      const [row] = await this.#parts.ledger.readState(this.#table, [key]);
      const before = row ? (JSON.parse(Buffer.from(row.data).toString('utf8')) as T) : none;
      const value = change(before);
      if (value === before) return value;
      const guard = row ? { ifEtag: row.etag } : { ifAbsent: true };
      try {
        await this.#parts.ledger.commit([{ type: 'state.set', table: this.#table, key, data: encode(value), binary: false, ...guard }, ...more]);
        return value;
      } catch (error) {
        if (!(error instanceof LedgerConflict) || attempt >= TRIES_MAX) throw error;
      }
    }
  }

  /** Before an execution begins: what a resource declares is in the ledger too, for whoever goes on with it. */
  async keep(version: string): Promise<void> {
    const text = this.#texts.get(version);
    if (text === undefined || this.#stored.has(version)) return;
    await this.#parts.ledger.commit([this.#definitionRow(text)]);
    this.#stored.add(version);
  }

  async text(version: string): Promise<string | undefined> {
    if (this.#texts.has(version)) return this.#texts.get(version);
    const [row] = await this.#parts.ledger.readState(this.#table, [`definition/${version}`]);
    return row && Buffer.from(row.data).toString('utf8');
  }
  /** Compiled; undefined when the ledger has no such version. */
  async machine(version: string): Promise<Machine | undefined> {
    const known = this.#machines.get(version);
    if (known) {
      this.#machines.delete(version);
      this.#machines.set(version, known);
      return known;
    }
    const text = await this.text(version);
    if (text === undefined) return undefined;
    // What was good when it was made goes on, also where the rules have become stricter since.
    const { machine, diagnostics } = loadDefinition(text);
    if (!machine) throw new Error(`the definition ${version} cannot be read any more: ${faults(diagnostics)}`);
    this.#machines.set(version, machine);
    for (const oldest of this.#machines.keys()) {
      if (this.#machines.size <= MACHINES_KEPT) break;
      this.#machines.delete(oldest);
    }
    return machine;
  }

  #definitionRow(definition: string): LedgerOperation {
    return { type: 'state.set', table: this.#table, key: `definition/${versionOf(definition)}`, data: Buffer.from(definition), binary: false };
  }

  async #read<T>(key: string): Promise<T | undefined> {
    const [row] = await this.#parts.ledger.readState(this.#table, [key]);
    return row && (JSON.parse(Buffer.from(row.data).toString('utf8')) as T);
  }

  async #put(kind: string, index: string, name: string, record: unknown, more: readonly LedgerOperation[]): Promise<boolean> {
    return this.#withIndex(index, (names) => ({
      operations: [{ type: 'state.set', table: this.#table, key: `${kind}/${name}`, data: encode(record), binary: false, ifAbsent: true }, ...more],
      names: [...names.filter((other) => other !== name), name],
    }));
  }
  async #remove(kind: string, index: string, name: string, others: readonly string[]): Promise<boolean> {
    return this.#withIndex(index, (names) => ({ operations: [`${kind}/${name}`, ...others].map((key) => ({ type: 'state.delete', table: this.#table, key })), names: names.filter((other) => other !== name) }));
  }

  /** False: the first of the operations found its row as it must not be. */
  async #withIndex(index: string, change: (names: readonly string[]) => { readonly operations: readonly LedgerOperation[]; readonly names: readonly string[] }): Promise<boolean> {
    for (let attempt = 1; ; attempt++) {
      const [row] = await this.#parts.ledger.readState(this.#table, [index]);
      const { operations, names } = change(row ? (JSON.parse(Buffer.from(row.data).toString('utf8')) as string[]) : []);
      const guard = row ? { ifEtag: row.etag } : { ifAbsent: true };
      try {
        await this.#parts.ledger.commit([...operations, { type: 'state.set', table: this.#table, key: index, data: encode(names), binary: false, ...guard }]);
        return true;
      } catch (error) {
        if (!(error instanceof LedgerConflict)) throw error;
        if (error.key !== index) return false;
        if (attempt >= TRIES_MAX) throw error;
      }
    }
  }
}

/** By what executions of it are found. */
export function attributesOf({ record: { name }, published, alias }: MachineTarget): Readonly<Record<string, string>> {
  return { [MACHINE_ATTRIBUTE]: name, ...(published ? { [VERSION_ATTRIBUTE]: `${name}:${published.number}` } : {}), ...(alias ? { [ALIAS_ATTRIBUTE]: `${name}:${alias.name}` } : {}) };
}

/** `SCHEMA_VALIDATION_FAILED: … at /States/S`, as the service words the faults of a definition. */
export function faults(diagnostics: readonly Diagnostic[]): string {
  return diagnostics
    .filter(({ severity }) => severity === 'ERROR')
    .map(({ code, message, location, hint }) => `${code}: ${message} at ${location}${hint === undefined ? '' : ` (${hint})`}`)
    .join(', ');
}
