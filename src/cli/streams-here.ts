/** Streams of event sources without a server: how far they are, and making their states anew while nobody reads them. */
import { join } from 'node:path';
import type { Config } from '../config.ts';
import { FeatureStoreError } from '../errors.ts';
import type { ShownStream } from '../http/stream-answers.ts';
import { silentLogger } from '../observe.ts';
import { createOnlineRecords } from '../online/records.ts';
import type { OnlineStore } from '../online/store.ts';
import type { RegistryDocument, SourceDocument } from '../registry/document.ts';
import { createStreamStatus } from '../serve/stream-status.ts';
import { type EventRange, type FillReport, fillFeatures } from '../stream/fill-features.ts';
import { type OpenLogsParts, openSourceLogs } from '../stream/open-logs.ts';
import { type ResetOptions, resetProgress } from '../stream/reset-progress.ts';
import { compileStreamSource } from '../stream/stream-source.ts';
import type { OnFilling, ResetReport } from '../stream/streams.ts';
import type { Context } from './context.ts';
import type { OnlineParts } from './online.ts';

export interface StreamsHereParts {
  readonly context: Context;
  readonly config: Config;
  readonly registry: RegistryDocument;
  /** Opened when it is needed. */
  store(): OnlineStore;
}

/** As the store has them, and their logs: which process reads them, and how it does, only a server knows. */
export function streamsHere({ context, config, registry, store }: StreamsHereParts): {
  list(source?: string): Promise<readonly ShownStream[]>;
} {
  return {
    async list(source) {
      const status = createStreamStatus({
        records: createOnlineRecords(store(), config.project),
        registry: () => registry,
        openLogs: (document) => openSourceLogs(logParts(context, config, store()), document),
      });
      return await status.read(source, context.interruption());
    },
  };
}

/** What opens the logs of a repository's sources. */
export function logParts({ environment }: Context, config: Config, store: OnlineStore): OpenLogsParts {
  const { project, root, storage } = config;
  return { store, project, root, directory: join(storage, 'streams'), environment, logger: silentLogger };
}

export async function replayHere(
  context: Context,
  parts: OnlineParts,
  document: SourceDocument,
  touched: EventRange,
  onProgress: OnFilling,
): Promise<FillReport> {
  const source = compileStreamSource(document, parts.registry);
  return await fillFeatures(fillParts(parts), source, { all: true, touched, signal: context.interruption(), onProgress });
}

/** FAILED_PRECONDITION for a source that only takes pushes. */
export async function resetHere(
  context: Context,
  parts: OnlineParts,
  document: SourceDocument,
  options: ResetOptions,
  onProgress: OnFilling,
): Promise<ResetReport> {
  const { config, store } = parts;
  const signal = context.interruption();
  const stream = openSourceLogs(logParts(context, config, store), document).openStream();
  if (stream === undefined) {
    throw new FeatureStoreError(
      'FAILED_PRECONDITION',
      `source "${document.name}" declares no stream: it only takes pushes, which need no reset`,
      { details: { source: document.name } },
    );
  }
  const records = createOnlineRecords(store, config.project);
  const partitions = await resetProgress(records, document, stream.log, options, signal);
  return { partitions, ...(await replayHere(context, parts, document, {}, onProgress)) };
}

/** What fills features from history. */
export function fillParts({ config, history, store }: OnlineParts) {
  return { store, project: config.project, history, logger: silentLogger, nowUs: () => BigInt(Date.now()) * 1000n };
}
