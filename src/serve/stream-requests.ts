/** Requests to reset and replay streams from JSON, and what came of them as JSON. */
import { parseInstantUs } from '../definitions/literal.ts';
import { FeatureStoreError } from '../errors.ts';
import type { ShownReset } from '../http/stream-answers.ts';
import type { ReplayRequest, ResetRequest } from '../http/stream-requests.ts';
import type { SourceDocument } from '../registry/document.ts';
import type { EventRange } from '../stream/fill-features.ts';
import type { ResetOptions, ResetPartition } from '../stream/reset-progress.ts';
import type { ResetReport } from '../stream/streams.ts';
import { formatOffset, parseOffset } from './stream-offset.ts';

export function readReset({ from, new_log: isNewLog }: ResetRequest): ResetOptions {
  if (typeof from === 'string') return { from, isNewLog };
  return { from: Object.fromEntries(Object.entries(from).map(([name, offset]) => [name, parseOffset(offset)])), isNewLog };
}

export function describeReset(source: SourceDocument, { partitions, views }: ResetReport): ShownReset & Record<string, unknown> {
  const show = ({ partition, before, next, isNewLog }: ResetPartition) => ({
    partition,
    before: before === undefined ? null : formatOffset(source, partition, before),
    next: formatOffset(source, partition, next),
    new_log: isNewLog,
  });
  return { source: source.name, partitions: partitions.map(show), views };
}

export function readReplay({ from, to }: ReplayRequest): EventRange {
  const range = {
    ...(from == null ? {} : { fromUs: parseInstantUs(from) }),
    ...(to == null ? {} : { toUs: parseInstantUs(to) }),
  };
  if (range.fromUs !== undefined && range.toUs !== undefined && range.fromUs >= range.toUs)
    throw new FeatureStoreError('INVALID_ARGUMENT', `nothing lies between ${from} and ${to}: the second must be later`);
  return range;
}
