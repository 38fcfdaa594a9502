/**
 * A process that writes to a ledger as fast as it can and says on standard output what was acknowledged, one line each,
 * only after the acknowledgement: `state <n>` and `event <n>`. Killed by the tests that start it.
 * Arguments: path of the ledger, lanes.
 */
import { openSqliteLedger } from '@mecha/runtime/ledger/sqlite-ledger.ts';
import { systemClock } from '@mecha/runtime/clock.ts';
import { createLog } from '@mecha/runtime/telemetry/log.ts';
import { say } from './say.ts';

const [path = '', lanes = '8'] = process.argv.slice(2);
const ledger = await openSqliteLedger({ path, clock: systemClock, log: createLog({ level: 'fatal', json: true, appId: 'test', version: '0' }) });
say('open');
let next = 0;
await Promise.all(
  Array.from({ length: Number(lanes) }, async () => {
    for (;;) {
      const n = next++;
      const data = Buffer.from(`value ${n}`);
      await ledger.commit([
        { type: 'state.set', table: 'state', key: `key-${n}`, data, binary: false },
        { type: 'topic.append', topic: 'events', message: { id: `event-${n}`, data, metadata: {} }, retention: { retentionMs: 3_600_000, bytesMax: 1 << 30 } },
      ]);
      // Synchronous, so that nothing acknowledged stays unsaid in a buffer when the kill comes.
      say(String(n));
    }
  }),
);
