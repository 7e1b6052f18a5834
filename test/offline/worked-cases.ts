/** The worked cases of design section 12 that concern batch views, as scenarios with the answers that the table gives. */
import { field } from '../../src/arrow/schema.ts';
import type { NaiveFeature, NaiveRow, NaiveStatus, NaiveType } from '../support/naive-join.ts';
import type { Scenario, ScenarioColumn, ScenarioSource } from '../support/scenario.ts';

export interface WorkedCase {
  readonly name: string;
  readonly scenario: Scenario;
  /** By frame row. */
  readonly expected: readonly { readonly value: number | null; readonly status: NaiveStatus }[];
}

const instant: NaiveType = { kind: 'time', unit: 'us', zoned: true };
const present = (value: number) => ({ value, status: 'PRESENT' }) as const;
const missing = { value: null, status: 'NOT_FOUND' } as const;

/** Event and created (or available) timestamps on 2026-03-10 unless a date is written, and the value. */
type Row = { readonly event: string; readonly created?: string; readonly available?: string; readonly value: number | null };

export const workedCases: readonly WorkedCase[] = [
  { name: 'inclusive right', ...single([{ event: '12:00:00.000000', value: 5 }]), expected: [present(5)] },
  { name: 'one microsecond late', ...single([{ event: '12:00:00.000001', value: 5 }]), expected: [missing] },
  { name: 'inclusive ttl', ...single([{ event: '2026-03-09T12:00:00.000000', value: 5 }]), expected: [present(5)] },
  {
    name: 'just past ttl',
    ...single([{ event: '2026-03-09T11:59:59.999999', value: 5 }]),
    expected: [{ value: null, status: 'OUTSIDE_MAX_AGE' }],
  },
  {
    name: 'correction',
    ...single([
      { event: '10:00:00', created: '10:00:00', value: 1 },
      { event: '10:00:00', created: '11:00:00', value: 2 },
    ]),
    expected: [present(2)],
  },
  { name: 'correction made later', ...single(correctedLater()), expected: [present(2)] },
  { name: 'correction made later; with asKnown', ...single(correctedLater(), { asKnown: true }), expected: [present(1)] },
  {
    name: 'correction made later; with as_known of the request',
    ...single(correctedLater(), { requestAsKnown: true }),
    expected: [present(1)],
  },
  {
    name: 'landing delay 3h',
    ...single(
      [
        { event: '08:00:00', value: 1 },
        { event: '10:00:00', value: 2 },
      ],
      { delay: '3h' },
    ),
    expected: [present(1)],
  },
  {
    name: 'key 42.0 and NaN in a float column',
    ...single([{ event: '10:00:00', value: 5 }], { floatKeys: [42, Number.NaN] }),
    expected: [present(5), missing],
  },
  {
    name: 'delay, older row lands later',
    ...single([
      { event: '08:00:00', available: '11:00:00', value: 1 },
      { event: '07:00:00', available: '11:30:00', value: 0 },
    ]),
    expected: [present(1)],
  },
  {
    name: 'null newest',
    ...single([
      { event: '10:00:00', value: 7 },
      { event: '11:00:00', value: null },
    ]),
    expected: [{ value: null, status: 'NULL_VALUE' }],
  },
  {
    name: 'duplicates in the frame',
    ...single([{ event: '10:00:00', value: 5 }], { rows: 2 }),
    expected: [present(5), present(5)],
  },
  {
    name: 'null T, 100 000 rows',
    ...single([{ event: '10:00:00', value: 5 }], { rows: 100_000, nullTimes: true }),
    expected: new Array(100_000).fill(missing),
  },
];

interface Settings {
  readonly delay?: string;
  readonly asKnown?: boolean;
  readonly requestAsKnown?: boolean;
  readonly floatKeys?: readonly number[];
  readonly rows?: number;
  readonly nullTimes?: boolean;
}

function correctedLater(): Row[] {
  return [
    { event: '10:00:00', created: '10:00:00', value: 1 },
    { event: '10:00:00', created: '13:00:00', value: 2 },
  ];
}

/** One view of key 42 with ttl 24h, and a frame whose rows ask for it at 2026-03-10 12:00Z. */
function single(rows: readonly Row[], settings: Settings = {}): { scenario: Scenario } {
  const source = sourceOf(rows);
  const features: NaiveFeature[] = [{ name: 'value', column: 'value', type: { kind: 'int32' } }];
  const keys = [{ name: 'user_id', type: 'int64', column: 'user_id' }] as const;
  const view = { name: 'cases', source, keys, ttl: '24h', delay: settings.delay, asKnown: settings.asKnown, features };
  const keyField = field(
    'user_id',
    settings.floatKeys === undefined ? { id: 'int', bits: 64, signed: true } : { id: 'float', bits: 64 },
  );
  const length = settings.rows ?? settings.floatKeys?.length ?? 1;
  const time = settings.nullTimes === true ? null : microsecondsOf('12:00:00');
  const frameColumns = [
    { field: keyField, values: settings.floatKeys ?? new Array(length).fill(42n) },
    { field: field('event_timestamp', { id: 'timestamp', unit: 'us', timezone: 'UTC' }), values: new Array(length).fill(time) },
  ];
  return {
    scenario: {
      views: [view],
      frame: { rows: length, columns: frameColumns, batchRows: 65_536 },
      features: [{ view: 'cases', feature: 'value' }],
      asKnown: settings.requestAsKnown,
      statuses: true,
    },
  };
}

function sourceOf(rows: readonly Row[]): ScenarioSource {
  const columns: ScenarioColumn[] = [
    { name: 'user_id', duckType: 'BIGINT', type: { kind: 'int64' } },
    { name: 'event', duckType: 'TIMESTAMP WITH TIME ZONE', type: instant },
  ];
  const has = (name: 'created' | 'available') => rows.some((row) => row[name] !== undefined);
  if (has('created')) columns.push({ name: 'created', duckType: 'TIMESTAMP WITH TIME ZONE', type: instant });
  if (has('available')) columns.push({ name: 'available', duckType: 'TIMESTAMP WITH TIME ZONE', type: instant });
  columns.push({ name: 'value', duckType: 'INTEGER', type: { kind: 'int32' } });
  return {
    name: 'cases',
    columns,
    event: 'event',
    created: has('created') ? 'created' : undefined,
    available: has('available') ? 'available' : undefined,
    rows: rows.map(
      ({ event, created, available, value }): NaiveRow => ({
        user_id: 42n,
        event: microsecondsOf(event),
        created: created === undefined ? null : microsecondsOf(created),
        available: available === undefined ? null : microsecondsOf(available),
        value,
      }),
    ),
    format: 'parquet',
    files: 1,
  };
}

function microsecondsOf(text: string): bigint {
  const [seconds = '', fraction = ''] = text.split('.');
  const date = seconds.includes('T') ? seconds : `2026-03-10T${seconds}`;
  return BigInt(Date.parse(`${date}Z`)) * 1000n + BigInt(fraction.padEnd(6, '0'));
}
