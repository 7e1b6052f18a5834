/** Logs of pushes for tests, over LMDB (`lmdb:DIRECTORY`) or Redis (`HOST:PORT`), and a reader that keeps what it is given. */
import { openLmdbStore } from '../../../src/online/lmdb-store.ts';
import { createOnlineRecords, type OnlineRecords } from '../../../src/online/records.ts';
import type { LogRange, LogReader, LogRecord } from '../../../src/stream/log/log.ts';
import { openPushLog, type PushLog, type PushLogOptions } from '../../../src/stream/log/push-log.ts';
import { openTestRedis } from '../../support/open-redis-store.ts';

export interface TestPushes {
  readonly log: PushLog;
  readonly records: OnlineRecords;
  close(): Promise<void>;
}

const silent = { debug() {}, info() {}, warn() {}, error() {} } as unknown as PushLogOptions['logger'];

export function openPushes(address: string, directory: string, options: Partial<PushLogOptions> = {}): TestPushes {
  const store = address.startsWith('lmdb:') ? openLmdbStore(address.slice(5)) : openTestRedis({ url: `redis://${address}` });
  const records = createOnlineRecords(store, 'p');
  const log = openPushLog({ source: 'clicks', records, directory, logger: silent, ...options });
  return { log, records, close: () => store.close() };
}

/** Remembers its position as a processor does: with what it has taken. */
export interface KeepingReader extends LogReader {
  readonly taken: LogRecord[];
  readonly ranges: LogRange[];
  texts(): string[];
  /** Called before a batch counts as taken; what it throws is thrown by `take`. */
  beforeTake: (records: readonly LogRecord[]) => Promise<void> | void;
}

export function createKeepingReader(): KeepingReader {
  const taken: LogRecord[] = [];
  const ranges: LogRange[] = [];
  let next = 0n;
  const reader: KeepingReader = {
    taken,
    ranges,
    texts: () => taken.map(({ value }) => Buffer.from(value ?? []).toString()),
    beforeTake: () => {},
    async open(_, range) {
      ranges.push(range);
      return next;
    },
    async pass() {
      throw new Error('this log has no marks');
    },
    async take(_, records) {
      await reader.beforeTake(records);
      for (const record of records) {
        if (record.offset < next) throw new Error(`offset ${record.offset} came again`);
        taken.push(record);
        next = record.offset + 1n;
      }
    },
  };
  return reader;
}
