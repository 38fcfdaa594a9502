import { describe, expect, test } from 'vitest';
import { divideByRange, divideInTurn } from './assigners.ts';
import { choosePartition, fnv1a } from './partitioner.ts';

const metadataOf = (count: number) => Array.from({ length: count }, (_, partitionId) => ({ partitionErrorCode: 0, partitionId, leader: 0, replicas: [], isr: [] }));
const choose = (count: number, message: { key?: string; partition?: number }) =>
  choosePartition({ topic: 't', partitionMetadata: metadataOf(count), message: { value: null, ...message } });

describe('the partition of a record', () => {
  test('comes from FNV-1a over its key, as the published values of that hash have it', () => {
    expect(fnv1a(Buffer.from(''))).toBe(0x811c9dc5);
    expect(fnv1a(Buffer.from('a'))).toBe(0xe40c292c);
    expect(fnv1a(Buffer.from('foobar'))).toBe(0xbf9cf968);
  });

  test('is the signed remainder made positive, where the unsigned one would differ', () => {
    expect(0xe40c292c % 10).toBe(0);
    expect(choose(10, { key: 'a' })).toBe(6);
  });

  test('is the one asked for, if the topic has it', () => {
    expect(choose(3, { key: 'a', partition: 2 })).toBe(2);
    expect(() => choose(3, { partition: 3 })).toThrow('partitionNumber 3');
  });

  test('is any of them without a key, in time every one', () => {
    const chosen = new Set(Array.from({ length: 1_000 }, () => choose(4, {})));
    expect([...chosen].toSorted()).toEqual([0, 1, 2, 3]);
  });
});

describe('dividing partitions', () => {
  const partitions = new Map([
    ['a', [0, 1, 2, 3, 4]],
    ['b', [0, 1, 2]],
    ['nobodys', [0]],
  ]);
  const members = new Map([
    ['m1', ['a']],
    ['m2', ['a', 'b']],
    ['m3', ['b']],
  ]);

  test('by range gives each member of a topic a piece, the first ones one more', () => {
    expect([...divideByRange(partitions, members)]).toEqual([
      ['m1', 'a', 0],
      ['m1', 'a', 1],
      ['m1', 'a', 2],
      ['m2', 'a', 3],
      ['m2', 'a', 4],
      ['m2', 'b', 0],
      ['m2', 'b', 1],
      ['m3', 'b', 2],
    ]);
  });

  test('in turn passes over members that do not want the topic', () => {
    expect([...divideInTurn(partitions, members)]).toEqual([
      ['m1', 'a', 0],
      ['m2', 'a', 1],
      ['m1', 'a', 2],
      ['m2', 'a', 3],
      ['m1', 'a', 4],
      ['m2', 'b', 0],
      ['m3', 'b', 1],
      ['m2', 'b', 2],
    ]);
  });
});
