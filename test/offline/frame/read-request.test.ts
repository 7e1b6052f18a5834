/** Request values: columns of the frame that are, or convert without loss to, the types that transforms declare (7.1). */
import { describe, expect, it } from 'vitest';
import { columnFromValues } from '../../../src/arrow/build.ts';
import { type ArrowType, type Field, field } from '../../../src/arrow/schema.ts';
import { parseValueType } from '../../../src/definitions/value-type.ts';
import { checkRequestColumn, readRequest } from '../../../src/offline/frame/read-request.ts';

const int = (bits: 8 | 16 | 32 | 64, signed = true): ArrowType => ({ id: 'int', bits, signed });
const float = (bits: 16 | 32 | 64): ArrowType => ({ id: 'float', bits });
const time = (unit: 's' | 'ms' | 'us' | 'ns', timezone?: string): ArrowType => ({ id: 'timestamp', unit, timezone });
const list = (element: Field, id: 'list' | 'largeList' = 'list') => field('v', { id }, [element]);
const views = ['clock', 'other'];

function read(type: string, of: Field | ArrowType, values: readonly unknown[]) {
  const request = { name: 'v', type: parseValueType(type), views };
  const column = columnFromValues('id' in of ? field('v', of) : of, values);
  checkRequestColumn(request, column.field);
  return readRequest(request, column, 40);
}

describe('a request value', () => {
  it.each([
    ['int32', int(64), [1n, null, -2n], [1, null, -2]],
    ['int32', int(8, false), [255, null], [255, null]],
    ['int32', float(64), [3, Number.NaN, -0], [3, null, 0]],
    ['int64', int(64, false), [2n ** 63n - 1n], [2n ** 63n - 1n]],
    ['int64', float(32), [1.5e7], [15_000_000n]],
    ['float32', float(64), [0.1, Number.NaN, Infinity], [Math.fround(0.1), Number.NaN, Infinity]],
    ['float64', int(64), [2n ** 53n, 2n ** 60n], [2 ** 53, 2 ** 60]],
    ['float64', float(16), [0.5], [0.5]],
    ['string', { id: 'largeUtf8' }, ['日本', null], ['日本', null]],
    ['string', { id: 'utf8View' }, ['a string that is longer than twelve'], ['a string that is longer than twelve']],
    ['string', { id: 'null' }, [null, null], [null, null]],
    ['bytes', { id: 'fixedSizeBinary', width: 2 }, [new Uint8Array([1, 2])], [new Uint8Array([1, 2])]],
    ['timestamp', time('s', 'UTC'), [-1n], [-1_000_000n]],
    ['timestamp', time('ms', 'Asia/Tokyo'), [1n], [1000n]],
    ['timestamp', time('ns', 'UTC'), [-1n, 1999n], [-1n, 1n]],
    ['date', { id: 'date', unit: 'ms' }, [-1n, 86_400_000n], ['1969-12-31', '1970-01-02']],
    ['decimal(10,2)', { id: 'decimal', bits: 128, precision: 20, scale: 4 }, ['1.5000', '-0.1000'], ['1.50', '-0.10']],
    ['decimal(10,2)', int(32), [-7], ['-7.00']],
    ['list(int32)', list(field('item', int(64)), 'largeList'), [[1n, null], null, []], [[1, null], null, []]],
    ['vector(float32,2)', list(field('item', float(64))), [[1, 0.1], null], [[1, Math.fround(0.1)], null]],
  ] as const)('%s of %o', (type, of, values, expected) => {
    expect(read(type, of, values)).toEqual(expected);
  });

  it.each([
    [
      'int32',
      int(64),
      [1n, 2n ** 31n],
      'column "v", row 41: 2147483648 is no int32: it does not fit (a request value of "clock", "other")',
    ],
    ['int32', float(64), [0.5], 'column "v", row 40: 0.5 is no int32: it is not whole, or above 2^53 ('],
    ['int64', float(64), [2 ** 53], 'column "v", row 40: 9007199254740992 is no int64: it is not whole, or above 2^53 ('],
    ['int64', int(64, false), [null, 2n ** 63n], 'column "v", row 41: 9223372036854775808 is no int64: it does not fit ('],
    ['float64', int(64), [2n ** 53n + 1n], 'column "v", row 40: 9007199254740993 is no float64: it does not fit ('],
    ['float32', float(64), [1e39], 'column "v", row 40: 1e+39 is no float32: it does not fit ('],
    ['timestamp', time('s', 'UTC'), [2n ** 60n], 'column "v", row 40: 1152921504606846976 is no timestamp: it does not fit ('],
    [
      'decimal(3,1)',
      { id: 'decimal', bits: 128, precision: 9, scale: 2 },
      ['1.25'],
      'column "v", row 40: "1.25" is no decimal(3,1): it has more than 1 digits',
    ],
    [
      'vector(float32,2)',
      list(field('item', float(64))),
      [[1, 2, 3]],
      'column "v", row 40: a list of 3 is no vector(float32,2): it must have 2 numbers (',
    ],
    [
      'vector(float32,2)',
      list(field('item', float(64))),
      [[1, null]],
      'column "v", row 40: a list with a null is no vector(float32,2): every element',
    ],
  ] as const)('%s of %o that loses something is refused by row', (type, of, values, message) => {
    expect(() => read(type, of, values)).toThrow(message);
  });

  it.each([
    ['int32', { id: 'utf8' }, 'request value "v" of "clock", "other" is int32, and column "v" of the frame is utf8'],
    ['string', int(64), 'is string, and column "v" of the frame is int64'],
    ['bool', int(8), 'is bool, and column "v" of the frame is int8'],
    ['timestamp', time('us'), 'is timestamp, and column "v" of the frame is timestamp[us]; send it with a zone'],
    ['date', time('us', 'UTC'), 'is date, and column "v" of the frame is timestamp[us, UTC]'],
    ['decimal(5,2)', float(64), 'is decimal(5,2), and column "v" of the frame is float64'],
    ['list(string)', list(field('item', int(64))), 'is list(string), and column "v" of the frame is list<int64>'],
    ['bytes', { id: 'utf8' }, 'is bytes, and column "v" of the frame is utf8'],
  ] as const)('%s of %o is refused whatever its values are', (type, of, message) => {
    expect(() => read(type, of as Field | ArrowType, [])).toThrow(message);
  });
});
