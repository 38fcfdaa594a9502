/**
 * The promises of the ledger port as test cases, for every implementation. Invariants are cited by their numbers in
 * `kit/ledger.ts`.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { LedgerConflict, LedgerRefused, type ClaimedMessage, type DeadLetter, type DeadLetterRow, type Ledger, type LedgerOperation, type OutboxRecord, type SidecarRow } from '../index.ts';
import { createTurnedClock, until, type TurnedClock } from '../testing.ts';

export interface LedgerUnderTest {
  /** An empty ledger on this clock. */
  open(clock: TurnedClock): Promise<Ledger>;
  /** The same data again after `close`; absent when nothing persists. */
  reopen?(clock: TurnedClock): Promise<Ledger>;
}

const DAY_MS = 24 * 3600_000;
const RETENTION = { retentionMs: DAY_MS, bytesMax: 1024 * 1024 };
const bytes = (text: string): Buffer => Buffer.from(text);
const text = (data: Uint8Array | undefined): string => Buffer.from(data ?? []).toString();

const set = (key: string, value: string, conditions: { ifEtag?: string; ifAbsent?: boolean; expiresAt?: number } = {}): LedgerOperation => ({ type: 'state.set', table: 't', key, data: bytes(value), binary: false, ...conditions });
const append = (topic: string, value: string, retention = RETENTION): LedgerOperation => ({ type: 'topic.append', topic, message: { id: value, data: bytes(value), metadata: { m: value }, contentType: 'text/plain' }, retention });
const outboxRecord = (id: string, appId = 'app'): OutboxRecord => ({ id, appId, pubsub: 'p', topic: 't', data: bytes(id), contentType: 'application/json', metadata: { a: 'b' }, createdAt: 1 });
const deadLetter = (id: string, at: number, appId = 'app'): DeadLetter => ({ id, appId, pubsub: 'p', topic: 't', group: 'g', deadLetterTopic: 'd', reason: 'failed', attempts: 5, data: bytes(id), metadata: { k: 'v' }, at });
const sidecar = (instanceId: string, appId: string, startedAt = 1): SidecarRow => ({ instanceId, appId, namespace: 'default', pid: process.pid, socketPath: '/x', httpPort: 1, grpcPort: 2, startedAt });
const refOf = ({ topic, group, sequence }: ClaimedMessage) => ({ topic, group, sequence });

