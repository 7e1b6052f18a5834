import { status } from '@grpc/grpc-js';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { errorCodes, FeatureStoreError } from '../../src/errors.ts';
import { errorTrailer, statusOfError } from '../../src/flight/status.ts';

function read(thrown: unknown): { code: number; text: string; trailer: Record<string, unknown>; size: number } {
  const { code, details: text, metadata } = statusOfError(thrown);
  const [bytes] = metadata.get(errorTrailer) as [Buffer];
  return {
    code,
    text,
    trailer: JSON.parse(bytes.toString('utf8')) as Record<string, unknown>,
    size: encodeURI(text).length + Math.ceil(bytes.length / 3) * 4,
  };
}

it('gives every code the status of the same name, and never CANCELLED', () => {
  for (const code of errorCodes) {
    const answer = read(new FeatureStoreError(code, 'why', { details: { view: 'trips', rows: 2n ** 60n } }));
    expect(answer.code).toBe(status[code]);
    expect(answer.code).not.toBe(status.CANCELLED);
    expect(answer.trailer).toEqual({ code, message: 'why', details: { view: 'trips', rows: String(2n ** 60n) } });
  }
});

it('makes anything else INTERNAL', () => {
  expect(read(new TypeError('x is undefined')).trailer).toEqual({ code: 'INTERNAL', message: 'x is undefined', details: {} });
  expect(read('a string')).toMatchObject({ code: status.INTERNAL, text: 'a string' });
  expect(read(undefined).code).toBe(status.INTERNAL);
});

it('survives details that hold themselves', () => {
  const details: Record<string, unknown> = {};
  details.self = details;
  expect(read(new FeatureStoreError('NOT_FOUND', 'why', { details })).trailer).toEqual({
    code: 'NOT_FOUND',
    message: 'why',
    details: { truncated: true },
  });
});

it('stays under 8 KiB whatever the message and the details', () => {
  const unit = fc.constantFrom('a', '"', '\\', '\n', '\u0001', 'é', '\u{1f600}', '\ud800', '%', ' ');
  const long = fc.tuple(fc.string({ unit, minLength: 1, maxLength: 20 }), fc.integer({ min: 1, max: 1_000 }));
  fc.assert(
    fc.property(long, long, ([message, times], [detail, more]) => {
      const error = new FeatureStoreError('ABORTED', message.repeat(times), { details: { detail: detail.repeat(more) } });
      const answer = read(error);
      expect(answer.size).toBeLessThan(7_900);
      expect(answer.trailer.message).toBe(answer.text);
    }),
  );
});
