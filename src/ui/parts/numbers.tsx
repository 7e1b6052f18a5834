/** The numbers behind a drawing, folded away: for whoever cannot or need not see it. */
import type { ReactNode } from 'react';
import { Table, type TableProps } from './table.tsx';

export function Numbers<Row>(table: TableProps<Row>) {
  return (
    <NumbersFold>
      <Table {...table} />
    </NumbersFold>
  );
}

export function NumbersFold({ children }: { readonly children: ReactNode }) {
  return (
    <details>
      <summary>Numbers</summary>
      {children}
    </details>
  );
}
