/** Two versions of a dataset side by side, each change in words. */
import type { Change, Dataset, DatasetDiff } from '../api/datasets.ts';
import { nameChange, showValue, tellChange } from './dataset-change.ts';
import { Badge } from './facts.tsx';
import { Table } from './table.tsx';

/** Two versions, and how they differ. */
export interface Compared {
  readonly from: Dataset;
  readonly to: Dataset;
  readonly diff: DatasetDiff;
  /** Titles of their columns. */
  readonly titles: readonly [from: string, to: string];
}

export interface ChangesProps {
  readonly label: string;
  readonly titles: Compared['titles'];
  readonly changes: readonly Change[];
}

export function Changes({ label, titles, changes }: ChangesProps) {
  return (
    <Table
      label={label}
      rows={changes}
      keyOf={({ what }) => what}
      columns={[
        { title: 'what', cell: ({ what }) => nameChange(what) },
        { title: titles[0], cell: ({ what, from }) => showValue(what, from) },
        { title: titles[1], cell: ({ what, to }) => showValue(what, to) },
        { title: 'change', cell: (change) => <ChangeWord text={tellChange(change)} /> },
      ]}
    />
  );
}

/** `added`, `removed` and the like as a badge; what is longer as text. */
function ChangeWord({ text }: { readonly text: string }) {
  return /^\w+$/.test(text) ? <Badge text={text} /> : <span>{text}</span>;
}
