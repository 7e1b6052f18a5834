/** A dataset opened for reading: which rows, in which order and laid out how, with everything checked before the first is sent. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Schema } from '../arrow/schema.ts';
import { didYouMean, FeatureStoreError } from '../errors.ts';
import type { Engine } from '../offline/duckdb/engine.ts';
import { quoteText } from '../offline/duckdb/sql.ts';
import { openBlocks } from './blocks.ts';
import { checkDense } from './check-dense.ts';
import type { Dataset } from './datasets.ts';
import type { Vocabulary } from './dense.ts';
import { type Layout, planLayout } from './layout.ts';
import { type DatasetFile, type DatasetManifest, type DatasetSplit, schemaOf } from './manifest.ts';
import { formatReference } from './name.ts';
import { createOrder, type EpochOrder } from './order.ts';
import { type PositionedBatch, type PositionRange, readRows } from './read-rows.ts';
import type { LoadedVocabulary, RowCaches } from './row-caches.ts';
import type { RowsRequest } from './rows-request.ts';
import { describeFile } from './write-rows.ts';

export interface RowsPlan {
  readonly split: DatasetSplit;
  readonly schema: Schema;
  readonly order: EpochOrder;
  readonly layout: Layout;
  readonly range: PositionRange;
}

/** Plans a request; INVALID_ARGUMENT or NOT_FOUND names what of it is wrong. Reads the vocabularies that it needs, and no rows. */
export async function planRows(
  engine: Engine,
  dataset: Dataset,
  request: RowsRequest,
  caches: Pick<RowCaches, 'vocabularies'>,
): Promise<RowsPlan> {
  const { manifest } = dataset;
  const split = findSplit(manifest, request.split);
  const columns =
    request.columns ??
    (request.dense.length > 0 ? [] : manifest.columns.filter(({ role }) => role !== 'row').map((column) => column.name));
  const dense = request.dense.map(({ fill, ...matrix }) => ({ ...matrix, fill: fill ?? undefined }));
  const vocabularies = await readVocabularies(
    engine,
    dataset,
    dense.flatMap((matrix) => matrix.columns),
    caches,
  );
  const layout = planLayout(schemaOf(manifest), { columns, dense }, vocabularies);
  checkDense(manifest, dense, split.name);
  const { rows } = split;
  const end = request.end ?? rows;
  if (request.start > end || end > rows) {
    throw new FeatureStoreError(
      'INVALID_ARGUMENT',
      `positions ${request.start} to ${end} are not within the ${rows} rows of split "${split.name}" of ${formatReference(manifest)}`,
      { details: { rows, split: split.name } },
    );
  }
  const { seed, epoch } = request;
  const windowBlocks = request.window_blocks ?? split.blocks.window_blocks;
  checkMemory(split, layout, seed == null ? 1 : windowBlocks, request.batch_rows);
  const shuffle = seed == null ? undefined : { seed, epoch, windowBlocks };
  return {
    split,
    schema: layout.schema,
    layout,
    order: createOrder({ id: manifest.id, split: split.name, rows, blockRows: split.blocks.block_rows, shuffle }),
    range: { start: request.start, end, step: request.step ?? request.batch_rows, batchRows: request.batch_rows },
  };
}

/** What one stream may hold of rows that it mixes, and of one batch. */
const maxHeldBytes = 2 ** 30;

/** RESOURCE_EXHAUSTED where a window or a batch would not fit into what a stream may hold. */
function checkMemory({ rows, blocks }: DatasetSplit, { dense }: Layout, windowBlocks: number, batchRows: number): void {
  const places = dense.reduce((sum, { width, mask }) => sum + width * (mask ? 9 : 8), 0);
  const rowBytes = places + blocks.bytes / Math.max(1, rows);
  const refuseAbove = (count: number, what: string, way: string) => {
    const bytes = Math.min(rows, count) * rowBytes;
    if (bytes <= maxHeldBytes) return;
    throw new FeatureStoreError('RESOURCE_EXHAUSTED', `${what} would take ${Math.ceil(bytes / 2 ** 20)} MiB; ${way}`);
  };
  refuseAbove(windowBlocks * blocks.block_rows, 'the rows that are mixed', 'ask for fewer `window_blocks` or columns');
  refuseAbove(batchRows, 'a batch', 'ask for fewer `batch_rows` or columns');
}

