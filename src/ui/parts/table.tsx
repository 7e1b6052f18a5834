/**
 * A table that scrolls in itself where the screen is narrower, and may be reached with the keyboard. One of many columns becomes a list of
 * its rows on a phone, each value beside the name of its column.
 */
import type { ReactNode } from 'react';
import { Scroll } from './scroll.tsx';

export interface TableColumn<Row> {
  readonly title: string;
  readonly isNumber?: boolean;
  cell(row: Row): ReactNode;
}

export interface TableProps<Row> {
  readonly label: string;
  readonly columns: readonly TableColumn<Row>[];
  readonly rows: readonly Row[];
  keyOf(row: Row, at: number): string;
}

/** Columns that a phone has room for. */
const mostBeside = 3;
/** From so many on they stand closer to each other. */
const many = 9;

export function Table<Row>({ label, columns, rows, keyOf }: TableProps<Row>) {
  const kinds = [...(columns.length > mostBeside ? ['stacks'] : []), ...(columns.length >= many ? ['dense'] : [])];
  return (
    <Scroll label={label}>
      <table className={kinds.join(' ') || undefined}>
        <thead>
          <tr>
            {columns.map(({ title, isNumber }) => (
              <th key={title} scope="col" className={isNumber ? 'number' : undefined}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, at) => (
            <tr key={keyOf(row, at)}>
              {columns.map(({ title, isNumber, cell }, place) =>
                place === 0 ? (
                  <th key={title} scope="row">
                    {cell(row)}
                  </th>
                ) : (
                  <td key={title} data-title={title} className={isNumber ? 'number' : undefined}>
                    {cell(row)}
                  </td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}
