/** A small shop for tests of datasets: users whose age and city can be told from their number and the day, and frames over them. */
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { columnFromValues } from '../../src/arrow/build.ts';
import { type Field, field, type Schema } from '../../src/arrow/schema.ts';
import { sliceColumn } from '../../src/arrow/slice.ts';
import { type CreatedDataset, type CreateParts, createDataset, type DatasetFrame } from '../../src/dataset/create.ts';
import { type Datasets, openDatasets } from '../../src/dataset/datasets.ts';
import { parseDatasetRequest } from '../../src/dataset/request.ts';
import type { History } from '../../src/offline/history.ts';
import type { RegistryDocument } from '../../src/registry/document.ts';
import { applyScenario, openTestHistory } from './answer-with-engine.ts';
import type { Scenario, ScenarioSource } from './scenario.ts';

export const dayUs = 86_400_000_000n;
/** 2026-03-01T00:00:00Z. */
export const firstUs = 1_772_323_200_000_000n;

export interface DatasetShop {
  readonly root: string;
  readonly history: History;
  readonly registry: RegistryDocument;
  readonly datasets: Datasets;
  readonly parts: CreateParts;
  create(request: Readonly<Record<string, unknown>>, frame: DatasetFrame, signal?: AbortSignal): Promise<CreatedDataset>;
  /** Writes the users' table anew, every age raised by `shift`. */
  rewrite(shift: number): Promise<void>;
}

const open: { history: History; root: string }[] = [];

afterAll(async () => {
  for (const { history, root } of open) {
    await history.close();
    rmSync(root, { recursive: true, force: true });
  }
});

/** `users` users on five days of March 2026, `storage` elsewhere if it is to be on a disk of its own. */
export async function openDatasetShop(users = 50, storage?: string): Promise<DatasetShop> {
  const root = mkdtempSync(join(tmpdir(), 'featherflight-datasets-'));
  mkdirSync(join(root, 'storage'), { recursive: true });
  const history = await openTestHistory(root);
  open.push({ history, root });
  const registry = await applyScenario(history, root, scenarioOf(users, 0));
  const datasets = await openDatasets(storage ?? join(root, 'storage'));
  const parts: CreateParts = {
    ...{ history, registry, datasets, versions: 'featherflight test', nowUs: firstUs + 30n * dayUs, createdBy: null },
    views: ['user'],
  };
  return {
    ...{ root, history, registry, datasets, parts },
    create: (request, frame, signal = new AbortController().signal) =>
      createDataset(
        parts,
        parseDatasetRequest({ features: ['user:age', 'user:score', 'user:city'], upload: 'x', ...request }),
        frame,
        signal,
        () => {},
      ),
    async rewrite(shift) {
      await applyScenario(history, root, scenarioOf(users, shift));
    },
  };
}

function scenarioOf(users: number, shift: number): Scenario {
  const rows = Array.from({ length: users * 5 }, (_, index) => {
    const [user, day] = [index % users, Math.floor(index / users)];
    return {
      uid: BigInt(user),
      ts: firstUs + BigInt(day) * dayUs,
      age: 10 * user + day + shift,
      score: user % 7 === 0 ? null : user + day / 10,
      city: `city ${user % 5}`,
    };
  });
  const source: ScenarioSource = {
    name: 'users',
    columns: [
      { name: 'uid', duckType: 'bigint', type: { kind: 'int64' } },
      { name: 'ts', duckType: 'timestamptz', type: { kind: 'timestamp' } },
      { name: 'age', duckType: 'integer', type: { kind: 'int32' } },
      { name: 'score', duckType: 'double', type: { kind: 'float64' } },
      { name: 'city', duckType: 'varchar', type: { kind: 'string' } },
    ],
    event: 'ts',
    rows,
    format: 'parquet',
    files: 1,
  };
  const view = {
    name: 'user',
    source,
    keys: [{ name: 'user_id', type: 'int64' as const, column: 'uid' }],
    features: [
      { name: 'age', type: { kind: 'int32' as const }, column: 'age' },
      { name: 'score', type: { kind: 'float64' as const }, column: 'score', default: { literal: 0.5 } },
      { name: 'city', type: { kind: 'string' as const }, column: 'city' },
    ],
  };
  return { views: [view], frame: { rows: 0, columns: [], batchRows: 1 }, features: [] } as unknown as Scenario;
}

export const int64: Field['type'] = { id: 'int', bits: 64, signed: true };
export const instant: Field['type'] = { id: 'timestamp', unit: 'us', timezone: 'UTC' };

/** `rows` rows: user `row % users`, an hour apart from the first day on, and a label. */
export function userFrame(rows: number, users = 50, batchRows = 1000): DatasetFrame {
  const numbers = Array.from({ length: rows }, (_, row) => row);
  return frameOf(
    [
      [field('user_id', int64), numbers.map((row) => BigInt(row % users))],
      [field('event_timestamp', instant), numbers.map((row) => firstUs + BigInt(row) * 3_600_000_000n)],
      [field('clicked', { id: 'int', bits: 8, signed: true }), numbers.map((row) => row % 2)],
    ],
    batchRows,
  );
}

/** A frame of these columns. */
export function frameOf(columns: readonly (readonly [Field, readonly unknown[]])[], batchRows = 1000): DatasetFrame {
  const schema: Schema = { fields: columns.map(([each]) => each), metadata: new Map() };
  const built = columns.map(([each, values]) => columnFromValues(each, values));
  const length = columns[0]?.[1].length ?? 0;
  const shown = JSON.stringify(columns, (_, value) => (typeof value === 'bigint' ? `${value}n` : value));
  const hash = createHash('sha256').update(shown).digest('hex');
  return {
    schema,
    rows: length,
    hash,
    async *batches() {
      for (let start = 0; start === 0 || start < length; start += batchRows) {
        const end = Math.min(length, start + batchRows);
        const part = built.map((column) => sliceColumn(column, start, end));
        yield { columns: part, length: end - start, plain: (index: number) => part[index] as (typeof part)[number] };
      }
    },
    finalHash: async () => hash,
  };
}
