/**
 * The guard of outgoing HTTP: where a component, or an invocation, may go. Whoever sends requests whose target can hold request
 * data passes every target through `join`, `follow` or `check`, and connects with `lookup`.
 *
 * Rules
 *  E1  One canonical form (the WHATWG URL) decides and is what is sent. Spellings that parsers read differently are refused, not
 *      mended: userinfo, backslashes, control characters, blanks, other schemes, `//host` where a path belongs.
 *  E2  Origins named in YAML may be loopback, private or public. Request data (a path, an absolute URL, a redirect) stay on them or
 *      on the allow-list; with `publicToo`, public addresses may be reached besides.
 *  E3  Link-local addresses (where clouds keep credentials), multicast and reserved ones are refused, however they are written:
 *      decimal, octal, hexadecimal, or inside an IPv6 address.
 *  E4  A name is resolved once per connection, all its answers are checked, and the connection goes to what was checked. A name
 *      in public DNS does not lead to loopback, and one that was public does not become private.
 *  E5  What belongs to one origin (credentials, cookies, client certificates) does not follow a redirect to another: `follow` says
 *      whether the origin stays.
 */
import { lookup as lookupInDns, type LookupAddress } from 'node:dns';
import { isIP, isIPv4, type LookupFunction } from 'node:net';

export type AddressClass = 'loopback' | 'private' | 'public' | 'link-local' | 'reserved';

/** The target may not be reached. The message names it without its query. */
export class EgressRefused extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'EgressRefused';
  }
}

export interface EgressOptions {
  /** Targets that the YAML names. */
  readonly named: readonly URL[];
  /** Origins that request data may lead to besides. */
  readonly allow?: readonly URL[];
  /** Request data may lead to any public address. Default: false. */
  readonly publicToo?: boolean;
  /** All addresses of a name; for tests. Default: the system's resolver. */
  readonly resolve?: (name: string) => Promise<readonly string[]>;
}

export interface Egress {
  /** `path` below `base`, its query kept; an absolute URL is taken as such. Throws `EgressRefused`. */
  join(base: URL, path: string): URL;
  /** Where a redirect of `from` leads. Throws `EgressRefused`. */
  follow(from: URL, location: string): { readonly url: URL; readonly sameOrigin: boolean };
  /** Throws `EgressRefused` when the target may not be reached. */
  check(url: URL): void;
  /** For sockets (`connect.lookup`): fails with `EgressRefused` when an address of the name may not be reached. */
  readonly lookup: LookupFunction;
}

// oxlint-disable-next-line no-control-regex -- these are what must not be there
const UNSAFE_TEXT = /[\\\u0000-\u0020\u007f]/;
const DECODINGS_MAX = 3;

