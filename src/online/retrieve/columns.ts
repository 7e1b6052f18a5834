/** The columns of a request: all that are needed and no other, of one length, converted once for each type they are needed as. */
import type { LiteralValue } from '../../definitions/literal.ts';
import { didYouMean, FeatureStoreError } from '../../errors.ts';
import type { OnlineRequest, RequestColumns } from './answer.ts';
import { readKeyValues } from './keys.ts';
import type { OnlinePlan, PlannedColumn, PlannedLookup, RetrievalColumn, RetrievalColumns } from './plan.ts';
import { requestValueReader } from './values.ts';

/** INVALID_ARGUMENT names the column, and the row whose value is no value of its type. */
export function readColumns(plan: OnlinePlan, request: OnlineRequest): RetrievalColumns {
  refuseUnknown(plan, request);
  const given = plan.columns.map((column) => findColumn(column, request));
  const rows = countRows(plan, given);
  const isJson = request.isJson === true;
  return { rows, columns: plan.columns.map((column, at) => readColumn(column, given[at] ?? [], isJson)) };
}

/** One list of key values for each entity; a single one where all columns are the same for every row. */
export function entitiesOf({ keys }: PlannedLookup, { rows, columns }: RetrievalColumns): readonly (readonly LiteralValue[])[] {
  if (rows === 0) return [];
  const values = keys.map(({ column, type }) => columns[column]?.keys[type] as readonly LiteralValue[]);
  const [first] = values;
  if (values.length === 1 && first !== undefined) return first.map((value) => [value]);
  const count = values.some((column) => column.length !== 1) ? rows : 1;
  return Array.from({ length: count }, (_, row) =>
    values.map((column) => (column.length === 1 ? column[0] : column[row]) as LiteralValue),
  );
}

/** A column's values, one a row. */
export function spread<T>(values: readonly T[], rows: number): readonly T[] {
  return values.length === rows ? values : new Array<T>(rows).fill(values[0] as T);
}

function findColumn({ name, need, hint }: PlannedColumn, { entities, request }: OnlineRequest): readonly unknown[] {
  const isEntity = Object.hasOwn(entities, name);
  const isRequest = request !== undefined && Object.hasOwn(request, name);
  if (isEntity && isRequest)
    throw refused(name, `column "${name}" stands both among the entities and in the request; give it once`);
  const values = isEntity ? entities[name] : isRequest ? request[name] : undefined;
  if (values === undefined) {
    const names = namesOf(entities, request);
    const have = didYouMean(name, names) || `; it has ${names.slice(0, 20).join(', ') || 'no columns'}`;
    throw refused(name, `${need}, but the request has no column "${name}"${have} (${hint})`, { columns: names });
  }
  if (!Array.isArray(values))
    throw refused(name, `column "${name}" is a list of values, one a row: write ["…"], also for a single row`);
  return values;
}

function refuseUnknown({ columns }: OnlinePlan, { entities, request }: OnlineRequest): void {
  const needed = columns.map(({ name }) => name);
  for (const name of namesOf(entities, request)) {
    if (needed.includes(name)) continue;
    const which = needed.length === 0 ? '; it needs none' : didYouMean(name, needed) || `; it needs ${needed.join(', ')}`;
    throw refused(name, `nothing in this request needs column "${name}"${which}`, { needed });
  }
}

function countRows({ columns }: OnlinePlan, given: readonly (readonly unknown[])[]): number {
  let longest = -1;
  for (const [at, { length }] of given.entries()) {
    if (length === 1) continue;
    if (longest < 0) longest = at;
    const other = given[longest]?.length;
    if (other === length) continue;
    const names = [longest, at].map((place) => columns[place]?.name);
    throw refused(
      String(names[1]),
      `column "${names[0]}" has ${other} values and column "${names[1]}" ${length}; give as many, or one for all rows`,
      { lengths: { [String(names[0])]: other, [String(names[1])]: length } },
    );
  }
  return longest < 0 ? 1 : (given[longest]?.length as number);
}

function readColumn(column: PlannedColumn, values: readonly unknown[], isJson: boolean): RetrievalColumn {
  const { name, joinKey, keyTypes, requestType } = column;
  return {
    keys: keyTypes.map((type) => readKeyValues(values, type, { joinKey, column: name, isJson })),
    request: requestType === undefined ? undefined : values.map(requestValueReader(name, requestType, isJson)),
  };
}

function namesOf(entities: RequestColumns, request: RequestColumns = {}): readonly string[] {
  return [...Object.keys(entities), ...Object.keys(request)];
}

function refused(column: string, message: string, details: Readonly<Record<string, unknown>> = {}): FeatureStoreError {
  return new FeatureStoreError('INVALID_ARGUMENT', message, { details: { column, ...details } });
}
