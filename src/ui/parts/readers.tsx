/** Who has read something, and when last. */
import { formatAge, formatInstant } from './format.ts';
import { Table } from './table.tsx';
import { Empty } from './told.tsx';

/** `readers`: reader -> ISO instant, the latest first; null where it is not known now. */
export function Readers({ readers }: { readonly readers: Readonly<Record<string, string>> | null }) {
  if (readers === null) return <Empty title="Who reads it cannot be told now: the online store does not answer" />;
  const rows = Object.entries(readers);
  if (rows.length === 0) {
    return (
      <Empty title="Nobody has read it yet">
        <p>Reads online and for training sets are noted here, each by the token that made it.</p>
      </Empty>
    );
  }
  return (
    <Table
      label="Readers"
      rows={rows}
      keyOf={([reader]) => reader}
      columns={[
        { title: 'reader', cell: ([reader]) => reader },
        { title: 'last read', cell: ([, at]) => formatAge(at) },
        { title: 'at', cell: ([, at]) => formatInstant(at) },
      ]}
    />
  );
}
