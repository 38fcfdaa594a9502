import { describe, expect, it } from 'vitest';
import { requestHeaders, responseHeaders } from './forwarded-headers.ts';

describe('headers on their way to an app', () => {
  it('(users 44) lose what belongs to one connection, and what Connection names', () => {
    const kept = requestHeaders({
      connection: 'keep-alive, X-Secret-Hop , close',
      'x-secret-hop': '1',
      'keep-alive': 'timeout=5',
      'proxy-connection': 'keep-alive',
      'proxy-authenticate': 'x',
      'proxy-authorization': 'x',
      'transfer-encoding': 'chunked',
      upgrade: 'websocket',
      te: 'trailers',
      trailer: 'x-end',
      'http2-settings': 'x',
      expect: '100-continue',
      host: 'somewhere',
      'trace-bin': 'AAA=',
      'content-type': 'text/plain',
      'x-kept': 'yes',
    });
    expect(kept).toEqual({ 'content-type': 'text/plain', 'x-kept': 'yes' });
  });

  it('(users 44) keep their length even when Connection names it', () => {
    expect(requestHeaders({ connection: 'content-length', 'content-length': '3' })).toEqual({ 'content-length': '3' });
  });

  it('(users 45) lose every identity and (users 48) every token that a caller wrote', () => {
    const spoofed = {
      'dapr-app-id': 'x',
      'dapr-callee-app-id': 'x',
      'dapr-caller-app-id': 'admin',
      'dapr-caller-namespace': 'prod',
      'destination-app-id': 'x',
      'dapr-api-token': 'secret',
      authorization: 'Bearer for-the-app',
    };
    expect(requestHeaders(spoofed)).toEqual({ authorization: 'Bearer for-the-app' });
  });

  it('keep repeated values', () => {
    expect(responseHeaders({ 'set-cookie': ['a=1', 'b=2'], connection: 'close' })).toEqual({ 'set-cookie': ['a=1', 'b=2'] });
  });
});
