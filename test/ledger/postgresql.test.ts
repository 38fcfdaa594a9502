/** The shared ledger when things break: the server killed, the network cut in the middle of commits, a process gone without a word. */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import type { Ledger, LedgerOperation } from '@mecha/components/kit';
import { SEED } from '@mecha/components/kit/test-seed.ts';
import { readAddress } from '@mecha/components/postgresql/connection.ts';
import { systemClock } from '@mecha/runtime/clock.ts';
import { createMemoryLedger } from '@mecha/runtime/ledger/memory-ledger.ts';
import { openPostgresqlLedger } from '@mecha/runtime/ledger/postgresql/postgresql-ledger.ts';
import { createLog } from '@mecha/runtime/telemetry/log.ts';
import { freePort } from '../servers/processes.ts';
import { createTestSchema, type TestSchema } from '@mecha/runtime/ledger/postgresql/testing.ts';
import { ONLY_KILLED } from '../servers/postgresql.ts';
import { serverAddress, startPrivateServer } from '../servers/servers.ts';
import { seededRandom, until } from '../tools/processes.ts';

const log = createLog({ level: 'fatal', json: true, appId: 'test', version: '0' });
const undo: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const one of undo.splice(0).reverse()) await one();
});
async function schemaOn(server: string): Promise<TestSchema> {
  const schema = await createTestSchema(server);
  undo.push(() => schema.drop());
  return schema;
}
async function opened(schema: TestSchema, server?: string): Promise<Ledger> {
  const ledger = await schema.open(undefined, server);
  undo.push(() => ledger.close());
  return ledger;
}

const append = (n: number): LedgerOperation => ({ type: 'topic.append', topic: 'work', message: { id: String(n), data: Buffer.from(String(n)), metadata: {} }, retention: { retentionMs: 3_600_000, bytesMax: 1 << 30 } });
async function taken(ledger: Ledger): Promise<number[]> {
  const numbers: number[] = [];
  for (;;) {
    const { messages } = await ledger.claimMessages({ topic: 'work', group: 'g', limit: 500 });
    if (messages.length === 0) return numbers.sort((a, b) => a - b);
    numbers.push(...messages.map(({ id }) => Number(id)));
  }
}

