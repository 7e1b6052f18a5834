/** All streams of a process: each event source is filled from history, then its logs are read until something else is applied. */
import { setTimeout as sleep } from 'node:timers/promises';
import { asFeatureStoreError, FeatureStoreError } from '../errors.ts';
import type { Logger, Tracer } from '../observe.ts';
import type { Archive } from '../offline/archive/archive.ts';
import type { History } from '../offline/history.ts';
import { takeLease } from '../online/lease.ts';
import { createOnlineRecords } from '../online/records.ts';
import type { OnlineStore } from '../online/store.ts';
import type { RegistryDocument, SourceDocument } from '../registry/document.ts';
import { type EventRange, type FillProgress, type FillReport, fillFeatures } from './fill-features.ts';
import type { LogRange, LogReader, StreamLog } from './log/log.ts';
import type { PushLog } from './log/push-log.ts';
import { openSourceLogs, type SourceLogs } from './open-logs.ts';
import { createSourceProcessor, type SourceProcessor } from './process-source.ts';
import { compilePushDecoder } from './push-events.ts';
import { type ResetOptions, type ResetPartition, resetProgress } from './reset-progress.ts';
import type { SourceStatus } from './status.ts';
import { compileStreamSource, type StreamSource } from './stream-source.ts';

export interface StreamsParts {
  readonly store: OnlineStore;
  readonly project: string;
  readonly history: Pick<History, 'readEvents' | 'scanEvents' | 'newestEventUs' | 'findTableIds' | 'newestTableEventUs'> & {
    readonly archive: Archive;
  };
  /** The repository, where paths of TLS files begin. */
  readonly root: string;
  /** Folder of what was pushed and is not applied yet. */
  readonly directory: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly logger: Logger;
  /** Where batches are traced. */
  readonly tracer?: Tracer;
  /** Told when other features are served than before, and what was filled because it was not. */
  onFilled(filled?: FilledSource): void;
  nowUs?(): bigint;
}

export interface Streams {
  /** Fills what the definitions need, while what was applied before is served and its streams rest. Then call `start`. */
  prepare(registry: RegistryDocument, signal: AbortSignal, onProgress?: OnFilling): Promise<void>;
  /** Reads the streams of these definitions, and no others; what is not filled yet is filled first. */
  start(registry: RegistryDocument): void;
  /** Makes states anew from all of a source's history, those of keys with events in a range alone; then the stream goes on. */
  replay(source: string, touched: EventRange, signal: AbortSignal, onProgress?: OnFilling): Promise<FillReport>;
  /** Lets the declared stream of a source begin elsewhere, and makes all states anew from history, as some events may be there alone. */
  reset(source: string, options: ResetOptions, signal: AbortSignal, onProgress?: OnFilling): Promise<ResetReport>;
  pushLog(source: string): PushLog;
  source(name: string): StreamSource;
  status(): readonly SourceStatus[];
  stop(): Promise<void>;
}

export type OnFilling = (progress: FillProgress) => void;

export interface ResetReport extends FillReport {
  readonly partitions: readonly ResetPartition[];
}

export interface FilledSource extends FillReport {
  readonly source: string;
}

interface RunningSource {
  readonly source: StreamSource;
  readonly processor: SourceProcessor;
  readonly logs: SourceLogs;
  readonly ending: AbortController;
  readonly ended: Promise<void>;
}

const sweepMs = 3_600_000;
const firstWaitMs = 500;
const longestWaitMs = 15_000;

