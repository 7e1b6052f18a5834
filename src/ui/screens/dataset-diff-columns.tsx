/** Columns of two versions side by side: which were added, removed, or are of another type or role. */
import { useState } from 'react';
import type { DatasetColumn } from '../api/datasets.ts';
import type { Compared } from '../parts/changes.tsx';
import { roles } from '../parts/dataset-text.ts';
import { Badge } from '../parts/facts.tsx';
import { Table } from '../parts/table.tsx';

interface Pair {
  readonly name: string;
  readonly from: DatasetColumn | undefined;
  readonly to: DatasetColumn | undefined;
  readonly word: 'added' | 'removed' | 'changed' | 'same';
}

export function DiffColumns({ compared }: { readonly compared: Compared }) {
  const [isAll, setIsAll] = useState(false);
  const pairs = pairsOf(compared);
  const changed = pairs.filter(({ word }) => word !== 'same');
  const rows = isAll ? pairs : changed;
  const cell = (column: DatasetColumn | undefined) =>
    column === undefined ? (
      'none'
    ) : (
      <span>
        <code>{column.type}</code>, {roles[column.role]}
      </span>
    );
  return (
    <>
      <p>
        {changed.length === 0
          ? `The same: ${pairs.length} columns with the same types and roles.`
          : `${changed.length} of ${pairs.length} differ.`}
      </p>
      <label className="check">
        <input type="checkbox" checked={isAll} onChange={(event) => setIsAll(event.target.checked)} /> Show also columns that are
        the same
      </label>
      {rows.length > 0 && (
        <Table
          label="Columns"
          rows={rows}
          keyOf={({ name }) => name}
          columns={[
            { title: 'column', cell: ({ name }) => name },
            { title: compared.titles[0], cell: ({ from }) => cell(from) },
            { title: compared.titles[1], cell: ({ to }) => cell(to) },
            { title: 'change', cell: ({ word }) => <Badge text={word} /> },
          ]}
        />
      )}
    </>
  );
}

function pairsOf({ from, to }: Compared): readonly Pair[] {
  const names = [...new Set([...from.columns, ...to.columns].map(({ name }) => name))];
  return names.map((name): Pair => {
    const [before, after] = [from, to].map(({ columns }) => columns.find((column) => column.name === name));
    const isSame = before?.type === after?.type && before?.role === after?.role;
    const word = before === undefined ? 'added' : after === undefined ? 'removed' : isSame ? 'same' : 'changed';
    return { name, from: before, to: after, word };
  });
}
