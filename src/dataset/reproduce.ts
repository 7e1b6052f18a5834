/** Computes a dataset once more, from its frame and by the definitions of its recipe, and says whether it comes out bit for bit. */
import { join } from 'node:path';
import type { Column } from '../arrow/column.ts';
import { trainingSetIdentity } from '../offline/answer/identity.ts';
import { type Engine, openEngine } from '../offline/duckdb/engine.ts';
import { quoteName } from '../offline/duckdb/sql.ts';
import { openFrameFile } from '../offline/frame/open-frame-file.ts';
import type { History } from '../offline/history.ts';
import { planRetrieval } from '../offline/plan.ts';
import { parseHistoricalRequest } from '../offline/request.ts';
import type { RegistryDocument } from '../registry/document.ts';
import { computeRows, framePath } from './compute-rows.ts';
import type { Dataset } from './datasets.ts';
import { describeSources } from './describe-plan.ts';
import { diffSources, type SourceChange } from './diff.ts';
import { asDiskFull } from './disk-full.ts';
import { createDraft } from './folder.ts';
import { type DatasetManifest, type DatasetSplit, rowColumn, schemaOf } from './manifest.ts';
import { formatReference } from './name.ts';
import { numberedRelationOf } from './relation.ts';
import { partsOf } from './request.ts';
import { compileSplit } from './split.ts';
import { verifyDataset } from './verify.ts';

export interface ReproduceParts {
  readonly history: Pick<History, 'engine' | 'prepare'>;
  /** What was applied as that version; undefined where it is not kept. */
  readDocument(version: number): RegistryDocument | undefined;
  readonly versions: string;
  /** Where drafts are written. */
  readonly directory: string;
}

export interface Reproduction {
  readonly dataset: string;
  /** The rows came out bit for bit. */
  readonly same: boolean;
  /** The identity could be had again: everything that the rows were made of is as it was. */
  readonly same_identity: boolean;
  /** What is not as it was, in words. */
  readonly reasons: readonly string[];
  readonly sources: readonly SourceChange[];
  readonly rows: number;
  /** Columns whose values differ, with the number of rows; empty where none does, or no row could be computed. */
  readonly columns: readonly { readonly column: string; readonly rows: number }[];
}

export async function reproduceDataset(
  parts: ReproduceParts,
  { manifest, directory }: Dataset,
  signal: AbortSignal,
  onRows: (rows: number) => void,
): Promise<Reproduction> {
  const { recipe } = manifest;
  const dataset = formatReference(manifest);
  await verifyDataset({ manifest, directory });
  const registry = parts.readDocument(recipe.definitions.registry_version);
  if (registry === undefined) {
    const reasons = [`version ${recipe.definitions.registry_version} of the definitions is not kept here`];
    return { dataset, same: false, same_identity: false, reasons, sources: [], rows: 0, columns: [] };
  }
  const frame = await openFrameFile(parts.history.engine, { file: join(directory, framePath), name: framePath, root: directory });
  const plan = planRetrieval(registry, requestOf(manifest), frame.schema, 0n);
  const prepared = await parts.history.prepare(plan, signal);
  try {
    const { projections } = prepared;
    const identity = trainingSetIdentity({ plan, projections, frame: recipe.frame.hash, versions: parts.versions });
    const sources = diffSources(recipe.sources, describeSources(plan, projections));
    const draft = await createDraft(parts.directory);
    try {
      const timestamp = plan.time.kind === 'column' ? plan.time.name : null;
      const computed = await computeRows({
        ...{ draft: draft.path, prepared, parts: partsOf(recipe.split), signal, onRows },
        assign: compileSplit(recipe.split, frame.schema, { timestamp, timezone: plan.timezone }),
        frame: {
          schema: frame.schema,
          async *batches(maxRows, until) {
            for await (const { columns, length } of frame.batches(maxRows, until))
              yield { columns, length, plain: (index: number) => columns[index] as Column };
          },
        },
      });
      const same = sameFiles(manifest.splits, computed.splits);
      const columns = same ? [] : await compareColumns(manifest, directory, draft.path, computed.splits, signal);
      const reasons = explain(manifest, parts.versions, sources, identity === recipe.identity, same);
      return { dataset, same, same_identity: identity === recipe.identity, reasons, sources, rows: computed.rows, columns };
    } catch (error) {
      throw asDiskFull(error, parts.directory);
    } finally {
      await draft.discard();
    }
  } finally {
    prepared.release();
  }
}

