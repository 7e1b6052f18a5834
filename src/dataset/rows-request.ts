/** What is asked of a dataset's rows, as it stands on the wire. */
import { z } from 'zod';
import { FeatureStoreError } from '../errors.ts';
import { denseTypes } from './dense.ts';

const name = z.string().min(1).max(1000);
const position = z.int().min(0);

const denseSchema = z.strictObject({
  name: name.describe('The name of the column of fixed-size lists.'),
  columns: z.array(name).min(1).max(10_000),
  type: z.enum(denseTypes).default('float32'),
  fill: z.number().nullish().describe('Stands for null; null: NaN in matrices of floats, refused in others.'),
  mask: z.boolean().default(false).describe('Add `NAME__mask`: 1 where there is a value, 0 where there is none.'),
});

export const rowsRequestSchema = z
  .strictObject({
    type: z.literal('get_dataset'),
    dataset: name.describe('`NAME@VERSION`, or NAME for the newest version.'),
    split: name.nullish().describe('Needed where there are several.'),
    columns: z.array(name).max(10_000).nullish().describe('Columns as they are; null: all, unless there are matrices.'),
    dense: z.array(denseSchema).max(100).default([]).describe('Columns side by side, row by row.'),
    seed: z.int().nullish().describe('Shuffle; null: the order of the frame.'),
    epoch: z.int().min(0).default(0),
    window_blocks: z.int().min(1).max(256).nullish().describe('Blocks whose rows are mixed; null: as the dataset says.'),
    batch_rows: z.int().min(1).max(1_048_576).default(4096),
    start: position.default(0).describe('The first position.'),
    end: position.nullish().describe('The position after the last; null: all rows.'),
    step: z.int().min(1).nullish().describe('From the start of a batch to the start of the next; null: `batch_rows`.'),
    shard_rows: z.int().min(1).nullish().describe('Positions of one endpoint; null: one endpoint for all.'),
    compression: z.enum(['lz4', 'zstd']).nullish(),
  })
  .meta({ id: 'get_dataset' });

export type RowsRequest = z.output<typeof rowsRequestSchema>;

/** Validates a request; says which member is wrong. */
export function parseRowsRequest(value: unknown): RowsRequest {
  const parsed = rowsRequestSchema.safeParse(value);
  if (!parsed.success) {
    const issues = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'the request'}: ${issue.message}`);
    throw new FeatureStoreError('INVALID_ARGUMENT', `get_dataset: ${issues.join('; ')}`, { details: { issues } });
  }
  const { step, batch_rows } = parsed.data;
  if (step == null || step >= batch_rows) return parsed.data;
  throw new FeatureStoreError(
    'INVALID_ARGUMENT',
    `get_dataset: step ${step} is less than batch_rows ${batch_rows}: rows would come twice`,
  );
}
