/** Which datasets hold rows of an entity: what was saved before it was erased is told, and goes by deleting the dataset. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { asFeatureStoreError } from '../errors.ts';
import { openEngine, type Session } from '../offline/duckdb/engine.ts';
import { quoteName, quoteText } from '../offline/duckdb/sql.ts';
import type { Dataset, Datasets } from './datasets.ts';
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
  /** null where it cannot be told, and `problem` says why. */
  readonly rows: number | null;
  readonly problem?: string;
}

/** What is to be looked for in a dataset, or what is known of it already. */
interface Asked {
  readonly dataset: string;
  readonly condition?: string;
  readonly holding?: DatasetHolding;
}

/** Looks into the key columns of all datasets; one that is damaged hides no other, and is told as one that may hold rows. */
export async function findEntity(
  datasets: Pick<Datasets, 'directory' | 'survey' | 'open'>,
  keys: readonly EntityKey[],
  signal?: AbortSignal,
): Promise<readonly DatasetHolding[]> {
  const asked = (await datasets.survey()).flatMap(({ manifest, problem, ...reference }): Asked[] => {
    const dataset = formatReference(reference);
    if (manifest === undefined) return [{ dataset, holding: { dataset, rows: null, problem: problem ?? 'it cannot be read' } }];
    const condition = conditionOf(manifest, keys);
    return condition === undefined ? [] : [{ dataset, condition }];
  });
  if (!asked.some(({ condition }) => condition !== undefined)) return asked.flatMap(({ holding }) => holding ?? []);
  const spillDirectory = join(datasets.directory, `.draft-${randomUUID()}`);
  const engine = await openEngine({ threads: 2, memory: '512MB', spillDirectory, spillLimit: '10GB' });
  try {
    return await engine.session(signal, async (session) => {
      const found: DatasetHolding[] = [];
      for (const { dataset, condition, holding } of asked) {
        const one = condition === undefined ? holding : await look(session, datasets, dataset, condition);
        signal?.throwIfAborted();
        if (one !== undefined && one.rows !== 0) found.push(one);
      }
      return found;
    });
  } finally {
    engine.close();
  }
}

async function look(
  session: Session,
  datasets: Pick<Datasets, 'open'>,
  dataset: string,
  condition: string,
): Promise<DatasetHolding> {
  try {
    const opened = await datasets.open(dataset);
    try {
      return { dataset, rows: await count(session, opened, condition) };
    } finally {
      opened.release();
    }
  } catch (error) {
    const { code, message } = asFeatureStoreError(error);
    // It was deleted meanwhile.
    return code === 'NOT_FOUND' ? { dataset, rows: 0 } : { dataset, rows: null, problem: message };
  }
}

async function count(session: Session, { directory, manifest }: Dataset, condition: string): Promise<number> {
  const relation = relationOf(directory, manifest.splits);
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
