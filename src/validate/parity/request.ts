/** What is asked of a check of parity, as it stands on the wire. */
import { z } from 'zod';
import { FeatureStoreError } from '../../errors.ts';

const reference = z.string().min(3).max(200);
const instant = z.string().min(1).max(100);

export const parityRequestSchema = z
  .strictObject({
    from: instant.nullish().describe('Only answers from this instant on; absent: 24 hours before `to`.'),
    to: instant.nullish().describe('Only answers before this instant; absent: now.'),
    live: z.boolean().nullish().describe('Read a sample of keys online now, and not what was logged.'),
    features: z.array(reference).min(1).max(10_000).nullish().describe('Only these, `view:feature`; absent: all.'),
    service: z.string().min(1).max(100).nullish().describe('Only the features of a service, instead of `features`.'),
    pairs: z
      .array(z.tuple([reference, reference]))
      .min(1)
      .max(1000)
      .nullish()
      .describe('Features of a stream and a batch view that are to be the same, compared in history.'),
    sample: z
      .int()
      .min(1)
      .max(1_000_000)
      .nullish()
      .describe(
        'Rows of each shape of the log at most (default 100,000); keys of each view with `live` or `pairs` (default 1,000).',
      ),
    tolerances: z
      .record(reference, z.strictObject({ relative: z.number().min(0), absolute: z.number().min(0).default(0) }))
      .nullish()
      .describe('By `view:feature`, instead of those that the types have.'),
    examine: z.int().min(0).max(10_000).nullish().describe('Differences of a feature whose cause is looked for; default 50.'),
  })
  .meta({ id: 'validate_parity' });

export type ParityRequest = z.output<typeof parityRequestSchema>;

/** INVALID_ARGUMENT says what is wrong, and what excludes what. */
export function parseParityRequest(value: unknown): ParityRequest {
  const parsed = parityRequestSchema.safeParse(value);
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'the request'}: ${issue.message}`);
    throw refused(problems.join('; '), { problems });
  }
  const request = parsed.data;
  if (request.features != null && request.service != null) throw refused('name either `features` or a `service`');
  const isLive = request.live === true;
  if (isLive && request.pairs != null) throw refused('`live` reads online, `pairs` compares history: ask for one of them');
  if (isLive && (request.from != null || request.to != null)) {
    throw refused('`live` reads what is online now: leave out `from` and `to`');
  }
  if (request.pairs != null && (request.features != null || request.service != null)) {
    throw refused('`pairs` names the features to compare: leave out `features` and `service`');
  }
  return request;
}

export function refused(why: string, details: Readonly<Record<string, unknown>> = {}): FeatureStoreError {
  return new FeatureStoreError('INVALID_ARGUMENT', `validate parity: ${why}`, { details });
}
