/** Names and values of one thing, below each other. */
import type { ReactNode } from 'react';

/** What is null or empty is left out. */
export function Facts({ facts }: { readonly facts: Readonly<Record<string, ReactNode>> }) {
  return (
    <dl className="facts">
      {Object.entries(facts)
        .filter(([, value]) => value !== null && value !== undefined && value !== '')
        .map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  );
}

export function TagList({ tags }: { readonly tags: Readonly<Record<string, string>> }) {
  const entries = Object.entries(tags);
  if (entries.length === 0) return null;
  return (
    <ul className="tags" aria-label="Tags">
      {entries.map(([name, value]) => (
        <li key={name}>{value === '' ? name : `${name}: ${value}`}</li>
      ))}
    </ul>
  );
}

/** `PASS` and the like, by colour and by word. */
export function Badge({ text }: { readonly text: string }) {
  return <span className={`badge ${kinds[text] ?? ''}`}>{text}</span>;
}

const kinds: Readonly<Record<string, string>> = {
  PASS: 'good',
  FAIL: 'bad',
  'NO DATA': 'dim',
  PRESENT: 'good',
  NULL_VALUE: 'dim',
  NOT_FOUND: 'warn',
  OUTSIDE_MAX_AGE: 'warn',
  FRESH: 'good',
  STALE: 'bad',
  NEVER: 'bad',
  critical: 'bad',
  warning: 'warn',
  waiting: 'dim',
  held: 'good',
  broken: 'warn',
  added: 'good',
  removed: 'bad',
  changed: 'warn',
  same: 'dim',
};
