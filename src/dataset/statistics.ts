/** What a dataset's columns hold, in numbers: computed from its files on one thread, so that the same rows give the same digits. */
import { type Field, formatType } from '../arrow/schema.ts';
import { formatDay } from '../definitions/day.ts';
import { formatInstantUs } from '../definitions/literal.ts';
import type { Session } from '../offline/duckdb/engine.ts';
import { quoteName } from '../offline/duckdb/sql.ts';
import type { ColumnStatistics } from './manifest.ts';

export const histogramBins = 32;

/** Describes one column of a relation; text is described by its vocabulary. */
export async function describeColumn(session: Session, relation: string, field: Field): Promise<ColumnStatistics> {
  const column = quoteName(field.name);
  const count = async (condition: string) => {
    const [row] = await session.rows(`select count(*) filter (where ${condition}) as n from ${relation}`);
    return Number(row?.n);
  };
  const nulls = await count(`${column} is null`);
  switch (kindOf(field)) {
    case 'number':
      return { nulls, ...(await describeNumbers(session, relation, field)) };
    case 'instant':
      return { nulls, ...(await describeInstants(session, relation, field)) };
    case 'bool':
      return { nulls, true: await count(column) };
    case 'list': {
      const [row] = await session.rows(
        `select cast(min(len(${column})) as varchar) as low, cast(max(len(${column})) as varchar) as high,
           coalesce(sum(len(list_filter(${column}, lambda element: element is null))), 0) as nulls
         from ${relation}`,
      );
      return { nulls, null_elements: Number(row?.nulls), min: textOf(row?.low), max: textOf(row?.high) };
    }
    default:
      return { nulls };
  }
}

export type ColumnKind = 'number' | 'instant' | 'bool' | 'text' | 'list' | 'other';

/** What can be said of a column's values. */
export function kindOf({ type }: Field): ColumnKind {
  switch (type.id) {
    case 'int':
    case 'float':
    case 'decimal':
    case 'duration':
      return 'number';
    case 'timestamp':
    case 'date':
      return 'instant';
    case 'bool':
      return 'bool';
    case 'utf8':
    case 'largeUtf8':
    case 'utf8View':
      return 'text';
    case 'list':
    case 'largeList':
    case 'listView':
    case 'largeListView':
    case 'fixedSizeList':
      return 'list';
    default:
      return 'other';
  }
}

async function describeNumbers(session: Session, relation: string, field: Field): Promise<Omit<ColumnStatistics, 'nulls'>> {
  const column = quoteName(field.name);
  const isFloat = field.type.id === 'float';
  const isNumber = isFloat ? `not isnan(${column})` : 'true';
  const isCounted = isFloat ? `isfinite(${column})` : 'true';
  const isInteger = field.type.id === 'int';
  const [row = {}] = await session.rows(
    `select cast(min(${column}) filter (where ${isNumber}) as varchar) as low,
       cast(max(${column}) filter (where ${isNumber}) as varchar) as high,
       cast(min(${column}) filter (where ${isCounted}) as double) as least,
       cast(max(${column}) filter (where ${isCounted}) as double) as most,
       approx_count_distinct(${column}) as values
       ${isInteger ? `, count(*) filter (where cast(cast(${column} as float) as hugeint) <> ${column}) as inexact` : ''}
       ${isFloat ? `, count(*) filter (where isnan(${column})) as nan, count(*) filter (where isinf(${column})) as infinite` : ''}
     from ${relation}`,
  );
  const { least, most } = row as { least: number | null; most: number | null };
  return {
    distinct: Number(row.values),
    distinct_exact: false,
    min: textOf(row.low),
    max: textOf(row.high),
    ...(isInteger ? { inexact_float32: Number(row.inexact) } : {}),
    ...(isFloat ? { nan: Number(row.nan), infinite: Number(row.infinite) } : {}),
    ...(await describeSpread(session, relation, `cast(${column} as double)`, isCounted, least, most, numberText)),
  };
}

/** Microseconds, or days, since 1970. */
async function describeInstants(session: Session, relation: string, field: Field): Promise<Omit<ColumnStatistics, 'nulls'>> {
  const { type } = field;
  const column = quoteName(field.name);
  const isDay = type.id === 'date';
  const since = isDay ? `cast(${column} - date '1970-01-01' as bigint)` : `epoch_us(${column})`;
  const format = (value: bigint) => {
    if (isDay) return formatDay(Number(value));
    const text = formatInstantUs(value);
    return type.id === 'timestamp' && type.timezone === undefined ? text.slice(0, -1) : text;
  };
  const [row = {}] = await session.rows(
    `select min(${since}) as low, max(${since}) as high, approx_count_distinct(${column}) as values from ${relation}`,
  );
  const [low, high] = [row.low, row.high] as [bigint | null, bigint | null];
  const exact = (at: number) => format(BigInt(Math.round(at)));
  const { histogram } = await describeSpread(
    ...([session, relation, `cast(${since} as double)`, 'true'] as const),
    ...([low === null ? null : Number(low), high === null ? null : Number(high), exact] as const),
  );
  return {
    distinct: Number(row.values),
    distinct_exact: false,
    min: low === null ? null : format(low),
    max: high === null ? null : format(high),
    ...(histogram === undefined || low === null || high === null
      ? {}
      : { histogram: { ...histogram, min: format(low), max: format(high) } }),
  };
}

/** Mean, deviation and histogram of `value` between its least and its greatest; scaled by a power of two, so that no sum overflows. */
async function describeSpread(
  session: Session,
  relation: string,
  value: string,
  condition: string,
  least: number | null,
  most: number | null,
  format: (value: number) => string,
): Promise<Pick<ColumnStatistics, 'mean' | 'stddev' | 'histogram'>> {
  if (least === null || most === null) return { mean: null, stddev: null };
  const unit = 2 ** Math.min(1022, Math.max(-1022, Math.ceil(Math.log2(Math.max(Math.abs(least), Math.abs(most), 2 ** -1022)))));
  const scaled = `(${value} * ${literal(1 / unit)})`;
  const [row = {}] = await session.rows(
    `select favg(${scaled}) as mean, stddev_samp(${scaled}) as deviation from ${relation} where ${condition} and ${value} is not null`,
  );
  const low = least / unit;
  const width = most / unit - low;
  const bin =
    width > 0
      ? `cast(least(${histogramBins - 1}, floor((${scaled} - ${literal(low)}) / ${literal(width)} * ${histogramBins})) as integer)`
      : '0';
  const bins = await session.rows(
    `select ${bin} as bin, count(*) as n from ${relation} where ${condition} and ${value} is not null group by 1 order by 1`,
  );
  const counts = new Array<number>(width > 0 ? histogramBins : 1).fill(0);
  for (const each of bins) counts[Number(each.bin)] = Number(each.n);
  const times = (number: unknown) => (number === null || number === undefined ? null : finite((number as number) * unit));
  return {
    mean: times(row.mean),
    stddev: times(row.deviation),
    histogram: { min: format(least), max: format(most), counts },
  };
}

/** A deviation may lie beyond the greatest float: JSON has no infinity. */
function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

function literal(value: number): string {
  return `cast('${value}' as double)`;
}

const numberText = (value: number) => String(value);

function textOf(value: unknown): string | null {
  return value === null || value === undefined ? null : String(value);
}

/** A field's type, for the manifest. */
export const typeText = formatType;
