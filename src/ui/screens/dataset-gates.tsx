/** What was expected of a dataset's columns, and whether it held when the rows were saved. */
import type { Gate } from '../api/datasets.ts';
import { formatBound } from '../parts/dataset-text.ts';
import { Badge } from '../parts/facts.tsx';
import { words } from '../parts/format.ts';
import { Table } from '../parts/table.tsx';
import { Empty } from '../parts/told.tsx';

export interface DatasetGatesProps {
  readonly gates: readonly Gate[];
  readonly label?: string;
}

export function DatasetGates({ gates, label = 'Expectations' }: DatasetGatesProps) {
  if (gates.length === 0) {
    return (
      <Empty title="Nothing was expected of its columns">
        <p>
          <code>expect</code> of a feature in its definition, or <code>--expect</code> when a dataset is made, keeps rows from
          being saved that are not what they should be.
        </p>
      </Empty>
    );
  }
  return (
    <Table
      label={label}
      // What does not hold comes first.
      rows={gates.toSorted((one, other) => Number(one.ok) - Number(other.ok))}
      keyOf={({ column, expectation }) => `${column} ${expectation}`}
      columns={[
        { title: 'column', cell: ({ column }) => column },
        { title: 'result', cell: ({ ok }) => <Badge text={ok ? 'held' : 'broken'} /> },
        { title: 'what', cell: ({ expectation }) => words(expectation) },
        { title: 'expected', cell: ({ expected }) => expected },
        { title: 'measured', cell: ({ measured }) => measured },
        {
          title: 'such as',
          cell: ({ example }) =>
            example === null ? '' : `row ${example.row}${example.value === null ? '' : ` with ${formatBound(example.value)}`}`,
        },
        { title: 'if broken', cell: ({ on_failure: then }) => (then === 'fail' ? 'nothing is saved' : 'it is told') },
      ]}
    />
  );
}