/** The request that the recipe was made of, all but its frame. */
function requestOf({ recipe }: DatasetManifest) {
  const { features, service, full_feature_names, statuses, as_known, timestamp, timezone, at, keys } = recipe;
  return parseHistoricalRequest({
    type: 'get_historical_features',
    ...{ features, service, full_feature_names, statuses, as_known, timestamp, timezone, at, keys },
  });
}

function sameFiles(before: readonly DatasetSplit[], after: readonly DatasetSplit[]): boolean {
  const hashes = (splits: readonly DatasetSplit[]) => splits.map(({ name, files }) => [name, files.map(({ sha256 }) => sha256)]);
  return JSON.stringify(hashes(before)) === JSON.stringify(hashes(after));
}

function explain(
  { recipe }: DatasetManifest,
  versions: string,
  sources: readonly SourceChange[],
  isSameIdentity: boolean,
  isSame: boolean,
): string[] {
  const reasons = sources.map(describeSourceChange);
  if (versions !== recipe.versions) reasons.push(`it was made by ${recipe.versions}, and this is ${versions}`);
  if (!isSameIdentity && reasons.length === 0) reasons.push('the definitions under their version are not those of the recipe');
  if (!isSame && reasons.length === 0)
    reasons.push('all that it was made of is as it was, and its files are not: they were changed, or this is a defect');
  return reasons;
}

/** A change of a source in words. */
export function describeSourceChange({ source, added, removed, changed, erased }: SourceChange): string {
  const list = (what: string, files: readonly string[]) =>
    files.length === 0
      ? []
      : [`${what} ${files.slice(0, 3).join(', ')}${files.length > 3 ? ` and ${files.length - 3} more` : ''}`];
  const parts = [
    ...list('changed', changed),
    ...list('removed', removed),
    ...list('added', added),
    ...(erased ? ['rows of it were erased'] : []),
  ];
  return `source "${source}" is not as it was: ${parts.join('; ') || 'its files are the same in another order'}`;
}

/** The columns whose values differ in some row, by the rows' places in the frame. */
async function compareColumns(
  { splits, ...manifest }: DatasetManifest,
  before: string,
  after: string,
  computed: readonly DatasetSplit[],
  signal: AbortSignal,
): Promise<Reproduction['columns']> {
  const [old, now] = [numberedRelationOf(before, splits), numberedRelationOf(after, computed)];
  if (old === undefined || now === undefined) return [];
  const names = schemaOf(manifest)
    .fields.map((field) => field.name)
    .filter((name) => name !== rowColumn);
  const engine: Engine = await openEngine({
    threads: 2,
    memory: '1GB',
    spillDirectory: join(after, 'spill', 'compare'),
    spillLimit: '100GB',
  });
  try {
    const row = quoteName(rowColumn);
    const counts = names.map(
      (name, at) => `count(*) filter (where a.${quoteName(name)} is distinct from b.${quoteName(name)}) as c${at}`,
    );
    const [found = {}] = await engine.session(signal, (session) =>
      session.rows(`select ${counts.join(', ')} from ${old} a full join ${now} b on a.${row} = b.${row}`),
    );
    return names.map((column, at) => ({ column, rows: Number(found[`c${at}`]) })).filter(({ rows }) => rows > 0);
  } finally {
    engine.close();
  }
}
