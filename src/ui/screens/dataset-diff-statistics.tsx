/** What columns of two versions hold, side by side: the numbers that differ, and both distributions. */
import type { Dataset, DatasetColumn } from '../api/datasets.ts';
import { Changes, type Compared } from '../parts/changes.tsx';
import { pairBins } from '../parts/dataset-bins.ts';
import { nameChange } from '../parts/dataset-change.ts';
import { Fold } from '../parts/fold.tsx';
import { formatShare } from '../parts/format.ts';
import { HistogramPair } from '../parts/histogram-pair.tsx';
import { Table } from '../parts/table.tsx';

/** Columns that are few enough to stand open. */
const few = 3;

export function DiffStatistics({ compared }: { readonly compared: Compared }) {
  const { diff } = compared;
  if (diff.statistics.length === 0) return <p>The same: what both have in common holds the same, as far as it was counted.</p>;
  return diff.statistics.map(({ column, changes }) => (
    <Fold
      key={column}
      title={<strong>{column}</strong>}
      told={`differs in: ${changes.map(({ what }) => nameChange(what)).join(', ')}`}
      isOpen={diff.statistics.length <= few}
    >
      <Changes label={`Statistics of ${column}`} titles={compared.titles} changes={changes} />
      <Distributions compared={compared} name={column} />
    </Fold>
  ));
}

function Distributions({ compared: { from, to, titles }, name }: { readonly compared: Compared; readonly name: string }) {
  const [before, after] = [columnOf(from, name), columnOf(to, name)];
  const pair = pairBins(before?.statistics.histogram, after?.statistics.histogram);
  if (pair !== undefined) {
    return (
      <HistogramPair
        label={`Values of ${name}`}
        reference={pair[0]}
        current={pair[1]}
        names={{ reference: titles[0], current: titles[1] }}
      />
    );
  }
  const values = [...new Set([...topOf(before), ...topOf(after)].map(({ value }) => value))];
  if (values.length === 0) return null;
  const share = ({ rows }: Dataset, column: DatasetColumn | undefined, value: string) => {
    const found = topOf(column).find((each) => each.value === value);
    return found === undefined ? 'not among them' : formatShare(found.rows / rows);
  };
  return (
    <>
      <h3>Most frequent values</h3>
      <Table
        label={`Most frequent values of ${name}`}
        rows={values}
        keyOf={(value) => value}
        columns={[
          { title: 'value', cell: (value) => (value === '' ? '(empty text)' : value) },
          { title: titles[0], isNumber: true, cell: (value) => share(from, before, value) },
          { title: titles[1], isNumber: true, cell: (value) => share(to, after, value) },
        ]}
      />
    </>
  );
}

function columnOf({ columns }: Dataset, name: string): DatasetColumn | undefined {
  return columns.find((column) => column.name === name);
}

function topOf(column: DatasetColumn | undefined) {
  return column?.statistics.top ?? [];
}
