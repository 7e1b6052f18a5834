import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FeatureStoreError } from '../../src/errors.ts';
import { decodeFlightData, encodeFlightData } from '../../src/flight/flight-data.ts';
import {
  decodeAction,
  decodeActionType,
  decodeCancelRequest,
  decodeCancelResult,
  decodeDescriptor,
  decodeEndpoint,
  decodeFlightInfo,
  decodeHandshake,
  decodePollInfo,
  decodeSingleBytes,
  encodeAction,
  encodeActionType,
  encodeCancelRequest,
  encodeCancelResult,
  encodeDescriptor,
  encodeEndpoint,
  encodeFlightInfo,
  encodeHandshake,
  encodePollInfo,
  encodeSingleBytes,
} from '../../src/flight/messages.ts';
import type { FlightDescriptor, FlightEndpoint, FlightInfo, PollInfo } from '../../src/flight/protocol.ts';
import { runClient } from './support/python.ts';

const bytes = fc.uint8Array({ maxLength: 300 });
const someBytes = fc.uint8Array({ minLength: 1, maxLength: 300 });
const text = fc.string({ unit: 'grapheme' });
const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
/** Years 1 to 9999, what a protobuf timestamp holds. */
const instantUs = fc.bigInt({ min: -62_135_596_800_000_000n, max: 253_402_300_799_999_999n });
const maybe = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(value, { nil: undefined });

const descriptor: fc.Arbitrary<FlightDescriptor> = fc.oneof(
  fc.record({ type: fc.constant('cmd' as const), cmd: bytes }),
  fc.record({ type: fc.constant('path' as const), path: fc.array(text) }),
);
const endpoint: fc.Arbitrary<FlightEndpoint> = fc.record({
  ticket: bytes,
  locations: fc.array(text),
  expiration: maybe(instantUs),
  metadata: maybe(someBytes),
});
const info: fc.Arbitrary<FlightInfo> = fc.record({
  schema: bytes,
  descriptor: maybe(descriptor),
  endpoints: fc.array(endpoint, { maxLength: 3 }),
  totalRecords: int64,
  totalBytes: int64,
  ordered: fc.boolean(),
  metadata: maybe(someBytes),
});
const poll: fc.Arbitrary<PollInfo> = fc.record({
  info,
  descriptor: maybe(descriptor),
  progress: maybe(fc.double({ min: 0, max: 1 })),
  expiration: maybe(instantUs),
});

