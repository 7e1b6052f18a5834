/** Which rows or events of a key the server cannot have known when it answered, by each of the causes that this can have. */
import { formatInstantUs } from '../../definitions/literal.ts';
import type { Contribution } from '../../offline/contributions.ts';
import type { LookupPlan } from '../../offline/plan.ts';
import type { SourceDocument } from '../../registry/document.ts';
import type { Elimination } from './causes.ts';
import type { KnownThen } from './pairs.ts';

/** Rows of one look-up that are left out. */
export interface LeaveOut extends Elimination {
  readonly label: string;
  readonly rows: ReadonlySet<Contribution>;
  /** Not even that there are no events is known: the value is NOT_FOUND. */
  readonly isUnfilled?: true;
  /** How far events were applied is known only about: it is likely, or no more than possible until they are seen to be counted. */
  readonly certainty?: 'likely' | 'possible';
}

export interface LookedUpKey {
  readonly lookup: LookupPlan;
  /** From the least to the greatest. */
  readonly rows: readonly Contribution[];
  readonly known: KnownThen;
  /** When the key, or an entity of it, was erased. */
  readonly erasedUs?: bigint;
  /** When the definition that a feature has now was applied first, where that was not always so. */
  readonly redefinedUs?: bigint;
}

/** Of sets of the very same rows the first alone: its cause comes first. */
export function listLeaveOuts(key: LookedUpKey, atUs: bigint): readonly LeaveOut[] {
  const { lookup, rows } = key;
  const found: LeaveOut[] = [];
  const add: Add = (cause, text, isLeftOut, certainty) => {
    const left = new Set(rows.filter(isLeftOut));
    if (left.size === 0 || found.some((other) => isSame(other.rows, left))) return;
    found.push({ cause: cause ?? nameLanding(rows, left), text, label: lookup.label, rows: left, certainty });
  };
  const { erasedUs } = key;
  if (erasedUs !== undefined && erasedUs <= atUs) add('erased', `erased ${show(erasedUs)}`, () => true);
  if (lookup.view.kind === 'stream') {
    addOfEvents(key, atUs, add);
    found.push(unfilled(key));
  } else addOfRows(key, atUs, add);
  return found;
}

/** An aggregate that is served is never NOT_FOUND (rule 6.3): one that is has states that are not filled from history yet. */
function unfilled({ lookup, rows, redefinedUs }: LookedUpKey): LeaveOut {
  const all = { label: lookup.label, rows: new Set(rows), isUnfilled: true } as const;
  const view = `view "${lookup.view.name}" was not filled from history`;
  return redefinedUs === undefined
    ? { ...all, cause: 'materialization_lag', text: view }
    : { ...all, cause: 'definition_version', text: `its definition was applied ${show(redefinedUs)}, and ${view}` };
}

type Add = (
  cause: LeaveOut['cause'] | undefined,
  text: string,
  isLeftOut: (row: Contribution) => boolean,
  certainty?: LeaveOut['certainty'],
) => void;

function addOfEvents(key: LookedUpKey, atUs: bigint, add: Add): void {
  const { next, appliedUs } = key.known;
  add('late_event', 'events that came later than the lateness of their source allows', ({ isLate }) => isLate);
  if (next !== undefined) {
    add(
      'processing_lag',
      `events that were in the log and not yet applied at ${show(atUs)}`,
      ({ partition, offset }) => partition !== null && offset !== null && offset >= (next.get(partition) ?? 0n),
    );
  } else if (appliedUs !== undefined) addUnapplied(key, appliedUs, atUs, add);
  const wasApplied = ({ partition, offset }: Contribution) =>
    partition !== null && offset !== null && offset < (next?.get(partition) ?? 0n);
  const after = `events that came after ${show(atUs)}`;
  add('late_landing', `${after}, of tables`, (event) => landed(event, atUs) && event.file?.isArchived === false);
  add('late_landing', after, (event) => landed(event, atUs) && !wasApplied(event));
  if (next === undefined && appliedUs !== undefined) addLast(key, add);
}

