/** Jobs with real sidecars: both APIs, apps of both protocols, several processes on one ledger, kill -9, shutdown, and 100,000 jobs that wait. */
import { once } from 'node:events';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SEED } from '@mecha/components/kit/test-seed.ts';
import { systemClock } from '@mecha/runtime/clock.ts';
import { openSqliteLedger } from '@mecha/runtime/ledger/sqlite-ledger.ts';
import { createLog } from '@mecha/runtime/telemetry/log.ts';
import { AppCallback, AppCallbackAlpha, type JobEventRequest } from '@mecha/specs/gen/appcallback.gen.ts';
import { Dapr } from '@mecha/specs/gen/dapr.gen.ts';
import { StringValue } from '@mecha/specs/gen/wrappers.gen.ts';
import { cleanUp, folder, grpcApp, grpcClient, mecha, request, startSidecar, testApp, type AppAnswer, type AppRequest, type Sidecar, type TestApp } from '../e2e/sidecar.ts';
import { freePorts, seededRandom, until } from '../tools/processes.ts';

afterEach(cleanUp);

const isJob = ({ path }: AppRequest): boolean => path.startsWith('/job/');
const nameOf = ({ path }: AppRequest): string => decodeURIComponent(path.slice('/job/'.length));
const ticksOf = (app: TestApp, name?: string): AppRequest[] => app.requests.filter((made) => isJob(made) && (name === undefined || nameOf(made) === name));
const idOf = ({ headers }: AppRequest): string => String(headers['mecha-job-tick']);
const come = (app: TestApp, name: string, count: number): Promise<unknown> => until(`${count} ticks of ${name}`, () => ticksOf(app, name).length >= count, { withinMs: 20_000 });
const gone = (sidecar: Sidecar, name: string): Promise<unknown> => until(`${name} is gone`, async () => (await sidecar.call('GET', `/jobs/${name}`)).status === 500);

