/** What the kept reports say of a view over time: how far served values are those of training, how they are spread, how many are defaults. */
import { useState } from 'react';
import {
  type DriftFeature,
  type ParityFeature,
  type ReportFeature,
  readNewest,
  type WholeReport,
  type WholeReports,
} from '../api/reports.ts';
import { useAnswer } from '../api/use-answer.ts';
import { TimeChart, type TimePoint } from '../parts/chart.tsx';
import { formatShare } from '../parts/format.ts';
import { Heat } from '../parts/heat.tsx';
import { Empty, Told } from '../parts/told.tsx';

const mostReports = 30;

export function ViewHistory({ view }: { readonly view: string }) {
  const answer = useAnswer(`history ${view}`, async (signal) => ({
    parity: await readNewest('parity', mostReports, signal),
    drift: await readNewest('drift', mostReports, signal),
  }));
  return (
    <Told answer={answer}>
      {({ parity, drift }) => {
        const compared = parity.reports.filter((report) => ofView<ParityFeature>(report, view).length > 0);
        // Datasets that were compared are not what was served.
        const measured = drift.reports.filter(
          (report) =>
            (report.current?.kind ?? 'log') === 'log' && ofView<DriftFeature>(report, view).some(({ current }) => current.n > 0),
        );
        return (
          <>
            {compared.length === 0 ? (
              <Empty title={titleOf('parity', parity)}>
                <p>
                  Run <code>featherflight validate parity --live</code>, or log a sample of what is served.
                </p>
              </Empty>
            ) : (
              <TimeChart
                label="Share of served values that training gets as well"
                points={compared.map((report) => point<ParityFeature>(report, view, ({ share_within: share }) => share))}
                series={namesOf(compared, view)}
                format={formatShare}
                areShares
              />
            )}
            {measured.length === 0 ? (
              <Empty title={titleOf('drift', drift)}>
                <p>
                  With <code>logging</code> in the config, run <code>featherflight validate drift</code>.
                </p>
              </Empty>
            ) : (
              <Drift view={view} reports={measured} />
            )}
          </>
        );
      }}
    </Told>
  );
}

function titleOf(kind: string, { areWhole }: WholeReports): string {
  return areWhole ? `No report of ${kind} tells of this view yet` : `No report of ${kind} tells your token of this view`;
}

function Drift({ view, reports }: { readonly view: string; readonly reports: readonly WholeReport[] }) {
  const names = namesOf(reports, view);
  const [chosen, setChosen] = useState(names[0] ?? '');
  const columns = reports.flatMap((report) => {
    const found = ofView<DriftFeature>(report, view).find(({ feature }) => feature === chosen);
    return found === undefined || found.current.n === 0 ? [] : [{ at: report.created_at, values: found.current }];
  });
  return (
    <>
      <div className="row">
        <label>
          Feature
          <select value={chosen} onChange={(event) => setChosen(event.target.value)}>
            {names.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
      </div>
      {columns.length > 0 && <Heat label={`Values of ${chosen}, by report`} columns={columns} />}
      <div className="charts">
        <TimeChart
          label="Default rate"
          points={reports.map((report) => point<DriftFeature>(report, view, ({ current }) => current.default_rate))}
          series={names}
          format={formatShare}
          areShares
        />
        <TimeChart
          label="Null rate"
          points={reports.map((report) => point<DriftFeature>(report, view, ({ current }) => current.null_rate))}
          series={names}
          format={formatShare}
          areShares
        />
      </div>
    </>
  );
}

function ofView<T extends ReportFeature>({ features = [] }: WholeReport, view: string): readonly T[] {
  return features.filter((feature) => feature.view === view) as readonly T[];
}

function namesOf(reports: readonly WholeReport[], view: string): readonly string[] {
  return [...new Set(reports.flatMap((report) => ofView(report, view).map(({ feature }) => String(feature))))];
}

function point<T extends ReportFeature>(report: WholeReport, view: string, read: (feature: T) => number | null): TimePoint {
  const values = ofView<T>(report, view).map((feature) => [String(feature.feature), read(feature)] as const);
  return { at: report.created_at, values: Object.fromEntries(values) };
}
