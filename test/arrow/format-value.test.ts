import { describe, expect, it } from 'vitest';
import { jsonForm, valueFormat } from '../../src/arrow/format-value.ts';
import { type ArrowType, field } from '../../src/arrow/schema.ts';

const int64 = field('item', { id: 'int', bits: 64, signed: true });
const point = field('point', { id: 'struct' }, [int64, field('note', { id: 'utf8' })]);

describe('valueFormat', () => {
  it.each<[string, ArrowType, unknown, string]>([
    ['an instant in microseconds', { id: 'timestamp', unit: 'us', timezone: 'UTC' }, -1n, '1969-12-31T23:59:59.999999Z'],
    ['a local time in nanoseconds', { id: 'timestamp', unit: 'ns' }, 1n, '1970-01-01T00:00:00.000000001'],
    ['seconds', { id: 'timestamp', unit: 's', timezone: 'UTC' }, 0n, '1970-01-01T00:00:00Z'],
    ['an instant beyond calendars', { id: 'timestamp', unit: 'us' }, 2n ** 63n - 1n, '9223372036854775807'],
    ['a date', { id: 'date', unit: 'day' }, -1, '1969-12-31'],
    ['a time of day', { id: 'time', unit: 'us', bits: 64 }, 3_600_000_001n, '01:00:00.000001'],
    ['bytes', { id: 'binary' }, new Uint8Array([0, 255]), 'AP8='],
    ['a large integer', { id: 'int', bits: 64, signed: true }, 9007199254740993n, '9007199254740993'],
    ['no number', { id: 'float', bits: 64 }, Number.NaN, 'NaN'],
    ['a decimal', { id: 'decimal', bits: 128, precision: 12, scale: 2 }, '1.50', '1.50'],
    ['a truth', { id: 'bool' }, false, 'false'],
  ])('writes %s', (_, type, value, text) => {
    expect(valueFormat(field('x', type))(value)).toBe(text);
  });

  it('writes nested values as JSON that loses nothing', () => {
    expect(valueFormat(field('x', { id: 'list' }, [int64]))([1n, null])).toBe('["1",null]');
    expect(valueFormat(point)({ item: 2n, note: null })).toBe('{"item":"2","note":null}');
    const entries = field('entries', { id: 'struct' }, [field('key', { id: 'utf8' }), int64]);
    expect(valueFormat(field('x', { id: 'map', keysSorted: false }, [entries]))([['a', 1n]])).toBe('[["a","1"]]');
  });

  it('refuses what has no text, naming the column', () => {
    expect(() => valueFormat(field('wait', { id: 'duration', unit: 's' }))).toThrow('column "wait" is duration[s]');
  });
});

describe('jsonForm', () => {
  it('keeps small numbers and finite floats as numbers, all else as text', () => {
    expect(jsonForm(field('x', { id: 'int', bits: 32, signed: true }))(5)).toBe(5);
    expect(jsonForm(int64)(5n)).toBe('5');
    expect(jsonForm(field('x', { id: 'float', bits: 32 }))(0.5)).toBe(0.5);
    expect(jsonForm(field('x', { id: 'float', bits: 64 }))(Number.POSITIVE_INFINITY)).toBe('Infinity');
  });
});
