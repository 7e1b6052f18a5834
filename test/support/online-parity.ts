/**
 * Rule 9 as a property: a random repository grows, is pushed to and materialized under a moving clock; then the online answer at T is the
 * training row at T, in value, status, event time and default.
 */
import { isDeepStrictEqual } from 'node:util';
import type { GeneratorValue } from 'fast-check';
import { expect } from 'vitest';
import { formatDay, parseDay } from '../../src/definitions/day.ts';
import type { LiteralValue } from '../../src/definitions/literal.ts';
import type { ValueType } from '../../src/definitions/value-type.ts';
import { FeatureStoreError } from '../../src/errors.ts';
import { createMaterialize } from '../../src/materialize/materialize.ts';
import { silentLogger } from '../../src/observe.ts';
import type { History } from '../../src/offline/history.ts';
import { createOnlineRecords } from '../../src/online/records.ts';
import type { OnlineRequest } from '../../src/online/retrieve/answer.ts';
import { fittedFeatures, writeFittedDefault } from '../../src/online/retrieve/defaults.ts';
import type { OnlineStore } from '../../src/online/store.ts';
import { compileOnlineView } from '../../src/online/view.ts';
import { createOnlineWriter, type WrittenRow } from '../../src/online/write/writer.ts';
import type { RegistryDocument, SourceDocument, ViewDocument } from '../../src/registry/document.ts';
import { drawScenario } from '../offline/draw-scenario.ts';
import { type Draw, drawFrom } from '../offline/draw-values.ts';
import { answerWithEngine, applyScenario } from './answer-with-engine.ts';
import { computedFeatures, computedView } from './computed-view.ts';
import { floorNaively } from './naive-instant.ts';
import type { NaiveRow } from './naive-join.ts';
import { answerAt, momentsOf } from './naive-latest.ts';
import type { Scenario, ScenarioView } from './scenario.ts';

/** A column as it was served, in plain values. */
export interface ServedColumn {
  readonly name: string;
  readonly type: ValueType;
  readonly values: readonly LiteralValue[];
  readonly statuses: readonly string[];
  readonly eventUs: readonly (bigint | null)[];
  readonly isDefault: readonly boolean[];
}

export interface ParitySetting {
  readonly history: History;
  readonly root: string;
  readonly store: OnlineStore;
  /** Serves a request at T, whatever the way. */
  ask(registry: RegistryDocument, atUs: bigint, request: OnlineRequest): Promise<readonly ServedColumn[]>;
}

const dayUs = 86_400_000_000n;
const signal = new AbortController().signal;

/** Draws and checks one repository; how many values were compared, none where its sources or keys are refused. */
export async function checkParity(g: GeneratorValue, project: string, setting: ParitySetting): Promise<number> {
  const { history, root, store, ask } = setting;
  const drawn = drawScenario(g, 'o');
  const asked = { asKnown: null, statuses: true, timestamp: undefined, timezone: undefined };
  const scenario: Scenario = { ...drawn, ...asked, features: [...computedFeatures(drawn), ...drawn.features] };
  const draw = drawFrom(g);
  const isTied = scenario.views.some((view) => view.source.rows.some((row) => countTied(view, row) > 1));
  const stages = [grow(scenario, 0), grow(scenario, 1), scenario];
  let registry: RegistryDocument | undefined;
  let clocks: bigint[];
  try {
    clocks = drawClocks(draw, scenario);
    for (const [at, stage] of stages.entries()) {
      registry = withEntities(await applyScenario(history, root, stage), project);
      const applied = registry;
      const nowUs = clocks[at] as bigint;
      const materialize = createMaterialize({
        history,
        store,
        registry: () => applied,
        logger: silentLogger,
        nowUs: () => nowUs,
      });
      if (at === 2 || draw.chance(50)) await pushSome(draw, store, applied, scenario, nowUs);
      await materialize({ endUs: at === 2 ? clocks.at(-1) : nowUs });
    }
  } catch (error) {
    if (isRefusal(error)) return 0;
    throw error;
  }
  let compared = 0;
  for (const timeUs of clocks.slice(2)) {
    const training = await trainingAt(history, registry as RegistryDocument, scenario, timeUs);
    if (training === undefined) return compared;
    // Of rows that tie, those that are visible later are left to the runs that see them, a minute after which clocks agree.
    if (isTied) await materializeAt(setting, registry as RegistryDocument, timeUs + 60_000_000n, timeUs);
    await fitAt(setting, registry as RegistryDocument, timeUs);
    const request = requestOf(scenario);
    const served = await ask(registry as RegistryDocument, timeUs, request);
    // Without any column a request is of one row; a frame of global features may have many, or none.
    const isOneRow = Object.keys(request.entities).length === 0;
    if (isOneRow && scenario.frame.rows === 0) return compared;
    const expected = isOneRow ? training.map(([name, values]) => [name, values.slice(0, 1)] as const) : training;
    expectSame(served.flatMap(columnsOf), expected, `at ${timeUs}, materialized at ${clocks.slice(0, 3)}`);
    compared += served.length * scenario.frame.rows;
  }
  return compared;
}

