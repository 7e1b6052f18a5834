/** Gates of quality: what is expected of a column, from its definition or the request, and whether the rows are so. */
import { type Field, formatType } from '../arrow/schema.ts';
import { didYouMean, FeatureStoreError } from '../errors.ts';
import type { Session } from '../offline/duckdb/engine.ts';
import { quoteName, quoteText } from '../offline/duckdb/sql.ts';
import { parquetType } from '../offline/duckdb/write-parquet.ts';
import { type Gate, rowColumn } from './manifest.ts';
import type { Expectation } from './request.ts';
import { kindOf } from './statistics.ts';

/** One thing that is expected of one column, as conditions in SQL. */
export interface CompiledGate extends Pick<Gate, 'column' | 'expectation' | 'on_failure' | 'expected'> {
  /** True of the rows that break it. */
  readonly breaks: string;
  /** Broken from this share of all rows on; undefined: by any row. */
  readonly aboveRate?: number;
}

/** Compiles what is expected; INVALID_ARGUMENT names a column that is not there, or that cannot be what it is expected to be. */
export async function compileExpectations(
  session: Session,
  expectations: Readonly<Record<string, Expectation>>,
  fields: readonly Field[],
): Promise<readonly CompiledGate[]> {
  const names = fields.map((field) => field.name);
  const gates: CompiledGate[] = [];
  for (const [name, expectation] of Object.entries(expectations)) {
    const field = fields.find((candidate) => candidate.name === name);
    if (field === undefined)
      throw refuse(name, `the dataset has no column "${name}"${didYouMean(name, names)}`, { columns: names });
    gates.push(...(await compileColumn(session, field, expectation)));
  }
  return gates;
}

async function compileColumn(session: Session, field: Field, expectation: Expectation): Promise<CompiledGate[]> {
  const { min, max, max_null_rate: maxNullRate, values, unique, on_failure } = expectation;
  const column = quoteName(field.name);
  const kind = kindOf(field);
  const gates: CompiledGate[] = [];
  const add = (gate: Pick<CompiledGate, 'expectation' | 'breaks' | 'expected' | 'aboveRate'>) =>
    gates.push({ column: field.name, on_failure, ...gate });
  if (min !== undefined || max !== undefined) {
    if (kind !== 'number' && kind !== 'instant')
      throw refuse(field.name, `a range is of numbers and times, and column "${field.name}" is ${formatType(field)}`);
    const low = min === undefined ? [] : [`${column} < ${await literal(session, field, min)}`];
    const high = max === undefined ? [] : [`${column} > ${await literal(session, field, max)}`];
    const nan = field.type.id === 'float' ? [`isnan(${column})`] : [];
    add({ expectation: 'range', breaks: [...low, ...high, ...nan].join(' or '), expected: describeRange(min, max) });
  }
  if (maxNullRate !== undefined)
    add({
      expectation: 'null_rate',
      breaks: `${column} is null`,
      expected: `at most ${maxNullRate} null`,
      aboveRate: maxNullRate,
    });
  if (values !== undefined) {
    if (kind === 'list' || kind === 'other')
      throw refuse(field.name, `column "${field.name}" is ${formatType(field)}, of which no single values can be listed`);
    const allowed: string[] = [];
    for (const value of values) allowed.push(await literal(session, field, value));
    const shown = values.slice(0, 10).map((value) => JSON.stringify(value));
    const more = values.length > shown.length ? `, … (${values.length})` : '';
    add({
      expectation: 'values',
      breaks: `${column} not in (${allowed.join(', ')})`,
      expected: `one of ${shown.join(', ')}${more}`,
    });
  }
  if (unique) {
    // The first row of each value breaks nothing.
    const repeated = `row_number() over (partition by ${column} order by ${quoteName(rowColumn)}) > 1`;
    add({ expectation: 'unique', breaks: `${column} is not null and ${repeated}`, expected: 'each value in one row' });
  }
  if (gates.length === 0)
    throw refuse(field.name, `nothing is expected of column "${field.name}"; say min, max, max_null_rate, values or unique`);
  return gates;
}

/** Looks at the rows; a relation without rows breaks nothing. */
export async function checkGates(
  session: Session,
  relation: string | undefined,
  gates: readonly CompiledGate[],
): Promise<readonly Gate[]> {
  const checked: Gate[] = [];
  for (const gate of gates) checked.push(await checkGate(session, relation, gate));
  return checked;
}

async function checkGate(session: Session, relation: string | undefined, gate: CompiledGate): Promise<Gate> {
  const { breaks, aboveRate, ...facts } = gate;
  if (relation === undefined) return { ...facts, ok: true, measured: 'no rows', rows: 0, example: null };
  const column = quoteName(gate.column);
  const [row = {}] = await session.rows(
    `with judged as (select ${quoteName(rowColumn)} as place, cast(${column} as varchar) as shown, (${breaks}) is true as bad from ${relation})
     select count(*) as n, count(*) filter (where bad) as broken, min(place) filter (where bad) as least,
       arg_min(shown, place) filter (where bad) as example from judged`,
  );
  const [rows, broken] = [Number(row.n), Number(row.broken)];
  const rate = rows === 0 ? 0 : broken / rows;
  const ok = aboveRate === undefined ? broken === 0 : rate <= aboveRate;
  const measured =
    aboveRate === undefined
      ? `${broken} of ${rows} rows are not`
      : `${Number(rate.toPrecision(6))} null (${broken} of ${rows} rows)`;
  const example = ok || broken === 0 ? null : { row: Number(row.least), value: (row.example ?? null) as string | null };
  return { ...facts, ok, measured, rows: broken, example };
}

/** FAILED_PRECONDITION where a gate that must hold does not: it names each, with what was measured and a row. */
export function refuseBroken(gates: readonly Gate[]): void {
  const broken = gates.filter((gate) => !gate.ok && gate.on_failure === 'fail');
  if (broken.length === 0) return;
  throw new FeatureStoreError(
    'FAILED_PRECONDITION',
    `nothing was saved, as the rows are not what is expected: ${broken.map(formatGate).join('; ')}`,
    { details: { gates: broken } },
  );
}

/** One broken gate in words. */
export function formatGate({ column, expected, measured, example }: Gate): string {
  const such = example === null ? '' : `, such as row ${example.row}${example.value === null ? '' : ` with ${example.value}`}`;
  return `"${column}" must be ${expected}, and ${measured}${such}`;
}

function describeRange(min: number | string | undefined, max: number | string | undefined): string {
  if (min === undefined) return `at most ${max}`;
  return max === undefined ? `at least ${min}` : `between ${min} and ${max}`;
}

/** A value as SQL of the column's type. */
async function literal(session: Session, field: Field, value: number | string | boolean): Promise<string> {
  const type = parquetType(field);
  const text = quoteText(String(value));
  const [row] = await session.rows(`select try_cast(${text} as ${type}) is not null as is_one`);
  if (row?.is_one === true) return `cast(${text} as ${type})`;
  throw refuse(field.name, `${JSON.stringify(value)} is no value of column "${field.name}", which is ${formatType(field)}`);
}

function refuse(column: string, what: string, details: Readonly<Record<string, unknown>> = {}): FeatureStoreError {
  return new FeatureStoreError('INVALID_ARGUMENT', `expectations: ${what}`, { details: { column, ...details } });
}
