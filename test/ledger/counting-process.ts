/**
 * Makes commits and says how many syncs each kind cost. Arguments: path of the ledger, file of the sync counter.
 * Prints one JSON line: `{ lone: [requests, syncs], together: …, settlements: …, steps: …, results: … }`: steps of workflows, and what
 * needs no sync of its own: claims, results of activities, renewals, timers.
 */
import { statSync } from 'node:fs';
import { systemClock } from '@mecha/runtime/clock.ts';
import { openSqliteLedger } from '@mecha/runtime/ledger/sqlite-ledger.ts';
import { createLog } from '@mecha/runtime/telemetry/log.ts';

const [path = '', counter = ''] = process.argv.slice(2);
const ledger = await openSqliteLedger({ path, clock: systemClock, log: createLog({ level: 'fatal', json: true, appId: 'test', version: '0' }) });
const syncs = () => statSync(counter, { throwIfNoEntry: false })?.size ?? 0;
const data = Buffer.alloc(1024, 'x');
const write = (n: number) => ledger.commit([{ type: 'state.set', table: 't', key: `k${n}`, data, binary: false }]);
const append = (n: number) => ledger.commit([{ type: 'topic.append', topic: 'x', message: { id: String(n), data, metadata: {} }, retention: { retentionMs: 1e9, bytesMax: 1e9 } }]);

const beforeLone = syncs();
for (let n = 0; n < 20; n++) await write(n);
const beforeTogether = syncs();
for (let round = 0; round < 10; round++) await Promise.all(Array.from({ length: 64 }, (_, n) => write(n)));
const beforeSettlements = syncs();
await Promise.all(Array.from({ length: 100 }, (_, n) => append(n)));
const { messages } = await ledger.claimMessages({ topic: 'x', group: 'g', limit: 100 });
const beforeAcks = syncs();
for (const { topic, group, sequence } of messages) await ledger.commit([{ type: 'message.ack', topic, group, sequence }]);
const end = syncs();

const at = (n: number) => ({ app: 'a', instanceId: `i${n}`, executionId: 'x' });
const start = { event: '{}', kind: 'event' as const };
for (let n = 0; n < 20; n++) {
  await ledger.commit([
    { type: 'workflow.create', ...at(n), name: 'w', ifExists: 'unique', message: start },
    { type: 'workflow.first-step', ...at(n), status: 'running', append: { count: 1, data: '[]' }, activities: [{ taskId: 1, app: 'a', name: 'act', request: '{}' }] },
  ]);
}
const beforeResults = syncs();
for (let n = 0; n < 20; n++) {
  const { activities } = await ledger.workflows.claimActivities({ app: 'a', owner: 'o', limit: 1, leaseMs: 10_000 });
  for (const { activity } of activities) await ledger.commit([{ type: 'workflow.complete', activity, attempt: 1, message: { event: '{}', kind: 'result' } }]);
  await ledger.workflows.claimInstances({ app: 'a', owner: 'o', limit: 1, leaseMs: 10_000 });
  await ledger.workflows.renew({ owner: 'o', leaseMs: 10_000, instances: [], activities: [] });
  await ledger.workflows.fireTimers({ app: 'a', limit: 10 });
}
const afterResults = syncs();
await ledger.close();
process.stdout.write(`${JSON.stringify({ lone: [20, beforeTogether - beforeLone], together: [640, beforeSettlements - beforeTogether], settlements: [messages.length, end - beforeAcks], steps: [20, beforeResults - end], results: [100, afterResults - beforeResults] })}\n`);
