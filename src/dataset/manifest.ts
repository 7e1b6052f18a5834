/** What is known of one version of a dataset: `manifest.json`, written last, so that a version without one never was. */
import { z } from 'zod';
import type { Field, Schema } from '../arrow/schema.ts';
import { decodeSchemaMessage, encapsulateMessage, encodeSchemaMessage, readEncapsulated } from '../arrow/schema-message.ts';
import { FeatureStoreError } from '../errors.ts';
import { expectationSchema, splitSchema } from './request.ts';

/** Rows of a row group of the Parquet files. */
export const blockRows = 16_384;
/** Rows of a block, the unit in which rows are read and shuffled. */
export const shuffleRows = 4096;
/** Blocks whose rows are mixed with each other, unless rows are so wide that a window would exceed `windowBytes`. */
export const windowBlocks = 64;
export const windowBytes = 64 * 2 ** 20;
/** Rows of one file of a split, a multiple of a row group's. */
export const fileRows = 64 * blockRows;
/** The column that holds a row's position in the frame, where there is more than one split. */
export const rowColumn = '__row';

const file = z.object({
  /** Relative to the version's folder. */
  path: z.string(),
  bytes: z.int(),
  sha256: z.string(),
});

const dataFile = file.extend({ rows: z.int() });

const source = z.object({
  source: z.string(),
  views: z.array(z.string()),
  /** sha256 of the state of all its files. */
  hash: z.string(),
  files: z.array(z.object({ path: z.string(), bytes: z.int(), modified_ns: z.string(), footer: z.string().nullable() })),
  /** Those of its archive: what was pushed, streamed or computed by ticks. */
  archived: z.array(z.object({ path: z.string(), bytes: z.int(), modified_ns: z.string(), footer: z.string().nullable() })),
  /** A condition in SQL: the rows that are erased. */
  erased: z.string().nullable(),
});

const recipe = z.object({
  features: z.array(z.string()).nullable(),
  service: z.string().nullable(),
  full_feature_names: z.boolean(),
  statuses: z.boolean(),
  as_known: z.boolean().nullable(),
  timestamp: z.string(),
  timezone: z.string().nullable(),
  /** One T for all rows, as the instant that it was. */
  at: z.string().nullable(),
  keys: z.record(z.string(), z.record(z.string(), z.string())),
  /** Of each look-up, join key -> column of the frame. */
  join_keys: z.array(z.record(z.string(), z.string())),
  /** `hash` is what the identity holds of the frame; the file holds its rows. */
  frame: file.extend({ hash: z.string(), rows: z.int(), origin: z.enum(['upload', 'path']), origin_path: z.string().nullable() }),
  split: splitSchema.nullable(),
  labels: z.array(z.string()),
  expectations: z.record(z.string(), expectationSchema),
  /** All views that are read: whoever may read the dataset may read these. */
  views: z.array(z.string()),
  definitions: z.object({
    registry_version: z.int(),
    features: z.array(z.object({ name: z.string(), view: z.string(), feature: z.string(), hash: z.string() })),
    transforms: z.array(z.object({ view: z.string(), hash: z.string() })),
  }),
  /** Product and engine. */
  versions: z.string(),
  sources: z.array(source),
  /** Of the training set; the dataset's own holds also how it is split and checked. */
  identity: z.string(),
});

const statistics = z.object({
  nulls: z.int(),
  /** By split, of those that have any, where there is more than one split. */
  nulls_by_split: z.record(z.string(), z.int()).optional(),
  /** Of features: rows by status, and those that have the default. */
  present: z.int().optional(),
  null_value: z.int().optional(),
  not_found: z.int().optional(),
  outside_max_age: z.int().optional(),
  defaults: z.int().optional(),
  /** About how many different values there are; of text it is exact where `distinct_exact` is true. */
  distinct: z.int().optional(),
  distinct_exact: z.boolean().optional(),
  /** As text: of numbers without NaN, of instants ISO, of lists their lengths. */
  min: z.string().nullable().optional(),
  max: z.string().nullable().optional(),
  /** Of finite numbers; the deviation is a sample's. */
  mean: z.number().nullable().optional(),
  stddev: z.number().nullable().optional(),
  /** Of integers: rows whose value float32 has not the digits for. */
  inexact_float32: z.int().optional(),
  /** Of lists: nulls in them. */
  null_elements: z.int().optional(),
  nan: z.int().optional(),
  infinite: z.int().optional(),
  true: z.int().optional(),
  /** Counts in bins of equal width from `min` to `max`, of finite numbers and of instants. */
  histogram: z.object({ min: z.string(), max: z.string(), counts: z.array(z.int()) }).optional(),
  top: z.array(z.object({ value: z.string(), rows: z.int() })).optional(),
});

