/** Something that opens: its title and a line on it stand there always. */
import { type ReactNode, useEffect, useRef } from 'react';
import type { ReportFeature } from '../api/reports.ts';
import { Badge } from './facts.tsx';
import { href, useRoute } from './route.ts';

export interface FoldProps {
  readonly title: ReactNode;
  readonly told?: string;
  readonly isOpen?: boolean;
  /** What the reader came for: open, and at the top of the screen. */
  readonly isSought?: boolean;
  readonly children: ReactNode;
}

export function Fold({ title, told, isOpen = false, isSought = false, children }: FoldProps) {
  const fold = useRef<HTMLDetailsElement>(null);
  useEffect(() => {
    if (isSought) fold.current?.scrollIntoView();
  }, [isSought]);
  return (
    <details className="fold" open={isOpen || isSought} ref={fold}>
      <summary>
        {title} {told !== undefined && told !== '' && <span className="note">{told}</span>}
      </summary>
      {children}
    </details>
  );
}

/** The name of what a report tells of, and the result. */
export function TitleOf({ feature: { view, feature, column, result } }: { readonly feature: ReportFeature }) {
  const name = feature == null ? (column ?? '') : `${view}:${feature}`;
  return (
    <>
      {result !== undefined && <Badge text={result} />} <strong>{name}</strong>
      {column !== undefined && feature != null && column !== feature && ` (${column})`}
    </>
  );
}

export function ViewLink({ view }: { readonly view: string | null | undefined }) {
  return view == null ? null : <a href={href('views', view)}>{view}</a>;
}

/** Whether the address names a feature of a report. */
export function useIsSought(): (feature: ReportFeature) => boolean {
  const sought = useRoute().query.get('feature');
  return ({ view, feature }) => sought === `${view}:${feature}`;
}

/** What failed comes first. */
export function sortByResult<T extends ReportFeature>(features: readonly T[]): readonly T[] {
  const order = ['FAIL', 'NO DATA', 'PASS'];
  return features.toSorted((a, b) => order.indexOf(a.result ?? '') - order.indexOf(b.result ?? ''));
}
