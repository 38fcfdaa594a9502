import { LedgerRefused, type Ledger } from '@mecha/components/kit';
import { createTurnedClock } from '@mecha/components/kit/testing.ts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { anyOfData, bodyOfData, jsonOfData } from '../../jobs/job-data.ts';
import { Struct, Value } from '@mecha/specs/gen/struct.gen.ts';
import { valueOf } from '../../json/struct-value.ts';
import { createJobsBlock } from './jobs.ts';
import { openJobs, type JobsUnderTest } from './testing.ts';

let jobs: JobsUnderTest;
beforeEach(() => {
  jobs = openJobs();
});
afterEach(() => jobs.close());

test('a job is told as it was asked for, with when it is due', async () => {
  await jobs.schedule('j', { schedule: '@every 1h', repeats: 3, dueTime: '10m', ttl: 'P1D', data: { value: Buffer.from('1') }, failurePolicy: { drop: true }, overlap: 'skip' });
  expect(await jobs.block.get('j')).toEqual({
    name: 'j', schedule: '@every 1h', repeats: 3, dueTime: '10m', ttl: '2026-01-02T00:00:00.000Z', data: { value: new Uint8Array(Buffer.from('1')) }, failurePolicy: { drop: true },
    missed: 'one', overlap: 'skip', nextAt: jobs.clock.now() + 600_000, ticks: 0, attempt: 1,
  });
  await jobs.schedule('plain', { dueTime: '2026-05-01T00:00:00+02:00' });
  expect(await jobs.block.get('plain')).toEqual({ name: 'plain', dueTime: '2026-05-01T00:00:00+02:00', missed: 'one', overlap: 'wait', nextAt: Date.UTC(2026, 3, 30, 22), ticks: 0, attempt: 1 });
});

test.each([
  ['a slash in its name', { name: 'a/b' }, /no slash/],
  ['a control character in its name', { name: 'a\nb' }, /control characters/],
  ['half a character in its name', { name: 'a\ud800' }, /halves/],
  ['a name that is too long', { name: 'ä'.repeat(257) }, /512 bytes/],
  ['a date that never comes', { schedule: '0 0 0 31 2 *' }, /never comes/],
  ['a time to live that has passed', { ttl: '2025-12-31T00:00:00Z' }, /has passed/],
  ['a time to live before its first tick', { dueTime: '2h', ttl: '1h' }, /before the first tick/],
  ['a schedule as long as a book', { schedule: ' '.repeat(1001) }, /longer than 1000/],
  ['too much to carry', { data: { value: Buffer.alloc(1024 * 1024 + 1) } }, /1048576 bytes/],
  ['a policy that nobody knows', { overlap: 'all' }, /overlap is wait, skip/],
  ['policies that contradict each other', { missed: 'all', overlap: 'skip' }, /only one of them/],
])('a job with %s is refused with the reason, and nothing is kept', async (_what, request, reason) => {
  await expect(jobs.schedule('j', { schedule: '@daily', ...request })).rejects.toThrow(reason);
  await expect(jobs.schedule('j', { schedule: '@daily', ...request })).rejects.toMatchObject({ code: 'DAPR_SCHEDULER_SCHEDULE_JOB', kind: 'invalid' });
  expect(await jobs.block.listAll()).toEqual([]);
});

test('the same wish twice is one job, another wish of the same name is refused', async () => {
  await jobs.schedule('j', { dueTime: '1h', idempotencyKey: 'one' });
  await jobs.schedule('j', { dueTime: '1h', idempotencyKey: 'one' });
  await expect(jobs.schedule('j', { dueTime: '1h', idempotencyKey: 'two' })).rejects.toMatchObject({ kind: 'already-exists' });
  await expect(jobs.schedule('j', { dueTime: '1h' })).rejects.toMatchObject({ kind: 'already-exists' });
});

