/** A leak audit from its request to its report: of features that we would make, or of a table that was made elsewhere. */
import type { Column } from '../../arrow/column.ts';
import { readValues } from '../../arrow/read-value.ts';
import type { Schema } from '../../arrow/schema.ts';
import { parseDurationUs } from '../../definitions/duration.ts';
import { parseInstantUs } from '../../definitions/literal.ts';
import { didYouMean, FeatureStoreError } from '../../errors.ts';
import type { FrameBatch } from '../../offline/answer/answer.ts';
import type { History } from '../../offline/history.ts';
import type { RegistryDocument } from '../../registry/document.ts';
import type { OnProgress } from '../progress.ts';
import { type Ask, planSample } from './answer-sample.ts';
import { readKeysOf } from './example.ts';
import { findGivenAway, type Series } from './labels.ts';
import { auditFeatures } from './own/audit-features.ts';
import { listReferences, type References } from './references.ts';
import type { AuditedColumn, LeakFindings, LeakProgress, NotExamined } from './report.ts';
import type { LeakRequest } from './request.ts';
import { identify } from './same-value.ts';
import { rangeOf, readSample, readSampleTimes, type Sample, type SampleTime } from './sample.ts';
import { describeUnknown } from './sources.ts';
import { auditTable } from './table/audit-table.ts';
import { mapColumns } from './table/map-columns.ts';

export interface LeakParts {
  readonly history: Pick<History, 'prepare' | 'engine' | 'readState' | 'newestEventUs'>;
  readonly registry: RegistryDocument;
  /** Folder for copies of sources while an audit runs. */
  readonly directory: string;
  readonly signal: AbortSignal;
  readonly onProgress?: OnProgress<LeakProgress>;
}

export interface AuditedFrame {
  readonly schema: Schema;
  batches(signal: AbortSignal): AsyncIterable<FrameBatch>;
}

/** Checks the request against the frame's columns, audits, and sums up. Refusals name the column and say what to do. */
export async function auditLeaks(parts: LeakParts, request: LeakRequest, frame: AuditedFrame): Promise<LeakFindings> {
  const { registry } = parts;
  checkRequest(request);
  const labels = request.labels.map((label) => findColumn(frame.schema, label, 'label'));
  const time = findTime(request, frame.schema);
  const wanted = request.features != null || request.service != null ? listReferences(registry, request) : undefined;
  const map = request.table
    ? mapColumns(registry, frame.schema, {
        given: request.columns,
        apart: [...request.labels, request.timestamp],
        references: wanted?.features,
      })
    : undefined;
  const references = map === undefined ? (wanted as References).features : map.columns.map(({ reference }) => reference);
  const keys = wanted?.keys ?? request.keys;
  const whole = await readSample(frame.schema, frame.batches(parts.signal), time, request.max_rows);
  if (whole.length === 0) return nothing(whole.of);
  const claimed = new Set(map?.columns.map(({ index }) => index));
  const sample: Sample = { ...whole, columns: whole.columns.filter((_, at) => !claimed.has(at)) };
  const { plan } = planSample({ registry, features: references, keys, asKnown: null }, sample);
  const ask = {
    history: parts.history,
    registry,
    features: references,
    keys,
    asKnown: request.as_known ?? null,
    signal: parts.signal,
    keysOf: readKeysOf(plan),
    deltaUs: parseDurationUs(request.delta),
    onProgress: parts.onProgress ?? (() => {}),
  };
  const valuesOf = (at: number) => readValues(whole.columns[at] as Column);
  const found =
    map === undefined
      ? await auditOwn(parts, ask, request, sample)
      : await auditGiven(
          parts,
          ask,
          request,
          sample,
          map.columns.map(({ column, index }) => ({ column, values: valuesOf(index) })),
        );
  const others = (map?.unmapped ?? []).map(({ column }) => ({
    name: column,
    values: valuesOf(findColumn(frame.schema, column, 'column')),
  }));
  const givenAway = findGivenAway(
    labels.map((at) => ({ name: frame.schema.fields[at]?.name as string, values: valuesOf(at) })),
    [...found.series, ...others],
    identifyRows(sample, ask.keysOf),
  );
  return sumUp(whole, {
    columns: found.columns,
    labels: givenAway,
    unknown: describeUnknown([...new Set(plan.lookups.map(({ source }) => source))]),
    unmapped: map?.unmapped ?? [],
  });
}

type AskAll = Ask & Pick<Parameters<typeof auditTable>[0], 'keysOf' | 'deltaUs' | 'onProgress'>;

async function auditOwn(parts: LeakParts, ask: AskAll, { cuts }: LeakRequest, sample: Sample) {
  const { columns, values } = await auditFeatures({ ...ask, history: parts.history, directory: parts.directory, cuts }, sample);
  const series: Series[] = columns.map(({ column }, at) => ({ name: column, values: values[at]?.values ?? [] }));
  return { columns, series };
}

