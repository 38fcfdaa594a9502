import { expect, test } from 'vitest';
import { createTurnedClock } from '@mecha/components/kit/testing.ts';
import { MechaError } from './errors.ts';
import { Intake } from './intake.ts';
import { createLog } from './telemetry/log.ts';

test('a component that is still connecting is no warning, and begins when it is ready; what else fails is one', async () => {
  const lines: string[] = [];
  const log = createLog({ level: 'info', json: true, appId: 'app', version: '0', write: (line) => lines.push(line) });
  const failures: Error[] = [new MechaError({ code: 'ERR_COMPONENT_NOT_READY', kind: 'unavailable', message: 'the first connection is being made' })];
  const opened = Promise.withResolvers<void>();
  const intake = new Intake({
    words: 'input binding b', fields: {}, clock: createTurnedClock(), random: () => 0, log,
    async open() {
      const failure = failures.shift();
      if (failure) throw failure;
      opened.resolve();
      return { pause: async () => undefined, resume: async () => undefined, close: async () => undefined };
    },
  });
  intake.setFlow(true, '');
  await expect(intake.firstTry).rejects.toThrow('first connection');
  expect([intake.state, lines]).toEqual(['failed', []]);
  failures.push(new Error('no such queue'));
  intake.componentReady();
  await expect.poll(() => lines.length).toBe(1);
  expect(lines[0]).toContain('input binding b does not stand: no such queue');
  intake.componentReady();
  await opened.promise;
  await intake.close();
});
