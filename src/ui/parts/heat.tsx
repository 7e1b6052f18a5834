/** How the values of a feature are spread, period by period: the darker, the more of them lie there. */
import type { DriftValues } from '../api/reports.ts';
import { formatInstant, formatNumber, formatShare } from './format.ts';
import { type Band, bandsOf, nameBins } from './histogram.ts';
import { NumbersFold } from './numbers.tsx';
import { Table } from './table.tsx';
import { useWidth } from './use-width.ts';

export interface HeatColumn {
  readonly at: string;
  readonly values: DriftValues;
}

interface Cell {
  readonly y: number;
  readonly height: number;
  readonly strength: number;
  readonly text: string;
}

const [height, left, bottom] = [220, 96, 24];
/** A column of one period; so wide that its instant fits below. */
const [leastStep, mostStep, labelled] = [14, 150, 116];

export function Heat({ label, columns }: { readonly label: string; readonly columns: readonly HeatColumn[] }) {
  const { cells, ticks } = columns[0]?.values.histogram.kind === 'categories' ? placeCategories(columns) : placeNumbers(columns);
  const [frame, room] = useWidth<HTMLDivElement>();
  const step = Math.max(leastStep, Math.min(mostStep, (room - left - 8) / columns.length));
  const width = Math.max(room, left + step * columns.length + 8);
  const labels =
    step >= labelled ? columns.map((_, at) => at) : [0, ...(step * columns.length > 280 ? [columns.length - 1] : [])];
  return (
    <figure>
      <figcaption>{label}</figcaption>
      <div className="scroll" aria-hidden="true" ref={frame}>
        <svg className="heat" width={width} height={height + bottom} viewBox={`0 0 ${width} ${height + bottom}`}>
          <title>{label}</title>
          {cells.map((column, at) => (
            <g key={columns[at]?.at} transform={`translate(${left + at * step} 0)`}>
              {column.map((cell) => (
                <rect key={cell.text} y={cell.y} width={Math.max(1, step - 2)} height={cell.height} fillOpacity={cell.strength}>
                  <title>{`${formatInstant(columns[at]?.at)}: ${cell.text}`}</title>
                </rect>
              ))}
            </g>
          ))}
          {ticks.map(({ text, y }) => (
            <text key={`${text} ${y}`} x={left - 8} y={y} textAnchor="end" dominantBaseline="middle">
              {text.length > 12 ? `${text.slice(0, 11)}…` : text}
            </text>
          ))}
          {labels.map((at) => (
            <text
              key={at}
              x={left + step * (at === columns.length - 1 && at > 0 && step < labelled ? at + 1 : at)}
              y={height + 16}
              textAnchor={at === columns.length - 1 && at > 0 && step < labelled ? 'end' : 'start'}
            >
              {formatInstant(columns[at]?.at).slice(0, 16)}
            </text>
          ))}
        </svg>
      </div>
      <NumbersFold>
        {columns.map(({ at, values }) => (
          <div key={at}>
            <h3>{formatInstant(at)}</h3>
            <Bins label={`Values, ${formatInstant(at)}`} values={values} />
          </div>
        ))}
      </NumbersFold>
    </figure>
  );
}

function Bins({ label, values }: { readonly label: string; readonly values: DriftValues }) {
  const total = values.histogram.counts.reduce((sum, count) => sum + count, 0);
  return (
    <Table
      label={label}
      rows={nameBins(values.histogram).filter(({ count }) => count > 0)}
      keyOf={({ name }) => name}
      columns={[
        { title: 'values', cell: ({ name }) => name },
        { title: 'rows', isNumber: true, cell: ({ count }) => formatNumber(count) },
        { title: 'share', isNumber: true, cell: ({ count }) => formatShare(count / total) },
      ]}
    />
  );
}

function placeNumbers(columns: readonly HeatColumn[]) {
  const bands = columns.map(({ values }) => bandsOf(values));
  const ends = bands.flat().flatMap(({ from, to }) => [from, to]);
  const [least, greatest] = [Math.min(...ends), Math.max(...ends)];
  const range = greatest - least || 1;
  const yOf = (value: number) => (greatest === least ? height / 2 : 8 + (1 - (value - least) / range) * (height - 16));
  const cells = bands.map((column) => {
    const densest = Math.max(...column.map((band) => densityOf(band, range)));
    return column.map((band): Cell => {
      const y = yOf(band.to);
      const tall = Math.max(3, yOf(band.from) - y);
      return {
        ...{ y: y - (tall === 3 ? 1.5 : 0), height: tall, strength: 0.12 + 0.88 * Math.sqrt(densityOf(band, range) / densest) },
        text: `${formatNumber(band.from)} to ${formatNumber(band.to)}, ${formatShare(band.share)}`,
      };
    });
  });
  const ticks = ends.length === 0 ? [] : [...new Set([greatest, (least + greatest) / 2, least])];
  return { cells, ticks: ticks.map((value) => ({ text: formatNumber(value), y: yOf(value) })) };
}

/** A value that many have is a line: it counts as a hundredth of the range. */
function densityOf({ from, to, share }: Band, range: number): number {
  return share / Math.max(to - from, range / 100);
}

function placeCategories(columns: readonly HeatColumn[]) {
  const bins = columns.map(({ values }) => nameBins(values.histogram));
  const names = [
    ...new Set(
      bins
        .flat()
        .filter(({ count }) => count > 0)
        .map(({ name }) => name),
    ),
  ].slice(0, 12);
  const step = height / Math.max(1, names.length);
  const cells = bins.map((column) => {
    const total = column.reduce((sum, { count }) => sum + count, 0);
    return column.flatMap(({ name, count }): readonly Cell[] => {
      const at = names.indexOf(name);
      if (at < 0 || count === 0) return [];
      const text = `${name}, ${formatShare(count / total)}`;
      return [{ y: at * step + 1, height: step - 2, strength: 0.12 + (0.88 * count) / total, text }];
    });
  });
  return { cells, ticks: names.map((name, at) => ({ text: name, y: (at + 0.5) * step })) };
}
