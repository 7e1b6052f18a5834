/** Runs the ticks of SQL sources that are due: a range that people ask for, or whatever has come since the last (semantics 11). */
import { parseDurationUs } from '../definitions/duration.ts';
import { formatInstantUs } from '../definitions/literal.ts';
import { FeatureStoreError } from '../errors.ts';
import type { Logger } from '../observe.ts';
import type { History } from '../offline/history.ts';
import { createLanes } from '../offline/lanes.ts';
import type { Ticks } from '../offline/ticks/ticks.ts';
import type { QueryDocument, RegistryDocument, SourceDocument } from '../registry/document.ts';
import { findNamed } from '../registry/references.ts';

export interface TickParts {
  readonly history: Pick<History, 'ticks'>;
  /** The definitions that are applied now. */
  registry(): RegistryDocument;
  readonly logger: Logger;
  /** Ends every run when it aborts. */
  readonly stopping?: AbortSignal;
  /** Microseconds since the epoch; default: the machine's clock. */
  nowUs?(): bigint;
}

export interface TickRequest {
  readonly source: string;
  /** Ticks from then on; default: those after the last that has run, and the latest that is due where none has. */
  readonly startUs?: bigint;
  /** Ticks until then, inclusive; default: now. */
  readonly endUs?: bigint;
  /** Runs ticks again that have run; default: they are left as they are. */
  readonly again?: boolean;
}

/** Counts of ticks. */
export interface TickProgress {
  readonly source: string;
  /** The tick that ran last, in microseconds; undefined before the first. */
  readonly tickUs: bigint | undefined;
  /** Ticks of the range that have been gone through, of how many that are due. */
  readonly done: number;
  readonly of: number;
  readonly ran: number;
  /** Those that had run before. */
  readonly skipped: number;
  /** Rows of the ticks that ran. */
  readonly rows: number;
}

export interface TickReport extends TickProgress {
  /** The first and the last tick of the range that is due; undefined where none is. */
  readonly firstUs: bigint | undefined;
  readonly lastUs: bigint | undefined;
  /** Ticks of the range that are not due yet: a run begins at tick + offset. */
  readonly notDue: number;
  readonly seconds: number;
}

export interface TickOptions {
  readonly signal?: AbortSignal;
  /** Called after each tick that ran, and at the end. */
  onProgress?(progress: TickProgress): void;
}

export type RunTicks = (request: TickRequest, options?: TickOptions) => Promise<TickReport>;

/**
 * Makes the function that runs ticks one after another, the oldest first. Each is durable when the next begins, so that the same request
 * goes on where one before it was cut short. A tick that fails ends the run, and those before it stay.
 */
export function createRunTicks(parts: TickParts): RunTicks {
  const now = parts.nowUs ?? (() => BigInt(Date.now()) * 1000n);
  /** Of one source one request after another: none runs what another has just run. */
  const lanes = createLanes();
  const run = async (request: TickRequest, signal: AbortSignal, onProgress: TickOptions['onProgress']): Promise<TickReport> => {
    signal.throwIfAborted();
    const registry = parts.registry();
    const source = findSqlSource(registry, request.source);
    const { ticks } = parts.history;
    if (ticks === undefined) throw new FeatureStoreError('FAILED_PRECONDITION', 'there is no folder for results of SQL sources');
    const query = source.query as QueryDocument;
    const offsetUs = parseDurationUs(query.offset);
    const inputs = registry.sources.filter(({ name }) => query.inputs.some((input) => input.source === name));
    const started = performance.now();
    const known = new Set(await ticks.list(source));
    const range = planRange(query, request, [...known].at(-1), now());
    const progress = {
      source: source.name,
      tickUs: undefined as bigint | undefined,
      of: range.due,
      done: 0,
      ran: 0,
      skipped: 0,
      rows: 0,
    };
    for (let tickUs = range.firstUs; tickUs <= range.lastUs; tickUs += range.everyUs) {
      signal.throwIfAborted();
      progress.done += 1;
      if (known.has(tickUs) && request.again !== true) {
        progress.skipped += 1;
        continue;
      }
      const createdUs = known.has(tickUs) ? now() : tickUs + offsetUs;
      const { rows } = await ticks.run(source, inputs, { tickUs, createdUs }, signal);
      progress.tickUs = tickUs;
      progress.ran += 1;
      progress.rows += rows;
      parts.logger.info({ source: source.name, tick: formatInstantUs(tickUs), rows }, 'tick of an SQL source has run');
      onProgress?.({ ...progress });
    }
    const isEmpty = range.due === 0;
    return {
      ...progress,
      firstUs: isEmpty ? undefined : range.firstUs,
      lastUs: isEmpty ? undefined : range.lastUs,
      notDue: range.notDue,
      seconds: (performance.now() - started) / 1000,
    };
  };
  return async (request, { signal: given, onProgress } = {}) => {
    const signal = AbortSignal.any([given, parts.stopping].filter((one) => one !== undefined));
    return await lanes.run(request.source, () => run(request, signal, onProgress));
  };
}

