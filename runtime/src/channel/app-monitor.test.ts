import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import type { AddressInfo } from 'node:net';
import type { Clock } from '@mecha/components/kit';
import { afterEach, describe, expect, it } from 'vitest';
import { createLog } from '../telemetry/log.ts';
import { createAppMonitor, type AppMonitorParts } from './app-monitor.ts';
import type { AppPresence } from './channel.ts';
import { createHttpChannel } from './http-channel.ts';

const log = createLog({ level: 'fatal', json: true, appId: 'orders', version: 'test', write: () => {} });
const realClock: Clock = {
  now: () => Date.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};

/** A clock that runs its timers one by one, in order, when the test says so. */
function handTurnedClock() {
  let now = 0;
  const timers = new Set<{ at: number; callback: () => void }>();
  const clock: Clock = {
    now: () => now,
    after(ms, callback) {
      const timer = { at: now + ms, callback };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
  };
  return {
    clock,
    delays: () => [...timers].map((timer) => timer.at - now),
    async advance(ms: number) {
      const end = now + ms;
      for (;;) {
        const next = [...timers].filter((timer) => timer.at <= end).toSorted((a, b) => a.at - b.at)[0];
        if (!next) break;
        timers.delete(next);
        now = next.at;
        next.callback();
        await new Promise(setImmediate);
      }
      now = end;
    },
  };
}

/** An app that answers as the test says. */
function pretendApp() {
  const app = { listens: false, healthy: true, probes: 0 };
  const channel: AppMonitorParts['channel'] = {
    address: '127.0.0.1',
    port: 6001,
    reach: async () => {
      if (!app.listens) throw new Error('connect ECONNREFUSED');
    },
    probe: async () => {
      app.probes++;
      return app.healthy;
    },
  };
  return { app, channel };
}

const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

function startMonitor(parts: Omit<AppMonitorParts, 'log'>) {
  const monitor = createAppMonitor({ ...parts, log });
  const seen: AppPresence[] = [];
  monitor.onChange((presence) => seen.push(presence));
  void monitor.start?.();
  stops.push(() => void monitor.stop?.());
  return { monitor, seen, until: (presence: AppPresence) => untilPresence(monitor, presence) };
}

function untilPresence(monitor: ReturnType<typeof createAppMonitor>, wanted: AppPresence): Promise<void> {
  if (monitor.presence === wanted) return Promise.resolve();
  return new Promise((resolve) => {
    const stop = monitor.onChange((presence) => {
      if (presence !== wanted) return;
      stop();
      resolve();
    });
  });
}

async function listenOn(port: number): Promise<Server> {
  const server = createServer((socket) => socket.destroy());
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

async function closed(server: Server): Promise<void> {
  server.close();
  await once(server, 'close');
}

describe('the app monitor', () => {
  it('knows of no app when no port was given', () => {
    const { monitor } = startMonitor({ channel: undefined, healthCheck: undefined, clock: realClock });
    expect(monitor.presence).toBe('none');
    monitor.suspect();
    expect(monitor.presence).toBe('none');
  });

  it('(users 40) finds an app that comes late, sees it go, and finds it again', async () => {
    const first = await listenOn(0);
    const { port } = first.address() as AddressInfo;
    await closed(first);
    const channel = createHttpChannel({
      appId: 'orders',
      protocol: 'http',
      address: '127.0.0.1',
      port,
      apiToken: undefined,
      maxConcurrency: undefined,
      responseHeaderBytesMax: 16384,
      healthPath: '/',
      asksSubscriptions: true,
      log,
    });
    const { monitor, seen, until } = startMonitor({ channel, healthCheck: undefined, clock: realClock });
    expect(monitor.presence).toBe('waiting');
    const late = await listenOn(port);
    await until('up');
    await closed(late);
    await until('waiting');
    const back = await listenOn(port);
    await until('up');
    await closed(back);
    expect(seen).toEqual(['up', 'waiting', 'up']);
    await channel.close();
  });

  it('looks every 100 ms at first and every 500 ms after a while', async () => {
    const { clock, advance, delays } = handTurnedClock();
    startMonitor({ ...pretendApp(), healthCheck: undefined, clock });
    await advance(1000);
    expect(Math.max(...delays())).toBeLessThanOrEqual(100);
    await advance(20_000);
    expect(delays().every((delay) => delay <= 500)).toBe(true);
    await advance(500);
    expect(Math.max(...delays())).toBeGreaterThan(100);
  });

  it('looks at once when a call found nobody there, and says "waiting" until it knows better', async () => {
    const { clock, advance } = handTurnedClock();
    const { app, channel } = pretendApp();
    app.listens = true;
    const { monitor, seen } = startMonitor({ channel, healthCheck: undefined, clock });
    await advance(0);
    expect(monitor.presence).toBe('up');
    monitor.suspect();
    expect(monitor.presence).toBe('waiting');
    await advance(0);
    expect(seen).toEqual(['up', 'waiting', 'up']);
  });

  it('calls an app with health checks up only after its first healthy answer', async () => {
    const { clock, advance } = handTurnedClock();
    const { app, channel } = pretendApp();
    Object.assign(app, { listens: true, healthy: false });
    const { seen } = startMonitor({ channel, healthCheck: { intervalMs: 5000, timeoutMs: 500, threshold: 3 }, clock });
    await advance(0);
    expect(seen).toEqual(['unhealthy']);
    app.healthy = true;
    await advance(5000);
    expect(seen).toEqual(['unhealthy', 'up']);
  });

  it('turns unhealthy after failures in a row only: one success in between begins the count anew', async () => {
    const { clock, advance } = handTurnedClock();
    const { app, channel } = pretendApp();
    app.listens = true;
    const { monitor } = startMonitor({ channel, healthCheck: { intervalMs: 1000, timeoutMs: 500, threshold: 3 }, clock });
    await advance(0);
    expect(monitor.presence).toBe('up');
    for (const healthy of [false, false, true, false, false]) {
      app.healthy = healthy;
      await advance(1000);
    }
    expect(monitor.presence).toBe('up');
    await advance(1000);
    expect(monitor.presence).toBe('unhealthy');
    app.healthy = true;
    await advance(1000);
    expect(monitor.presence).toBe('up');
  });

  it('probes nobody while the app is away', async () => {
    const { clock, advance } = handTurnedClock();
    const { app, channel } = pretendApp();
    app.listens = true;
    const { monitor } = startMonitor({ channel, healthCheck: { intervalMs: 1000, timeoutMs: 500, threshold: 3 }, clock });
    await advance(0);
    app.listens = false;
    await advance(500);
    expect(monitor.presence).toBe('waiting');
    const probes = app.probes;
    await advance(10_000);
    expect(app.probes).toBe(probes);
  });

  it('lets one listener fail without harm to the others', async () => {
    const { clock, advance } = handTurnedClock();
    const { app, channel } = pretendApp();
    app.listens = true;
    const monitor = createAppMonitor({ channel, healthCheck: undefined, clock, log });
    monitor.onChange(() => {
      throw new Error('broken listener');
    });
    const seen: AppPresence[] = [];
    monitor.onChange((presence) => seen.push(presence));
    void monitor.start?.();
    stops.push(() => void monitor.stop?.());
    await advance(0);
    expect(seen).toEqual(['up']);
  });
});
