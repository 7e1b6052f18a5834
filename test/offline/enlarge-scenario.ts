/** More of the same: a scenario's rows over and over, a second later each time, so that they fill chunks, parts and batches. */

import type { NaiveRow, NaiveType } from '../support/naive-join.ts';
import type { FrameColumn, Scenario, ScenarioSource } from '../support/scenario.ts';
import { countOf } from './draw-values.ts';

/** `copies` of every source row and `frameCopies` of every frame row. */
export function enlargeScenario(scenario: Scenario, copies: number, frameCopies: number): Scenario {
  const sources = new Map<ScenarioSource, ScenarioSource>();
  for (const { source } of scenario.views) if (!sources.has(source)) sources.set(source, enlargeSource(source, copies));
  const { rows, columns } = scenario.frame;
  return {
    ...scenario,
    views: scenario.views.map((view) => ({ ...view, source: sources.get(view.source) as ScenarioSource })),
    frame: { rows: rows * frameCopies, columns: columns.map((column) => enlargeColumn(column, frameCopies)), batchRows: 1000 },
  };
}

function enlargeSource(source: ScenarioSource, copies: number): ScenarioSource {
  const rows = Array.from({ length: copies }, (_, copy) =>
    source.rows.map(
      (row): NaiveRow => Object.fromEntries(source.columns.map(({ name, type }) => [name, later(row[name] ?? null, type, copy)])),
    ),
  );
  return { ...source, rows: rows.flat() };
}

function enlargeColumn(column: FrameColumn, copies: number): FrameColumn {
  const { type } = column.field;
  const time: NaiveType = type.id === 'timestamp' ? { kind: 'time', unit: type.unit, zoned: true } : { kind: 'bool' };
  const parts = Array.from({ length: copies }, (_, copy) => column.values.map((value) => later(value, time, copy * 7)));
  return { ...column, values: parts.flat() };
}

function later(value: unknown, type: NaiveType, seconds: number): unknown {
  if (value === null || type.kind !== 'time') return value;
  return (value as bigint) + countOf(BigInt(seconds) * 1_000_000n, type.unit);
}
