/** A report of leaks, column by column, with rows that know what was not known yet. */
import type { LeakColumn, WholeReport } from '../api/reports.ts';
import { Facts } from '../parts/facts.tsx';
import { Fold, sortByResult, TitleOf } from '../parts/fold.tsx';
import { formatInstant, formatNumber, formatSeconds } from '../parts/format.ts';
import { Table } from '../parts/table.tsx';
import { Keys } from '../parts/value.tsx';

export function LeakColumns({ report }: { readonly report: WholeReport }) {
  const columns = sortByResult(report.features as readonly LeakColumn[]);
  return columns.map((column) => (
    <Fold
      key={`${column.column} ${column.view}:${column.feature}`}
      isOpen={column.result === 'FAIL' && columns.length < 4}
      title={<TitleOf feature={column} />}
      told={column.verdict}
    >
      <p>{column.text}</p>
      <Facts
        facts={{
          'Rows looked at': formatNumber(column.rows),
          'As it could be known': formatNumber(column.agree),
          'Rest on the future': formatNumber(column.leak_rows),
          'Rest on later corrections': column.hindsight_rows === null ? 'not known' : formatNumber(column.hindsight_rows),
          Unexplained: formatNumber(column.other),
          'Reach into the future': column.reach_seconds === null ? null : formatSeconds(column.reach_seconds),
        }}
      />
      {column.examples.length > 0 && (
        <Table
          label={`Rows of ${column.column ?? column.feature}`}
          rows={column.examples}
          keyOf={({ row }) => String(row)}
          columns={[
            { title: 'keys', cell: ({ keys }) => <Keys keys={keys} /> },
            { title: 'row', isNumber: true, cell: ({ row }) => formatNumber(row) },
            { title: 'time', cell: ({ event_timestamp: at }) => formatInstant(at) },
            { title: 'value', cell: ({ value }) => value ?? 'null' },
            { title: 'could be known', cell: ({ truth }) => truth ?? 'null' },
            { title: 'reaches', isNumber: true, cell: ({ reach_seconds: reach }) => formatSeconds(reach) },
          ]}
        />
      )}
    </Fold>
  ));
}
