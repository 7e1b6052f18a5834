/** How addresses of servers may be written. */
import { describe, expect, it } from 'vitest';
import { parseServerAddress } from '../../src/client/server-address.ts';

describe('parseServerAddress', () => {
  it.each([
    ['grpc://127.0.0.1:8815', 'grpc://127.0.0.1:8815', '127.0.0.1:8815', false, true],
    ['grpc+tcp://features.example', 'grpc://features.example:8815', 'features.example:8815', false, false],
    ['localhost:9000', 'grpc://localhost:9000', 'localhost:9000', false, true],
    ['features.example', 'grpc://features.example:8815', 'features.example:8815', false, false],
    ['grpc+tls://features.example:443/', 'grpc+tls://features.example:443', 'features.example:443', true, false],
    ['grpcs://10.0.0.7', 'grpc+tls://10.0.0.7:8815', '10.0.0.7:8815', true, false],
    ['grpc://[::1]:1234', 'grpc://[::1]:1234', '[::1]:1234', false, true],
  ])('%s', (text, address, authority, secure, loopback) => {
    expect(parseServerAddress(text)).toEqual({ address, authority, secure, loopback });
  });

  it.each(['', 'http://x:1', 'grpc://', 'grpc://h:0', 'grpc://h:99999', 'grpc://h/path', 'grpc://user@h', 'grpc://h?x', 'a b:1'])(
    'refuses "%s"',
    (text) => {
      expect(() => parseServerAddress(text)).toThrow(
        expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringContaining('grpc://host:port') }),
      );
    },
  );
});
