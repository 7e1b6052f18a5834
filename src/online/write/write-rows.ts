/** Writes rows given value by value. */
import { compileRowEncoder } from '../encoding/row-codec.ts';
import type { OnlineView } from '../view.ts';
import { encodeArrivals, type WrittenRow } from './arrivals.ts';
import type { OnlineScope } from './erase.ts';
import type { WriteTarget } from './target.ts';
import { openArrivalWriter, type WriteCounts } from './write-arrivals.ts';

/** How many of the rows given: all of them together. */
export interface RowCounts extends WriteCounts {
  /** Never to be served: a null in the key, or in the timestamp that makes them visible. */
  readonly ignored: number;
}

export async function writeRows(
  scope: OnlineScope,
  view: OnlineView,
  rows: readonly WrittenRow[],
  nowUs: bigint,
  signal?: AbortSignal,
): Promise<RowCounts> {
  const writer = await openArrivalWriter(scope, [view], signal);
  const [{ schemaId }] = writer.targets as [WriteTarget];
  const arriving = encodeArrivals(scope.project, view, compileRowEncoder(schemaId, view.types), rows);
  const [counts] = (await writer.write(arriving, nowUs, signal)) as [WriteCounts];
  return { ...counts, ignored: rows.length - counts.written - counts.unchanged - counts.erased };
}