export function createEgress(options: EgressOptions): Egress {
  const { resolve = resolveByDns, publicToo = false } = options;
  const allowed = new Set([...options.named, ...(options.allow ?? [])].map(({ origin }) => origin));
  const allowedHosts = new Set([...options.named, ...(options.allow ?? [])].map(hostOf));
  /** Names that had public addresses only (E4). */
  const knownPublic = new Set<string>();

  function check(url: URL): void {
    if (url.protocol !== 'http:' && url.protocol !== 'https:') throw new EgressRefused(`${url.protocol} is not http or https`);
    if (url.username !== '' || url.password !== '') throw new EgressRefused('a target must not hold a user name or password');
    const isAllowed = allowed.has(url.origin);
    if (!isAllowed && !publicToo) throw new EgressRefused(`${url.origin} is neither the component's own origin nor on its allow-list`);
    const host = hostOf(url);
    if (isIP(host) !== 0) checkAddress(host, host, isAllowed);
    else if (!isAllowed && isLocalName(host)) throw new EgressRefused(`${host} is a name of this host or network`);
  }

  /** `isAllowed`: named in YAML, or on the allow-list. */
  function checkAddress(host: string, address: string, isAllowed: boolean): AddressClass {
    const found = addressClass(address);
    if (found === 'link-local' || found === 'reserved') throw new EgressRefused(`${host} is a ${found} address`);
    if (found !== 'public' && !isAllowed) throw new EgressRefused(`${host} is a ${found} address`);
    return found;
  }

  async function addressesOf(name: string): Promise<readonly string[]> {
    const host = canonicalHost(name);
    const isAllowed = allowedHosts.has(host);
    const addresses = await resolve(host);
    if (addresses.length === 0) throw new EgressRefused(`${host} has no address`);
    const classes = new Set(addresses.map((address) => checkAddress(host, address, isAllowed)));
    if (classes.has('loopback') && !isLocalName(host)) throw new EgressRefused(`${host} leads to this host, though it is not a local name`);
    if (classes.has('public') && classes.size > 1) throw new EgressRefused(`${host} leads to public and to other addresses`);
    if (classes.has('public')) knownPublic.add(host);
    else if (knownPublic.has(host)) throw new EgressRefused(`${host} led to public addresses before, and does not now`);
    return addresses;
  }

  return {
    check,

    join(base, path) {
      if (UNSAFE_TEXT.test(path)) throw new EgressRefused('a path must not hold backslashes, blanks or control characters');
      if (/^[a-z][a-z0-9+.-]*:\/\//i.test(path)) {
        const url = parsed(path);
        check(url);
        return url;
      }
      if (path.startsWith('//')) throw new EgressRefused('a path must not begin with //');
      const [, pathname = '', query] = /^([^?#]*)(\?[^#]*)?/.exec(path) ?? [];
      if (climbs(pathname)) throw new EgressRefused('a path must not lead upwards');
      const url = new URL(base);
      if (pathname !== '') url.pathname = `${base.pathname.replace(/\/+$/, '')}/${pathname.replace(/^\//, '')}`;
      if (query !== undefined) url.search = base.search === '' ? query : `${base.search}&${query.slice(1)}`;
      url.hash = '';
      check(url);
      return url;
    },

    follow(from, location) {
      if (UNSAFE_TEXT.test(location)) throw new EgressRefused('a redirect must not hold backslashes, blanks or control characters');
      const url = parsed(location, from);
      url.hash = '';
      check(url);
      if (from.protocol === 'https:' && url.protocol === 'http:') throw new EgressRefused('a redirect must not lead from https to http');
      return { url, sameOrigin: url.origin === from.origin };
    },

    lookup(hostname, { all }, callback) {
      void (async () => {
        let answers: readonly LookupAddress[];
        try {
          answers = (await addressesOf(hostname)).map((address) => ({ address, family: isIPv4(address) ? 4 : 6 }));
        } catch (error) {
          return callback(error instanceof Error ? error : new Error(String(error)), '');
        }
        const [first] = answers;
        return all ? callback(null, [...answers]) : callback(null, first?.address ?? '', first?.family);
      })();
    },
  };
}

function parsed(text: string, base?: URL): URL {
  if (!URL.canParse(text, base?.toString())) throw new EgressRefused('the target is not a URL');
  return new URL(text, base?.toString());
}

/** Whether a segment is `..` once decoded, however often it was encoded. */
function climbs(pathname: string): boolean {
  let text = pathname;
  for (let round = 0; round <= DECODINGS_MAX; round++) {
    // Separators that came out of an encoding separate for whoever decodes as often.
    if (text.split(/[/\\]/).some((segment) => /^\.\.?(?:;.*)?$/s.test(segment))) return true;
    if (round > 0 && UNSAFE_CODES.test(text)) return true;
    const decoded = decoded1(text);
    if (decoded === text) return false;
    text = decoded;
  }
  // Encoded more often than anybody means.
  return true;
}

// oxlint-disable-next-line no-control-regex -- these are what must not be there
const UNSAFE_CODES = /[\\\u0000-\u001f\u007f]/;

/** One decoding; what is no encoding stays. */
function decoded1(text: string): string {
  return text.replaceAll(/%([0-7][0-9a-f])/gi, (_all, code: string) => String.fromCodePoint(Number.parseInt(code, 16)));
}

/** Without brackets and without the dot at the end of a complete name. */
function hostOf(url: URL): string {
  return canonicalHost(url.hostname);
}
function canonicalHost(host: string): string {
  return host.replace(/^\[|\]$/g, '').replace(/\.$/, '').toLowerCase();
}

/** Names that only this host or its network gives a meaning to. */
function isLocalName(host: string): boolean {
  return !host.includes('.') || /\.(?:localhost|local|localdomain|internal|intranet|lan|home\.arpa|test)$/.test(host);
}

function resolveByDns(name: string): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    lookupInDns(name, { all: true }, (error, addresses) => (error ? reject(error) : resolve(addresses.map(({ address }) => address))));
  });
}

