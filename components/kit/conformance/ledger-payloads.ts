/** The promises of the ledger port about texts too large for rows (W8 in `kit/ledger-workflow.ts`), and its overview, as test cases. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ClaimedWorkflow, Ledger, NewWorkflow, WorkflowMessage, WorkflowOperation, WorkflowPayload, WorkflowStep } from '../index.ts';
import { createTurnedClock } from '../testing.ts';
import type { LedgerUnderTest } from './ledger.ts';

const payload = (id: string): WorkflowPayload => ({ id, data: `data of ${id}` });
const naming = (id: string, kind: WorkflowMessage['kind'] = 'event'): WorkflowMessage => ({ event: id, kind, payloads: [payload(id)] });

export function payloadLedgerConformance(name: string, subject: LedgerUnderTest): void {
  describe(`payload ledger conformance: ${name}`, () => {
    let ledger: Ledger;
    beforeEach(async () => {
      ledger = await subject.open(createTurnedClock());
    });
    afterEach(() => ledger.close());

    const one = async (operation: WorkflowOperation) => (await ledger.commit([operation]))[0]?.workflow ?? { applied: false };
    const workflow = (id: string, more: Partial<NewWorkflow> = {}): { type: 'workflow.create' } & NewWorkflow => ({
      type: 'workflow.create', app: 'a', instanceId: id, executionId: `x-${id}`, name: 'w', ifExists: 'terminal', message: { event: 'start', kind: 'event' }, ...more,
    });
    const send = (id: string, message: WorkflowMessage) => one({ type: 'workflow.send', app: 'a', instanceId: id, message });
    const claim = async (): Promise<ClaimedWorkflow> => {
      const [first] = (await ledger.workflows.claimInstances({ app: 'a', owner: 'o', limit: 1, leaseMs: 10_000 })).instances;
      if (!first) throw new Error('nothing could be claimed');
      return first;
    };
    const step = ({ row, fence, messages }: ClaimedWorkflow, more: Partial<WorkflowStep> = {}) =>
      one({ type: 'workflow.step', row, fence, consumed: messages.map(({ sequence }) => sequence), status: 'running', ...more });
    const there = async (row: number, ids: readonly string[]): Promise<string[]> => {
      const found: string[] = [];
      for (const id of ids) {
        const data = await ledger.workflows.payload(row, id);
        if (data === undefined) continue;
        expect(data).toBe(`data of ${id}`);
        found.push(id);
      }
      return found;
    };

    test('(W8) what came with a start, a message, a result, a step, an activity or a control is there for its instance alone', async () => {
      const { row = 0 } = await one(workflow('1', { message: naming('start') }));
      const { row: other = 0 } = await one(workflow('2'));
      await send('1', naming('event'));
      const claimed = await claim();
      expect(claimed).toMatchObject({ row, messages: [{ event: 'start' }, { event: 'event' }] });
      const { activities: [activity = 0] = [] } = await step(claimed, {
        append: { count: 1, data: 'h', payloads: [payload('page')] }, activities: [{ taskId: 1, app: 'a', name: 'act', request: 'r', payloads: [payload('request')] }],
      });
      await one({ type: 'workflow.complete', activity, attempt: 1, message: naming('result', 'result') });
      await one({ type: 'workflow.control', row, status: 'suspended', append: { count: 1, data: 'c', payloads: [payload('control')] } });
      const all = ['start', 'event', 'page', 'request', 'result', 'control'];
      expect(await there(row, all)).toEqual(all);
      expect(await there(other, all)).toEqual([]);
    });

    test('(W8) it goes with a step that is not applied', async () => {
      const { row = 0 } = await one(workflow('1'));
      const claimed = await claim();
      await expect(step({ ...claimed, fence: claimed.fence + 1 }, { append: { count: 1, data: 'h', payloads: [payload('page')] } })).rejects.toThrow();
      expect(await there(row, ['page'])).toEqual([]);
    });

    test('(W8) a child and a parent have their own', async () => {
      const { row = 0 } = await one(workflow('p'));
      const parent = { app: 'a', instanceId: 'p', executionId: 'x-p', taskId: 1 };
      const { type: _, ...child } = workflow('c', { parent, message: naming('input') });
      await step(await claim(), { append: { count: 1, data: 'h', payloads: [payload('input')] }, create: [child] });
      const claimed = await claim();
      await step(claimed, { status: 'completed', append: { count: 1, data: 'h', payloads: [payload('output')] }, toParent: naming('output', 'result') });
      await one({ type: 'workflow.purge', row: claimed.row });
      expect(await there(claimed.row, ['input', 'output'])).toEqual([]);
      expect(await there(row, ['input', 'output'])).toEqual(['input', 'output']);
    });

    test('(W6, W8) a new execution keeps what unread events brought, and what begins it; the rest goes', async () => {
      const { row = 0 } = await one(workflow('1', { message: naming('start') }));
      const claimed = await claim();
      await send('1', naming('unread'));
      // The same content by a message that stays and by one that goes.
      await send('1', naming('start'));
      await send('1', naming('result', 'result'));
      await step(claimed, { append: { count: 1, data: 'h', payloads: [payload('page')] }, customStatus: 'status', customStatusPayload: payload('status'), reset: { executionId: 'y', messages: [naming('again')] } });
      const all = ['start', 'unread', 'result', 'again', 'status'];
      expect(await there(row, all)).toEqual(['start', 'unread', 'again', 'status']);
      await step(await claim(), { reset: { executionId: 'z', messages: [] } });
      expect(await there(row, all), 'the status stays until it is replaced').toEqual(['status']);
    });

    test('(W8) that of a custom status goes when the status is replaced', async () => {
      const { row = 0 } = await one(workflow('1'));
      await step(await claim(), { customStatus: 'one', customStatusPayload: payload('one'), append: { count: 1, data: 'h', payloads: [payload('both')] } });
      await send('1', { event: 'x', kind: 'event' });
      await step(await claim(), { customStatus: 'both', customStatusPayload: payload('both') });
      await send('1', { event: 'x', kind: 'event' });
      expect(await there(row, ['one', 'both'])).toEqual(['both']);
      await step(await claim(), { customStatus: null });
      expect(await there(row, ['one', 'both']), 'the history names it still').toEqual(['both']);
    });

    test('(W8) a status and the history may name the same, in either order', async () => {
      const { row = 0 } = await one(workflow('1'));
      await step(await claim(), { customStatus: 'both', customStatusPayload: payload('both') });
      await send('1', { event: 'x', kind: 'event' });
      await step(await claim(), { append: { count: 1, data: 'h', payloads: [payload('both')] } });
      await send('1', { event: 'x', kind: 'event' });
      await step(await claim(), { customStatus: null });
      expect(await there(row, ['both'])).toEqual(['both']);
    });

    test('an overview counts what has not ended, by status, and knows the earliest timer, of one app', async () => {
      expect(await ledger.workflows.overview('a')).toEqual({ open: {} });
      for (const id of ['1', '2', '3']) await one(workflow(id));
      await one(workflow('other', { app: 'b' }));
      await step(await claim(), { timers: [{ timerId: 1, dueAt: 5000, message: { event: 't', kind: 'result' } }, { timerId: 2, dueAt: 3000, message: { event: 't', kind: 'result' } }, { timerId: 3, message: { event: 't', kind: 'result' } }] });
      await step(await claim(), { status: 'completed' });
      expect(await ledger.workflows.overview('a')).toEqual({ open: { pending: 1, running: 1 }, nextDueAt: 3000 });
    });

    test('(W8) purging and replacing an instance leave none', async () => {
      const { row: purged = 0 } = await one(workflow('1', { message: naming('start') }));
      await step(await claim(), { status: 'completed', customStatus: 's', customStatusPayload: payload('status') });
      expect(await there(purged, ['start', 'status']), 'those of an instance that ended stay').toEqual(['start', 'status']);
      await one({ type: 'workflow.purge', row: purged });
      const { row: replaced = 0 } = await one(workflow('1', { message: naming('start') }));
      const { row = 0 } = await one(workflow('1', { ifExists: 'restart', executionId: 'y' }));
      for (const gone of [purged, replaced, row]) expect(await there(gone, ['start', 'status'])).toEqual([]);
    });
  });
}