export function createStreams(parts: StreamsParts): Streams {
  const { logger } = parts;
  const shared = { ...parts, nowUs: parts.nowUs ?? (() => BigInt(Date.now()) * 1000n) };
  const running = new Map<string, RunningSource>();
  /** Halted for a while: what is pushed to them waits in their logs. */
  const resting = new Map<string, RunningSource>();
  const stopping = new AbortController();
  /** One change of what runs at a time. */
  let turn: Promise<unknown> = Promise.resolve();

  const untilStop = (signal: AbortSignal) => AbortSignal.any([signal, stopping.signal]);

  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const run = turn.then(work);
    turn = run.catch(() => {});
    return run;
  }

  async function halt(name: string): Promise<void> {
    const one = running.get(name);
    if (one === undefined) return;
    running.delete(name);
    resting.set(name, one);
    one.ending.abort(new FeatureStoreError('ABORTED', `the stream of source "${name}" rests`));
    await one.ended;
  }

  function run(source: StreamSource): void {
    const { document } = source;
    const processor = createSourceProcessor(shared, source);
    const logs = openSourceLogs(shared, document);
    const ending = new AbortController();
    const ended = readAll(source, processor, logs, ending.signal);
    running.set(document.name, { source, processor, logs, ending, ended });
    resting.delete(document.name);
  }

  /** Fills, then reads every log at once; each begins anew after a failure, which is told until it is mended. */
  async function readAll(source: StreamSource, processor: SourceProcessor, logs: SourceLogs, signal: AbortSignal): Promise<void> {
    const { document } = source;
    const fill = async () => {
      const { views } = await fillFeatures(shared, source, { signal });
      if (views.length > 0) parts.onFilled({ source: document.name, views });
    };
    await untilDone(document.name, processor, signal, fill);
    const read = (log: StreamLog, reader: LogReader) =>
      untilDone(document.name, processor, signal, async () => await log.run(reader, signal));
    const push = processor.reader(compilePushDecoder(document), 'earliest');
    const readDeclared = async () => {
      const stream = logs.openStream();
      if (stream !== undefined) await stream.log.run(processor.reader(stream.decode, stream.from), signal);
    };
    await Promise.all([
      read(logs.push, push),
      untilDone(document.name, processor, signal, readDeclared),
      sweepFromTimeToTime(document.name, processor, logs, signal),
    ]);
  }

  async function sweepFromTimeToTime(
    name: string,
    processor: SourceProcessor,
    logs: SourceLogs,
    signal: AbortSignal,
  ): Promise<void> {
    const records = createOnlineRecords(parts.store, parts.project);
    while (!signal.aborted) {
      await sleep(sweepMs, undefined, { signal }).catch(() => {});
      if (signal.aborted) return;
      try {
        const lease = await takeLease(
          records,
          { name: `sweeping ${name}`, work: `states of source "${name}" are being swept` },
          signal,
        );
        const abort = AbortSignal.any([signal, lease.signal]);
        const report = await processor.sweep(() => readEnds(logs, abort), abort).finally(lease.release);
        logger.debug({ source: name, ...report }, 'states that nothing needs were freed');
        const { lost } = report;
        if (lost !== undefined)
          logger.error({ source: name, lost }, `states had spilled and are gone; run featherflight replay ${name}`);
      } catch (error) {
        // Another process may be at it; what is left is looked at again.
        if (!signal.aborted) logger.debug({ source: name, error: String(error) }, 'states could not be swept');
      }
    }
  }

  async function untilDone(
    name: string,
    processor: SourceProcessor,
    signal: AbortSignal,
    work: () => Promise<void>,
  ): Promise<void> {
    let told: string | undefined;
    for (let waitMs = firstWaitMs; !signal.aborted; waitMs = Math.min(2 * waitMs, longestWaitMs)) {
      const startMs = Date.now();
      try {
        await work();
        return;
      } catch (error) {
        if (signal.aborted) return;
        const { code, message } = asFeatureStoreError(error);
        processor.failed(message);
        if (message !== told) logger.error({ source: name, code, error: message }, 'a stream stands still; it is tried again');
        told = message;
        if (Date.now() - startMs > longestWaitMs) waitMs = firstWaitMs;
        await sleep(waitMs, undefined, { signal }).catch(() => {});
      }
    }
  }

  function requireSource(name: string): RunningSource {
    const one = running.get(name) ?? resting.get(name);
    if (one !== undefined) return one;
    throw new FeatureStoreError('NOT_FOUND', `there is no event source "${name}"`, { details: { source: name } });
  }

  /** Does something while nothing of the source is read in this process. */
  function whileHalted<T>(name: string, work: (source: StreamSource, logs: SourceLogs) => Promise<T>): Promise<T> {
    return inTurn(async () => {
      const { source } = requireSource(name);
      await halt(name);
      try {
        return await work(source, openSourceLogs(shared, source.document));
      } finally {
        if (!stopping.signal.aborted) run(source);
        parts.onFilled();
      }
    });
  }

  return {
    prepare: (registry, signal, onProgress) =>
      inTurn(async () => {
        for (const document of eventSourcesOf(registry)) {
          const source = compileStreamSource(document, registry);
          if (isSame(running.get(document.name)?.source, source)) continue;
          await halt(document.name);
          await fillFeatures(shared, source, { signal: untilStop(signal), onProgress });
        }
      }),
    start(registry) {
      void inTurn(async () => {
        if (stopping.signal.aborted) return;
        const documents = eventSourcesOf(registry);
        for (const name of [...running.keys(), ...resting.keys()]) {
          if (documents.some((document) => document.name === name)) continue;
          await halt(name);
          resting.delete(name);
        }
        for (const document of documents) {
          if (isSame(running.get(document.name)?.source, compileStreamSource(document, registry))) continue;
          await halt(document.name);
          run(compileStreamSource(document, registry));
        }
        parts.onFilled();
      }).catch((error: unknown) => logger.error({ error: String(error) }, 'streams could not be started'));
    },
    replay: (name, touched, signal, onProgress) =>
      whileHalted(name, (source) => fillFeatures(shared, source, { all: true, touched, signal: untilStop(signal), onProgress })),
    reset: (name, options, signal, onProgress) =>
      whileHalted(name, async (source, logs) => {
        const stream = logs.openStream();
        if (stream === undefined) throw noStream(name);
        const partitions = await resetProgress(
          createOnlineRecords(parts.store, parts.project),
          source.document,
          stream.log,
          options,
          untilStop(signal),
        );
        return { partitions, ...(await fillFeatures(shared, source, { all: true, signal: untilStop(signal), onProgress })) };
      }),
    pushLog: (name) => requireSource(name).logs.push,
    source: (name) => requireSource(name).source,
    status: () => [...running.values(), ...resting.values()].map(({ processor }) => processor.status()),
    async stop() {
      stopping.abort(new FeatureStoreError('UNAVAILABLE', 'the server is stopping'));
      await inTurn(async () => {
        await Promise.all([...running.keys()].map(halt));
      });
    },
  };
}