describe('an app that speaks HTTP', () => {
  let app: TestApp;
  let sidecar: Sidecar;
  let answer: (tick: AppRequest) => Promise<AppAnswer | undefined> | AppAnswer | undefined;
  beforeEach(async () => {
    answer = () => ({ body: {} });
    app = await testApp((made) => (isJob(made) ? answer(made) : undefined));
    await app.listen();
    sidecar = await startSidecar({ appPort: app.port });
  });
  const ticks = () => app.requests.filter(isJob);

  test('a job is scheduled, found, ticks with its data, and is deleted; over every path that is known', async () => {
    const data = { text: 'ä€', big: 1.5, list: [null, true] };
    for (const version of ['v1.0', 'v1.0-alpha1', 'v1.0-mecha']) {
      const base = `http://127.0.0.1:${sidecar.httpPort}/${version}/jobs/${version}`;
      expect((await request('POST', base, { schedule: '@every 200ms', repeats: 2, data, failurePolicy: { constant: { interval: '1.5s', maxRetries: 2 } } })).status).toBe(204);
      const found = (await request('GET', base)).json();
      expect(found).toMatchObject({
        name: version, schedule: '@every 200ms', repeats: 2, data: { '@type': 'type.googleapis.com/google.protobuf.Value', value: data }, failurePolicy: { constant: { interval: '1.5s', maxRetries: 2 } },
      });
      await come(app, version, 2);
    }
    await until('all are gone', async () => (await request('GET', `http://127.0.0.1:${sidecar.httpPort}/v1.0-mecha/jobs`)).text === '{"jobs":[]}');
    for (const tick of ticks()) {
      expect(tick.method).toBe('POST');
      expect(tick.headers['content-type']).toBe('application/json');
      expect(JSON.parse(tick.text)).toEqual(data);
      expect(tick.headers['traceparent']).toMatch(/^00-/);
    }
    expect(new Set(ticks().map(idOf)).size).toBe(6);
    await sidecar.call('POST', '/jobs/far', { dueTime: '1h', ttl: '2h' });
    expect(Object.keys((await sidecar.call('GET', '/jobs/far')).json())).toEqual(['name', 'dueTime', 'ttl']);
    expect((await sidecar.call('DELETE', '/jobs/far')).status).toBe(204);
    expect((await sidecar.call('DELETE', '/jobs/far')).status).toBe(204);
    expect((await sidecar.call('GET', '/jobs/far')).json()).toMatchObject({ errorCode: 'DAPR_SCHEDULER_GET_JOB', message: expect.stringContaining('code = NotFound') as string });
  });

  test('data keeps every digit and every blank that was written', async () => {
    await sidecar.call('POST', '/jobs/digits', '{"due_time":"0s","data":{"n": 12345678901234567890.10, "n": 2}}');
    await come(app, 'digits', 1);
    expect(ticks()[0]?.text).toBe('{"n": 12345678901234567890.10, "n": 2}');
  });

  test('what is wrong is told by the codes of the contract', async () => {
    const send = async (name: string, body: unknown) => {
      const { status: code, text } = await sidecar.call('POST', `/jobs/${name}`, body);
      const { errorCode, message, details } = text === '' ? { errorCode: '', message: '', details: [] } : (JSON.parse(text) as { errorCode: string; message: string; details?: { reason: string; metadata: unknown }[] });
      return { code, errorCode, message, details };
    };
    expect(await send('j', { name: 'j', schedule: '@daily' })).toMatchObject({ code: 400, errorCode: 'DAPR_SCHEDULER_JOB_NAME', details: [{ reason: 'DAPR_SCHEDULER_JOB_NAME', metadata: { appID: 'app' } }] });
    expect(await send('j', {})).toMatchObject({ code: 400, errorCode: 'DAPR_SCHEDULER_SCHEDULE_EMPTY', message: 'Schedule is empty', details: [{ metadata: { appID: 'app', namespace: 'default' } }] });
    expect(await send('%20', { schedule: '@daily' })).toMatchObject({ code: 400, errorCode: 'DAPR_SCHEDULER_JOB_NAME_EMPTY' });
    expect(await send('j', 'no JSON')).toMatchObject({ code: 400, errorCode: 'ERR_MALFORMED_REQUEST' });
    expect(await send('j', { schedule: '0 12 * * *' })).toMatchObject({ code: 400, errorCode: 'DAPR_SCHEDULER_SCHEDULE_JOB', message: expect.stringContaining('has five fields') as string });
    expect(await send('j', { dueTime: 'soon' })).toMatchObject({ code: 400, message: expect.stringContaining('dueTime "soon"') as string });
    expect(await send('j', { dueTime: '2h', ttl: '1h' })).toMatchObject({ code: 400, message: expect.stringContaining('before the first tick') as string });
    expect(await send('j', { schedule: '@daily', repeats: -1 })).toMatchObject({ code: 400, errorCode: 'ERR_MALFORMED_REQUEST' });
    expect(await send('j', { schedule: '@daily', mecha: { missed: 'perhaps' } })).toMatchObject({ code: 400, message: expect.stringContaining('missed is one, skip, all') as string });
    expect(await send('j', `{"schedule":"@daily","data":${'['.repeat(5000)}${']'.repeat(5000)}}`)).toMatchObject({ code: 400, message: expect.stringContaining('nested deeper') as string });
    expect(await send('j', { schedule: '@daily', data: 'x'.repeat(1_100_000) })).toMatchObject({ code: 400, message: expect.stringContaining('more than 1048576 bytes') as string });
    expect(await send('a%2Fb', { schedule: '@daily' })).toMatchObject({ code: 400, message: expect.stringContaining('has no slash') as string });
    expect(await send('j', { schedule: '@daily' })).toMatchObject({ code: 204 });
    expect(await send('j', { schedule: '@daily' })).toMatchObject({ code: 409, errorCode: 'DAPR_SCHEDULER_SCHEDULE_JOB' });
    expect(await send('j', { schedule: '@hourly', overwrite: true })).toMatchObject({ code: 204 });
    expect((await sidecar.call('PUT', '/jobs/j', { schedule: '@daily' })).status).not.toBe(204);
  });

  test('a tick that fails is tried again under its id, one that is not known here is done', async () => {
    answer = (tick) => (nameOf(tick) === 'unknown' ? undefined : { status: ticksOf(app, 'flaky').length < 3 ? 503 : 204 });
    await sidecar.call('POST', '/jobs/flaky', { dueTime: '0s', failurePolicy: { constant: { interval: '0.1s', maxRetries: 5 } } });
    await sidecar.call('POST', '/jobs/unknown', { dueTime: '0s' });
    await gone(sidecar, 'flaky');
    await gone(sidecar, 'unknown');
    expect(ticksOf(app, 'flaky').map(({ headers }) => headers['mecha-job-attempt'])).toEqual(['1', '2', '3']);
    expect(new Set(ticksOf(app, 'flaky').map(idOf)).size).toBe(1);
    expect(ticksOf(app, 'unknown')).toHaveLength(1);
  });

  test('ticks wait for an app that is away, in start and in between, and then come once', async () => {
    await app.close();
    await until('the sidecar sees that', () => sidecar.output().includes('the app is away'));
    await sidecar.call('POST', '/jobs/waiting', { schedule: '@every 100ms', repeats: 5 });
    await sidecar.call('POST', '/jobs/once', { dueTime: '0s' });
    await until('several are due', async () => Date.parse((await request('GET', `http://127.0.0.1:${sidecar.httpPort}/v1.0-mecha/jobs/waiting`)).json<{ mecha: { nextAt: string } }>().mecha.nextAt) < Date.now() - 300);
    expect(ticks()).toEqual([]);
    await app.listen();
    await gone(sidecar, 'once');
    await gone(sidecar, 'waiting');
    expect(ticksOf(app, 'once')).toHaveLength(1);
    expect(ticksOf(app, 'waiting').map(({ headers }) => headers['mecha-job-attempt'])).toEqual(['1', '1', '1', '1', '1']);
  });

  test('data that came over gRPC reaches the app as the JSON that it means, else as its bytes', async () => {
    const client = grpcClient(`127.0.0.1:${sidecar.grpcPort}`);
    const schedule = (name: string, typeUrl: string, value: Uint8Array) => client.call(Dapr.ScheduleJob, { job: { name, dueTime: '0s', data: { typeUrl, value } } });
    await schedule('text', '', Buffer.from('  {"plain":1}\n'));
    await schedule('string', 'type.googleapis.com/google.protobuf.StringValue', StringValue.encode({ value: 'x' }));
    await client.call(Dapr.ScheduleJobAlpha1, { job: { name: 'none', dueTime: '0s' } });
    for (const name of ['text', 'string', 'none']) await come(app, name, 1);
    expect([ticksOf(app, 'text')[0]?.text, ticksOf(app, 'none')[0]?.text]).toEqual(['{"plain":1}', '']);
    expect(ticksOf(app, 'string')[0]?.text).toContain('x');
  });

  test('lists are by pages, and what begins alike is deleted together', async () => {
    const own = `http://127.0.0.1:${sidecar.httpPort}/v1.0-mecha/jobs`;
    for (const name of ['a-1', 'a-2', 'a_3', 'b']) await sidecar.call('POST', `/jobs/${name}`, { schedule: '@daily' });
    const page = (await request('GET', `${own}?prefix=a&limit=2`)).json<{ jobs: { name: string }[]; next: string }>();
    expect([page.jobs.map(({ name }) => name), page.next]).toEqual([['a-1', 'a-2'], 'a-2']);
    expect((await request('GET', `${own}?prefix=a&after=a-2`)).json<{ jobs: { name: string }[] }>().jobs.map(({ name }) => name)).toEqual(['a_3']);
    for (const limit of ['0', '1001', '2.5', 'all', '']) {
      expect((await request('GET', `${own}?limit=${limit}`)).json()).toEqual({ errorCode: 'ERR_JOB_REQUEST_INVALID', message: 'limit is a whole number from 1 to 1000' });
    }
    expect((await request('DELETE', own)).json(), 'all, because a word was forgotten').toMatchObject({ errorCode: 'ERR_JOB_PREFIX_MISSING' });
    expect((await request('DELETE', `${own}?prefix=a-`)).json()).toEqual({ deleted: 2 });
    expect((await request('GET', `${own}/a-1`)).status).toBe(404);
    const client = grpcClient(`127.0.0.1:${sidecar.grpcPort}`);
    const listed = await client.call<{ jobs: { name: string }[] }>(Dapr.ListJobsAlpha1, {});
    expect(listed.jobs.map(({ name }) => name)).toEqual(['a_3', 'b']);
    await client.call(Dapr.DeleteJobsByPrefix, { namePrefix: 'b' });
    await client.call(Dapr.DeleteJobsByPrefixAlpha1, {});
    expect((await client.call<{ jobs: unknown[] }>(Dapr.ListJobs, {})).jobs).toEqual([]);
  });

  test('a state machine schedules a job, once, and the app is called', async () => {
    const call = (operation: string, fields: object) =>
      request('POST', `http://127.0.0.1:${sidecar.httpPort}/v1.0-mecha/states`, fields, { 'x-amz-target': `AWSStepFunctions.${operation}`, 'content-type': 'application/x-amz-json-1.0' });
    const definition = JSON.stringify({ StartAt: 'A', States: { A: { Type: 'Task', Resource: 'arn:mecha:jobs:::reminder:schedule', Parameters: { DueTime: '0s', Data: { 'order.$': '$.order' } }, End: true } } });
    const { stateMachineArn } = (await call('CreateStateMachine', { name: 'm', definition, roleArn: 'arn:aws:iam::012345678901:role/r' })).json<{ stateMachineArn: string }>();
    expect((await call('StartExecution', { stateMachineArn, input: '{"order":7}' })).status).toBe(200);
    await come(app, 'reminder', 1);
    expect(JSON.parse(ticksOf(app, 'reminder')[0]?.text ?? '')).toEqual({ order: 7 });
    await gone(sidecar, 'reminder');
    expect(ticksOf(app, 'reminder')).toHaveLength(1);
  });

  test('the command line schedules, lists, shows and deletes', async () => {
    const job = (...words: string[]) => mecha(['job', ...words, '--dapr-http-port', String(sidecar.httpPort)]);
    expect(await job('schedule', 'nightly', '--schedule', '0 0 3 * * *', '--data', '{"n":1}', '--missed', 'skip')).toMatchObject({ code: 0, out: '' });
    expect(await job('schedule', 'nightly', '--schedule', '@daily')).toMatchObject({ code: 1, err: expect.stringContaining('already exists') as string });
    expect((await job('schedule', 'nightly', '--schedule', '@daily', '--overwrite', '--repeats', '3')).code).toBe(0);
    await job('schedule', 'other', '--due', '1h');
    const listed = await job('list');
    expect(listed.out.split('\n')).toHaveLength(3);
    expect(listed.out).toMatch(/nightly\s+@daily/);
    expect(JSON.parse((await job('get', 'nightly')).out)).toMatchObject({ name: 'nightly', schedule: '@daily', repeats: 3, mecha: { ticks: 0 } });
    expect((await job('get', 'none')).code).toBe(3);
    expect((await job('delete', 'nightly')).code).toBe(0);
    expect(await job('delete', '--prefix', 'o')).toMatchObject({ code: 0, out: '1 deleted\n' });
    expect((await job('list')).out).toBe('');
    expect((await job('forget', 'x')).code).not.toBe(0);
  });
});

