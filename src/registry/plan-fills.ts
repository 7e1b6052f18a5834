/** Which features of stream views applying fills from history: those that are new, or computed otherwise than before. */
import type { BoundDocument } from './bind.ts';
import type { ViewDocument } from './document.ts';

export interface PlannedFill {
  readonly view: string;
  readonly source: string;
  /** In the view's order. */
  readonly features: readonly string[];
}

const shownFeatures = 8;

/** By view, in the order of the document. */
export function planFills(before: BoundDocument | undefined, after: BoundDocument): readonly PlannedFill[] {
  const streamed = after.views.filter(({ kind }) => kind === 'stream');
  const changed = new Map(streamed.map((view) => [view, changedFeatures(before, view)]));
  // Of a history that others write nothing of the stream is kept: its features can only be filled together.
  const together = new Set(
    after.sources.flatMap(({ name, archive }) =>
      archive === false && streamed.some((view) => view.source === name && changed.get(view)?.length !== 0) ? [name] : [],
    ),
  );
  return streamed.flatMap((view) => {
    const features = together.has(view.source) ? view.features.map(({ name }) => name) : (changed.get(view) ?? []);
    return features.length === 0 ? [] : [{ view: view.name, source: view.source, features }];
  });
}

/** For people: what a change needs. */
export function describeFills(fills: readonly PlannedFill[], isOfView: boolean): string {
  const parts = fills.map(({ view, features }) => {
    const more = features.length > shownFeatures ? ` and ${features.length - shownFeatures} more` : '';
    return `${isOfView ? '' : `${view}: `}${features.slice(0, shownFeatures).join(', ')}${more}`;
  });
  return `filled from history before they are served: ${parts.join('; ')}; the stream of ${fills[0]?.source} rests meanwhile`;
}

function changedFeatures(before: BoundDocument | undefined, view: ViewDocument): readonly string[] {
  const old = before?.views.find(({ name, kind }) => name === view.name && kind === 'stream');
  const hashes = new Map(old?.features.map(({ name, hash }) => [name, hash]));
  return view.features.filter(({ name, hash }) => hashes.get(name) !== hash).map(({ name }) => name);
}
