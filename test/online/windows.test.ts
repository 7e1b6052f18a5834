/** Stream views online against the oracle: events in any order, batches, crashes and clocks (design sections 6.2 to 6.10). */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AggregateFunction } from '../../src/aggregate/aggregate.ts';
import { compileAggregate } from '../../src/aggregate/compile-aggregate.ts';
import { type AggregateName, aggregateFunctions } from '../../src/aggregate/functions.ts';
import { defaultHopUs } from '../../src/aggregate/window.ts';
import { formatDurationUs, parseDurationUs } from '../../src/definitions/duration.ts';
import type { LiteralValue } from '../../src/definitions/literal.ts';
import { formatValueType, parseValueType, type ValueType } from '../../src/definitions/value-type.ts';
import { createOnlineSchemas } from '../../src/online/encoding/schemas.ts';
import { openLmdbStore } from '../../src/online/lmdb-store.ts';
import { createOnlineReader } from '../../src/online/retrieve/reader.ts';
import type { OnlineStore } from '../../src/online/store.ts';
import type { EventBatch } from '../../src/online/windows/event-batch.ts';
import { compileWindowLookup } from '../../src/online/windows/window-lookup.ts';
import { compileWindowView } from '../../src/online/windows/window-view.ts';
import { createEventWriter } from '../../src/online/windows/write-events.ts';
import type { AggregateDocument, ExpressionDocument, ViewDocument } from '../../src/registry/document.ts';
import { eventViewOf } from '../../src/registry/event-view.ts';
import { type Draw, drawFrom } from '../offline/draw-values.ts';
import { computeNaively, type NaiveWindowEvent, type NaiveWindowFeature } from '../support/naive-windows.ts';

/** FEATHERFLIGHT_TEST_RUNS=5000 for a long search. */
const numRuns = Number(process.env.FEATHERFLIGHT_TEST_RUNS ?? 1000);
const seed = Number(process.env.FEATHERFLIGHT_TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));

/** What expressions would give, with some of their values. */
const columns: Readonly<Record<string, readonly [string, readonly LiteralValue[]]>> = {
  isClick: ['bool', [true, false]],
  isLong: ['bool', [true, false]],
  n: ['int64', [0n, 1n, 5n, -3n, 2n ** 62n, -(2n ** 63n)]],
  small: ['int32', [0, 1, 2, -7, 2147483647]],
  x: ['float64', [0, -0, 0.1, 1.5, -2.25, 1e16, 1e-200, 1e200, Number.NaN, Number.POSITIVE_INFINITY]],
  price: ['decimal(10,2)', ['0.00', '19.99', '-5.50', '99999999.99']],
  tag: ['string', ['', 'a', 'b', 'é', 'ab']],
};

const startUs = 1_773_000_000_000_000n;
const minuteUs = 60_000_000n;

interface Drawn {
  readonly view: ViewDocument;
  readonly gapUs: bigint | undefined;
  readonly delayUs: bigint;
  readonly features: readonly NaiveWindowFeature[];
  /** Each with the partition and offset it stands at, and the clock at which it may come first. */
  readonly events: readonly LoggedEvent[];
  readonly partitions: number;
}

interface LoggedEvent extends NaiveWindowEvent {
  readonly partition: number;
  readonly offset: bigint;
  readonly clockUs: bigint;
}

function draw(from: Draw): Drawn {
  const gap = from.chance(35) ? from.pick(['1s', '5m', '30m']) : undefined;
  const delay = from.pick(['0s', '10s', '5m']);
  const features = Array.from({ length: from.int(1, 4) }, (_, at) => drawFeature(from, `f${at}`, gap !== undefined));
  const partitions = from.int(1, 3);
  const offsets = new Array<bigint>(partitions).fill(0n);
  const nulls = from.pick([0, 20]);
  const spreadUs = from.pick([2n, 90n, 3000n]) * minuteUs;
  let clockUs = startUs;
  const events = Array.from({ length: from.int(0, 40) }, (): LoggedEvent => {
    clockUs += BigInt(from.int(0, Number(spreadUs / 20n)));
    // Mostly of now, some late, some a little ahead of the clock (rule 6.6), some at a hop's end.
    const age = BigInt(from.int(-59_000_000, from.pick([1_000_000, Number(spreadUs)])));
    const exact = clockUs - age;
    const timeUs = from.chance(25) ? exact - (exact % minuteUs) : exact;
    const partition = from.int(0, partitions - 1);
    const offset = offsets[partition] as bigint;
    offsets[partition] = offset + BigInt(from.int(1, 2));
    const values = Object.fromEntries(
      Object.entries(columns).map(([name, [, pool]]) => [name, from.chance(nulls) ? null : from.pick(pool)]),
    );
    return { key: BigInt(from.int(1, 3)), timeUs, isValid: true, id: null, values, partition, offset, clockUs };
  });
  return {
    view: viewOf(features, delay, gap),
    gapUs: gap === undefined ? undefined : parseDurationUs(gap),
    delayUs: parseDurationUs(delay),
    features,
    events,
    partitions,
  };
}

