import { describe, expect, it } from 'vitest';
import { fc } from '@mecha/components/kit/test-properties.ts';
import { canonicalMethod, canonicalPath } from './canonical-path.ts';

describe('canonicalPath', () => {
  it.each([
    ['/', '/'],
    ['/v1.0/state/store/key', '/v1.0/state/store/key'],
    ['/a//b///c', '/a/b/c'],
    ['/a/', '/a'],
    ['//', '/'],
    ['/a/./b/.', '/a/b'],
    ['/a/../b', '/b'],
    ['/../../etc', '/etc'],
    ['/a/..', '/'],
    ['/a/b.', '/a/b.'],
    ['/a/...', '/a/...'],
    ['/.well-known/x', '/.well-known/x'],
    ['/Admin', '/Admin'],
    ['/a;x=1', '/a;x=1'],
    ['/%61%2d%7E', '/a-~'],
    ['/a%3ab', '/a:b'],
    ['/a%3bx', '/a%3Bx'],
    ['/a+b%2bc', '/a+b%2Bc'],
    ['/a%2fb', '/a%2Fb'],
    ['/a%5cb', '/a%5Cb'],
    ['/a%252Fb', '/a%252Fb'],
    ['/a%252e%252e', '/a%252e%252e'],
    ['/a%23b%3fc', '/a%23b%3Fc'],
    ['/a|b"<>', '/a%7Cb%22%3C%3E'],
    ['/a%20b', '/a%20b'],
    ['/%c3%bc', '/%C3%BC'],
    ['/\u00c3\u00bc', '/%C3%BC'],
    ['/v1.0/invoke/http://host:80/method/x', '/v1.0/invoke/http:/host:80/method/x'],
    ['/v1.0/invoke/http%3A%2F%2Fhost%3A80/method/x', '/v1.0/invoke/http:%2F%2Fhost:80/method/x'],
  ])('(users 46) %s becomes %s', (raw, canonical) => {
    expect(canonicalPath(raw)).toBe(canonical);
  });

  it.each([
    ['a bare %', '/a%'],
    ['a half escape', '/a%2'],
    ['an escape that is no hex', '/a%zz'],
    ['bytes that are not UTF-8', '/%ff'],
    ['an overlong slash', '/%c0%af'],
    ['raw bytes that are not UTF-8', '/\u00ff'],
    ['characters that are no bytes', '/\u20ac'],
    ['NUL', '/a\0b'],
    ['an escaped NUL', '/a%00b'],
    ['an escaped line feed', '/a%0Ab'],
    ['an escaped delete', '/a%7f'],
    ['a raw hash', '/a#b'],
    ['a raw question mark', '/a?b'],
    ['a backslash', '/a\\..\\b'],
    ['escaped dots', '/admin/%2e%2e/public'],
    ['half-escaped dots', '/admin/.%2E/public'],
    ['one escaped dot', '/a/%2e/b'],
    ['dots behind an escaped slash', '/admin%2F..%2Fpublic'],
    ['one dot behind an escaped slash', '/a%2F.'],
    ['dots behind an escaped backslash', '/admin%5C..%5Cpublic'],
    ['dots with a path parameter', '/admin/..;/public'],
    ['no leading slash', 'a/b'],
    ['an absolute form', 'http://host/a'],
    ['nothing', ''],
    ['an asterisk', '*'],
  ])('(users 46) %s has no canonical form', (_what, raw) => {
    expect(canonicalPath(raw)).toBeUndefined();
  });

  it('(users 46) holds its invariants for whatever is thrown at it', () => {
    const piece = fc.constantFrom('/', '.', '..', '%2e', '%2F', '%5c', '%25', '%', '\\', 'a', '%41', ';', '%3b', '+', '%2B', 'ü', '\u00c3\u00bc', '%C3%BC', ' ', '|', '%7c', '%00', '#', '?', ':', '%3A');
    fc.assert(
      fc.property(fc.array(fc.oneof(piece, fc.string({ maxLength: 3 })), { maxLength: 12 }), (pieces) => {
        const canonical = canonicalPath(`/${pieces.join('')}`);
        if (canonical === undefined) return;
        expect(canonicalPath(canonical)).toBe(canonical);
        expect(canonical).toMatch(/^\/(?:[^/?#\\]+(?:\/[^/?#\\]+)*)?$/);
        const decoded = decodeURIComponent(canonical);
        expect(decoded).not.toMatch(/\p{Cc}/u);
        expect(decoded.split(/[/\\]/)).not.toContain('..');
        expect(decoded.split(/[/\\]/)).not.toContain('.');
      }),
      { numRuns: 3000 },
    );
  });
});

describe('canonicalMethod', () => {
  it.each([
    ['orders', 'orders'],
    ['/orders/', 'orders'],
    ['', ''],
    ['a/../../b', 'b'],
    ['bücher', 'b%C3%BCcher'],
    ['b%C3%BCcher', 'b%C3%BCcher'],
    ['a b', 'a%20b'],
    ['admin%2F..%2Fpublic', undefined],
    ['a%', undefined],
    ['a?b', undefined],
    ['a\0', undefined],
    ['\ud800', undefined],
  ])('(users 46) the method name %j becomes %j', (method, canonical) => {
    expect(canonicalMethod(method)).toBe(canonical);
  });
});