type Range = readonly [network: string, bits: number, kind: AddressClass];

/** The first that holds the address counts (IANA's special-purpose registries). */
const IPV4: readonly Range[] = [
  ['169.254.0.0', 16, 'link-local'],
  // The metadata service of a cloud that does not keep it on a link-local address.
  ['100.100.100.200', 32, 'link-local'],
  ['127.0.0.0', 8, 'loopback'],
  // A socket that is told to connect to it connects to this host.
  ['0.0.0.0', 32, 'loopback'],
  ['0.0.0.0', 8, 'reserved'],
  ['10.0.0.0', 8, 'private'],
  ['172.16.0.0', 12, 'private'],
  ['192.168.0.0', 16, 'private'],
  ['100.64.0.0', 10, 'private'],
  ['198.18.0.0', 15, 'private'],
  ['192.0.0.0', 24, 'reserved'],
  ['192.0.2.0', 24, 'reserved'],
  ['198.51.100.0', 24, 'reserved'],
  ['203.0.113.0', 24, 'reserved'],
  ['224.0.0.0', 3, 'reserved'],
];
const IPV6: readonly Range[] = [
  // Metadata over IPv6, in the private range.
  ['fd00:ec2::254', 128, 'link-local'],
  ['fe80::', 10, 'link-local'],
  ['fec0::', 10, 'private'],
  ['fc00::', 7, 'private'],
  ['::1', 128, 'loopback'],
  ['::', 128, 'loopback'],
  ['100::', 64, 'reserved'],
  ['2001:db8::', 32, 'reserved'],
  ['ff00::', 8, 'reserved'],
];
/** IPv6 networks that carry an IPv4 address, and at which bit it begins. */
const CARRIERS: readonly (readonly [network: string, bits: number, at: number])[] = [
  ['::ffff:0:0', 96, 96],
  ['::ffff:0:0:0', 96, 96],
  ['64:ff9b::', 96, 96],
  ['2002::', 16, 16],
  ['::', 96, 96],
];

/** What kind of address it is; text that is no address is `reserved`. */
export function addressClass(address: string): AddressClass {
  const plain = address.replace(/%.*$/s, '');
  const version = isIP(plain);
  if (version === 0) return 'reserved';
  const value = numberOf(plain);
  if (version === 4) return classOf(value, 32, IPV4);
  const own = classOf(value, 128, IPV6);
  if (own !== 'public') return own;
  for (const [network, bits, at] of CARRIERS) {
    if (value >> BigInt(128 - bits) === numberOf(network) >> BigInt(128 - bits)) return classOf((value >> BigInt(96 - at)) & 0xffff_ffffn, 32, IPV4);
  }
  // Only this part of IPv6 is given out.
  return value >> 125n === 1n ? 'public' : 'reserved';
}

function classOf(value: bigint, width: number, ranges: readonly Range[]): AddressClass {
  return ranges.find(([network, bits]) => value >> BigInt(width - bits) === numberOf(network) >> BigInt(width - bits))?.[2] ?? 'public';
}

function numberOf(address: string): bigint {
  if (isIPv4(address)) return address.split('.').reduce((sum, part) => (sum << 8n) | BigInt(part), 0n);
  const [head = '', tail] = address.split('::');
  const groups = (text: string): bigint[] => (text === '' ? [] : text.split(':').flatMap((group) => (group.includes('.') ? [numberOf(group) >> 16n, numberOf(group) & 0xffffn] : [BigInt(`0x${group}`)])));
  const [left, right] = [groups(head), groups(tail ?? '')];
  const zeros = tail === undefined ? [] : Array.from({ length: 8 - left.length - right.length }, () => 0n);
  return [...left, ...zeros, ...right].reduce((sum, group) => (sum << 16n) | group, 0n);
}
