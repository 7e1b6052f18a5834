/** Reads a view's source once, sorted, and writes it as a projection: Arrow IPC streams by bucket of the key, and a manifest. */
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Column } from '../../arrow/column.ts';
import { type Field, field, type Schema } from '../../arrow/schema.ts';
import { takeColumn } from '../../arrow/take.ts';
import { parseValueType } from '../../definitions/value-type.ts';
import type { SourceDocument, ViewDocument } from '../../registry/document.ts';
import type { Engine, Session } from '../duckdb/engine.ts';
import { readColumns } from '../duckdb/read-columns.ts';
import { countInvalid } from '../events/count-invalid.ts';
import { featureField } from '../feature-field.ts';
import type { TableState } from '../source-state.ts';
import { bindEvents, bindProjection } from './bind.ts';
import { chooseBuckets } from './bucket-count.ts';
import { type BucketWriter, openBuckets } from './bucket-file.ts';
import { compileProjection, type ProjectionQuery } from './compile.ts';
import { columnBytes } from './held-columns.ts';
import { hashKeys } from './keys.ts';
import { bucketOf, encodeManifest, type InvalidEvents } from './manifest.ts';
import { readStoredKeys } from './stored-keys.ts';
import { hasTies } from './ties.ts';

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

const partRows = 262_144;
/** Far below the 2 GiB that one column can hold, and above what makes batches of a bucket too small. */
const partBytes = 128 * 1024 * 1024;

/**
 * Builds one projection; on any failure nothing is left but the error. A projection of one bucket gives its parts, so that they need
 * not be read back, unless it grew beyond `bucketBytes`.
 */
export async function buildProjection(engine: Engine, input: BuildInput, signal: AbortSignal): Promise<Column[][] | undefined> {
  const draft = `${input.directory}.${process.pid}.${draftNumber++}.draft`;
  await mkdir(draft, { recursive: true });
  try {
    const parts = await engine.session(signal, async (session) => {
      const { query, invalid } = await bind(session, input);
      const written = await writeProjection(session, query, invalid, input, draft);
      return written === 'tied' ? await writeProjection(session, { ...query, byValue: true }, invalid, input, draft) : written;
    });
    await input.verify();
    await replaceFolder(draft, input.directory);
    return parts === 'tied' || parts.length === 0 ? undefined : parts;
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    throw error;
  }
}

async function bind(
  session: Session,
  input: BuildInput,
): Promise<{ readonly query: ProjectionQuery; readonly invalid?: InvalidEvents }> {
  if (input.source.kind !== 'event') return { query: await bindProjection(session, input) };
  const { query, parts } = await bindEvents(session, input);
  return { query, invalid: await countInvalid(session, input.source, parts) };
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

/** Writes every bucket and the manifest, and gives the parts of a single bucket; `tied` if rows turned out to need an order by value. */
async function writeProjection(
  session: Session,
  query: ProjectionQuery,
  invalid: InvalidEvents | undefined,
  input: BuildInput,
  draft: string,
): Promise<Column[][] | 'tied'> {
  const { view, source } = query;
  const schema = projectionSchema(view, source, query.byValue);
  const count = await chooseBuckets(session, query, input.bucketBytes);
  const buckets = await openBuckets(draft, count, schema);
  let rows = 0;
  let bytes = 0;
  try {
    let parts: Column[][] = [];
    let previous: Column[] | undefined;
    const limit = { rows: partRows * Math.max(1, count / 8), bytes: partBytes };
    for await (const columns of readColumns(session, compileProjection(query), schema.fields, limit.rows, limit.bytes)) {
      // Aggregates of events are the same in whatever order those of one time stand.
      const mayBeTied = !query.byValue && view.kind !== 'stream';
      if (mayBeTied && hasTies(columns, previous, view.keys.length, source.createdTimestamp !== undefined)) return 'tied';
      bytes += columns.reduce((sum, column) => sum + columnBytes(column), 0);
      if (count === 1 && bytes <= input.bucketBytes) parts.push(columns);
      else parts = [];
      previous = columns;
      rows += (columns[0] as Column).length;
      await writePart(view, columns, buckets);
    }
    const written = [];
    for (const bucket of buckets) written.push(await bucket.finish());
    await writeFile(join(draft, 'manifest.json'), encodeManifest({ rows, byValue: query.byValue, invalid, buckets: written }));
    return parts;
  } finally {
    await Promise.all(buckets.map((bucket) => bucket.close()));
  }
}

async function writePart(view: ViewDocument, columns: readonly Column[], buckets: readonly BucketWriter[]): Promise<void> {
  if (buckets.length === 1) return await (buckets[0] as BucketWriter).write(columns);
  const hashes = hashKeys(readStoredKeys(view, columns.slice(0, view.keys.length), (columns[0] as Column).length));
  for (const [index, rows] of dealRows(hashes, buckets.length).entries()) {
    if (rows.length > 0) await buckets[index]?.write(columns.map((column) => takeColumn(column, rows)));
  }
}

/** The rows of each bucket, in their order. */
function dealRows(hashes: Int32Array, buckets: number): Int32Array[] {
  const ends = new Int32Array(buckets + 1);
  for (const hash of hashes) {
    const after = bucketOf(hash, buckets) + 1;
    ends[after] = (ends[after] as number) + 1;
  }
  for (let bucket = 0; bucket < buckets; bucket++) ends[bucket + 1] = (ends[bucket + 1] as number) + (ends[bucket] as number);
  const starts = ends.slice();
  const dealt = new Int32Array(hashes.length);
  for (let row = 0; row < hashes.length; row++) {
    const bucket = bucketOf(hashes[row] as number, buckets);
    const at = ends[bucket] as number;
    dealt[at] = row;
    ends[bucket] = at + 1;
  }
  return Array.from({ length: buckets }, (_, bucket) => dealt.subarray(starts[bucket], starts[bucket + 1]));
}
