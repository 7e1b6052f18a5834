/** `drift`: a period of the feature log, or a saved dataset, beside an earlier period, another dataset or a training set. */
import { randomUUID } from 'node:crypto';
import { formatInstantUs } from '../../definitions/literal.ts';
import { parseValueType } from '../../definitions/value-type.ts';
import type { RegistryDocument } from '../../registry/document.ts';
import { findNamed } from '../../registry/references.ts';
import { findReference, typeOf } from '../parity/versions.ts';
import type { OnProgress } from '../progress.ts';
import { compareFeature, defaultThresholds } from './compare.ts';
import { measureOf } from './measure.ts';
import { readPeriods } from './periods.ts';
import type { DriftFeature, DriftReport } from './report.ts';
import { type DriftRequest, parseDriftRequest } from './request.ts';
import { readSides, type SideParts, type Sides } from './sides.ts';
import { createTally } from './tally.ts';
import { declaredValues } from './vocabulary.ts';

export interface DriftParts extends SideParts {
  registry(): RegistryDocument;
  /** Whether anything is logged from now on. */
  readonly isLogging: boolean;
  /** The newest event of a source by its name; undefined where that is not known. */
  newestEventUs(source: string): Promise<bigint | undefined>;
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

const defaultKeys = 50;

export function createDriftCheck(parts: DriftParts): CheckDrift {
  return async (input, { signal, onProgress }) => {
    const started = performance.now();
    const request = parseDriftRequest(input);
    const registry = parts.registry();
    const nowUs = parts.nowUs?.() ?? BigInt(Date.now()) * 1000n;
    const periods = readPeriods(request, nowUs);
    const wanted = listWanted(registry, request);
    for (const name of Object.keys(request.thresholds ?? {})) findReference(registry, name);
    let rows = 0;
    const sides = await readSides(parts, { request, periods, registry, wanted }, signal, async (more) => {
      rows += more;
      await onProgress?.({ rows });
    });
    const features = await compareSides(parts, registry, request, wanted, sides);
    return describeRun({ registry, nowUs, sides, features, isLogging: parts.isLogging, started });
  };
}

/** Every feature that either side has, and each that was asked for, by name. */
async function compareSides(
  parts: DriftParts,
  registry: RegistryDocument,
  request: DriftRequest,
  named: ReadonlySet<string> | undefined,
  { reference, current, skipped }: Sides,
): Promise<readonly DriftFeature[]> {
  const left = new Set(skipped.map(({ feature }) => feature));
  const tables = [reference, current].filter(({ shown }) => shown.kind !== 'log');
  // What a table does not hold is not compared.
  const known = [...reference.profiles.keys(), ...current.profiles.keys()].filter((name) =>
    tables.every(({ profiles }) => profiles.has(name)),
  );
  const names = [...new Set([...(named ?? []), ...known])].filter((name) => !left.has(name)).sort();
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

function listWanted(registry: RegistryDocument, { features, service }: DriftRequest): ReadonlySet<string> | undefined {
  if (service != null) {
    const parts = findNamed(registry.services, 'feature service', service).features;
    return new Set(parts.flatMap(({ view, features: names }) => names.map((feature) => `${view}:${feature}`)));
  }
  const found = features?.map((text) => findReference(registry, text));
  return found && new Set(found.map(({ view, feature }) => `${view}:${feature}`));
}

interface Run {
  readonly registry: RegistryDocument;
  readonly nowUs: bigint;
  readonly sides: Sides;
  readonly features: readonly DriftFeature[];
  readonly isLogging: boolean;
  readonly started: number;
}

/** PASS only where every feature passes. */
function describeRun({ registry, nowUs, sides, features, isLogging, started }: Run): DriftReport {
  const { reference, current, skipped } = sides;
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
      skipped,
      advice: result !== 'NO DATA' ? null : advise(sides, isLogging),
      seconds: Math.round(performance.now() - started) / 1000,
    },
    features,
  };
}

function advise({ reference, current }: Sides, isLogging: boolean): string {
  const kinds = [reference, current].map(({ shown }) => shown.kind);
  if (kinds.includes('log') && !isLogging) return 'nothing is logged: add `logging: { sample: 0.05 }` to featherflight.config.ts';
  return kinds.includes('dataset')
    ? 'one of the sides has too few keys: take a greater sample or another split, or lower min_keys'
    : 'too few keys were served in one of the periods: ask for longer ones, or lower min_keys';
}

function withoutUndefined<T extends object>(value: T | undefined): { readonly [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value ?? {}).filter(([, each]) => each !== undefined)) as ReturnType<
    typeof withoutUndefined<T>
  >;
}
