/** Freshness of views as the store and the logs of streams have it now, alike on every server and without one. */
import { asFeatureStoreError } from '../errors.ts';
import type { ShownStream } from '../http/stream-answers.ts';
import { readWatermarks, type Watermark } from '../materialize/view-state.ts';
import { readNewestEvents } from '../online/newest-events.ts';
import type { OnlineRecords } from '../online/records.ts';
import { readReadiness } from '../online/windows/readiness.ts';
import { hashState } from '../online/windows/window-view.ts';
import type { RegistryDocument, ViewDocument } from '../registry/document.ts';
import { pushPartition } from '../stream/log/push-entries.ts';
import { openProgress } from '../stream/progress.ts';
import { type FreshnessFacts, measureFreshness, type ViewFreshness } from '../validate/freshness.ts';

export interface FreshnessParts {
  readonly records: OnlineRecords;
  registry(): Pick<RegistryDocument, 'views'>;
  /** How far a stream is, its log included. */
  listStreams(source: string): Promise<readonly ShownStream[]>;
  nowUs?(): bigint;
}

export interface Freshness {
  /** Of every batch and stream view, or of some of them, in the order of the definitions. */
  read(views?: readonly string[]): Promise<readonly ViewFreshness[]>;
}

export interface RunningFreshness extends Freshness {
  stop(): Promise<void>;
}

const lookMs = 5000;

export function createFreshness({ records, registry, listStreams, nowUs }: FreshnessParts): Freshness {
  const now = nowUs ?? (() => BigInt(Date.now()) * 1000n);
  /** By source and partition, when all of its log was seen to be applied last. */
  const caughtUpUs = new Map<string, bigint>();

  async function ofBatchViews(views: readonly ViewDocument[]): Promise<(readonly [ViewDocument, FreshnessFacts])[]> {
    const names = views.map(({ name }) => name);
    const [newest, watermarks] = await Promise.all([
      readNewestEvents(records, views),
      names.length === 0 ? [] : readWatermarks(records, names),
    ]);
    return views.map((view, at) => [view, { eventUs: newest[at], processedUs: broughtUpTo(watermarks[at]) }]);
  }

  async function ofStreamViews(views: readonly ViewDocument[]): Promise<(readonly [ViewDocument, FreshnessFacts])[]> {
    const sources = [...new Set(views.map(({ source }) => source))];
    const names = views.map(({ name }) => name);
    const [filled, readiness, applied] = await Promise.all([
      readNewestEvents(records, views),
      readReadiness(records, names),
      // A stream that cannot be looked at says nothing of views that rest on others.
      Promise.all(sources.map((source) => readApplied(source).catch(unknown))),
    ]);
    return views.map((view, at) => {
      const { eventUs, processedUs, error } = applied[sources.indexOf(view.source)] as FreshnessFacts;
      if (error !== undefined) return [view, { eventUs, processedUs, error }];
      // One that is still to be filled lacks all of history.
      const isReady = view.features.every((feature) => readiness[at]?.[feature.name] === hashState(view, feature));
      return [view, { eventUs: newer(filled[at], eventUs), processedUs: isReady ? processedUs : undefined }];
    });
  }

  /** A partition of which all is applied is up to date now, however long ago its last event came; the slowest one decides. */
  async function readApplied(source: string): Promise<FreshnessFacts> {
    const [progresses, [stream]] = await Promise.all([openProgress(records, source).readAll(), listStreams(source)]);
    const lookUs = now();
    let eventUs: bigint | undefined;
    let processedUs: bigint | undefined = lookUs;
    for (const { maxEventUs } of progresses.values()) eventUs = newer(eventUs, maxEventUs);
    const { partitions = [], log_error: logError = null } = stream ?? {};
    for (const { partition, end, lag_records: lag } of partitions) {
      const isAsked = logError === null || partition === pushPartition;
      // A partition that its log does not have any more is gone.
      if (isAsked && end === null) continue;
      const id = JSON.stringify([source, partition]);
      if (isAsked && lag === 0) caughtUpUs.set(id, lookUs);
      const doneUs = newer(caughtUpUs.get(id), progresses.get(partition)?.appliedUs);
      if (processedUs !== undefined && (doneUs === undefined || doneUs < processedUs)) processedUs = doneUs;
    }
    const isUnknown = logError !== null && partitions.every(({ partition }) => partition === pushPartition);
    return { eventUs, processedUs: isUnknown ? undefined : processedUs };
  }

  return {
    async read(names) {
      const views = registry().views.filter(({ name }) => names === undefined || names.includes(name));
      const ofKind = (kind: ViewDocument['kind']) => views.filter((view) => view.kind === kind);
      const facts = new Map((await Promise.all([ofBatchViews(ofKind('batch')), ofStreamViews(ofKind('stream'))])).flat());
      const nowUs = now();
      return views.map((view) => measureFreshness(view, facts.get(view) as FreshnessFacts, nowUs));
    },
  };
}

/** Looks at streams all the time: of one that has just fallen behind it must be known when it was not. */
export function startFreshness(parts: FreshnessParts): RunningFreshness {
  const freshness = createFreshness(parts);
  let looking: Promise<unknown> | undefined;
  const timer = setInterval(() => {
    if (!parts.registry().views.some(({ kind }) => kind === 'stream')) return;
    // A store that is away is told of by whoever asks.
    looking ??= freshness
      .read()
      .catch(() => {})
      .finally(() => {
        looking = undefined;
      });
  }, lookMs);
  return {
    read: freshness.read,
    async stop() {
      clearInterval(timer);
      await looking;
    },
  };
}

/** What came after a run's end is not brought online by it, however late it ran. */
function broughtUpTo(watermark: Watermark | undefined): bigint | undefined {
  if (watermark === undefined) return undefined;
  const { endUs, finishedUs } = watermark;
  if (endUs < finishedUs) return endUs;
  return finishedUs;
}

function unknown(thrown: unknown): FreshnessFacts {
  return { eventUs: undefined, processedUs: undefined, error: asFeatureStoreError(thrown).message };
}

function newer(one: bigint | undefined, other: bigint | undefined): bigint | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return one > other ? one : other;
}
