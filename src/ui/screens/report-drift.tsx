/** A report of drift, feature by feature: both distributions beside each other, and the alarms. */
import type { DriftFeature, DriftSide, DriftValues, WholeReport } from '../api/reports.ts';
import { Facts } from '../parts/facts.tsx';
import { Fold, sortByResult, TitleOf, useIsSought, ViewLink } from '../parts/fold.tsx';
import { formatInstant, formatNumber, formatShare, numberOf, words } from '../parts/format.ts';
import { HistogramPair } from '../parts/histogram-pair.tsx';
import { href } from '../parts/route.ts';
import { Table } from '../parts/table.tsx';

export function DriftFeatures({ report }: { readonly report: WholeReport }) {
  const features = sortByResult(report.features as readonly DriftFeature[]);
  const isSought = useIsSought();
  const names = { reference: nameSide(report.reference, 'before'), current: nameSide(report.current, 'now') };
  return features.map((feature) => (
    <Fold
      key={`${feature.view}:${feature.feature}`}
      isOpen={feature.result === 'FAIL' && features.length < 4}
      isSought={isSought(feature)}
      title={<TitleOf feature={feature} />}
      told={feature.alarms.map(({ alarm }) => words(alarm)).join(', ')}
    >
      {feature.result === 'NO DATA' && <p>One of the sides has too few keys for anything to be said.</p>}
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
      <Sides names={names} reference={feature.reference} current={feature.current} />
      <HistogramPair
        label={`Values of ${feature.feature}`}
        names={names}
        reference={feature.reference.histogram}
        current={feature.current.histogram}
      />
    </Fold>
  ));
}

/** In a sentence, with how much of it was read. */
export function SideOf({ side: { kind, dataset, split, from, to, rows } }: { readonly side: DriftSide }) {
  const read = ` (${formatNumber(rows)} rows)`;
  if (kind === 'dataset' && dataset !== undefined) {
    return (
      <>
        dataset <a href={href('datasets', dataset)}>{dataset}</a>
        {split == null ? '' : `, split ${split}`}
        {read}
      </>
    );
  }
  const period = from === null || to === null ? '' : `, ${formatInstant(from)} to ${formatInstant(to)}`;
  return `${kind === 'frame' ? 'a training set' : `what was served${period}`}${read}`;
}

/** In a word; two datasets are told apart by their names. */
function nameSide(side: DriftSide | undefined, otherwise: string): string {
  if (side?.kind !== 'dataset') return otherwise;
  return side.split == null ? `${side.dataset}` : `${side.dataset} ${side.split}`;
}

interface SidesProps {
  readonly names: { readonly reference: string; readonly current: string };
  readonly reference: DriftValues;
  readonly current: DriftValues;
}

function Sides({ names, reference, current }: SidesProps) {
  const rows = [
    { key: 'reference', name: names.reference, values: reference },
    { key: 'current', name: names.current, values: current },
  ];
  type Row = (typeof rows)[number];
  const number = (title: string, of: 'n' | 'mean' | 'deviation' | 'least' | 'greatest') => ({
    title,
    isNumber: true,
    cell: ({ values }: Row) => formatNumber(values[of]),
  });
  return (
    <Table
      label="Both sides"
      rows={rows}
      keyOf={({ key }) => key}
      columns={[
        { title: 'side', cell: ({ name }) => name },
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
