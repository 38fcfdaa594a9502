import { expect, test } from 'vitest';
import { retryAfterMs } from './retry-after.ts';

const NOW = Date.UTC(2026, 0, 1);

test.each([
  ['120', 120_000], ['0', 0], [' 5 ', 5_000],
  ['Thu, 01 Jan 2026 00:00:07 GMT', 7_000], ['Wed, 31 Dec 2025 00:00:00 GMT', 0],
  ['', undefined], ['soon', undefined], [undefined, undefined], [['1', '2'], undefined],
] as const)('Retry-After of %j asks for %s ms', (header, asked) => {
  expect(retryAfterMs(header, NOW)).toBe(asked);
});
