/** Answers a scenario by the engine: real files, a real plan, real batches; reads what comes out back into plain values. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { readValues } from '../../src/arrow/read-value.ts';
import { type Field, formatType } from '../../src/arrow/schema.ts';
import { formatInstantUs } from '../../src/definitions/literal.ts';
import { silentLogger } from '../../src/observe.ts';
import { answerFields, answerFrame, createReport } from '../../src/offline/answer/answer.ts';
import { type History, type HistoryOptions, openHistory } from '../../src/offline/history.ts';
import { planRetrieval } from '../../src/offline/plan.ts';
import { parseHistoricalRequest } from '../../src/offline/request.ts';
import type { ColumnDocument, RegistryDocument, SourceDocument } from '../../src/registry/document.ts';
import { frameBatches, frameSchema } from './frame-batches.ts';
import type { Answer, Scenario, ScenarioSource } from './scenario.ts';
import { registryOf, sourceDocument, viewDocument } from './scenario-registry.ts';
import { writeSource } from './write-source.ts';

export interface EngineAnswer extends Answer {
  /** The types of the answer's columns, the frame's included, as people write them. */
  readonly types: readonly string[];
  /** The frame's columns as they came back. */
  readonly frame: readonly (readonly unknown[])[];
  readonly report: ReturnType<typeof createReport>;
}

/** Opens the engine over a folder of its own; small sizes make it work in many parts that do not stay in memory. */
export function openTestHistory(root: string, options: Partial<HistoryOptions> = {}): Promise<History> {
  mkdirSync(root, { recursive: true });
  return openHistory({
    root,
    directory: join(root, '.projections'),
    engine: { threads: 2, memory: '1GB', spillDirectory: join(root, '.spill'), spillLimit: '1GB' },
    cacheBytes: 64 * 1024 * 1024,
    logger: silentLogger,
    ...options,
  });
}

/** Writes a scenario's sources and gives the registry document of its definitions. */
export async function applyScenario(history: History, root: string, scenario: Scenario): Promise<RegistryDocument> {
  const sources = new Map<ScenarioSource, SourceDocument>();
  for (const { source } of scenario.views) {
    if (sources.has(source)) continue;
    const table = await writeSource(root, source);
    const columns = source.format === 'parquet' ? await history.describeTable(table, source.name) : declaredColumns(source);
    sources.set(source, sourceDocument(source, table, columns));
  }
  const views = scenario.views.map((view) => viewDocument(view, sources.get(view.source) as SourceDocument));
  return registryOf([...sources.values()], views);
}

/** What the engine answers; its errors as they are. */
export async function answerWithEngine(history: History, registry: RegistryDocument, scenario: Scenario): Promise<EngineAnswer> {
  const request = parseHistoricalRequest({
    type: 'get_historical_features',
    features: scenario.features.map(
      ({ view, prefix, feature }) => `${view}${prefix === undefined ? '' : `@${prefix}`}:${feature}`,
    ),
    as_known: scenario.asKnown ?? null,
    keys: scenario.keys ?? {},
    timezone: scenario.timezone ?? null,
    at: scenario.atUs === undefined ? null : formatInstantUs(scenario.atUs),
    statuses: scenario.statuses ?? false,
    full_feature_names: scenario.fullFeatureNames ?? false,
    ...(scenario.timestamp === undefined ? {} : { timestamp: scenario.timestamp }),
  });
  const given = frameSchema(scenario);
  const plan = planRetrieval(registry, request, given, 0n);
  const schema = { fields: [...given.fields, ...answerFields(plan)], metadata: new Map() };
  const report = createReport(plan);
  const prepared = await history.prepare(plan, new AbortController().signal);
  const columns: unknown[][] = schema.fields.map(() => []);
  try {
    for await (const { answer } of answerFrame(prepared, schema, frameBatches(scenario), report)) {
      for (const [index, column] of answer.columns.entries()) columns[index]?.push(...readValues(column));
    }
  } finally {
    prepared.release();
  }
  const width = given.fields.length;
  return {
    columns: schema.fields
      .slice(width)
      .map((field: Field, index) => ({ name: field.name, values: columns[width + index] as unknown[] })),
    types: schema.fields.map(formatType),
    frame: columns.slice(0, width),
    ties: Object.fromEntries(report.map(({ name, ties }) => [name, ties])),
    report,
  };
}

function declaredColumns(source: ScenarioSource): ColumnDocument[] {
  return source.columns.map(({ name, duckType }) => ({ name, type: duckType }));
}
