/** Stream views against the oracle: random events, windows, sessions, expressions and frames (design sections 5.4 and 6). */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AggregateFunction } from '../../src/aggregate/aggregate.ts';
import { compileAggregate } from '../../src/aggregate/compile-aggregate.ts';
import { type AggregateName, aggregateFunctions } from '../../src/aggregate/functions.ts';
import { defaultHopUs } from '../../src/aggregate/window.ts';
import { field } from '../../src/arrow/schema.ts';
import { parseConfig } from '../../src/config.ts';
import { parseDurationUs } from '../../src/definitions/duration.ts';
import type { LiteralValue } from '../../src/definitions/literal.ts';
import { parseValueType, type ValueType } from '../../src/definitions/value-type.ts';
import { entity, eventSource, fitted, parquet, streamFeatureView } from '../../src/index.ts';
import type { History } from '../../src/offline/history.ts';
import { bindRepository } from '../../src/registry/bind.ts';
import type { RegistryDocument } from '../../src/registry/document.ts';
import type { Definition } from '../../src/registry/repository.ts';
import { answerWithEngine, openTestHistory } from '../support/answer-with-engine.ts';
import { computeNaively, type NaiveWindowEvent, type NaiveWindowFeature } from '../support/naive-windows.ts';
import type { Scenario, ScenarioSource } from '../support/scenario.ts';
import { writeSource } from '../support/write-source.ts';
import { type Draw, drawFrom } from './draw-values.ts';

/** Histories that one projection and one request answer: each has keys of its own. */
const historiesAtOnce = 10;
/** So many times `historiesAtOnce`; FEATHERFLIGHT_TEST_RUNS=2000 for a long search. */
const numRuns = Number(process.env.FEATHERFLIGHT_TEST_RUNS || 100);
const seed = Number(process.env.FEATHERFLIGHT_TEST_SEED || Math.floor(Math.random() * 2 ** 31));

const settings = [
  ['one bucket', {}, numRuns],
  ['many buckets', { bucketBytes: 256 }, Math.ceil(numRuns / 3)],
] as const;

const user = entity('user', { joinKeys: { user_id: 'int64' } });

/** The events' columns, with some of their values. */
const columns = {
  user_id: ['BIGINT', 'int64', [1n, 2n, 3n, 4n]],
  kind: ['VARCHAR', 'string', ['view', 'click', 'buy', 'unknown']],
  n: ['BIGINT', 'int64', [0n, 1n, 5n, -3n, 2n ** 62n, -(2n ** 63n)]],
  small: ['INTEGER', 'int32', [0, 1, 2, -7, 2147483647]],
  x: ['DOUBLE', 'float64', [0, -0, 0.1, 1.5, -2.25, 1e16, 1e-200, 1e200, Number.NaN, Number.POSITIVE_INFINITY]],
  price: ['DECIMAL(10,2)', 'decimal(10,2)', ['0.00', '19.99', '-5.50', '99999999.99']],
  tag: ['VARCHAR', 'string', ['', 'a', 'b', 'é', 'ab']],
  id: ['BIGINT', 'int64', []],
} as const;
type Name = keyof typeof columns;

const vocabulary = ['view', 'click', 'buy'];

type Read = (event: NaiveWindowEvent) => LiteralValue;
const read =
  (name: Name): Read =>
  (event) =>
    event.values[name] as LiteralValue;

