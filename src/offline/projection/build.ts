/** Reads a view's source once, sorted, and writes it as a projection: Arrow IPC streams by bucket of the key, and a manifest. */
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DuckDBArrayType, DuckDBListType, type DuckDBType } from '@duckdb/node-api';
import type { Column } from '../../arrow/column.ts';
import { concatColumns } from '../../arrow/concat.ts';
import { type Field, field, type Schema } from '../../arrow/schema.ts';
import { takeColumn } from '../../arrow/take.ts';
import { parseValueType } from '../../definitions/value-type.ts';
import { didYouMean, FeatureStoreError } from '../../errors.ts';
import type { SourceDocument, ViewDocument } from '../../registry/document.ts';
import type { Engine, Session } from '../duckdb/engine.ts';
import { checkFileTypes } from '../duckdb/file-types.ts';
import { compileIsUnclear, compileLocalUs, isZoneless } from '../duckdb/instant.ts';
import { readColumns } from '../duckdb/read-columns.ts';
import { quoteName } from '../duckdb/sql.ts';
import { compileTable } from '../duckdb/table.ts';
import { featureField } from '../feature-field.ts';
import { readKeys } from '../frame/read-keys.ts';
import type { TableState } from '../source-state.ts';
import { unclearKind, unclearTimeError, type ZoneSteps, zoneSteps } from '../zone.ts';
import { type BucketWriter, openBucket } from './bucket-file.ts';
import { compileProjection, type ProjectionQuery } from './compile.ts';
import { hashKeys } from './keys.ts';
import { bucketOf, encodeManifest } from './manifest.ts';

export interface BuildInput {
  readonly view: ViewDocument;
  readonly source: SourceDocument;
  readonly state: TableState;
  /** Where the projection is to stand; made whole or not at all. */
  readonly directory: string;
  /** Bytes that a bucket is to have about. */
  readonly bucketBytes: number;
  /** Called when all has been read and before anybody can see it; what it throws undoes the build. */
  verify(): Promise<void>;
}

const maxBuckets = 256;
const partRows = 262_144;
const maxPartBytes = 256 * 1024 * 1024;

/**
 * Builds one projection; on any failure nothing is left but the error. A projection of one bucket gives its columns, so that they
 * need not be read back.
 */
export async function buildProjection(engine: Engine, input: BuildInput, signal: AbortSignal): Promise<Column[] | undefined> {
  const draft = `${input.directory}.${process.pid}.${draftNumber++}.draft`;
  await mkdir(draft, { recursive: true });
  try {
    const parts = await engine.session(signal, async (session) => {
      const query = await bindProjection(session, input);
      const written = await writeProjection(session, query, input, draft);
      return written === 'tied' ? await writeProjection(session, { ...query, byValue: true }, input, draft) : written;
    });
    await input.verify();
    await replaceFolder(draft, input.directory);
    if (parts === 'tied' || parts.length === 0) return undefined;
    return (parts[0] as Column[]).map((_, index) => concatColumns(parts.map((part) => part[index] as Column)));
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    throw error;
  }
}

let draftNumber = 0;