/** Of everything that is read of a source. */
async function readEnds({ push, openStream }: SourceLogs, signal: AbortSignal): Promise<ReadonlyMap<string, LogRange>> {
  const stream = openStream();
  return new Map([...(await push.ranges(signal)), ...((await stream?.log.ranges(signal)) ?? [])]);
}

function noStream(source: string): FeatureStoreError {
  return new FeatureStoreError(
    'FAILED_PRECONDITION',
    `source "${source}" declares no stream: it only takes pushes, which need no reset`,
    {
      details: { source },
    },
  );
}

function eventSourcesOf({ sources }: RegistryDocument): readonly SourceDocument[] {
  return sources.filter(({ kind }) => kind === 'event');
}

/** Whether nothing that a processor goes by has changed. */
function isSame(running: StreamSource | undefined, wanted: StreamSource): boolean {
  const identity = ({ document, latenessUs, views }: StreamSource) =>
    JSON.stringify([
      document.stream ?? null,
      document.archive ?? null,
      document.maxStateBytes ?? null,
      document.eventTimestamp,
      document.timezone ?? null,
      document.ambiguousTime ?? null,
      document.events ?? null,
      document.table,
      document.tables ?? null,
      String(latenessUs),
      views.map(({ window }) => [window.name, window.joinKeys, window.features.map(({ name, hash }) => [name, hash])]),
    ]);
  return running !== undefined && identity(running) === identity(wanted);
}
