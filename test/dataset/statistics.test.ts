/** Statistics of columns, against plain loops over random rows. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { columnFromValues } from '../../src/arrow/build.ts';
import { type Field, field } from '../../src/arrow/schema.ts';
import type { ColumnStatistics } from '../../src/dataset/manifest.ts';
import { createRandom } from '../../src/dataset/random.ts';
import { relationOf } from '../../src/dataset/relation.ts';
import { describeColumn, histogramBins } from '../../src/dataset/statistics.ts';
import { describeText } from '../../src/dataset/vocabulary.ts';
import { createRowWriter } from '../../src/dataset/write-rows.ts';
import { openEngine } from '../../src/offline/duckdb/engine.ts';

const scratch = mkdtempSync(join(tmpdir(), 'featherflight-statistics-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const seed = Number(process.env.FEATHERFLIGHT_TEST_SEED ?? Date.now() % 1_000_000);

/** Mean and deviation of a sample by two passes of plain loops, over numbers that are scaled as little as it takes. */
function naive(values: readonly number[]) {
  const unit = Math.max(...values.map(Math.abs)) > 1e150 ? 2 ** 600 : 1;
  const scaled = values.map((value) => value / unit);
  const mean = scaled.reduce((sum, value) => sum + value, 0) / scaled.length;
  const squares = scaled.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean: mean * unit, stddev: scaled.length < 2 ? null : Math.sqrt(squares / (scaled.length - 1)) * unit };
}

function near(found: number | null | undefined, wanted: number | null, scale: number): void {
  if (wanted === null) expect(found ?? null).toBeNull();
  else expect(Math.abs((found as number) - wanted)).toBeLessThanOrEqual(1e-9 * scale + 1e-300);
}

async function describeValues(
  each: Field,
  values: readonly unknown[],
  parts: readonly string[],
  round: number,
): Promise<ColumnStatistics> {
  const draft = mkdtempSync(join(scratch, 'draft-'));
  const writer = await createRowWriter(draft, [each], parts);
  for (let at = 0; at < values.length; at += 97) {
    const some = values.slice(at, at + 97);
    await writer.write(
      [columnFromValues(each, some)],
      Uint8Array.from(some, (_, row) => (at + row) % parts.length),
    );
  }
  const splits = await writer.finish();
  const engine = await openEngine({
    threads: 1,
    memory: '256MB',
    spillDirectory: join(scratch, `spill-${round}`),
    spillLimit: '1GB',
  });
  try {
    const relation = relationOf(draft, splits) as string;
    return await engine.session(undefined, async (session) =>
      each.type.id === 'utf8'
        ? (await describeText(session, relation, each.name, draft)).statistics
        : await describeColumn(session, relation, each),
    );
  } finally {
    engine.close();
  }
}

