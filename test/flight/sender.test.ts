import type { ServerInterceptingCallInterface } from '@grpc/grpc-js';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createSender, joinSmallParts } from '../../src/flight/sender.ts';

it('joins small parts and leaves large ones where they are', () => {
  const parts = fc.array(
    fc.oneof(fc.nat(100), fc.constantFrom(16_383, 16_384, 50_000)).map((size) => new Uint8Array(size).fill(size)),
  );
  fc.assert(
    fc.property(parts, (given) => {
      const joined = joinSmallParts(given);
      expect(Buffer.concat(joined).equals(Buffer.concat(given))).toBe(true);
      const large: Uint8Array[] = given.filter((part) => part.length >= 16_384);
      const kept = joined.filter((part) => large.includes(part));
      expect(kept.length).toBe(large.length);
      expect(kept.every((part, index) => part === large[index])).toBe(true);
      expect(joined.length).toBeLessThanOrEqual(2 * large.length + 1);
      expect(joined.some((part) => part.length === 0)).toBe(false);
    }),
  );
});

it('sends through grpc-js where the stream beneath cannot be had', async () => {
  const sent: Buffer[] = [];
  let release: () => void = () => undefined;
  const call = {
    sendMessage(message: Buffer, callback: () => void) {
      sent.push(message);
      release = callback;
    },
  } as unknown as ServerInterceptingCallInterface;
  let done = false;
  const sending = createSender(call)([Uint8Array.of(1), Uint8Array.of(2, 3)]).then(() => {
    done = true;
  });
  await new Promise(setImmediate);
  expect([...(sent[0] as Buffer)]).toEqual([1, 2, 3]);
  expect(done).toBe(false);
  release();
  await sending;
});
