/** A report of drift, feature by feature: both distributions beside each other, and the alarms. */
import type { DriftFeature, DriftValues, WholeReport } from '../api/reports.ts';
import { Facts } from '../parts/facts.tsx';
import { Fold, sortByResult, TitleOf, useIsSought, ViewLink } from '../parts/fold.tsx';
import { formatNumber, formatShare, numberOf, words } from '../parts/format.ts';
import { HistogramPair } from '../parts/histogram-pair.tsx';
import { Table } from '../parts/table.tsx';

export function DriftFeatures({ report }: { readonly report: WholeReport }) {
  const features = sortByResult(report.features as readonly DriftFeature[]);
  const isSought = useIsSought();
  return features.map((feature) => (
    <Fold
      key={`${feature.view}:${feature.feature}`}
      isOpen={feature.result === 'FAIL' && features.length < 4}
      isSought={isSought(feature)}
      title={<TitleOf feature={feature} />}
      told={feature.alarms.map(({ alarm }) => words(alarm)).join(', ')}
    >
      {feature.result === 'NO DATA' && <p>One of the periods has too few keys for anything to be said.</p>}
      {feature.alarms.length > 0 && (
        <ul>
          {feature.alarms.map(({ alarm, text }) => (
            <li key={alarm}>
              <strong>{words(alarm)}</strong>: {text}
            </li>
          ))}
        </ul>
      )}
      <Facts
        facts={{
          View: <ViewLink view={feature.view} />,
          'What is compared': feature.measure,
          'Population stability index': numberOf(feature.psi),
          'Jensen-Shannon distance': numberOf(feature.js),
          'Kolmogorov-Smirnov distance': numberOf(feature.ks),
          'Mean moved by deviations': numberOf(feature.mean_change),
        }}
      />
      <Sides reference={feature.reference} current={feature.current} />
      <HistogramPair
        label={`Values of ${feature.feature}`}
        reference={feature.reference.histogram}
        current={feature.current.histogram}
      />
    </Fold>
  ));
}

function Sides({ reference, current }: { readonly reference: DriftValues; readonly current: DriftValues }) {
  const rows = [
    { name: 'before', values: reference },
    { name: 'now', values: current },
  ];
  type Row = (typeof rows)[number];
  const number = (title: string, of: 'n' | 'mean' | 'deviation' | 'least' | 'greatest') => ({
    title,
    isNumber: true,
    cell: ({ values }: Row) => formatNumber(values[of]),
  });
  return (
    <Table
      label="Before and now"
      rows={rows}
      keyOf={({ name }) => name}
      columns={[
        { title: 'period', cell: ({ name }) => name },
        number('rows', 'n'),
        number('mean', 'mean'),
        number('deviation', 'deviation'),
        number('least', 'least'),
        number('greatest', 'greatest'),
        { title: 'null', isNumber: true, cell: ({ values }) => formatShare(values.null_rate) },
        { title: 'default', isNumber: true, cell: ({ values }) => formatShare(values.default_rate) },
      ]}
    />
  );
}
