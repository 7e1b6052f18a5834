/** Datasets in rows: the newest version of each, or versions of one. */
import { type DatasetRow, splitDataset } from '../api/datasets.ts';
import { formatAge, formatInstant, formatNumber } from './format.ts';
import { href } from './route.ts';
import { Table, type TableColumn } from './table.tsx';

export interface DatasetTableProps {
  readonly label: string;
  readonly rows: readonly DatasetRow[];
  /** Each row is a dataset by its newest version, and not a version of one. */
  readonly areNewest?: boolean;
}

export function DatasetTable({ label, rows, areNewest = false }: DatasetTableProps) {
  const some = (is: (row: DatasetRow) => boolean, column: TableColumn<DatasetRow>) => (rows.some(is) ? [column] : []);
  return (
    <Table
      label={label}
      rows={rows}
      keyOf={({ name }) => name}
      columns={[
        ...(areNewest
          ? [{ title: 'dataset', cell: ({ name }: DatasetRow) => <DatasetLink name={splitDataset(name).name} /> }]
          : []),
        { title: areNewest ? 'newest version' : 'version', cell: ({ name }) => <DatasetLink name={name} /> },
        { title: 'rows', cell: (row) => <Rows row={row} /> },
        {
          title: 'created',
          cell: ({ created_at: at }) =>
            at !== null && (
              <span className="nowrap" title={formatInstant(at)}>
                {formatAge(at)}
              </span>
            ),
        },
        ...some(({ created_by: by }) => by !== null, { title: 'by', cell: ({ created_by: by }) => by ?? '' }),
        { title: 'made of', cell: (row) => <Origin row={row} /> },
        ...some(({ labels }) => labels.length > 0, { title: 'labels', cell: ({ labels }) => labels.join(', ') }),
        ...some(({ models }) => models.length > 0, { title: 'models', cell: ({ models }) => models.join(', ') }),
        ...some(({ warnings }) => warnings.length > 0, {
          title: 'expectations',
          cell: ({ warnings }) =>
            warnings.length === 0 ? '' : <span className="badge warn">{`${warnings.length} broken`}</span>,
        }),
        ...some(({ damaged }) => damaged !== null, {
          title: 'damaged',
          cell: ({ damaged }) => damaged !== null && <span className="badge bad">{damaged}</span>,
        }),
        ...some(({ description }) => description !== null, { title: 'description', cell: ({ description }) => description }),
      ]}
    />
  );
}

export function DatasetLink({ name }: { readonly name: string }) {
  return <a href={href('datasets', name)}>{name}</a>;
}

function Rows({ row: { rows, splits } }: { readonly row: DatasetRow }) {
  const parts = Object.entries(splits);
  return (
    <div>
      {rows !== null && formatNumber(rows)}
      {parts.length > 1 && (
        <div className="note">{parts.map(([name, count]) => `${name} ${formatNumber(count)}`).join(', ')}</div>
      )}
    </div>
  );
}

/** The service, or the views whose features were named. */
function Origin({ row: { service, views } }: { readonly row: DatasetRow }) {
  if (service !== null) return <a href={href('services', service)}>{service}</a>;
  return (
    <span>
      {Object.keys(views).map((view, at) => (
        <span key={view}>
          {at > 0 && ', '}
          <a href={href('views', view)}>{view}</a>
        </span>
      ))}
    </span>
  );
}
