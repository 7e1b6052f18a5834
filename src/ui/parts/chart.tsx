/** Lines over time, with the numbers behind them as a table for whoever cannot or need not see them. */
import { CartesianGrid, Legend, Line, LineChart, ResponsiveContainer, Tooltip, XAxis, YAxis } from 'recharts';
import { tooltipStyle } from './chart-style.ts';
import { formatInstant, formatNumber } from './format.ts';
import { Numbers } from './numbers.tsx';

export interface TimePoint {
  /** ISO instant. */
  readonly at: string;
  readonly values: Readonly<Record<string, number | null>>;
}

export interface TimeChartProps {
  readonly label: string;
  readonly points: readonly TimePoint[];
  /** In the order of the legend; at most eight are drawn. */
  readonly series: readonly string[];
  readonly format?: (value: number) => string;
  /** They are shares: at most 1, at least 0. */
  readonly areShares?: boolean;
}

const mostSeries = 8;

/** From the least of them, or 0, to the greatest, or 1. */
const shares: [(least: number) => number, (greatest: number) => number] = [
  (least) => (least < 0.5 ? 0 : Math.min(0.95, Math.floor(least * 20) / 20)),
  (greatest) => (greatest > 0.5 ? 1 : Math.max(0.01, Math.ceil(greatest * 20) / 20)),
];

export function TimeChart({ label, points, series, format = formatNumber, areShares = false }: TimeChartProps) {
  const drawn = series.slice(0, mostSeries);
  const rows = points.map(({ at, values }) => ({ at: Date.parse(at), ...values }));
  return (
    <figure>
      <figcaption>
        {label}
        {series.length > drawn.length && <span className="note"> The first {mostSeries} are drawn.</span>}
      </figcaption>
      <div className="chart" aria-hidden="true">
        <ResponsiveContainer width="100%" height="100%">
          <LineChart data={rows} margin={{ top: 8, right: 16, bottom: 4, left: 4 }} accessibilityLayer={false}>
            <CartesianGrid stroke="var(--line)" vertical={false} />
            <XAxis
              dataKey="at"
              type="number"
              scale="time"
              domain={['dataMin', 'dataMax']}
              tickFormatter={shortTimeOf(rows)}
              padding={{ left: 28, right: 28 }}
              stroke="var(--dim)"
              tickLine={false}
              minTickGap={48}
            />
            <YAxis
              domain={areShares ? shares : ['auto', 'auto']}
              tickFormatter={format}
              stroke="var(--dim)"
              tickLine={false}
              width={64}
            />
            <Tooltip
              isAnimationActive={false}
              contentStyle={tooltipStyle}
              labelFormatter={(at) => formatInstant(new Date(Number(at)).toISOString())}
              formatter={(value) => (typeof value === 'number' ? format(value) : '–')}
            />
            {drawn.length > 1 && <Legend />}
            {drawn.map((name, at) => (
              <Line
                key={name}
                dataKey={(row: Readonly<Record<string, number | null>>) => row[name]}
                name={name}
                stroke={`var(--series-${at + 1})`}
                strokeWidth={2}
                strokeDasharray={dashes[at % dashes.length]}
                dot={{ r: 3 + 2 * Math.min(3, drawn.length - 1 - at), strokeDasharray: '' }}
                isAnimationActive={false}
              />
            ))}
          </LineChart>
        </ResponsiveContainer>
      </div>
      <Numbers
        label={label}
        rows={points}
        keyOf={({ at }) => at}
        columns={[
          { title: 'at', cell: ({ at }) => formatInstant(at) },
          ...series.map((name) => ({
            title: name,
            isNumber: true,
            cell: ({ values }: TimePoint) => (values[name] == null ? '–' : format(values[name])),
          })),
        ]}
      />
    </figure>
  );
}

/** Lines that lie on each other are still told apart: what is drawn later is broken, and its points are smaller. */
const dashes = ['', '7 5', '2 4', '10 4 2 4'];

const dayMs = 86_400_000;

/** As much of an instant as tells them apart. */
function shortTimeOf(rows: readonly { readonly at: number }[]): (at: number) => string {
  const spanMs = (rows.at(-1)?.at ?? 0) - (rows[0]?.at ?? 0);
  const [from, to] = spanMs > 4 * dayMs ? [0, 10] : spanMs > 600_000 ? [5, 16] : [11, 19];
  return (at) => new Date(at).toISOString().slice(from, to).replace('T', ' ');
}
