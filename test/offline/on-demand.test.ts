/** Section 7 on the training path: transforms over whatever is looked up, beside what is looked up itself. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ArrowType, field } from '../../src/arrow/schema.ts';
import { formatValueType, type ValueType } from '../../src/definitions/value-type.ts';
import { FeatureStoreError } from '../../src/errors.ts';
import type { History } from '../../src/offline/history.ts';
import type { OnDemandViewDocument } from '../../src/registry/document.ts';
import { answerNaively } from '../support/answer-naively.ts';
import { answerWithEngine, applyScenario, type EngineAnswer, openTestHistory } from '../support/answer-with-engine.ts';
import { NaiveRefusal } from '../support/naive-instant.ts';
import type { NaiveFeature } from '../support/naive-join.ts';
import { outputName, type Scenario, type ScenarioView, type WantedFeature } from '../support/scenario.ts';
import { transformView } from '../support/transform-view.ts';
import { drawScenario } from './draw-scenario.ts';
import { expectSameAnswer } from './expect-same-answer.ts';

const numRuns = Number(process.env.FEATHERFLIGHT_TEST_RUNS ?? 60);
const int64: ArrowType = { id: 'int', bits: 64, signed: true };

const settings = [
  ['one bucket', {}],
  ['many buckets that memory does not hold', { bucketBytes: 256, cacheBytes: 2000 }],
] as const;

for (const [name, sizes] of settings) {
  const root = mkdtempSync(join(tmpdir(), 'on-demand-'));
  let history: History;
  beforeAll(async () => {
    history = await openTestHistory(root, sizes);
  });
  afterAll(async () => {
    await history.close();
    rmSync(root, { recursive: true, force: true });
  });

  test(
    `7.1, 7.3: a transform reads every value as it comes out, after defaults, and its own come out as they are: ${name}`,
    async () => {
      let count = 0;
      let computed = 0;
      await fc.assert(
        fc.asyncProperty(fc.gen(), async (g) => {
          const scenario = addRequestColumn(drawScenario(g, `r${count++ % 20}`));
          const registry = await applyScenario(history, root, scenario);
          const echo = echoView(scenario);
          const outputs = echo.features.map((feature): WantedFeature => ({ view: 'echo', feature: feature.name }));
          // Computed features come first and last, so that the order asked for is not that in which they are made.
          const asked = { ...scenario, features: [...outputs.slice(0, 1), ...scenario.features, ...outputs.slice(1)] };
          try {
            const expected = answerNaively(scenario);
            const actual = await answerWithEngine(history, { ...registry, onDemandViews: [echo] }, asked);
            expectSameAnswer(scenario, only(actual, scenario), expected);
            expectEchoes(scenario, actual, outputs);
            computed += 1;
          } catch (error) {
            if (error instanceof NaiveRefusal) {
              const answer = answerWithEngine(history, { ...registry, onDemandViews: [echo] }, asked);
              await expect(answer).rejects.toBeInstanceOf(FeatureStoreError);
            } else throw error;
          }
        }),
        { numRuns: name === 'one bucket' ? numRuns : numRuns / 2, endOnFailure: true },
      );
      expect(computed).toBeGreaterThan(0);
    },
    60_000 + numRuns * 2000,
  );
}

/** A frame column that tells every row's number. */
function addRequestColumn(scenario: Scenario): Scenario {
  const { frame } = scenario;
  const column = { field: field('row_number', int64), values: Array.from({ length: frame.rows }, (_, row) => BigInt(row)) };
  return { ...scenario, frame: { ...frame, columns: [...frame.columns, column] } };
}

function featureOf(scenario: Scenario, wanted: WantedFeature): NaiveFeature {
  const view = scenario.views.find((one) => one.name === wanted.view) as ScenarioView;
  return view.features.find((one) => one.name === wanted.feature) as NaiveFeature;
}

