/** All that a check learns of one feature, batch by batch, and what is told of it at the end. */
import type { LiteralValue } from '../../definitions/literal.ts';
import { formatInstantUs } from '../../definitions/literal.ts';
import { parseValueType } from '../../definitions/value-type.ts';
import type { CauseName } from './causes.ts';
import { compileComparison } from './compare.ts';
import { openComparison, type Side } from './compare-feature.ts';
import type { Examined } from './examine.ts';
import type { ServedOutput } from './pairs.ts';
import type { ParityExample, ParityFeature } from './report.ts';
import { type Json, showContribution, showNumber, showServed } from './show.ts';
import type { Tolerance } from './tolerance.ts';

export interface TalliedFeature {
  readonly view: string;
  readonly feature: string;
  readonly type: string;
  readonly tolerance: Tolerance;
  /** Differences that are examined at most. */
  readonly examined: number;
  readonly only?: 'values';
}

export interface Explained {
  readonly row: number;
  readonly atUs: bigint;
  readonly keys: Readonly<Record<string, unknown>>;
  readonly online: Side;
  readonly servedType: string;
  readonly offline: Side;
  readonly found: Examined | undefined;
}

export interface FeatureTally {
  readonly tolerance: Tolerance;
  readonly differences: number;
  /** Compares, and gives the rows whose differences are to be examined: the worst, and some of all others. */
  add(output: Pick<ServedOutput, 'online' | 'type'>, offline: Side, type: string): readonly number[];
  explain(explained: Explained): void;
  finish(): ParityFeature;
}

/** Examples that are told of a feature. */
const mostExamples = 10;
/** Rows or events that are told of a side. */
const mostEvidence = 20;

export function collectFeature(of: TalliedFeature): FeatureTally {
  const type = parseValueType(of.type);
  const comparison = openComparison(type, of.tolerance, { only: of.only });
  const compare = compileComparison(type, of.tolerance);
  const causes: Partial<Record<CauseName, number>> = {};
  let examples: (ParityExample & { readonly rank: number })[] = [];
  let examined = 0;
  let taken = 0;
  let differences = 0;
  const distance = (online: Side, offline: Side, row: number): number | undefined =>
    compare(online.values[row] as LiteralValue, offline.values[row] as LiteralValue).difference;

  return {
    tolerance: of.tolerance,
    get differences() {
      return differences;
    },
    add(output, offline, typeNow) {
      const { online } = output;
      const rows = output.type === typeNow ? comparison.add(online, offline) : comparison.addOthers(online.values.length);
      differences += rows.length;
      const far = (row: number) => (output.type === typeNow ? (distance(online, offline, row) ?? Number.POSITIVE_INFINITY) : 0);
      const chosen = choose(rows, far, of.examined - taken);
      taken += chosen.length;
      return chosen;
    },
    explain({ row, atUs, keys, online, servedType, offline, found }) {
      if (found?.cause === 'none') {
        comparison.agree();
        differences -= 1;
        taken -= 1;
        return;
      }
      if (found !== undefined) {
        examined += 1;
        causes[found.cause] = (causes[found.cause] ?? 0) + 1;
      }
      const far = servedType === of.type ? distance(online, offline, row) : undefined;
      const example = {
        rank: far ?? Number.POSITIVE_INFINITY,
        keys: showKeys(keys),
        evaluated_at: formatInstantUs(atUs),
        online: showServed(parseValueType(servedType), online, row),
        offline: showServed(type, offline, row),
        difference: far === undefined ? null : showNumber(far),
        cause: found?.cause ?? null,
        causes: found?.causes ?? [],
        evidence: {
          online: found === undefined ? [] : showEvidence(found.online),
          offline: found === undefined ? [] : showEvidence(found.offline),
          text: found?.text ?? '',
        },
      } as ParityExample & { rank: number };
      // A bug comes first: it is what somebody must look at.
      const order = (one: typeof example) => (one.cause === 'bug' ? 1 : 0);
      examples = [...examples, example].toSorted((a, b) => order(b) - order(a) || b.rank - a.rank).slice(0, mostExamples);
    },
    finish: () => describe(of, comparison.finish(), { examined, causes, worst: examples.map(({ rank: _, ...one }) => one) }),
  };
}

/** Half of them the worst, the others spread evenly over what is left. */
function choose(rows: readonly number[], far: (row: number) => number, most: number): readonly number[] {
  if (rows.length <= most) return rows;
  if (most <= 0) return [];
  const sorted = rows
    .map((row) => ({ row, far: far(row) }))
    .toSorted((a, b) => (a.far === b.far ? a.row - b.row : b.far - a.far));
  const worst = sorted.slice(0, Math.ceil(most / 2));
  const rest = sorted.slice(worst.length);
  const count = most - worst.length;
  const spread = Array.from({ length: count }, (_, at) => rest[Math.floor((at * rest.length) / count)] as { row: number });
  return [...worst, ...spread].map(({ row }) => row);
}

function describe(
  { view, feature, type, tolerance }: TalliedFeature,
  counts: ReturnType<ReturnType<typeof openComparison>['finish']>,
  told: Pick<ParityFeature, 'examined' | 'causes' | 'worst'>,
): ParityFeature {
  const { errors } = counts;
  const number = (value: number | undefined) => (value === undefined ? null : showNumber(value));
  return {
    view,
    feature,
    type,
    n: counts.n,
    exact: counts.exact,
    within_tolerance: counts.within,
    only_online_null: counts.onlyOnlineNull,
    only_offline_null: counts.onlyOfflineNull,
    status_mismatch: counts.statusMismatch,
    default_mismatch: counts.defaultMismatch,
    event_timestamp_mismatch: counts.eventMismatch,
    mean_abs_error: number(errors?.meanAbsolute),
    max_abs_error: number(errors?.maxAbsolute),
    max_rel_error: number(errors?.maxRelative),
    smape: errors?.smape ?? null,
    pearson: errors?.pearson ?? null,
    p50: number(errors?.p50),
    p95: number(errors?.p95),
    p99: number(errors?.p99),
    share_within: counts.shareWithin ?? null,
    tolerance,
    result: counts.result,
    ...told,
  };
}

function showKeys(keys: Readonly<Record<string, unknown>>): Json {
  return Object.fromEntries(
    Object.entries(keys).map(([name, value]) => {
      if (typeof value === 'bigint') return [name, String(value)];
      return [name, value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value];
    }),
  ) as Json;
}

/** The newest of them. */
function showEvidence(from: Examined['online']): Json {
  return from.flatMap(({ lookup, rows }) => rows.slice(-mostEvidence).map((row) => showContribution(lookup.view, row)));
}