function drawFeature(from: Draw, name: string, isSession: boolean): NaiveWindowFeature {
  const allowed = (Object.keys(aggregateFunctions) as AggregateName[]).filter((of) => isSession || of !== 'duration');
  const of = from.pick(allowed);
  const { takes }: AggregateFunction = aggregateFunctions[of];
  const read =
    (column: string) =>
    ({ values }: NaiveWindowEvent) =>
      values[column] as LiteralValue;
  const fitting = Object.keys(columns).filter(
    (column) => compiles(of, parseValueType((columns[column] as readonly [string, unknown])[0])) && column !== 'isClick',
  );
  const column = from.pick(fitting);
  const type: ValueType = takes === 'value' ? parseValueType(columns[column]?.[0] as string) : { kind: 'bool' };
  const size = from.int(1, 3);
  const window = isSession ? undefined : from.pick(['1s', '90s', '1h', '1d', '20d', 'lifetime']);
  const windowUs = window === undefined || window === 'lifetime' ? window : parseDurationUs(window);
  const hopUs =
    typeof windowUs !== 'bigint'
      ? undefined
      : from.chance(60)
        ? defaultHopUs(windowUs)
        : parseDurationUs(from.pick(['1s', '7s', '5m']));
  const feature: NaiveWindowFeature = {
    name,
    function: of,
    type,
    size,
    resultType: compileAggregate(of, type, size).result,
    ...(takes === 'value' ? { value: read(column) } : {}),
    ...(from.chance(50) ? { where: read('isClick') as (event: NaiveWindowEvent) => boolean | null } : {}),
    ...(takes === 'conditions' ? { condition: read('isLong') as (event: NaiveWindowEvent) => boolean | null } : {}),
    ...(takes === 'conditions' && from.chance(50)
      ? { over: read('isClick') as (event: NaiveWindowEvent) => boolean | null }
      : {}),
    windowUs,
    hopUs,
  };
  documents.set(feature, { column });
  return feature;
}

const documents = new WeakMap<NaiveWindowFeature, { readonly column: string }>();

function compiles(of: AggregateName, type: ValueType): boolean {
  return (aggregateFunctions[of] as AggregateFunction).compile(type, 1) !== undefined;
}

/** A document whose expressions are columns: what apply would bind of them, without SQL. */
function viewOf(features: readonly NaiveWindowFeature[], delay: string, gap: string | undefined): ViewDocument {
  const expression = (name: string): ExpressionDocument => ({
    text: name,
    tree: { kind: 'column', name, type: parseValueType(columns[name]?.[0] as string) },
  });
  return {
    name: 'activity',
    kind: 'stream',
    entities: ['user'],
    source: 'clicks',
    keys: [{ name: 'user_id', type: 'int64', column: 'user_id' }],
    delay,
    asKnown: false,
    ...(gap === undefined ? {} : { session: { gap } }),
    features: features.map((feature) => {
      const aggregate: AggregateDocument = {
        function: feature.function as AggregateName,
        ...(feature.value && { value: expression(documents.get(feature)?.column as string) }),
        ...(feature.where && { where: expression('isClick') }),
        ...(feature.condition && { condition: expression('isLong') }),
        ...(feature.over && { over: expression('isClick') }),
        ...(feature.windowUs === undefined
          ? {}
          : feature.windowUs === 'lifetime'
            ? { window: 'lifetime' }
            : { window: formatDurationUs(feature.windowUs), hop: formatDurationUs(feature.hopUs as bigint) }),
        size: feature.size,
      };
      const type = formatValueType(feature.resultType);
      return { name: feature.name, type, column: '', aggregate, hash: JSON.stringify([type, aggregate, gap]) };
    }),
    tags: {},
    file: 'features.ts',
  };
}

let directory: string;
let store: OnlineStore;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'featherflight-windows-'));
  store = openLmdbStore(join(directory, 'online'));
});
afterAll(async () => {
  await store?.close();
  rmSync(directory, { recursive: true, force: true });
});