function findSplit(manifest: DatasetManifest, name: string | null | undefined): DatasetSplit {
  const names = manifest.splits.map((split) => split.name);
  const found = name == null ? manifest.splits : manifest.splits.filter((split) => split.name === name);
  if (found.length === 1) return found[0] as DatasetSplit;
  const reference = formatReference(manifest);
  if (name == null) {
    throw new FeatureStoreError('INVALID_ARGUMENT', `${reference} is split into ${names.join(', ')}: say which \`split\``, {
      details: { splits: names },
    });
  }
  const hint = didYouMean(name, names) || `; it has ${names.join(', ')}`;
  throw new FeatureStoreError('NOT_FOUND', `${reference} has no split "${name}"${hint}`, { details: { splits: names } });
}

async function readVocabularies(
  engine: Engine,
  dataset: Dataset,
  wanted: readonly string[],
  { vocabularies }: Pick<RowCaches, 'vocabularies'>,
): Promise<ReadonlyMap<string, Vocabulary>> {
  const found = new Map<string, Vocabulary>();
  for (const { name, vocabulary } of dataset.manifest.columns) {
    if (vocabulary === null || !wanted.includes(name)) continue;
    const load = async () => toIds(await readVocabulary(engine, dataset, name));
    // Same identity, same values. Who asked first may have been stopped by then, or found the file of another version damaged.
    const { ids } = await vocabularies.get(JSON.stringify([dataset.manifest.id, name]), load).catch(load);
    found.set(name, ids);
  }
  return found;
}

/** What an entry of a map takes besides its text. */
const entryBytes = 64;

function toIds(values: readonly string[]): LoadedVocabulary {
  const bytes = values.reduce((sum, value) => sum + 2 * value.length + entryBytes, 0);
  return { ids: new Map(values.map((value, at) => [value, at + 1])), bytes };
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** The values of a column of text, in the order of their ids from 1 on; INVALID_ARGUMENT where it has no vocabulary. */
export async function readVocabulary(engine: Engine, dataset: Dataset, column: string): Promise<readonly string[]> {
  const vocabulary = dataset.manifest.columns.find(({ name }) => name === column)?.vocabulary;
  if (vocabulary == null) {
    const reference = formatReference(dataset.manifest);
    throw new FeatureStoreError('INVALID_ARGUMENT', `${reference} has no vocabulary of a column "${column}"`, {
      details: { dataset: reference, column },
    });
  }
  await checkWhole(dataset, vocabulary);
  const from = quoteText(join(dataset.directory, vocabulary.path));
  const rows = await engine.session(undefined, (session) =>
    // As text it would lose a byte order mark that it begins with.
    session.rows(`select encode(value) as value from read_parquet(${from}, hive_partitioning = false) order by id`),
  );
  return rows.map(({ value }) => decoder.decode(value as Uint8Array));
}

/** Streams what was planned; DATA_LOSS names a file that is not what was saved. */
export async function* streamRows(
  dataset: Dataset,
  { split, order, layout, range }: RowsPlan,
  { blocks: cache }: Pick<RowCaches, 'blocks'>,
  signal: AbortSignal,
): AsyncGenerator<PositionedBatch, void> {
  const { blocks } = split;
  const { id } = dataset.manifest;
  await checkSize(dataset, blocks);
  await checkWhole(dataset, blocks.checksums);
  const path = join(dataset.directory, blocks.path);
  const shown = { dataset: formatReference(dataset.manifest), path: blocks.path };
  const file = await openBlocks(path, schemaOf(dataset.manifest), shown);
  try {
    const load = async (block: number) => {
      const read = async () => {
        const { columns, length } = await file.read(block);
        return layout.lay(columns, length);
      };
      // Another stream may have begun to read it, and ended before it had.
      return await cache.get(`${id}/${split.name}/${block}/${layout.key}`, read).catch(read);
    };
    yield* readRows(order, layout, load, range, signal);
  } finally {
    await file.close();
  }
}

async function checkSize(dataset: Dataset, { path, bytes }: DatasetFile): Promise<void> {
  const info = await stat(join(dataset.directory, path)).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw error;
  });
  if (info === undefined) throw lost(dataset, path, 'is gone');
  if (info.size !== bytes) throw lost(dataset, path, `has ${info.size} bytes where ${bytes} were saved`);
}

/** For small files, whose every byte is read. */
async function checkWhole(dataset: Dataset, file: DatasetFile): Promise<void> {
  await checkSize(dataset, file);
  const { sha256 } = await describeFile(dataset.directory, file.path);
  if (sha256 !== file.sha256) throw lost(dataset, file.path, 'was changed');
}

function lost({ manifest }: Dataset, path: string, what: string): FeatureStoreError {
  const dataset = formatReference(manifest);
  return new FeatureStoreError(
    'DATA_LOSS',
    `${path} of dataset ${dataset} ${what}: restore it from a copy, or reproduce the dataset`,
    { details: { dataset, path } },
  );
}
