/** What the columns of a source's archived files are: of rows those of its table, of events what is declared of them and where they came from. */
import { createHash } from 'node:crypto';
import { parseValueType } from '../../definitions/value-type.ts';
import { columnTypeOf } from '../../registry/bind/column-type.ts';
import type { ColumnDocument, SourceDocument } from '../../registry/document.ts';
import { eventsShape } from './manifest.ts';

/** Partition of the log, offset in it (up to 2^112), and whether the event came later than its lateness allows. */
export const originColumns = {
  partition: { name: '_partition', type: 'VARCHAR' },
  offset: { name: '_offset', type: 'DECIMAL(38,0)' },
  late: { name: '_late', type: 'BOOLEAN' },
} as const;

/** The event timestamp and the declared columns by their declared types. */
export function declaredColumns({ eventTimestamp, events }: SourceDocument): readonly ColumnDocument[] {
  const declared = events?.columns ?? [];
  return [
    { name: eventTimestamp, type: 'TIMESTAMP WITH TIME ZONE' },
    ...declared.map(({ name, type }) => ({ name, type: columnTypeOf(parseValueType(type)) })),
  ];
}

export function archivedColumns(source: SourceDocument): readonly ColumnDocument[] {
  return source.kind === 'event' ? [...declaredColumns(source), ...Object.values(originColumns)] : source.columns;
}

/** Files of one shape have the same columns of the same types. */
export function shapeName(source: SourceDocument): string {
  const shape = JSON.stringify(archivedColumns(source).map(({ name, type }) => [name, type]));
  const hash = createHash('sha256').update(shape).digest('hex').slice(0, 16);
  return source.kind === 'event' ? `${eventsShape}${hash}` : hash;
}
