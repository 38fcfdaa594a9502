/** What an app's answer to an input binding asks for, over HTTP and over gRPC with the same outcome: state to save, bindings to call. */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { systemClock } from '@mecha/runtime/clock.ts';
import { openSqliteLedger } from '@mecha/runtime/ledger/sqlite-ledger.ts';
import { createLog } from '@mecha/runtime/telemetry/log.ts';
import { AppCallback, BindingEventResponseBindingEventConcurrency } from '@mecha/specs/gen/appcallback.gen.ts';
import { StateOptionsStateConcurrency } from '@mecha/specs/gen/common.gen.ts';
import { until } from '../tools/processes.ts';
import { cleanUp, component, folderWith, grpcApp, later, startSidecar, testApp } from './sidecar.ts';

afterEach(cleanUp);

interface Reply {
  readonly storeName?: string;
  readonly state?: readonly { readonly key: string; readonly value: unknown; readonly etag?: string; readonly options?: { readonly concurrency: 'first-write' } }[];
  readonly to?: readonly string[];
  readonly concurrency?: 'parallel' | 'sequential';
  readonly data?: unknown;
}
type Protocol = 'http' | 'grpc';
const EVENT_ID = 'mecha-event-id';
const { CONCURRENCY_FIRST_WRITE } = StateOptionsStateConcurrency;

/** An app that wants the binding `tick`, and answers each of its events by `answer`. Returns its port. */
async function replyingApp(protocol: Protocol, answer: (eventId: string) => Reply): Promise<number> {
  if (protocol === 'http') {
    const app = await testApp(({ method, path, headers }) => {
      if (path !== '/tick') return undefined;
      return method === 'OPTIONS' ? {} : { body: answer(String(headers[EVENT_ID])) };
    });
    await app.listen();
    return app.port;
  }
  return grpcApp((serve) => {
    serve(AppCallback.ListInputBindings, (_call, reply) => reply(null, { bindings: ['tick'] }));
    serve(AppCallback.OnBindingEvent, ({ request: { metadata } }, reply) => {
      const { storeName = '', state = [], to = [], concurrency, data } = answer(metadata[EVENT_ID] ?? '');
      reply(null, {
        storeName,
        states: state.map(({ key, value, etag, options }) => ({
          key, value: Buffer.from(JSON.stringify(value)), metadata: { contentType: 'application/json' },
          ...(etag === undefined ? {} : { etag: { value: etag } }), ...(options === undefined ? {} : { options: { concurrency: CONCURRENCY_FIRST_WRITE } }),
        })),
        to,
        data: Buffer.from(JSON.stringify(data ?? null)),
        concurrency: BindingEventResponseBindingEventConcurrency[concurrency === 'parallel' ? 'PARALLEL' : 'SEQUENTIAL'],
      });
    });
  });
}

