/** What a topic keeps and what it gives up, for every ledger: L5 of `kit/ledger.ts` as test cases. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { LedgerConflict, LedgerRefused, type ClaimedMessage, type Ledger, type LedgerOperation } from '../index.ts';
import { createTurnedClock, until, type TurnedClock } from '../testing.ts';
import type { LedgerUnderTest } from './ledger.ts';

const DAY_MS = 24 * 3600_000;
const bytes = (text: string): Buffer => Buffer.from(text);
const text = (data: Uint8Array | undefined): string => Buffer.from(data ?? []).toString();
const append = (topic: string, value: string, retention: { retentionMs: number; bytesMax: number }): LedgerOperation => ({ type: 'topic.append', topic, message: { id: value, data: bytes(value), metadata: {} }, retention });
const refOf = ({ topic, group, sequence }: ClaimedMessage) => ({ topic, group, sequence });

export function ledgerRetentionConformance(name: string, subject: LedgerUnderTest): void {
  describe(`ledger retention conformance: ${name}`, () => {
    let clock: TurnedClock;
    let ledger: Ledger;
    beforeEach(async () => {
      clock = createTurnedClock();
      ledger = await subject.open(clock);
    });
    afterEach(() => ledger.close());

    const claim = (topic: string, group: string, limit = 100) => ledger.claimMessages({ topic, group, limit });
    const values = (messages: readonly ClaimedMessage[]) => messages.map(({ data }) => text(data));

    test('(L5) a full topic refuses by name and keeps everything; it takes more when what is done with has had its time', async () => {
      const small = { retentionMs: 1000, bytesMax: 4 };
      await ledger.openGroup('x', 'g');
      await ledger.commit([append('x', 'aa', small), append('x', 'bb', small)]);
      const full = (error: unknown) => error instanceof LedgerRefused && error.code === 'topic-full';
      await expect(ledger.commit([append('x', 'cc', small)])).rejects.toSatisfy(full);
      clock.turn(2000);
      await expect(ledger.commit([append('x', 'cc', small)]), 'unread, whatever its age').rejects.toSatisfy(full);
      const { messages } = await claim('x', 'g');
      expect(values(messages)).toEqual(['aa', 'bb']);
      await expect(ledger.commit([append('x', 'cc', small)]), 'in flight').rejects.toSatisfy(full);
      await ledger.commit(messages.map((message) => ({ type: 'message.ack' as const, ...refOf(message) })));
      await ledger.commit([append('x', 'cc', small)]);
      expect(values((await claim('x', 'g')).messages)).toEqual(['cc']);
    });

    test('(L5) at the limit the oldest that every group has acknowledged make room before their time, however many are published', async () => {
      const small = { retentionMs: DAY_MS, bytesMax: 10 };
      const value = (n: number): string => `m${String(n).padStart(3, '0')}`;
      await ledger.openGroup('x', 'g');
      for (let n = 0; n < 50; n++) {
        await ledger.commit([append('x', value(n), small)]);
        const { messages } = await claim('x', 'g');
        expect(values(messages)).toEqual([value(n)]);
        await ledger.commit(messages.map((message) => ({ type: 'message.ack' as const, ...refOf(message) })));
      }
      expect((await ledger.topicStatus('x')).bytes).toBeLessThanOrEqual(small.bytesMax);
    });

    test('(L5) at the limit nothing goes that a group has in flight, waits for, or has not read, nor anything of a topic that has no group', async () => {
      const small = { retentionMs: DAY_MS, bytesMax: 6 };
      const full = (error: unknown) => error instanceof LedgerRefused && error.code === 'topic-full';
      await ledger.commit([append('nobody', 'aa', small), append('nobody', 'bb', small), append('nobody', 'cc', small)]);
      await expect(ledger.commit([append('nobody', 'dd', small)]), 'no group').rejects.toSatisfy(full);

      await ledger.openGroup('x', 'g');
      await ledger.commit([append('x', 'aa', small), append('x', 'bb', small), append('x', 'cc', small)]);
      const [first, second, third] = (await claim('x', 'g')).messages;
      if (!first || !second || !third) throw new Error('three messages were to be claimed');
      await ledger.commit([{ type: 'message.retry', ...refOf(first), dueAt: clock.now() + 1000 }, { type: 'message.release', ...refOf(second) }]);
      await expect(ledger.commit([append('x', 'dd', small)]), 'one waits, one went back, one is in flight').rejects.toSatisfy(full);
      clock.turn(2000);
      await ledger.commit([{ type: 'message.ack', ...refOf(third) }]);
      await ledger.commit([append('x', 'dd', small)]);
      await expect(ledger.commit([append('x', 'ee', small)]), 'only unacknowledged ones are left').rejects.toSatisfy(full);
      const again = (await claim('x', 'g')).messages;
      expect(again.map(({ data, attempt }) => [text(data), attempt]), 'nothing of the group is lost').toEqual([['bb', 1], ['aa', 2], ['dd', 1]]);

      await ledger.openGroup('x', 'late');
      await ledger.commit(again.map((message) => ({ type: 'message.ack', ...refOf(message) })));
      await expect(ledger.commit([append('x', 'ee', small)]), 'the late group has read nothing').rejects.toSatisfy(full);
      expect(values((await claim('x', 'late')).messages), 'it begins at the oldest kept').toEqual(['aa', 'bb', 'dd']);
      await expect(ledger.commit([append('x', 'ee', small)]), 'the late group has them in flight').rejects.toSatisfy(full);
    });

    test('(L5) a message that keeps failing holds up none of those behind it: at the limit they go, it stays', async () => {
      const small = { retentionMs: DAY_MS, bytesMax: 10 };
      await ledger.openGroup('x', 'g');
      await ledger.commit([append('x', 'poison', small)]);
      for (let n = 0; n < 20; n++) {
        await ledger.commit([append('x', `ok${n % 10}`, small)]);
        const { messages } = await claim('x', 'g');
        await ledger.commit(messages.map((message) => (text(message.data) === 'poison' ? { type: 'message.retry', ...refOf(message), dueAt: clock.now() } : { type: 'message.ack', ...refOf(message) })));
      }
      const { messages } = await claim('x', 'g');
      expect(messages.map(({ data, attempt }) => [text(data), attempt])).toEqual([['poison', 21]]);
    });

    test('(L5) nor does it keep them past their retention', async () => {
      const short = { retentionMs: 1000, bytesMax: 1024 };
      await ledger.commit([append('x', 'poison', short), append('x', 'done', short)]);
      const [poison, done] = (await claim('x', 'g')).messages;
      if (!poison || !done) throw new Error('two messages were to be claimed');
      await ledger.commit([{ type: 'message.retry', ...refOf(poison), dueAt: clock.now() + DAY_MS }, { type: 'message.ack', ...refOf(done) }]);
      await until(async () => {
        clock.turn(5000);
        await claim('x', 'g');
        return (await ledger.topicStatus('x')).messages === 1;
      });
      expect(await ledger.topicStatus('x')).toEqual({ topic: 'x', messages: 1, bytes: 6, groups: [{ group: 'g', waiting: 1, inFlight: 0, unread: 0 }] });
    });

    test('(L5) however small the messages are that make room for a large one, it is taken; one larger than the limit never, and nothing goes for it', async () => {
      const roomy = { retentionMs: DAY_MS, bytesMax: 8000 };
      await ledger.openGroup('x', 'g');
      await ledger.commit(Array.from({ length: 8000 }, () => append('x', '.', roomy)));
      const { messages } = await claim('x', 'g', 8000);
      await ledger.commit(messages.map((message) => ({ type: 'message.ack', ...refOf(message) })));
      await expect(ledger.commit([append('x', 'x'.repeat(8001), roomy)])).rejects.toSatisfy((error: unknown) => error instanceof LedgerRefused && error.code === 'topic-full');
      expect((await ledger.topicStatus('x')).messages).toBe(8000);
      await ledger.commit([append('x', 'x'.repeat(7900), roomy)]);
      expect((await ledger.topicStatus('x')).bytes).toBeLessThanOrEqual(roomy.bytesMax);
      expect((await claim('x', 'g')).messages.map(({ data }) => data.length)).toEqual([7900]);
    });

    test('(L5) a limit that was lowered is come down to while publishing goes on, as far as everything is acknowledged', async () => {
      const [before, lowered] = [{ retentionMs: DAY_MS, bytesMax: 8000 }, { retentionMs: DAY_MS, bytesMax: 10 }];
      await ledger.openGroup('x', 'g');
      await ledger.commit(Array.from({ length: 8000 }, () => append('x', '.', before)));
      const { messages } = await claim('x', 'g', 7995);
      await ledger.commit(messages.map((message) => ({ type: 'message.ack', ...refOf(message) })));
      await expect(ledger.commit([append('x', 'larger than it', lowered)])).rejects.toSatisfy((error: unknown) => error instanceof LedgerRefused && error.code === 'topic-full');
      let held = 8000;
      for (let n = 0; n < 20; n++) {
        const refused = await ledger.commit([append('x', 'abcde', lowered)]).then(() => undefined, (error: unknown) => error);
        const { bytes: now } = await ledger.topicStatus('x');
        expect(now, 'it never grows past the limit').toBeLessThanOrEqual(Math.max(held, lowered.bytesMax));
        held = now;
        const { messages: next } = await claim('x', 'g');
        await ledger.commit(next.map((message) => ({ type: 'message.ack', ...refOf(message) })));
        expect(refused).toBeUndefined();
      }
      expect(held).toBeLessThanOrEqual(lowered.bytesMax);
    });

    test('(L5) a refused batch makes no room', async () => {
      const small = { retentionMs: DAY_MS, bytesMax: 4 };
      await ledger.openGroup('x', 'g');
      await ledger.commit([append('x', 'aa', small), append('x', 'bb', small)]);
      const { messages } = await claim('x', 'g');
      await ledger.commit(messages.map((message) => ({ type: 'message.ack' as const, ...refOf(message) })));
      await expect(ledger.commit([append('x', 'cc', small), { type: 'state.set', table: 't', key: 'k', data: bytes('1'), binary: false, ifEtag: 'never' }])).rejects.toBeInstanceOf(LedgerConflict);
      expect(await ledger.topicStatus('x')).toMatchObject({ messages: 2, bytes: 4 });
      expect(values((await claim('x', 'late')).messages), 'in their old order').toEqual(['aa', 'bb']);
    });

    test('(L5) one batch of many appends makes room for all of them or is refused whole', async () => {
      const small = { retentionMs: DAY_MS, bytesMax: 10 };
      await ledger.openGroup('x', 'g');
      await ledger.commit(Array.from({ length: 5 }, (_, n) => append('x', `a${n}`, small)));
      const { messages } = await claim('x', 'g');
      await ledger.commit(messages.map((message) => ({ type: 'message.ack', ...refOf(message) })));
      await expect(ledger.commit(Array.from({ length: 6 }, (_, n) => append('x', `b${n}`, small)))).rejects.toSatisfy((error: unknown) => error instanceof LedgerRefused && error.code === 'topic-full');
      expect(await ledger.topicStatus('x')).toMatchObject({ messages: 5, bytes: 10 });
      await ledger.commit(Array.from({ length: 5 }, (_, n) => append('x', `b${n}`, small)));
      expect(values((await claim('x', 'g')).messages)).toEqual(['b0', 'b1', 'b2', 'b3', 'b4']);
    });

    test('(L5) a topic without groups is trimmed by retention alone; one group that lags keeps messages for all', async () => {
      const short = { retentionMs: 1000, bytesMax: 1024 };
      await ledger.commit([append('x', '1', short), append('y', '1', short)]);
      await ledger.openGroup('y', 'lags');
      const [message] = (await claim('y', 'done')).messages;
      if (!message) throw new Error('nothing was claimed');
      await ledger.commit([{ type: 'message.ack', ...refOf(message) }]);
      clock.turn(20_000);
      await until(async () => {
        await claim('x', 'new');
        clock.turn(5000);
        return (await ledger.topicStatus('x')).messages === 0;
      });
      expect((await ledger.topicStatus('y')).messages).toBe(1);
      expect(values((await claim('y', 'lags')).messages)).toEqual(['1']);
    });
  });
}
