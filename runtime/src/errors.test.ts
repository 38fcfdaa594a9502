import { describe, expect, test } from 'vitest';
import { KINDS, MechaError, errorTable } from './errors.ts';

describe('errors', () => {
  test('a table makes errors whose statuses follow from the kind, unless the contract asks for another', () => {
    const errors = errorTable('test', {
      plain: { code: 'ERR_A', kind: 'not-found', make: (what: string) => ({ message: `no ${what}` }) },
      odd: { code: 'ERR_B', kind: 'invalid', httpStatus: 418, make: () => ({ message: 'odd' }) },
    });
    expect(errors.plain('thing')).toMatchObject({ code: 'ERR_A', message: 'no thing', httpStatus: 404, grpcCode: 5 });
    expect(errors.odd()).toMatchObject({ code: 'ERR_B', httpStatus: 418, grpcCode: 3 });
  });

  test('every kind has an HTTP error status and a gRPC code of its own, cancelled and unknown included', () => {
    const codes = Object.values(KINDS).map(([, grpc]) => grpc);
    expect(new Set(codes).size).toBe(codes.length);
    for (const [http] of Object.values(KINDS)) expect(http).toBeGreaterThanOrEqual(400);
  });

  test('a cause is kept, and is not part of the message', () => {
    const cause = new Error('the backend said so');
    expect(new MechaError({ code: 'X', kind: 'internal', message: 'failed', cause })).toMatchObject({ message: 'failed', cause });
  });
});