/** Three clocks of materialization and, from the last of them on, instants at which the answers are compared. */
function drawClocks(draw: Draw, { views }: Scenario): bigint[] {
  const moments = views.flatMap((view) => momentsOf(view));
  const steps = [0n, 0n, 1n, -1n, 1_000_000n, 3_600_000_000n, dayUs, dayUs + 1n, 3n * dayUs];
  const drawn = Array.from({ length: 6 }, () => (moments.length === 0 ? draw.time() : draw.pick(moments)) + draw.pick(steps));
  return drawn.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

/** Two thirds of the source, or one. */
function grow(scenario: Scenario, stage: number): Scenario {
  const sources = new Map(
    scenario.views.map(({ source }) => [source, { ...source, rows: source.rows.filter((_, row) => row % 3 <= stage) }]),
  );
  return {
    ...scenario,
    views: scenario.views.map((view) => ({ ...view, source: sources.get(view.source) as typeof view.source })),
  };
}

/** Rows reach the online store before they are seen in the source: those that no other row of their key ties with. */
async function pushSome(
  draw: Draw,
  store: OnlineStore,
  registry: RegistryDocument,
  { views }: Scenario,
  nowUs: bigint,
): Promise<void> {
  for (const [at, view] of views.entries()) {
    const rows = view.source.rows.flatMap((row) => (draw.chance(30) ? readPushed(view, row) : []));
    if (rows.length === 0) continue;
    const online = compileOnlineView(registry.views[at] as ViewDocument, registry);
    await createOnlineWriter(store, registry.project).write(online, draw.chance(50) ? rows : rows.reverse(), nowUs);
  }
}

function readPushed(view: ScenarioView, row: NaiveRow): WrittenRow[] {
  if (countTied(view, row) > 1) return [];
  const { source } = view;
  const [eventUs, createdUs, availableUs] = timesOf(view, row);
  const keys = view.keys.map(({ column, type }) => toKey(type, row[column] ?? null));
  const features = view.features.map((feature) => ({ ...feature, default: undefined }));
  const alone = { ...view, source: { ...source, rows: [row] }, asKnown: false, features };
  const answer = answerAt(
    alone,
    view.keys.map(({ column }) => textOf(row[column])),
    2n ** 62n,
  );
  if (eventUs == null || answer === undefined) return [];
  const values = answer.values.map((value, at) => toLiteral(view.features[at]?.type as ValueType, value));
  return [{ keys, row: { eventUs, createdUs: createdUs ?? null, availableUs: availableUs ?? null, pushed: true, values } }];
}

/** How many rows of its key happened and were created when it was, itself included. */
function countTied(view: ScenarioView, row: NaiveRow): number {
  const tieOf = (one: NaiveRow) =>
    [...view.keys.map(({ column }) => textOf(one[column])), ...timesOf(view, one).slice(0, 2)].join('|');
  return view.source.rows.filter((one) => tieOf(one) === tieOf(row)).length;
}

/** Event, created and available time of a row. */
function timesOf(view: ScenarioView, row: NaiveRow): (bigint | undefined)[] {
  return [view.source.event, view.source.created, view.source.available].map((event) => {
    if (event === undefined) return undefined;
    const source = { ...view.source, event, created: undefined, available: undefined, rows: [row] };
    return momentsOf({ ...view, source, delay: undefined })[0];
  });
}

async function materializeAt(
  { history, store }: ParitySetting,
  registry: RegistryDocument,
  nowUs: bigint,
  endUs: bigint,
): Promise<void> {
  const materialize = createMaterialize({ history, store, registry: () => registry, logger: silentLogger, nowUs: () => nowUs });
  await materialize({ endUs });
}

async function fitAt({ history, store }: ParitySetting, registry: RegistryDocument, timeUs: bigint): Promise<void> {
  const day = Number(floorNaively(timeUs, dayUs) / dayUs);
  const records = createOnlineRecords(store, registry.project);
  for (const view of registry.views) {
    const source = registry.sources.find(({ name }) => name === view.source) as SourceDocument;
    for (const feature of fittedFeatures(view)) {
      const value = await history.fittedDefault(view, source, feature, day, signal);
      await writeFittedDefault(records, view, feature, { day: formatDay(day), value });
    }
  }
}

/** The training set's feature columns, each with its three others; undefined where the request is refused. */
async function trainingAt(history: History, registry: RegistryDocument, scenario: Scenario, atUs: bigint) {
  try {
    const { columns } = await answerWithEngine(history, registry, { ...scenario, atUs });
    return columns.map(({ name, values }): NamedColumns[number] => [name, values]);
  } catch (error) {
    if (isRefusal(error)) return undefined;
    throw error;
  }
}

type NamedColumns = readonly (readonly [string, readonly unknown[]])[];

/** Says where they first differ, and how often. */
function expectSame(served: NamedColumns, training: NamedColumns, when: string): void {
  expect(served.map(([name, values]) => [name, values.length])).toEqual(training.map(([name, values]) => [name, values.length]));
  const differences = served.flatMap(([name, values], column) =>
    values.flatMap((value, row) => {
      const expected = training[column]?.[1][row];
      return isDeepStrictEqual(value, expected) ? [] : [{ name, row, served: value, training: expected }];
    }),
  );
  expect(differences.slice(0, 8), `${differences.length} values differ ${when}`).toEqual([]);
}

function columnsOf({ name, type, values, statuses, eventUs, isDefault }: ServedColumn): NamedColumns {
  return [
    [name, values.map((value) => toNaive(type, value))],
    [`${name}__status`, statuses],
    [`${name}__event_timestamp`, eventUs],
    [`${name}__is_default`, isDefault],
  ];
}

/** The frame's columns that hold join keys of what is asked for. */
function requestOf({ frame, views, features, keys = {}, fullFeatureNames }: Scenario): OnlineRequest {
  const needed = features.flatMap(({ view, prefix }) => {
    const read = view === 'computed' ? views[0] : views.find(({ name }) => name === view);
    const names = read?.keys.map((key) => key.name) ?? [];
    return names.map((name) => keys[prefix ?? view]?.[name] ?? name);
  });
  const columns = frame.columns.filter(({ field }) => needed.includes(field.name));
  return {
    features: features.map(({ view, prefix, feature }) => `${view}${prefix === undefined ? '' : `@${prefix}`}:${feature}`),
    entities: Object.fromEntries(columns.map(({ field, values }) => [field.name, values])),
    keys,
    fullFeatureNames,
  };
}

/** An entity for each view, as its keys say. */
function withEntities(registry: RegistryDocument, project: string): RegistryDocument {
  const described = { tags: {}, file: 'features/scenario.ts' };
  return {
    ...registry,
    project,
    entities: registry.views.map(({ name, keys }) => ({ ...described, name: `e_${name}`, joinKeys: keys })),
    onDemandViews: registry.views.slice(0, 1).map(computedView),
    views: registry.views.map((view) => ({ ...view, entities: view.keys.length === 0 ? [] : [`e_${view.name}`] })),
  };
}

function isRefusal(error: unknown): boolean {
  return error instanceof FeatureStoreError ? error.code !== 'INTERNAL' : (error as Error).name === 'NaiveRefusal';
}

function textOf(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : String(value);
}

function toKey(type: string, value: unknown): LiteralValue {
  if (value === null) return null;
  if (type === 'int64') return BigInt(value as number | bigint);
  return type === 'int32' ? Number(value) : (value as LiteralValue);
}

/** The oracle holds dates as days. */
function toLiteral(type: ValueType, value: unknown): LiteralValue {
  if (value === null) return null;
  if (type.kind === 'date') return formatDay(value as number);
  if (type.kind === 'list') return (value as unknown[]).map((item) => toLiteral(type.element, item));
  return value as LiteralValue;
}

function toNaive(type: ValueType, value: LiteralValue): unknown {
  if (value === null) return null;
  if (type.kind === 'date') return parseDay(value as string);
  if (type.kind === 'list') return (value as LiteralValue[]).map((item) => toNaive(type.element, item));
  return value;
}
