/** What a dataset is to be made of, as it stands on the wire. */
import { z } from 'zod';
import { nameProblem } from '../definitions/name.ts';
import { FeatureStoreError } from '../errors.ts';
import { type HistoricalRequest, historicalRequestSchema, parseHistoricalRequest } from '../offline/request.ts';

const name = z.string().min(1).max(64);
const column = z.string().min(1).max(1000);
const fraction = z.number().gt(0).lte(1);

const share = z.record(name, fraction).describe('The share of each part, together 1.');
const seed = z.int().min(0).default(0);

export const splitSchema = z
  .strictObject({
    time: z
      .strictObject({
        column: column.nullish().describe('The column of the frame that is compared; null: that of the rows’ time.'),
        boundaries: z
          .array(z.strictObject({ name, until: z.string().min(1).optional() }))
          .min(1)
          .describe(
            'In the order of time; each holds the rows before `until`, an ISO instant, and the last, without one, the rest.',
          ),
      })
      .optional(),
    entity: z
      .strictObject({
        keys: z.array(column).min(1).describe('Columns of the frame: rows that are equal in them come into one part.'),
        parts: share,
        seed,
      })
      .optional(),
    random: z.strictObject({ parts: share, seed }).optional(),
  })
  .describe('One of the three ways.')
  .meta({ id: 'dataset_split' });

export type Split = z.output<typeof splitSchema>;

const literal = z.union([z.number(), z.string(), z.boolean()]);

export const expectationSchema = z
  .strictObject({
    min: z.union([z.number(), z.string()]).optional().describe('No value is less.'),
    max: z.union([z.number(), z.string()]).optional().describe('No value is greater.'),
    max_null_rate: z.number().min(0).max(1).optional().describe('The most of all rows that may be null.'),
    values: z.array(literal).min(1).optional().describe('Every value that is not null is one of these.'),
    unique: z.literal(true).optional().describe('No value stands in two rows.'),
    on_failure: z.enum(['fail', 'warn']).default('fail').describe('Save nothing, or save it and say so.'),
  })
  .meta({ id: 'dataset_expectation' });

export type Expectation = z.output<typeof expectationSchema>;

export const datasetRequestSchema = historicalRequestSchema
  .omit({ type: true, batch_rows: true, compression: true })
  .extend({
    name: name.describe('The name; the new version’s number follows the last one’s.'),
    description: z.string().max(2000).nullish(),
    split: splitSchema.nullish().describe('Parts; without it there is one, `all`.'),
    labels: z.array(column).default([]).describe('Columns of the frame that are to be predicted.'),
    expectations: z
      .record(column, expectationSchema)
      .default({})
      .describe('By column of the dataset; they stand before those of the definitions.'),
    force_new: z.boolean().default(false).describe('Make a version even where the newest one is the same.'),
  })
  .strict()
  .meta({ id: 'create_dataset' });

export type DatasetRequest = z.output<typeof datasetRequestSchema>;

/** Validates a request; says which member is wrong. */
export function parseDatasetRequest(value: unknown): DatasetRequest {
  const parsed = datasetRequestSchema.safeParse(value);
  if (!parsed.success) {
    const issues = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'the request'}: ${issue.message}`);
    throw refuse(issues.join('; '), { issues });
  }
  const request = parsed.data;
  const problem = nameProblem(request.name);
  if (problem !== undefined) throw refuse(`name: "${request.name}" is none: ${problem}`);
  if (request.split != null) checkSplit(request.split);
  retrievalOf(request);
  return request;
}

/** The training set of which the dataset consists. */
export function retrievalOf(request: DatasetRequest): HistoricalRequest {
  const { name: _, description, split, labels, expectations, force_new, ...retrieval } = request;
  return parseHistoricalRequest({ ...retrieval, type: 'get_historical_features' });
}

/** The names of a split's parts, in its order. */
export function partsOf(split: Split | null | undefined): readonly string[] {
  if (split == null) return ['all'];
  if (split.time !== undefined) return split.time.boundaries.map((boundary) => boundary.name);
  return Object.keys((split.entity ?? split.random)?.parts ?? {});
}

function checkSplit(split: Split): void {
  if (Object.values(split).filter((way) => way !== undefined).length !== 1)
    throw refuse('split: say one of `time`, `entity` and `random`');
  const parts = partsOf(split);
  for (const part of parts) {
    const problem = nameProblem(part);
    if (problem !== undefined) throw refuse(`split: "${part}" is no name of a part: ${problem}`);
  }
  if (new Set(parts).size < parts.length) throw refuse('split: two parts have one name; name each differently');
  if (split.time !== undefined) {
    const open = split.time.boundaries.findIndex(({ until }) => until === undefined);
    if (open !== parts.length - 1)
      throw refuse('split.time: the last boundary, and no other, is without `until`: it takes all rows that are left');
    return;
  }
  const shares = Object.values((split.entity ?? split.random)?.parts ?? {});
  const sum = shares.reduce((total, share) => total + share, 0);
  if (shares.length === 0 || Math.abs(sum - 1) > 1e-9)
    throw refuse(`split: the parts' shares are ${sum} together; they must be 1, such as {"train": 0.8, "test": 0.2}`);
}

function refuse(what: string, details: Readonly<Record<string, unknown>> = {}): FeatureStoreError {
  return new FeatureStoreError('INVALID_ARGUMENT', `create_dataset: ${what}`, { details });
}
