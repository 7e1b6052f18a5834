/** `drift`: a period of the feature log beside an earlier one, or beside a training set. */
import { randomUUID } from 'node:crypto';
import { parseDurationUs } from '../../definitions/duration.ts';
import { formatInstantUs, parseInstantUs } from '../../definitions/literal.ts';
import { parseValueType } from '../../definitions/value-type.ts';
import type { RegistryDocument } from '../../registry/document.ts';
import { findNamed } from '../../registry/references.ts';
import type { LogReader } from '../log/read-log.ts';
import { findReference, typeOf } from '../parity/versions.ts';
import type { OnProgress } from '../progress.ts';
import { compareFeature, defaultThresholds } from './compare.ts';
import { type TrainingFrame, tallyFrame } from './from-frame.ts';
import { tallyLog } from './from-log.ts';
import { measureOf } from './measure.ts';
import type { DriftFeature, DriftReport, DriftSide, DriftSummary } from './report.ts';
import { type DriftRequest, parseDriftRequest, refused } from './request.ts';
import { createTally, type Profile } from './tally.ts';
import { declaredValues } from './vocabulary.ts';

export interface DriftParts {
  registry(): RegistryDocument;
  readonly log: LogReader;
  /** Whether anything is logged from now on. */
  readonly isLogging: boolean;
  /** The newest event of a source by its name; undefined where that is not known. */
  newestEventUs(source: string): Promise<bigint | undefined>;
  /** The training set that a request names; `close` is called once. */
  openFrame(request: Pick<DriftRequest, 'upload' | 'path'>): Promise<TrainingFrame & { close(): Promise<void> }>;
  nowUs?(): bigint;
}

export interface DriftOptions {
  readonly signal: AbortSignal;
  readonly onProgress?: OnProgress<DriftProgress>;
}

export interface DriftProgress {
  readonly rows: number;
}

export type CheckDrift = (request: unknown, options: DriftOptions) => Promise<DriftReport>;

interface Period {
  readonly fromUs: bigint;
  readonly toUs: bigint;
}

interface Side {
  readonly shown: DriftSide;
  readonly profiles: ReadonlyMap<string, Profile>;
  readonly skipped: DriftSummary['skipped'];
}

const dayUs = parseDurationUs('1d');
const defaultRows = 100_000;
const defaultKeys = 50;
const partsOfPeriod = 24n;

export function createDriftCheck(parts: DriftParts): CheckDrift {
  return async (input, { signal, onProgress }) => {
    const started = performance.now();
    const request = parseDriftRequest(input);
    const registry = parts.registry();
    const nowUs = parts.nowUs?.() ?? BigInt(Date.now()) * 1000n;
    const { current: period, reference: earlier } = readPeriods(request, nowUs);
    const wanted = listWanted(registry, request);
    for (const name of Object.keys(request.thresholds ?? {})) findReference(registry, name);
    let rows = 0;
    const onRows = async (more: number) => {
      rows += more;
      await onProgress?.({ rows });
    };
    const readPeriod = async (of: Period): Promise<Side> => {
      const options = {
        registry,
        wanted,
        ...of,
        partUs: (of.toUs - of.fromUs) / partsOfPeriod + 1n,
        rowsPerShape: request.sample ?? defaultRows,
      };
      const tallies = await tallyLog(parts.log, options, signal, onRows);
      return { shown: { kind: 'log', ...show(of), rows: tallies.rows() }, profiles: tallies.finish(), skipped: [] };
    };
    const reference =
      earlier === undefined ? await readFrame(parts, request, { registry, wanted }, signal) : await readPeriod(earlier);
    const current = await readPeriod(period);
    const features = await compareSides(parts, registry, request, reference, current);
    return describeRun({ request, registry, nowUs, reference, current, features, isLogging: parts.isLogging, started });
  };
}

/** Every feature that either side has, and each that was asked for, by name. */
async function compareSides(
  parts: DriftParts,
  registry: RegistryDocument,
  request: DriftRequest,
  reference: Side,
  current: Side,
): Promise<readonly DriftFeature[]> {
  const named = (request.features != null || request.service != null) && listWanted(registry, request);
  const skipped = new Set(reference.skipped.map(({ feature }) => feature));
  // What a training set does not hold is not compared.
  const known =
    reference.shown.kind === 'frame' ? reference.profiles.keys() : [...reference.profiles.keys(), ...current.profiles.keys()];
  const names = [...new Set([...(named || []), ...known])].filter((name) => !skipped.has(name)).sort();
  const newest = new Map<string, Promise<bigint | undefined>>();
  const sourceOf = (view: string) => {
    const source = registry.views.find(({ name }) => name === view)?.source;
    if (source === undefined) return undefined;
    const there = newest.get(source) ?? parts.newestEventUs(source).catch(() => undefined);
    newest.set(source, there);
    return there;
  };
  const features: DriftFeature[] = [];
  for (const name of names) {
    const { view, feature } = findReference(registry, name);
    const type = typeOf(registry, view, feature);
    const measure = measureOf(parseValueType(type));
    const empty = () => createTally({ measure, partUs: null }).finish();
    const [before, now] = [reference.profiles.get(name) ?? empty(), current.profiles.get(name) ?? empty()];
    const thresholds = { ...defaultThresholds, ...withoutUndefined(request.thresholds?.[name]) };
    const minKeys = request.min_keys ?? defaultKeys;
    const known = { sourceUs: await sourceOf(view), declared: declaredValues(registry, view, feature) };
    features.push(compareFeature({ view, feature, type, measure, thresholds, minKeys, ...known }, before, now));
  }
  return features;
}

