/** Shares of a whole as one bar, each with its name, share and count. */
import { formatNumber, formatShare } from './format.ts';

export interface Share {
  readonly name: string;
  readonly count: number;
  /** Number of the colour. */
  readonly colour: number;
}

export function ShareBar({ label, shares }: { readonly label: string; readonly shares: readonly Share[] }) {
  const total = shares.reduce((sum, { count }) => sum + count, 0);
  const shown = shares.filter(({ count }) => count > 0);
  return (
    <figure>
      <figcaption>{label}</figcaption>
      <div className="bar" aria-hidden="true">
        {shown.map(({ name, count, colour }) => (
          <div key={name} style={{ flexGrow: count, background: `var(--series-${colour})` }} />
        ))}
      </div>
      <ul className="legend">
        {shown.map(({ name, count, colour }) => (
          <li key={name}>
            <i style={{ background: `var(--series-${colour})` }} aria-hidden="true" />
            {name} <strong>{formatShare(count / total)}</strong> <span className="note">{formatNumber(count)}</span>
          </li>
        ))}
      </ul>
    </figure>
  );
}
