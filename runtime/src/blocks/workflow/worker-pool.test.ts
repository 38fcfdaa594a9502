/** The pool of workers alone: an engine that records who is attached, and workers whose streams are lists. */
import { describe, expect, test } from 'vitest';
import type { Engine } from '../../engine/engine.ts';
import { ExecutorUnavailable, type ActivityExecutor, type ActivityRequest, type Turn, type TurnResult, type WorkflowExecutor } from '../../engine/executor.ts';
import type { HistoryEvent } from '../../engine/vocabulary.ts';
import { ITEMS_MAX, LEAVING_MS, WorkerPool, type WorkItem } from './worker-pool.ts';

class Bench {
  turns: WorkflowExecutor | undefined;
  activities: ActivityExecutor | undefined;
  readonly pool: WorkerPool;
  readonly #timers: { readonly at: number; readonly callback: () => void }[] = [];
  #now = 0;
  #ids = 0;

  constructor() {
    const engine = {
      attachExecutor: (executor: WorkflowExecutor) => {
        this.turns = executor;
        return () => (this.turns = undefined);
      },
      attachActivities: (executor: ActivityExecutor) => {
        this.activities = executor;
        return () => (this.activities = undefined);
      },
    };
    const clock = {
      now: () => this.#now,
      after: (ms: number, callback: () => void) => {
        const timer = { at: this.#now + ms, callback };
        this.#timers.push(timer);
        return () => {
          const at = this.#timers.indexOf(timer);
          if (at >= 0) this.#timers.splice(at, 1);
        };
      },
    };
    this.pool = new WorkerPool(engine as unknown as Engine, { clock, newId: () => `token-${++this.#ids}` });
  }
  pass(ms: number): void {
    this.#now += ms;
    for (const timer of this.#timers.filter(({ at }) => at <= this.#now)) {
      this.#timers.splice(this.#timers.indexOf(timer), 1);
      timer.callback();
    }
  }
  worker(keepsHistory = false, connection?: AbortSignal): { readonly items: WorkItem[]; leave(atOnce?: boolean): void } {
    const items: WorkItem[] = [];
    return { items, leave: this.pool.connect({ keepsHistory, connection, send: async (item) => void items.push(item) }) };
  }
  turn(instanceId: string, past = 0, { executionId = 'e', signal = new AbortController().signal } = {}): Promise<TurnResult> {
    const events = Array.from({ length: past }, (_, n): HistoryEvent => ({ kind: 'eventRaised', id: -1, at: n, name: 'e' }));
    const turn: Turn = { instance: { app: 'ns/a', instanceId, executionId, name: 'w', createdAt: 0 }, token: '1.1', number: 0, pastCount: past, past: events, newEvents: [] };
    if (!this.turns) throw new Error('no executor is attached');
    return Promise.resolve(this.turns.runTurn(turn, signal));
  }
  activity(instanceId: string, taskId: number, signal = new AbortController().signal) {
    const request: ActivityRequest = { app: 'ns/a', instanceId, executionId: 'e', workflowName: 'w', taskId, name: 'act', attempt: 1, idempotencyKey: 'k', token: '1.1' };
    if (!this.activities) throw new Error('no executor is attached');
    return Promise.resolve(this.activities.runActivity(request, signal));
  }
}
const answer = (words: string): TurnResult => ({ actions: [], customStatus: words });
const completed = (result: string) => ({ kind: 'completed' as const, result });
const tokenOf = (items: readonly WorkItem[], n = 0): string => items[n]?.token ?? '';

describe('the pool of workers', () => {
  test('the engine has an executor as long as there is a worker, and no longer', () => {
    const bench = new Bench();
    expect(bench.turns).toBeUndefined();
    const [one, two] = [bench.worker(), bench.worker()];
    one.leave();
    expect(bench.turns).toBeDefined();
    two.leave();
    expect([bench.turns, bench.activities]).toEqual([undefined, undefined]);
  });

  test('P1 what a worker has not answered when it goes is given back, turns and activities', async () => {
    const bench = new Bench();
    const worker = bench.worker();
    const [turn, activity] = [bench.turn('i'), bench.activity('i', 1)];
    worker.leave();
    await expect(turn).rejects.toBeInstanceOf(ExecutorUnavailable);
    await expect(activity).rejects.toBeInstanceOf(ExecutorUnavailable);
    expect(bench.pool.answerTurn('i', tokenOf(worker.items), () => answer('late'))).toBe(false);
  });

  test('24 P2 a worker whose stream ended still answers its activities, and nobody else is given them meanwhile', async () => {
    const bench = new Bench();
    const process = new AbortController();
    const [worker, other] = [bench.worker(false, process.signal), bench.worker()];
    const [first, second] = [bench.activity('i', 1), bench.activity('i', 2)];
    const turn = bench.turn('i');
    expect([worker.items.length, other.items.length]).toEqual([2, 1]);
    worker.leave();
    await expect(turn).rejects.toBeInstanceOf(ExecutorUnavailable);
    expect(other.items).toHaveLength(1);
    expect(bench.pool.answerActivity('i', 1, '', completed('in time'))).toBe(true);
    expect(await first).toEqual(completed('in time'));
    bench.pool.answerActivity('i', 2, '', completed('of the other'));
    expect(await second).toEqual(completed('of the other'));
  });

  test.each([
    ['when its connection is gone', (_bench: Bench, process: AbortController) => process.abort()],
    ['after a minute', (bench: Bench) => bench.pass(LEAVING_MS)],
  ])('P2 what it does not answer is given back %s', async (_when, end) => {
    const bench = new Bench();
    const process = new AbortController();
    const worker = bench.worker(false, process.signal);
    const activity = bench.activity('i', 1);
    worker.leave();
    let settled = false;
    const outcome = activity.finally(() => (settled = true));
    await Promise.resolve();
    expect(settled).toBe(false);
    end(bench, process);
    await expect(outcome).rejects.toBeInstanceOf(ExecutorUnavailable);
    expect(bench.pool.answerActivity('i', 1, '', completed('late'))).toBe(false);
  });

  test('P1 a sidecar that goes waits for nobody', async () => {
    const bench = new Bench();
    const worker = bench.worker(false, new AbortController().signal);
    const activity = bench.activity('i', 1);
    worker.leave(true);
    await expect(activity).rejects.toBeInstanceOf(ExecutorUnavailable);
  });

  test('P3 no worker has more than a hundred items; the rest waits for room', async () => {
    const bench = new Bench();
    const worker = bench.worker();
    const all = Array.from({ length: ITEMS_MAX + 5 }, (_, n) => bench.activity('i', n));
    expect(worker.items).toHaveLength(ITEMS_MAX);
    for (let n = 0; n < all.length; n++) expect(bench.pool.answerActivity('i', n, '', completed(String(n)))).toBe(true);
    expect((await Promise.all(all)).map((outcome) => outcome.kind === 'completed' && outcome.result)).toEqual(all.map((_, n) => String(n)));
  });

  test('a second worker takes what the first has no room for', () => {
    const bench = new Bench();
    const [one, two] = [bench.worker(), bench.worker()];
    for (let n = 0; n < 50; n++) void bench.activity('i', n);
    expect([one.items.length, two.items.length]).toEqual([25, 25]);
  });

  test('P4 an answer under another token is not used', async () => {
    const bench = new Bench();
    const worker = bench.worker();
    const turn = bench.turn('i');
    expect(bench.pool.answerTurn('i', 'token-of-before', () => answer('stale'))).toBe(false);
    expect(bench.pool.answerTurn('i', tokenOf(worker.items), () => answer('right'))).toBe(true);
    expect(await turn).toEqual(answer('right'));
  });

  test('P4 without tokens, the answer to a turn that was given up is not taken for that to the next', async () => {
    const bench = new Bench();
    bench.worker();
    const gone = new AbortController();
    const first = bench.turn('i', 0, { signal: gone.signal });
    gone.abort();
    await expect(first).rejects.toBeInstanceOf(ExecutorUnavailable);
    const second = bench.turn('i', 3);
    expect(bench.pool.answerTurn('i', '', () => answer('to the first'))).toBe(false);
    expect(bench.pool.answerTurn('i', '', () => answer('to the second'))).toBe(true);
    expect(await second).toEqual(answer('to the second'));
  });

  test('P4 without tokens, an answer that was lost does not shift all that follow', async () => {
    const bench = new Bench();
    bench.worker();
    const lost = bench.turn('i');
    bench.pass(240_000);
    await expect(lost).rejects.toBeInstanceOf(ExecutorUnavailable);
    const shifted = bench.turn('i');
    expect(bench.pool.answerTurn('i', '', () => answer('taken for the lost one'))).toBe(false);
    bench.pass(240_000);
    await expect(shifted).rejects.toBeInstanceOf(ExecutorUnavailable);
    const third = bench.turn('i');
    expect(bench.pool.answerTurn('i', '', () => answer('third'))).toBe(true);
    expect(await third).toEqual(answer('third'));
  });

  test('what is wrong with an answer is the failure of its turn', async () => {
    const bench = new Bench();
    bench.worker();
    const turn = bench.turn('i');
    bench.pool.answerTurn('i', '', () => {
      throw new Error('no such action');
    });
    await expect(turn).rejects.toThrow('no such action');
  });

  test('P5 a worker that keeps history is sent what it lacks; another execution, another worker and a worker come anew get all', async () => {
    const bench = new Bench();
    const worker = bench.worker(true);
    const knownOf = async (past: number, executionId = 'e'): Promise<number> => {
      const turn = bench.turn('i', past, { executionId });
      const item = worker.items.at(-1);
      bench.pool.answerTurn('i', item?.token ?? '', () => answer('x'));
      await turn;
      return item?.kind === 'turn' ? item.known : -1;
    };
    expect([await knownOf(0), await knownOf(3), await knownOf(7), await knownOf(7)]).toEqual([0, 0, 3, 7]);
    expect([await knownOf(9, 'next'), await knownOf(12, 'next')]).toEqual([0, 9]);
    bench.turns?.forget?.({ app: 'ns/a', instanceId: 'i', executionId: 'next' });
    expect(await knownOf(14, 'next')).toBe(0);
  });

  test('P5 a worker that does not keep history is always sent all of it', async () => {
    const bench = new Bench();
    const worker = bench.worker(false);
    for (const past of [3, 5]) {
      const turn = bench.turn('i', past);
      expect(worker.items.at(-1)).toMatchObject({ known: 0 });
      bench.pool.answerTurn('i', '', () => answer('x'));
      await turn;
    }
  });

  test('an instance goes to the worker that has its history', async () => {
    const bench = new Bench();
    const [one, two] = [bench.worker(true), bench.worker(true)];
    const first = bench.turn('i', 2);
    bench.pool.answerTurn('i', tokenOf(one.items), () => answer('x'));
    await first;
    void bench.activity('other', 1);
    void bench.turn('i', 4);
    expect([one.items.at(-1)?.kind, two.items.length]).toEqual(['turn', 0]);
  });
});