async function readFrame(
  parts: DriftParts,
  request: DriftRequest,
  { registry, wanted }: { readonly registry: RegistryDocument; readonly wanted: ReadonlySet<string> | undefined },
  signal: AbortSignal,
): Promise<Side> {
  const frame = await parts.openFrame(request);
  try {
    const { tallies, skipped } = await tallyFrame(frame, { registry, wanted, partUs: null }, request, signal);
    return { shown: { kind: 'frame', from: null, to: null, rows: tallies.rows() }, profiles: tallies.finish(), skipped };
  } finally {
    await frame.close();
  }
}

/** `reference` is undefined where a training set is. */
function readPeriods(request: DriftRequest, nowUs: bigint): { readonly current: Period; readonly reference: Period | undefined } {
  const { from, to, upload, path, reference_from: start, reference_to: end } = request;
  for (const [name, instant] of Object.entries({ from, to, reference_from: start, reference_to: end })) {
    if (instant != null && parseInstantUs(instant) > nowUs)
      throw refused(`\`${name}\` is ${instant}, which lies in the future: nothing was served then yet`);
  }
  const toUs = to == null ? nowUs : parseInstantUs(to);
  const fromUs = from == null ? toUs - dayUs : parseInstantUs(from);
  if (fromUs >= toUs) throw refused('the period is empty: `from` is to be before `to`');
  const current = { fromUs, toUs };
  if (upload != null || path != null) return { current, reference: undefined };
  const referenceTo = end == null ? fromUs : parseInstantUs(end);
  const referenceFrom = start == null ? referenceTo - (toUs - fromUs) : parseInstantUs(start);
  if (referenceFrom >= referenceTo)
    throw refused('the period of reference is empty: `reference_from` is to be before `reference_to`');
  return { current, reference: { fromUs: referenceFrom, toUs: referenceTo } };
}

function listWanted(registry: RegistryDocument, { features, service }: DriftRequest): ReadonlySet<string> | undefined {
  if (service != null) {
    const parts = findNamed(registry.services, 'feature service', service).features;
    return new Set(parts.flatMap(({ view, features: names }) => names.map((feature) => `${view}:${feature}`)));
  }
  const found = features?.map((text) => findReference(registry, text));
  return found && new Set(found.map(({ view, feature }) => `${view}:${feature}`));
}

interface Run {
  readonly request: DriftRequest;
  readonly registry: RegistryDocument;
  readonly nowUs: bigint;
  readonly reference: Side;
  readonly current: Side;
  readonly features: readonly DriftFeature[];
  readonly isLogging: boolean;
  readonly started: number;
}

/** PASS only where every feature passes. */
function describeRun({ registry, nowUs, reference, current, features, isLogging, started }: Run): DriftReport {
  const count = (result: DriftFeature['result']) => features.filter((one) => one.result === result).length;
  const alarms: Record<string, number> = {};
  for (const { alarm } of features.flatMap((one) => one.alarms)) alarms[alarm] = (alarms[alarm] ?? 0) + 1;
  const result = count('FAIL') > 0 ? 'FAIL' : features.length === 0 || count('NO DATA') > 0 ? 'NO DATA' : 'PASS';
  return {
    id: randomUUID(),
    kind: 'drift',
    created_at: formatInstantUs(nowUs),
    from: current.shown.from,
    to: current.shown.to,
    version: registry.version,
    result,
    reference: reference.shown,
    current: current.shown,
    summary: {
      features: features.length,
      passed: count('PASS'),
      failed: count('FAIL'),
      no_data: count('NO DATA'),
      alarms,
      skipped: reference.skipped,
      advice: result !== 'NO DATA' ? null : advise(isLogging),
      seconds: Math.round(performance.now() - started) / 1000,
    },
    features,
  };
}

function advise(isLogging: boolean): string {
  return isLogging
    ? 'too few keys were served in one of the periods: ask for longer ones, or lower min_keys'
    : 'nothing is logged: add `logging: { sample: 0.05 }` to featherflight.config.ts';
}

function show({ fromUs, toUs }: Period): { readonly from: string; readonly to: string } {
  return { from: formatInstantUs(fromUs), to: formatInstantUs(toUs) };
}

function withoutUndefined<T extends object>(value: T | undefined): { readonly [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value ?? {}).filter(([, each]) => each !== undefined)) as ReturnType<
    typeof withoutUndefined<T>
  >;
}
