/** Events of a file pushed without a server: into the log of pushes, and applied at once by this process. */
import { setTimeout as sleep } from 'node:timers/promises';
import { FeatureStoreError } from '../errors.ts';
import type { Archive } from '../offline/archive/archive.ts';
import { createOnlineRecords } from '../online/records.ts';
import type { SourceDocument } from '../registry/document.ts';
import { fillFeatures } from '../stream/fill-features.ts';
import { pushPartition } from '../stream/log/push-entries.ts';
import { openSourceLogs } from '../stream/open-logs.ts';
import { createSourceProcessor } from '../stream/process-source.ts';
import { noCounts, openProgress, type StreamCounts } from '../stream/progress.ts';
import { compilePushDecoder, type PushedEventsReport, pushEvents } from '../stream/push-events.ts';
import { compileStreamSource } from '../stream/stream-source.ts';
import type { Context } from './context.ts';
import type { OnlineParts } from './online.ts';
import type { Columns } from './pushed-rows.ts';
import { fillParts, logParts } from './streams-here.ts';

const lookMs = 25;

/** `pushAll` pushes part by part. Gives what was applied meanwhile, earlier pushes that had waited included. */
export async function pushEventsHere(
  context: Context,
  parts: OnlineParts,
  document: SourceDocument,
  pushAll: (push: (rows: Columns, idempotencyKey: string) => Promise<PushedEventsReport>) => Promise<void>,
): Promise<StreamCounts> {
  const { config, history, registry, store } = parts;
  const source = compileStreamSource(document, registry);
  const shared = { ...fillParts(parts), history: { ...history, archive: history.archive as Archive } };
  await fillFeatures(shared, source, { signal: context.interruption() });
  const { push: log } = openSourceLogs(logParts(context, config, store), document);
  const progress = openProgress(createOnlineRecords(store, config.project), document.name);
  const processor = createSourceProcessor(shared, source);
  const before = (await progress.read(pushPartition))?.counts ?? noCounts;
  const ending = new AbortController();
  const signal = AbortSignal.any([context.interruption(), ending.signal]);
  const reading = log.run(processor.reader(compilePushDecoder(document), 'earliest'), signal);
  const stopped = reading.then(() => {
    throw new FeatureStoreError(
      'ABORTED',
      'interrupted: what was pushed is kept, and is applied by the next push, or by a server',
    );
  });
  stopped.catch(() => {});

  async function untilApplied(): Promise<void> {
    for (;;) {
      const range = (await log.ranges(signal)).get(pushPartition);
      if (range === undefined || ((await progress.read(pushPartition, signal))?.next ?? range.first) >= range.end) return;
      await sleep(lookMs, undefined, { signal });
    }
  }

  try {
    await pushAll((rows, idempotencyKey) => pushEvents(document, log, rows, idempotencyKey));
    await Promise.race([stopped, untilApplied()]);
  } finally {
    ending.abort();
    await reading.catch(() => {});
  }
  return without((await progress.read(pushPartition))?.counts ?? noCounts, before);
}

function without(after: StreamCounts, before: StreamCounts): StreamCounts {
  return {
    records: after.records - before.records,
    events: after.events - before.events,
    late: after.late - before.late,
    setAside: after.setAside - before.setAside,
    duplicates: after.duplicates - before.duplicates,
  };
}
