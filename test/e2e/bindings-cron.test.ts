/** (users 8) Ticks of `bindings.cron` with two real sidecars of one app on one ledger: shared, taken over after kill -9, and missed while both were down. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { compilePreload } from '../tools/preload.ts';
import { until } from '../tools/processes.ts';
import { cleanUp, component, folder, folderWith, startSidecar, testApp, type AppRequest, type Sidecar, type TestApp } from './sidecar.ts';

afterEach(cleanUp);

const idOf = ({ headers }: AppRequest): string => String(headers['mecha-event-id']);
const dueOf = ({ headers }: AppRequest): number => Date.parse(String(headers['duetimeutc']));
const ticksOf = (apps: readonly TestApp[], name = 'tick'): readonly AppRequest[] => apps.flatMap(({ requests }) => requests).filter(({ method, path }) => method === 'POST' && path === `/${name}`);
const untilTicks = (apps: readonly TestApp[], count: number, about: Sidecar): Promise<unknown> => until(`${count} ticks`, () => ticksOf(apps).length >= count, { about: about.process });

/** An instance of the app that takes every tick, once `hold` has resolved. */
async function instance(hold: (tick: AppRequest) => Promise<void> | undefined = () => undefined): Promise<TestApp> {
  const app = await testApp(async (made) => {
    if (made.method === 'POST') await hold(made);
    return {};
  });
  await app.listen();
  return app;
}

test('each is given once, to one of two instances, and none is left out', async () => {
  const resources = await folderWith({ 'tick.yaml': component('tick', 'bindings.cron', { schedule: '@every 100ms', direction: 'input' }) });
  const dataDir = await folder();
  const apps = [await instance(), await instance()];
  const sidecars = await Promise.all(apps.map(({ port }) => startSidecar({ appPort: port, resources, dataDir })));
  await until('both have had some', () => apps.every((app) => ticksOf([app]).length > 0) && ticksOf(apps).length > 20, { about: sidecars[0]?.process as Sidecar['process'], withinMs: 90_000 });
  const ticks = ticksOf(apps).toSorted((one, other) => dueOf(one) - dueOf(other));
  expect(new Set(ticks.map(idOf)).size).toBe(ticks.length);
  expect(ticks.slice(1).map((tick, index) => dueOf(tick) - dueOf(ticks[index] as AppRequest))).toEqual(Array.from({ length: ticks.length - 1 }, () => 100));
});

test('one that an instance is killed with is given to the other under the same id', async () => {
  const resources = await folderWith({ 'tick.yaml': component('tick', 'bindings.cron', { schedule: '@every 200ms', direction: 'input' }) });
  const dataDir = await folder();
  // The tick in whose midst the holder dies: whichever comes after both had some.
  let holding = false;
  const held = Promise.withResolvers<AppRequest>();
  const hold = (tick: AppRequest): Promise<void> | undefined => {
    if (!holding) return undefined;
    holding = false;
    held.resolve(tick);
    return new Promise(() => undefined);
  };
  const apps = [await instance(hold), await instance(hold)];
  const sidecars = await Promise.all(apps.map(({ port }) => startSidecar({ appPort: port, resources, dataDir })));
  await untilTicks(apps, 3, sidecars[0] as Sidecar);
  holding = true;
  const tick = await held.promise;
  const holder = apps.findIndex(({ requests }) => requests.includes(tick));
  const [victim, heir] = [sidecars[holder], apps[1 - holder]];
  await victim?.process.kill('SIGKILL');
  await until('the other has had it, and goes on', () => heir !== undefined && ticksOf([heir]).some((other) => dueOf(other) > dueOf(tick)), { about: sidecars[1 - holder]?.process as Sidecar['process'] });
  const again = ticksOf(apps).filter((other) => idOf(other) === idOf(tick));
  expect(again).toHaveLength(2);
  expect(heir?.requests).toContain(again.find((other) => other !== tick));
});

test('those that are missed while both are down are passed over, or made up for by one, as missedTicks says', async () => {
  const HOUR_S = 3600;
  const names = ['skip', 'one'] as const;
  const resources = await folderWith({ 'ticks.yaml': names.map((missedTicks) => component(missedTicks, 'bindings.cron', { schedule: '@every 500ms', direction: 'input', missedTicks })).join('') });
  const [dataDir, shiftFolder] = [await folder(), await folder()];
  const app = await instance();
  const shiftFile = join(shiftFolder, 'shift');
  const shiftTo = (seconds: number): Promise<void> => writeFile(shiftFile, Buffer.from(new BigInt64Array([BigInt(seconds)]).buffer));
  await shiftTo(0);
  const env = { LD_PRELOAD: await compilePreload('sdk-js/clock-shift', shiftFolder), CLOCK_SHIFT: shiftFile };
  const startBoth = (): Promise<readonly Sidecar[]> => Promise.all([0, 1].map(() => startSidecar({ appPort: app.port, resources, dataDir, env })));
  const has = (name: string, when: (tick: AppRequest) => boolean, count: number): boolean => ticksOf([app], name).filter(when).length >= count;

  const before = await startBoth();
  await until('both bindings tick', () => names.every((name) => has(name, () => true, 2)), { about: before[0]?.process as Sidecar['process'] });
  // Orderly: a tick in whose midst they died would have begun in time, and come again.
  for (const { process } of before) await process.kill('SIGTERM');
  await shiftTo(HOUR_S);
  const comeBack = Date.now() + HOUR_S * 1000 - 60_000;
  const after = await startBoth();
  await until('both bindings tick on', () => names.every((name) => has(name, (tick) => dueOf(tick) > comeBack, 3)), { about: after[0]?.process as Sidecar['process'] });

  for (const name of names) {
    const late = ticksOf([app], name).filter((tick) => dueOf(tick) < comeBack && Date.parse(String(tick.headers['readtimeutc']).replace(' +0000 UTC', 'Z').replace(' ', 'T')) > comeBack);
    expect([name, new Set(late.map(idOf)).size]).toEqual([name, name === 'one' ? 1 : 0]);
  }
});