const column = z.object({
  name: z.string(),
  type: z.string(),
  role: z.enum(['key', 'timestamp', 'label', 'frame', 'feature', 'status', 'row']),
  /** `view:feature`, of features and their statuses. */
  feature: z.string().nullable(),
  statistics,
  /** Ids from 1 in the order of the values' code points; 0 stands for null and for what is unknown. */
  vocabulary: dataFile.nullable(),
});

const gate = z.object({
  column: z.string(),
  expectation: z.enum(['range', 'null_rate', 'values', 'unique']),
  on_failure: z.enum(['fail', 'warn']),
  ok: z.boolean(),
  /** What was expected, and found, in words. */
  expected: z.string(),
  measured: z.string(),
  /** Rows that break it; of a null rate those that are null. */
  rows: z.int(),
  /** The first of them. */
  example: z.object({ row: z.int(), value: z.string().nullable() }).nullable(),
});

export const manifestSchema = z
  .object({
    format: z.literal(1),
    name: z.string(),
    version: z.int(),
    /** The identity: sha256 over the recipe's and over how it is split and checked. */
    id: z.string(),
    description: z.string().nullable(),
    created_at: z.string(),
    created_by: z.string().nullable(),
    recipe,
    reproducible: z.boolean(),
    why_not: z.string().nullable(),
    rows: z.int(),
    block_rows: z.int(),
    splits: z.array(
      z.object({
        name: z.string(),
        rows: z.int(),
        /** Parquet, for whoever reads the folder. */
        files: z.array(dataFile),
        /** The same rows once more, in blocks that are read one by one. */
        blocks: dataFile.extend({ checksums: file, block_rows: z.int(), window_blocks: z.int() }),
      }),
    ),
    /** Of the files: base64 of an Arrow IPC schema message. */
    schema: z.string(),
    columns: z.array(column),
    gates: z.array(gate),
  })
  .meta({ id: 'dataset' });

export type DatasetManifest = z.output<typeof manifestSchema>;
export type DatasetRecipe = DatasetManifest['recipe'];
export type DatasetSplit = DatasetManifest['splits'][number];
export type DatasetFile = z.output<typeof file>;
export type DataFile = z.output<typeof dataFile>;
export type DatasetColumn = DatasetManifest['columns'][number];
export type ColumnStatistics = z.output<typeof statistics>;
export type ColumnRole = DatasetColumn['role'];
export type Gate = z.output<typeof gate>;
export type SourceRecord = z.output<typeof source>;

/** Reads a version's manifest; DATA_LOSS where it is damaged or another's, FAILED_PRECONDITION where a later release wrote it. */
export function decodeManifest(
  text: string,
  { name, version }: { readonly name: string; readonly version: number },
): DatasetManifest {
  const where = `datasets/${name}/${version}/manifest.json`;
  const damaged = 'is damaged; restore it, or delete this version of the dataset and create it again';
  const problem = (code: 'DATA_LOSS' | 'FAILED_PRECONDITION', what: string) =>
    new FeatureStoreError(code, `${where} ${what}`, { details: { path: where } });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw problem('DATA_LOSS', damaged);
  }
  if ((json as { format?: unknown } | null)?.format !== 1)
    throw problem('FAILED_PRECONDITION', 'is of another release; read the dataset with the release that made it');
  const parsed = manifestSchema.safeParse(json);
  if (!parsed.success) throw problem('DATA_LOSS', damaged);
  const { data } = parsed;
  if (data.name === name && data.version === version) return data;
  throw problem('DATA_LOSS', `is that of ${data.name}@${data.version}; restore its own, or delete this version of the dataset`);
}

export function encodeSchema(fields: readonly Field[]): string {
  return Buffer.from(encapsulateMessage(encodeSchemaMessage({ fields, metadata: new Map() }))).toString('base64');
}

/** The schema of a dataset's files. */
export function schemaOf({ schema }: Pick<DatasetManifest, 'schema'>): Schema {
  return decodeSchemaMessage(readEncapsulated(Buffer.from(schema, 'base64')).header);
}
