/**
 * The feature log where answers are made: answers with rows of sampled keys are noted, and between requests, in small pieces, their rows go
 * into columns that are sent on as Arrow batches. Nobody who asked waits for any of it; what does not fit the buffer is dropped and counted.
 */
import type { Logger } from '../../observe.ts';
import type { OnlineAnswer } from '../../online/retrieve/answer.ts';
import type { OnlinePlan } from '../../online/retrieve/plan.ts';
import { countRows, createRowsBuilder, type LogBatch, type PickedRows, type RowsBuilder } from './log-rows.ts';
import { type AnswerSampler, createAnswerSampler } from './sample-answer.ts';
import { describeShape, type LogShape } from './shape.ts';

export interface FeatureLogOptions {
  /** Share of keys, above 0 and at most 1. */
  readonly sample: number;
  /** The entity whose key samples; default the first of each request. */
  readonly by?: string | undefined;
  /** Who answers. */
  readonly replica: string;
  /** How far a view was known to be, in event time. */
  readonly progressUs: (view: string) => bigint | null;
  /** Takes a batch to be written; resolves when it was taken. */
  readonly send: (shape: LogShape, batch: LogBatch) => Promise<void>;
  readonly logger: Logger;
  /** Values that wait to be sent at most, statuses and times included; default 2 million. */
  readonly maxValues?: number;
  /** Bytes that were sent and not yet taken at most; default 64 MiB. */
  readonly maxSentBytes?: number;
  /** Values of a batch, about; default 131,072. */
  readonly batchValues?: number;
}

export interface LogCounts {
  /** Rows that were sent on. */
  readonly rows: number;
  /** Rows that were dropped: for want of room in the buffer, or because they could not be sent. */
  readonly dropped: number;
}

export interface FeatureLog {
  /** Notes an answer that is served. Never throws and never waits. */
  served(answer: OnlineAnswer, asked: { readonly requestId: string; readonly reader: string | null }): void;
  counts(): LogCounts;
  /** Resolves when all that was served before is taken. */
  flush(): Promise<void>;
  /** The same, after which nothing more is noted. */
  stop(): Promise<void>;
}

/** How long rows wait for others, to be sent with them. */
const pauseMs = 500;
/** Values that go into columns in one turn of the event loop: a fraction of a millisecond's work. */
const turnValues = 16_384;
/** Of a batch, however few its values are. */
const batchBytes = 4 * 2 ** 20;
/** Shapes of one moment: every set of features that is asked for is one. */
const maxShapes = 256;

/** A shape of which there were rows within the last pause or two. */
interface Open {
  readonly shape: LogShape;
  /** Columns of a row. */
  readonly width: number;
  /** Rows that were noted and are in no column yet. */
  noted: number;
  builder: RowsBuilder | undefined;
}

interface Noted {
  readonly open: Open;
  readonly of: PickedRows;
  /** The first of the rows that are in no column yet. */
  from: number;
}