/** One processor that may be killed anywhere: what it holds in memory is lost, what it wrote stays. */
async function processAndCompare(from: Draw, drawn: Drawn, project: string): Promise<void> {
  // At any size, of which the least makes most states stand beside their keys.
  const maxStateBytes = from.pick([60, 200, 1 << 20]);
  const view = compileWindowView(
    drawn.view,
    [{ name: 'user', joinKeys: [{ name: 'user_id', type: 'int64' }], tags: {}, file: '' }],
    maxStateBytes,
  );
  const scope = { store, project, schemas: createOnlineSchemas(store, project) };
  const writer = createEventWriter(scope);
  const lookup = compileWindowLookup(
    view,
    view.features.map(({ name }) => name),
  );
  const [one] = view.features;
  const alone = compileWindowLookup(view, [(one as (typeof view.features)[number]).name]);
  const reader = createOnlineReader(store, project);
  const names = eventViewOf(drawn.view).expressions.map((tree) => (tree as { name: string }).name);
  const progress = new Array<bigint>(drawn.partitions).fill(0n);
  const asleep: EventBatch[] = [];
  let nowUs = startUs;

  const batchOf = (partition: number, until: bigint, isStale: boolean): EventBatch => {
    const start = progress[partition] as bigint;
    const events = drawn.events.filter((event) => event.partition === partition && event.offset >= start && event.offset < until);
    return {
      partition: `p${partition}`,
      next: until,
      nowUs,
      acceptedFromUs: undefined,
      isCommitted: (of, next) => !isStale && next <= (progress[Number(of.slice(1))] as bigint),
      readCommitted: async () => progress[partition] as bigint,
      events: [
        {
          view,
          keys: [events.map(({ key }) => key)],
          timesUs: events.map(({ timeUs }) => timeUs as bigint),
          offsets: events.map(({ offset }) => offset),
          values: names.map((name) => events.map(({ values }) => values[name] as LiteralValue)),
        },
      ],
    };
  };

  const compare = async () => {
    const seen = drawn.events.filter(({ partition, offset }) => offset < (progress[partition] as bigint));
    const keys = [1n, 2n, 3n, 4n];
    const entities = keys.map((key) => [key]);
    const { rows } = await reader.read([{ lookup, entities }], nowUs);
    // A feature asked for alone is what it is among others.
    const subset = (await reader.read([{ lookup: alone, entities }], nowUs)).rows[0];
    expect(subset?.map((row) => [row?.values[0], row?.eventsUs?.[0]])).toEqual(
      rows[0]?.map((row) => [row?.values[0], row?.eventsUs?.[0]]),
    );
    for (const [at, key] of keys.entries()) {
      for (const [place, feature] of drawn.features.entries()) {
        const expected = computeNaively({ delayUs: drawn.delayUs, gapUs: drawn.gapUs }, feature, seen, key, nowUs);
        const row = rows[0]?.[at];
        const got = { value: row?.values[place], eventUs: row?.eventsUs?.[place] };
        const label = `${feature.function} of ${key} at ${nowUs}`;
        if (typeof expected.value === 'number' && Number.isFinite(expected.value)) {
          expect(Math.abs((got.value as number) - expected.value), label).toBeLessThanOrEqual(expected.tolerance);
        } else expect(got.value, label).toEqual(withoutSign(expected.value));
        expect(got.eventUs, label).toEqual(expected.eventUs);
      }
    }
  };

  const clocks = [...new Set(drawn.events.map(({ clockUs }) => clockUs))];
  for (const clockUs of clocks) {
    nowUs = clockUs;
    if (from.chance(40)) await compare();
    if (from.chance(50)) continue; // a lag
    for (let partition = 0; partition < drawn.partitions; partition++) {
      const come = drawn.events.filter((event) => event.partition === partition && event.clockUs <= clockUs);
      const end = come.length === 0 ? 0n : (come.at(-1)?.offset as bigint) + 1n;
      while ((progress[partition] as bigint) < end) {
        const next = from.chance(50)
          ? end
          : (progress[partition] as bigint) + BigInt(from.int(1, Number(end - (progress[partition] as bigint))));
        const batch = batchOf(partition, next, from.chance(30));
        // Killed half-way: some keys have it, and all is done again, in a batch that ends elsewhere.
        if (from.chance(30)) {
          const keys = batch.events[0]?.keys[0] as readonly LiteralValue[];
          const some = from.pick([1n, 2n, 3n]);
          const chosen = [...keys.keys()].filter((row) => keys[row] === some);
          const pickRows = <T>(all: readonly T[]) => chosen.map((row) => all[row] as T);
          const [events] = batch.events;
          if (events !== undefined) {
            await writer.apply({
              ...batch,
              events: [
                {
                  ...events,
                  keys: [pickRows(keys)],
                  timesUs: pickRows(events.timesUs),
                  offsets: pickRows(events.offsets),
                  values: events.values.map(pickRows),
                },
              ],
            });
          }
          if (from.chance(50)) continue;
        }
        await writer.apply(batch);
        if (from.chance(20)) await writer.apply(batch);
        progress[partition] = next;
        // One that was asleep wakes up with what it held.
        asleep.push(batch);
        if (from.chance(30)) await writer.apply(from.pick(asleep));
      }
    }
    await compare();
  }
  nowUs += BigInt(from.pick([1, 1_000_000, 3_600_000_000, 100_000_000_000]));
  await compare();
}

/** An aggregate never yields -0 (rule 6.10). */
function withoutSign(value: LiteralValue): LiteralValue {
  if (Array.isArray(value)) return value.map(withoutSign);
  return value === 0 ? 0 : value;
}

describe('windows online', () => {
  test(`6.2 to 6.10: ${numRuns} random histories in batches, killed, repeated and late, equal the oracle (seed ${seed})`, async () => {
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.gen(), async (g) => {
        const from = drawFrom(g);
        await processAndCompare(from, draw(from), `p${run++}`);
      }),
      { numRuns, seed },
    );
    expect(run).toBeGreaterThan(0);
  }, 600_000);
});
