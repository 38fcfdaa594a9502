/**
 * A process that claims from topic `work`, group `g`, and prints each message it got. With `hold` it keeps what it
 * claimed; else it acknowledges. Arguments: path of the ledger, `hold`?
 */
import { systemClock } from '@mecha/runtime/clock.ts';
import { openSqliteLedger } from '@mecha/runtime/ledger/sqlite-ledger.ts';
import { createLog } from '@mecha/runtime/telemetry/log.ts';
import { say } from './say.ts';

const [path = '', hold] = process.argv.slice(2);
const ledger = await openSqliteLedger({ path, clock: systemClock, log: createLog({ level: 'fatal', json: true, appId: 'test', version: '0' }) });
await ledger.openGroup('work', 'g');
say('open');
for (;;) {
  const { messages } = await ledger.claimMessages({ topic: 'work', group: 'g', limit: 10 });
  for (const { id } of messages) say(id);
  if (hold === undefined && messages.length > 0) await ledger.commit(messages.map(({ topic, group, sequence }) => ({ type: 'message.ack', topic, group, sequence })));
  if (messages.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
}
