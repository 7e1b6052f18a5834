/** Two histograms of the same bins beside each other, as shares. */
import { Bar, BarChart, CartesianGrid, Legend, ResponsiveContainer, Tooltip, XAxis, YAxis } from 'recharts';
import type { Histogram } from '../api/reports.ts';
import { tooltipStyle } from './chart-style.ts';
import { formatShare } from './format.ts';
import { nameBins } from './histogram.ts';
import { Numbers } from './numbers.tsx';

export interface HistogramPairProps {
  readonly label: string;
  /** What the two are, in a word each. */
  readonly names: { readonly reference: string; readonly current: string };
  readonly reference: Histogram;
  readonly current: Histogram;
}

export function HistogramPair({ label, names, reference, current }: HistogramPairProps) {
  const total = ({ counts }: Histogram) => counts.reduce((sum, count) => sum + count, 0) || 1;
  const rows = nameBins(reference)
    .map(({ name, count }, at) => ({
      name,
      before: count / total(reference),
      now: (current.counts[at] ?? 0) / total(current),
    }))
    .filter(({ before, now }) => before + now > 0);
  if (rows.length === 0) return null;
  return (
    <figure>
      <figcaption>{label}</figcaption>
      <div className="chart" aria-hidden="true">
        <ResponsiveContainer width="100%" height="100%">
          <BarChart data={rows} margin={{ top: 8, right: 16, bottom: 4, left: 4 }} accessibilityLayer={false}>
            <CartesianGrid stroke="var(--line)" vertical={false} />
            <XAxis dataKey="name" stroke="var(--dim)" tickLine={false} minTickGap={12} />
            <YAxis stroke="var(--dim)" tickLine={false} tickFormatter={formatShare} width={64} />
            <Tooltip
              isAnimationActive={false}
              contentStyle={tooltipStyle}
              cursor={{ fill: 'var(--raised)' }}
              formatter={(value) => formatShare(Number(value))}
            />
            <Legend />
            <Bar dataKey="before" name={names.reference} fill="var(--series-8)" maxBarSize={48} isAnimationActive={false} />
            <Bar dataKey="now" name={names.current} fill="var(--series-1)" maxBarSize={48} isAnimationActive={false} />
          </BarChart>
        </ResponsiveContainer>
      </div>
      <Numbers
        label={label}
        rows={rows}
        keyOf={({ name }) => name}
        columns={[
          { title: 'values', cell: ({ name }) => name },
          { title: names.reference, isNumber: true, cell: ({ before }) => formatShare(before) },
          { title: names.current, isNumber: true, cell: ({ now }) => formatShare(now) },
        ]}
      />
    </figure>
  );
}