/** Expressions with what they mean. */
const conditions: readonly (readonly [string, (event: NaiveWindowEvent) => boolean | null])[] = [
  ["kind = 'click'", ({ values }) => (values.kind === null ? null : values.kind === 'click')],
  ["kind in ('view', 'buy')", ({ values }) => (values.kind === null ? null : values.kind !== 'click')],
  ['n > 0 and x is not null', ({ values }) => and(values.n === null ? null : (values.n as bigint) > 0n, values.x !== null)],
  ['not (small >= 1)', ({ values }) => (values.small === null ? null : (values.small as number) < 1)],
  ['n + 1 > n', ({ values }) => (values.n === null ? null : true)],
  [
    "length(tag) = 1 or kind = 'buy'",
    ({ values }) =>
      or(
        values.tag === null ? null : [...(values.tag as string)].length === 1,
        values.kind === null ? null : values.kind === 'buy',
      ),
  ],
];
const values: readonly (readonly [string, string, Read])[] = [
  ...(['n', 'small', 'x', 'price', 'tag', 'kind'] as const).map((name) => [name, columns[name][1], read(name)] as const),
  [
    'n * 2',
    'int64',
    ({ values: { n } }) =>
      n === null || BigInt.asIntN(64, (n as bigint) * 2n) !== (n as bigint) * 2n ? null : (n as bigint) * 2n,
  ],
  ['small / 2', 'float64', ({ values: { small } }) => (small === null ? null : (small as number) / 2)],
  [
    "case when kind = 'buy' then price end",
    'decimal(38,2)',
    ({ values: row }) => (row.kind === 'buy' ? (row.price as LiteralValue) : null),
  ],
];

function and(a: boolean | null, b: boolean | null): boolean | null {
  return a === false || b === false ? false : a === null || b === null ? null : true;
}

function or(a: boolean | null, b: boolean | null): boolean | null {
  return a === true || b === true ? true : a === null || b === null ? null : false;
}

interface Drawn {
  readonly histories: readonly DrawnHistory[];
  readonly delay: string;
  readonly gap?: string;
  readonly hasId: boolean;
  readonly features: readonly NaiveWindowFeature[];
  readonly options: Readonly<Record<string, object>>;
  readonly batchRows: number;
}

interface DrawnHistory {
  readonly events: readonly NaiveWindowEvent[];
  readonly frame: readonly { readonly key: bigint | null; readonly timeUs: bigint | null }[];
}

function draw(g: fc.GeneratorValue): Drawn {
  const from = drawFrom(g);
  const hasId = from.chance(30);
  const gap = from.chance(30) ? from.pick(['1s', '30m', '1h', '12h']) : undefined;
  const options: Record<string, object> = {};
  const features = Array.from({ length: from.int(1, 5) }, (_, at) => drawFeature(from, `f${at}`, gap !== undefined, options));
  return {
    histories: Array.from({ length: historiesAtOnce }, (_, at) => drawHistory(drawFrom(g), BigInt(at), hasId)),
    delay: from.pick(['0', '1s', '1h']),
    gap,
    hasId,
    features,
    options,
    batchRows: from.pick([1, 7, 1000]),
  };
}

function drawHistory(from: Draw, at: bigint, hasId: boolean): DrawnHistory {
  const nulls = from.pick([0, 10, 30]);
  const orNull = <T>(value: T): T | null => (from.chance(nulls) ? null : value);
  const keyOf = (key: bigint) => 10n * at + key;
  const events = Array.from({ length: from.int(0, 40) }, (): NaiveWindowEvent => {
    const row = Object.fromEntries(
      Object.entries(columns).map(([name, [, , pool]]) => [
        name,
        pool.length === 0 ? null : orNull(from.pick<LiteralValue>(pool)),
      ]),
    );
    const key = row.user_id === null ? null : keyOf(row.user_id as bigint);
    // Equal ids are equal in all but their time, so that it does not matter which of them counts at one time.
    const id = hasId ? orNull(1000n * at + BigInt(from.int(0, 30))) : null;
    return {
      key,
      timeUs: orNull(from.time()),
      isValid: row.kind === null || vocabulary.includes(row.kind as string),
      id,
      values: { ...row, user_id: key, id },
    };
  });
  const frame = Array.from({ length: from.pick([0, 5, 30]) }, () => ({
    key: from.chance(10) ? null : keyOf(BigInt(from.int(1, 5))),
    timeUs: from.chance(10) ? null : from.time(),
  }));
  return { events: distinctIds(events), frame };
}

/** Of events with one id and one time only the first is kept: which of two that differ counts, their values decide. */
function distinctIds(events: readonly NaiveWindowEvent[]): NaiveWindowEvent[] {
  return events.filter(
    (event, at) =>
      event.id === null || !events.slice(0, at).some((other) => other.id === event.id && other.timeUs === event.timeUs),
  );
}