test('one answer holds no more than it may: a longer list is refused by name, pages are not', async () => {
  const clock = createTurnedClock();
  const row = { row: 1, app: 'default/app', definition: '{"id":"x","anchor":0,"data":{}}', data: new Uint8Array(1024 * 1024), createdAt: 0, dueAt: 0, ticks: 0, attempt: 1, freeAt: 0 };
  const list: Ledger['jobs']['list'] = async ({ after = '', limit }) => Array.from({ length: Math.min(limit, 40) }, (_, n) => ({ ...row, name: `${after}${n}` }));
  const block = createJobsBlock({ appId: 'app', namespace: 'default', ledger: { commit: jobs.ledger.commit.bind(jobs.ledger), jobs: { ...jobs.ledger.jobs, list } }, clock, uuid: () => '1' });
  await expect(block.listAll()).rejects.toMatchObject({ code: 'DAPR_SCHEDULER_LIST_JOBS', message: expect.stringContaining('by pages') as string });
  expect((await block.list({ limit: 10 })).jobs).toHaveLength(10);
});

test('what the ledger refuses is told by the code of the operation', async () => {
  const refuse = () => Promise.reject(new LedgerRefused('disk-full', 'no space is left'));
  const block = createJobsBlock({ appId: 'app', namespace: 'default', ledger: { commit: refuse, jobs: { ...jobs.ledger.jobs, find: refuse, list: refuse } }, clock: jobs.clock, uuid: () => '1' });
  const codeOf = (work: Promise<unknown>) => work.then(() => undefined, (error: { code?: string }) => error.code);
  expect(await codeOf(block.schedule({ name: 'j', dueTime: '1s', overwrite: false }))).toBe('DAPR_SCHEDULER_SCHEDULE_JOB');
  expect(await codeOf(block.get('j'))).toBe('DAPR_SCHEDULER_GET_JOB');
  expect(await codeOf(block.listAll())).toBe('DAPR_SCHEDULER_LIST_JOBS');
  expect(await codeOf(block.delete('j'))).toBe('DAPR_SCHEDULER_DELETE_JOB');
  expect(await codeOf(block.deleteByPrefix('j'))).toBe('DAPR_SCHEDULER_DELETE_JOB');
});

describe('what a job carries', () => {
  const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();
  const value = { a: [1, 'x', null, { b: true }] };

  test('JSON is JSON to one side and a Value to the other', () => {
    const data = { value: Buffer.from(JSON.stringify(value)) };
    expect(text(bodyOfData(data))).toBe(JSON.stringify(value));
    const any = anyOfData(data);
    expect(any.typeUrl).toBe('type.googleapis.com/google.protobuf.Value');
    expect(text(bodyOfData({ typeUrl: any.typeUrl ?? '', value: any.value ?? new Uint8Array() }))).toBe(JSON.stringify(value));
    expect(JSON.parse(jsonOfData(data))).toEqual({ '@type': any.typeUrl, value });
  });

  test('messages of known types are shown as JSON, others as base64, and bytes that are not of their type too', () => {
    expect(JSON.parse(jsonOfData({ typeUrl: 'type.googleapis.com/google.protobuf.Struct', value: Struct.encode({ fields: { n: { numberValue: 1 } } }) }))).toMatchObject({ value: { n: 1 } });
    expect(JSON.parse(jsonOfData({ typeUrl: 'type.googleapis.com/google.protobuf.Value', value: Value.encode(valueOf(value)) }))).toMatchObject({ value });
    expect(JSON.parse(jsonOfData({ typeUrl: 'example.com/thing', value: Buffer.from('hi') }))).toEqual({ '@type': 'example.com/thing', value: 'aGk=' });
    expect(JSON.parse(jsonOfData({ typeUrl: 'type.googleapis.com/google.protobuf.Value', value: Buffer.from('{"plain":1}') }))).toMatchObject({ value: Buffer.from('{"plain":1}').toString('base64') });
  });

  test('an app that speaks HTTP gets the bytes of other messages, trimmed of blanks', () => {
    expect(text(bodyOfData({ typeUrl: '', value: Buffer.from(' \t{"a":1}\r\n') }))).toBe('{"a":1}');
    expect(text(bodyOfData({ typeUrl: 'x', value: Buffer.from('  ') }))).toBe('');
    expect(text(bodyOfData({ typeUrl: 'google.protobuf.Value', value: Buffer.from('{"not":"a Value"}') }))).toBe('{"not":"a Value"}');
  });
});
