/** `mecha run`: what the app gets, what becomes of its output, its signals and its exit code; and several apps from one file. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { freePorts, startMecha, until, type Running } from '../tools/processes.ts';
import { cleanUp, component, folder, folderWith, later, mecha, request } from './sidecar.ts';

afterEach(cleanUp);

/** An app that listens on APP_PORT and answers with its environment. */
const SERVER = `
const { createServer } = require('node:http');
createServer((request, response) => response.end(JSON.stringify(process.env))).listen(Number(process.env.APP_PORT), '127.0.0.1', () => console.log('listening'));
process.on('SIGTERM', () => { console.log('asked to end'); process.exit(0); });
`;
type Env = Record<string, string>;
interface Ready {
  readonly apps: readonly { appId: string; pid: number; appPort: number; httpPort: number; grpcPort: number }[];
  readonly metricsPort: number;
}

async function startRun(path: string, args: readonly string[] = [], env: Env = {}): Promise<{ run: Running; ready: Ready; readyFile: string; output: () => string; app: (id: string) => Ready['apps'][number] }> {
  const readyFile = join(await folder(), 'ready.json');
  const run = startMecha(['run', '-f', path, '--data-dir', await folder(), '--ready-file', readyFile, ...args], env);
  later(async () => {
    run.child.kill('SIGTERM');
    await run.exited;
  });
  const ready = await until('all are ready', async () => JSON.parse(await readFile(readyFile, 'utf8')) as Ready, { about: run });
  const app = (id: string) => {
    const found = ready.apps.find(({ appId }) => appId === id);
    if (!found) throw new Error(`no app ${id} in ${JSON.stringify(ready)}`);
    return found;
  };
  return { run, ready, readyFile, output: () => run.lines.join('\n'), app };
}
const envOf = async (port: number): Promise<Env> => (await request('GET', `http://127.0.0.1:${port}/`)).json<Env>();

describe('one app', () => {
  test('finds ports and names in its environment, its output is prefixed, and its exit code is the end', async () => {
    const [appPort = 0] = await freePorts(1);
    const script = `console.log(JSON.stringify(Object.fromEntries(Object.entries(process.env).filter(([name]) => /^(APP_|DAPR_)/.test(name))))); console.error('to the error output'); process.exit(7)`;
    const { code, out } = await mecha(['run', '--app-id', 'single', '--app-port', String(appPort), '--data-dir', await folder(), '--', process.execPath, '-e', script]);
    expect(code).toBe(7);
    const lines = out.split('\n');
    const shown = lines.find((line) => line.startsWith('== APP - single == {')) ?? '';
    const env = JSON.parse(shown.slice('== APP - single == '.length)) as Env;
    expect(env).toEqual({
      APP_ID: 'single', APP_PORT: String(appPort), APP_PROTOCOL: 'http', APP_CHANNEL_ADDRESS: '127.0.0.1',
      DAPR_HTTP_PORT: expect.stringMatching(/^\d+$/), DAPR_GRPC_PORT: expect.stringMatching(/^\d+$/), DAPR_METRICS_PORT: expect.stringMatching(/^\d+$/),
    });
    expect(lines).toContain('== APP - single == to the error output');
    expect(lines.some((line) => line.startsWith('== MECHA - single == ') && line.includes('mecha started'))).toBe(true);
    expect(lines).toContain('== APP - single == ended with code 7');
  });

  test('gets the signal that mecha run got, and ends in order', async () => {
    const run = startMecha(['run', '--app-id', 'single', '--app-port', String((await freePorts(1))[0]), '--data-dir', await folder(), '--', process.execPath, '-e', SERVER]);
    later(() => run.kill('SIGKILL'));
    await until('it is ready', () => run.lines.some((line) => line.startsWith('single is ready')), { about: run });
    run.child.kill('SIGTERM');
    expect(await run.exited, run.lines.join('\n')).toBe(0);
    expect(run.lines).toContain('== APP - single == asked to end');
  });

  test('a command that cannot be started is named, with 127', async () => {
    const { code, out } = await mecha(['run', '--app-id', 'single', '--data-dir', await folder(), '--', 'no-such-command-anywhere']);
    expect([code, out]).toEqual([127, expect.stringContaining('no-such-command-anywhere cannot be started: ')]);
  });
});

