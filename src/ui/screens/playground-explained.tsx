/** What is served of an entity beside what history says of it at the same instant, with the rows or events behind each value. */
import type { ExplainedColumn, Explanation } from '../api/online.ts';
import { Evidence } from '../parts/evidence.tsx';
import { Facts } from '../parts/facts.tsx';
import { Fold } from '../parts/fold.tsx';
import { formatInstant, formatNumber, formatValue, words } from '../parts/format.ts';
import { Side } from './report-parity.tsx';

export function Explained({ answer: { evaluated_at: at, columns } }: { readonly answer: Explanation }) {
  const all = Object.values(columns);
  const agreeing = all.filter(({ agrees }) => agrees).length;
  return (
    <>
      <h2>Online beside offline</h2>
      <p className="note">{`As of ${formatInstant(at)}: ${agreeing} of ${all.length} values agree`}</p>
      {Object.entries(columns).map(([name, column]) => (
        <Fold
          key={name}
          isOpen={!column.agrees || all.length < 3}
          told={column.agrees ? '' : words(column.cause ?? 'differs')}
          title={
            <>
              <span className={`badge ${column.agrees ? 'good' : 'bad'}`}>{column.agrees ? 'agrees' : 'differs'}</span>{' '}
              <strong>{name}</strong> <span className="value">{formatValue(column.online.value)}</span>
            </>
          }
        >
          <Parts column={column} />
        </Fold>
      ))}
    </>
  );
}

function Parts({ column }: { readonly column: ExplainedColumn }) {
  return (
    <>
      {column.text !== '' && <p>{column.text}</p>}
      <Facts
        facts={{
          Online: <Side side={column.online} />,
          Offline: <Side side={column.offline} />,
          Type: column.type,
        }}
      />
      {column.evidence.map(({ view, kind, total, rows }) => (
        <Evidence key={view} title={titleOf(view, kind, total, rows.length)} value={rows} />
      ))}
      {column.evidence.every(({ total }) => total === 0) && (
        <p className="note">No row or event of this key counts at this time.</p>
      )}
    </>
  );
}

function titleOf(view: string, kind: string, total: number, shown: number): string {
  const what = kind === 'stream' ? 'Events' : 'Row';
  return `${what} of ${view} behind it${total > shown ? `: the last ${formatNumber(shown)} of ${formatNumber(total)}` : ''}`;
}