async function auditGiven(
  { history, registry }: LeakParts,
  ask: AskAll,
  { threshold }: LeakRequest,
  sample: Sample,
  columns: Parameters<typeof auditTable>[0]['columns'],
) {
  const { plan } = planSample(ask, sample);
  const sources = new Set(plan.lookups.map(({ source }) => source));
  let endUs = 0n;
  for (const source of sources) {
    const newest = await history.newestEventUs(source);
    if (newest !== undefined && newest > endUs) endUs = newest;
  }
  const audited = await auditTable({ ...ask, registry, columns, endUs, threshold }, sample);
  return { columns: audited, series: columns.map(({ column, values }): Series => ({ name: column, values })) };
}

interface Found {
  readonly columns: readonly AuditedColumn[];
  readonly labels: LeakFindings['labels'];
  readonly unknown: readonly NotExamined[];
  readonly unmapped: LeakFindings['unmapped'];
}

function sumUp(sample: Sample, { columns, labels, unknown, unmapped }: Found): LeakFindings {
  const leaking = [...new Set([...columns.filter(({ verdict }) => verdict === 'leak'), ...labels].map(({ column }) => column))];
  const failed = columns.filter(({ result }) => result === 'FAIL').map(({ column }) => column);
  const hindsight = columns.filter(({ hindsight_rows: rows }) => rows !== null && rows > 0).map(({ column }) => column);
  const isFailed = failed.length > 0 || labels.length > 0;
  const isEmpty = columns.length === 0 || columns.every(({ result }) => result === 'NO DATA');
  const result = isFailed ? 'FAIL' : isEmpty ? 'NO DATA' : 'PASS';
  const unexplained = failed.filter((column) => !leaking.includes(column));
  const said = [
    leaking.length === 0
      ? `no leak in ${columns.length} ${columns.length === 1 ? 'column' : 'columns'}`
      : `leaking: ${leaking.join(', ')}`,
    ...(unexplained.length === 0 ? [] : [`unexplained: ${unexplained.join(', ')}`]),
    ...(hindsight.length === 0 ? [] : [`with hindsight: ${hindsight.join(', ')}`]),
    ...(unknown.length === 0 ? [] : [`not examined: hindsight of ${unknown.map(({ source }) => source).join(', ')}`]),
  ];
  return {
    result,
    summary: result === 'NO DATA' ? 'no row has a time' : said.join('; '),
    ...rangeOf(sample),
    rows: sample.length,
    of: sample.of,
    features: columns,
    labels,
    not_examined: unknown,
    unmapped,
    leaking,
  };
}

function nothing(of: number): LeakFindings {
  const empty = { from: null, to: null, rows: 0, of, features: [], labels: [], not_examined: [], unmapped: [], leaking: [] };
  return { result: 'NO DATA', summary: 'the frame has no rows', ...empty };
}

function checkRequest({ table, columns, features, service }: LeakRequest): void {
  const refuse = (text: string, option: string) => new FeatureStoreError('INVALID_ARGUMENT', text, { details: { option } });
  if (features != null && service != null) throw refuse('name either features or a service, one of them', 'features');
  if (!table && features == null && service == null) {
    throw refuse(
      'name the features or the service to audit; a table that holds features already is audited with table',
      'features',
    );
  }
  if (!table && Object.keys(columns).length > 0)
    throw refuse('columns say what the columns of a table are: give them with table', 'columns');
}

function findTime({ at, timestamp, timezone }: LeakRequest, schema: Schema): SampleTime {
  if (at != null) return { us: at === 'now' ? BigInt(Date.now()) * 1000n : parseInstantUs(at) };
  return { name: timestamp, index: findColumn(schema, timestamp, 'time'), timezone: timezone ?? undefined };
}

function findColumn(schema: Schema, column: string, what: 'time' | 'label' | 'column'): number {
  const names = schema.fields.map((field) => field.name);
  const index = names.indexOf(column);
  if (index >= 0) return index;
  const need = what === 'time' ? 'the time of each row is needed, and there is' : 'there is';
  const hint = what === 'time' ? '; name the column with timestamp=…' : '';
  throw new FeatureStoreError('INVALID_ARGUMENT', `${need} no column "${column}"${didYouMean(column, names)}${hint}`, {
    details: { column, columns: names, ...(what === 'time' ? { option: 'timestamp' } : {}) },
  });
}

/** Equal for rows of equal keys and times. */
function identifyRows(sample: Sample, keysOf: ReturnType<typeof readKeysOf>): readonly string[] {
  const times = readSampleTimes(sample);
  return times.map((us, row) => `${us} ${identify(Object.values(keysOf(sample, row)).map((key) => key ?? null))}`);
}
