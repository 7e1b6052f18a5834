import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Column } from '../../src/arrow/column.ts';
import { createChunkAppender, duckdbField } from '../../src/arrow/from-duckdb.ts';
import { readValues } from '../../src/arrow/read-value.ts';
import { type Field, field, formatType } from '../../src/arrow/schema.ts';

let instance: DuckDBInstance;
beforeAll(async () => {
  instance = await DuckDBInstance.create(':memory:');
});
afterAll(() => instance.closeSync());

async function query(sql: string, fields?: readonly Field[]): Promise<Column[]> {
  const connection = await instance.connect();
  try {
    await connection.run("set timezone = 'UTC'");
    const result = await connection.stream(sql);
    const names = result.columnNames();
    const appender = createChunkAppender(fields ?? result.columnTypes().map((type, i) => duckdbField(names[i] as string, type)));
    for (;;) {
      const chunk = await result.fetchChunk();
      if (chunk === null || chunk.rowCount === 0) break;
      appender.append(chunk);
    }
    return appender.take();
  } finally {
    connection.closeSync();
  }
}

const cases: [sql: string, type: string, value: unknown][] = [
  ['true', 'bool', true],
  ['(-128)::tinyint', 'int8', -128],
  ['(-32768)::smallint', 'int16', -32768],
  ['(-2147483648)::integer', 'int32', -2147483648],
  ['(-9223372036854775808)::bigint', 'int64', -9223372036854775808n],
  ['255::utinyint', 'uint8', 255],
  ['65535::usmallint', 'uint16', 65535],
  ['4294967295::uinteger', 'uint32', 4294967295],
  ['18446744073709551615::ubigint', 'uint64', 18446744073709551615n],
  ["'99999999999999999999999999999999999999'::hugeint", 'decimal128(38, 0)', '99999999999999999999999999999999999999'],
  ["'-99999999999999999999999999999999999999'::hugeint", 'decimal128(38, 0)', '-99999999999999999999999999999999999999'],
  ["'99999999999999999999999999999999999999'::uhugeint", 'decimal128(38, 0)', '99999999999999999999999999999999999999'],
  ['1.5::float', 'float32', 1.5],
  ["'-inf'::double", 'float64', Number.NEGATIVE_INFINITY],
  ['(-1.25)::decimal(4, 2)', 'decimal128(4, 2)', '-1.25'],
  ['(-12345.678)::decimal(9, 3)', 'decimal128(9, 3)', '-12345.678'],
  ['(-123456789012.345678)::decimal(18, 6)', 'decimal128(18, 6)', '-123456789012.345678'],
  ["'-12345678901234567890123456789012.345678'::decimal(38, 6)", 'decimal128(38, 6)', '-12345678901234567890123456789012.345678'],
  ["''", 'utf8', ''],
  ["'zwölf Byte ü'", 'utf8', 'zwölf Byte ü'],
  ["'a string that is longer than twelve bytes'", 'utf8', 'a string that is longer than twelve bytes'],
  ["'\\x00\\xFF'::blob", 'binary', Uint8Array.of(0, 255)],
  ["date '1969-12-31'", 'date32', -1],
  ["time '23:59:59.999999'", 'time64[us]', 86_399_999_999n],
  ["timestamp_s '1969-12-31 23:59:59'", 'timestamp[s]', -1n],
  ["timestamp_ms '1969-12-31 23:59:59.999'", 'timestamp[ms]', -1n],
  ["timestamp '1969-12-31 23:59:59.999999'", 'timestamp[us]', -1n],
  ["timestamp_ns '1969-12-31 23:59:59.999999999'", 'timestamp[ns]', -1n],
  ["timestamptz '1970-01-01 01:00:00+01'", 'timestamp[us, UTC]', 0n],
  ["timestamptz 'infinity'", 'timestamp[us, UTC]', 2n ** 63n - 1n],
  ["timestamptz '-infinity'", 'timestamp[us, UTC]', 1n - 2n ** 63n],
  ["time_ns '23:59:59.999999999'", 'time64[ns]', 86_399_999_999_999n],
  ["interval '14 months 3 days 1 second'", 'interval[monthDayNano]', { months: 14, days: 3, nanoseconds: 1_000_000_000n }],
  ["'f47ac10b-58cc-4372-a567-0e02b2c3d479'::uuid", 'utf8', 'f47ac10b-58cc-4372-a567-0e02b2c3d479'],
  ["'sad'::enum('happy', 'sad and longer than twelve', 'sad')", 'utf8', 'sad'],
  ['[1, null, 3]', 'list<int32>', [1, null, 3]],
  ["[['a'], [], null, ['bb', null]]", 'list<list<utf8>>', [['a'], [], null, ['bb', null]]],
  ["{'a': 1, 'b': {'c': 'x'}}", 'struct<a: int32, b: struct<c: utf8>>', { a: 1, b: { c: 'x' } }],
  [
    "map {'k': [1], 'l': null}",
    'map<struct<key: utf8, value: list<int32>>>',
    [
      ['k', [1]],
      ['l', null],
    ],
  ],
];

