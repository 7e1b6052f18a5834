/** One column of a dataset: all that was counted of it. */
import type { Dataset, DatasetColumn } from '../api/datasets.ts';
import { ShareBar } from '../parts/bar.tsx';
import { binsOf } from '../parts/dataset-bins.ts';
import { formatBound, formatDistinct, roles, statusesOf } from '../parts/dataset-text.ts';
import { Facts } from '../parts/facts.tsx';
import { formatBytes, formatNumber, formatShare, numberOf } from '../parts/format.ts';
import { HistogramChart } from '../parts/histogram-chart.tsx';
import { href } from '../parts/route.ts';
import { Table } from '../parts/table.tsx';
import { DatasetGates } from './dataset-gates.tsx';

const mostValues = 10;

export interface DatasetColumnProps {
  readonly column: DatasetColumn;
  readonly dataset: Dataset;
}

export function DatasetColumnDetail({ column, dataset }: DatasetColumnProps) {
  const { name, type, role, feature, statistics, vocabulary } = column;
  const { min, max, mean, stddev, nan, infinite, defaults, true: yes, histogram, top } = statistics;
  const { rows } = dataset;
  const share = (count: number | undefined) =>
    count === undefined
      ? null
      : count === 0
        ? 'none'
        : rows === 0
          ? formatNumber(count)
          : `${formatNumber(count)} rows, ${formatShare(count / rows)}`;
  const statuses = statusesOf(statistics);
  const gates = dataset.gates.filter((gate) => gate.column === name);
  const isList = /list/i.test(type);
  return (
    <>
      <Facts
        facts={{
          Role: roles[role],
          Type: <code>{type}</code>,
          Feature: feature === null ? null : <FeatureLink feature={feature} />,
          Null: share(statistics.nulls),
          Default: share(defaults),
          'Different values': statistics.distinct === undefined ? null : formatDistinct(statistics),
          Vocabulary: vocabulary === null ? null : `${formatNumber(vocabulary.rows)} values, ${formatBytes(vocabulary.bytes)}`,
          [isList ? 'Shortest' : 'Least']: min == null ? null : formatBound(min),
          [isList ? 'Longest' : 'Greatest']: max == null ? null : formatBound(max),
          Mean: numberOf(mean),
          Deviation: numberOf(stddev),
          True: share(yes),
          NaN: nan === undefined || nan === 0 ? null : share(nan),
          Infinite: infinite === undefined || infinite === 0 ? null : share(infinite),
        }}
      />
      {statuses !== undefined && rows > 0 && (
        <ShareBar label={`Statuses of ${name}`} shares={statuses.map((status, at) => ({ ...status, colour: at + 1 }))} />
      )}
      {histogram !== undefined && <HistogramChart label={`Values of ${name}`} histogram={binsOf(histogram)} />}
      {top !== undefined && top.length > 0 && (
        <>
          <h4>Most frequent values</h4>
          <Table
            label={`Most frequent values of ${name}`}
            rows={top.slice(0, mostValues)}
            keyOf={({ value }) => value}
            columns={[
              { title: 'value', cell: ({ value }) => (value === '' ? '(empty text)' : value) },
              { title: 'rows', isNumber: true, cell: (one) => formatNumber(one.rows) },
              { title: 'share', isNumber: true, cell: (one) => formatShare(one.rows / rows) },
            ]}
          />
        </>
      )}
      {gates.length > 0 && (
        <>
          <h4>Expected of it</h4>
          <DatasetGates gates={gates} label={`Expected of ${name}`} />
        </>
      )}
    </>
  );
}

function FeatureLink({ feature }: { readonly feature: string }) {
  const [view = '', name = ''] = feature.split(':', 2);
  return <a href={`${href('views', view)}?feature=${encodeURIComponent(name)}`}>{feature}</a>;
}