/** Answers with every feature that the scenario asks for as `o0`, `o1`, …, and with the row's number; NaN, which it may not answer, as null. */
function echoView(scenario: Scenario): OnDemandViewDocument {
  const inputs = new Map<string, { view: string; prefix?: string; features: string[] }>();
  for (const { view, prefix, feature } of scenario.features) {
    const label = prefix ?? view;
    const input = inputs.get(label) ?? { view, prefix, features: [] };
    input.features.push(feature);
    inputs.set(label, input);
  }
  const features = scenario.features.map((wanted, at) => [`o${at}`, formatValueType(featureOf(scenario, wanted).type)]);
  const values = scenario.features.map(({ view, prefix, feature }, at) => {
    const isVector = featureOf(scenario, { view, feature }).type.kind === 'vector';
    return `o${at}: ${isVector ? 'vector' : 'clean'}(features[${JSON.stringify(prefix ?? view)}][${JSON.stringify(feature)}])`;
  });
  return transformView({
    name: 'echo',
    request: { row_number: 'int64' },
    inputs: [...inputs.values()],
    features: { ...Object.fromEntries(features), at: 'int64' },
    before: `const clean = (value) => (Array.isArray(value) ? value.map(clean) : value !== value ? null : value);
      const vector = (value) => (value?.some((item) => item !== item) ? null : value);`,
    transform: `({ features, request }) => ({ ${[...values, 'at: request.row_number'].join(', ')} })`,
  });
}

/** The part of an answer that the scenario itself asks for. */
function only(actual: EngineAnswer, scenario: Scenario): EngineAnswer {
  const names = scenario.features.map((wanted) => outputName(scenario, wanted));
  const isOwn = (name: string) => names.includes(name.replace(/__(status|event_timestamp|is_default)$/, ''));
  const width = scenario.frame.columns.length;
  const kept = actual.columns.flatMap(({ name }, at) => (isOwn(name) ? [at] : []));
  return {
    ...actual,
    columns: kept.map((at) => actual.columns[at] as EngineAnswer['columns'][number]),
    types: [...actual.types.slice(0, width), ...kept.map((at) => actual.types[width + at] as string)],
    report: actual.report.filter(({ name }) => isOwn(name)),
    ties: Object.fromEntries(Object.entries(actual.ties).filter(([name]) => isOwn(name))),
  };
}

function expectEchoes(scenario: Scenario, actual: EngineAnswer, outputs: readonly WantedFeature[]): void {
  const valuesOf = (name: string) => actual.columns.find((column) => column.name === name)?.values as readonly unknown[];
  const typeOf = (name: string) =>
    actual.types[scenario.frame.columns.length + actual.columns.findIndex((column) => column.name === name)];
  const timeColumn = scenario.frame.columns.find((column) => column.field.name === (scenario.timestamp ?? 'event_timestamp'));
  const hasTime = (row: number) => scenario.atUs !== undefined || timeColumn?.values[row] !== null;
  const rows = Array.from({ length: scenario.frame.rows }, (_, row) => row);
  for (const [at, output] of outputs.entries()) {
    const name = outputName(scenario, output);
    const wanted = scenario.features[at];
    const echoed = wanted === undefined ? rows.map(BigInt) : valuesOf(outputName(scenario, wanted));
    const type: ValueType = wanted === undefined ? { kind: 'int64' } : featureOf(scenario, wanted).type;
    const expected = echoed.map((value, row) => (hasTime(row) ? clean(type, value) : null));
    expect([name, valuesOf(name)]).toEqual([name, expected]);
    if (wanted !== undefined) expect(typeOf(name)).toBe(typeOf(outputName(scenario, wanted)));
    const statuses = expected.map((value, row) => (hasTime(row) ? (value === null ? 'NULL_VALUE' : 'PRESENT') : 'NOT_FOUND'));
    const count = (status: string) => statuses.filter((one) => one === status).length;
    expect(actual.report.find((one) => one.name === name)).toEqual({
      name,
      view: 'echo',
      present: count('PRESENT'),
      null_value: count('NULL_VALUE'),
      not_found: count('NOT_FOUND'),
      outside_max_age: 0,
      out_of_range: 0,
      defaults: 0,
      ties: 0,
    });
    if (scenario.statuses !== true) continue;
    expect(valuesOf(`${name}__status`)).toEqual(statuses);
    expect(valuesOf(`${name}__event_timestamp`)).toEqual(rows.map(() => null));
    expect(valuesOf(`${name}__is_default`)).toEqual(rows.map(() => false));
  }
}

function clean(type: ValueType, value: unknown): unknown {
  if (Number.isNaN(value)) return null;
  if (!Array.isArray(value)) return value;
  if (type.kind === 'vector') return value.some(Number.isNaN) ? null : value;
  return value.map((item) => clean((type as { element: ValueType }).element, item));
}
