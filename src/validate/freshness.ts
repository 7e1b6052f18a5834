/** How old what is served of a view is, by two clocks, and whether its objective allows that. */
import { parseDurationUs } from '../definitions/duration.ts';
import { formatInstantUs } from '../definitions/literal.ts';
import type { ViewDocument } from '../registry/document.ts';

export const freshnessStates = ['FRESH', 'STALE', 'NEVER'] as const;

/** NEVER: there is nothing whose age could be told, which no objective allows. */
export type FreshnessState = (typeof freshnessStates)[number];

export const freshnessClocks = ['event', 'processing'] as const;
export type FreshnessClock = (typeof freshnessClocks)[number];

/** What is known of a view, in microseconds; undefined where it never was. */
export interface FreshnessFacts {
  /** The newest event that the online store holds. */
  readonly eventUs: bigint | undefined;
  /** Up to when all that its source had was brought into the online store. */
  readonly processedUs: bigint | undefined;
  /** Why neither could be looked at. */
  readonly error?: string;
}

/** As it stands on the wire. */
export interface ViewFreshness {
  readonly view: string;
  readonly kind: ViewDocument['kind'];
  readonly source: string;
  /** As written, such as `24h`; null where the view has none. */
  readonly objective: string | null;
  readonly objective_seconds: number | null;
  /** The worse of the two clocks'; null without an objective, and where it could not be looked at. */
  readonly state: FreshnessState | null;
  /** Why nothing can be told of it now; null where it can. */
  readonly error: string | null;
  readonly event: Age;
  readonly processing: Age;
}

export interface Age {
  /** ISO instant; null where there never was one, as `seconds` then is. */
  readonly at: string | null;
  readonly seconds: number | null;
  readonly state: FreshnessState | null;
}

export function measureFreshness(view: ViewDocument, facts: FreshnessFacts, nowUs: bigint): ViewFreshness {
  const { eventUs, processedUs, error = null } = facts;
  const objectiveUs = view.freshness === undefined ? undefined : parseDurationUs(view.freshness);
  const [event, processing] = [eventUs, processedUs].map((us) =>
    error === null ? ageOf(us, objectiveUs, nowUs) : unknownAge,
  ) as [Age, Age];
  const states = [event.state, processing.state];
  return {
    view: view.name,
    kind: view.kind,
    source: view.source,
    objective: view.freshness ?? null,
    objective_seconds: objectiveUs === undefined ? null : Number(objectiveUs) / 1e6,
    state: freshnessStates.findLast((state) => states.includes(state)) ?? null,
    error,
    event,
    processing,
  };
}

const unknownAge: Age = { at: null, seconds: null, state: null };

/** The age that is just the objective is allowed. */
function ageOf(us: bigint | undefined, objectiveUs: bigint | undefined, nowUs: bigint): Age {
  if (us === undefined) return { at: null, seconds: null, state: objectiveUs === undefined ? null : 'NEVER' };
  const ageUs = us > nowUs ? 0n : nowUs - us;
  const state = objectiveUs === undefined ? null : ageUs > objectiveUs ? 'STALE' : 'FRESH';
  return { at: formatInstantUs(us), seconds: Number(ageUs) / 1e6, state };
}

/** For people: what is wrong by one clock, and what to do; undefined where nothing is. */
export function explainFreshness(found: ViewFreshness, by: FreshnessClock): string | undefined {
  const { state, at, seconds } = found[by];
  if (state === null || state === 'FRESH') return undefined;
  const age = seconds === null ? '' : formatAge(seconds);
  return `${(found.kind === 'batch' ? explainBatch : explainStream)(found, by, at, age)}; the objective is ${found.objective}`;
}

type Explain = (found: ViewFreshness, by: FreshnessClock, at: string | null, age: string) => string;

const explainBatch: Explain = ({ view, source }, by, at, age) => {
  const run = `featherflight materialize-incremental ${view}`;
  if (at === null) return by === 'event' ? `no event of it was ever written: ${run}` : `it was never materialized: ${run}`;
  return by === 'event'
    ? `its newest event, of ${at}, is ${age} old: ${run}, or look at what writes source ${source} where that brings nothing newer`
    : `it was materialized last up to ${at}, ${age} ago: ${run}, and look in the log why its schedule does not`;
};

const explainStream: Explain = ({ source }, by, at, age) => {
  const look = `featherflight source list ${source}`;
  if (at === null)
    return by === 'event'
      ? `no event of it was ever applied: ${look}`
      : `not all of its features are filled yet, or nothing is applied: ${look}`;
  return by === 'event'
    ? `its newest event, of ${at}, is ${age} old: ${look} tells whether events wait; where none do, look at what writes them`
    : `all that its log had was applied last at ${at}, ${age} ago: ${look} tells why`;
};

const units = [
  ['d', 86_400],
  ['h', 3600],
  ['m', 60],
] as const;

/** The two greatest units, such as `1d 2h` or `75s`. */
export function formatAge(seconds: number): string {
  const whole = Math.floor(seconds);
  const at = units.findIndex(([, length]) => whole >= 2 * length);
  const [unit, length] = units[at] ?? ['s', 1];
  const [nextUnit, nextLength] = units[at + 1] ?? ['s', 1];
  const rest = unit === 's' ? 0 : Math.floor((whole % length) / nextLength);
  return `${Math.floor(whole / length)}${unit}${rest === 0 ? '' : ` ${rest}${nextUnit}`}`;
}
