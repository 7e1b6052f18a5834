/** What is served of an entity. */
import type { OnlineAnswer } from '../api/online.ts';
import { Badge } from '../parts/facts.tsx';
import { formatAge, formatInstant } from '../parts/format.ts';
import { href } from '../parts/route.ts';
import { Table } from '../parts/table.tsx';
import { Value } from '../parts/value.tsx';

export function Online({ answer: { evaluated_at: at, never_materialized: never, columns } }: { readonly answer: OnlineAnswer }) {
  return (
    <>
      <h2>Online</h2>
      <p className="note">{`As of ${formatInstant(at)}`}</p>
      {never.length > 0 && (
        <p className="told">{`Never materialized: ${never.join(', ')}. What is not found there says nothing: run featherflight materialize.`}</p>
      )}
      <Table
        label="Online values"
        rows={Object.entries(columns)}
        keyOf={([name]) => name}
        columns={[
          { title: 'feature', cell: ([name]) => name },
          { title: 'value', cell: ([, column]) => <Value value={column.values[0]} /> },
          {
            title: 'status',
            cell: ([, column]) => (
              <>
                <Badge text={column.statuses[0] ?? ''} /> {column.is_default[0] && <span className="badge">default</span>}
              </>
            ),
          },
          {
            title: 'event',
            cell: ([
              ,
              {
                event_timestamps: [event],
              },
            ]) => (event == null ? '' : <span title={formatInstant(event)}>{formatAge(event)}</span>),
          },
          { title: 'view', cell: ([, { view }]) => <a href={href('views', view)}>{view}</a> },
          { title: 'type', cell: ([, { type }]) => <code>{type}</code> },
        ]}
      />
    </>
  );
}
