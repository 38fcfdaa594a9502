/**
 * YAML with its places: documents read so that every complaint names file, line and field. Keys match in any case, as
 * loaders of these resources always have; unknown keys are errors with the nearest right spelling.
 */
import { readFile } from 'node:fs/promises';
import { LineCounter, Scalar, isAlias, isMap, isScalar, isSeq, parseAllDocuments, type Document, type Node, type Pair } from 'yaml';
import { nearest } from '@mecha/components/kit/nearest.ts';
import type { Problem, Source } from './resource-types.ts';

/** More in one file is nobody's configuration. */
const FILE_BYTES_MAX = 8 * 1024 * 1024;
const DEPTH_MAX = 64;
/** Entries that merge keys (`<<: *defaults`) may bring into one file. */
const MERGED_MAX = 10_000;
/** Unquoted, these are booleans in YAML 1.1, in which resources have always been read. */
const TRUE_WORD = /^(?:y|Y|yes|Yes|YES|on|On|ON)$/;
const FALSE_WORD = /^(?:n|N|no|No|NO|off|Off|OFF)$/;

/** Collects complaints; a loader goes on after one, so that all come in one report. */
export class Problems {
  readonly list: Problem[] = [];
  readonly #told = new Set<string>();

  error(source: Source, message: string, extra: { field?: string; suggestion?: string | undefined } = {}): void {
    this.#add('error', source, message, extra);
  }
  warning(source: Source, message: string, extra: { field?: string; suggestion?: string | undefined } = {}): void {
    this.#add('warning', source, message, extra);
  }
  #add(severity: Problem['severity'], source: Source, message: string, extra: { field?: string; suggestion?: string | undefined }): void {
    // What several apps have in common is read for each of them, and told once.
    const key = JSON.stringify([source, message, extra.field]);
    if (this.#told.has(key)) return;
    this.#told.add(key);
    this.list.push({
      severity,
      source,
      message,
      ...(extra.field ? { field: extra.field } : {}),
      ...(extra.suggestion ? { suggestion: extra.suggestion } : {}),
    });
  }
}

/** The documents of a file; a file that cannot be read or parsed is a problem, and gives what could be read. */
export async function readYaml(file: string, problems: Problems, transform: (text: string) => string = (text) => text): Promise<YamlView[]> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    problems.error({ file, line: 0 }, `cannot be read: ${(error as NodeJS.ErrnoException).code ?? String(error)}`);
    return [];
  }
  return parseYaml(file, transform(text), problems);
}

export function parseYaml(file: string, text: string, problems: Problems): YamlView[] {
  if (text.length > FILE_BYTES_MAX) {
    problems.error({ file, line: 0 }, `is larger than ${FILE_BYTES_MAX} bytes`);
    return [];
  }
  const counter = new LineCounter();
  let documents: Document.Parsed[];
  try {
    documents = [...parseAllDocuments(text, { lineCounter: counter, uniqueKeys: false })] as Document.Parsed[];
  } catch (error) {
    problems.error({ file, line: 0 }, `is not YAML: ${error instanceof Error ? error.message : String(error)}`);
    return [];
  }
  const views: YamlView[] = [];
  const merged = { count: 0, pairs: new Map<Node, Pair[]>() };
  for (const document of documents) {
    const [first] = document.errors;
    if (first) {
      problems.error({ file, line: counter.linePos(first.pos[0]).line }, `is not YAML: ${first.message.split('\n')[0] ?? ''}`);
      continue;
    }
    // Nothing but blanks and comments between two separators, or behind the last, is no document.
    if (document.contents === null || (isScalar(document.contents) && document.contents.value === null)) continue;
    views.push(new YamlView({ file, counter, document, problems, merged }, document.contents, '', 0));
  }
  return views;
}

interface Origin {
  readonly file: string;
  readonly counter: LineCounter;
  readonly document: Document.Parsed;
  readonly problems: Problems;
  /** Maps with merge keys, worked out once; the count bounds what anchors can blow up. */
  readonly merged: { count: number; readonly pairs: Map<Node, Pair[]> };
}

/** One node and its place. Getters complain about a wrong type and give undefined. */
export class YamlView {
  readonly field: string;
  readonly #origin: Origin;
  readonly #node: Node;
  readonly #depth: number;

  constructor(origin: Origin, node: Node, field: string, depth: number) {
    this.#origin = origin;
    this.#node = node;
    this.field = field;
    this.#depth = depth;
  }

