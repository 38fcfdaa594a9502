/** docs/state-machines.md as it stands: its resource is written, its commands are run by a shell, and each `# → text` must be in what its line printed. */
import { spawn } from 'node:child_process';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { cleanUp, folder, later } from '../e2e/sidecar.ts';
import { freePorts, MECHA } from '../tools/processes.ts';

afterEach(cleanUp);

/** What the page asks of curl, for machines that have none. */
const CURL = `
const [flags, url] = [{ headers: {} }, []];
for (let args = process.argv.slice(2); args.length > 0;) {
  const arg = args.shift();
  if (arg === '-H') { const [, name, value] = /^([^:]+): *(.*)$/.exec(args.shift()); flags.headers[name] = value; }
  else if (arg === '-d') Object.assign(flags, { method: 'POST', body: args.shift() });
  else if (arg !== '-s') url.push(arg);
}
process.stdout.write(await (await fetch(url[0], flags)).text() + '\\n');
`;

test('every command of the page on state machines does what the page says', { timeout: 180_000 }, async () => {
  const page = await readFile(new URL('../../docs/state-machines.md', import.meta.url), 'utf8');
  const blocks = (language: string): string[] => [...page.matchAll(new RegExp(`\`\`\`${language}\\n(.*?)\`\`\``, 'gs'))].map(([, text = '']) => text);
  const [port = 0, grpcPort = 0] = await freePorts(2);
  const place = await folder();
  
  await mkdir(join(place, 'resources'));
  await writeFile(join(place, 'resources/parcel.yaml'), `${blocks('yaml')[0] ?? ''}---
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: pubsub }
spec: { type: pubsub.in-memory, version: v1, metadata: [] }
`);
  await writeFile(join(place, 'curl.mjs'), CURL);
  for (const [name, command] of [['curl', join(place, 'curl.mjs')], ['mecha', MECHA]] as const) {
    await writeFile(join(place, name), `#!/bin/sh\nexec '${process.execPath}' '${command}' "$@"\n`);
    await chmod(join(place, name), 0o755);
  }
  const lines = blocks('sh').flatMap((block) => block.trimEnd().split('\n')).map((line) => line.replaceAll('3500', String(port)));
  const wanted = lines.flatMap((line, number) => /# → (.*)$/.exec(line)?.slice(1).map((text) => ({ number, line, text })) ?? []);
  expect(wanted.length).toBeGreaterThan(8);
  const script = lines.map((line, number) => `echo '@@${number}'\n${line.replace(/(mecha sidecar .*) &$/, `$1 --dapr-grpc-port ${grpcPort} --metrics-port 0 > /dev/null & mecha sidecar --wait --dapr-http-port ${port}`)}`).join('\n');
  const shell = spawn('sh', ['-e', '-c', script], { cwd: place, detached: true, env: { ...process.env, PATH: `${place}:${process.env['PATH'] ?? ''}`, MECHA_DATA_DIR: join(place, 'data'), APP_ID: 'shop' }, stdio: ['ignore', 'pipe', 'pipe'] });
  later(async () => {
    if (shell.pid !== undefined) process.kill(-shell.pid, 'SIGKILL');
  });
  let printed = '';
  for (const stream of [shell.stdout, shell.stderr]) stream.on('data', (chunk: Buffer) => (printed += chunk.toString('utf8')));
  const code = await new Promise<number | null>((resolve) => shell.once('exit', resolve));
  expect(code, printed).toBe(0);
  const outputs = new Map(printed.split(/^@@/m).map((part) => [Number.parseInt(part, 10), part.slice(part.indexOf('\n') + 1)]));
  for (const { number, line, text } of wanted) expect(outputs.get(number), line).toContain(text);
});
