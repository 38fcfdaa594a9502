/**
 * Which partition a record goes to. Every producer of a topic must choose alike, or the records of one key lose their
 * order: this is the choice of the Go clients that share topics with sidecars of this wire contract, FNV-1a over the key,
 * and not that of the Java clients.
 */
import type { Message, PartitionerArgs } from 'kafkajs';

export function choosePartition({ partitionMetadata, message }: PartitionerArgs): number {
  const count = partitionMetadata.length;
  if (message.partition !== undefined) {
    if (message.partition >= count) throw new RangeError(`partitionNumber ${message.partition} is not one of the topic's ${count} partitions`);
    return message.partition;
  }
  const key = keyOf(message);
  if (!key) return Math.floor(Math.random() * count);
  // The signed remainder, made positive: not the same as the remainder of the unsigned hash.
  return Math.abs((fnv1a(key) | 0) % count);
}

function keyOf({ key }: Message): Uint8Array | undefined {
  if (key === null || key === undefined) return undefined;
  return typeof key === 'string' ? Buffer.from(key) : key;
}

/** FNV-1a, 32 bits, unsigned. */
export function fnv1a(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}