/** What the bindings `a` and `b` call: keeps what it is sent, and answers when and how it is told. */
async function target(handle: (name: string, response: ServerResponse, body: string) => void): Promise<string> {
  const server = createServer((incoming, response) => {
    void incoming.toArray().then((chunks) => handle((incoming.url ?? '').slice(1), response, Buffer.concat(chunks as Buffer[]).toString()));
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  later(async () => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
const withTargets = (url: string) =>
  folderWith({ 'all.yaml': component('store', 'state.sqlite') + component('tick', 'bindings.cron', { schedule: '@every 300ms' }) + ['a', 'b'].map((name) => component(name, 'bindings.http', { url: `${url}/${name}` })).join('') });

describe.each<Protocol>(['http', 'grpc'])('an answer over %s', (protocol) => {
  const args = ['--app-protocol', protocol];

  test('is done before the event is taken: state first, then the bindings one after the other, or all at once', async () => {
    const ends: string[] = [];
    const replies: Reply = { storeName: 'store', state: [{ key: 'last', value: { n: 1 } }], to: ['a', 'b'], data: { from: 'tick' } };
    const modes = ['sequential', 'parallel'] as const;
    /** By event, in the order in which they came: first one of each mode, then such as ask for nothing. */
    const events: string[] = [];
    const bothThere = Promise.withResolvers<void>();
    let here = 0;
    const url = await target((name, response, body) => {
      void (async () => {
        const mode = modes[events.length - 1];
        const saved = (await sidecar.call('GET', '/state/store/last')).text;
        // Each waits for the other: answered only when both are called at once.
        if (mode === 'parallel' && ++here === 2) bothThere.resolve();
        if (mode === 'parallel') await bothThere.promise;
        ends.push(`${mode} ${mode === 'parallel' ? 'one' : name} ${body} ${saved}`);
        response.end();
      })();
    });
    const appPort = await replyingApp(protocol, (id) => {
      if (!events.includes(id)) events.push(id);
      const concurrency = modes[events.indexOf(id)];
      return concurrency === undefined ? {} : { ...replies, concurrency };
    });
    const sidecar = await startSidecar({ appPort, resources: await withTargets(url), args });
    await until('an event has come after them', () => events.length > modes.length, { about: sidecar.process });
    const sent = '{"from":"tick"} {"n":1}';
    expect(ends).toEqual([`sequential a ${sent}`, `sequential b ${sent}`, `parallel one ${sent}`, `parallel one ${sent}`]);
  });

  test.each(['sequential', 'parallel'] as const)('of which one binding fails, called %s, is an event that was not taken, and that comes again until all is done', async (concurrency) => {
    const called: string[] = [];
    let failures = 0;
    const url = await target((name, response) => {
      called.push(name);
      const fails = name === 'a' && failures < 2;
      if (fails) failures++;
      response.writeHead(fails ? 500 : 200).end();
    });
    const events: string[] = [];
    const appPort = await replyingApp(protocol, (id) => {
      events.push(id);
      return new Set(events).size > 1 ? {} : { to: ['a', 'b'], data: 1, concurrency };
    });
    const sidecar = await startSidecar({ appPort, resources: await withTargets(url), args });
    await until('the next event has come', () => new Set(events).size > 1, { about: sidecar.process });
    const [first = ''] = events;
    expect(events.slice(0, 3)).toEqual([first, first, first]);
    expect(called.filter((name) => name === 'a')).toHaveLength(3);
    expect(called.filter((name) => name === 'b')).toHaveLength(concurrency === 'parallel' ? 3 : 1);
  });

  test('saves state as the state API does: first-write and a stale etag overwrite nothing, and the event comes again; what has another form asks for nothing', async () => {
    const firstWrite = { concurrency: 'first-write' } as const;
    const state = (more: object) => ({ storeName: 'store', state: [{ key: 'there', value: 'overwritten', ...more }], to: ['a'], data: 1 });
    /** By delivery: two that conflict, one that is done, one that is malformed. */
    const replies: readonly Reply[] = [state({ options: firstWrite }), state({ etag: 'stale' }), { ...state({ key: 'new', value: 1, options: firstWrite }), to: [] }, state({ key: '' })];
    const called: string[] = [];
    const url = await target((name, response) => {
      called.push(name);
      response.end();
    });
    const events: string[] = [];
    let saved = false;
    const appPort = await replyingApp(protocol, (id) => (saved ? (replies[events.push(id) - 1] ?? {}) : {}));
    const sidecar = await startSidecar({ appPort, resources: await withTargets(url), args });
    expect((await sidecar.call('POST', '/state/store', [{ key: 'there', value: 'mine' }])).status).toBe(204);
    saved = true;
    await until('an event has come after them', () => events.length > replies.length, { about: sidecar.process });
    const [first = '', , , malformed = ''] = events;
    expect([events.slice(0, 3), new Set(events.slice(2)).size, called]).toEqual([[first, first, first], events.length - 2, []]);
    expect([(await sidecar.call('GET', '/state/store/there')).text, (await sidecar.call('GET', '/state/store/new')).text]).toEqual(['"mine"', '1']);
    const why = new RegExp(`asks for nothing: an item of .+ has no .+${malformed}`);
    await until('the log says why', () => why.test(sidecar.output()), { about: sidecar.process });
  });

  test('that names a state store or a binding that there is not becomes a dead letter with that for its reason', async () => {
    const replies: readonly Reply[] = [{ storeName: 'nowhere', state: [{ key: 'k', value: 1 }], to: ['a'], data: 1 }, { to: ['nobody'], data: 1 }];
    const called: string[] = [];
    const url = await target((name, response) => {
      called.push(name);
      response.end();
    });
    const events = new Set<string>();
    const appPort = await replyingApp(protocol, (id) => replies[[...events.add(id)].indexOf(id)] ?? {});
    const sidecar = await startSidecar({ appPort, resources: await withTargets(url), args });
    await until('the next event has come', () => events.size > replies.length, { about: sidecar.process });
    await sidecar.process.kill('SIGTERM');
    const ledger = await openSqliteLedger({ path: join(sidecar.dataDir, 'ledger.db'), clock: systemClock, log: createLog({ level: 'error', json: true, appId: 'test', version: '0' }) });
    later(() => ledger.close());
    const letters = (await ledger.deadLetters({ appId: 'app', limit: 10 })).toSorted((one, other) => one.at - other.at);
    expect(letters.map(({ attempts, reason }) => [attempts, reason])).toEqual([
      [5, expect.stringMatching(/state store nowhere/)],
      [5, "error invoking output binding nobody: couldn't find output binding nobody"],
    ]);
    // The state comes first, so nothing was called.
    expect(called).toEqual([]);
  });
});
