/** Values, keys and rows as the server wrote them. */
import { formatValue } from './format.ts';
import { Block } from './scroll.tsx';

export function Value({ value }: { readonly value: unknown }) {
  return value === null || value === undefined ? (
    <span className="note">null</span>
  ) : (
    <span className="value">{formatValue(value)}</span>
  );
}

export function Keys({ keys }: { readonly keys: Readonly<Record<string, unknown>> }) {
  return (
    <span className="value">
      {Object.entries(keys)
        .map(([name, value]) => `${name} = ${formatValue(value)}`)
        .join(', ')}
    </span>
  );
}

/** Nothing where there is none. */
export function Raw({ title, value }: { readonly title: string; readonly value: unknown }) {
  if (value === null || value === undefined || (Array.isArray(value) && value.length === 0)) return null;
  return (
    <>
      <h3>{title}</h3>
      <Block label={title} text={JSON.stringify(value, null, 2)} />
    </>
  );
}
