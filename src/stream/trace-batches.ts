/** A span around each batch that is applied. */
import type { Tracer } from '../observe.ts';
import type { ApplyBatch } from './apply-batch.ts';

export function traceBatches(apply: ApplyBatch, source: string, tracer: Tracer | undefined): ApplyBatch {
  if (tracer === undefined) return apply;
  return (batch, views, signal) => {
    const attributes = { source, partition: batch.partition, records: batch.records, offset: String(batch.from.next) };
    return tracer.span('stream batch', { attributes }, () => apply(batch, views, signal));
  };
}