/** A way to the server that can be cut, all connections at once; with `deaf` what the server says is swallowed first. */
async function cuttable(server: string): Promise<{ readonly address: string; cut(): void; deaf(): void }> {
  const [host = '', port = ''] = server.split(':');
  const pairs = new Set<readonly [Socket, Socket]>();
  let isDeaf = false;
  const proxy = createServer((near) => {
    const far = connect({ host, port: Number(port) });
    const pair = [near, far] as const;
    pairs.add(pair);
    near.on('data', (data) => far.write(data));
    far.on('data', (data) => void (isDeaf || near.write(data)));
    for (const socket of pair) {
      socket.on('error', () => undefined);
      socket.on('close', () => {
        pairs.delete(pair);
        for (const other of pair) other.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  undo.push(async () => {
    for (const pair of pairs) for (const socket of pair) socket.destroy();
    proxy.close();
  });
  return {
    address: `127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    deaf: () => void (isDeaf = true),
    cut() {
      for (const [near] of pairs) near.destroy();
      isDeaf = false;
    },
  };
}

describe('PostgreSQL as the ledger', () => {
  test(`(users 1) kill -9 of the server under load: every acknowledged write is there, once (seed ${SEED})`, { timeout: 120_000 }, async () => {
    const random = seededRandom(SEED);
    const server = await startPrivateServer('postgresql', ONLY_KILLED);
    undo.push(() => server.dispose());
    const schema = await createTestSchema(server.address);
    const ledger = await schema.open();
    const acknowledged: number[] = [];
    let next = 0;
    let writing = true;
    const writers = Array.from({ length: 16 }, async () => {
      while (writing) {
        const n = next++;
        // A refusal is a refusal: nothing is known to be written then, and nothing is tried again here.
        await ledger.commit([append(n)]).then(() => acknowledged.push(n), () => sleep(20));
      }
    });
    for (let kills = 0; kills < 3; kills++) {
      const before = acknowledged.length;
      await until('writes are acknowledged', () => acknowledged.length > before + 50, { withinMs: 30_000 });
      await sleep(random() * 300);
      await server.stop(true);
      await server.start();
    }
    writing = false;
    await Promise.all(writers);
    const found = await taken(ledger);
    await ledger.close();
    expect(new Set(found).size, 'none is there twice').toBe(found.length);
    expect(acknowledged.filter((n) => !found.includes(n)), 'all acknowledged are there').toEqual([]);
  });

  test(`a connection lost in the middle of commits: each batch is written once, and nobody is told of it (seed ${SEED})`, { timeout: 120_000 }, async () => {
    const random = seededRandom(SEED);
    const server = serverAddress('postgresql');
    const way = await cuttable(server);
    const schema = await schemaOn(server);
    const ledger = await opened(schema, way.address);
    let writing = true;
    let next = 0;
    const counted: number[] = [];
    const writers = Array.from({ length: 8 }, async () => {
      while (writing) {
        const n = next++;
        const [result] = await ledger.commit([append(n)]);
        counted.push(Number(result?.sequence));
      }
    });
    for (let cuts = 0; cuts < 8; cuts++) {
      await sleep(50 + random() * 150);
      // Every other time the server has done what it was asked, and its answer is lost.
      if (cuts % 2 === 0) way.deaf();
      await sleep(random() * 40);
      way.cut();
      const before = counted.length;
      await until('it goes on', () => counted.length > before, { withinMs: 20_000 });
    }
    writing = false;
    await Promise.all(writers);
    expect(await taken(ledger)).toEqual(Array.from({ length: next }, (_, n) => n));
    expect(new Set(counted).size, 'each was told its own place').toBe(next);
  });

  test('a claim whose answer was lost holds nothing: its messages, turns and ticks are given again', { timeout: 60_000 }, async () => {
    const server = serverAddress('postgresql');
    const way = await cuttable(server);
    const schema = await schemaOn(server);
    const ledger = await opened(schema, way.address);
    const message = { event: '{}', kind: 'event' as const };
    await ledger.commit([
      append(1),
      { type: 'workflow.create', app: 'a', instanceId: 'i', executionId: 'x', name: 'n', ifExists: 'unique', message },
      { type: 'job.put', app: 'a', name: 'j', definition: '{}', data: Buffer.from('d'), dueAt: 0, overwrite: false },
    ]);
    const held = async (): Promise<number> => Number((await schema.connection.query(
      `SELECT (SELECT count(*) FROM "${schema.address.schema}".deliveries WHERE session IS NOT NULL) + (SELECT count(*) FROM "${schema.address.schema}".wf_instances WHERE session IS NOT NULL) + (SELECT count(*) FROM "${schema.address.schema}".jobs WHERE session IS NOT NULL) AS held`,
    ))[0]?.['held']);
    const request = { app: 'a', owner: 'o', limit: 10, leaseMs: 3_600_000 };
    for (const [index, claim] of [
      async () => (await ledger.claimMessages({ topic: 'work', group: 'g', limit: 10 })).messages.length,
      async () => (await ledger.workflows.claimInstances(request)).instances.length,
      async () => (await ledger.jobs.claim(request)).jobs.length,
    ].entries()) {
      way.deaf();
      const answer = claim();
      await until('the server has given it', async () => (await held()) === index + 1, { withinMs: 10_000 });
      way.cut();
      expect(await answer, 'given again, under the same lease').toBe(1);
      expect(await held()).toBe(index + 1);
    }
  });

  test('what one process commits wakes another without a look, and what a silent process held comes free when its lease is over', { timeout: 60_000 }, async () => {
    const schema = await schemaOn(serverAddress('postgresql'));
    const [one, other] = [await opened(schema), await opened(schema)];
    const woken = Promise.withResolvers<string>();
    other.watch('topic/work', () => woken.resolve('woken'));
    await one.commit([append(1)]);
    expect(await woken.promise).toBe('woken');
    expect((await one.claimMessages({ topic: 'work', group: 'g', limit: 10 })).messages).toHaveLength(1);
    expect((await other.claimMessages({ topic: 'work', group: 'g', limit: 10 })).messages, 'held by another').toEqual([]);
    // As if it were on another host and said nothing for longer than its lease.
    await schema.connection.query(`UPDATE "${schema.address.schema}".sessions SET host = 'elsewhere', lease_until = 1 WHERE id = (SELECT min(id) FROM "${schema.address.schema}".sessions)`);
    await until('it is given to the other', async () => (await other.claimMessages({ topic: 'work', group: 'g', limit: 10 })).messages.length === 1, { withinMs: 20_000 });
    expect(await one.commit([{ type: 'message.ack', topic: 'work', group: 'g', sequence: 1 }]), 'too late').toEqual([{ applied: false }]);
  });

  test('an instance that is written to without a pause is claimed all the same, and its timers fire', { timeout: 60_000 }, async () => {
    const schema = await schemaOn(serverAddress('postgresql'));
    const [writer, claimer] = [await opened(schema), await opened(schema)];
    const message = { event: '{}', kind: 'event' as const };
    const [made] = await writer.commit([
      { type: 'workflow.create', app: 'a', instanceId: 'i', executionId: 'x', name: 'n', ifExists: 'unique', message },
      { type: 'workflow.first-step', app: 'a', instanceId: 'i', executionId: 'x', status: 'running', timers: [{ timerId: 1, dueAt: 1, message }] },
    ]);
    expect(made?.workflow?.row).toBeGreaterThan(0);
    let writing = true;
    const writers = Array.from({ length: 32 }, async () => {
      while (writing) await writer.commit([{ type: 'workflow.send', app: 'a', instanceId: 'i', message }]);
    });
    try {
      await until('the timer fires', async () => (await claimer.workflows.fireTimers({ app: 'a', limit: 10 })).fired === 1, { withinMs: 20_000 });
      await until('it is claimed', async () => (await claimer.workflows.claimInstances({ app: 'a', owner: 'o', limit: 10, leaseMs: 60_000 })).instances.length === 1, { withinMs: 20_000 });
    } finally {
      writing = false;
      await Promise.all(writers);
    }
  });

  test('two processes that write the same rows in any order both get through', { timeout: 60_000 }, async () => {
    const schema = await schemaOn(serverAddress('postgresql'));
    const ledgers = [await opened(schema), await opened(schema)];
    const random = seededRandom(SEED);
    const set = (key: number): LedgerOperation => ({ type: 'state.set', table: 't', key: String(key), data: Buffer.from('x'), binary: false });
    await Promise.all(
      ledgers.flatMap((ledger) => Array.from({ length: 100 }, () => ledger.commit([set(Math.floor(random() * 10)), set(Math.floor(random() * 10)), append(Math.floor(random() * 10))]))),
    );
    expect((await ledgers[0]?.topicStatus('work'))?.messages).toBe(200);
  });

  test('texts that the server has no way to keep come back as they were', async () => {
    const schema = await schemaOn(serverAddress('postgresql'));
    const ledger = await opened(schema);
    const odd = 'a\u0000b\uf1ff0\uf1ff\\u0000"';
    await ledger.commit([
      { type: 'state.set', table: odd, key: odd, data: Buffer.from(odd), binary: false },
      { type: 'topic.append', topic: odd, message: { id: odd, data: Buffer.from('x'), metadata: { [odd]: odd }, contentType: odd }, retention: { retentionMs: 1000, bytesMax: 1000 } },
      { type: 'workflow.create', app: odd, instanceId: odd, executionId: odd, name: odd, ifExists: 'unique', message: { event: odd, kind: 'event' }, attributes: { [odd]: odd } },
    ]);
    expect((await ledger.readState(odd, [odd]))[0]).toMatchObject({ key: odd, data: Buffer.from(odd) });
    expect((await ledger.claimMessages({ topic: odd, group: odd, limit: 1 })).messages).toMatchObject([{ id: odd, topic: odd, metadata: { [odd]: odd }, contentType: odd }]);
    const [claimed] = (await ledger.workflows.claimInstances({ app: odd, owner: odd, limit: 1, leaseMs: 1000, names: [odd] })).instances;
    expect(claimed).toMatchObject({ app: odd, instanceId: odd, name: odd, owner: odd, messages: [{ event: odd }] });
    expect(await ledger.workflows.attributes(claimed?.row ?? 0)).toEqual({ [odd]: odd });
    await expect(ledger.commit([{ type: 'state.delete', table: odd, key: odd, ifEtag: 'none' }])).rejects.toMatchObject({ key: odd, index: 0 });
  });

  test('what cannot be opened says why, without the password: a newer schema, no such server', { timeout: 60_000 }, async () => {
    const schema = await schemaOn(serverAddress('postgresql'));
    await (await schema.open()).close();
    await schema.connection.query(`UPDATE "${schema.address.schema}".ledger_meta SET value = '99' WHERE name = 'schema'`);
    await expect(schema.open()).rejects.toThrow(/schema 99, .* written by a newer one/);
    const nowhere = readAddress(`postgresql://mecha:geheim@127.0.0.1:${await freePort()}/d`);
    const refused = openPostgresqlLedger({ address: nowhere, registry: createMemoryLedger({ clock: systemClock }), log, random: Math.random, openPatienceMs: 300 });
    await expect(refused).rejects.toThrow(/^no ledger at postgresql:\/\/127\.0\.0\.1:\d+\/d \(schema mecha\): (?!.*geheim)/);
  });
});