function drawFeature(from: Draw, name: string, isSession: boolean, options: Record<string, object>): NaiveWindowFeature {
  const allowed = (Object.keys(aggregateFunctions) as AggregateName[]).filter(
    (candidate) => isSession || candidate !== 'duration',
  );
  const of = from.pick(allowed);
  const { takes }: AggregateFunction = aggregateFunctions[of];
  const fitting = values.filter(
    ([, type]) =>
      takes !== 'value' || (aggregateFunctions[of] as AggregateFunction).compile(parseValueType(type), 1) !== undefined,
  );
  const [text, typeText, readValue] = from.pick(fitting);
  const type: ValueType = takes === 'value' ? parseValueType(typeText) : { kind: 'bool' };
  const size = from.int(1, 3);
  const resultType = compileAggregate(of, type, size).result;
  const where = from.chance(40) ? from.pick(conditions) : undefined;
  const condition = takes === 'conditions' ? from.pick(conditions) : undefined;
  const over = takes === 'conditions' && from.chance(50) ? from.pick(conditions) : undefined;
  const window = isSession ? undefined : from.pick(['1s', '90s', '1h', '12h', '1d', '3d', '20d', 'lifetime']);
  const hop =
    window === undefined || window === 'lifetime' || from.chance(60) ? undefined : from.pick(['1s', '7s', '5m', '1h', '2d']);
  const fallback = drawDefault(from, resultType);
  options[name] = {
    kind: 'aggregation',
    function: of,
    ...(takes === 'value' ? { value: text } : {}),
    ...(where && { where: where[0] }),
    ...(condition && { condition: condition[0] }),
    ...(over && { over: over[0] }),
    ...(window && { window }),
    ...(hop && { hop }),
    ...((aggregateFunctions[of] as AggregateFunction).size === undefined ? {} : { size }),
    ...(fallback === undefined ? {} : { default: 'literal' in fallback ? fallback.literal : fitted(fallback.fitted) }),
  };
  const windowUs = window === undefined || window === 'lifetime' ? window : parseDurationUs(window);
  const hopUs = typeof windowUs === 'bigint' ? (hop === undefined ? defaultHopUs(windowUs) : parseDurationUs(hop)) : undefined;
  return {
    name,
    function: of,
    type,
    value: takes === 'value' ? readValue : undefined,
    where: where?.[1],
    condition: condition?.[1],
    over: over?.[1],
    windowUs,
    hopUs,
    size,
    default: fallback,
    resultType,
  };
}

function drawDefault(from: Draw, type: ValueType): NaiveWindowFeature['default'] {
  const which = from.pick(['none', 'literal', 'fitted'] as const);
  if (which === 'none') return undefined;
  if (which === 'fitted') return { fitted: type.kind === 'float64' ? from.pick(['mean', 'median', 'mode'] as const) : 'mode' };
  if (type.kind === 'int64') return { literal: -7n };
  if (type.kind === 'float64') return { literal: 0.5 };
  return type.kind === 'string' ? { literal: 'none' } : undefined;
}

async function apply(history: History, root: string, name: string, drawn: Drawn): Promise<RegistryDocument> {
  const source: ScenarioSource = {
    name,
    columns: [
      { name: 'at', duckType: 'TIMESTAMP WITH TIME ZONE', type: { kind: 'time', unit: 'us', zoned: true } },
      ...Object.entries(columns).map(([column, [duckType, type]]) => ({ name: column, duckType, type: parseValueType(type) })),
    ],
    event: 'at',
    rows: drawn.histories.flatMap(({ events }) => events).map(({ timeUs, values: row }) => ({ ...row, at: timeUs })),
    format: 'parquet',
    files: 2,
  };
  const table = await writeSource(root, source);
  const declared = Object.fromEntries(Object.entries(columns).map(([column, [, type]]) => [column, type]));
  const clicks = eventSource('clicks', {
    history: parquet(table.paths),
    eventTimestamp: 'at',
    ...(drawn.hasId ? { eventId: 'id' } : {}),
    columns: { ...declared, kind: { type: 'string', values: vocabulary } } as never,
  });
  const view = streamFeatureView('activity', {
    entities: [user],
    source: clicks,
    delay: drawn.delay as '1s',
    ...(drawn.gap === undefined ? {} : { session: { gap: drawn.gap as '1s' } }),
    features: drawn.options as never,
  });
  const definitions = [user, clicks, view].map((definition) => ({
    definition: definition as unknown as Definition,
    file: 'features/a.ts',
  }));
  const bound = await bindRepository({ root, config: parseConfig({ project: 'test' }, root), definitions }, history);
  return { ...bound, version: 1, appliedAt: '2026-03-10T12:00:00Z' };
}

