/**
 * Writes `specs/gen/*.gen.ts` from `specs/proto/**`: per message an interface and a codec, per service a table of its
 * methods. `node scripts/generate-proto.ts` writes, with `--check` it only compares and exits 1 when something is stale.
 *
 * One output file per proto file, by base name. Property names are the field names in lowerCamelCase, whatever
 * `json_name` says: that option belongs to JSON. Enums become `as const` objects and fields of them plain numbers,
 * since a number that is not in the list must survive.
 */
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import protobuf from 'protobufjs';

const SPECS = join(import.meta.dirname, '..', 'specs');
const PROTO_DIR = join(SPECS, 'proto');
const OUT_DIR = join(SPECS, 'gen');

/** What a scalar is in TypeScript, when it is not there, and when it is worth writing. `m.x` stands for the value. */
interface Scalar {
  readonly type: string;
  readonly initial: string;
  readonly differs: (value: string) => string;
  readonly wire: 0 | 1 | 2 | 5;
  readonly read: string;
}

const truthy = (value: string): string => value;
const number = (wire: Scalar['wire'], read: string, differs = truthy): Scalar => ({ type: 'number', initial: '0', differs, wire, read });
const floating = (value: string): string => `${value} !== undefined && !Object.is(${value}, 0)`;
const SCALARS: Readonly<Record<string, Scalar>> = {
  string: { type: 'string', initial: "''", differs: truthy, wire: 2, read: 'r.stringVerify()' },
  bytes: { type: 'Uint8Array', initial: 'NO_BYTES', differs: (value) => `${value}?.length`, wire: 2, read: 'r.bytes()' },
  bool: { type: 'boolean', initial: 'false', differs: truthy, wire: 0, read: 'r.bool()' },
  int32: number(0, 'r.int32()'),
  uint32: number(0, 'r.uint32()'),
  sint32: number(0, 'r.sint32()'),
  int64: number(0, 'toNumber(r.int64())'),
  uint64: number(0, 'toNumber(r.uint64())'),
  sint64: number(0, 'toNumber(r.sint64())'),
  fixed32: number(5, 'r.fixed32()'),
  sfixed32: number(5, 'r.sfixed32()'),
  fixed64: number(1, 'toNumber(r.fixed64())'),
  sfixed64: number(1, 'toNumber(r.sfixed64())'),
  float: number(5, 'r.float()', floating),
  double: number(1, 'r.double()', floating),
};

class Source {
  readonly base: string;
  readonly path: string;
  readonly title: string;
  readonly messages: protobuf.Type[] = [];
  readonly enums: protobuf.Enum[] = [];
  readonly services: protobuf.Service[] = [];

  constructor(path: string, text: string) {
    this.path = path;
    this.base = basename(path, '.proto');
    this.title = /^\/\/ (.*)$/m.exec(text)?.[1] ?? '';
  }
}