  get source(): Source {
    const start = this.#node.range?.[0];
    return { file: this.#origin.file, line: start === undefined ? 0 : this.#origin.counter.linePos(start).line };
  }
  get problems(): Problems {
    return this.#origin.problems;
  }

  error(message: string, suggestion?: string): void {
    this.problems.error(this.source, message, { field: this.field, suggestion });
  }
  warning(message: string, suggestion?: string): void {
    this.problems.warning(this.source, message, { field: this.field, suggestion });
  }

  isMap(): boolean {
    return isMap(this.#node);
  }
  isSequence(): boolean {
    return isSeq(this.#node);
  }
  isNull(): boolean {
    return isScalar(this.#node) && this.#node.value === null;
  }

  /** `place` is where a missing value would stand. */
  #view(node: unknown, field: string, place: Node): YamlView | undefined {
    let resolved = isAlias(node) ? node.resolve(this.#origin.document) : node;
    if (resolved === null || resolved === undefined) {
      resolved = new Scalar(null);
      (resolved as Scalar).range = place.range ?? null;
    }
    if (this.#depth >= DEPTH_MAX) {
      this.error('is nested too deeply');
      return undefined;
    }
    return new YamlView(this.#origin, resolved as Node, field, this.#depth + 1);
  }

  /** A map's own pairs behind those that merge keys bring, so that its own win. */
  #pairs(node: Node, depth = 0): Pair[] {
    if (!isMap(node) || depth > DEPTH_MAX) return [];
    const { merged } = this.#origin;
    const known = merged.pairs.get(node);
    if (known) return known;
    const isMerge = (pair: Pair): boolean => isScalar(pair.key) && pair.key.value === '<<' && pair.key.type === 'PLAIN';
    const own = node.items.filter((pair) => !isMerge(pair));
    if (own.length === node.items.length) return own;
    const resolve = (value: unknown): unknown => (isAlias(value) ? value.resolve(this.#origin.document) : value);
    const brought = node.items.filter(isMerge).flatMap(({ value }) => {
      const source = resolve(value);
      // Of several sources the earlier wins, and here the later does.
      const sources = isSeq(source) ? source.items.toReversed().map(resolve) : [source];
      return sources.flatMap((from) => (merged.count > MERGED_MAX ? [] : this.#pairs(from as Node, depth + 1)));
    });
    merged.count += brought.length + 1;
    if (merged.count > MERGED_MAX) {
      this.error(`merge keys bring more than ${MERGED_MAX} entries`);
      return own;
    }
    const pairs = [...brought, ...own];
    merged.pairs.set(node, pairs);
    return pairs;
  }

  /** Entries of a map in the order written; the last of a repeated key wins. */
  entries(): [string, YamlView][] {
    if (!isMap(this.#node)) {
      if (!this.isNull()) this.error('must be a map');
      return [];
    }
    const found = new Map<string, [string, YamlView]>();
    for (const pair of this.#pairs(this.#node)) {
      const key = isScalar(pair.key) ? String(pair.key.value) : '';
      const view = this.#view(pair.value, this.field === '' ? key : `${this.field}.${key}`, pair.key as Node);
      if (view) found.set(key, [key, view]);
    }
    return [...found.values()];
  }

  /** The value under `name`, in any case; undefined when absent or null. */
  get(name: string): YamlView | undefined {
    if (!isMap(this.#node)) return undefined;
    const lower = name.toLowerCase();
    let found: YamlView | undefined;
    for (const [key, view] of this.entries()) if (key.toLowerCase() === lower) found = view;
    return found === undefined || found.isNull() ? undefined : found;
  }

  /** Complains of every key that is none of `allowed`. */
  allow(allowed: readonly string[]): void {
    if (!isMap(this.#node)) return;
    const known = new Set(allowed.map((name) => name.toLowerCase()));
    for (const pair of this.#pairs(this.#node)) {
      const key = isScalar(pair.key) ? String(pair.key.value) : '';
      if (known.has(key.toLowerCase())) continue;
      const start = (pair.key as Node).range?.[0];
      const line = start === undefined ? 0 : this.#origin.counter.linePos(start).line;
      this.problems.error({ file: this.#origin.file, line }, `unknown field ${key}`, { field: this.field === '' ? key : `${this.field}.${key}`, suggestion: nearest(key, allowed) });
    }
  }

  items(): YamlView[] {
    if (!isSeq(this.#node)) {
      if (!this.isNull()) this.error('must be a list');
      return [];
    }
    return this.#node.items.flatMap((item, index) => this.#view(item, `${this.field}[${index}]`, this.#node) ?? []);
  }

  /** A text; numbers and booleans count as their text. */
  text(): string | undefined {
    if (isScalar(this.#node) && this.#node.value !== null && typeof this.#node.value !== 'object') return String(this.#node.value);
    this.error('must be a text');
    return undefined;
  }
  boolean(): boolean | undefined {
    if (isScalar(this.#node) && typeof this.#node.value === 'boolean') return this.#node.value;
    if (isScalar(this.#node) && (this.#node.value === 'true' || this.#node.value === 'false')) return this.#node.value === 'true';
    const word = this.#booleanWord();
    if (word !== undefined) return word;
    this.error('must be true or false');
    return undefined;
  }
  integer(): number | undefined {
    if (isScalar(this.#node) && Number.isInteger(Number(this.#node.value)) && this.#node.value !== null && this.#node.value !== '') return Number(this.#node.value);
    this.error('must be a whole number');
    return undefined;
  }
  texts(): string[] {
    return this.items().flatMap((item) => item.text() ?? []);
  }
  textMap(): Record<string, string> {
    const map: Record<string, string> = {};
    for (const [key, view] of this.entries()) {
      const text = view.isNull() ? '' : view.text();
      if (text !== undefined) Object.defineProperty(map, key, { value: text, enumerable: true, configurable: true, writable: true });
    }
    return map;
  }

  /** `yes`, `off` and the like, when unquoted. */
  #booleanWord(): boolean | undefined {
    if (!isScalar(this.#node) || this.#node.type !== 'PLAIN' || typeof this.#node.value !== 'string') return undefined;
    return TRUE_WORD.test(this.#node.value) ? true : FALSE_WORD.test(this.#node.value) ? false : undefined;
  }

  /** The value in the text form of metadata (components.md B.0): texts as they are, null empty, the rest as JSON. */
  metadataText(): string | undefined {
    if (this.isNull()) return '';
    if (isScalar(this.#node)) {
      const { value } = this.#node;
      // Numbers keep the way they were written, so that `1.10` stays `1.10`.
      if (typeof value === 'number' && this.#node.source !== undefined) return this.#node.source;
      return typeof value === 'string' ? (this.#booleanWord()?.toString() ?? value) : JSON.stringify(value);
    }
    try {
      return JSON.stringify(this.#node.toJS(this.#origin.document, { maxAliasCount: 100 }));
    } catch (error) {
      this.error(`cannot be read: ${error instanceof Error ? error.message : String(error)}`);
      return undefined;
    }
  }
}
