import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { OptionValues, SIDECAR_OPTIONS, UsageError, dataDirOf, hostOptions, parseFlags, sidecarOptions } from './options.ts';

const parse = (...argv: string[]) => parseFlags(argv, SIDECAR_OPTIONS, 'sidecar');
const options = (argv: string[], env: Record<string, string> = {}) => sidecarOptions(new OptionValues(parse(...argv).values, env), env);

describe('flags', () => {
  test('are read with one dash or two, with = or a blank, and repeated lists add up', () => {
    const { values, rest } = parse('-app-id', 'a', '--dapr-http-port=3600', '--resources-path', 'x', '--resources-path', 'y,z', '-d', 'w', '--', 'node', '--app-id');
    expect(Object.fromEntries(values)).toEqual({ 'app-id': 'a', 'dapr-http-port': '3600', 'resources-path': 'x,y,z,w' });
    expect(rest).toEqual(['node', '--app-id']);
  });

  test.each([
    ['--ap-id', /unknown flag --ap-id; did you mean --app-id\?/],
    ['--dapr-htp-port', /did you mean --dapr-http-port\?/],
    ['--zzz', /^unknown flag --zzz \(/],
  ])('an unknown flag %s is an error with the nearest right one', (flag, message) => {
    expect(() => parse(flag, 'x')).toThrow(message);
  });

  test.each([
    [['--app-port', 'many'], /--app-port takes a whole number/],
    [['--app-port', '70000'], /port from 0 to 65535/],
    [['--log-level', 'wran'], /takes one of debug, info, warn, error, fatal, not 'wran'; did you mean warn\?/],
    [['--max-body-size', 'huge'], /takes a size such as 4Mi/],
    [['--app-id'], /--app-id needs a value/],
  ])('a bad value %j is told in words', (argv, message) => {
    expect(() => parse(...argv)).toThrow(message);
  });

  test('what is given empty is not given, and a number with a minus is no flag', () => {
    const { values, words } = parse('--app-port', '', '--max-body-size=', '--resources-path', '', '-5');
    expect(Object.fromEntries(values)).toEqual({ 'resources-path': '' });
    expect(words).toEqual(['-5']);
  });

  test('flags of a control plane are accepted with a word that they do nothing', () => {
    expect(parse('--placement-host-address', 'localhost:50005').warnings).toEqual(['flag --placement-host-address has no effect: Mecha has no control plane']);
  });

  test('every flag of the field is known', () => {
    const flags = `app-id app-port app-protocol app-channel-address app-max-concurrency app-ssl enable-app-health-check app-health-check-path
      app-health-probe-interval app-health-probe-timeout app-health-threshold app-binding-options-timeout disable-init-endpoints mode dapr-http-port
      dapr-grpc-port dapr-internal-grpc-port dapr-internal-grpc-listen-address dapr-listen-addresses dapr-public-port dapr-public-listen-address
      unix-domain-socket max-body-size read-buffer-size dapr-http-max-request-size dapr-http-read-buffer-size allowed-origins enable-api-logging
      resources-path components-path config control-plane-address sentry-address sentry-request-jwt-audiences control-plane-trust-domain
      control-plane-namespace enable-mtls placement-host-address scheduler-host-address scheduler-job-streams actors-disseminate-timeout
      actors-service reminders-service hot-reload-reconcile-interval disable-builtin-k8s-secret-store dapr-graceful-shutdown-seconds
      dapr-block-shutdown-duration enable-profiling profile-port enable-metrics metrics-port metrics-listen-address log-level log-as-json log-file`;
    const known = new Set(SIDECAR_OPTIONS.map(({ flag }) => flag));
    expect(flags.split(/\s+/).filter((flag) => !known.has(flag))).toEqual([]);
  });
});

describe('options', () => {
  test('come from the flag, else the environment, else the default', () => {
    expect(options(['--app-id', 'flag'], { APP_ID: 'env' }).appId).toBe('flag');
    expect(options([], { APP_ID: 'env', APP_PORT: '8080' })).toMatchObject({ appId: 'env', appPort: 8080, httpPort: 3500, grpcPort: 50001 });
  });

  test('listen on loopback unless told otherwise, and so do metrics', () => {
    expect(options(['--app-id', 'a']).listenAddresses).toEqual(['127.0.0.1']);
    expect(options(['--app-id', 'a', '--dapr-listen-addresses', '']).listenAddresses).toEqual(['127.0.0.1']);
    expect(options(['--app-id', 'a', '--dapr-listen-addresses', '[::1],0.0.0.0']).listenAddresses).toEqual(['::1', '0.0.0.0']);
    const values = new OptionValues(parse('--app-id', 'a').values, {});
    expect(hostOptions(values, {}, []).metrics.listenAddress).toBe('127.0.0.1');
  });

  test('--mode kubernetes opens public and metrics ports on all interfaces, the APIs stay on loopback', () => {
    const argv = ['--app-id', 'a', '--mode', 'kubernetes'];
    expect(options(argv)).toMatchObject({ publicPort: 3501, publicListenAddress: '0.0.0.0', listenAddresses: ['127.0.0.1'] });
    expect(hostOptions(new OptionValues(parse(...argv).values, {}), {}, []).metrics.listenAddress).toBe('0.0.0.0');
  });

  test.each([
    [['--app-id', 'a.b'], /without dots/],
    [[], /needs --app-id/],
    [['--app-id', 'a', '--app-port', '3500'], /--app-port and --dapr-http-port are both 3500/],
    [['--app-id', 'a', '--dapr-grpc-port', '3500'], /are both 3500/],
    [['--app-id', 'a', '--enable-app-health-check', '--app-health-probe-timeout', '9000'], /must not exceed/],
  ])('what cannot be is refused: %j', (argv, message) => {
    expect(() => options(argv)).toThrow(UsageError);
    expect(() => options(argv)).toThrow(message);
  });

  test.each([
    [['--max-body-size', '0'], undefined],
    [['--max-body-size', '-1'], 4 * 1024 * 1024],
    [['--max-body-size', '16MB'], 16_000_000],
    [['--dapr-http-max-request-size', '8'], 8 * 1024 * 1024],
    [[], 4 * 1024 * 1024],
  ])('the body limit of %j is %s bytes', (argv, bytes) => {
    expect(options(['--app-id', 'a', ...argv]).maxBodyBytes).toBe(bytes);
  });

  test('an app with TLS by the older flag is https or grpcs', () => {
    expect(options(['--app-id', 'a', '--app-ssl']).appProtocol).toBe('https');
    expect(options(['--app-id', 'a', '--app-ssl', '--app-protocol', 'grpc']).appProtocol).toBe('grpcs');
  });

  test('probes of the app never come without a pause, whatever the flags say', () => {
    const { appHealthCheck } = options(['--app-id', 'a', '--enable-app-health-check', '--app-health-probe-interval', '0', '--app-health-probe-timeout', '-1', '--app-health-threshold', '0']);
    expect(appHealthCheck).toEqual({ path: '/healthz', intervalMs: 5000, timeoutMs: 500, threshold: 3 });
  });

  test('components find the id and the port of the app in the environment', () => {
    expect(options(['--app-id', 'a', '--app-port', '8080'], { APP_ID: 'other', HOME: '/home/x' }).env).toEqual({ APP_ID: 'a', APP_PORT: '8080', HOME: '/home/x' });
  });

  test('the data folder is under the home of the user unless given, and absolute', () => {
    expect(dataDirOf(new OptionValues(new Map([['data-dir', 'x/y']]), {}), {})).toBe(resolve('x/y'));
    expect(dataDirOf(new OptionValues(new Map(), {}), { HOME: '/home/x' })).toBe('/home/x/.mecha');
    expect(dataDirOf(new OptionValues(new Map(), { MECHA_DATA_DIR: '/data' }), {})).toBe('/data');
  });
});
