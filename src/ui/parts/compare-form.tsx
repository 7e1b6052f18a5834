/** Two versions to be compared. */
import { type FormEvent, useState } from 'react';
import { href } from './route.ts';

export interface CompareFormProps {
  /** `NAME@VERSION`, the oldest first. */
  readonly versions: readonly string[];
  readonly from?: string;
  readonly to?: string;
}

/** Nothing where there is but one version. */
export function CompareForm({ versions, from = versions.at(-2), to = versions.at(-1) }: CompareFormProps) {
  const [chosen, setChosen] = useState({ from: from ?? '', to: to ?? '' });
  if (versions.length < 2) return null;
  const compare = (event: FormEvent) => {
    event.preventDefault();
    location.hash = href('datasets', chosen.from, 'diff', chosen.to);
  };
  const choice = (of: 'from' | 'to', label: string) => (
    <label>
      {label}
      <select value={chosen[of]} onChange={(event) => setChosen({ ...chosen, [of]: event.target.value })}>
        {versions.toReversed().map((version) => (
          <option key={version}>{version}</option>
        ))}
      </select>
    </label>
  );
  return (
    <form className="row" onSubmit={compare} aria-label="Compare versions">
      {choice('from', 'Compare')}
      {choice('to', 'with')}
      <button type="submit" disabled={chosen.from === chosen.to}>
        Compare
      </button>
    </form>
  );
}