/** Plain arrays in place of byte arrays, so that views and copies compare equal. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return [...value];
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, plain(v)]));
  return value;
}

function roundTrips<T>(values: fc.Arbitrary<T>, encode: (value: T) => Uint8Array, decode: (message: Uint8Array) => T): void {
  fc.assert(
    fc.property(values, (value) => {
      expect(plain(decode(encode(value)))).toEqual(plain(value));
    }),
  );
}

describe('every message', () => {
  it.each<[string, () => void]>([
    ['FlightDescriptor', () => roundTrips(descriptor, encodeDescriptor, decodeDescriptor)],
    ['Ticket, Criteria, Result, SchemaResult and PutResult', () => roundTrips(bytes, encodeSingleBytes, decodeSingleBytes)],
    ['Handshake', () => roundTrips(bytes, encodeHandshake, decodeHandshake)],
    ['FlightEndpoint', () => roundTrips(endpoint, encodeEndpoint, decodeEndpoint)],
    ['FlightInfo', () => roundTrips(info, encodeFlightInfo, decodeFlightInfo)],
    ['PollInfo', () => roundTrips(poll, encodePollInfo, decodePollInfo)],
    ['CancelFlightInfoRequest', () => roundTrips(info, encodeCancelRequest, decodeCancelRequest)],
    [
      'CancelFlightInfoResult',
      () =>
        roundTrips(
          fc.constantFrom('unspecified', 'cancelled', 'cancelling', 'notCancellable'),
          encodeCancelResult,
          decodeCancelResult,
        ),
    ],
    ['Action', () => roundTrips(fc.record({ type: text, body: bytes }), (a) => encodeAction(a.type, a.body), decodeAction)],
    ['ActionType', () => roundTrips(fc.record({ type: text, description: text }), encodeActionType, decodeActionType)],
  ])('comes back from its bytes: %s', (_, check) => check());

  it('is what pyarrow makes of the same values', async () => {
    const theirs = (await runClient('protobuf', [0])) as Record<string, string>;
    const path: FlightDescriptor = { type: 'path', path: ['a', '', 'é'] };
    const point: FlightEndpoint = {
      ticket: Uint8Array.of(0x74, 0xff),
      locations: ['grpc://h:1', 'grpc://h:2'],
      expiration: 1_772_625_600_000_001n,
      metadata: Buffer.from('e'),
    };
    const theirInfo = decodeFlightInfo(Buffer.from(theirs.info as string, 'hex'));
    const ours = {
      path: encodeDescriptor(path),
      command: encodeDescriptor({ type: 'cmd', cmd: Buffer.from('\0c') }),
      ticket: encodeSingleBytes(Buffer.from('\u0001t')),
      endpoint: encodeEndpoint(point),
      action: encodeAction('type', Buffer.from('body')),
      actionType: encodeActionType({ type: 'type', description: 'words' }),
      result: encodeSingleBytes(Buffer.from('r')),
      info: encodeFlightInfo({
        schema: theirInfo.schema,
        descriptor: path,
        endpoints: [point],
        totalRecords: -1n,
        totalBytes: 2n ** 62n,
        ordered: true,
        metadata: Buffer.from('m'),
      }),
    };
    expect(Object.keys(theirs).length).toBeGreaterThanOrEqual(6);
    for (const [name, hex] of Object.entries(theirs)) {
      expect([name, Buffer.from(ours[name as keyof typeof ours]).toString('hex')]).toEqual([name, hex]);
    }
  });
});

describe('FlightData', () => {
  it('comes back from its parts, the body uncopied', () => {
    const message = fc.record({
      header: someBytes,
      metadata: maybe(someBytes),
      body: fc.array(bytes),
      descriptor: maybe(descriptor),
    });
    fc.assert(
      fc.property(message, ({ descriptor: named, ...sent }) => {
        const parts = encodeFlightData(sent, named);
        expect(parts.slice(1)).toEqual(sent.body);
        const received = decodeFlightData(Buffer.concat(parts));
        expect(received.descriptor && plain(decodeDescriptor(received.descriptor))).toEqual(plain(named));
        expect(plain([received.header, received.metadata, received.body])).toEqual(
          plain([sent.header, sent.metadata, Buffer.concat(sent.body)]),
        );
      }),
    );
  });

  it('is never sent without a header, nor longer than clients take', () => {
    expect(() => encodeFlightData({ header: new Uint8Array(0), metadata: Uint8Array.of(1), body: [] })).toThrow(
      'without a header',
    );
    const huge = { length: 0x7fffffff } as Uint8Array;
    expect(() => encodeFlightData({ header: Uint8Array.of(1), body: [huge] })).toThrow('smaller batches');
  });
});

describe('bytes that are no message', () => {
  const decoders = [
    decodeFlightData,
    decodeDescriptor,
    decodeSingleBytes,
    decodeAction,
    decodeHandshake,
    decodePollInfo,
    decodeCancelRequest,
  ];
  const onlyInvalid = (message: Uint8Array): void => {
    for (const decode of decoders) {
      try {
        decode(message);
      } catch (error) {
        expect(error).toBeInstanceOf(FeatureStoreError);
        expect((error as FeatureStoreError).code).toBe('INVALID_ARGUMENT');
      }
    }
  };

  it('are refused with INVALID_ARGUMENT, whatever they are', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), onlyInvalid), { numRuns: 2_000 });
  });

  it('are refused when they are a message cut off or changed', () => {
    fc.assert(
      fc.property(poll, fc.nat(), fc.nat(255), (value, at, byte) => {
        const message = Buffer.from(encodePollInfo(value));
        onlyInvalid(message.subarray(0, at % (message.length + 1)));
        if (message.length > 0) message[at % message.length] = byte;
        onlyInvalid(message);
      }),
    );
  });

  it.each([
    ['a field number of 0', [0x02, 0x00]],
    ['a group', [0x0b]],
    ['a number without an end', [0x08, 0x80]],
    ['a number of 80 bits', [0x08, ...new Array(11).fill(0xff)]],
    ['a length beyond the end', [0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f]],
    ['a length of 2^64 - 1', [0x0a, ...new Array(9).fill(0xff), 0x01]],
  ])('%s', (_, message) => {
    expect(() => decodeSingleBytes(Uint8Array.from(message))).toThrow(/^malformed Flight message/);
  });

  it('a descriptor of no known type, a string that is not UTF-8', () => {
    expect(() => decodeDescriptor(new Uint8Array(0))).toThrow('unknown type 0');
    expect(() => decodeAction(Uint8Array.of(0x0a, 0x01, 0xff))).toThrow('not UTF-8');
  });
});
