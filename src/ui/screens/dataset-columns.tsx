/** The columns of a dataset: for what each is, and what it holds in numbers; one of them closer. */
import { useState } from 'react';
import type { Dataset, DatasetColumn } from '../api/datasets.ts';
import { formatDistinct, formatRange, roles } from '../parts/dataset-text.ts';
import { counted, formatShare, numberOf } from '../parts/format.ts';
import { replaceQuery, useRoute } from '../parts/route.ts';
import { Spark } from '../parts/spark.tsx';
import { Table } from '../parts/table.tsx';
import { Empty } from '../parts/told.tsx';
import { DatasetColumnDetail } from './dataset-column.tsx';

/** From so many on one searches among them. */
const many = 12;
/** So many are shown until more are asked for. */
const most = 40;

export function DatasetColumns({ dataset }: { readonly dataset: Dataset }) {
  const [words, setWords] = useState('');
  const [isAll, setIsAll] = useState(false);
  const sought = useRoute().query.get('column');
  const { columns } = dataset;
  const found = columns.filter(({ name, role, type, feature }) =>
    `${name} ${roles[role]} ${type} ${feature ?? ''}`.toLowerCase().includes(words.toLowerCase().trim()),
  );
  const chosen = columns.find(({ name }) => name === sought) ?? columns.find(({ role }) => role === 'feature') ?? columns[0];
  return (
    <>
      {columns.length > many && (
        <>
          <div className="row">
            <label>
              Filter columns
              <input
                type="search"
                value={words}
                placeholder="name, role, type, view"
                onChange={(event) => setWords(event.target.value)}
              />
            </label>
          </div>
          <p className="note" role="status">{`${found.length} of ${counted(columns.length, 'column')}`}</p>
        </>
      )}
      {found.length === 0 ? (
        <Empty title={`No column has “${words}” in its name, role, type or view`} />
      ) : (
        <Columns dataset={dataset} columns={isAll ? found : found.slice(0, most)} />
      )}
      {!isAll && found.length > most && (
        <p>
          <button type="button" className="quiet" onClick={() => setIsAll(true)}>{`Show all ${found.length}`}</button>
        </p>
      )}
      {chosen !== undefined && (
        <>
          <h3>One column closer</h3>
          <div className="row">
            <label>
              Column
              <select value={chosen.name} onChange={(event) => replaceQuery({ column: event.target.value })}>
                {columns.map(({ name }) => (
                  <option key={name}>{name}</option>
                ))}
              </select>
            </label>
          </div>
          <DatasetColumnDetail key={chosen.name} column={chosen} dataset={dataset} />
        </>
      )}
    </>
  );
}

function Columns({ dataset, columns }: { readonly dataset: Dataset; readonly columns: readonly DatasetColumn[] }) {
  const share = (count: number | undefined) =>
    count === undefined ? '' : dataset.rows === 0 ? '–' : formatShare(count / dataset.rows);
  const hasStatuses = columns.some(({ statistics }) => statistics.present !== undefined);
  return (
    <Table
      label="Columns"
      rows={columns}
      keyOf={({ name }) => name}
      columns={[
        { title: 'name', cell: ({ name, type }) => <Name name={name} type={type} /> },
        { title: 'role', cell: ({ role }) => roles[role] },
        { title: 'spread', cell: (column) => <Spread column={column} rows={dataset.rows} /> },
        { title: 'null', isNumber: true, cell: ({ statistics }) => share(statistics.nulls) },
        ...(hasStatuses
          ? [
              { title: 'present', isNumber: true, cell: ({ statistics }: DatasetColumn) => share(statistics.present) },
              { title: 'default', isNumber: true, cell: ({ statistics }: DatasetColumn) => share(statistics.defaults) },
            ]
          : []),
        { title: 'different', isNumber: true, cell: ({ statistics }) => formatDistinct(statistics) },
        { title: 'range', cell: ({ statistics, type }) => formatRange(statistics, type) },
        { title: 'mean', isNumber: true, cell: ({ role, statistics: { mean } }) => (isMeasured(role) ? numberOf(mean) : '') },
      ]}
    />
  );
}

/** Numbers that name or count something have no mean that says anything. */
function isMeasured(role: DatasetColumn['role']): boolean {
  return role !== 'key' && role !== 'row' && role !== 'status';
}

function Name({ name, type }: { readonly name: string; readonly type: string }) {
  return (
    <div className="column-name">
      {name}
      <div className="note">
        <code>{type}</code>
      </div>
    </div>
  );
}

function Spread({ column: { name, statistics }, rows }: { readonly column: DatasetColumn; readonly rows: number }) {
  const { histogram, top, true: yes } = statistics;
  if (histogram !== undefined) return <Spark label={`Histogram of ${name}`} counts={histogram.counts} />;
  if (yes !== undefined) return rows === 0 ? null : `true ${formatShare(yes / rows)}`;
  const [first] = top ?? [];
  return first === undefined || rows === 0 ? null : (
    <span>
      <span className="note">most: </span>
      {`${first.value === '' ? '(empty text)' : first.value} ${formatShare(first.rows / rows)}`}
    </span>
  );
}
