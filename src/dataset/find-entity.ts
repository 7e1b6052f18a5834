/** Which datasets hold rows of an entity: what was saved before it was erased is told, and goes by deleting the dataset. */

import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { openEngine, type Session } from '../offline/duckdb/engine.ts';
import { quoteName, quoteText } from '../offline/duckdb/sql.ts';
import type { Datasets } from './datasets.ts';
import type { DatasetManifest } from './manifest.ts';
import { formatReference } from './name.ts';
import { relationOf } from './relation.ts';

export interface EntityKey {
  readonly joinKey: string;
  /** As a key column holds it. */
  readonly value: string | number | bigint | boolean | Uint8Array;
}

export interface DatasetHolding {
  /** `NAME@VERSION`. */
  readonly dataset: string;
  readonly rows: number;
}

/** Looks into the key columns of all datasets. */
export async function findEntity(
  datasets: Pick<Datasets, 'directory' | 'list'>,
  keys: readonly EntityKey[],
  signal?: AbortSignal,
): Promise<readonly DatasetHolding[]> {
  const asked = (await datasets.list()).flatMap((manifest) => {
    const condition = conditionOf(manifest, keys);
    return condition === undefined ? [] : [{ manifest, condition }];
  });
  if (asked.length === 0) return [];
  const spillDirectory = join(datasets.directory, `.draft-${randomUUID()}`);
  const engine = await openEngine({ threads: 2, memory: '512MB', spillDirectory, spillLimit: '10GB' });
  try {
    return await engine.session(signal, async (session) => {
      const found: DatasetHolding[] = [];
      for (const { manifest, condition } of asked) {
        const rows = await count(session, datasets.directory, manifest, condition);
        if (rows > 0) found.push({ dataset: formatReference(manifest), rows });
      }
      return found;
    });
  } finally {
    engine.close();
  }
}

async function count(session: Session, directory: string, manifest: DatasetManifest, condition: string): Promise<number> {
  const relation = relationOf(join(directory, manifest.name, String(manifest.version)), manifest.splits);
  if (relation === undefined) return 0;
  const [row] = await session.rows(`select count(*) as n from ${relation} where ${condition}`);
  return Number(row?.n);
}

/** True of rows that have the keys in the columns of some view; undefined where no view has all of them. */
function conditionOf({ recipe }: DatasetManifest, keys: readonly EntityKey[]): string | undefined {
  const conditions = recipe.join_keys.flatMap((joined) => {
    const equal = keys.flatMap(({ joinKey, value }) => {
      const column = joined[joinKey];
      return column === undefined ? [] : [compileEquality(quoteName(column), value)];
    });
    return equal.length === keys.length && equal.length > 0 ? [`(${equal.join(' and ')})`] : [];
  });
  return conditions.length === 0 ? undefined : [...new Set(conditions)].join(' or ');
}

function compileEquality(column: string, value: EntityKey['value']): string {
  if (value instanceof Uint8Array) return `${column} = from_hex(${quoteText(Buffer.from(value).toString('hex'))})`;
  return `cast(${column} as varchar) = ${quoteText(String(value))}`;
}