describe('several apps', () => {
  const app = (id: string, more = ''): string => `  - { appID: ${id}, appDirPath: ${id}, appPort: 0, command: [${process.execPath}, app.cjs]${more} }\n`;

  test('each has its own ports, tokens, secrets and environment; they call each other without any token', async () => {
    const path = await folderWith({
      'mecha.yaml': `version: 1\ncommon: { resourcesPath: resources, env: { SHARED: common, LEVEL: common } }\napps:\n${app('one', ', env: { DAPR_API_TOKEN: token-one, APP_API_TOKEN: app-one, ONLY_ONE: secret-one, LEVEL: own }')}${app('two', ', env: { DAPR_API_TOKEN: token-two, ONLY_TWO: secret-two }')}`,
      'resources/all.yaml': component('statestore', 'state.sqlite') + component('env', 'secretstores.local.env'),
      'one/app.cjs': SERVER,
      'two/app.cjs': SERVER,
    });
    const { ready, app: of, run } = await startRun(path, [], { FROM_OUTSIDE: 'yes' });
    const [one, two] = [of('one'), of('two')];
    const ports = ready.apps.flatMap(({ appPort, httpPort, grpcPort }) => [appPort, httpPort, grpcPort]);
    expect(new Set([...ports, ready.metricsPort]).size).toBe(7);

    const [envOne, envTwo] = [await envOf(one.appPort), await envOf(two.appPort)];
    expect(envOne).toMatchObject({ APP_ID: 'one', APP_PORT: String(one.appPort), DAPR_HTTP_PORT: String(one.httpPort), DAPR_API_TOKEN: 'token-one', SHARED: 'common', LEVEL: 'own', FROM_OUTSIDE: 'yes' });
    expect(envTwo).toMatchObject({ APP_ID: 'two', DAPR_API_TOKEN: 'token-two', SHARED: 'common', LEVEL: 'common' });
    expect(JSON.stringify(envTwo)).not.toMatch(/token-one|app-one|secret-one/);
    expect(JSON.stringify(envOne)).not.toMatch(/token-two|secret-two/);

    const ask = (port: number, path: string, token: string) => request('GET', `http://127.0.0.1:${port}/v1.0${path}`, undefined, { 'dapr-api-token': token });
    expect((await ask(one.httpPort, '/metadata', 'token-two')).status).toBe(401);
    expect((await ask(two.httpPort, '/metadata', 'token-one')).status).toBe(401);
    expect((await ask(one.httpPort, '/secrets/env/ONLY_ONE', 'token-one')).json()).toEqual({ ONLY_ONE: 'secret-one' });
    expect((await ask(one.httpPort, '/secrets/env/ONLY_TWO', 'token-one')).text).not.toContain('secret-two');
    expect((await ask(two.httpPort, '/secrets/env/bulk', 'token-two')).text).not.toMatch(/secret-one/);
    const called = await ask(one.httpPort, '/invoke/two/method/x', 'token-one');
    expect(called.json()).toMatchObject({ APP_ID: 'two' });
    expect(run.lines.join('\n')).not.toMatch(/token-one|token-two|secret-one|secret-two/);

    const metrics = await request('GET', `http://127.0.0.1:${ready.metricsPort}/metrics`);
    for (const id of ['one', 'two']) expect(metrics.text).toContain(`app_id="${id}"`);
  });

  test('an app starts when those that it depends on are ready, and the ready file goes with the run', async () => {
    const path = await folderWith({
      'mecha.yaml': `version: 1\napps:\n${app('last', ', dependsOn: [middle]')}${app('middle', ', dependsOn: [early]')}${app('early')}`,
      'last/app.cjs': SERVER, 'middle/app.cjs': SERVER, 'early/app.cjs': SERVER,
    });
    const { run, readyFile } = await startRun(path);
    const at = (line: string): number => run.lines.findIndex((found) => found.startsWith(line));
    const order = ['early is ready', '== APP - middle == listening', 'middle is ready', '== APP - last == listening', 'last is ready'].map(at);
    expect(order).toEqual(order.toSorted((a, b) => a - b));
    expect(order[0]).toBeGreaterThanOrEqual(0);
    run.child.kill('SIGTERM');
    expect(await run.exited).toBe(0);
    await expect(readFile(readyFile)).rejects.toThrow('ENOENT');
  });

  test('one app that ends leaves the others; --exit-on-failure ends all with its code', async () => {
    // Not at what its sidecar asks it in the beginning: all are to be ready first.
    const failing = `require('node:http').createServer((request, response) => { response.end(); if (request.url === '/fail') process.exit(5); }).listen(Number(process.env.APP_PORT), '127.0.0.1');`;
    const files = { 'mecha.yaml': `version: 1\napps:\n${app('steady')}${app('failing')}`, 'steady/app.cjs': SERVER, 'failing/app.cjs': failing };
    const path = await folderWith(files);
    const { run, app: of } = await startRun(path);
    await fetch(`http://127.0.0.1:${of('failing').appPort}/fail`).catch(() => undefined);
    await until('its end is told', () => run.lines.includes('== APP - failing == ended with code 5'), { about: run });
    expect((await request('GET', `http://127.0.0.1:${of('steady').httpPort}/v1.0/invoke/steady/method/x`)).json()).toMatchObject({ APP_ID: 'steady' });
    run.child.kill('SIGTERM');
    expect(await run.exited, 'the code of the app that failed').toBe(5);

    const strict = await startRun(path, ['--exit-on-failure']);
    await fetch(`http://127.0.0.1:${strict.app('failing').appPort}/fail`).catch(() => undefined);
    expect(await strict.run.exited).toBe(5);
    expect(strict.run.lines).toContain('== APP - steady == asked to end');
  });

  test('dapr.yaml is taken too, and a circle or an unknown id in dependsOn is told with its line', async () => {
    const path = await folderWith({ 'dapr.yaml': `version: 1\napps:\n${app('a', ', dependsOn: [b]')}${app('b', ', dependsOn: [a]')}${app('c', ', dependsOn: [bb]')}`, 'a/x': '', 'b/x': '', 'c/x': '' });
    const { code, err } = await mecha(['run', '-f', path, '--data-dir', await folder()]);
    expect(code).toBe(1);
    expect(err).toMatch(/dapr\.yaml:\d+: error: these apps wait for one another: a -> b -> a/);
    expect(err).toMatch(/dapr\.yaml:5: error: there is no app bb in this file.*did you mean b\?/);
  });
});
