import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { intoSlotOf } from '../../src/online/redis/same-slot.ts';
import { slotOfKey } from '../../src/online/redis/slot.ts';
import { type RedisServer, startRedis } from '../support/start-redis.ts';

let server: RedisServer;

beforeAll(async () => {
  server = await startRedis({ args: ['--cluster-enabled', 'yes'] });
});
afterAll(() => server.stop());

describe('slotOfKey', () => {
  it('is what the server says, braces and any bytes included', async () => {
    const client = server.connect();
    const bytes = fc.uint8Array({ max: 255, maxLength: 40 });
    const braces = fc.array(fc.constantFrom(0x7b, 0x7d, 0, 65, 255), { maxLength: 12 }).map((list) => Uint8Array.from(list));
    await fc.assert(
      fc.asyncProperty(fc.oneof(bytes, braces), async (key) => {
        expect(slotOfKey(key)).toBe(await client.call('cluster', ['keyslot', Buffer.from(key)]));
      }),
      { numRuns: 500 },
    );
    client.disconnect();
  });
});

describe('intoSlotOf', () => {
  it('brings any key into the slot of any that it holds, and nothing closes a brace', () => {
    const braces = fc.array(fc.constantFrom(0x7b, 0x7d, 0, 65, 255), { maxLength: 12 }).map((list) => Uint8Array.from(list));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ max: 255, maxLength: 40 }), braces), fc.string(), (rest, name) => {
        const view = name.replaceAll(/[{}]/g, '');
        const key = Buffer.concat([Buffer.from('p\0\x02'), rest]);
        const side = intoSlotOf(key, Buffer.concat([Buffer.from(`p\0\x03${view}\0`), rest]));
        expect(slotOfKey(side)).toBe(slotOfKey(key));
        expect(side.length - Buffer.byteLength(view) - key.length).toBeLessThanOrEqual(3);
      }),
      { numRuns: 5000 },
    );
  });
});
