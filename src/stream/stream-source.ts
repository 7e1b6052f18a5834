/** A source as its processor needs it: compiled once for a registry document. */
import { parseDurationUs } from '../definitions/duration.ts';
import { compileWindowView, type WindowView } from '../online/windows/window-view.ts';
import type { AggregateDocument, RegistryDocument, SourceDocument, ViewDocument } from '../registry/document.ts';

export interface StreamSource {
  readonly document: SourceDocument;
  readonly latenessUs: bigint;
  readonly views: readonly StreamView[];
}

export interface StreamView {
  readonly document: ViewDocument;
  readonly window: WindowView;
}

const dayUs = 86_400_000_000n;

/** Compiles an event source with the views that are computed from it. */
export function compileStreamSource(document: SourceDocument, { views, entities }: RegistryDocument): StreamSource {
  const own = views.filter(({ kind, source }) => kind === 'stream' && source === document.name);
  return {
    document,
    latenessUs: latenessUs(document, own),
    views: own.map((view) => ({ document: view, window: compileWindowView(view, entities, document.maxStateBytes) })),
  };
}

/** As declared; else the largest finite window or ten times the largest session gap, and at least a day (rule 6.6). */
function latenessUs({ events }: SourceDocument, views: readonly ViewDocument[]): bigint {
  if (events?.lateness !== undefined) return parseDurationUs(events.lateness);
  const gaps = views.flatMap(({ session }) => (session === undefined ? [] : [10n * parseDurationUs(session.gap)]));
  const windows = views.flatMap(({ features }) =>
    features.flatMap(({ aggregate }) => {
      const { window } = aggregate as AggregateDocument;
      return window === undefined || window === 'lifetime' ? [] : [parseDurationUs(window)];
    }),
  );
  return [...gaps, ...windows].reduce((most, us) => (us > most ? us : most), dayUs);
}