describe(`statistics (seed ${seed})`, () => {
  it('are those of a naive oracle, of random columns with nulls, NaN, infinities and extremes', async () => {
    const next32 = createRandom(['statistics', seed]);
    const random = () => next32() >>> 0;
    const unit = () => random() / 2 ** 32;
    const kinds: readonly (readonly [string, Field['type'], () => unknown])[] = [
      ['float64', { id: 'float', bits: 64 }, () => (unit() - 0.5) * 10 ** Math.floor(unit() * 12)],
      ['huge', { id: 'float', bits: 64 }, () => (unit() - 0.5) * 1.7e308],
      ['tiny', { id: 'float', bits: 64 }, () => (unit() - 0.5) * 1e-300],
      ['float32', { id: 'float', bits: 32 }, () => Math.fround(unit() * 100)],
      ['same', { id: 'float', bits: 64 }, () => 0.1],
      ['int64', { id: 'int', bits: 64, signed: true }, () => BigInt(random()) - 2n ** 31n],
      ['int8', { id: 'int', bits: 8, signed: true }, () => (random() % 256) - 128],
    ];
    for (const [round, [name, type, next]] of kinds.entries()) {
      const special = type.id === 'float' ? [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY] : [];
      const values = Array.from({ length: 50 + (random() % 400) }, () => {
        if (unit() < 0.1) return null;
        return special.length > 0 && unit() < 0.03 ? special[random() % 3] : next();
      });
      const parts = unit() < 0.5 ? ['all'] : ['a', 'b', 'c'];
      const found = await describeValues(field(name, type), values, parts, round);
      const there = values.filter((value) => value !== null).map(Number);
      const finite = there.filter(Number.isFinite);
      const numbers = there.filter((value) => !Number.isNaN(value));
      const { mean, stddev } = naive(finite);
      const scale = Math.max(...finite.map(Math.abs));
      expect(found.nulls, name).toBe(values.length - there.length);
      // The digits of a float32 are as many as tell it from others of its kind.
      const nearest = type.id === 'float' && type.bits === 32 ? Math.fround : Number;
      const read = (text: string | null | undefined) => nearest(Number(text?.replace('inf', 'Infinity')));
      expect([read(found.min), read(found.max)], name).toEqual([Math.min(...numbers), Math.max(...numbers)]);
      if (type.id === 'float')
        expect([found.nan, found.infinite], name).toEqual([there.length - numbers.length, numbers.length - finite.length]);
      if (type.id === 'int')
        expect(found.inexact_float32, name).toBe(there.filter((value) => Math.fround(value) !== value).length);
      near(found.mean, mean, scale);
      near(found.stddev, stddev !== null && Number.isFinite(stddev) ? stddev : null, scale);
      const [low, high] = [Math.min(...finite), Math.max(...finite)];
      const counts = found.histogram?.counts ?? [];
      expect(
        counts.reduce((sum, count) => sum + count, 0),
        name,
      ).toBe(finite.length);
      expect(counts.length, name).toBe(high > low ? histogramBins : 1);
      if (high > low)
        for (const [bin, count] of counts.entries()) {
          const [from, to] = [bin, bin + 1].map((edge) => low / 2 + (high / 2 - low / 2) * (edge / histogramBins));
          const slack = Math.abs(high / 2 - low / 2) * 1e-9;
          const within = (less: number) =>
            finite.filter(
              (value) => value / 2 >= (from as number) + less && (value / 2 < (to as number) - less || bin === histogramBins - 1),
            ).length;
          expect(count, `${name} bin ${bin}`).toBeGreaterThanOrEqual(within(slack));
          expect(count, `${name} bin ${bin}`).toBeLessThanOrEqual(within(-slack));
        }
    }
  });

  it('count text by its values, and number them by their code points', async () => {
    const next32 = createRandom(['text', seed]);
    const random = () => next32() >>> 0;
    const words = ['', 'a', 'A', 'ab', 'é', 'z', '\u{1f600}', '\uffee', 'null', '0'];
    const values = Array.from({ length: 500 }, () => (random() % 9 === 0 ? null : words[random() % words.length]));
    const found = await describeValues(field('word', { id: 'utf8' }), values, ['a', 'b'], 100);
    const counts = new Map<string, number>();
    for (const value of values) if (value != null) counts.set(value, (counts.get(value) ?? 0) + 1);
    expect(found).toMatchObject({
      nulls: values.filter((value) => value == null).length,
      distinct: counts.size,
      distinct_exact: true,
    });
    const sorted = [...counts].sort(([a, n], [b, m]) => m - n || Buffer.compare(Buffer.from(a), Buffer.from(b)));
    expect(found.top).toEqual(sorted.map(([value, rows]) => ({ value, rows })));
  });

  it('tell days, instants, truths and lengths', async () => {
    const day = await describeValues(field('day', { id: 'date', unit: 'day' }), [0, null, 20_000, -1], ['all'], 101);
    expect(day).toMatchObject({ nulls: 1, min: '1969-12-31', max: '2024-10-04' });
    const at = field('at', { id: 'timestamp', unit: 'us', timezone: 'UTC' });
    expect(await describeValues(at, [1n, null, 1_773_144_000_000_001n], ['all'], 102)).toMatchObject({
      min: '1970-01-01T00:00:00.000001Z',
      max: '2026-03-10T12:00:00.000001Z',
    });
    expect(await describeValues(field('ok', { id: 'bool' }), [true, false, null, true], ['all'], 103)).toEqual({
      nulls: 1,
      true: 2,
    });
    const list = field('list', { id: 'list' }, [field('item', { id: 'float', bits: 64 })]);
    const lists = [[], [1, null, null], null, [3]];
    expect(await describeValues(list, lists, ['all'], 104)).toEqual({ nulls: 1, null_elements: 2, min: '0', max: '3' });
    const pair = field('pair', { id: 'fixedSizeList', size: 2 }, [field('item', { id: 'float', bits: 32 })]);
    expect(await describeValues(pair, [[1, null], [2, 3], null], ['all'], 106)).toEqual({
      ...{ nulls: 1, null_elements: 1, min: '2', max: '2' },
    });
    const whole = field('whole', { id: 'int', bits: 64, signed: true });
    const integers = [2n ** 24n, 2n ** 24n + 1n, -(2n ** 24n) - 1n, 2n ** 62n, 2n ** 63n - 1n, null];
    expect(await describeValues(whole, integers, ['all'], 107)).toMatchObject({ inexact_float32: 3 });
    const none = await describeValues(field('none', { id: 'float', bits: 64 }), [null, null], ['all'], 105);
    expect(none).toMatchObject({ nulls: 2, min: null, mean: null, stddev: null });
  });
});
