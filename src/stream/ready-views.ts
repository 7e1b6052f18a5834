/** Of a source's views the features whose states are filled: those alone take events. */
import type { OnlineRecords } from '../online/records.ts';
import { type Readiness, readReadiness, readyView } from '../online/windows/readiness.ts';
import type { WindowView } from '../online/windows/window-view.ts';
import type { ViewDocument } from '../registry/document.ts';
import { refuseWhileFilled } from './filling.ts';
import { otherDefinitions } from './stream-failures.ts';
import type { StreamSource } from './stream-source.ts';

export interface ReadyView {
  readonly view: ViewDocument;
  /** With those of its features that are filled. */
  readonly window: WindowView;
}

/** UNAVAILABLE while they are being filled; another process may have applied other definitions, which then must be applied here first. */
export async function readReadyViews(
  records: OnlineRecords,
  { document, views }: StreamSource,
  signal: AbortSignal,
): Promise<readonly ReadyView[]> {
  await refuseWhileFilled(records, document.name, signal);
  const readiness = await readReadiness(
    records,
    views.map(({ window }) => window.name),
    signal,
  );
  return views.map(({ document: view, window }, at) => {
    const filled = readiness[at] as Readiness;
    const hashes = new Set(window.features.map(({ hash }) => hash));
    const other = Object.entries(filled).find(([, hash]) => !hashes.has(hash));
    if (other !== undefined) throw otherDefinitions(document.name, window.name, other[0]);
    return { view, window: readyView(window, filled) };
  });
}