export function createFeatureLog(options: FeatureLogOptions): FeatureLog {
  const { sample, by, replica, progressUs, send, logger } = options;
  const { maxValues = 2_000_000, maxSentBytes = 64 * 2 ** 20, batchValues = 131_072 } = options;
  const known = new WeakMap<OnlinePlan, { readonly shape: LogShape; readonly isSampled: AnswerSampler }>();
  const opened = new Map<string, Open>();
  const noted: Noted[] = [];
  const sending = new Set<Promise<void>>();
  let values = 0;
  let sentBytes = 0;
  let rows = 0;
  let dropped = 0;
  let isStopped = false;
  let draining: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;

  function shapeOf(answer: OnlineAnswer) {
    const { plan } = answer.origin;
    const found = known.get(plan);
    if (found !== undefined) return found;
    const shape = describeShape(answer, by);
    const described = { shape, isSampled: createAnswerSampler(shape, plan, sample) };
    known.set(plan, described);
    return described;
  }

  function note(shape: LogShape, of: PickedRows): void {
    const count = countRows(of);
    const there = opened.get(shape.id);
    const open = there ?? { shape, width: widthOf(shape), noted: 0, builder: undefined };
    if (values + count * open.width > maxValues || (there === undefined && opened.size >= maxShapes)) {
      dropped += count;
      return;
    }
    values += count * open.width;
    open.noted += count;
    if (there === undefined) opened.set(shape.id, open);
    noted.push({ open, of, from: 0 });
    void drain();
    timer ??= setTimeout(sendAll, pauseMs).unref();
  }

  function drain(): Promise<void> {
    if (draining === undefined && noted.length > 0) draining = drainNoted();
    return draining ?? Promise.resolve();
  }

  /** First comes what is answered now. */
  async function drainNoted(): Promise<void> {
    while (noted.length > 0) {
      await new Promise(setImmediate);
      if (sentBytes >= maxSentBytes) await Promise.race(sending);
      fillColumns();
    }
    draining = undefined;
  }

  function fillColumns(): void {
    let left = turnValues;
    let done = 0;
    while (done < noted.length && left > 0 && sentBytes < maxSentBytes) {
      const next = noted[done] as Noted;
      left -= fillFrom(next, left);
      if (next.from === countRows(next.of)) done += 1;
    }
    noted.splice(0, done);
  }

  /** Gives the values of the rows that went into columns. */
  function fillFrom(each: Noted, mostValues: number): number {
    const { open, of, from } = each;
    const batchRows = Math.max(1, Math.floor(batchValues / open.width));
    open.builder ??= createRowsBuilder(open.shape, replica);
    const { builder } = open;
    const count = Math.min(countRows(of) - from, batchRows - builder.rows, Math.max(1, Math.ceil(mostValues / open.width)));
    each.from += count;
    open.noted -= count;
    try {
      builder.add(of, from, from + count);
    } catch (error) {
      // Its columns may be of different lengths now.
      open.builder = undefined;
      values -= (builder.rows + count) * open.width;
      drop(builder.rows + count, error);
      return count * open.width;
    }
    if (builder.rows >= batchRows || builder.bytes() >= batchBytes) sendBatch(open);
    return count * open.width;
  }

  function sendAll(): void {
    timer = undefined;
    for (const open of [...opened.values()]) {
      if (open.noted === 0 && (open.builder?.rows ?? 0) === 0) opened.delete(open.shape.id);
      else sendBatch(open);
    }
    if (opened.size > 0) timer = setTimeout(sendAll, pauseMs).unref();
  }

  function sendBatch(open: Open): void {
    const { shape, builder, width } = open;
    if (builder === undefined || builder.rows === 0) return;
    const { rows: count } = builder;
    values -= count * width;
    try {
      const batch = builder.take();
      const bytes = batch.header.length + batch.body.length;
      sentBytes += bytes;
      const sent: Promise<void> = send(shape, batch)
        .then(
          () => {
            rows += count;
          },
          (error: unknown) => drop(count, error),
        )
        .finally(() => {
          sentBytes -= bytes;
          sending.delete(sent);
        });
      sending.add(sent);
    } catch (error) {
      open.builder = undefined;
      drop(count, error);
    }
  }

  function drop(count: number, error: unknown): void {
    dropped += count;
    logger.warn({ rows: count, error: String(error) }, 'rows could not be logged');
  }

  async function flush(): Promise<void> {
    await drain();
    clearTimeout(timer);
    sendAll();
    await Promise.all(sending);
  }

  return {
    served(answer, { requestId, reader }) {
      if (isStopped || answer.rows === 0) return;
      try {
        const { shape, isSampled } = shapeOf(answer);
        const picked = isSampled(answer, requestId);
        if (picked !== undefined && picked.length === 0) return;
        const progress = shape.lookups.map(({ view }) => progressUs(view));
        note(shape, { answer, picked, requestId, reader, progressUs: progress });
      } catch (error) {
        drop(answer.rows, error);
      }
    },
    counts: () => ({ rows, dropped }),
    flush,
    async stop() {
      isStopped = true;
      await flush();
    },
  };
}

/** Columns of a row. */
function widthOf({ columns, lookups, outputs }: LogShape): number {
  return 4 + columns.length + lookups.length + 4 * outputs.length;
}