/** The SQL source of that name; INVALID_ARGUMENT for another source. */
export function findSqlSource(registry: RegistryDocument, name: string): SourceDocument {
  const source = findNamed(registry.sources, 'source', name);
  if (source.query !== undefined) return source;
  throw new FeatureStoreError('INVALID_ARGUMENT', `source "${name}" is no SQL source: it has no ticks to run`, {
    details: { source: name },
  });
}

/** The latest tick whose run may have begun by an instant, in microseconds. */
export function latestDueTick({ every, offset }: QueryDocument, nowUs: bigint): bigint {
  return floorTick(nowUs - parseDurationUs(offset), parseDurationUs(every));
}

/** Which ticks of an SQL source there are between its first and its last, and how many of those have not run. */
export async function describeTicks(
  ticks: Pick<Ticks, 'list'>,
  source: SourceDocument,
): Promise<{ readonly firstUs: bigint; readonly lastUs: bigint; readonly count: number; readonly missing: number } | undefined> {
  const known = await ticks.list(source);
  const [firstUs, lastUs] = [known[0], known.at(-1)];
  if (firstUs === undefined || lastUs === undefined) return undefined;
  const everyUs = parseDurationUs((source.query as QueryDocument).every);
  return { firstUs, lastUs, count: known.length, missing: Number((lastUs - firstUs) / everyUs) + 1 - known.length };
}

interface Range {
  readonly everyUs: bigint;
  readonly firstUs: bigint;
  /** Before the first where none is due. */
  readonly lastUs: bigint;
  readonly due: number;
  readonly notDue: number;
}

function planRange(query: QueryDocument, { startUs, endUs }: TickRequest, lastRunUs: bigint | undefined, nowUs: bigint): Range {
  const everyUs = parseDurationUs(query.every);
  const latestUs = latestDueTick(query, nowUs);
  const endTickUs = endUs === undefined ? latestUs : floorTick(endUs, everyUs);
  const lastUs = earlier(endTickUs, latestUs);
  const sinceUs = lastRunUs === undefined ? lastUs : lastRunUs + everyUs;
  const firstUs = startUs === undefined ? sinceUs : floorTick(startUs + everyUs - 1n, everyUs);
  if (startUs !== undefined && endUs !== undefined && startUs > endUs) {
    throw new FeatureStoreError('INVALID_ARGUMENT', 'the start of the range of ticks is after its end; exchange them', {
      details: { startUs: String(startUs), endUs: String(endUs) },
    });
  }
  const count = (toUs: bigint) => (toUs < firstUs ? 0 : Number((toUs - firstUs) / everyUs) + 1);
  return { everyUs, firstUs, lastUs, due: count(lastUs), notDue: count(endTickUs) - count(lastUs) };
}

function earlier(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

/** Floors toward minus infinity, before 1970 too (rule 1.4). */
function floorTick(us: bigint, everyUs: bigint): bigint {
  const rest = us % everyUs;
  return us - (rest < 0n ? rest + everyUs : rest);
}
