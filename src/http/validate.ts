/** Bodies against their schemas: what is wrong is said for all members at once, an unknown one with the nearest that there is. */
import { z } from 'zod';
import { didYouMean, FeatureStoreError } from '../errors.ts';
import type { JsonValue } from '../json/parse-json.ts';

/** The body as its schema gives it; INVALID_ARGUMENT otherwise. */
export function validateBody<T extends z.ZodObject>(schema: T, body: JsonValue | undefined): z.output<T> {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.flatMap((issue) => describeIssue(issue, schema));
  throw new FeatureStoreError('INVALID_ARGUMENT', problems.join('; '), { details: { problems } });
}

/** What follows `?`, each name once, as its schema gives it; INVALID_ARGUMENT otherwise. */
export function validateQuery<T extends z.ZodObject>(schema: T, query: URLSearchParams): z.output<T> {
  const given: Record<string, string> = {};
  for (const [name, value] of query) {
    if (Object.hasOwn(given, name)) throw new FeatureStoreError('INVALID_ARGUMENT', `"${name}" stands twice in the address`);
    given[name] = value;
  }
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.flatMap((issue) => describeIssue(issue, schema, 'the query'));
  throw new FeatureStoreError('INVALID_ARGUMENT', problems.join('; '), { details: { problems } });
}

function describeIssue(issue: z.core.$ZodIssue, schema: z.ZodObject, whole = 'the body'): readonly string[] {
  const where = issue.path.length === 0 ? whole : `"${issue.path.join('.')}"`;
  if (issue.code !== 'unrecognized_keys') return [`${where}: ${issue.message}`];
  const known = Object.keys(issue.path.length === 0 ? schema.shape : {});
  return issue.keys.map((key) => `"${[...issue.path, key].join('.')}" is no member of ${where}${didYouMean(key, known)}`);
}

/** A name as it may stand in a request. */
export const nameSchema = z.string().min(1).max(1000);

/** Columns by name, each a value a row. */
export const columnsSchema = z.record(nameSchema, z.array(z.unknown()));

/** OUT_OF_RANGE where a column is longer than a request may be. */
export function limitRows(columns: Readonly<Record<string, readonly unknown[]>>, maxRows: number): void {
  for (const [name, values] of Object.entries(columns)) {
    if (values.length <= maxRows) continue;
    throw new FeatureStoreError(
      'OUT_OF_RANGE',
      `column "${name}" has ${values.length} rows, and one request may have ${maxRows} (http.maxRows): ask in parts`,
      { details: { column: name, rows: values.length, max_rows: maxRows } },
    );
  }
}
