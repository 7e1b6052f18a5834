/** What is served right now beside what was served before: features that stand still, or are not what they were, within minutes. */
import { formatInstantUs } from '../../definitions/literal.ts';
import type { Logger } from '../../observe.ts';
import type { RegistryDocument } from '../../registry/document.ts';
import { type AlarmName, findAlarms, findMissing, neverVaried } from '../drift/alarms.ts';
import { tallyLog } from '../drift/from-log.ts';
import type { Profile } from '../drift/tally.ts';
import { declaredValues } from '../drift/vocabulary.ts';
import type { LogReader } from '../log/read-log.ts';

export interface HealthOptions {
  /** What was served in the last `windowUs`, beside the `historyUs` before that. */
  readonly windowUs: bigint;
  readonly historyUs: bigint;
  /** Keys that a feature has in both at least, for anything to be said. */
  readonly minKeys: number;
  /** How far the share of nulls may rise. */
  readonly nullRate: number;
}

export interface HealthParts {
  registry(): RegistryDocument;
  readonly log: LogReader;
  /** The newest event of a source by its name; undefined where that is not known. */
  newestEventUs(source: string): Promise<bigint | undefined>;
  readonly logger: Logger;
  nowUs?(): bigint;
}

/** A feature that has one value, now and in all of history: it may be meant, and tells a model nothing. */
export interface UnvariedFeature {
  readonly view: string;
  readonly feature: string;
  readonly value: string;
}

export interface FeatureAlarm {
  readonly view: string;
  readonly feature: string;
  readonly alarm: AlarmName;
  /** ISO instant at which it was seen first. */
  readonly since: string;
  readonly text: string;
}

/** As it stands on the wire. */
export interface FeatureHealth {
  /** Whether what is served is logged, without which nothing is looked at; where not, `advice` says so. */
  readonly logging: boolean;
  readonly advice: string | null;
  /** ISO instant; null before the first check. */
  readonly checked_at: string | null;
  readonly from: string | null;
  readonly to: string | null;
  /** Features that were served in the window, and those of them that enough keys asked for, now and before. */
  readonly features: number;
  readonly judged: number;
  /** The same counts by view. */
  readonly views: Readonly<Record<string, { readonly features: number; readonly judged: number }>>;
  readonly alarms: readonly FeatureAlarm[];
  readonly never_varied: readonly UnvariedFeature[];
}

const neverLooked: FeatureHealth = {
  ...{ logging: true, advice: null, checked_at: null, from: null, to: null },
  ...{ features: 0, judged: 0, views: {}, alarms: [], never_varied: [] },
};

/** Of a server that logs nothing: no alarm can be raised, which does not mean that all is well. */
export const notLooking: FeatureHealth = {
  ...neverLooked,
  logging: false,
  advice: 'nothing is logged, so that no feature is looked at: add `logging: { sample: 0.05 }` to featherflight.config.ts',
};

export interface HealthWatch {
  check(signal: AbortSignal): Promise<FeatureHealth>;
  latest(): FeatureHealth;
}

/** Rows of each shape that are looked at, of any time of the period. */
const rowsPerShape = 20_000;
/** Numbers of each feature that are kept of history, which is kept in memory. */
const sampled = 1000;

interface Reference {
  readonly takenUs: bigint;
  readonly profiles: ReadonlyMap<string, Profile>;
}

