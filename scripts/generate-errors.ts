/**
 * Writes docs/errors.md from the error tables of the blocks: every code with its statuses and message. `--check` writes
 * nothing and exits 1 when the page is stale, so that no code can be missing from it.
 */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { KINDS, declaredErrors, type ErrorEntry } from '../runtime/src/errors.ts';

const SOURCES = fileURLToPath(new URL('../runtime/src/', import.meta.url));
const TARGET = fileURLToPath(new URL('../docs/errors.md', import.meta.url));
const GRPC_NAMES = ['OK', 'CANCELLED', 'UNKNOWN', 'INVALID_ARGUMENT', 'DEADLINE_EXCEEDED', 'NOT_FOUND', 'ALREADY_EXISTS', 'PERMISSION_DENIED', 'RESOURCE_EXHAUSTED', 'FAILED_PRECONDITION', 'ABORTED', 'OUT_OF_RANGE', 'UNIMPLEMENTED', 'INTERNAL', 'UNAVAILABLE', 'DATA_LOSS', 'UNAUTHENTICATED'];

// Loading a module that declares a table is what fills `declaredErrors`.
for (const file of (await readdir(SOURCES, { recursive: true })).sort()) {
  if (!file.endsWith('.ts') || file.endsWith('.test.ts')) continue;
  const path = join(SOURCES, file);
  if (/^export const \w+ = errorTable\(/m.test(await readFile(path, 'utf8'))) await import(pathToFileURL(path).href);
}

/** The message with the names of its arguments in their places. */
function messageOf(entry: ErrorEntry): string {
  const names = /^[^(]*\(([^)]*)\)/.exec(String(entry.make))?.[1]?.split(',').map((name) => name.trim().replace(/\s*[=:].*$/, '')).filter((name) => name !== '') ?? [];
  for (const asList of [false, true]) {
    try {
      return entry.make(...(names.map((name) => (asList ? [`‹${name}›`] : `‹${name}›`)) as never[])).message;
    } catch {
      // This argument is no text: tried as a list.
    }
  }
  return '';
}

const sections = [...declaredErrors].sort(([a], [b]) => (a < b ? -1 : 1)).map(([block, entries]) => {
  const rows = Object.values(entries as Readonly<Record<string, ErrorEntry>>).map((entry) => {
    const [http, grpc] = KINDS[entry.kind];
    const message = messageOf(entry).replaceAll('|', '\\|').replaceAll('\n', ' ');
    return `| ${entry.code} | ${entry.httpStatus ?? http} | ${GRPC_NAMES[entry.grpcCode ?? grpc] ?? ''} | ${message} |`;
  });
  return `## ${block}\n\n| Code | HTTP | gRPC | Message |\n|---|---|---|---|\n${rows.join('\n')}\n`;
});
const text = `<!-- Written by scripts/generate-errors.ts; do not edit. -->

# Errors

Every failure has a code that does not change, an HTTP status and a gRPC code. Over HTTP the body is
\`{"errorCode", "message", "details"?}\`; over gRPC rich errors carry \`google.rpc\` details in \`grpc-status-details-bin\`. Words
in ‹› stand for what the call was about. Anything that is none of these is \`ERR_INTERNAL\` (500, INTERNAL) with an id under
which the sidecar's log has the rest. A 503 / UNAVAILABLE carries Retry-After.

${sections.join('\n')}
## Not in this shape

| Answer | When |
|---|---|
| 401 text/plain \`invalid api token\` | The API token is missing or wrong. Over gRPC: UNAUTHENTICATED. |
| 400 text/plain | The request path has no canonical form, or a parameter cannot be decoded. |
| 404 text/plain \`404 page not found\` | A path that the public port does not serve. |
| 431 | The request's headers are larger than \`--read-buffer-size\` and 4 KiB. |
`;

if (process.argv.includes('--check')) {
  const now = await readFile(TARGET, 'utf8').catch(() => '');
  if (now !== text) {
    process.stderr.write('docs/errors.md is stale; run: npm run generate\n');
    process.exitCode = 1;
  }
} else {
  await writeFile(TARGET, text);
  process.stdout.write(`docs/errors.md: ${sections.length} tables\n`);
}
