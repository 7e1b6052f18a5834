/** The feature log where answers are made, on the main thread: nothing where the config does not ask for it. */
import { hostname } from 'node:os';
import type { Config } from '../config.ts';
import type { LogCounts } from '../http/log-metrics.ts';
import type { Logger } from '../observe.ts';
import type { OnlineRecords } from '../online/records.ts';
import type { RegistryDocument } from '../registry/document.ts';
import { createFeatureLog, type FeatureLog } from '../validate/log/feature-log.ts';
import type { StoredCounts } from '../validate/log/log-store.ts';
import { createKnownProgress } from './known-progress.ts';
import type { WorkerLink } from './worker-link.ts';

export interface ServedLog extends Pick<FeatureLog, 'served' | 'flush' | 'stop'> {
  /** Looks again how far views are: something was written. */
  loadProgress(): Promise<void>;
  /** With what the worker has made of it. */
  readCounts(): Promise<LogCounts>;
}

export interface ServedLogOptions {
  readonly config: Config;
  readonly records: OnlineRecords;
  readonly registry: () => RegistryDocument;
  readonly call: WorkerLink['call'];
  readonly logger: Logger;
}

export function openServedLog({ config, records, registry, call, logger }: ServedLogOptions): ServedLog | undefined {
  const { logging } = config;
  if (logging === undefined) return undefined;
  const { by, sample } = logging;
  if (by !== undefined && !registry().entities.some(({ name }) => name === by)) {
    logger.warn({ by }, '"logging.by" names no entity that is applied: the first entity of each request samples');
  }
  const progress = createKnownProgress({ records, registry });
  const log = createFeatureLog({
    sample,
    by,
    replica: `${hostname()}:${process.pid}`,
    progressUs: progress.progressUs,
    send: async (shape, batch) => {
      await call('append_log', { shape, batch }, { transfer: [batch.header.buffer, batch.body.buffer] });
    },
    logger,
  });
  return {
    served: log.served,
    flush: log.flush,
    loadProgress: progress.load,
    async readCounts() {
      const { written, dropped, bytes } = (await call('log_counts', {})) as StoredCounts;
      return { written, dropped: { buffer: log.counts().dropped, write: dropped }, bytes };
    },
    async stop() {
      progress.close();
      await log.stop();
    },
  };
}