describe('an app that speaks gRPC', () => {
  interface Seen {
    readonly message: JobEventRequest;
    readonly metadata: Readonly<Record<string, unknown>>;
  }

  test.each([
    ['OnJobEvent', AppCallback.OnJobEvent],
    ['OnJobEventAlpha1 where it knows no other', AppCallbackAlpha.OnJobEventAlpha1],
  ])('is called by %s, with data as a message and the id of the tick beside it', async (_name, method) => {
    const seen: Seen[] = [];
    const appPort = await grpcApp((serve) => serve(method, ({ request: message, metadata }, reply) => {
      seen.push({ message, metadata: metadata.getMap() });
      if (message.name === 'unknown') return reply({ code: status.NOT_FOUND, details: 'no such job' });
      if (message.name === 'failing' && seen.filter((other) => other.message.name === 'failing').length < 2) return reply({ code: status.INTERNAL, details: 'not yet' });
      reply(null, {});
    }));
    const sidecar = await startSidecar({ appPort, args: ['--app-protocol', 'grpc'] });
    const client = grpcClient(`127.0.0.1:${sidecar.grpcPort}`);
    await sidecar.call('POST', '/jobs/json', { dueTime: '0s', data: { n: 1 } });
    await client.call(Dapr.ScheduleJob, { job: { name: 'any', dueTime: '0s', data: { typeUrl: 'example.com/thing', value: Buffer.from([1, 2, 3]) } } }, { 'mecha-job-missed': 'skip' });
    await client.call(Dapr.ScheduleJob, { job: { name: 'unknown', dueTime: '0s' } });
    await client.call(Dapr.ScheduleJob, { job: { name: 'failing', dueTime: '0s', failurePolicy: { constant: { interval: { seconds: 0, nanos: 100_000_000 }, maxRetries: 3 } } } });
    for (const name of ['json', 'any', 'unknown', 'failing']) await gone(sidecar, name);
    const of = (name: string): Seen[] => seen.filter(({ message }) => message.name === name);
    expect(of('json')[0]?.message).toMatchObject({ method: 'job/json', contentType: 'type.googleapis.com/google.protobuf.Value', httpExtension: { verb: 3 }, data: { typeUrl: 'type.googleapis.com/google.protobuf.Value' } });
    expect(of('any')[0]?.message.data).toMatchObject({ typeUrl: 'example.com/thing' });
    expect(Buffer.from(of('any')[0]?.message.data?.value ?? [])).toEqual(Buffer.from([1, 2, 3]));
    expect(of('unknown')).toHaveLength(1);
    expect(of('failing').map(({ metadata }) => metadata['mecha-job-attempt'])).toEqual(['1', '2']);
    expect(new Set(of('failing').map(({ metadata }) => metadata['mecha-job-tick'])).size).toBe(1);
  });

  test('gRPC gives back what gRPC scheduled, and names what is wrong by its codes', async () => {
    const [appPort = 0] = await freePorts(1);
    const sidecar = await startSidecar({ appPort, args: ['--app-protocol', 'grpc'] });
    const client = grpcClient(`127.0.0.1:${sidecar.grpcPort}`);
    const job = { name: 'j', schedule: '0 0 3 * * *', repeats: 4, dueTime: '1h', ttl: '24h', data: { typeUrl: 'example.com/thing', value: Buffer.from('x') }, failurePolicy: { drop: {} } };
    await client.call(Dapr.ScheduleJobAlpha1, { job });
    const { job: found } = await client.call<{ job: Record<string, unknown> }>(Dapr.GetJobAlpha1, { name: 'j' });
    expect(found).toMatchObject({ name: 'j', schedule: '0 0 3 * * *', repeats: 4, dueTime: '1h', data: { typeUrl: 'example.com/thing' }, failurePolicy: { drop: {} } });
    expect(Date.parse(String(found['ttl']))).toBeGreaterThan(Date.now());
    const fails = async (method: Parameters<typeof client.call>[0], message: unknown) => {
      const error = (await client.call(method, message).then(() => undefined, (failure: unknown) => failure)) as { code: number; details: string } | undefined;
      return [error?.code, error?.details];
    };
    expect(await fails(Dapr.ScheduleJob, {})).toEqual([status.INVALID_ARGUMENT, 'Job is empty']);
    expect(await fails(Dapr.ScheduleJob, { job: { name: '' } })).toEqual([status.INVALID_ARGUMENT, 'Name is empty']);
    expect(await fails(Dapr.ScheduleJob, { job: { name: 'x' } })).toEqual([status.INVALID_ARGUMENT, 'Schedule is empty']);
    expect((await fails(Dapr.ScheduleJob, { job }))[0]).toBe(status.ALREADY_EXISTS);
    expect((await fails(Dapr.GetJob, { name: 'none' }))[0]).toBe(status.INTERNAL);
    expect(await fails(Dapr.DeleteJob, { name: '' })).toEqual([status.INVALID_ARGUMENT, 'Name is empty']);
    expect(await fails(Dapr.DeleteJob, { name: 'none' })).toEqual([undefined, undefined]);
  });
});

