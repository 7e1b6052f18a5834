import { describe, expect, it } from 'vitest';
import { formatValueType, parseValueType } from '../../../src/definitions/value-type.ts';
import { columnTypeOf, fitsValueType, isTime, isZoneless, naturalValueType } from '../../../src/registry/bind/column-type.ts';

const candidates = ['bool', 'int32', 'int64', 'float32', 'float64', 'string', 'bytes', 'timestamp', 'date'];

describe('fitsValueType', () => {
  it.each([
    ['BOOLEAN', ['bool']],
    ['TINYINT', ['int32', 'int64', 'float32', 'float64']],
    ['USMALLINT', ['int32', 'int64', 'float32', 'float64']],
    ['INTEGER', ['int32', 'int64', 'float64']],
    ['UINTEGER', ['int64', 'float64']],
    ['BIGINT', ['int64']],
    ['UBIGINT', []],
    ['HUGEINT', []],
    ['FLOAT', ['float32', 'float64']],
    ['DOUBLE', ['float64']],
    ['DECIMAL(9,0)', ['int32', 'int64', 'float64']],
    ['DECIMAL(18,0)', ['int64']],
    ['DECIMAL(4,2)', []],
    ['VARCHAR', ['string']],
    ['UUID', ['string']],
    ["ENUM('a', 'b[]')", ['string']],
    ['BLOB', ['bytes']],
    ['DATE', ['timestamp', 'date']],
    ['TIMESTAMP', ['timestamp']],
    ['TIMESTAMP_NS', ['timestamp']],
    ['TIMESTAMP WITH TIME ZONE', ['timestamp']],
    ['TIME', []],
    ['INTERVAL', []],
    ['STRUCT(a INTEGER, b INTEGER[])', []],
    ['MAP(VARCHAR, INTEGER)', []],
    ['INTEGER[]', []],
    ['"NULL"', candidates],
  ])('takes %s only as %j', (columnType, expected) => {
    expect(candidates.filter((type) => fitsValueType(columnType, parseValueType(type)))).toEqual(expected);
  });

  it.each([
    ['INTEGER', 'decimal(10,0)', true],
    ['INTEGER', 'decimal(10,1)', false],
    ['BIGINT', 'decimal(38,4)', true],
    ['UBIGINT', 'decimal(20,0)', true],
    ['HUGEINT', 'decimal(38,0)', true],
    ['HUGEINT', 'decimal(38,1)', false],
    ['DECIMAL(12,2)', 'decimal(12,2)', true],
    ['DECIMAL(12,2)', 'decimal(14,4)', true],
    ['DECIMAL(12,2)', 'decimal(13,4)', false],
    ['DECIMAL(12,2)', 'decimal(12,1)', false],
    ['DOUBLE', 'decimal(38,10)', false],
    ['INTEGER[]', 'list(int64)', true],
    ['BIGINT[]', 'list(int32)', false],
    ['VARCHAR[][]', 'list(list(string))', true],
    ['VARCHAR[]', 'list(list(string))', false],
    ['STRUCT(a INTEGER)[]', 'list(int32)', false],
    ['FLOAT[3]', 'vector(float32,3)', true],
    ['FLOAT[]', 'vector(float32,3)', true],
    ['FLOAT[4]', 'vector(float32,3)', false],
    ['FLOAT[]', 'vector(float64,3)', true],
    ['DOUBLE[3]', 'vector(float32,3)', false],
    ['FLOAT[3]', 'list(float32)', true],
    ['FLOAT', 'vector(float32,1)', false],
  ])('%s as %s: %s', (columnType, type, fits) => {
    expect(fitsValueType(columnType, parseValueType(type))).toBe(fits);
  });
});

describe('naturalValueType', () => {
  it('always names a type that holds the column', () => {
    const columns = [
      'BOOLEAN',
      'UTINYINT',
      'BIGINT',
      'UBIGINT',
      'FLOAT',
      'DECIMAL(5,2)',
      "ENUM('a')",
      'DATE',
      'TIMESTAMP_NS',
      'BLOB',
      'DOUBLE[2]',
      'INTEGER[][]',
    ];
    for (const column of columns) expect(fitsValueType(column, parseValueType(naturalValueType(column) ?? ''))).toBe(true);
    expect(naturalValueType('DOUBLE[2]')).toBe('vector(float64,2)');
    expect(naturalValueType('STRUCT(a INTEGER)')).toBeUndefined();
    expect(naturalValueType('INTERVAL[]')).toBeUndefined();
  });
});

describe('columnTypeOf', () => {
  it.each([...candidates, 'decimal(12,2)', 'list(list(date))', 'vector(float32,3)'])(
    'names a column type that %s holds',
    (type) => {
      const parsed = parseValueType(type);
      expect(fitsValueType(columnTypeOf(parsed), parsed)).toBe(true);
      expect(naturalValueType(columnTypeOf(parsed))).toBe(formatValueType(parsed));
    },
  );
});

describe('isZoneless and isTime', () => {
  it('tell times that need a zone from instants and from what is no time', () => {
    expect(['DATE', 'TIMESTAMP', 'TIMESTAMP_NS[]', 'TIMESTAMP WITH TIME ZONE', 'VARCHAR'].map(isZoneless)).toEqual([
      true,
      true,
      true,
      false,
      false,
    ]);
    expect(['DATE', 'TIMESTAMP_MS', 'TIMESTAMP WITH TIME ZONE', 'TIMESTAMP[]', 'TIME', '"NULL"'].map(isTime)).toEqual([
      true,
      true,
      true,
      false,
      false,
      false,
    ]);
  });
});
