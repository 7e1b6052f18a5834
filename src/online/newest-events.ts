/** The newest event that the online store holds of a view, in a record beside its rows: whoever writes rows tells it afterwards. */
import { createHash } from 'node:crypto';
import type { ViewDocument } from '../registry/document.ts';
import type { OnlineRecords } from './records.ts';

/** Microseconds are text: JSON has no integers of their size. */
interface StoredNewest {
  /** The definition of the features that it is an event of: what was written under another one says nothing of this. */
  readonly definition: string;
  readonly eventUs: string;
}

const kind = 'newest';

/** In the order of the views, in one round trip; undefined where the store holds none. */
export async function readNewestEvents(
  records: OnlineRecords,
  views: readonly ViewDocument[],
  signal?: AbortSignal,
): Promise<(bigint | undefined)[]> {
  if (views.length === 0) return [];
  const names = views.map(({ name }) => name);
  const found = (await records.readMany(kind, names, signal)) as (StoredNewest | undefined)[];
  return found.map((stored, at) =>
    stored?.definition === definitionOf(views[at] as ViewDocument) ? BigInt(stored.eventUs) : undefined,
  );
}

/** Events were written, the newest of which is this one. One that is still to happen counts as of now. */
export async function noteNewestEvent(
  records: OnlineRecords,
  view: ViewDocument,
  { eventUs, nowUs }: { readonly eventUs: bigint; readonly nowUs: bigint },
  signal?: AbortSignal,
): Promise<void> {
  const definition = definitionOf(view);
  const us = eventUs > nowUs ? nowUs : eventUs;
  await records.update<StoredNewest>(
    kind,
    view.name,
    (current) =>
      current?.definition === definition && BigInt(current.eventUs) >= us ? current : { definition, eventUs: String(us) },
    signal,
  );
}

function definitionOf({ features }: ViewDocument): string {
  const hashes = features.map(({ name, hash }) => [name, hash]);
  return createHash('sha256').update(JSON.stringify(hashes)).digest('base64url').slice(0, 22);
}
