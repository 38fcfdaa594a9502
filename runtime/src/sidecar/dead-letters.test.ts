import { expect, test } from 'vitest';
import type { DeadLetter, Ledger } from '@mecha/components/kit';
import { createTurnedClock, until } from '@mecha/components/kit/testing.ts';
import type { ComponentLookup } from '../component-set.ts';
import { createKeptLetters } from './dead-letters.ts';
import { createMemoryLedger } from '../ledger/memory-ledger.ts';
import { createLog } from '../telemetry/log.ts';
import { noMetrics } from '../telemetry/testing.ts';

const MINUTE_MS = 60_000;

test('what is past its retention goes at the start and within a minute, also when the ledger failed in between, until the sidecar stops', async () => {
  const clock = createTurnedClock();
  const ledger = createMemoryLedger({ clock });
  const lines: string[] = [];
  let looks = 0;
  let fails = false;
  const watched: Pick<Ledger, 'commit' | 'deadLetter' | 'deadLetters'> = {
    commit: (batch) => ledger.commit(batch),
    deadLetter: (request) => ledger.deadLetter(request),
    deadLetters(request) {
      looks += 1;
      return fails ? Promise.reject(new Error('out of reach')) : ledger.deadLetters(request);
    },
  };
  const letter = (n: number): DeadLetter => ({ id: `p/t/app/${n}`, appId: 'app', pubsub: 'p', topic: 't', group: 'app', deadLetterTopic: 'd', reason: 'r', attempts: 5, data: Buffer.from(''), metadata: {}, at: clock.now() });
  const count = async () => (await ledger.deadLetters({ appId: 'app', limit: 10 })).length;
  const components = { find: () => ({ metadata: { deadLetterRetention: '90s' } }) } as unknown as ComponentLookup;
  const resend = async () => ({ outcome: 'taken' }) as const;
  const log = createLog({ level: 'warn', json: true, appId: 'app', version: '0', write: (line) => lines.push(line) });
  const letters = createKeptLetters({ appId: 'app', ledger: watched, components, clock, log, metrics: noMetrics, resend: { topic: resend, binding: resend } });

  await ledger.commit([{ type: 'dead-letter.add', letter: letter(1) }]);
  clock.turn(2 * MINUTE_MS);
  await letters.start?.();
  await until(async () => (await count()) === 0);

  await ledger.commit([{ type: 'dead-letter.add', letter: letter(2) }]);
  clock.turn(MINUTE_MS);
  fails = true;
  await until(() => {
    clock.turn(MINUTE_MS);
    return lines.some((line) => line.includes('could not be removed'));
  });
  fails = false;
  await until(async () => {
    clock.turn(MINUTE_MS);
    return (await count()) === 0;
  });

  await letters.stop?.();
  const before = looks;
  clock.turn(10 * MINUTE_MS);
  expect(looks).toBe(before);
});
