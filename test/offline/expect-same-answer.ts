/** Compares what the engine answers with what the oracle does, column by column. */
import { expect } from 'vitest';
import { formatType } from '../../src/arrow/schema.ts';
import type { ValueType } from '../../src/definitions/value-type.ts';
import type { EngineAnswer } from '../support/answer-with-engine.ts';
import type { NaiveFeature } from '../support/naive-join.ts';
import { type Answer, outputName, type Scenario, type ScenarioView } from '../support/scenario.ts';

/** Names, order, types and values of every column, the frame's included, and the report. */
export function expectSameAnswer(scenario: Scenario, actual: EngineAnswer, expected: Answer): void {
  expect(actual.columns.map(({ name }) => name)).toEqual(expected.columns.map(({ name }) => name));
  const { columns: frame } = scenario.frame;
  expect(actual.types).toEqual([...frame.map(({ field }) => formatType(field)), ...featureTypes(scenario)]);
  for (const [at, { field, values, dictionary }] of frame.entries()) {
    const sent = actual.frame[at] as readonly unknown[];
    const plain = dictionary === undefined ? sent : sent.map((index) => (index === null ? null : dictionary[Number(index)]));
    expect([field.name, plain]).toEqual([field.name, values]);
  }
  for (const [at, { name, values }] of expected.columns.entries()) {
    const feature = featureOf(scenario, name);
    const came = actual.columns[at]?.values as readonly unknown[];
    if (feature === undefined) expect([name, came]).toEqual([name, values]);
    else expectSameValues(name, feature, came, values);
  }
  expect(actual.ties).toEqual(expected.ties);
  expectReport(scenario, actual, expected);
}

/** A fitted mean is the same within rounding, a fitted mode whatever zero; everything else is the same. */
function expectSameValues(name: string, feature: NaiveFeature, came: readonly unknown[], values: readonly unknown[]): void {
  const fitted = feature.default !== undefined && 'fitted' in feature.default;
  if (!fitted) {
    expect([name, came]).toEqual([name, values]);
    return;
  }
  expect([name, came.length]).toEqual([name, values.length]);
  for (const [row, value] of values.entries()) {
    const other = came[row];
    if (typeof value === 'number' && typeof other === 'number' && Number.isFinite(value)) {
      expect(Math.abs(other - value), `${name}, row ${row}: ${other} for ${value}`).toBeLessThanOrEqual(
        1e-6 * (1 + Math.abs(value)),
      );
    } else expect([name, row, unsigned(other)]).toEqual([name, row, unsigned(value)]);
  }
}

/** Zeros without a sign, also inside lists. */
function unsigned(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(unsigned);
  return Object.is(value, -0) ? 0 : value;
}

function expectReport(scenario: Scenario, { report }: EngineAnswer, { columns }: Answer): void {
  if (scenario.statuses !== true) return;
  for (const counts of report) {
    const valuesOf = (suffix: string) => columns.find(({ name }) => name === `${counts.name}__${suffix}`)?.values ?? [];
    const statuses = valuesOf('status');
    const of = (status: string) => statuses.filter((value) => value === status).length;
    const { present, null_value, not_found, outside_max_age, defaults } = counts;
    expect([counts.name, present, null_value, not_found, outside_max_age, defaults]).toEqual([
      counts.name,
      of('PRESENT'),
      of('NULL_VALUE'),
      of('NOT_FOUND'),
      of('OUTSIDE_MAX_AGE'),
      valuesOf('is_default').filter((value) => value === true).length,
    ]);
  }
}

function featureOf(scenario: Scenario, name: string): NaiveFeature | undefined {
  const wanted = scenario.features.find((one) => outputName(scenario, one) === name);
  const view = scenario.views.find((one) => one.name === wanted?.view) as ScenarioView | undefined;
  return view?.features.find((one) => one.name === wanted?.feature);
}

function featureTypes(scenario: Scenario): string[] {
  return scenario.features.flatMap((wanted) => {
    const type = arrowName((featureOf(scenario, outputName(scenario, wanted)) as NaiveFeature).type);
    return scenario.statuses === true ? [type, 'utf8', 'timestamp[us, UTC]', 'bool'] : [type];
  });
}

/** Rule 4.3: the type of a feature's column. */
function arrowName(type: ValueType): string {
  switch (type.kind) {
    case 'string':
      return 'utf8';
    case 'bytes':
      return 'binary';
    case 'timestamp':
      return 'timestamp[us, UTC]';
    case 'date':
      return 'date32';
    case 'decimal':
      return `decimal128(${type.precision}, ${type.scale})`;
    case 'list':
      return `list<${arrowName(type.element)}>`;
    case 'vector':
      return `fixedSizeList<${type.element}>[${type.length}]`;
    default:
      return type.kind;
  }
}