describe.each(settings)('section 6, events of %s', (what, sizes, runs) => {
  const root = mkdtempSync(join(tmpdir(), 'windows-'));
  let history: History;
  beforeAll(async () => {
    console.log(
      `windows over random histories, events of ${what}: ${runs * historiesAtOnce} histories, FEATHERFLIGHT_TEST_SEED=${seed}`,
    );
    history = await openTestHistory(root, sizes);
  });
  afterAll(async () => {
    await history.close();
    rmSync(root, { recursive: true, force: true });
  });

  test(
    'windows and sessions are what the oracle says',
    async () => {
      let count = 0;
      let compared = 0;
      await fc.assert(
        fc.asyncProperty(fc.gen(), async (g) => {
          const drawn = draw(g);
          const registry = await apply(history, root, `w${count++ % 20}`, drawn);
          compared += await expectAnswers(history, registry, drawn);
        }),
        { numRuns: runs, seed, endOnFailure: process.env.FEATHERFLIGHT_TEST_SHRINK === undefined },
      );
      expect(compared).toBeGreaterThan(0);
    },
    60_000 + runs * 1000,
  );
});

/** Gives how many values were compared. */
async function expectAnswers(history: History, registry: RegistryDocument, drawn: Drawn): Promise<number> {
  const rows = drawn.histories.flatMap(({ frame, events }) => frame.map((row) => ({ ...row, events })));
  const everything = drawn.histories.flatMap(({ events }) => events);
  const timestamp = field('event_timestamp', { id: 'timestamp', unit: 'us', timezone: 'UTC' });
  const scenario: Scenario = {
    views: [],
    frame: {
      rows: rows.length,
      batchRows: drawn.batchRows,
      columns: [
        { field: field('user_id', { id: 'int', bits: 64, signed: true }), values: rows.map(({ key }) => key) },
        { field: timestamp, values: rows.map(({ timeUs }) => timeUs) },
      ],
    },
    features: drawn.features.map(({ name }) => ({ view: 'activity', feature: name })),
    statuses: true,
  };
  const answer = await answerWithEngine(history, registry, scenario);
  const view = { delayUs: parseDurationUs(drawn.delay), gapUs: drawn.gap === undefined ? undefined : parseDurationUs(drawn.gap) };
  for (const [at, feature] of drawn.features.entries()) {
    const [value, status, event, isDefault] = answer.columns.slice(4 * at, 4 * at + 4).map((column) => column.values);
    const isFitted = feature.default !== undefined && 'fitted' in feature.default;
    for (const [row, { key, timeUs, events }] of rows.entries()) {
      // A fitted default is over the keys of all histories.
      const expected = computeNaively(view, feature, isFitted ? everything : events, key, timeUs);
      const what = { feature: drawn.options[feature.name], row: { key, timeUs } };
      expect({ what, status: status?.[row], event: event?.[row], isDefault: isDefault?.[row] }).toEqual({
        what,
        status: expected.status,
        event: expected.eventUs,
        isDefault: expected.isDefault,
      });
      const actual = value?.[row];
      const isNear =
        typeof actual === 'number' &&
        typeof expected.value === 'number' &&
        Math.abs(actual - expected.value) <= expected.tolerance;
      if (!isNear) expect({ what, value: actual }).toEqual({ what, value: unsigned(expected.value) });
    }
  }
  return rows.length * drawn.features.length;
}

function unsigned(value: LiteralValue): LiteralValue {
  if (Array.isArray(value)) return value.map(unsigned);
  return typeof value === 'number' ? value + 0 : value;
}
