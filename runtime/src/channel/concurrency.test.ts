import { describe, expect, it } from 'vitest';
import { TooManyWaiting, createConcurrencyLimit } from './concurrency.ts';

const never = new AbortController().signal;

describe('the concurrency limit', () => {
  it('gives places in the order of asking and never more than there are', async () => {
    const limit = createConcurrencyLimit(2);
    const first = await limit.acquire(never);
    const second = await limit.acquire(never);
    const order: string[] = [];
    const third = limit.acquire(never).then((release) => (order.push('third'), release));
    const fourth = limit.acquire(never).then((release) => (order.push('fourth'), release));
    await Promise.resolve();
    expect(order).toEqual([]);
    first();
    const releaseThird = await third;
    expect(order).toEqual(['third']);
    releaseThird();
    await fourth;
    expect(order).toEqual(['third', 'fourth']);
    second();
  });

  it('counts a place given back twice once', async () => {
    const limit = createConcurrencyLimit(1);
    const release = await limit.acquire(never);
    release();
    release();
    await limit.acquire(never);
    let got = false;
    void limit.acquire(never).then(() => (got = true));
    await new Promise(setImmediate);
    expect(got).toBe(false);
  });

  it('lets a waiting call give up without losing a place', async () => {
    const limit = createConcurrencyLimit(1);
    const release = await limit.acquire(never);
    const abort = new AbortController();
    const waiting = limit.acquire(abort.signal);
    abort.abort(new Error('gone'));
    await expect(waiting).rejects.toThrow('gone');
    release();
    await expect(limit.acquire(never)).resolves.toBeTypeOf('function');
  });

  it('refuses by name when too many wait', async () => {
    const limit = createConcurrencyLimit(1, 1);
    await limit.acquire(never);
    void limit.acquire(never);
    await expect(limit.acquire(never)).rejects.toBeInstanceOf(TooManyWaiting);
  });

  it('is no limit when none is given', async () => {
    const limit = createConcurrencyLimit(undefined);
    await Promise.all(Array.from({ length: 100 }, () => limit.acquire(never)));
    const gone = AbortSignal.abort(new Error('gone'));
    await expect(limit.acquire(gone)).rejects.toThrow('gone');
  });
});
