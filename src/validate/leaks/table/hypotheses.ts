/** How a column may have come about where it is not what was known at each row's time: from other instants, other windows, other rows. */
import { formatDurationUs, parseDurationUs } from '../../../definitions/duration.ts';
import type { RegistryDocument, ViewDocument } from '../../../registry/document.ts';

export interface Hypothesis {
  /** Completes "equal to …". */
  readonly text: string;
  /** Whether it needs rows that were visible only after T; of those that do not, whether it is merely older. */
  readonly kind: 'leak' | 'stale' | 'other';
  /** The instant that is asked about for a row of time T, in microseconds. */
  at(timeUs: bigint): bigint;
  readonly definition: Definition;
}

/** What of a view's definition is put aside: nothing, the left end of windows, or the greatest age of rows. */
export type Definition =
  | { readonly kind: 'defined' }
  | { readonly kind: 'stretched'; readonly byUs: bigint }
  | { readonly kind: 'lifetime' }
  | { readonly kind: 'any age' };

const hourUs = 3_600_000_000n;
const dayUs = 24n * hourUs;
const minuteUs = 60_000_000n;
const stepsUs = [1n, 2n, 5n, 15n, 30n]
  .map((minutes) => minutes * minuteUs)
  .concat(
    [1n, 2n, 3n, 4n, 6n, 8n, 12n].map((hours) => hours * hourUs),
    [1n, 2n, 3n, 5n, 7n, 14n, 30n, 60n, 90n].map((days) => days * dayUs),
  );
const defined: Definition = { kind: 'defined' };

export interface Span {
  /** The newest event of all sources. */
  readonly endUs: bigint;
  /** The first and the last T of the table. */
  readonly firstUs: bigint;
  readonly lastUs: bigint;
  /** Of the views. */
  readonly delaysUs: readonly bigint[];
}

/** Every hypothesis, the more innocent ones first and of leaks those that reach least. */
export function listHypotheses({ endUs, firstUs, lastUs, delaysUs }: Span): readonly Hypothesis[] {
  const older = stepsUs.map((us) => shifted('stale', -us, defined, `the value ${formatDurationUs(us)} before T`));
  const floors = [hourUs, dayUs].map((us) => ({
    kind: 'stale' as const,
    text: `the value at the start of T's ${us === dayUs ? 'day' : 'hour'} (UTC)`,
    at: (time: bigint) => floorTo(time, us),
    definition: defined,
  }));
  const before = [0n, dayUs, 7n * dayUs, 30n * dayUs].map((us) => ({
    kind: 'stale' as const,
    text:
      us === 0n ? 'the value at the first T of the table' : `the value ${formatDurationUs(us)} before the first T of the table`,
    at: () => firstUs - us,
    definition: defined,
  }));
  const lifetime: Hypothesis = shifted('other', 0n, { kind: 'lifetime' }, 'the aggregate over all events before T, in no window');
  const anyAge: Hypothesis = shifted('other', 0n, { kind: 'any age' }, 'the last row before T, however old');
  const ahead = [...new Set(delaysUs.filter((us) => us > 0n))].map((us) =>
    shifted('leak', us, defined, `the value with rows that are visible only ${formatDurationUs(us)} later (the view's delay)`),
  );
  const inclusive = [
    shifted('leak', 1n, defined, 'the value with what happens at T itself'),
    ...ahead.map(({ at, text }) => ({ kind: 'leak' as const, at: (time: bigint) => at(time) + 1n, definition: defined, text })),
  ];
  const later = stepsUs.flatMap((us) => [
    shifted('leak', us, defined, `the value ${formatDurationUs(us)} after T`),
    shifted(
      'leak',
      us,
      { kind: 'stretched', byUs: us },
      `the aggregate of its window and of the ${formatDurationUs(us)} after T`,
    ),
  ]);
  const ceilings = [hourUs, dayUs].map((us) => ({
    kind: 'leak' as const,
    text: `the value at the end of T's ${us === dayUs ? 'day' : 'hour'} (UTC)`,
    at: (time: bigint) => floorTo(time, us) + us,
    definition: defined,
  }));
  const end = (time: bigint) => (endUs > time ? endUs : time) + maximum(delaysUs) + 1n;
  const last = { kind: 'leak' as const, text: 'the value at the last T of the table', at: () => lastUs, definition: defined };
  const ever = [
    last,
    { kind: 'leak' as const, text: 'the value at the end of the data', at: end, definition: defined },
    {
      kind: 'leak' as const,
      text: 'the last row of its key, whenever that was',
      at: (time: bigint) => end(time) + 3650n * dayUs,
      definition: { kind: 'any age' as const },
    },
    {
      kind: 'leak' as const,
      text: 'the aggregate over the whole history, the future included',
      at: end,
      definition: { kind: 'lifetime' as const },
    },
  ];
  return [...older, ...floors, ...before, lifetime, anyAge, ...inclusive, ...ahead, ...later, ...ceilings, ...ever];
}

/** Definitions with something put aside, and without defaults: those of other windows would be others. */
export function redefine(registry: RegistryDocument, definition: Definition): RegistryDocument {
  if (definition.kind === 'defined') return registry;
  return { ...registry, views: registry.views.map((view) => redefineView(view, definition)) };
}

/** Whether putting that aside changes anything of a view. */
export function concernsView(view: ViewDocument, { kind }: Definition): boolean {
  if (kind === 'defined') return true;
  if (kind === 'any age') return view.kind === 'batch';
  return view.kind === 'stream' && view.session === undefined;
}

function redefineView(view: ViewDocument, definition: Definition): ViewDocument {
  const features = view.features.map(({ default: _, aggregate, ...feature }) => {
    if (aggregate?.window === undefined || aggregate.window === 'lifetime') return { ...feature, aggregate };
    if (definition.kind === 'lifetime') return { ...feature, aggregate: { ...aggregate, window: 'lifetime', hop: undefined } };
    if (definition.kind !== 'stretched') return { ...feature, aggregate };
    return {
      ...feature,
      aggregate: { ...aggregate, window: formatDurationUs(parseDurationUs(aggregate.window) + definition.byUs) },
    };
  });
  return definition.kind === 'any age' ? { ...view, ttl: undefined, features } : { ...view, features };
}

function shifted(kind: Hypothesis['kind'], us: bigint, definition: Definition, text: string): Hypothesis {
  return { kind, text, definition, at: (time) => time + us };
}

function floorTo(time: bigint, us: bigint): bigint {
  return time - (((time % us) + us) % us);
}

function maximum(values: readonly bigint[]): bigint {
  let most = 0n;
  for (const value of values) if (value > most) most = value;
  return most;
}