/** Events of a stream that the server cannot have applied at T, where its progress is known in event time alone, and some seconds old. */
function addUnapplied({ lookup: { source } }: LookedUpKey, appliedUs: bigint | null, atUs: bigint, add: Add): void {
  const came = (event: Contribution) => whenCame(event, source);
  const isThere = (event: Contribution) => (came(event) ?? atUs) <= atUs;
  add('late_landing', `events that came to the stream after ${show(atUs)}`, (event) => !isThere(event));
  const waited = `events that were in the stream at ${show(atUs)}, and were read after it`;
  add('processing_lag', waited, (event) => came(event) !== undefined && isThere(event) && landed(event, atUs));
  const isStreamed = ({ file }: Contribution) => source.archive === false || file?.isArchived === true;
  const isNewer = ({ eventUs }: Contribution) => appliedUs === null || eventUs > appliedUs;
  const upTo = appliedUs === null ? 'none were applied' : `events were applied up to ${show(appliedUs)}`;
  add('processing_lag', `${upTo} at ${show(atUs)}`, (event) => isStreamed(event) && isThere(event) && isNewer(event), 'likely');
}

/** So many events of a key at most may have waited unseen. */
const mostLast = 8;

/** The last events of each partition, in the order in which they are applied. */
function addLast({ rows }: LookedUpKey, add: Add): void {
  const events = rows.filter(({ offset, isLate }) => offset !== null && !isLate);
  const text = 'events that were not counted yet when it was answered, and are by now';
  for (const name of new Set(events.map(({ partition }) => partition))) {
    const ordered = events
      .filter(({ partition }) => partition === name)
      .toSorted((a, b) => ((a.offset as bigint) < (b.offset as bigint) ? -1 : 1));
    for (let count = 1; count <= Math.min(mostLast, ordered.length); count++) {
      const last = new Set(ordered.slice(-count));
      add('processing_lag', text, (event) => last.has(event), 'possible');
    }
  }
}

/** When an event came to its stream: of Redis its offset says so (`ms << 64 | seq`). */
function whenCame({ partition, offset }: Contribution, { stream }: SourceDocument): bigint | undefined {
  if (offset === null || stream?.kind !== 'redisStream' || !stream.keys.includes(partition as string)) return undefined;
  return (offset >> 64n) * 1000n;
}

function addOfRows({ lookup, known, redefinedUs }: LookedUpKey, atUs: bigint, add: Add): void {
  const { watermarkUs, finishedUs } = known;
  if (watermarkUs !== undefined) {
    const upTo = watermarkUs === null ? 'never materialized' : `materialized up to ${show(watermarkUs)}`;
    const isNewer = ({ eventUs }: Contribution) => watermarkUs === null || eventUs > watermarkUs;
    add('materialization_lag', `view "${lookup.view.name}" was ${upTo}`, isNewer);
    // What was pushed went online by itself.
    add('materialization_lag', `view "${lookup.view.name}" was ${upTo}`, (row) => isNewer(row) && row.file?.isArchived !== true);
  }
  const runUs = finishedUs ?? watermarkUs ?? undefined;
  for (const [limitUs, since] of [
    [runUs, 'the run that covers them'],
    [atUs, 'the answer'],
  ] as const) {
    if (limitUs === undefined) continue;
    const after = `rows that came after ${since} (${show(limitUs)})`;
    const isCreated = ({ createdUs }: Contribution) => createdUs !== null && createdUs > limitUs;
    add(undefined, `${after}, by their created timestamp`, isCreated);
    add(undefined, `${after}, by their file`, (row) => landed(row, limitUs));
    add(undefined, after, (row) => isCreated(row) || landed(row, limitUs));
  }
  if (redefinedUs !== undefined && (runUs === undefined || runUs < redefinedUs)) {
    add('definition_version', `its definition was applied ${show(redefinedUs)} and not yet materialized`, () => true);
  }
}

function landed({ file }: Contribution, limitUs: bigint): boolean {
  return file?.modifiedUs !== undefined && file.modifiedUs > limitUs;
}

/** A row that stands beside an earlier one of the same event timestamp corrects it. */
function nameLanding(rows: readonly Contribution[], left: ReadonlySet<Contribution>): 'correction' | 'late_landing' {
  const kept = new Set(rows.flatMap((row) => (left.has(row) ? [] : [row.eventUs])));
  return [...left].some(({ eventUs }) => kept.has(eventUs)) ? 'correction' : 'late_landing';
}

function isSame(a: ReadonlySet<Contribution>, b: ReadonlySet<Contribution>): boolean {
  return a.size === b.size && [...a].every((row) => b.has(row));
}

function show(us: bigint): string {
  return formatInstantUs(us);
}
