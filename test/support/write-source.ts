/** Writes a scenario's rows as files, through DuckDB, as a pipeline upstream would. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import type { TableDocument } from '../../src/registry/document.ts';
import type { NaiveType } from './naive-join.ts';
import type { ScenarioColumn, ScenarioSource } from './scenario.ts';

/** Writes the files of a source under `root` and describes them; paths are relative to `root`. */
export async function writeSource(root: string, source: ScenarioSource): Promise<TableDocument> {
  const folder = join(root, source.name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  const connection = await instance.connect();
  try {
    await connection.run("set timezone = 'UTC'");
    for (let file = 0; file < source.files; file++) {
      const rows = source.rows.filter((_, index) => index % source.files === file);
      await connection.run(
        `create or replace table t (${source.columns.map((one) => `${quote(one.name)} ${one.duckType}`).join(', ')})`,
      );
      if (rows.length > 0) {
        const tuples = rows.map(
          (row) => `(${source.columns.map((column) => literalOf(row[column.name] ?? null, column)).join(', ')})`,
        );
        await connection.run(`insert into t values ${tuples.join(', ')}`);
      }
      await connection.run(`copy t to '${join(folder, `part-${file}`)}${copyOptions(source)}`);
    }
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
  const partitioned = source.hive === undefined ? '' : '/*';
  return {
    format: source.format,
    paths: [`${source.name}/part-*${partitioned}${source.hive === undefined ? `.${source.format}` : `/*.${source.format}`}`],
    hivePartitioning: source.hive !== undefined,
    options: readerOptions[source.format],
  };
}

const readerOptions = { parquet: {}, csv: { sample_size: -1, header: true }, json: { sample_size: -1 } };

/** Without dictionaries in Parquet, in which DuckDB would write one zero for both. */
function copyOptions({ format, hive }: ScenarioSource): string {
  const options = { parquet: 'dictionary_size_limit 0', csv: 'header true', json: 'array false' }[format];
  if (hive === undefined) return `.${format}' (format ${format}, ${options})`;
  return `' (format ${format}, ${options}, partition_by (${quote(hive)}))`;
}

function literalOf(value: unknown, { duckType, type }: ScenarioColumn): string {
  return `cast(${expressionOf(value, type)} as ${duckType})`;
}

/** An expression without loss; what it leaves open, the cast to the column's type decides. */
function expressionOf(value: unknown, type: NaiveType): string {
  if (value === null) return 'null';
  switch (type.kind) {
    case 'time':
      if (type.unit === 'ns') return `make_timestamp_ns(${value})`;
      return `${type.zoned ? 'make_timestamptz' : 'make_timestamp'}(${toMicroseconds(value as bigint, type.unit)})`;
    case 'timestamp':
      return `make_timestamptz(${value})`;
    case 'date':
      return `(date '1970-01-01' + ${value})`;
    case 'bytes':
      return blobOf(value as Uint8Array);
    case 'string':
      return `decode(${blobOf(Buffer.from(value as string))})`;
    case 'float32':
    case 'float64':
      return Object.is(value, -0) ? `'-0.0'` : `'${value}'`;
    case 'list':
      return `[${(value as unknown[]).map((item) => expressionOf(item, type.element)).join(', ')}]`;
    case 'vector':
      return `[${(value as unknown[]).map((item) => expressionOf(item, { kind: type.element })).join(', ')}]`;
    default:
      return `'${value}'`;
  }
}

function toMicroseconds(value: bigint, unit: 's' | 'ms' | 'us'): bigint {
  return value * { s: 1_000_000n, ms: 1000n, us: 1n }[unit];
}

function blobOf(bytes: Uint8Array): string {
  return `'${[...bytes].map((byte) => `\\x${byte.toString(16).padStart(2, '0').toUpperCase()}`).join('')}'::blob`;
}

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