describe('chunks of every type', () => {
  test.each(cases)('%s', async (sql, type, value) => {
    // A value, a null, and rows over several chunks, so that validity is appended at odd bits.
    const [column] = await query(
      `select case when i % 3 = 1 then null else x end as c from range(5000) t(i), (select ${sql} as x)`,
    );
    expect(formatType((column as Column).field)).toBe(type);
    const values = readValues(column as Column);
    expect(values.length).toBe(5000);
    expect(values.slice(0, 3)).toEqual([value, null, value]);
    expect(values.every((got, i) => (i % 3 === 1) === (got === null))).toBe(true);
    expect(values.at(-2)).toEqual(value);
    expect((column as Column).nullCount).toBe(1667);
  });
});

test('text of all lengths, distinct and repeated, in and out of order, matches what DuckDB says of it', async () => {
  for (const order of ['i', 'hash(i)']) {
    for (const distinct of [7, 100_000]) {
      const sql = `select s, length(s) as n, md5(s) as digest from (select repeat(chr(97 + (i % ${distinct} % 26)::int), (i % ${distinct} % 61)::int) || (i % ${distinct}) as s, i from range(20000) t(i)) order by ${order}`;
      const [s, n, digest] = (await query(sql)).map(readValues) as [string[], bigint[], string[]];
      const { createHash } = await import('node:crypto');
      expect(s.every((text, i) => BigInt(text.length) === n[i])).toBe(true);
      expect(s.every((text, i) => createHash('md5').update(text).digest('hex') === digest[i])).toBe(true);
    }
  }
});

test('text from a Parquet file with and without dictionaries', async () => {
  const { mkdtemp, rm } = await import('node:fs/promises');
  const folder = await mkdtemp('/tmp/arrow-parquet-');
  try {
    const connection = await instance.connect();
    await connection.run(
      `copy (select i, 'user number ' || (i % 1000) as repeated, 'a quite distinct text ' || i || repeat('x', (i % 40)::int) as distinct_text from range(30000) t(i)) to '${folder}/t.parquet'`,
    );
    connection.closeSync();
    const [i, repeated, distinct] = (await query(`select * from '${folder}/t.parquet'`)).map(readValues) as [
      bigint[],
      string[],
      string[],
    ];
    expect(repeated.every((text, row) => text === `user number ${Number(i[row]) % 1000}`)).toBe(true);
    expect(distinct.every((text, row) => text === `a quite distinct text ${i[row]}${'x'.repeat(Number(i[row]) % 40)}`)).toBe(
      true,
    );
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('lists whose entries do not stand in order in their child', async () => {
  const [column] = await query('select list(i order by i) as l from range(10000) t(i) group by i % 100 order by i % 100');
  expect(readValues(column as Column).map((list) => (list as bigint[])[1])).toEqual(
    Array.from({ length: 100 }, (_, i) => BigInt(i + 100)),
  );
  const [picked] = await query(
    'select case when i % 2 = 0 then l end as l from (select i, [i, i + 1, null] as l from range(3000) t(i)) where i % 5 <> 0',
  );
  const rows = Array.from({ length: 3000 }, (_, i) => i).filter((i) => i % 5 !== 0);
  expect(readValues(picked as Column)).toEqual(rows.map((i) => (i % 2 === 0 ? [BigInt(i), BigInt(i + 1), null] : null)));
});

test('arrays of fixed size, null and of text too', async () => {
  const [numbers, texts] = await query(
    "select (case when i % 3 <> 1 then [i, null] end)::float[2] as n, ['first text is long', 'b']::varchar[2] as t from range(5000) t(i)",
  );
  expect(formatType((numbers as Column).field)).toBe('fixedSizeList<float32>[2]');
  expect(readValues(numbers as Column)).toEqual(Array.from({ length: 5000 }, (_, i) => (i % 3 === 1 ? null : [i, null])));
  expect(readValues(texts as Column)[4999]).toEqual(['first text is long', 'b']);
});

test('constant and null columns', async () => {
  const [a, b, c] = await query("select 42 as a, null::varchar as b, ['same text of some length'] as c from range(3000)");
  expect(new Set(readValues(a as Column))).toEqual(new Set([42]));
  expect((b as Column).nullCount).toBe(3000);
  expect(readValues(c as Column).every((list) => (list as string[])[0] === 'same text of some length')).toBe(true);
});

test('a hugeint of 39 digits is refused, naming the column', async () => {
  await expect(query("select '100000000000000000000000000000000000000'::hugeint as big")).rejects.toMatchObject({
    code: 'OUT_OF_RANGE',
    message: expect.stringContaining('"big"'),
  });
});

test.each(['timetz', 'bit'])('a %s has no counterpart and is refused by name', async (type) => {
  await expect(query(`select null::${type} as odd`)).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
    message: expect.stringContaining('"odd"'),
  });
});

test('a column of another type than planned is refused', async () => {
  await expect(query('select 1::bigint as x', [field('x', { id: 'int', bits: 32, signed: true })])).rejects.toMatchObject({
    code: 'INTERNAL',
  });
  await expect(query('select 1 as x, 2 as y', [field('x', { id: 'int', bits: 32, signed: true })])).rejects.toMatchObject({
    code: 'INTERNAL',
  });
});

test('without a chunk the columns are empty; after take the appender starts anew', async () => {
  const appender = createChunkAppender([field('x', { id: 'utf8' })]);
  expect(appender.take()).toMatchObject([{ length: 0, nullCount: 0 }]);
});
