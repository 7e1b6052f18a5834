/** One report whole: what was found of each feature, down to single keys. */
import { type Envelope, readReport, type WholeReport } from '../api/reports.ts';
import { useAnswer } from '../api/use-answer.ts';
import { Badge, Facts } from '../parts/facts.tsx';
import { formatInstant, formatNumber, formatValue, words } from '../parts/format.ts';
import { href } from '../parts/route.ts';
import { Empty, Told } from '../parts/told.tsx';
import { DriftFeatures, SideOf } from './report-drift.tsx';
import { LeakColumns } from './report-leaks.tsx';
import { OtherFeatures } from './report-other.tsx';
import { ParityFeatures } from './report-parity.tsx';

export function Report({ id }: { readonly id: string }) {
  const answer = useAnswer(`report ${id}`, (signal) => readReport(id, signal));
  return (
    <>
      <p className="over">
        <a href={href('reports')}>Reports</a>
      </p>
      <Told answer={answer}>{(report) => <Whole report={report} />}</Told>
    </>
  );
}

const parts = { parity: ParityFeatures, drift: DriftFeatures, leaks: LeakColumns } as Readonly<
  Record<string, (props: { readonly report: WholeReport }) => React.ReactNode>
>;

function Whole({ report }: { readonly report: WholeReport }) {
  const Features = parts[report.kind] ?? OtherFeatures;
  return (
    <>
      <div className="title begins">
        <h1>{`Report of ${report.kind}`}</h1>
        <Badge text={report.result} />
      </div>
      {report.left_out !== undefined && (
        <p className="banner" role="note">
          {`Your token is for certain views: ${formatNumber(report.left_out)} features of others are left out, and the result is that of what stands here.`}
        </p>
      )}
      <Facts
        facts={{
          Made: formatInstant(report.created_at),
          From: report.from === null ? null : formatInstant(report.from),
          To: report.to === null ? null : formatInstant(report.to),
          'What was compared': report.current === undefined ? modeOf(report) : <SideOf side={report.current} />,
          'Compared with': report.reference === undefined ? null : <SideOf side={report.reference} />,
          'Version of the definitions': report.version === undefined ? null : String(report.version),
          ...Object.fromEntries(factsOf(report.summary)),
        }}
      />
      {listsOf(report.summary).map(([title, lines]) => (
        <div key={title}>
          <h3>{title}</h3>
          <ul>
            {lines.map((line) => (
              <li key={line}>{line}</li>
            ))}
          </ul>
        </div>
      ))}
      <h2>{report.kind === 'leaks' ? 'Columns' : 'Features'}</h2>
      {(report.features ?? []).length === 0 ? <Empty title="The report tells of no feature" /> : <Features report={report} />}
    </>
  );
}

function modeOf({ mode }: WholeReport): string | null {
  return mode === undefined ? null : (modes[mode] ?? mode);
}

const modes: Readonly<Record<string, string>> = {
  log: 'what was served, out of the feature log',
  live: 'a sample of keys, read online',
  pairs: 'two features of history',
};

/** Members of a summary that say something. */
function factsOf(summary: Envelope['summary']): readonly (readonly [string, string])[] {
  if (typeof summary === 'string') return [['Summary', summary]];
  if (typeof summary !== 'object' || summary === null) return [];
  return Object.entries(summary).flatMap(([name, value]): readonly (readonly [string, string])[] => {
    const title = titleOf(name);
    if (typeof value === 'number') return [[title, formatNumber(value)]];
    if (value === null || Array.isArray(value) || (typeof value === 'object' && Object.keys(value).length === 0)) return [];
    if (typeof value !== 'object') return [[title, String(value)]];
    return [
      [
        title,
        Object.entries(value)
          .map(([one, count]) => `${words(one)}: ${formatValue(count)}`)
          .join(', '),
      ],
    ];
  });
}

/** Those that are lists, such as what was not compared. */
function listsOf(summary: Envelope['summary']): readonly (readonly [string, readonly string[]])[] {
  if (typeof summary !== 'object' || summary === null) return [];
  return Object.entries(summary).flatMap(([name, value]): readonly (readonly [string, readonly string[]])[] =>
    Array.isArray(value) && value.length > 0 ? [[titleOf(name), value.map(listed)]] : [],
  );
}

function titleOf(name: string): string {
  return words(name[0]?.toUpperCase() + name.slice(1));
}

function listed(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  return Object.values(value).map(String).join(': ');
}
