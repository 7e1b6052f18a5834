/** Makes states of a view's features anew from history, key by key, and removes those of keys that have no events there any more. */
import { randomBytes } from 'node:crypto';
import type { LiteralValue } from '../definitions/literal.ts';
import type { Logger } from '../observe.ts';
import type { History } from '../offline/history.ts';
import { createPace } from '../offline/pace.ts';
import { createOnlineSchemas } from '../online/encoding/schemas.ts';
import { noteNewestEvent } from '../online/newest-events.ts';
import { createOnlineRecords } from '../online/records.ts';
import { createSpillTally, type SpillTally } from '../online/spill/tell-spilled.ts';
import type { OnlineStore } from '../online/store.ts';
import { clockMarginUs } from '../online/view.ts';
import { dropStates } from '../online/windows/drop-states.ts';
import { addEvent, createState, firstHop, isEmptyState, settle, type WindowState } from '../online/windows/state.ts';
import type { WindowFeature } from '../online/windows/window-view.ts';
import { openStateWriter, type StateWriter } from '../online/windows/write-states.ts';
import type { SourceDocument } from '../registry/document.ts';
import { fillMark } from './progress.ts';
import type { StreamView } from './stream-source.ts';

export interface FillParts {
  readonly store: OnlineStore;
  readonly project: string;
  readonly history: Pick<History, 'scanEvents' | 'newestEventUs' | 'newestTableEventUs'>;
  readonly logger: Logger;
  nowUs(): bigint;
}

/** Event times; open where one is undefined. */
export interface EventRange {
  readonly fromUs?: bigint;
  readonly toUs?: bigint;
}

/** How far it is. */
export interface FillProgress {
  readonly source: string;
  readonly view: string;
  /** Its events are found and sorted, its states are made and written, or those of keys without events in history are removed. */
  readonly phase: 'sorting' | 'writing' | 'removing';
  /** Views that are done, of how many. */
  readonly done: number;
  readonly of: number;
  /** Of this view: events read and keys written. */
  readonly events: number;
  readonly keys: number;
}

/** The view's features, the events read and the keys written. */
export interface ViewReport {
  readonly view: string;
  readonly features: readonly string[];
  readonly events: number;
  readonly keys: number;
}

export interface ViewFill {
  readonly before: ReadonlyMap<string, bigint>;
  /** Events from here on come from the stream; undefined where streams are archived. */
  readonly untilUs: bigint | undefined;
  /** Whether all of the view's features are made anew, so that a state that is not has no event left in history. */
  readonly isForAll: boolean;
  readonly touched: EventRange;
  /** Throws once others may have gone on. */
  check(): void;
  tell(now: Pick<FillProgress, 'phase' | 'events' | 'keys'>): void;
  readonly signal: AbortSignal;
}

const keysAtOnce = 256;

/** Features that are not given stay what they are. */
export async function fillView(
  { store, project, history, logger, nowUs }: FillParts,
  document: SourceDocument,
  { document: view, window }: StreamView,
  features: readonly WindowFeature[],
  { before, untilUs, isForAll, touched, check, tell, signal }: ViewFill,
): Promise<ViewReport> {
  const scope = { store, project, schemas: createOnlineSchemas(store, project) };
  const writer = await openStateWriter(scope, window, features, signal);
  const own = { ...window, features };
  const isOfEveryKey = isForAll && touched.fromUs === undefined && touched.toUs === undefined;
  // Another one each time, as those of an earlier time may still be there.
  const mark = BigInt(`0x${randomBytes(6).toString('hex')}`);
  const startUs = nowUs();
  const fromUs = firstNeededUs(features, startUs - clockMarginUs);
  const report = { view: view.name, features: features.map(({ name }) => name), events: 0, keys: 0 };
  const tellOf = (phase: FillProgress['phase']) => tell({ phase, events: report.events, keys: report.keys });
  const tally = createSpillTally();
  const states = openStates(writer, report, { check, tally, onWritten: () => tellOf('writing') }, signal);
  const isWanted = (timeUs: bigint) =>
    (touched.fromUs === undefined || timeUs >= touched.fromUs) && (touched.toUs === undefined || timeUs < touched.toUs);
  const pace = createPace(signal);
  let current: FilledKey | undefined;
  let newestUs: bigint | undefined;
  tellOf('sorting');
  const finish = async (one: FilledKey | undefined) => {
    if (one?.isWanted !== true) return;
    settle(own, one.state, nowUs(), undefined);
    if (isOfEveryKey && !isEmptyState(one.state)) one.state.fences.set(fillMark, mark);
    await states.add(one);
  };
  try {
    for await (const chunk of history.scanEvents(view, document, { before, fromUs }, signal)) {
      for (let row = 0; row < chunk.count; row++) {
        if ((row & 127) === 0) await pace();
        if (current === undefined || !chunk.keys.every((column, at) => isSameKey(column[row], current?.keys[at]))) {
          await finish(current);
          current = { keys: chunk.keys.map((column) => column[row] as LiteralValue), state: createState(own), isWanted: false };
        }
        if (untilUs !== undefined && (chunk.timesUs[row] as bigint) >= untilUs) continue;
        if (isWanted(chunk.timesUs[row] as bigint)) current.isWanted = true;
        const event = { timeUs: chunk.timesUs[row] as bigint, values: chunk.values.map((column) => column[row] as LiteralValue) };
        addEvent(own, current.state, event, startUs);
        if (newestUs === undefined || event.timeUs > newestUs) newestUs = event.timeUs;
        report.events += 1;
      }
    }
    await finish(current);
    await states.flush();
  } finally {
    tally.warn(logger);
  }
  if (isOfEveryKey) {
    tellOf('removing');
    check();
    await dropStates(scope, window, (state) => state.fences.get(fillMark) === mark, signal);
  }
  if (newestUs !== undefined) {
    await noteNewestEvent(createOnlineRecords(store, project), view, { eventUs: newestUs, nowUs: nowUs() }, signal);
  }
  logger.info(report, 'features were filled from history');
  return report;
}

interface FilledKey {
  readonly keys: readonly LiteralValue[];
  readonly state: WindowState;
  isWanted: boolean;
}

interface WriteHooks {
  /** Before states are written. */
  check(): void;
  readonly tally: SpillTally;
  onWritten(): void;
}

function openStates(writer: StateWriter, report: { keys: number }, { check, tally, onWritten }: WriteHooks, signal: AbortSignal) {
  let waiting: FilledKey[] = [];
  const flush = async () => {
    const states = waiting;
    waiting = [];
    check();
    if (states.length > 0) tally.add(await writer.write(states, signal));
    report.keys += states.length;
    onWritten();
  };
  return {
    flush,
    async add(one: FilledKey) {
      waiting.push(one);
      if (waiting.length >= keysAtOnce) await flush();
    },
  };
}

/** The start of the longest window; undefined where one has no left end, as sessions have none. */
function firstNeededUs(features: readonly WindowFeature[], nowUs: bigint): bigint | undefined {
  let leastUs: bigint | undefined;
  for (const { windowUs, hopUs } of features) {
    if (windowUs === undefined || hopUs === undefined) return undefined;
    const startUs = BigInt(firstHop(windowUs, hopUs, nowUs)) * hopUs;
    if (leastUs === undefined || startUs < leastUs) leastUs = startUs;
  }
  return leastUs;
}

function isSameKey(a: LiteralValue | undefined, b: LiteralValue | undefined): boolean {
  return a instanceof Uint8Array && b instanceof Uint8Array ? Buffer.compare(a, b) === 0 : a === b;
}
