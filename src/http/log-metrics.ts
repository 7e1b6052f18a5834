/** What Prometheus is told of the feature log; nothing where none is kept. */
import { Counter, Gauge, type Registry } from 'prom-client';

export interface LogCounts {
  /** Rows in files of this server. */
  readonly written: number;
  /** Rows for which there was no room in the buffer, and rows that could not be written. */
  readonly dropped: { readonly buffer: number; readonly write: number };
  /** Of all files, those of other servers that share the storage included. */
  readonly bytes: number;
}

export interface LogMetrics {
  watch(read: () => Promise<LogCounts | undefined>): void;
}

export function createLogMetrics(registry: Registry): LogMetrics {
  const registers = [registry];
  let read: () => Promise<LogCounts | undefined> = async () => undefined;
  // Beside a worker that is gone everything else is still told.
  const counts = () => read().catch(() => undefined);

  new Counter({
    name: 'featherflight_feature_log_rows_total',
    help: 'Rows of what was served that were written to the feature log',
    registers,
    async collect() {
      const found = await counts();
      this.reset();
      if (found !== undefined) this.inc(found.written);
    },
  });
  new Counter({
    name: 'featherflight_feature_log_dropped_rows_total',
    help: 'Rows that were to be logged and were not, for want of room in the buffer or because writing failed',
    labelNames: ['reason'],
    registers,
    async collect() {
      const found = await counts();
      this.reset();
      if (found === undefined) return;
      this.inc({ reason: 'buffer' }, found.dropped.buffer);
      this.inc({ reason: 'write' }, found.dropped.write);
    },
  });
  new Gauge({
    name: 'featherflight_feature_log_bytes',
    help: 'Bytes of all files of the feature log',
    registers,
    async collect() {
      const found = await counts();
      this.reset();
      if (found !== undefined) this.set(found.bytes);
    },
  });
  return {
    watch(given) {
      read = given;
    },
  };
}