/** Where another build of the same projection came first, its folder stays: both hold the same. */
async function replaceFolder(draft: string, directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true });
  try {
    await rename(draft, directory);
  } catch (error) {
    if (!['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code as string)) throw error;
    await rm(draft, { recursive: true, force: true });
  }
}

/** The stored columns: keys, times in microseconds, features, and the hash that tells ties apart. */
export function projectionSchema(view: ViewDocument, source: SourceDocument, byValue: boolean): Schema {
  const int64 = { id: 'int', bits: 64, signed: true } as const;
  const fields: Field[] = view.keys.map((key, index) => {
    const name = `k${index}`;
    return key.type === 'string'
      ? field(name, { id: 'utf8' })
      : key.type === 'bytes'
        ? field(name, { id: 'binary' })
        : field(name, int64);
  });
  fields.push(field('event', int64));
  if (source.createdTimestamp !== undefined) fields.push(field('created', int64));
  if (source.availableAt !== undefined) fields.push(field('available', int64));
  fields.push(...view.features.map((feature, index) => featureField(`f${index}`, parseValueType(feature.type))));
  if (byValue) fields.push(field('row_hash', { id: 'int', bits: 64, signed: false }));
  return { fields, metadata: new Map() };
}

async function bindProjection(session: Session, { view, source, state }: BuildInput): Promise<ProjectionQuery> {
  const files = state.files.map((file) => file.absolutePath);
  const table = compileTable(source.table, files, source.columns);
  const columns = await session.describe(`select * from ${table}`);
  checkColumns(view, source, columns);
  await checkFileTypes(session, source.table, state, source.columns, source.name);
  const zone = await readZone(session, view, source, table, columns);
  return { view, source, table, columns, zone, byValue: false };
}

/** The source must still have what apply bound: a changed column is named, never silently cast. */
function checkColumns(view: ViewDocument, source: SourceDocument, columns: readonly { name: string; type: DuckDBType }[]): void {
  const used = new Set([
    source.eventTimestamp,
    source.createdTimestamp,
    source.availableAt,
    ...view.keys.map((key) => key.column),
  ]);
  for (const feature of view.features) used.add(feature.column);
  const names = columns.map((column) => column.name);
  for (const bound of source.columns) {
    if (!used.has(bound.name)) continue;
    const now = columns.find((column) => column.name === bound.name);
    const what =
      now === undefined
        ? `has lost column "${bound.name}"${didYouMean(bound.name, names)}`
        : `has column "${bound.name}" as ${now.type}`;
    if (now === undefined || String(now.type) !== bound.type) {
      throw new FeatureStoreError(
        'FAILED_PRECONDITION',
        `source "${source.name}" ${what}, and was applied with ${bound.type}; restore its files, or run plan and apply`,
        {
          details: { source: source.name, column: bound.name },
        },
      );
    }
  }
}

/** The steps of the source's zone over the times it holds; a time that is no one instant is refused unless the source says how. */
async function readZone(
  session: Session,
  view: ViewDocument,
  source: SourceDocument,
  table: string,
  columns: readonly { name: string; type: DuckDBType }[],
): Promise<ZoneSteps | undefined> {
  if (source.timezone === undefined) return undefined;
  const used = new Set([
    source.eventTimestamp,
    source.createdTimestamp,
    source.availableAt,
    ...view.features.map((feature) => feature.column),
  ]);
  const local = columns.flatMap(({ name, type }) => (used.has(name) ? localTimes(table, name, type) : []));
  if (local.length === 0) return zoneSteps(source.timezone, 0n, 0n, source.ambiguousTime);
  // One scan for all columns of times, one for each of lists of times.
  const scanned = local.filter(({ us }) => us !== undefined).flatMap(({ us }) => [`min(${us})`, `max(${us})`]);
  const ranges = local
    .filter(({ us }) => us === undefined)
    .map(({ relation }) => `select min(us) as low, max(us) as high from ${relation}`);
  if (scanned.length > 0) {
    ranges.push(`select least(${scanned.join(', ')}) as low, greatest(${scanned.join(', ')}) as high from ${table} as t`);
  }
  const [range] = await session.rows(`select min(low) as low, max(high) as high from (${ranges.join(' union all ')})`);
  if (range?.low == null) return zoneSteps(source.timezone, 0n, 0n, source.ambiguousTime);
  const zone = zoneSteps(source.timezone, range.low as bigint, range.high as bigint, source.ambiguousTime);
  const unclear = compileIsUnclear('us', zone);
  if (source.ambiguousTime !== undefined || unclear === undefined) return zone;
  for (const { name, relation } of local) {
    const [row] = await session.rows(`select min(us) as us from ${relation} where ${unclear}`);
    if (row?.us == null) continue;
    const at = row.us as bigint;
    throw unclearTimeError(
      source.timezone,
      at,
      unclearKind(zone, at) ?? 'twice',
      `source "${source.name}", column "${name}"`,
      "set ambiguousTime: 'earlier' or 'later' on the source",
    );
  }
  return zone;
}

interface LocalTimes {
  readonly name: string;
  /** Microseconds of the column's value in a row `t`; absent where it holds lists of times. */
  readonly us?: string;
  /** All of its times as a relation of one column `us`. */
  readonly relation: string;
}

/** The local times of a column, also those in its lists; nothing for a column without any. */
function localTimes(table: string, name: string, type: DuckDBType): LocalTimes[] {
  let leaf = type;
  while (leaf instanceof DuckDBListType || leaf instanceof DuckDBArrayType) leaf = leaf.valueType;
  if (!isZoneless(leaf.typeId)) return [];
  const column = `t.${quoteName(name)}`;
  if (leaf === type) {
    const us = compileLocalUs(column, type.typeId);
    return [{ name, us, relation: `(select ${us} as us from ${table} as t)` }];
  }
  const elements = `(select unnest(${column}, recursive := true) as v from ${table} as t)`;
  return [{ name, relation: `(select ${compileLocalUs('v', leaf.typeId)} as us from ${elements})` }];
}

/** Writes every bucket and the manifest, and gives the parts of a single bucket; `tied` if rows turned out to need an order by value. */
async function writeProjection(
  session: Session,
  query: ProjectionQuery,
  input: BuildInput,
  draft: string,
): Promise<Column[][] | 'tied'> {
  const { view, source } = query;
  const schema = projectionSchema(view, source, query.byValue);
  const count = await chooseBuckets(session, query, input);
  const buckets = await Promise.all(
    Array.from({ length: count }, (_, index) => openBucket(join(draft, `${index}.arrows`), schema)),
  );
  let rows = 0;
  try {
    const parts: Column[][] = [];
    let previous: Column[] | undefined;
    for await (const columns of readColumns(
      session,
      compileProjection(query),
      schema.fields,
      Math.min(partRows * Math.max(1, count / 8), Math.ceil(maxPartBytes / rowBytes(view))),
    )) {
      if (!query.byValue && hasTies(columns, previous, view.keys.length, source.createdTimestamp !== undefined)) return 'tied';
      if (count === 1) parts.push(columns);
      previous = columns;
      rows += (columns[0] as Column).length;
      await writePart(view, columns, buckets);
    }
    const written = [];
    for (const bucket of buckets) written.push(await bucket.finish());
    await writeFile(join(draft, 'manifest.json'), encodeManifest({ rows, byValue: query.byValue, buckets: written }));
    return parts;
  } finally {
    await Promise.all(buckets.map((bucket) => bucket.close()));
  }
}

/** As many buckets, by the table's rows and the width of one, as keep a bucket near `bucketBytes`. */
async function chooseBuckets(
  session: Session,
  { view, table }: ProjectionQuery,
  { state, bucketBytes }: BuildInput,
): Promise<number> {
  const bytes = state.files.reduce((sum, file) => sum + file.bytes, 0);
  if (view.keys.length === 0 || bytes < bucketBytes / 16) return 1;
  const [row] = await session.rows(`select count(*) as rows from ${table}`);
  const wanted = Math.ceil((Number(row?.rows as bigint) * rowBytes(view)) / bucketBytes);
  return Math.min(maxBuckets, 2 ** Math.ceil(Math.log2(Math.max(1, wanted))));
}

/** Bytes that a row takes about: text and lists are taken for short ones. */
function rowBytes(view: ViewDocument): number {
  const widths = view.features.map((feature) => {
    const type = parseValueType(feature.type);
    return type.kind === 'vector' ? type.length * (type.element === 'float32' ? 4 : 8) : 16;
  });
  return widths.reduce((sum, width) => sum + width, 24 + 8 * view.keys.length);
}

async function writePart(view: ViewDocument, columns: readonly Column[], buckets: readonly BucketWriter[]): Promise<void> {
  if (buckets.length === 1) return await (buckets[0] as BucketWriter).write(columns);
  const keyColumns = columns.slice(0, view.keys.length);
  const places = view.keys.map((key) => ({ joinKey: key.name, column: key.column, firstRow: 0 }));
  const types = view.keys.map((key) => (key.type === 'string' || key.type === 'bytes' ? key.type : 'int64'));
  const hashes = hashKeys(readKeys(keyColumns, types, places, (columns[0] as Column).length));
  const rowsOf: number[][] = buckets.map(() => []);
  for (let row = 0; row < hashes.length; row++) rowsOf[bucketOf(hashes[row] as number, buckets.length)]?.push(row);
  for (const [index, rows] of rowsOf.entries()) {
    if (rows.length === 0) continue;
    const indices = Int32Array.from(rows);
    await buckets[index]?.write(columns.map((column) => takeColumn(column, indices)));
  }
}

/** Whether two neighbours have the same key, event and created timestamp, the last row of the part before included. */
function hasTies(columns: readonly Column[], before: readonly Column[] | undefined, keys: number, created: boolean): boolean {
  const compared = columns.slice(0, keys + 1 + (created ? 1 : 0));
  if (
    before !== undefined &&
    compared.every((column, index) => sameValue(before[index] as Column, (before[0] as Column).length - 1, column, 0))
  )
    return true;
  const length = (columns[0] as Column).length;
  // The event timestamp first: it tells most neighbours apart.
  const order = [compared[keys] as Column, ...compared.filter((_, index) => index !== keys)];
  const equals = order.map(neighbourEquality);
  for (let row = 1; row < length; row++) {
    let same = true;
    for (let at = 0; same && at < equals.length; at++) same = (equals[at] as (row: number) => boolean)(row);
    if (same) return true;
  }
  return false;
}

function neighbourEquality(column: Column): (row: number) => boolean {
  if (column.field.type.id !== 'int') return (row) => sameValue(column, row - 1, column, row);
  const data = column.buffers[0] as Uint8Array;
  const words = new Int32Array(data.buffer, data.byteOffset, 2 * column.length);
  if (column.nullCount === 0) return (row) => words[2 * row] === words[2 * row - 2] && words[2 * row + 1] === words[2 * row - 1];
  return (row) => sameValue(column, row - 1, column, row);
}

function sameValue(left: Column, a: number, right: Column, b: number): boolean {
  const leftNull = isNull(left, a);
  if (leftNull || isNull(right, b)) return leftNull && isNull(right, b);
  return Buffer.compare(valueBytes(left, a), valueBytes(right, b)) === 0;
}

function isNull(column: Column, row: number): boolean {
  return column.validity !== undefined && (((column.validity[row >> 3] as number) >> (row & 7)) & 1) === 0;
}

function valueBytes(column: Column, row: number): Uint8Array {
  const [first, data] = column.buffers as [Uint8Array, Uint8Array];
  if (column.field.type.id === 'int') return first.subarray(8 * row, 8 * row + 8);
  const offsets = new Int32Array(first.buffer, first.byteOffset, column.length + 1);
  return data.subarray(offsets[row], offsets[row + 1]);
}