describe('several processes', () => {
  test('(users 8) of two sidecars of one app each tick is delivered by one, once, and another app sees nothing of it', async () => {
    const app = await testApp(() => ({ body: {} }));
    await app.listen();
    const other = await testApp(() => ({ body: {} }));
    await other.listen();
    const first = await startSidecar({ appPort: app.port });
    await startSidecar({ appPort: app.port, dataDir: first.dataDir });
    const stranger = await startSidecar({ appPort: other.port, dataDir: first.dataDir, appId: 'app-1' });
    for (let n = 0; n < 20; n++) await first.call('POST', `/jobs/j${n}`, { schedule: '@every 100ms', repeats: 10 });
    await until('all have ended', async () => (await request('GET', `http://127.0.0.1:${first.httpPort}/v1.0-mecha/jobs`)).text === '{"jobs":[]}', { withinMs: 30_000 });
    const ticks = ticksOf(app);
    expect(ticks).toHaveLength(200);
    expect(new Set(ticks.map(idOf)).size).toBe(200);
    expect(ticksOf(other)).toEqual([]);
    expect((await stranger.call('GET', '/jobs/j0')).status).toBe(500);
  });

  test('(users 7) the tick of a sidecar that is killed in its midst comes again by another, under the same id', async () => {
    const held = Promise.withResolvers<void>();
    let hold = true;
    const app = await testApp(async (made) => {
      if (!isJob(made) || !hold) return isJob(made) ? { body: {} } : undefined;
      hold = false;
      held.resolve();
      await new Promise(() => undefined);
      return undefined;
    });
    await app.listen();
    const first = await startSidecar({ appPort: app.port });
    await first.call('POST', '/jobs/j', { dueTime: '0s', data: 1 });
    await held.promise;
    const second = await startSidecar({ appPort: app.port, dataDir: first.dataDir });
    await first.process.kill('SIGKILL');
    await gone(second, 'j');
    const ticks = ticksOf(app, 'j');
    expect(ticks).toHaveLength(2);
    expect(new Set(ticks.map(idOf)).size).toBe(1);
    expect(ticks.map(({ headers }) => headers['mecha-job-attempt'])).toEqual(['1', '1']);
  });

  test(`(users 5, 7) sidecars are killed again and again while jobs tick: no tick is lost, and what is given twice has one id (seed ${SEED})`, async () => {
    const random = seededRandom(SEED);
    const app = await testApp((made) => (isJob(made) ? { body: {} } : undefined));
    await app.listen();
    const keeper = await startSidecar({ appId: 'keeper' });
    const start = () => startSidecar({ appPort: app.port, dataDir: keeper.dataDir });
    let sidecars = [await start(), await start()];
    const jobCount = 20;
    // Without an end, so that it does not depend on how fast the machine is: what came is without a gap.
    for (let n = 0; n < jobCount; n++) await sidecars[0]?.call('POST', `/jobs/j${n}`, { schedule: '@every 200ms', mecha: { missed: 'all' } });
    for (let kills = 0; kills < 4; kills++) {
      const seen = app.requests.length;
      await until('more ticks', () => app.requests.length > seen + random() * 25);
      const [victim, other] = random() < 0.5 ? sidecars : sidecars.toReversed();
      await victim?.process.kill('SIGKILL');
      sidecars = [...(other ? [other] : []), await start()];
    }
    const counts = () => Array.from({ length: jobCount }, (_, n) => ticksOf(app, `j${n}`).length);
    const before = counts();
    await until('every job ticks on after the last kill', () => counts().every((count, n) => count > (before[n] ?? 0)), { withinMs: 60_000 });
    const own = `http://127.0.0.1:${sidecars[0]?.httpPort}/v1.0-mecha/jobs`;
    expect((await request('DELETE', `${own}?prefix=`)).json()).toEqual({ deleted: jobCount });
    for (const sidecar of sidecars) {
      sidecar.process.child.kill('SIGTERM');
      expect(await sidecar.process.exited).toBe(0);
    }
    let different = 0;
    for (let n = 0; n < jobCount; n++) {
      const ids = new Set(ticksOf(app, `j${n}`).map(idOf));
      different += ids.size;
      expect([...ids].map((id) => Number(id.split('/')[1])).toSorted((x, y) => x - y), `job ${n}, seed ${SEED}`).toEqual(Array.from({ length: ids.size }, (_, k) => k + 1));
    }
    // No more than what the killed had under way or had not yet told.
    expect(ticksOf(app).length - different, `seed ${SEED}`).toBeLessThanOrEqual(4 * jobCount);
  });

  test('(users 13) a sidecar that is told to stop lets a tick under way end, and the next sidecar goes on after it', async () => {
    const held = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    let count = 0;
    const app = await testApp(async (made) => {
      if (!isJob(made)) return undefined;
      if (count++ === 0) {
        held.resolve();
        await release.promise;
      }
      return { body: {} };
    });
    await app.listen();
    const first = await startSidecar({ appPort: app.port });
    await first.call('POST', '/jobs/j', { schedule: '@every 1s', repeats: 2 });
    await held.promise;
    first.process.child.kill('SIGTERM');
    await until('it drains', () => first.output().includes('shutting down'));
    release.resolve();
    expect(await first.process.exited).toBe(0);
    expect(ticksOf(app)).toHaveLength(1);
    const second = await startSidecar({ appPort: app.port, dataDir: first.dataDir });
    await gone(second, 'j');
    expect(ticksOf(app).map(({ headers }) => String(headers['mecha-job-tick']).split('/')[1])).toEqual(['1', '2']);
  });

  test('(users 6) with 100,000 jobs that wait a sidecar starts, claims what is due and touches nothing else', { timeout: 120_000 }, async () => {
    const dataDir = await folder();
    const path = join(dataDir, 'ledger.db');
    const ledger = await openSqliteLedger({ path, clock: systemClock, log: createLog({ level: 'fatal', json: true, appId: 'test', version: '0' }) });
    const definition = JSON.stringify({ id: 'x', anchor: 0, schedule: '@yearly' });
    const far = Date.now() + 3600_000;
    for (let from = 0; from < 100_000; from += 5000) {
      await ledger.commit(Array.from({ length: 5000 }, (_, n) => ({ type: 'job.put' as const, app: 'default/app', name: `far-${from + n}`, definition, data: Buffer.from('{}'), dueAt: far + n, overwrite: false })));
    }
    await ledger.commit(Array.from({ length: 3 }, (_, n) => ({ type: 'job.put' as const, app: 'default/app', name: `due-${n}`, definition, data: Buffer.from('{}'), dueAt: Date.now() - 1000, overwrite: false })));
    await ledger.close();
    const app = await testApp(() => ({ body: {} }));
    await app.listen();
    const sidecar = await startSidecar({ appPort: app.port, dataDir });
    for (let n = 0; n < 3; n++) await come(app, `due-${n}`, 1);
    const db = new DatabaseSync(path, { readOnly: true });
    await until('they are settled', () => (db.prepare("SELECT COUNT(*) AS count FROM jobs WHERE ticks = 1 AND owner IS NULL").get() as { count: number }).count === 3);
    expect(db.prepare('SELECT COUNT(*) AS jobs, SUM(fence) AS claims FROM jobs').get()).toEqual({ jobs: 100_003, claims: 3 });
    db.close();
    expect(ticksOf(app)).toHaveLength(3);
    sidecar.process.child.kill('SIGTERM');
    await once(sidecar.process.child, 'exit');
  });
});
