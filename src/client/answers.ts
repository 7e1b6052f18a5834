/** The JSON that servers answer with, checked on arrival. Members that are new to this client are kept. */
import { z } from 'zod';
import { FeatureStoreError } from '../errors.ts';

const count = z.int().min(0);

const reportSchema = z.looseObject({
  rows: count,
  batches: count,
  bytes: count,
  first_batch_seconds: z.number(),
  total_seconds: z.number(),
  identity: z.string().nullable(),
  reproducible: z.boolean(),
  features: z.array(
    z.looseObject({
      name: z.string(),
      view: z.string(),
      present: count,
      null_value: count,
      not_found: count,
      outside_max_age: count,
      /** Of servers that count them. */
      out_of_range: count.default(0),
      defaults: count,
      ties: count,
    }),
  ),
  /** Of servers that count events. */
  events: z
    .array(
      z.looseObject({
        view: z.string(),
        source: z.string(),
        invalid: count,
        reasons: z.array(z.looseObject({ reason: z.string(), column: z.string(), events: count })),
      }),
    )
    .optional(),
  /** Of servers that tell what is deprecated, as `warnings` of the training set. */
  warnings: z.array(z.looseObject({ kind: z.string(), message: z.string() })).optional(),
});

/** Beside the last batch of an answer. */
export const finalMetadataSchema = z.looseObject({ report: reportSchema.optional() });
export type HistoricalReport = z.output<typeof reportSchema>;

export const uploadResultSchema = z.looseObject({ upload: z.string(), rows: count });

export const queryMetadataSchema = z.looseObject({ query: z.string() });

export const rowsSchema = z.looseObject({ rows: z.array(z.looseObject({ name: z.string() })) });
export type CatalogueRow = z.output<typeof rowsSchema>['rows'][number];

const idSchema = z.string();

/** Nodes by `kind/name`; kinds and members that are new to this client are kept. */
export const lineageSchema = z.looseObject({
  name: z.string(),
  of: z.array(idSchema),
  upstream: z.array(z.looseObject({ id: idSchema, kind: z.string(), name: z.string() })),
  downstream: z.array(z.looseObject({ id: idSchema, kind: z.string(), name: z.string() })),
  edges: z.array(z.looseObject({ from: idSchema, to: idSchema, features: z.array(z.string()).optional() })),
});
export type Lineage = z.output<typeof lineageSchema>;

export const serverInfoSchema = z.looseObject({
  product: z.string(),
  version: z.string(),
  project: z.string(),
  registry_version: z.int(),
});
export type ServerInfo = z.output<typeof serverInfoSchema>;

/** Of plan and of apply: the applied version, before or after, and what changes. */
export const changesSchema = z.looseObject({
  version: z.int(),
  changes: z.array(z.unknown()),
  /** Of plan, where the server says what apply would refuse. */
  refused: z.array(z.unknown()).optional(),
});
export type Changes = z.output<typeof changesSchema>;

/** Checks an answer; INTERNAL where it is of another form, as from a server of another version. */
export function checkAnswer<T>(schema: z.ZodType<T>, answer: unknown, what: string): T {
  const parsed = schema.safeParse(answer);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'it'}: ${issue.message}`);
  throw new FeatureStoreError(
    'INTERNAL',
    `${what} is of a form that this client does not know (${issues.join('; ')}); are server and client of the same version?`,
    { details: { issues } },
  );
}

/** The JSON of bytes; DATA_LOSS where they are none. */
export function decodeJson(bytes: Uint8Array, what: string): unknown {
  return readAnswer(what, () => JSON.parse(Buffer.from(bytes).toString('utf8')));
}

/** Reads bytes of an answer; what is wrong with them is not the caller's argument but DATA_LOSS. Other errors stay. */
export function readAnswer<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof FeatureStoreError && cause.code !== 'INVALID_ARGUMENT') throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new FeatureStoreError('DATA_LOSS', `${what} cannot be read: ${reason}`, { cause });
  }
}
