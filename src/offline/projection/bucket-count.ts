/** How many buckets a projection has: by the bytes that its rows will take in memory, measured before they are sorted. */
import { parseValueType, type ValueType } from '../../definitions/value-type.ts';
import type { Session } from '../duckdb/engine.ts';
import { compileLambda, quoteName } from '../duckdb/sql.ts';
import type { ProjectionQuery } from './compile.ts';

const maxBuckets = 256;

/** A power of two of buckets that keeps one near `bucketBytes`; the same for the same files. */
export async function chooseBuckets(session: Session, query: ProjectionQuery, bucketBytes: number): Promise<number> {
  if (query.view.keys.length === 0) return 1;
  const bytes = await measureRows(session, query);
  const wanted = Math.ceil(bytes / bucketBytes);
  return Math.min(maxBuckets, 2 ** Math.ceil(Math.log2(Math.max(1, wanted))));
}

/** What a row takes beside keys and features: its times, its place in the index of keys, and what tells ties apart. */
const rowBytes = 48;

/** Text, bytes and lists are added up over the whole table: no sample, and no size of a compressed file, tells their widths. */
async function measureRows(session: Session, { view, table }: ProjectionQuery): Promise<number> {
  const keys = view.keys.map(({ column, type }): [string, ValueType] => [
    column,
    { kind: type === 'string' || type === 'bytes' ? type : 'int64' },
  ]);
  const columns = [...keys, ...view.features.map(({ column, type }): [string, ValueType] => [column, parseValueType(type)])];
  let fixed = rowBytes;
  const sums = ['count(*) as rows'];
  for (const [column, type] of columns) {
    fixed += fixedBytes(type) ?? 4;
    if (fixedBytes(type) === undefined) sums.push(`sum(${compileBytes(`t.${quoteName(column)}`, type, 0)}) as s${sums.length}`);
  }
  const [row] = await session.rows(`select ${sums.join(', ')} from ${table} as t`);
  const { rows, ...varying } = row as Record<string, bigint | number | null>;
  return Object.values(varying).reduce((sum: number, value) => sum + Number(value ?? 0), Number(rows) * fixed);
}

/** Bytes of a value whose type alone tells; undefined for others. */
function fixedBytes(type: ValueType): number | undefined {
  switch (type.kind) {
    case 'string':
    case 'bytes':
    case 'list':
      return undefined;
    case 'vector':
      return type.length * (type.element === 'float32' ? 4 : 8);
    case 'decimal':
      return 16;
    default:
      return 8;
  }
}

/** The bytes of one value beyond its offset. */
function compileBytes(value: string, type: ValueType, depth: number): string {
  if (type.kind === 'string') return `strlen(cast(${value} as varchar))`;
  if (type.kind === 'bytes') return `octet_length(cast(${value} as blob))`;
  if (type.kind !== 'list') return String(fixedBytes(type));
  const width = fixedBytes(type.element);
  if (width !== undefined) return `${width} * len(${value})`;
  const element = compileLambda(depth, (name) => `4 + coalesce(${compileBytes(name, type.element, depth + 1)}, 0)`);
  return `list_sum(list_transform(${value}, ${element}))`;
}