function loadSources(): Source[] {
  const root = new protobuf.Root();
  const paths = readdirSync(PROTO_DIR, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.proto'))
    .map((path) => path.replaceAll('\\', '/'))
    .sort();
  const sources = new Map<string, Source>();
  for (const path of paths) {
    const text = readFileSync(join(PROTO_DIR, path), 'utf8');
    // The parser takes the name to stamp on what it finds from this variable.
    Object.assign(protobuf.parse, { filename: path });
    protobuf.parse(text, root, { keepCase: true, alternateCommentMode: true });
    const source = new Source(path, text);
    for (const other of sources.values()) {
      if (other.base === source.base) throw new Error(`${other.path} and ${path} would both be written to ${source.base}.gen.ts`);
    }
    sources.set(path, source);
  }
  root.resolveAll();
  collect(root, sources);
  return [...sources.values()];
}

function collect(parent: protobuf.NamespaceBase, sources: ReadonlyMap<string, Source>): void {
  for (const object of parent.nestedArray) {
    const source = object.filename === null ? undefined : sources.get(object.filename ?? '');
    if (object instanceof protobuf.Type) source?.messages.push(object);
    else if (object instanceof protobuf.Enum) source?.enums.push(object);
    else if (object instanceof protobuf.Service) source?.services.push(object);
    if (object instanceof protobuf.Namespace) collect(object, sources);
  }
}

/** `GetStateRequest`; a nested type carries its outer's name in front, unless it begins with it already. */
function nameOf(type: protobuf.ReflectionObject): string {
  const outer = type.parent;
  if (!(outer instanceof protobuf.Type)) return type.name;
  const outerName = nameOf(outer);
  return type.name.startsWith(outerName) ? type.name : outerName + type.name;
}

function camel(name: string): string {
  return name.replace(/_+(.)/g, (_whole, letter: string) => letter.toUpperCase());
}

/** A field as the emitters see it. */
interface Field {
  readonly name: string;
  readonly id: number;
  readonly comment: string;
  /** Of a single value. */
  readonly type: string;
  readonly kind: 'single' | 'repeated' | 'map';
  readonly message: string | undefined;
  readonly scalar: Scalar | undefined;
  /** The writer's method for a scalar. */
  readonly writes: string;
  /** May be absent, and absent is not the default. */
  readonly presence: boolean;
  /** The other members of its oneof. */
  readonly rivals: readonly string[];
}

function describe(field: protobuf.Field): Field {
  const { resolvedType } = field;
  const message = resolvedType instanceof protobuf.Type ? nameOf(resolvedType) : undefined;
  const writes = resolvedType instanceof protobuf.Enum ? 'int32' : field.type;
  const scalar = message === undefined ? SCALARS[writes] : undefined;
  if (message === undefined && scalar === undefined) throw new Error(`${field.fullName}: no codec for type ${field.type}`);
  const oneof = field.partOf && !field.partOf.isProto3Optional ? field.partOf : undefined;
  const kind = field instanceof protobuf.MapField ? 'map' : field.repeated ? 'repeated' : 'single';
  if (field instanceof protobuf.MapField && field.keyType !== 'string') throw new Error(`${field.fullName}: only text keys are known`);
  return {
    name: camel(field.name),
    id: field.id,
    comment: field.comment ?? '',
    type: message ?? scalar?.type ?? '',
    kind,
    message,
    scalar,
    writes,
    presence: kind === 'single' && (message !== undefined || field.partOf !== null),
    rivals: oneof ? oneof.fieldsArray.filter((other) => other !== field).map((other) => camel(other.name)) : [],
  };
}

const tagOf = (id: number, wire: number): number => ((id << 3) | wire) >>> 0;

function emitInterface(name: string, comment: string, fields: readonly Field[]): string[] {
  const lines = [...docOf(comment, ''), `export interface ${name} {`];
  for (const field of fields) {
    lines.push(...docOf(field.comment, '  '));
    const type = field.kind === 'map' ? `Record<string, ${field.type}>` : field.kind === 'repeated' ? `${field.type}[]` : field.type;
    lines.push(`  ${field.name}${field.presence ? '?' : ''}: ${type}${field.presence ? ' | undefined' : ''};`);
  }
  return [...lines, '  unknown?: Uint8Array | undefined;', '}'];
}

function docOf(comment: string, indent: string): string[] {
  return comment === '' ? [] : [`${indent}/** ${comment.replaceAll('\n', ' ')} */`];
}

function emitWriter(name: string, fields: readonly Field[]): string[] {
  const lines = [`function write${name}(m: Init<${name}>, w: Writer): Writer {`];
  for (const field of fields) lines.push(...emitWrite(field));
  return [...lines, '  if (m.unknown) w.raw(m.unknown);', '  return w;', '}'];
}

function emitWrite(field: Field): string[] {
  const { name, id, message, scalar, writes } = field;
  const value = `m.${name}`;
  if (field.kind === 'map') {
    const inner = message === undefined ? `w.uint32(${tagOf(2, scalar?.wire ?? 2)}).${writes}(v)` : `${message}.write(v, w.uint32(18).fork()).ldelim()`;
    return [
      `  if (${value}) {`,
      `    for (const [k, v] of Object.entries(${value})) {`,
      '      if (v === undefined) continue;',
      `      w.uint32(${tagOf(id, 2)}).fork().uint32(10).string(k);`,
      `      ${inner};`,
      '      w.ldelim();',
      '    }',
      '  }',
    ];
  }
  if (field.kind === 'repeated') {
    if (message !== undefined) return [`  if (${value}) for (const v of ${value}) ${message}.write(v, w.uint32(${tagOf(id, 2)}).fork()).ldelim();`];
    if (scalar?.wire === 2) return [`  if (${value}) for (const v of ${value}) w.uint32(${tagOf(id, 2)}).${writes}(v);`];
    return [`  if (${value}?.length) {`, `    w.uint32(${tagOf(id, 2)}).fork();`, `    for (const v of ${value}) w.${writes}(v);`, '    w.ldelim();', '  }'];
  }
  if (message !== undefined) return [`  if (${value}) ${message}.write(${value}, w.uint32(${tagOf(id, 2)}).fork()).ldelim();`];
  const condition = field.presence ? `${value} !== undefined` : (scalar?.differs(value) ?? value);
  return [`  if (${condition}) w.uint32(${tagOf(id, scalar?.wire ?? 0)}).${writes}(${value});`];
}

function emitReader(name: string, fields: readonly Field[]): string[] {
  const initial = fields.map((field) => {
    if (field.presence) return `${field.name}: undefined`;
    if (field.kind === 'map') return `${field.name}: {}`;
    if (field.kind === 'repeated') return `${field.name}: []`;
    return `${field.name}: ${field.scalar?.initial ?? 'undefined'}`;
  });
  const depth = fields.some((field) => field.message !== undefined) ? 'depth' : '_depth';
  const body = ['    const start = r.pos;', '    const tag = r.tag();'];
  if (fields.length === 0) body.push('    m.unknown = keepUnknown(r, tag, start, m.unknown);');
  else body.push('    switch (tag) {', ...fields.flatMap(emitRead), '      default:', '        m.unknown = keepUnknown(r, tag, start, m.unknown);', '    }');
  return [
    `function read${name}(r: Reader, ${depth}: number, target?: ${name}): ${name} {`,
    `  const m: ${name} = target ?? { ${initial.join(', ')} };`,
    '  while (r.pos < r.len) {',
    ...body,
    '  }',
    '  return m;',
    '}',
  ].map((line) => line.replace('{  }', '{}'));
}

function emitRead(field: Field): string[] {
  const { name, id, message, scalar } = field;
  const one = message === undefined ? (scalar?.read ?? '') : `readNested(r, depth, ${message}.read)`;
  const wire = scalar?.wire ?? 2;
  const block = (tag: number, ...statements: string[]): string[] => [`      case ${tag}:`, ...statements.map((statement) => `        ${statement}`), '        break;'];
  if (field.kind === 'map') {
    const initial = message === undefined ? (scalar?.initial ?? '') : `${message}.decode(NO_BYTES)`;
    return block(tagOf(id, 2), `readEntry(r, m.${name}, ${initial}, (r) => ${one}, ${tagOf(2, wire)});`);
  }
  if (field.kind === 'repeated') {
    const single = block(tagOf(id, wire), `m.${name}.push(${one});`);
    if (wire === 2) return single;
    return [...single, `      case ${tagOf(id, 2)}: {`, '        const end = enter(r);', `        while (r.pos < r.len) m.${name}.push(${one});`, '        r.len = end;', '        break;', '      }'];
  }
  const merged = message === undefined ? one : `readNested(r, depth, ${message}.read, m.${name})`;
  return block(tagOf(id, wire), `m.${name} = ${merged};`, ...field.rivals.map((rival) => `m.${rival} = undefined;`));
}

function emitEnum(type: protobuf.Enum): string[] {
  return [
    ...docOf(type.comment ?? '', ''),
    `export const ${nameOf(type)} = {`,
    ...Object.entries(type.values).map(([key, value]) => `  ${key}: ${value},`),
    '} as const;',
    '',
  ];
}

function emitMessage(type: protobuf.Type): string[] {
  const name = nameOf(type);
  const fields = type.fieldsArray.toSorted((a, b) => a.id - b.id).map(describe);
  return [
    ...emitInterface(name, type.comment ?? '', fields),
    ...emitWriter(name, fields),
    ...emitReader(name, fields),
    `export const ${name}: Codec<${name}> = createCodec('${type.fullName.slice(1)}', write${name}, read${name});`,
    '',
  ];
}

function emitService(service: protobuf.Service): string[] {
  const lines = [...docOf(service.comment ?? '', ''), `export const ${service.name} = {`];
  for (const method of service.methodsArray) {
    const { resolvedRequestType: request, resolvedResponseType: response } = method;
    if (!request || !response) throw new Error(`${method.fullName}: its types are not known`);
    lines.push(
      `  ${method.name}: {`,
      `    path: '/${service.fullName.slice(1)}/${method.name}',`,
      `    requestStream: ${method.requestStream === true},`,
      `    responseStream: ${method.responseStream === true},`,
      `    request: ${nameOf(request)},`,
      `    response: ${nameOf(response)},`,
      '  },',
    );
  }
  return [...lines, '} as const;', ''];
}

function emitFile(source: Source, homes: ReadonlyMap<string, Source>): string {
  const body = [...source.enums.flatMap(emitEnum), ...source.messages.flatMap(emitMessage), ...source.services.flatMap(emitService)];
  const text = body.join('\n');
  const own = new Set(source.messages.map(nameOf));
  const imports = new Map<string, Set<string>>();
  for (const type of referenced(source)) {
    const name = nameOf(type);
    const home = homes.get(type.fullName);
    if (!home || home === source) continue;
    if (own.has(name)) throw new Error(`${source.path} declares ${name} and uses another one of ${home.path}`);
    imports.set(home.base, (imports.get(home.base) ?? new Set()).add(name));
  }
  const support = ['NO_BYTES', 'createCodec', 'enter', 'keepUnknown', 'readEntry', 'readNested', 'toNumber'].filter((name) => new RegExp(`\\b${name}\\b`).test(text));
  const types = source.messages.length > 0 ? ['type Codec', 'type Init', 'type Reader', 'type Writer'] : [];
  return [
    `// Written by scripts/generate-proto.ts from specs/proto/${source.path}; not by hand.`,
    ...(source.title === '' ? [] : [`// ${source.title}`]),
    ...(support.length > 0 ? [`import { ${[...support, ...types].join(', ')} } from '../codec.ts';`] : []),
    ...[...imports].sort(([a], [b]) => (a < b ? -1 : 1)).map(([base, names]) => `import { ${[...names].sort().join(', ')} } from './${base}.gen.ts';`),
    '',
    text,
  ].join('\n');
}

function referenced(source: Source): protobuf.Type[] {
  const ofFields = source.messages.flatMap((type) => type.fieldsArray.map((field) => field.resolvedType));
  const ofMethods = source.services.flatMap((service) => service.methodsArray.flatMap((method) => [method.resolvedRequestType, method.resolvedResponseType]));
  return [...ofFields, ...ofMethods].filter((type): type is protobuf.Type => type instanceof protobuf.Type);
}

/** File name -> content. */
function generate(): Map<string, string> {
  const sources = loadSources();
  const homes = new Map(sources.flatMap((source) => source.messages.map((type) => [type.fullName, source] as const)));
  return new Map(sources.map((source) => [`${source.base}.gen.ts`, emitFile(source, homes)]));
}

function presentFiles(): Map<string, string> {
  mkdirSync(OUT_DIR, { recursive: true });
  return new Map(readdirSync(OUT_DIR).map((name) => [name, readFileSync(join(OUT_DIR, name), 'utf8')]));
}

const wanted = generate();
const present = presentFiles();
const stale = [...new Set([...wanted.keys(), ...present.keys()])].filter((name) => wanted.get(name) !== present.get(name)).sort();
if (process.argv.includes('--check')) {
  if (stale.length > 0) {
    console.error(`specs/gen is stale: ${stale.join(', ')}; run node scripts/generate-proto.ts`);
    process.exitCode = 1;
  }
} else {
  for (const name of stale) {
    const content = wanted.get(name);
    if (content === undefined) rmSync(join(OUT_DIR, name));
    else writeFileSync(join(OUT_DIR, name), content);
  }
  console.log(`specs/gen: ${wanted.size} files, ${stale.length} changed`);
}
