/** The promises of the workflow part of the ledger port as test cases (invariants by their numbers in `kit/ledger-workflow.ts`). */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { LedgerConflict, type ClaimedWorkflow, type Ledger, type NewActivity, type NewWorkflow, type WorkflowMessage, type WorkflowOperation, type WorkflowParent, type WorkflowResult, type WorkflowStep } from '../index.ts';
import { createTurnedClock, until, type TurnedClock } from '../testing.ts';
import type { LedgerUnderTest } from './ledger.ts';

const HOUR_MS = 3600_000;
const event = (text: string): WorkflowMessage => ({ event: text, kind: 'event' });
const result = (text: string): WorkflowMessage => ({ event: text, kind: 'result' });

export function workflowLedgerConformance(name: string, subject: LedgerUnderTest): void {
  describe(`workflow ledger conformance: ${name}`, () => {
    let clock: TurnedClock;
    let ledger: Ledger;
    beforeEach(async () => {
      clock = createTurnedClock();
      ledger = await subject.open(clock);
    });
    afterEach(() => ledger.close());

    const one = async (operation: WorkflowOperation): Promise<WorkflowResult> => {
      const [outcome] = await ledger.commit([operation]);
      if (!outcome?.workflow) throw new Error('the ledger returned no result');
      return outcome.workflow;
    };
    const workflow = (id: string, more: Partial<NewWorkflow> = {}): { type: 'workflow.create' } & NewWorkflow => ({
      type: 'workflow.create', app: 'a', instanceId: id, executionId: `x-${id}`, name: 'w', ifExists: 'terminal', message: event(`start ${id}`), ...more,
    });
    const create = (id: string, more: Partial<NewWorkflow> = {}) => one(workflow(id, more));
    const claimAll = async (owner = 'o', more: { limit?: number; names?: string[]; limits?: Record<string, number>; app?: string } = {}) =>
      (await ledger.workflows.claimInstances({ app: 'a', owner, limit: 100, leaseMs: 10_000, ...more })).instances;
    const claim = async (owner = 'o'): Promise<ClaimedWorkflow> => {
      const [first] = await claimAll(owner, { limit: 1 });
      if (!first) throw new Error('nothing could be claimed');
      return first;
    };
    const stepOf = (claimed: Pick<ClaimedWorkflow, 'row' | 'fence' | 'messages'>, more: Partial<WorkflowStep> = {}): WorkflowStep => ({
      type: 'workflow.step', row: claimed.row, fence: claimed.fence, consumed: claimed.messages.map(({ sequence }) => sequence), status: 'running', ...more,
    });
    const step = (claimed: Pick<ClaimedWorkflow, 'row' | 'fence' | 'messages'>, more: Partial<WorkflowStep> = {}) => one(stepOf(claimed, more));
    const send = (id: string, text: string, more: { executionId?: string } = {}) => one({ type: 'workflow.send', app: 'a', instanceId: id, message: event(text), ...more });
    const task = (taskId: number, more: Partial<NewActivity> = {}): NewActivity => ({ taskId, app: 'a', name: 'act', request: `request ${taskId}`, ...more });
    const claimActivities = async (owner = 'o', more: { limit?: number; limits?: Record<string, number>; app?: string } = {}) =>
      (await ledger.workflows.claimActivities({ app: 'a', owner, limit: 100, leaseMs: 10_000, ...more })).activities;
    const texts = ({ messages }: { messages: readonly WorkflowMessage[] } = { messages: [] }) => messages.map(({ event: text }) => text);
    const find = (id: string) => ledger.workflows.find('a', id);
    const isConflict = (key: string) => (error: unknown) => error instanceof LedgerConflict && error.key === key;

    describe('instances', () => {
      test('a created instance is pending, claimed with its message, and running after its first step', async () => {
        const { row } = await create('1', { version: 'v1', attributes: { colour: 'red' } });
        expect(await find('1')).toMatchObject({ row, status: 'pending', name: 'w', version: 'v1', executionId: 'x-1', createdAt: clock.now(), fence: 0, turn: 0, ready: true });
        const claimed = await claim();
        expect(texts(claimed)).toEqual(['start 1']);
        expect(claimed).toMatchObject({ fence: 1, turn: 0, owner: 'o', freeAt: clock.now() + 10_000, ready: false });
        clock.turn(5);
        expect(await step(claimed, { append: { count: 2, data: 'h' }, customStatus: 'half' })).toEqual({ applied: true, row, fence: 2, turn: 1, ready: false, activities: [] });
        expect(await find('1')).toMatchObject({ status: 'running', startedAt: clock.now(), updatedAt: clock.now(), fence: 2, turn: 1, events: 2, bytes: 1, customStatus: 'half', ready: false });
        expect(await ledger.workflows.attributes(row ?? 0)).toEqual({ colour: 'red' });
        expect(await claimAll()).toEqual([]);
      });

      test('an id that is taken: each way of reuse', async () => {
        await create('1');
        for (const ifExists of ['unique', 'terminal', 'failed'] as const) await expect(create('1', { ifExists }), ifExists).rejects.toSatisfy(isConflict('1'));
        expect(await create('1', { ifExists: 'existing' })).toMatchObject({ applied: false, status: 'pending' });
        const before = (await find('1'))?.row;
        const { row } = await create('1', { ifExists: 'restart', executionId: 'again' });
        expect(row).not.toBe(before);
        await step(await claim(), { status: 'completed' });
        for (const ifExists of ['unique', 'failed'] as const) await expect(create('1', { ifExists }), ifExists).rejects.toSatisfy(isConflict('1'));
        await create('1', { ifExists: 'terminal' });
        await step(await claim(), { status: 'failed' });
        await create('1', { ifExists: 'failed' });
        expect((await find('1'))?.status).toBe('pending');
      });

      test('a scheduled start arrives at its time, before whatever came earlier; suspending does not bring it forward', async () => {
        const { row = 0 } = await create('1', { startAt: clock.now() + 1000 });
        await send('1', 'early');
        expect(await claimAll()).toEqual([]);
        for (const status of ['suspended', 'running'] as const) await one({ type: 'workflow.control', row, status, append: { count: 1, data: '' } });
        expect(await claimAll()).toEqual([]);
        expect((await ledger.workflows.expired({ app: 'a', limit: 10 })).nextAt).toBe(clock.now() + 1000);
        clock.turn(1000);
        expect(texts(await claim())).toEqual(['start 1', 'early']);
      });

      test('(W1) a first step shares the commit of the creation, and neither stands without the other', async () => {
        const first = (id: string, more = {}): WorkflowOperation => ({ type: 'workflow.first-step', app: 'a', instanceId: id, executionId: `x-${id}`, status: 'running', append: { count: 1, data: 'h' }, activities: [task(1)], ...more });
        const [, stepped] = await ledger.commit([workflow('1'), first('1')]);
        expect(stepped?.workflow).toMatchObject({ applied: true, fence: 1, turn: 1, ready: false });
        expect(await claimAll()).toEqual([]);
        await expect(ledger.commit([workflow('2'), first('2', { executionId: 'other' })])).rejects.toSatisfy(isConflict('fence'));
        expect(await find('2')).toBeUndefined();
      });
    });

    describe('claims', () => {
      test('(W5) an instance is given to one owner, and again when its lease has ended; the first owner then commits nothing', async () => {
        await create('1');
        const first = await claim('p');
        expect(await claimAll('q')).toEqual([]);
        clock.turn(10_000);
        expect(await claimAll('p'), 'it holds it already').toEqual([]);
        const second = await claim('q');
        expect([second.fence, texts(second)]).toEqual([2, ['start 1']]);
        await expect(step(first)).rejects.toSatisfy(isConflict('fence'));
        await step(second);
        await expect(step(second), 'twice').rejects.toSatisfy(isConflict('fence'));
      });

      test('a lease that ended and that nobody took still commits', async () => {
        await create('1');
        const first = await claim('p');
        clock.turn(60_000);
        expect(await step(first)).toMatchObject({ applied: true });
      });

      test('(W5) a lease is renewed for what is named; what an owner forgot is freed at the end of its lease', async () => {
        await create('1');
        await create('2');
        const [first, second] = await claimAll('p');
        if (!first || !second) throw new Error('nothing was claimed');
        clock.turn(9000);
        const renew = (instances: readonly ClaimedWorkflow[]) => ledger.workflows.renew({ owner: 'p', leaseMs: 10_000, instances, activities: [] });
        expect(await renew([first])).toEqual({ lostInstances: [], lostActivities: [] });
        clock.turn(1000);
        expect((await claimAll('q')).map(({ instanceId }) => instanceId)).toEqual(['2']);
        expect(await renew([first, second])).toEqual({ lostInstances: [second.row], lostActivities: [] });
        clock.turn(10_000);
        await renew([]);
        expect((await claimAll('p')).map(({ instanceId }) => instanceId)).toContain('1');
      });

      test('(W7) names are claimed in equal shares, in order of arrival, each to its limit', async () => {
        for (let n = 0; n < 20; n++) await create(`long-${n}`, { name: 'long' });
        for (let n = 0; n < 3; n++) await create(`short-${n}`, { name: 'short' });
        const first = await claimAll('p', { limit: 6 });
        expect(first.map(({ instanceId }) => instanceId).toSorted()).toEqual(['long-0', 'long-1', 'long-2', 'short-0', 'short-1', 'short-2']);
        await create('short-4', { name: 'short' });
        expect((await claimAll('p', { limits: { long: 1 } })).map(({ instanceId }) => instanceId).toSorted()).toEqual(['long-3', 'short-4']);
        expect((await claimAll('p', { names: ['short'] }))).toEqual([]);
        expect(await claimAll('p', { app: 'b' })).toEqual([]);
        expect(await claimAll('p')).toHaveLength(16);
      });

      test('a released instance is claimed again at once or after its rest, and counts its failures; a wake ends the rest', async () => {
        await create('1');
        const first = await claim();
        await one({ type: 'workflow.release', row: first.row, fence: first.fence });
        const second = await claim();
        await one({ type: 'workflow.release', row: second.row, fence: second.fence, restUntil: clock.now() + 1000, failed: 'it threw' });
        expect(await find('1')).toMatchObject({ failures: 1, reason: 'it threw', ready: false });
        await send('1', 'early');
        expect(await claimAll()).toEqual([]);
        clock.turn(1000);
        const third = await claim();
        expect(texts(third)).toEqual(['start 1', 'early']);
        expect(await one({ type: 'workflow.release', row: third.row, fence: second.fence })).toEqual({ applied: false });
        await one({ type: 'workflow.release', row: third.row, fence: third.fence, restUntil: clock.now() + HOUR_MS, failed: 'again' });
        await one({ type: 'workflow.wake', row: third.row });
        const fourth = await claim();
        await step(fourth);
        expect(await find('1')).toMatchObject({ failures: 0 });
      });

      test('a clock that is set back delays nothing that is ready', async () => {
        clock.turn(HOUR_MS);
        await create('1');
        clock.turn(-HOUR_MS);
        expect(await claimAll()).toHaveLength(1);
      });
    });

    describe('messages', () => {
      test('(W2) what arrives during a turn makes the instance ready when the turn ends; order is kept', async () => {
        await create('1');
        const first = await claim();
        await send('1', 'b');
        await send('1', 'c');
        expect(await step(first)).toMatchObject({ ready: true });
        expect(texts(await claim())).toEqual(['b', 'c']);
      });

      test('a message to nobody, to another execution or to one that has ended is not applied', async () => {
        expect(await send('1', 'x')).toEqual({ applied: false });
        await create('1');
        expect(await send('1', 'x', { executionId: 'other' })).toMatchObject({ applied: false });
        await step(await claim(), { status: 'completed' });
        expect(await send('1', 'x')).toMatchObject({ applied: false, status: 'completed' });
      });

      test('(W2) a suspended instance keeps its messages and is not claimed; it is when it runs again', async () => {
        await create('1');
        const suspended = await step(await claim(), { status: 'suspended' });
        await send('1', 'x');
        expect(await claimAll()).toEqual([]);
        const row = await find('1');
        expect(await one({ type: 'workflow.step', row: row?.row ?? 0, fence: suspended.fence ?? 0, consumed: [], status: 'running' })).toMatchObject({ ready: true });
        expect(texts(await claim())).toEqual(['x']);
      });

      test('an instance that has ended is reopened with what it had, once; one that has not is left alone', async () => {
        const { row = 0 } = await create('1');
        const first = await claim();
        await step(first, { status: 'failed', append: { count: 2, data: 'h' }, snapshot: 's', attributes: { colour: 'red' } });
        clock.turn(5);
        expect(await one({ type: 'workflow.reopen', row, message: event('again') })).toMatchObject({ applied: true });
        expect(await one({ type: 'workflow.reopen', row, message: event('twice') })).toMatchObject({ applied: false, status: 'running' });
        expect(await one({ type: 'workflow.reopen', row: row + 1000, message: event('nobody') })).toMatchObject({ applied: false });
        const again = await claim();
        expect(again).toMatchObject({ row, status: 'running', executionId: 'x-1', events: 2, turn: 1, updatedAt: clock.now() });
        expect(again.completedAt).toBeUndefined();
        expect(again.fence).toBeGreaterThan(first.fence + 1);
        expect(texts(again)).toEqual(['again']);
        expect(await ledger.workflows.snapshot(row)).toBe('s');
        expect(await ledger.workflows.attributes(row)).toEqual({ colour: 'red' });
        await step(again, { status: 'completed', append: { count: 1, data: 'g' } });
        expect(await find('1')).toMatchObject({ status: 'completed', events: 3, turn: 2, completedAt: clock.now() });
      });

      test('(W1) a step whose message is gone, or whose instance has ended, is refused whole', async () => {
        await create('1');
        const claimed = await claim();
        await expect(step(claimed, { consumed: [...claimed.messages.map(({ sequence }) => sequence), 999], append: { count: 1, data: 'h' } })).rejects.toSatisfy(isConflict('message'));
        expect(await find('1')).toMatchObject({ events: 0, turn: 0 });
        const { fence } = await step(claimed, { status: 'terminated' });
        await expect(step({ ...claimed, fence: fence ?? 0, messages: [] })).rejects.toSatisfy(isConflict('fence'));
      });

      test('(L1) a step and other writes are one commit', async () => {
        await create('1');
        const claimed = await claim();
        const write = { type: 'state.set' as const, table: 't', key: 'k', data: Buffer.from('1'), binary: false };
        await expect(ledger.commit([write, stepOf({ ...claimed, fence: 99 })])).rejects.toSatisfy(isConflict('fence'));
        await expect(ledger.commit([stepOf(claimed), { ...write, ifEtag: 'stale' }])).rejects.toSatisfy(isConflict('k'));
        expect([await ledger.readState('t', ['k']), (await find('1'))?.turn]).toEqual([[undefined], 0]);
        await ledger.commit([stepOf(claimed), write]);
        expect([(await ledger.readState('t', ['k']))[0]?.key, (await find('1'))?.turn]).toEqual(['k', 1]);
      });
    });

    describe('parents and children', () => {
      const parent = (taskId: number): WorkflowParent => ({ app: 'a', instanceId: 'p', executionId: 'x-p', taskId });
      const child = (id: string, taskId = 1): NonNullable<WorkflowStep['create']>[number] => ({ app: 'b', instanceId: id, executionId: `x-${id}`, name: 'c', parent: parent(taskId), ifExists: 'terminal', message: event(`start ${id}`), refused: result(`refused ${id}`) });

      test('(W4) a child is made by its parent\'s step, in another app too; its end is in the parent\'s inbox by the step that ends it', async () => {
        await create('p');
        await step(await claim(), { create: [child('c')] });
        const [claimed] = await claimAll('o', { app: 'b' });
        if (!claimed) throw new Error('there is no child');
        expect(claimed.parent).toEqual(parent(1));
        expect((await ledger.workflows.children({ app: 'a', instanceId: 'p' }, 10)).map(({ instanceId }) => instanceId)).toEqual(['c']);
        await step(claimed, { status: 'completed', toParent: result('child done') });
        expect(texts(await claim())).toEqual(['child done']);
      });

      test('(W4, W6) a parent that is another execution by now does not hear of it', async () => {
        await create('p');
        await step(await claim(), { create: [child('c')] });
        await send('p', 'go');
        await step(await claim(), { reset: { executionId: 'new', messages: [event('again')] } });
        const [claimed] = await claimAll('o', { app: 'b' });
        await step(claimed as ClaimedWorkflow, { status: 'completed', toParent: result('child done') });
        expect(texts(await claim())).toEqual(['again']);
      });

      test('a child whose id is taken is refused into the inbox, and the step stands', async () => {
        await create('c', { app: 'b' });
        await create('p');
        expect(await step(await claim(), { create: [child('c')] })).toMatchObject({ ready: true });
        expect(texts(await claim())).toEqual(['refused c']);
      });

      test('a child that runs is not replaced from under its parent; purging it by force tells the parent', async () => {
        await create('p');
        await step(await claim(), { create: [child('c')] });
        await expect(one({ ...workflow('c', { app: 'b', ifExists: 'restart' }) })).rejects.toSatisfy(isConflict('c'));
        const row = await ledger.workflows.find('b', 'c');
        expect(await one({ type: 'workflow.purge', row: row?.row ?? 0 })).toMatchObject({ applied: false, status: 'pending' });
        await one({ type: 'workflow.purge', row: row?.row ?? 0, force: { toParent: result('purged') } });
        expect(texts(await claim())).toEqual(['purged']);
        expect(await ledger.workflows.find('b', 'c')).toBeUndefined();
      });

      test('(W6, users 25) the child of an execution that is no more does not stand in the way; a restart takes the family along', async () => {
        await create('p');
        await step(await claim(), { create: [child('c')] });
        const [running] = await claimAll('o', { app: 'b' });
        const orphan = await step(running as ClaimedWorkflow, { create: [{ ...child('grandchild'), parent: { app: 'b', instanceId: 'c', executionId: 'x-c', taskId: 1 } }] });
        await send('p', 'go');
        await step(await claim(), { reset: { executionId: 'new', messages: [event('again')] } });
        await step(await claim(), { create: [{ ...child('c'), executionId: 'x-c2', parent: { ...parent(1), executionId: 'new' } }] });
        expect(await ledger.workflows.find('b', 'c')).toMatchObject({ executionId: 'x-c2', status: 'pending' });
        expect(await ledger.workflows.find('b', 'grandchild'), 'it went along').toBeUndefined();
        await expect(one({ type: 'workflow.step', row: orphan.row ?? 0, fence: orphan.fence ?? 0, consumed: [], status: 'completed', toParent: result('too late') })).rejects.toSatisfy(isConflict('fence'));
        await create('p', { ifExists: 'restart', executionId: 'newest' });
        expect(await ledger.workflows.find('b', 'c')).toBeUndefined();
        expect(texts(await claim())).toEqual(['start p']);
      });

      test('messages of a step reach others and itself', async () => {
        await create('1');
        await create('2');
        const [first, second] = await claimAll();
        if (!first || !second) throw new Error('nothing was claimed');
        await step(first, { send: [{ app: 'a', instanceId: '2', message: event('hello') }, { app: 'a', instanceId: '1', message: event('self') }, { app: 'a', instanceId: 'nobody', message: event('lost') }] });
        await step(second);
        expect((await claimAll()).map((claimed) => texts(claimed))).toEqual([['hello'], ['self']]);
      });
    });

    describe('activities', () => {
      const started = async (activities: readonly NewActivity[]) => {
        await create('1');
        return step(await claim(), { activities });
      };

      test('an activity is claimed once with its attempt; its result is recorded once and a second answer is not applied', async () => {
        await started([task(7)]);
        const [activity] = await claimActivities('p');
        if (!activity) throw new Error('nothing was claimed');
        expect(activity).toMatchObject({ taskId: 7, instanceId: '1', executionId: 'x-1', instanceApp: 'a', name: 'act', attempt: 1, request: 'request 7', state: 'leased', owner: 'p' });
        expect(await claimActivities('q')).toEqual([]);
        const complete = { type: 'workflow.complete' as const, activity: activity.activity, attempt: 1, message: result('done') };
        expect(await one({ ...complete, attempt: 2 })).toEqual({ applied: false });
        expect(await one(complete)).toMatchObject({ applied: true });
        expect(await one(complete), 'W3').toEqual({ applied: false });
        expect(texts(await claim())).toEqual(['done']);
      });

      test('a step resolves activities that it names, all or none', async () => {
        const { fence, activities } = await started([task(1), task(2, { claim: { owner: 'p', leaseMs: 1000 } })]);
        const row = (await find('1'))?.row ?? 0;
        expect((await claimActivities('q')).map(({ taskId }) => taskId), 'the other was claimed by the step').toEqual([1]);
        const [first = 0, second = 0] = activities ?? [];
        const resolving = (ids: number[], at: number): WorkflowOperation => ({ type: 'workflow.step', row, fence: at, consumed: [], status: 'running', resolved: ids.map((activity) => ({ activity, attempt: 1 })) });
        await expect(one(resolving([first, 999], fence ?? 0))).rejects.toSatisfy(isConflict('activity'));
        const next = await one(resolving([first, second], fence ?? 0));
        await expect(one(resolving([first], next.fence ?? 0)), 'W3').rejects.toSatisfy(isConflict('activity'));
      });

      test('a lease that ended gives the activity to another, same attempt; a retry is another attempt after its rest; a return is at once', async () => {
        await started([task(1)]);
        const [first] = await claimActivities('p');
        clock.turn(10_000);
        const [second] = await claimActivities('q');
        expect([second?.activity, second?.attempt]).toEqual([first?.activity, 1]);
        await one({ type: 'workflow.retry', activity: second?.activity ?? 0, attempt: 1, freeAt: clock.now() + 500, error: 'no luck' });
        expect(await claimActivities('q')).toEqual([]);
        clock.turn(500);
        const [third] = await claimActivities('q');
        expect(third).toMatchObject({ attempt: 2, error: 'no luck' });
        await one({ type: 'workflow.return', activity: third?.activity ?? 0, owner: 'q' });
        expect(await claimActivities('p')).toMatchObject([{ attempt: 2 }]);
        expect(await one({ type: 'workflow.return', activity: third?.activity ?? 0, owner: 'q' })).toEqual({ applied: false });
      });

      test('deadlines: an attempt is late by its time to run or its heartbeat, the activity by its end; a heartbeat puts off its own', async () => {
        await started([task(1, { runMs: 5000 }), task(2, { beatMs: 1000, runMs: 5000 }), task(3, { endBy: clock.now() + 2000 })]);
        const late = async () => (await ledger.workflows.expired({ app: 'a', limit: 10 })).activities.map(({ taskId }) => taskId).toSorted();
        expect((await ledger.workflows.expired({ app: 'a', limit: 10 })).nextAt).toBe(clock.now() + 2000);
        const claimed = await claimActivities();
        clock.turn(900);
        await one({ type: 'workflow.heartbeat', activity: claimed[1]?.activity ?? 0, attempt: 1 });
        clock.turn(900);
        expect(await late()).toEqual([]);
        clock.turn(200);
        expect(await late()).toEqual([2, 3]);
        clock.turn(3000);
        expect(await late()).toEqual([1, 2, 3]);
      });

      test('an attempt whose lease ended takes its deadline along; the deadline of the activity stays', async () => {
        await started([task(1, { runMs: 12_000 }), task(2, { runMs: 5000, endBy: clock.now() + 20_000 })]);
        await claimActivities('p');
        clock.turn(10_000);
        await claimActivities('q', { limit: 1 });
        clock.turn(5000);
        expect((await ledger.workflows.expired({ app: 'a', limit: 10 })).activities, 'one runs since 5 s, the other not at all').toEqual([]);
        clock.turn(5000);
        expect((await ledger.workflows.expired({ app: 'a', limit: 10 })).activities.map(({ taskId }) => taskId)).toEqual([2]);
      });

      test('a deferred activity is nobody\'s until it is completed from outside or late', async () => {
        await started([task(1, { runMs: 5000 })]);
        const [activity] = await claimActivities();
        await one({ type: 'workflow.defer', activity: activity?.activity ?? 0, attempt: 1 });
        clock.turn(4999);
        expect(await claimActivities('q')).toEqual([]);
        expect(await ledger.workflows.activity(activity?.activity ?? 0)).toMatchObject({ state: 'deferred', instanceId: '1' });
        expect(await one({ type: 'workflow.complete', activity: activity?.activity ?? 0, attempt: 1, message: result('from outside'), told: true })).toMatchObject({ applied: true });
        expect(texts(await claim())).toEqual(['from outside']);
      });

      test('an activity for another app is claimed there, and dropped ones and those of an ended instance by nobody', async () => {
        const { fence } = await started([task(1, { app: 'b' }), task(2), task(3)]);
        const row = (await find('1'))?.row ?? 0;
        expect((await claimActivities('o', { app: 'b' })).map(({ taskId }) => taskId)).toEqual([1]);
        const next = await one({ type: 'workflow.step', row, fence: fence ?? 0, consumed: [], status: 'running', dropActivities: [2] });
        expect((await ledger.workflows.activities(row, 10)).map(({ taskId }) => taskId)).toEqual([1, 3]);
        await one({ type: 'workflow.step', row, fence: next.fence ?? 0, consumed: [], status: 'terminated' });
        expect([await claimActivities(), await ledger.workflows.activities(row, 10)]).toEqual([[], []]);
      });
    });

    describe('timers', () => {
      test('(W3) a timer fires once, not before its time, in order of time; one without a time never does', async () => {
        await create('1');
        await step(await claim(), { timers: [{ timerId: 1, dueAt: clock.now() + 200, message: result('t1') }, { timerId: 2, dueAt: clock.now() + 100, message: result('t2') }, { timerId: 3, message: result('never') }, { timerId: 4, dueAt: clock.now() + 50, message: result('dropped') }] });
        const row = await find('1');
        await one({ type: 'workflow.step', row: row?.row ?? 0, fence: row?.fence ?? 0, consumed: [], status: 'running', dropTimers: [4] });
        const fire = (limit = 10) => ledger.workflows.fireTimers({ app: 'a', limit });
        clock.turn(99);
        expect(await fire()).toEqual({ fired: 0, nextDueAt: clock.now() + 1 });
        clock.turn(HOUR_MS);
        expect((await Promise.all([fire(1), fire(1), fire(1)])).map(({ fired }) => fired)).toEqual([1, 1, 0]);
        expect(texts(await claim())).toEqual(['t2', 't1']);
        expect(await ledger.workflows.timers(row?.row ?? 0, 10)).toEqual([{ timerId: 3, message: result('never') }]);
      });

      test('(W6) continue-as-new: the old execution\'s results, activities, timers and history are gone, events stay behind the new start', async () => {
        await create('1');
        const { activities } = await step(await claim(), { append: { count: 1, data: 'old' }, activities: [task(1), task(2)], timers: [{ timerId: 3, dueAt: clock.now(), message: result('timer') }] });
        await one({ type: 'workflow.complete', activity: activities?.[0] ?? 0, attempt: 1, message: result('r1') });
        const claimed = await claim();
        await send('1', 'raised');
        await ledger.workflows.fireTimers({ app: 'a', limit: 10 });
        expect(await step(claimed, { reset: { executionId: 'new', messages: [event('start again'), event('carried')] } })).toMatchObject({ ready: true });
        expect(await one({ type: 'workflow.complete', activity: activities?.[1] ?? 0, attempt: 1, message: result('r2') })).toEqual({ applied: false });
        const again = await claim();
        expect(texts(again)).toEqual(['start again', 'carried', 'raised']);
        expect(again).toMatchObject({ executionId: 'new', events: 0, bytes: 0 });
        expect(await ledger.workflows.history(again.row, 0, 10)).toEqual([]);
      });
    });

    describe('control', () => {
      const page = { count: 1, data: 'by hand' };
      const control = (row: number, status: 'terminated' | 'suspended' | 'running', more: object = {}) => one({ type: 'workflow.control', row, status, append: page, ...more });

      test('suspending overtakes the turn under way and keeps its messages; running again gives them out', async () => {
        const { row = 0 } = await create('1');
        const claimed = await claim();
        expect(await control(row, 'suspended')).toEqual({ applied: true, count: 1 });
        expect(await control(row, 'suspended'), 'it is already').toEqual({ applied: false, count: 0 });
        await expect(step(claimed)).rejects.toSatisfy(isConflict('fence'));
        expect([await claimAll(), (await find('1'))?.status]).toEqual([[], 'suspended']);
        await control(row, 'running');
        expect(texts(await claim())).toEqual(['start 1']);
        expect((await ledger.workflows.history(row, 0, 10)).map(({ first, data }) => [first, data])).toEqual([[0, 'by hand'], [1, 'by hand']]);
      });

      test('(W1) terminating ends the whole family in one commit, but for names that are told instead, and tells the parent of the first', async () => {
        const parent = (id: string): WorkflowParent => ({ app: 'a', instanceId: id, executionId: `x-${id}`, taskId: 1 });
        await create('top');
        const { row = 0 } = await create('1', { parent: parent('top') });
        await create('2', { parent: parent('1') });
        await create('3', { parent: parent('2'), name: 'graceful', app: 'b' });
        await create('4', { parent: parent('2') });
        for (const claimed of await claimAll()) await step(claimed, { activities: [task(1)], timers: [{ timerId: 2, dueAt: clock.now(), message: result('t') }] });
        expect(await control(row, 'terminated', { recurse: true, toParent: result('ended'), graceful: { names: ['graceful'], message: event('please end') } })).toEqual({ applied: true, count: 4 });
        expect(await Promise.all(['top', '1', '2', '4'].map(async (id) => (await find(id))?.status))).toEqual(['running', 'terminated', 'terminated', 'terminated']);
        expect((await claimActivities()).map(({ instanceId }) => instanceId)).toEqual(['top']);
        expect((await claimAll('o', { app: 'b' })).map((claimed) => texts(claimed))).toEqual([['start 3', 'please end']]);
        expect(texts(await claim())).toEqual(['ended']);
        expect(await control(row, 'terminated')).toEqual({ applied: false, count: 0 });
        const top = (await find('top'))?.row ?? 0;
        expect(await one({ type: 'workflow.purge', row: top, recurse: true })).toMatchObject({ applied: false });
        expect(await one({ type: 'workflow.purge', row, recurse: true }), 'the graceful one has not ended').toMatchObject({ applied: false });
        expect(await one({ type: 'workflow.purge', row: top, recurse: true, force: { toParent: result('x') } })).toEqual({ applied: true, count: 5 });
        expect((await ledger.workflows.list({ app: 'a', limit: 10 })).instances).toEqual([]);
      });

      test('who ends before it read its start keeps that in its history, whatever was done to it before; who read it has it once', async () => {
        const { row = 0 } = await create('1', { executionId: 'x-1' });
        await create('2', { parent: { app: 'a', instanceId: '1', executionId: 'x-1', taskId: 1 } });
        const { row: begun = 0 } = await create('3', { message: event('start 3') });
        await control(row, 'suspended');
        await step((await claimAll()).find(({ instanceId }) => instanceId === '3') ?? (await claim()), { append: { count: 1, data: '["start 3"]' } });
        for (const [one, count] of [[row, 2], [begun, 1]] as const) expect(await control(one, 'terminated', { recurse: true, keepUnread: 'start' })).toEqual({ applied: true, count });
        const pages = async (id: string) => (await ledger.workflows.history((await find(id))?.row ?? 0, 0, 10)).map(({ first, data }) => [first, data]);
        expect(await pages('1')).toEqual([[0, 'by hand'], [1, '[start 1]'], [2, 'by hand']]);
        expect(await pages('2')).toEqual([[0, '[start 2]'], [1, 'by hand']]);
        expect(await pages('3')).toEqual([[0, '["start 3"]'], [1, 'by hand']]);
        expect(await Promise.all(['1', '2', '3'].map(async (id) => (await find(id))?.events))).toEqual([3, 2, 2]);
      });

      test('who is told to end instead, and is suspended, is so no more and reads it, after what came before', async () => {
        const { row = 0 } = await create('1', { name: 'graceful' });
        await step(await claim());
        await control(row, 'suspended');
        await send('1', 'before');
        expect(await control(row, 'terminated', { graceful: { names: ['graceful'], message: event('please end') } })).toEqual({ applied: true, count: 1 });
        expect((await find('1'))?.status).toBe('running');
        expect(texts(await claim())).toEqual(['before', 'please end']);
      });

      test('a step that adds an activity or a timer of an id that is there is refused', async () => {
        await create('1');
        const { fence } = await step(await claim(), { activities: [task(1)], timers: [{ timerId: 2, message: result('t') }] });
        const row = (await find('1'))?.row ?? 0;
        const again = (more: object): Promise<WorkflowResult> => one({ type: 'workflow.step', row, fence: fence ?? 0, consumed: [], status: 'running', ...more });
        await expect(again({ activities: [task(1)] })).rejects.toSatisfy(isConflict('task'));
        await expect(again({ timers: [{ timerId: 2, message: result('t') }] })).rejects.toSatisfy(isConflict('task'));
        await again({ dropActivities: [1], dropTimers: [2], activities: [task(1)], timers: [{ timerId: 2, message: result('t') }] });
      });
    });

    describe('reading', () => {
      test('history is read in pages from any event on; the snapshot is the last one set', async () => {
        const { row = 0 } = await create('1');
        await step(await claim(), { append: { count: 2, data: 'ab' }, snapshot: 's1' });
        for (const [n, data] of ['cde', 'f'].entries()) {
          await send('1', 'x');
          await step(await claim(), { append: { count: data.length, data }, ...(n === 0 ? { snapshot: 's2' } : {}) });
        }
        const pages = async (from: number, limit = 100) => (await ledger.workflows.history(row, from, limit)).map(({ first, count, data }) => [first, count, data]);
        expect(await pages(0)).toEqual([[0, 2, 'ab'], [2, 3, 'cde'], [5, 1, 'f']]);
        expect(await pages(3)).toEqual([[2, 3, 'cde'], [5, 1, 'f']]);
        expect(await pages(3, 2)).toEqual([[2, 3, 'cde']]);
        expect(await ledger.workflows.snapshot(row)).toBe('s2');
        expect((await find('1'))?.events).toBe(6);
      });

      test('instances are listed newest first with a cursor, by status, name, time, attribute and id', async () => {
        const start = clock.now();
        for (let n = 0; n < 6; n++) {
          await create(`id-${n}`, { name: n % 2 === 0 ? 'even' : 'odd', attributes: { third: String(n % 3) } });
          clock.turn(1000);
        }
        await create('other', { app: 'b' });
        for (const claimed of await claimAll()) if (claimed.name === 'odd') await step(claimed, { status: claimed.instanceId === 'id-1' ? 'failed' : 'completed' });
        const list = async (query: object) => (await ledger.workflows.list({ app: 'a', limit: 10, ...query })).instances.map(({ instanceId }) => instanceId);
        expect(await list({})).toEqual(['id-5', 'id-4', 'id-3', 'id-2', 'id-1', 'id-0']);
        expect(await list({ statuses: ['completed'] })).toEqual(['id-5', 'id-3']);
        expect(await list({ statuses: ['failed', 'completed', 'pending'] })).toEqual(['id-5', 'id-4', 'id-3', 'id-2', 'id-1', 'id-0']);
        expect(await list({ name: 'odd', statuses: ['failed'] })).toEqual(['id-1']);
        expect(await list({ createdFrom: start + 1000, createdTo: start + 3000 })).toEqual(['id-2', 'id-1']);
        expect(await list({ attribute: { name: 'third', value: '2' } })).toEqual(['id-5', 'id-2']);
        expect(await list({ idPrefix: 'id-3' })).toEqual(['id-3']);
        expect(await list({ statuses: ['completed', 'failed'], completedBefore: clock.now() + 1 }).then((ids) => ids.toSorted())).toEqual(['id-1', 'id-3', 'id-5']);
        const seen: string[] = [];
        for (let cursor: string | undefined = undefined; ; ) {
          const page: { instances: readonly { instanceId: string }[]; cursor?: string } = await ledger.workflows.list({ app: 'a', limit: 4, ...(cursor === undefined ? {} : { cursor }) });
          seen.push(...page.instances.map(({ instanceId }) => instanceId));
          cursor = page.cursor;
          if (cursor === undefined) break;
        }
        expect(seen).toEqual(['id-5', 'id-4', 'id-3', 'id-2', 'id-1', 'id-0']);
      });

      test('a purged instance leaves nothing, and its id is free', async () => {
        const { row = 0 } = await create('1', { attributes: { a: 'b' } });
        await step(await claim(), { append: { count: 1, data: 'h' }, snapshot: 's', status: 'completed' });
        expect(await one({ type: 'workflow.purge', row })).toEqual({ applied: true, count: 1 });
        expect([await find('1'), await ledger.workflows.history(row, 0, 10), await ledger.workflows.snapshot(row), await ledger.workflows.attributes(row)]).toEqual([undefined, [], undefined, {}]);
        expect(await create('1', { ifExists: 'unique' })).toMatchObject({ applied: true });
        expect(await one({ type: 'workflow.purge', row })).toEqual({ applied: false, count: 0 });
      });
    });

    test('a commit wakes whoever watches the app it made ready', async () => {
      const seen: string[] = [];
      ledger.watch('workflow/a', () => seen.push('a'));
      ledger.watch('workflow/b', () => seen.push('b'));
      ledger.watch('workflow-status/a', () => seen.push('status'));
      await create('1');
      await until(() => seen.length >= 2);
      expect(seen.toSorted()).toEqual(['a', 'status']);
      await step(await claim(), { activities: [task(1, { app: 'b' })] });
      await until(() => seen.includes('b'));
    });

    const { reopen } = subject;
    if (reopen) {
      test('(L2, L3) after reopening everything is there, and what was leased can be claimed', async () => {
        await create('1');
        await step(await claim(), { activities: [task(1), task(2)], timers: [{ timerId: 3, dueAt: clock.now() + 5, message: result('t') }], append: { count: 1, data: 'h' }, snapshot: 's' });
        await claimActivities('p', { limit: 1 });
        await send('1', 'x');
        const held = await claim('p');
        await ledger.close();
        ledger = await reopen(clock);
        expect(texts(await claim('q'))).toEqual(['x']);
        await expect(step(held)).rejects.toSatisfy(isConflict('fence'));
        expect(await claimActivities('q')).toHaveLength(2);
        expect([(await ledger.workflows.history(held.row, 0, 10)).length, await ledger.workflows.snapshot(held.row), (await ledger.workflows.timers(held.row, 10)).length]).toEqual([1, 's', 1]);
      });
    }
  });
}
