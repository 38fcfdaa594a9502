import { describe, expect, test } from 'vitest';
import { addressClass, createEgress, EgressRefused, type Egress } from './egress.ts';
import { fc } from './test-properties.ts';

const base = new URL('https://api.example.com/v1');
const egress = createEgress({ named: [base], allow: [new URL('http://10.1.2.3:8080')] });

const addressesOf = (guard: Egress, name: string): Promise<readonly string[]> =>
  new Promise((resolve, reject) => {
    guard.lookup(name, { all: true }, (error, addresses) => (error ? reject(error) : resolve((addresses as { address: string }[]).map(({ address }) => address))));
  });

describe('(users 50) a path from request data', () => {
  test.each([
    ['', 'https://api.example.com/v1'],
    ['orders', 'https://api.example.com/v1/orders'],
    ['/orders/7?full=1', 'https://api.example.com/v1/orders/7?full=1'],
    ['group%2Fproject', 'https://api.example.com/v1/group%2Fproject'],
    ['a:b', 'https://api.example.com/v1/a:b'],
    ['grüße', 'https://api.example.com/v1/gr%C3%BC%C3%9Fe'],
    ['orders#part', 'https://api.example.com/v1/orders'],
    ['https://api.example.com/other', 'https://api.example.com/other'],
    ['http://10.1.2.3:8080/x', 'http://10.1.2.3:8080/x'],
    ['http://0x0a.1.515:8080/x', 'http://10.1.2.3:8080/x'],
  ])('%j leads below the base, or to an allowed origin', (path, wanted) => {
    expect(egress.join(base, path).href).toBe(wanted);
  });

  test.each([
    '//evil.example/x', '///evil.example', '\\\\evil.example', '/\\evil.example', 'http://evil.example/', 'HTTPS://evil.example', 'https://api.example.com@evil.example/', 'https://user@api.example.com/',
    'https://api.example.com.evil.example/', 'https://api.example.com:444/', 'http://api.example.com/', 'ftp://api.example.com/', 'file:///etc/passwd', 'gopher://x/',
    'http://127.0.0.1/', 'http://2130706433/', 'http://0177.0.0.1/', 'http://0x7f000001/', 'http://[::1]/', 'http://[::ffff:127.0.0.1]/', 'http://169.254.169.254/latest/meta-data/', 'http://10.1.2.3/',
    '../admin', 'a/../../admin', '..', '.', '%2e%2e/admin', '%2E./x', '..%2fadmin', '..%5cadmin', 'a%5c..%5cb', '%252e%252e%252fx', '..;/x', '..;a=b/x', 'a b', 'a\tb', 'a\r\nHost: evil', 'a\0', '%00', '%0d%0aHost:x', 'a%5cb',
  ])('%j is refused', (path) => {
    expect(() => egress.join(base, path)).toThrow(EgressRefused);
  });

  test('whatever it is made of, the result is on an allowed origin, and is what it would be parsed as again', () => {
    const piece = fc.oneof(
      fc.constantFrom('/', '//', '\\', '..', '.', '@', ':', '?', '#', '%2f', '%5c', '%2e', '%252e', 'http:', 'https:', 'https://', 'evil.example', '127.0.0.1', '[::1]', ';', '&', '%', '\t', ' ', 'api.example.com', '。', '／'),
      fc.string({ unit: 'binary', maxLength: 4 }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 10 }), (pieces) => {
        let url: URL;
        try {
          url = egress.join(base, pieces.join(''));
        } catch (error) {
          expect(error).toBeInstanceOf(EgressRefused);
          return;
        }
        expect(['https://api.example.com', 'http://10.1.2.3:8080']).toContain(url.origin);
        expect(new URL(url.href).href).toBe(url.href);
        expect(url.username + url.password + url.hash).toBe('');
        // Of paths below the base, none leaves it.
        if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(pieces.join(''))) expect(`${url.pathname}/`.startsWith('/v1/')).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('(users 50) a redirect', () => {
  test.each([['/elsewhere', true], ['https://api.example.com/x', true]] as const)('to %j stays on the origin', (location, sameOrigin) => {
    expect(egress.follow(base, location).sameOrigin).toBe(sameOrigin);
  });

  test('to an allowed origin says that it is another', () => {
    const from = new URL('http://own.test/');
    const guard = createEgress({ named: [from], allow: [new URL('http://10.1.2.3:8080')] });
    expect(guard.follow(from, 'http://10.1.2.3:8080/x')).toMatchObject({ sameOrigin: false });
  });

  test.each(['//evil.example/', 'http://evil.example/', 'http://169.254.169.254/', 'http://10.1.2.3:8080/down', '/\\evil.example', 'javascript:alert(1)', 'data:,x', '\thttps://evil.example', 'http://[fd00:ec2::254]/'])('to %j is refused', (location) => {
    expect(() => egress.follow(base, location)).toThrow(EgressRefused);
  });
});

describe('(users 50) addresses', () => {
  test.each([
    ['127.0.0.1', 'loopback'], ['127.255.1.1', 'loopback'], ['0.0.0.0', 'loopback'], ['::1', 'loopback'], ['::', 'loopback'], ['::ffff:127.0.0.1', 'loopback'], ['::ffff:7f00:1', 'loopback'], ['::127.0.0.1', 'loopback'],
    ['64:ff9b::7f00:1', 'loopback'], ['2002:7f00:1::', 'loopback'], ['10.0.0.1', 'private'], ['172.16.0.1', 'private'], ['172.32.0.1', 'public'], ['192.168.1.1', 'private'], ['100.64.0.1', 'private'], ['fc00::1', 'private'],
    ['fd12:3456::1', 'private'], ['169.254.169.254', 'link-local'], ['::ffff:169.254.169.254', 'link-local'], ['64:ff9b::a9fe:a9fe', 'link-local'], ['2002:a9fe:a9fe::', 'link-local'], ['fe80::1%eth0', 'link-local'], ['fd00:ec2::254', 'link-local'],
    ['100.100.100.200', 'link-local'], ['224.0.0.1', 'reserved'], ['255.255.255.255', 'reserved'], ['240.0.0.1', 'reserved'], ['0.1.2.3', 'reserved'], ['ff02::1', 'reserved'], ['2001:db8::1', 'reserved'], ['no address', 'reserved'],
    ['1.1.1.1', 'public'], ['8.8.8.8', 'public'], ['2606:4700::1111', 'public'], ['::ffff:8.8.8.8', 'public'],
  ])('%s is %s', (address, wanted) => {
    expect(addressClass(address)).toBe(wanted);
  });

  test('an IPv4 address has one class, alone and inside IPv6', () => {
    fc.assert(
      fc.property(fc.ipV4(), (address) => {
        const [a = 0, b = 0, c = 0, d = 0] = address.split('.').map(Number);
        const hex = [(a << 8) | b, (c << 8) | d].map((part) => part.toString(16)).join(':');
        const wanted = addressClass(address);
        expect(addressClass(`::ffff:${address}`)).toBe(wanted);
        expect(addressClass(`64:ff9b::${hex}`)).toBe(wanted);
        expect(addressClass(new URL(`http://${((a << 24) | (b << 16) | (c << 8) | d) >>> 0}/`).hostname)).toBe(wanted);
      }),
      { numRuns: 500 },
    );
  });

  test.each(['http://169.254.169.254/', 'http://[fe80::1]/', 'http://224.0.0.1/'])('%s is refused, named or not', (target) => {
    const url = new URL(target);
    expect(() => createEgress({ named: [url] }).check(url)).toThrow(EgressRefused);
  });

  test.each(['http://127.0.0.1:3000/', 'http://192.168.0.7/', 'http://localhost:3000/'])('%s may be named in YAML, and not in a request', (target) => {
    const url = new URL(target);
    expect(() => createEgress({ named: [url] }).check(url)).not.toThrow();
    expect(() => createEgress({ named: [], publicToo: true }).check(url)).toThrow(EgressRefused);
  });
});

describe('(users 50) names', () => {
  const resolving = (answers: readonly (readonly string[])[], named = 'http://api.example.com/') => {
    let asked = 0;
    return { guard: createEgress({ named: [new URL(named)], publicToo: true, resolve: async () => answers[Math.min(asked++, answers.length - 1)] ?? [] }), asked: () => asked };
  };

  test('the addresses that were checked are the ones connected to, from one look', async () => {
    const { guard, asked } = resolving([['93.184.216.34', '2606:2800:220::1'], ['127.0.0.1']]);
    expect(await addressesOf(guard, 'api.example.com')).toEqual(['93.184.216.34', '2606:2800:220::1']);
    expect(asked()).toBe(1);
  });

  test('a name that was public and no longer is, is refused', async () => {
    const { guard } = resolving([['93.184.216.34'], ['10.0.0.1']]);
    await addressesOf(guard, 'api.example.com');
    await expect(addressesOf(guard, 'api.example.com')).rejects.toBeInstanceOf(EgressRefused);
  });

  test.each([['127.0.0.1'], ['::ffff:127.0.0.1'], ['93.184.216.34', '10.0.0.1'], ['169.254.169.254'], ['93.184.216.34', '169.254.169.254'], ['fe80::1']])('a public name with the answer %s is refused', async (...answer) => {
    await expect(addressesOf(resolving([answer]).guard, 'api.example.com')).rejects.toBeInstanceOf(EgressRefused);
  });

  test('a named name may be private; one from a request may not', async () => {
    const { guard } = resolving([['10.0.0.1']], 'http://orders.corp.example/');
    expect(await addressesOf(guard, 'orders.corp.example')).toEqual(['10.0.0.1']);
    await expect(addressesOf(guard, 'other.corp.example')).rejects.toBeInstanceOf(EgressRefused);
  });

  test('local names may lead to this host when they are named', async () => {
    expect(await addressesOf(resolving([['127.0.0.1']], 'http://localhost/').guard, 'localhost')).toEqual(['127.0.0.1']);
  });

  test('a dot at the end of a name and its case change nothing', async () => {
    const { guard } = resolving([['10.0.0.1']], 'http://orders.corp.example/');
    expect(await addressesOf(guard, 'Orders.Corp.Example.')).toEqual(['10.0.0.1']);
  });
});
