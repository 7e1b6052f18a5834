/** One histogram, with its numbers as a table. */
import { Bar, BarChart, CartesianGrid, ResponsiveContainer, Tooltip, XAxis, YAxis } from 'recharts';
import type { Histogram } from '../api/reports.ts';
import { tooltipStyle } from './chart-style.ts';
import { formatNumber } from './format.ts';
import { nameBins } from './histogram.ts';
import { Numbers } from './numbers.tsx';

export function HistogramChart({ label, histogram }: { readonly label: string; readonly histogram: Histogram }) {
  const rows = nameBins(histogram);
  return (
    <figure>
      <figcaption>{label}</figcaption>
      <div className="chart" aria-hidden="true">
        <ResponsiveContainer width="100%" height="100%">
          <BarChart data={[...rows]} margin={{ top: 8, right: 16, bottom: 4, left: 4 }} accessibilityLayer={false}>
            <CartesianGrid stroke="var(--line)" vertical={false} />
            <XAxis dataKey="name" tickFormatter={beginningOf} stroke="var(--dim)" tickLine={false} minTickGap={16} />
            <YAxis stroke="var(--dim)" tickLine={false} tickFormatter={formatNumber} width={64} />
            <Tooltip
              isAnimationActive={false}
              contentStyle={tooltipStyle}
              cursor={{ fill: 'var(--raised)' }}
              formatter={(value) => [formatNumber(Number(value)), 'rows']}
            />
            <Bar dataKey="count" fill="var(--series-1)" maxBarSize={48} isAnimationActive={false} />
          </BarChart>
        </ResponsiveContainer>
      </div>
      <Numbers
        label={label}
        rows={rows.filter(({ count }) => count > 0)}
        keyOf={({ name }) => name}
        columns={[
          { title: 'values', cell: ({ name }) => name },
          { title: 'rows', isNumber: true, cell: ({ count }) => formatNumber(count) },
        ]}
      />
    </figure>
  );
}

/** A bin is long to name: below the axis stands where it begins. */
function beginningOf(bin: string): string {
  return bin.split(' to ', 1)[0] ?? bin;
}