export function ledgerConformance(name: string, subject: LedgerUnderTest): void {
  describe(`ledger conformance: ${name}`, () => {
    let clock: TurnedClock;
    let startMs: number;
    let ledger: Ledger;
    beforeEach(async () => {
      clock = createTurnedClock();
      startMs = clock.now();
      ledger = await subject.open(clock);
    });
    afterEach(() => ledger.close());

    const read = async (key: string) => (await ledger.readState('t', [key]))[0];
    const claim = (topic: string, group: string, limit = 100) => ledger.claimMessages({ topic, group, limit });
    const values = (messages: readonly ClaimedMessage[]) => messages.map(({ data }) => text(data));

    describe('state', () => {
      test('a row is read as written, with a new etag at each write, and sees every commit that has resolved', async () => {
        const [first] = await ledger.commit([set('a', '1')]);
        expect(await read('a')).toMatchObject({ key: 'a', binary: false, etag: first?.etag });
        const [second] = await ledger.commit([{ type: 'state.set', table: 't', key: 'a', data: new Uint8Array([0, 255]), binary: true }]);
        const row = await read('a');
        expect(second?.etag).not.toBe(first?.etag);
        expect([row?.etag, row?.binary, Array.from(row?.data ?? [])]).toEqual([second?.etag, true, [0, 255]]);
      });

      test('rows are read in the order asked, missing ones as undefined; tables are apart', async () => {
        await ledger.commit([set('a', '1'), set('b', '2')]);
        expect((await ledger.readState('t', ['b', 'gone', 'a'])).map((row) => row && text(row.data))).toEqual(['2', undefined, '1']);
        expect(await ledger.readState('other', ['a'])).toEqual([undefined]);
      });

      test('(L1) a batch is applied whole or not at all', async () => {
        await ledger.commit([set('a', '1')]);
        const failing = ledger.commit([set('b', '2'), append('x', 'never'), { type: 'outbox.add', record: outboxRecord('never') }, set('a', '3', { ifEtag: 'stale' })]);
        await expect(failing).rejects.toSatisfy((error: unknown) => error instanceof LedgerConflict && error.key === 'a' && error.index === 3);
        expect([await read('b'), text((await read('a'))?.data)]).toEqual([undefined, '1']);
        expect((await ledger.topicStatus('x')).messages).toBe(0);
        expect(await ledger.outbox.pending('app')).toBe(0);
      });

      test('(L1) a refused batch spoils none of those that share its commit', async () => {
        const outcomes = await Promise.allSettled(Array.from({ length: 50 }, (_, n) => ledger.commit([set(`k${n}`, 'x'), ...(n % 3 === 0 ? [set('no', 'x', { ifEtag: 'stale' })] : [])])));
        for (const [n, outcome] of outcomes.entries()) {
          expect(outcome.status).toBe(n % 3 === 0 ? 'rejected' : 'fulfilled');
          expect(await read(`k${n}`) === undefined).toBe(n % 3 === 0);
        }
      });

      test('conditions: an etag must match a live row, ifAbsent wants none, and of many first writers one wins', async () => {
        await expect(ledger.commit([set('a', '1', { ifEtag: 'any' })])).rejects.toBeInstanceOf(LedgerConflict);
        const outcomes = await Promise.allSettled(Array.from({ length: 20 }, (_, n) => ledger.commit([set('a', String(n), { ifAbsent: true })])));
        expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
        const row = await read('a');
        await ledger.commit([set('a', 'next', { ifEtag: row?.etag ?? '' })]);
        await expect(ledger.commit([set('a', 'stale', { ifEtag: row?.etag ?? '' })])).rejects.toBeInstanceOf(LedgerConflict);
        expect(text((await read('a'))?.data)).toBe('next');
      });

      test('a delete says whether there was something, and its etag must match', async () => {
        await ledger.commit([set('a', '1')]);
        await expect(ledger.commit([{ type: 'state.delete', table: 't', key: 'a', ifEtag: 'stale' }])).rejects.toBeInstanceOf(LedgerConflict);
        expect(await ledger.commit([{ type: 'state.delete', table: 't', key: 'a' }])).toEqual([{ deleted: true }]);
        expect(await ledger.commit([{ type: 'state.delete', table: 't', key: 'a' }])).toEqual([{ deleted: false }]);
      });

      test('an expired row is gone for readers and for conditions', async () => {
        await ledger.commit([set('a', '1', { expiresAt: clock.now() + 1000 }), set('b', '2')]);
        expect((await read('a'))?.expiresAt).toBe(clock.now() + 1000);
        clock.turn(1000);
        expect(await read('a')).toBeUndefined();
        await ledger.commit([set('a', 'again', { ifAbsent: true })]);
        expect([text((await read('a'))?.data), (await read('a'))?.expiresAt, text((await read('b'))?.data)]).toEqual(['again', undefined, '2']);
      });

      test('data handed in may be changed afterwards without changing what is stored', async () => {
        const data = Buffer.from('before');
        const done = ledger.commit([{ type: 'state.set', table: 't', key: 'a', data, binary: false }]);
        await done;
        data.fill('x');
        expect(text((await read('a'))?.data)).toBe('before');
      });
    });

    describe('topics', () => {
      test('a group begins at the oldest kept message and gets each once, in order, as published', async () => {
        await ledger.commit([append('x', '1'), append('x', '2')]);
        await ledger.openGroup('x', 'g');
        const { messages, more } = await claim('x', 'g');
        expect(values(messages)).toEqual(['1', '2']);
        expect(messages[0]).toMatchObject({ id: '1', attempt: 1, contentType: 'text/plain', metadata: { m: '1' }, publishedAt: clock.now() });
        expect([more, (await claim('x', 'g')).messages]).toEqual([false, []]);
        await ledger.commit([append('x', '3')]);
        expect(values((await claim('x', 'g')).messages)).toEqual(['3']);
      });

      test('groups and topics do not disturb one another', async () => {
        await ledger.commit([append('x', '1'), append('y', '2')]);
        expect(values((await claim('x', 'g')).messages)).toEqual(['1']);
        expect(values((await claim('x', 'h')).messages)).toEqual(['1']);
        expect(values((await claim('y', 'g')).messages)).toEqual(['2']);
      });

      test('(L4) claimers of a group share: nothing is given twice, nothing is left out', async () => {
        await ledger.commit(Array.from({ length: 100 }, (_, n) => append('x', String(n))));
        const claims = await Promise.all(Array.from({ length: 10 }, () => claim('x', 'g', 10)));
        expect(claims.flatMap(({ messages }) => values(messages)).sort((a, b) => Number(a) - Number(b))).toEqual(Array.from({ length: 100 }, (_, n) => String(n)));
      });

      test('a limit is kept, and more says that there is more', async () => {
        await ledger.commit([append('x', '1'), append('x', '2'), append('x', '3')]);
        const first = await claim('x', 'g', 2);
        expect([values(first.messages), first.more]).toEqual([['1', '2'], true]);
        expect(values((await claim('x', 'g', 2)).messages)).toEqual(['3']);
      });

      test('a retry comes back at its time with one attempt more, before unread messages', async () => {
        await ledger.commit([append('x', '1')]);
        const [message] = (await claim('x', 'g')).messages;
        if (!message) throw new Error('nothing was claimed');
        expect(await ledger.commit([{ type: 'message.retry', ...refOf(message), dueAt: clock.now() + 500 }])).toEqual([{ applied: true }]);
        await ledger.commit([append('x', '2')]);
        const early = await claim('x', 'g', 1);
        expect([values(early.messages), early.nextDueAt]).toEqual([['2'], clock.now() + 500]);
        await ledger.commit([append('x', '3')]);
        clock.turn(500);
        const due = await claim('x', 'g', 1);
        expect(due.messages.map(({ data, attempt }) => [text(data), attempt])).toEqual([['1', 2]]);
      });

      test('a release comes back at once with the same attempt', async () => {
        await ledger.commit([append('x', '1')]);
        const [message] = (await claim('x', 'g')).messages;
        if (!message) throw new Error('nothing was claimed');
        await ledger.commit([{ type: 'message.release', ...refOf(message) }]);
        expect((await claim('x', 'g')).messages.map(({ data, attempt }) => [text(data), attempt])).toEqual([['1', 1]]);
      });

      test('(L4) an acknowledged message is gone for its group, and a second settlement is not applied', async () => {
        await ledger.commit([append('x', '1')]);
        const [message] = (await claim('x', 'g')).messages;
        if (!message) throw new Error('nothing was claimed');
        expect(await ledger.commit([{ type: 'message.ack', ...refOf(message) }])).toEqual([{ applied: true }]);
        for (const type of ['message.ack', 'message.release'] as const) expect(await ledger.commit([{ type, ...refOf(message) }])).toEqual([{ applied: false }]);
        clock.sleep(DAY_MS / 2);
        expect((await claim('x', 'g')).messages).toEqual([]);
      });

      test('an acknowledgement and another write are one commit', async () => {
        await ledger.commit([append('x', '1')]);
        const [message] = (await claim('x', 'g')).messages;
        if (!message) throw new Error('nothing was claimed');
        await expect(ledger.commit([{ type: 'message.ack', ...refOf(message) }, set('a', '1', { ifEtag: 'stale' })])).rejects.toBeInstanceOf(LedgerConflict);
        expect(await ledger.commit([{ type: 'message.ack', ...refOf(message) }, set('a', '1')])).toMatchObject([{ applied: true }, {}]);
      });

      test('status counts what is kept, unread, in flight and waiting', async () => {
        await ledger.commit([append('x', 'aa'), append('x', 'bb'), append('x', 'cc')]);
        const { messages } = await claim('x', 'g', 2);
        const [first] = messages;
        if (!first) throw new Error('nothing was claimed');
        await ledger.commit([{ type: 'message.retry', ...refOf(first), dueAt: clock.now() + 1000 }]);
        expect(await ledger.topicStatus('x')).toEqual({ topic: 'x', messages: 3, bytes: 6, groups: [{ group: 'g', waiting: 1, inFlight: 1, unread: 1 }] });
        expect(await ledger.topicStatus('never')).toEqual({ topic: 'never', messages: 0, bytes: 0, groups: [] });
      });

      test('status is that of what was committed: a refused batch of settlements leaves it as it was', async () => {
        await ledger.commit([append('x', 'aa'), append('x', 'bb'), append('x', 'cc')]);
        const [first, second, third] = (await claim('x', 'g')).messages;
        if (!first || !second || !third) throw new Error('three messages were to be claimed');
        const settlements: LedgerOperation[] = [{ type: 'message.ack', ...refOf(first) }, { type: 'message.retry', ...refOf(second), dueAt: clock.now() + 1000 }, { type: 'message.release', ...refOf(third) }];
        const group = async () => (await ledger.topicStatus('x')).groups[0];
        await expect(ledger.commit([...settlements, append('x', 'dd'), set('a', '1', { ifEtag: 'stale' })])).rejects.toBeInstanceOf(LedgerConflict);
        expect(await group()).toEqual({ group: 'g', waiting: 0, inFlight: 3, unread: 0 });
        await ledger.commit(settlements);
        expect(await group()).toEqual({ group: 'g', waiting: 2, inFlight: 0, unread: 0 });
        await ledger.commit(settlements);
        expect(await group(), 'settlements that apply to nothing count for nothing').toEqual({ group: 'g', waiting: 2, inFlight: 0, unread: 0 });
        await claim('x', 'g');
        expect(await group()).toEqual({ group: 'g', waiting: 1, inFlight: 1, unread: 0 });
        await ledger.openGroup('x', 'late');
        expect((await ledger.topicStatus('x')).groups).toContainEqual({ group: 'late', waiting: 0, inFlight: 0, unread: 3 });
      });
    });

    describe('groups', () => {
      const knownGroups = async () => (await ledger.topicStatus('x')).groups.map(({ group }) => group);

      test('a group that nobody saw for 7 days is dropped, one that claims or is opened stays', async () => {
        await ledger.commit([append('x', '1', { ...RETENTION, retentionMs: 30 * DAY_MS })]);
        for (const group of ['claims', 'opened', 'gone']) await claim('x', group);
        const again: string[] = [];
        await until(async () => {
          clock.sleep(DAY_MS);
          again.push(...values((await claim('x', 'claims')).messages));
          await ledger.openGroup('x', 'opened');
          return !(await knownGroups()).includes('gone');
        });
        expect(clock.now() - startMs).toBeGreaterThan(7 * DAY_MS);
        expect(await knownGroups()).toEqual(['claims', 'opened']);
        expect(again, 'it was never begun again').toEqual([]);
        expect(values((await claim('x', 'gone')).messages), 'it begins again').toEqual(['1']);
      });
    });

    describe('outbox', () => {
      test('records are claimed oldest first, by their app alone, and not again while leased', async () => {
        await ledger.commit([{ type: 'outbox.add', record: outboxRecord('1') }, { type: 'outbox.add', record: outboxRecord('2') }, { type: 'outbox.add', record: outboxRecord('3', 'other') }]);
        const claimed = await ledger.outbox.claim({ appId: 'app', owner: 'o', limit: 10, leaseMs: 1000 });
        expect(claimed.map(({ id, attempt }) => [id, attempt])).toEqual([['1', 0], ['2', 0]]);
        expect(claimed[0]).toMatchObject({ ...outboxRecord('1'), data: expect.anything() as unknown });
        expect(text(claimed[0]?.data)).toBe('1');
        expect(await ledger.outbox.claim({ appId: 'app', owner: 'o', limit: 10, leaseMs: 1000 })).toEqual([]);
        expect(await ledger.outbox.pending('app')).toBe(2);
      });

      test('a lease that ran out gives the record again; a removed one never comes', async () => {
        await ledger.commit([{ type: 'outbox.add', record: outboxRecord('1') }, { type: 'outbox.add', record: outboxRecord('2') }]);
        await ledger.outbox.claim({ appId: 'app', owner: 'o', limit: 10, leaseMs: 1000 });
        await ledger.outbox.remove(['1', 'never']);
        clock.turn(1000);
        expect((await ledger.outbox.claim({ appId: 'app', owner: 'p', limit: 10, leaseMs: 1000 })).map(({ id, attempt }) => [id, attempt])).toEqual([['2', 1]]);
        expect(await ledger.outbox.pending('app')).toBe(1);
      });

      test('a released record comes back after its delay', async () => {
        await ledger.commit([{ type: 'outbox.add', record: outboxRecord('1') }]);
        await ledger.outbox.claim({ appId: 'app', owner: 'o', limit: 1, leaseMs: 60_000 });
        await ledger.outbox.release(['1'], 500);
        const again = () => ledger.outbox.claim({ appId: 'app', owner: 'o', limit: 1, leaseMs: 60_000 });
        expect(await again()).toEqual([]);
        clock.turn(500);
        expect(await again()).toHaveLength(1);
      });
    });

    describe('dead letters and the registry', () => {
      test('dead letters are listed newest first, page by page, by app; writing one again replaces it', async () => {
        await ledger.commit([1, 2, 3, 4].map((at) => ({ type: 'dead-letter.add' as const, letter: deadLetter(`d${at}`, at) })));
        await ledger.commit([{ type: 'dead-letter.add', letter: deadLetter('other', 9, 'other') }, { type: 'dead-letter.add', letter: { ...deadLetter('d4', 4), reason: 'again' } }]);
        const [first, second] = await ledger.deadLetters({ appId: 'app', limit: 2 });
        expect([first?.id, first?.reason, first?.bytes, second?.id]).toEqual(['d4', 'again', 2, 'd3']);
        expect(Object.keys(first ?? {}), 'what it holds is not read for a list').not.toContain('data');
        const rest = await ledger.deadLetters({ appId: 'app', limit: 10, before: { at: second?.at ?? 0, id: second?.id ?? '' } });
        expect(rest.map(({ id }) => id)).toEqual(['d2', 'd1']);
        await ledger.commit([{ type: 'dead-letter.remove', id: 'd2' }]);
        expect(await ledger.deadLetters({ appId: 'app', limit: 10 })).toHaveLength(3);
      });

      test('one dead letter is read whole, as it was written, by the app that it belongs to and no other', async () => {
        const letter: DeadLetter = { ...deadLetter('p/t%2F1/g/m-1', 7), data: new Uint8Array([0, 255, 10]), reason: 'said \u0000 and "more"', contentType: 'x/y', traceparent: '00-1', resentAt: 9 };
        await ledger.commit([{ type: 'dead-letter.add', letter }]);
        const found = await ledger.deadLetter({ appId: 'app', id: letter.id });
        expect({ ...found, data: Array.from(found?.data ?? []) }).toEqual({ ...letter, data: [0, 255, 10] });
        expect(await ledger.deadLetter({ appId: 'other', id: letter.id })).toBeUndefined();
        expect(await ledger.deadLetter({ appId: 'app', id: 'p/t' })).toBeUndefined();
      });

      test('(L1) a dead letter is removed or rewritten together with the lease that somebody had on it, or neither', async () => {
        const lease = (): LedgerOperation => ({ type: 'state.set', table: 'leases', key: 'd1', data: bytes(''), binary: true, ifAbsent: true, expiresAt: clock.now() + 1000 });
        await ledger.commit([{ type: 'dead-letter.add', letter: deadLetter('d1', 1) }]);
        const [held] = await ledger.commit([lease()]);
        await expect(ledger.commit([{ type: 'dead-letter.remove', id: 'd1' }, lease()])).rejects.toBeInstanceOf(LedgerConflict);
        await ledger.commit([{ type: 'state.delete', table: 'leases', key: 'd1', ifEtag: held?.etag ?? '' }, { type: 'dead-letter.add', letter: { ...deadLetter('d1', 1), attempts: 6 } }]);
        expect((await ledger.deadLetter({ appId: 'app', id: 'd1' }))?.attempts).toBe(6);
        const [again] = await ledger.commit([lease()]);
        clock.turn(1001);
        await expect(ledger.commit([{ type: 'dead-letter.remove', id: 'd1' }, { type: 'state.delete', table: 'leases', key: 'd1', ifEtag: again?.etag ?? '' }])).rejects.toBeInstanceOf(LedgerConflict);
        expect(await ledger.deadLetter({ appId: 'app', id: 'd1' })).toBeDefined();
        await ledger.commit([lease(), { type: 'state.delete', table: 'leases', key: 'd1' }, { type: 'dead-letter.remove', id: 'd1' }]);
        expect([await ledger.deadLetter({ appId: 'app', id: 'd1' }), await ledger.readState('leases', ['d1'])]).toEqual([undefined, [undefined]]);
      });

      test('of the dead letters of an app the newest 10,000 are kept', async () => {
        await ledger.commit(Array.from({ length: 10_003 }, (_, n) => ({ type: 'dead-letter.add' as const, letter: deadLetter(`d${n}`, n) })));
        await ledger.commit([{ type: 'dead-letter.add', letter: deadLetter('other', 1, 'other') }]);
        let kept: readonly DeadLetterRow[] = [];
        await until(async () => {
          clock.turn(5000);
          kept = await ledger.deadLetters({ appId: 'app', limit: 20_000 });
          return kept.length <= 10_000;
        });
        expect([kept.length, kept[0]?.id, kept.at(-1)?.id]).toEqual([10_000, 'd10002', 'd3']);
        expect(await ledger.deadLetters({ appId: 'other', limit: 10 })).toHaveLength(1);
      });

      test('live sidecars are found by app, newest first, and gone when removed', async () => {
        await ledger.commit([{ type: 'sidecar.put', sidecar: sidecar('1', 'a', 1) }, { type: 'sidecar.put', sidecar: sidecar('2', 'a', 2) }, { type: 'sidecar.put', sidecar: sidecar('3', 'b') }]);
        expect((await ledger.liveSidecars({ appId: 'a' })).map(({ instanceId }) => instanceId)).toEqual(['2', '1']);
        expect(await ledger.liveSidecars({ appId: 'a', namespace: 'elsewhere' })).toEqual([]);
        await ledger.commit([{ type: 'sidecar.remove', instanceId: '2' }]);
        expect(await ledger.liveSidecars()).toHaveLength(2);
      });
    });

    describe('wake-ups', () => {
      test('a commit wakes the watchers of what it touched, and the forwarders; a wake from outside only the watchers', async () => {
        const seen: string[] = [];
        const stop = ledger.watch('topic/x', () => seen.push('x'));
        ledger.watch('topic/y', () => seen.push('y'));
        ledger.watch('outbox/app', () => seen.push('outbox'));
        ledger.onTouched((channels) => seen.push(`forwarded ${channels.join(' ')}`));
        await ledger.commit([append('x', '1'), { type: 'outbox.add', record: outboxRecord('1') }]);
        await until(() => seen.length >= 3);
        expect(seen).toEqual(expect.arrayContaining(['x', 'outbox', 'forwarded topic/x outbox/app']));
        expect(seen).not.toContain('y');
        ledger.wake(['topic/y']);
        expect(seen.filter((entry) => entry === 'y')).toHaveLength(1);
        stop();
        const before = seen.filter((entry) => entry === 'x').length;
        ledger.wake(['topic/x']);
        expect(seen.filter((entry) => entry === 'x')).toHaveLength(before);
      });
    });

    describe('closing', () => {
      test('what was handed in is finished, later calls are refused by name, and a second close is no error', async () => {
        const last = ledger.commit([set('a', '1')]);
        await ledger.close();
        await expect(last).resolves.toBeDefined();
        const closed = (error: unknown) => error instanceof LedgerRefused && error.code === 'closed';
        await expect(ledger.commit([set('a', '2')])).rejects.toSatisfy(closed);
        for (const late of [
          ledger.readState('t', ['a']),
          ledger.claimMessages({ topic: 'x', group: 'g', limit: 1 }),
          ledger.openGroup('x', 'g'),
          ledger.topicStatus('x'),
          ledger.deadLetters({ appId: 'app', limit: 1 }),
          ledger.deadLetter({ appId: 'app', id: 'd' }),
          ledger.liveSidecars(),
          ledger.outbox.claim({ appId: 'app', owner: 'o', limit: 1, leaseMs: 1 }),
          ledger.outbox.pending('app'),
        ]) {
          await expect(late).rejects.toSatisfy(closed);
        }
        await ledger.close();
      });
    });

    const { reopen } = subject;
    if (reopen) {
      describe('reopening', () => {
        test('(L2, L3) everything is there again, and what was in flight is given again with the same attempt', async () => {
          await ledger.commit([set('a', '1'), append('x', '1'), append('x', '2'), append('x', '3'), { type: 'outbox.add', record: outboxRecord('1') }, { type: 'dead-letter.add', letter: deadLetter('d', 1) }, { type: 'sidecar.put', sidecar: sidecar('1', 'a') }]);
          const [first, second] = (await claim('x', 'g', 2)).messages;
          if (!first || !second) throw new Error('nothing was claimed');
          await ledger.commit([{ type: 'message.ack', ...refOf(first) }]);
          await ledger.close();
          ledger = await reopen(clock);
          expect(text((await read('a'))?.data)).toBe('1');
          expect((await claim('x', 'g')).messages.map(({ data, attempt }) => [text(data), attempt])).toEqual([['2', 1], ['3', 1]]);
          expect(await ledger.outbox.pending('app')).toBe(1);
          expect(await ledger.deadLetters({ appId: 'app', limit: 1 })).toHaveLength(1);
          expect(await ledger.liveSidecars(), 'its process has closed it').toEqual([]);
        });
      });
    }
  });
}
