/** Rows or events that a value is made of, as a table; whatever is no row stands as it was written. */
import { formatInstant, formatValue, words } from './format.ts';
import { Table } from './table.tsx';
import { Raw } from './value.tsx';

type Row = Readonly<Record<string, unknown>>;

/** Nothing where there is none. */
export function Evidence({ title, value }: { readonly title: string; readonly value: unknown }) {
  const list = Array.isArray(value) ? value : [value];
  if (!list.every(isRow)) return <Raw title={title} value={value} />;
  if (list.length === 0) return null;
  const rows = list.map(flatten);
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  return (
    <>
      <h3>{title}</h3>
      <Table
        label={title}
        rows={rows}
        keyOf={(_, at) => String(at)}
        columns={names.map((name) => ({ title: words(name), cell: (row: Row) => show(row[name]) }))}
      />
    </>
  );
}

/** Columns of a source stand beside what is known of their row. */
function flatten({ values, ...facts }: Row): Row {
  const { event_timestamp: at, ...others } = facts;
  const own = isRow(values) ? values : {};
  const told = Object.entries(others).map(([name, value]) => [Object.hasOwn(own, name) ? `${name} of the row` : name, value]);
  return { ...(at === undefined ? {} : { event_timestamp: at }), ...own, ...Object.fromEntries(told) };
}

function isRow(value: unknown): value is Row {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function show(value: unknown): string {
  if (value === undefined) return '';
  return typeof value === 'string' && /^\d{4}-\d\d-\d\dT/.test(value) ? formatInstant(value) : formatValue(value);
}
