/** The time zone of a source over the local times that it holds. */
import { DuckDBArrayType, DuckDBListType, type DuckDBType } from '@duckdb/node-api';
import type { SourceDocument, ViewDocument } from '../../registry/document.ts';
import type { Session } from '../duckdb/engine.ts';
import { compileIsUnclear, compileLocalUs, isZoneless, listZoneSteps, type ZoneSteps } from '../duckdb/instant.ts';
import { quoteName } from '../duckdb/sql.ts';
import { foldFromUs, foldUs, openClock, unclearKind, unclearTimeError, yearOf, yearUs, type ZoneClock } from '../zone.ts';

/** The steps of the source's zone over the times it holds; a time that is no one instant is refused unless the source says how. */
export async function readZone(
  session: Session,
  view: Pick<ViewDocument, 'features'>,
  source: SourceDocument,
  table: string,
  columns: readonly { name: string; type: DuckDBType }[],
): Promise<ZoneSteps | undefined> {
  if (source.timezone === undefined) return undefined;
  const used = new Set([
    source.eventTimestamp,
    source.createdTimestamp,
    source.availableAt,
    ...view.features.map((feature) => feature.column),
  ]);
  const local = columns.flatMap(({ name, type }) => (used.has(name) ? localTimes(table, name, type) : []));
  const clock = openClock(source.timezone, source.ambiguousTime);
  const zone = await listSteps(session, clock, table, local);
  const unclear = compileIsUnclear('us', zone);
  if (source.ambiguousTime !== undefined || unclear === undefined) return zone;
  for (const { name, relation } of local) {
    const [row] = await session.rows(`select min(us) as us from ${relation} where ${unclear}`);
    if (row?.us == null) continue;
    const at = row.us as bigint;
    throw unclearTimeError(
      source.timezone,
      at,
      unclearKind(clock, at) ?? 'twice',
      `source "${source.name}", column "${name}"`,
      "set ambiguousTime: 'earlier' or 'later' on the source",
      { source: source.name, column: name },
    );
  }
  return zone;
}

/** The steps over the years that occur: one far date must not bring all years before it. */
async function listSteps(session: Session, clock: ZoneClock, table: string, local: readonly LocalTimes[]): Promise<ZoneSteps> {
  // One scan for all columns of times, one for each of lists of times. `//` drops the fraction, before 1970 upward.
  const scanned = local.flatMap(({ us }) => (us === undefined ? [] : [`list(distinct ${us} // ${yearUs})`]));
  const lists = local.flatMap(({ us, relation }) =>
    us === undefined ? [`select unnest(list(distinct us // ${yearUs})) as year from ${relation}`] : [],
  );
  if (scanned.length > 0) lists.push(`select unnest(flatten([${scanned.join(', ')}])) as year from ${table} as t`);
  if (lists.length === 0) return listZoneSteps(clock, [], false);
  const rows = await session.rows(`select distinct year from (${lists.join(' union all ')}) where year is not null`);
  const years = rows.map((row) => row.year as bigint);
  return listZoneSteps(
    clock,
    years.flatMap((year) => {
      const folded = yearOf(foldUs(year * yearUs));
      return year <= 0n ? [folded - 1, folded] : [folded];
    }),
    years.some((year) => year * yearUs >= foldFromUs),
  );
}

interface LocalTimes {
  readonly name: string;
  /** Microseconds of the column's value in a row `t`; absent where it holds lists of times. */
  readonly us?: string;
  /** All of its times as a relation of one column `us`. */
  readonly relation: string;
}

/** The local times of a column, also those in its lists; nothing for a column without any. */
function localTimes(table: string, name: string, type: DuckDBType): LocalTimes[] {
  let leaf = type;
  while (leaf instanceof DuckDBListType || leaf instanceof DuckDBArrayType) leaf = leaf.valueType;
  if (!isZoneless(leaf.typeId)) return [];
  const column = `t.${quoteName(name)}`;
  if (leaf === type) {
    const us = compileLocalUs(column, type.typeId);
    return [{ name, us, relation: `(select ${us} as us from ${table} as t)` }];
  }
  const elements = `(select unnest(${column}, recursive := true) as v from ${table} as t)`;
  return [{ name, relation: `(select ${compileLocalUs('v', leaf.typeId)} as us from ${elements})` }];
}