export function createHealthWatch(parts: HealthParts, options: HealthOptions): HealthWatch {
  const { registry, log, logger } = parts;
  const { windowUs, historyUs, minKeys, nullRate } = options;
  let reference: Reference | undefined;
  let firing = new Map<string, FeatureAlarm>();
  let latest = neverLooked;

  const tally = async (fromUs: bigint, toUs: bigint, signal: AbortSignal) => {
    const period = { registry: registry(), wanted: undefined, fromUs, toUs, partUs: windowUs, rowsPerShape, sampled };
    return (await tallyLog(log, period, signal, () => {})).finish();
  };

  /** History is read now and then; of a feature with an alarm it stays what it was before, or the fault would become the rule. */
  async function readReference(fromUs: bigint, signal: AbortSignal): Promise<Reference['profiles']> {
    const isDue = reference === undefined || fromUs - reference.takenUs > maxOf(windowUs, historyUs / 24n);
    if (reference !== undefined && !isDue) return reference.profiles;
    const profiles = new Map(await tally(fromUs - historyUs, fromUs, signal));
    for (const { view, feature, since } of firing.values()) {
      const name = `${view}:${feature}`;
      const before = reference?.profiles.get(name);
      if (before !== undefined && since > formatInstantUs(fromUs - historyUs)) profiles.set(name, before);
    }
    reference = { takenUs: fromUs, profiles };
    return profiles;
  }

  return {
    latest: () => latest,
    async check(signal) {
      const toUs = parts.nowUs?.() ?? BigInt(Date.now()) * 1000n;
      const fromUs = toUs - windowUs;
      const before = await readReference(fromUs, signal);
      const now = await tally(fromUs, toUs, signal);
      const sourceOf = readSources(parts);
      const next = new Map<string, FeatureAlarm>();
      const views: Record<string, { features: number; judged: number }> = {};
      const unvaried: UnvariedFeature[] = [];
      let judged = 0;
      for (const [name, profile] of now) {
        const [view, feature] = name.split(':') as [string, string];
        views[view] ??= { features: 0, judged: 0 };
        views[view].features += 1;
        const known = before.get(name);
        if (known === undefined || Math.min(known.units, profile.units) < minKeys) continue;
        judged += 1;
        views[view].judged += 1;
        const facts = { sourceUs: await sourceOf(view), declared: declaredValues(registry(), view, feature) };
        const found = [...findAlarms(known, profile, facts), ...findMissing(known, profile, nullRate)];
        const value = neverVaried(known, profile);
        if (value !== undefined) unvaried.push({ view, feature, value });
        for (const { alarm, text } of found) {
          const since = firing.get(`${name}:${alarm}`)?.since ?? formatInstantUs(toUs);
          next.set(`${name}:${alarm}`, { view, feature, alarm: alarm as AlarmName, since, text });
        }
      }
      // What too few ask for right now is neither well nor ill: it stays what it was.
      const isJudged = (name: string) => Math.min(before.get(name)?.units ?? 0, now.get(name)?.units ?? 0) >= minKeys;
      for (const [id, each] of firing)
        if (!isJudged(`${each.view}:${each.feature}`) && isKnown(registry(), each)) next.set(id, each);
      tellChanges(logger, firing, next);
      firing = next;
      latest = {
        ...neverLooked,
        checked_at: formatInstantUs(toUs),
        from: formatInstantUs(fromUs),
        to: formatInstantUs(toUs),
        features: now.size,
        judged,
        views,
        alarms: [...next.values()],
        never_varied: unvaried,
      };
      return latest;
    },
  };
}

/** Each source is asked once a check. */
function readSources({ registry, newestEventUs }: HealthParts): (view: string) => Promise<bigint | undefined> {
  const known = new Map<string, Promise<bigint | undefined>>();
  return async (view) => {
    const source = registry().views.find(({ name }) => name === view)?.source;
    if (source === undefined) return undefined;
    const there = known.get(source) ?? newestEventUs(source).catch(() => undefined);
    known.set(source, there);
    return await there;
  };
}

function tellChanges(logger: Logger, before: ReadonlyMap<string, FeatureAlarm>, now: ReadonlyMap<string, FeatureAlarm>): void {
  for (const [id, { view, feature, alarm, text }] of now) {
    if (!before.has(id)) logger.error({ view, feature, alarm }, `a feature is not well: ${text}`);
  }
  for (const [id, { view, feature, alarm }] of before) {
    if (!now.has(id)) logger.info({ view, feature, alarm }, 'a feature is well again');
  }
}

function isKnown({ views, onDemandViews = [] }: RegistryDocument, { view, feature }: FeatureAlarm): boolean {
  return [...views, ...onDemandViews].some((one) => one.name === view && one.features.some(({ name }) => name === feature));
}

function maxOf(one: bigint, other: bigint): bigint {
  return one > other ? one : other;
}
