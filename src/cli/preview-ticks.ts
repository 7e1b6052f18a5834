/** Ticks that a preview needs and that have not run as the source is defined now: run into the preview's own folder, and gone with it. */
import { formatInstantUs } from '../definitions/literal.ts';
import { FeatureStoreError } from '../errors.ts';
import { createRunTicks, latestDueTick } from '../materialize/run-ticks.ts';
import { silentLogger } from '../observe.ts';
import { readTimes } from '../offline/frame/read-times.ts';
import type { History } from '../offline/history.ts';
import { planRetrieval, type RetrievalPlan } from '../offline/plan.ts';
import type { HistoricalRequest } from '../offline/request.ts';
import { type NeededTicks, planNeededTicks, type TimeRange } from '../offline/ticks/needed-ticks.ts';
import type { QueryDocument, RegistryDocument, SourceDocument } from '../registry/document.ts';
import { describeTickProgress } from '../serve/run-sql-action.ts';
import type { Context } from './context.ts';
import type { EntityFrame } from './entity-frame.ts';
import { describeTickLine } from './run-sql.ts';

export interface PreviewedAnswer {
  readonly context: Context;
  readonly history: History;
  readonly registry: RegistryDocument;
  readonly request: HistoricalRequest;
  readonly frame: EntityFrame;
  readonly signal: AbortSignal;
}

/** Each reads its inputs' files: more than that is a backfill and no preview. */
const mostTicks = 1000;

/** FAILED_PRECONDITION where it takes too many, with what to do. */
export async function runNeededTicks({ context, history, registry, request, frame, signal }: PreviewedAnswer): Promise<void> {
  const nowUs = BigInt(Date.now()) * 1000n;
  const plan = planRetrieval(registry, request, frame.schema, nowUs);
  if (plan.lookups.every(({ source }) => source.query === undefined) || history.ticks === undefined) return;
  // Rows without a time read no tick; the table is there all the same.
  const times = (await findTimes(plan, frame, signal)) ?? { leastUs: nowUs, greatestUs: nowUs };
  const runTicks = createRunTicks({ history, registry: () => registry, logger: silentLogger });
  for (const needed of await planNeededTicks(plan, times, (source) => findOldest(history, registry, source))) {
    const range = dueOf(needed, nowUs);
    const missing = await countMissing(history.ticks, needed, range);
    if (missing > mostTicks) throw tooMany(needed, range, missing);
    const { ran, rows } = await runTicks(
      { source: needed.source.name, startUs: range.firstUs, endUs: range.lastUs },
      { signal, onProgress: (now) => context.progress(describeTickLine(describeTickProgress(now))) },
    );
    context.progress('');
    if (ran > 0)
      context.say(
        `ran ${ran === 1 ? '1 tick' : `${ran} ticks`} of ${needed.source.name} for this preview alone, of ${rows} rows`,
      );
  }
}

/** The least and the greatest time of the frame; undefined where no row has one. */
async function findTimes(plan: RetrievalPlan, frame: EntityFrame, signal: AbortSignal): Promise<TimeRange | undefined> {
  const { time } = plan;
  if (time.kind === 'at') return { leastUs: time.us, greatestUs: time.us };
  let found: TimeRange | undefined;
  let firstRow = 0;
  for await (const batch of frame.batches(signal)) {
    const { words, nulls, length } = readTimes(batch.plain(time.index), time.name, plan.timezone, firstRow);
    const instants = new BigInt64Array(words.buffer, words.byteOffset, length);
    for (const [row, us] of instants.entries()) {
      if (nulls?.[row] === 1) continue;
      if (found === undefined || us < found.leastUs) found = { leastUs: us, greatestUs: found?.greatestUs ?? us };
      if (us > found.greatestUs) found = { ...found, greatestUs: us };
    }
    firstRow += length;
  }
  return found;
}

async function findOldest(history: History, { sources }: RegistryDocument, source: SourceDocument): Promise<bigint | undefined> {
  let oldestUs: bigint | undefined;
  for (const { source: name } of (source.query as QueryDocument).inputs) {
    const input = sources.find((candidate) => candidate.name === name) as SourceDocument;
    const us = await history.oldestEventUs(input);
    if (us !== undefined && (oldestUs === undefined || us < oldestUs)) oldestUs = us;
  }
  return oldestUs;
}

interface Range {
  readonly firstUs: bigint;
  readonly lastUs: bigint;
}

/** A tick whose time has not come is not run, and the latest that is due is there. */
function dueOf({ source, firstUs, lastUs }: NeededTicks, nowUs: bigint): Range {
  const dueUs = latestDueTick(source.query as QueryDocument, nowUs);
  return { firstUs: firstUs < dueUs ? firstUs : dueUs, lastUs: lastUs < dueUs ? lastUs : dueUs };
}

async function countMissing(
  ticks: NonNullable<History['ticks']>,
  { source, everyUs }: NeededTicks,
  { firstUs, lastUs }: Range,
): Promise<number> {
  const known = (await ticks.list(source)).filter((tickUs) => tickUs >= firstUs && tickUs <= lastUs);
  return Number((lastUs - firstUs) / everyUs) + 1 - known.length;
}

function tooMany({ source: { name }, reachesBack }: NeededTicks, { firstUs, lastUs }: Range, missing: number): FeatureStoreError {
  const range = `${formatInstantUs(firstUs)} to ${formatInstantUs(lastUs)}`;
  const why =
    reachesBack === undefined
      ? 'ask for rows whose times lie closer together'
      : `view "${reachesBack.view}" has ${reachesBack.because}, and so reads all since the first row of its inputs: give it a ttl${
          reachesBack.because === 'no ttl' ? '' : ' and a literal default'
        }`;
  return new FeatureStoreError(
    'FAILED_PRECONDITION',
    `a preview would run ${missing} ticks of source "${name}" (${range}), and runs at most ${mostTicks}: ${why}, or apply and run featherflight run-sql ${name} --start ${formatInstantUs(firstUs)} --end ${formatInstantUs(lastUs)}`,
    { details: { source: name, missing, first: formatInstantUs(firstUs), last: formatInstantUs(lastUs) } },
  );
}
