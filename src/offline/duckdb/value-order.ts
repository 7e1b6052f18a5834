/** The order of values (rule 3.1) as sort keys of DuckDB. */
import {
  DuckDBArrayType,
  DuckDBListType,
  DuckDBMapType,
  DuckDBStructType,
  type DuckDBType,
  DuckDBTypeId,
} from '@duckdb/node-api';
import { quoteName } from './sql.ts';

/**
 * An expression whose ascending order, nulls first, is the order of rule 3.1. DuckDB's own order is that already, but for nulls
 * inside of lists and structs, which it takes for the greatest, and enums, which it orders by position.
 */
export function compileValueOrder(value: string, type: DuckDBType, depth = 0): string {
  if (type.typeId === DuckDBTypeId.ENUM) return `cast(${value} as varchar)`;
  if (type instanceof DuckDBListType) return compileListOrder(value, type.valueType, depth);
  if (type instanceof DuckDBArrayType) return compileListOrder(`cast(${value} as ${type.valueType}[])`, type.valueType, depth);
  if (type instanceof DuckDBMapType) {
    const entries = new DuckDBListType(new DuckDBStructType(['key', 'value'], [type.keyType, type.valueType]));
    return compileValueOrder(`map_entries(${value})`, entries, depth);
  }
  if (type instanceof DuckDBStructType) {
    const parts = type.entryNames.flatMap((name, index) => {
      const entry = `struct_extract(${value}, '${name.replaceAll("'", "''")}')`;
      const order = compileValueOrder(entry, type.entryTypes[index] as DuckDBType, depth);
      return [`${quoteName(`p${index}`)} := ${entry} is not null`, `${quoteName(`v${index}`)} := ${order}`];
    });
    return `case when ${value} is null then null else struct_pack(${parts.join(', ')}) end`;
  }
  return value;
}

function compileListOrder(value: string, element: DuckDBType, depth: number): string {
  const name = `e${depth}`;
  return `list_transform(${value}, lambda ${name}: struct_pack(p := ${name} is not null, v := ${compileValueOrder(name, element, depth + 1)}))`;
}
