/**
 * `npm run corpus -- FILE`: drives recorded executions over the Step Functions API and prints what came of each that differs, and passed/total.
 * Against a sidecar of its own with an empty data folder, or against the endpoint that is given.
 */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { corpusFile, readCorpus, type CorpusCase } from './cases.ts';
import { driveCase, StatesApiError } from './states-client.ts';
import { freePorts, startMecha, temporaryFolder, untilStatus } from '../tools/processes.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { endpoint: { type: 'string' }, only: { type: 'string' }, parallel: { type: 'string', default: '8' }, help: { type: 'boolean', default: false } },
});

if (values.help) {
  console.log(`npm run corpus -- [FILE] [--endpoint URL] [--only TEXT] [--parallel N]

Drives the cases of FILE (JSON: name, definition, input, expected.events; default ${corpusFile()}) over the Step Functions API
and compares the histories. --endpoint: a running sidecar, http://127.0.0.1:3500/v1.0-mecha/states; otherwise one is started.
--only: cases whose name holds the text.`);
} else {
  const file = positionals[0] === undefined ? corpusFile() : resolve(positionals[0]);
  const cases = readCorpus(file);
  if (!cases) {
    console.error(`corpus: there is no file ${file}`);
    process.exitCode = 2;
  } else process.exitCode = await run(cases.filter(({ name }) => values.only === undefined || name.includes(values.only)));
}

async function run(cases: readonly CorpusCase[]): Promise<number> {
  const undo: (() => Promise<unknown>)[] = [];
  try {
    const endpoint = values.endpoint ?? (await ownSidecar(undo));
    const failed = new Map<string, string>();
    const waiting = cases.entries();
    const worker = async (): Promise<void> => {
      for (const [at, one] of waiting) {
        const difference = await driveCase(endpoint, one, `corpus-${process.pid}-${at}`).catch((error: unknown) => {
          if (error instanceof StatesApiError) return error.message;
          throw error;
        });
        if (difference !== undefined) failed.set(one.name, difference);
      }
    };
    await Promise.all(Array.from({ length: Math.max(1, Number(values.parallel)) }, worker));
    for (const [name, difference] of failed) console.log(`${name}\n  ${difference}`);
    console.log(`${cases.length - failed.size}/${cases.length}`);
    return failed.size === 0 && cases.length > 0 ? 0 : 1;
  } finally {
    for (const one of undo.reverse()) await one();
  }
}

async function ownSidecar(undo: (() => Promise<unknown>)[]): Promise<string> {
  const { path, remove } = await temporaryFolder();
  undo.push(remove);
  const [http = 0, grpc = 0] = await freePorts(2);
  const sidecar = startMecha(['sidecar', '--app-id', 'corpus', '--dapr-http-port', String(http), '--dapr-grpc-port', String(grpc), '--metrics-port', '0', '--data-dir', path, '--log-level', 'warn']);
  undo.push(() => sidecar.kill('SIGTERM'));
  await untilStatus(`http://127.0.0.1:${http}/v1.0/healthz/outbound`, 204, sidecar);
  return `http://127.0.0.1:${http}/v1.0-mecha/states`;
}
