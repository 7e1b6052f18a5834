/** Tables as documents: paths that are files, and options under the names of DuckDB's readers. */
import type { Table } from '../../definitions/table.ts';
import { parseValueType } from '../../definitions/value-type.ts';
import { didYouMean } from '../../errors.ts';
import type { TableDocument } from '../document.ts';
import { type Report, reporting } from '../problems.ts';
import { columnTypeOf } from './column-type.ts';
import { isRecord } from './options.ts';

type OptionType = 'string' | 'number' | 'boolean';

/** Our name -> the reader's name and the type of its value. */
const readerOptions: Readonly<Record<Table['format'], Readonly<Record<string, readonly [string, OptionType]>>>> = {
  parquet: { unionByName: ['union_by_name', 'boolean'], binaryAsString: ['binary_as_string', 'boolean'] },
  csv: {
    unionByName: ['union_by_name', 'boolean'],
    delimiter: ['delim', 'string'],
    header: ['header', 'boolean'],
    quote: ['quote', 'string'],
    escape: ['escape', 'string'],
    nullText: ['nullstr', 'string'],
    dateFormat: ['dateformat', 'string'],
    timestampFormat: ['timestampformat', 'string'],
    decimalSeparator: ['decimal_separator', 'string'],
    skip: ['skip', 'number'],
    compression: ['compression', 'string'],
  },
  json: {
    unionByName: ['union_by_name', 'boolean'],
    layout: ['format', 'string'],
    dateFormat: ['dateformat', 'string'],
    timestampFormat: ['timestampformat', 'string'],
    compression: ['compression', 'string'],
  },
};

const layouts: Readonly<Record<string, string>> = { lines: 'newline_delimited', array: 'array' };

/** Checks a table's paths and options; undefined for what was not made by parquet, csv or json. */
export function bindTable(what: string, table: unknown, report: Report, option = 'table'): TableDocument | undefined {
  if (!isRecord(table) || table.kind !== 'table') {
    report(`${what}: ${option} is made by parquet(…), csv(…) or json(…)`);
    return undefined;
  }
  const { format, paths, options } = table as unknown as Table;
  checkPaths(what, paths, report);
  const { hivePartitioning = false, columnTypes, ...others } = options;
  if (typeof hivePartitioning !== 'boolean') report(`${what}: hivePartitioning is true or false`);
  const document = { format, paths: [...paths], hivePartitioning, options: bindReaderOptions(what, format, others, report) };
  return columnTypes === undefined ? document : { ...document, columnTypes: bindColumnTypes(what, format, columnTypes, report) };
}

function checkPaths(what: string, paths: readonly unknown[], report: Report): void {
  if (!Array.isArray(paths) || paths.length === 0) report(`${what}: a table needs at least one path`);
  for (const path of paths) {
    if (typeof path !== 'string' || path === '') report(`${what}: a path is a string such as "data/*.parquet"`);
    else if (path.includes('://'))
      report(`${what}: "${path}" is no file; a table is files, absolute or relative to the repository`);
  }
}

/** Text formats are read whole to find their types, so that no later row can surprise. */
function bindReaderOptions(what: string, format: Table['format'], options: object, report: Report): TableDocument['options'] {
  const known = readerOptions[format];
  const bound: Record<string, string | number | boolean> = format === 'parquet' ? {} : { sample_size: -1 };
  for (const [option, value] of Object.entries(options)) {
    const [name, type] = known[option] ?? [];
    if (name === undefined) {
      const names = [...Object.keys(known), 'hivePartitioning', ...(format === 'parquet' ? [] : ['columnTypes'])];
      report(`${what}: "${option}" is no option of ${format}${didYouMean(option, names)}`);
    } else if (typeof value !== type) {
      report(`${what}: ${option} is a ${type}`);
    } else if (option === 'layout' && layouts[value as string] === undefined) {
      report(`${what}: layout is "lines" or "array", not "${value}"`);
    } else {
      bound[name] = option === 'layout' ? (layouts[value as string] as string) : (value as string | number | boolean);
    }
  }
  return bound;
}

function bindColumnTypes(what: string, format: string, types: unknown, report: Report): Record<string, string> {
  if (format === 'parquet' || !isRecord(types)) {
    report(`${what}: columnTypes is an option of csv and json, types by column: { zip_code: "string" }`);
    return {};
  }
  const bound: Record<string, string> = {};
  for (const [column, type] of Object.entries(types)) {
    const name = reporting(report, `${what}: columnTypes of "${column}": `, () => columnTypeOf(parseValueType(type as string)));
    if (name !== undefined) bound[column] = name;
  }
  return bound;
}
