/** The shop with a view of every type, a request of every kind, and the log of what is served of it, in one process. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readValue } from '../../src/arrow/read-value.ts';
import { formatDay } from '../../src/definitions/day.ts';
import type { LiteralValue } from '../../src/definitions/literal.ts';
import { parseValueType, type ValueType } from '../../src/definitions/value-type.ts';
import { silentLogger } from '../../src/observe.ts';
import { type Engine, openEngine } from '../../src/offline/duckdb/engine.ts';
import type { DecodedKey } from '../../src/online/encoding/decode-key.ts';
import type { RegistryDocument, ViewDocument } from '../../src/registry/document.ts';
import { createFeatureLog, type FeatureLog, type FeatureLogOptions } from '../../src/validate/log/feature-log.ts';
import { type LogStore, type LogStoreOptions, openLogStore } from '../../src/validate/log/log-store.ts';
import { type LogSelection, readLog } from '../../src/validate/log/read-log.ts';
import type { LogShape } from '../../src/validate/log/shape.ts';
import { shop } from './online-shop.ts';

export const kindTypes = [
  'bool',
  'int32',
  'int64',
  'float32',
  'float64',
  'string',
  'bytes',
  'timestamp',
  'date',
  'decimal(10,2)',
  'decimal(38,4)',
  'list(int64)',
  'list(string)',
  'list(date)',
  'list(float64)',
  'vector(float32,2)',
  'vector(float64,3)',
] as const;

const [profile] = shop.views as readonly [ViewDocument];

export const kindsView: ViewDocument = {
  ...profile,
  name: 'kinds',
  features: kindTypes.map((type, at) => ({ name: `f${at}`, type, column: `f${at}`, hash: `f${at}:${type}` })),
};

export const logShop: RegistryDocument = { ...shop, views: [...shop.views, kindsView] };

export interface ShopLog {
  readonly directory: string;
  readonly engine: Engine;
  readonly log: FeatureLog;
  readonly store: LogStore;
  /** What readers and writers take for erased. */
  erasures: readonly DecodedKey[];
  /** Sends and writes all that was served. */
  flush(): Promise<void>;
  rows(selection?: LogSelection): Promise<readonly LoggedRow[]>;
  close(): Promise<void>;
}

export interface LoggedRow {
  readonly shape: LogShape;
  /** By column, as plain values of its type. */
  readonly values: Readonly<Record<string, LiteralValue>>;
}

export type ShopLogOptions = Partial<FeatureLogOptions> & Partial<Pick<LogStoreOptions, 'maxBytes' | 'flushMs' | 'mergeMs'>>;

export async function openShopLog(options: ShopLogOptions = {}, folder?: string): Promise<ShopLog> {
  const directory = folder ?? mkdtempSync(join(tmpdir(), 'featherflight-log-'));
  const spillDirectory = join(directory, '..', `spill-${process.pid}-${Math.random()}`);
  const engine = await openEngine({ threads: 1, memory: '512MB', spillDirectory, spillLimit: '1GB' });
  const made = { erasures: [] as readonly DecodedKey[] };
  const files = { directory, engine, readErasures: async () => made.erasures };
  const bounds = { maxBytes: 1e9, flushMs: 3_600_000, spillDirectory, ...options };
  const store = await openLogStore({ ...files, ...bounds, logger: silentLogger });
  const log = createFeatureLog({
    sample: 1,
    replica: 'here',
    progressUs: (view) => (view === 'global' ? null : 7n),
    send: (shape, batch) => store.append(structuredClone(shape), structuredClone(batch)),
    logger: silentLogger,
    ...options,
  });
  return {
    directory,
    engine,
    log,
    store,
    get erasures() {
      return made.erasures;
    },
    set erasures(erased) {
      made.erasures = erased;
    },
    async flush() {
      await log.flush();
      await store.flush();
    },
    async rows(selection = {}) {
      const rows: LoggedRow[] = [];
      for await (const { shape, batch } of readLog(files, selection)) {
        const types = new Map([...shape.columns, ...shape.outputs].map(({ name, type }) => [name, parseValueType(type)]));
        for (let row = 0; row < batch.length; row++) {
          const values = batch.columns.map((column) => {
            const value = readValue(column, row) as LiteralValue;
            const type = types.get(column.field.name);
            return [column.field.name, type === undefined ? value : plain(type, value)] as const;
          });
          rows.push({ shape, values: Object.fromEntries(values) });
        }
      }
      return rows;
    },
    async close() {
      await log.stop();
      await store.close();
      engine.close();
      if (folder === undefined) rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Days as text again. */
function plain(type: ValueType, value: LiteralValue): LiteralValue {
  if (value === null) return null;
  if (type.kind === 'date') return formatDay(value as number);
  if (type.kind !== 'list') return value;
  return (value as readonly LiteralValue[]).map((element) => plain(type.element, element));
}
