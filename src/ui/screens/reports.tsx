/** All reports that are kept: by kind, over time, each with its result. */
import { type Envelope, readReports } from '../api/reports.ts';
import { useAnswer } from '../api/use-answer.ts';
import { Badge } from '../parts/facts.tsx';
import { formatInstant, formatNumber, words } from '../parts/format.ts';
import { href, replaceQuery, useRoute } from '../parts/route.ts';
import { Table } from '../parts/table.tsx';
import { Timeline } from '../parts/timeline.tsx';
import { Empty, Told } from '../parts/told.tsx';

const kinds = ['parity', 'drift', 'leaks'];

export function Reports() {
  const { query } = useRoute();
  const kind = query.get('kind') ?? '';
  const answer = useAnswer('reports', (signal) => readReports({}, signal));
  return (
    <>
      <div className="title">
        <h1>Reports</h1>
        <button type="button" className="quiet" onClick={answer.reload}>
          Read again
        </button>
      </div>
      <Told answer={answer}>
        {({ reports, left_out: left }) => (
          <>
            {left > 0 && (
              <p className="banner" role="note">
                {`${formatNumber(left)} more tell of other views than your token is for.`}
              </p>
            )}
            <fieldset className="filters" aria-label="Kinds">
              {['', ...kinds].map((each) => (
                <button key={each} type="button" aria-pressed={each === kind} onClick={() => replaceQuery({ kind: each })}>
                  {each === '' ? 'All' : each}{' '}
                  <span className="count">{reports.filter((report) => each === '' || report.kind === each).length}</span>
                </button>
              ))}
            </fieldset>
            <List reports={reports.filter((report) => kind === '' || report.kind === kind)} kind={kind} />
          </>
        )}
      </Told>
    </>
  );
}

function List({ reports, kind }: { readonly reports: readonly Envelope[]; readonly kind: string }) {
  if (reports.length === 0) {
    return (
      <Empty title={kind === '' ? 'No report is kept yet' : `No report of ${kind} is kept yet`}>
        <p>
          Run <code>{`featherflight validate ${kind === '' ? 'parity --live' : kind}`}</code>, or give <code>validate</code> in
          the config a schedule.
        </p>
      </Empty>
    );
  }
  return (
    <>
      <Timeline reports={reports} kinds={kinds} />
      <Table
        label="Reports"
        rows={reports}
        keyOf={({ id }) => id}
        columns={[
          { title: 'made', cell: ({ id, created_at: at }) => <a href={href('reports', id)}>{formatInstant(at)}</a> },
          { title: 'kind', cell: (report) => report.kind },
          { title: 'result', cell: ({ result }) => <Badge text={result} /> },
          { title: 'summary', cell: summarize },
        ]}
      />
    </>
  );
}

/** A line of a summary: its text, or those of its numbers that are there. */
function summarize({ summary, left_out: left }: Envelope): string {
  if (left !== undefined) return `${formatNumber(left)} features are not shown to your token`;
  if (typeof summary === 'string') return summary;
  if (typeof summary !== 'object' || summary === null) return '';
  const { features, failed, no_data: none, differences, advice } = summary as Readonly<Record<string, unknown>>;
  if (typeof advice === 'string') return advice;
  const told = Object.entries({ features, failed, 'no data': none, differences });
  return told.flatMap(([name, value]) => (typeof value === 'number' ? [`${formatNumber(value)} ${words(name)}`] : [])).join(', ');
}
