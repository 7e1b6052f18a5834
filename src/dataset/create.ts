/** Creates a version of a dataset: rows computed once, split, checked and described, and there whole or not at all. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Schema } from '../arrow/schema.ts';
import { formatInstantUs } from '../definitions/literal.ts';
import type { FeatureReport } from '../offline/answer/answer.ts';
import { trainingSetIdentity } from '../offline/answer/identity.ts';
import { openEngine, type Session } from '../offline/duckdb/engine.ts';
import { quoteName } from '../offline/duckdb/sql.ts';
import type { History } from '../offline/history.ts';
import { planRetrieval, type RetrievalPlan } from '../offline/plan.ts';
import type { RegistryDocument } from '../registry/document.ts';
import { type ComputedRows, computeRows, datasetFields, type FrameRows } from './compute-rows.ts';
import type { Datasets } from './datasets.ts';
import { type DescribedColumn, describeColumns, describeOutputs, describeSources, describeTransforms } from './describe-plan.ts';
import { asDiskFull } from './disk-full.ts';
import { type CompiledGate, checkGates, compileExpectations, refuseBroken } from './expectations.ts';
import { createDraft } from './folder.ts';
import { datasetIdentity } from './identity.ts';
import { blockRows, type DatasetColumn, type DatasetManifest, encodeSchema, type Gate } from './manifest.ts';
import { numberedRelationOf, relationOf } from './relation.ts';
import { type DatasetRequest, type Expectation, partsOf, retrievalOf } from './request.ts';
import { compileSplit } from './split.ts';
import { describeColumn, kindOf, typeText } from './statistics.ts';
import { describeText } from './vocabulary.ts';
import { checkFields, writtenFields } from './write-rows.ts';

export interface CreateParts {
  readonly history: Pick<History, 'engine' | 'prepare'>;
  readonly registry: RegistryDocument;
  readonly datasets: Pick<Datasets, 'directory' | 'newest'>;
  /** Product and engine, for the identity. */
  readonly versions: string;
  readonly nowUs: bigint;
  /** Whose token it is. */
  readonly createdBy: string | null;
  /** The views that the request reads, those that on-demand views read among them. */
  readonly views: readonly string[];
}

/** The entity rows. */
export interface DatasetFrame {
  readonly schema: Schema;
  readonly rows: number | undefined;
  /** undefined while it is still coming in. */
  readonly hash: string | undefined;
  batches(maxRows: number, signal: AbortSignal): AsyncIterable<FrameRows>;
  /** The hash of all that was read. */
  finalHash(): Promise<string>;
}

export interface CreateProgress {
  readonly step: 'rows' | 'checks' | 'statistics';
  /** Rows, gates or columns. */
  readonly done: number;
  readonly of: number | null;
}

export interface CreatedDataset {
  readonly manifest: DatasetManifest;
  /** False where the newest version is the same already, and nothing was written. */
  readonly created: boolean;
}

/** INVALID_ARGUMENT for what the request names wrongly, FAILED_PRECONDITION for rows that are not as expected. */
export async function createDataset(
  parts: CreateParts,
  request: DatasetRequest,
  frame: DatasetFrame,
  signal: AbortSignal,
  onProgress: (progress: CreateProgress) => void,
): Promise<CreatedDataset> {
  const { history, registry, datasets, versions } = parts;
  const plan = planRetrieval(registry, retrievalOf(request), frame.schema, parts.nowUs);
  const splits = partsOf(request.split);
  const own = datasetFields(frame.schema, plan);
  checkFields(own, splits);
  const columns = describeColumns(plan, writtenFields(own, splits), request.labels);
  const expectations = { ...definedExpectations(plan), ...request.expectations };
  const gates = await history.engine.session(signal, (session) => compileExpectations(session, expectations, own));
  const timestamp = plan.time.kind === 'column' ? plan.time.name : null;
  const assign = compileSplit(request.split, frame.schema, { timestamp, timezone: plan.timezone });
  const prepared = await history.prepare(plan, signal);
  try {
    const { projections } = prepared;
    const identify = (hash: string) => {
      const identity = trainingSetIdentity({ plan, projections, frame: hash, versions });
      return { identity, id: datasetIdentity({ identity, split: request.split ?? null, labels: request.labels, expectations }) };
    };
    const known = await findSame(parts, request, frame.hash === undefined ? undefined : identify(frame.hash).id);
    if (known !== undefined) return { manifest: known, created: false };
    const draft = await createDraft(datasets.directory);
    try {
      const onRows = (done: number) => onProgress({ step: 'rows', done, of: frame.rows ?? null });
      const computed = await computeRows({ draft: draft.path, prepared, frame, parts: splits, assign, signal, onRows });
      const hash = await frame.finalHash();
      const { identity, id } = identify(hash);
      const late = frame.hash === undefined ? await findSame(parts, request, id) : undefined;
      if (late !== undefined) return { manifest: late, created: false };
      const described = await describeRows(draft.path, computed, columns, gates, signal, onProgress);
      const manifest: Omit<DatasetManifest, 'version'> = {
        format: 1,
        name: request.name,
        id,
        description: request.description ?? null,
        created_at: formatInstantUs(parts.nowUs),
        created_by: parts.createdBy,
        recipe: {
          ...recipeOf(request, plan),
          frame: {
            ...computed.frame,
            ...{ hash, rows: computed.rows, origin: request.path == null ? 'upload' : 'path', origin_path: request.path ?? null },
          },
          expectations,
          views: [...parts.views],
          definitions: {
            registry_version: registry.version,
            features: describeOutputs(plan),
            transforms: describeTransforms(plan),
          },
          versions,
          sources: [...describeSources(plan, projections)],
          identity,
        },
        reproducible: true,
        why_not: null,
        rows: computed.rows,
        block_rows: blockRows,
        splits: [...computed.splits],
        schema: encodeSchema(writtenFields(own, splits)),
        ...described,
      };
      await rm(join(draft.path, 'spill'), { recursive: true, force: true });
      signal.throwIfAborted();
      return { manifest: await draft.publish(manifest), created: true };
    } catch (error) {
      throw asDiskFull(error, datasets.directory);
    } finally {
      await draft.discard();
    }
  } finally {
    prepared.release();
  }
}

/** The newest version, where it is just what is asked for. */
async function findSame(
  { datasets }: CreateParts,
  { name, force_new: forceNew }: DatasetRequest,
  id: string | undefined,
): Promise<DatasetManifest | undefined> {
  if (forceNew || id === undefined) return undefined;
  const newest = await datasets.newest(name);
  return newest?.id === id ? newest : undefined;
}

function recipeOf(request: DatasetRequest, plan: RetrievalPlan) {
  return {
    features: request.features ?? null,
    service: request.service ?? null,
    full_feature_names: request.full_feature_names,
    statuses: request.statuses,
    as_known: request.as_known ?? null,
    timestamp: request.timestamp,
    timezone: request.timezone ?? null,
    at: plan.time.kind === 'at' ? formatInstantUs(plan.time.us) : null,
    keys: request.keys,
    join_keys: plan.lookups.map(({ keys }) => Object.fromEntries(keys.map(({ joinKey, column }) => [joinKey, column]))),
    split: request.split ?? null,
    labels: request.labels,
  };
}

/** What definitions expect of features, by the columns under which they come out. */
function definedExpectations(plan: RetrievalPlan): Readonly<Record<string, Expectation>> {
  const found = plan.outputs.flatMap((output) => {
    const feature =
      output.kind === 'feature'
        ? plan.features[output.feature]?.feature
        : plan.transforms[output.transform]?.view.features[output.output];
    const { expect } = feature ?? {};
    if (expect === undefined) return [];
    const { maxNullRate, onFailure = 'fail', values, ...limits } = expect;
    const rest = { ...(values === undefined ? {} : { values: [...values] }), on_failure: onFailure };
    return [[output.name, { ...limits, ...(maxNullRate === undefined ? {} : { max_null_rate: maxNullRate }), ...rest }] as const];
  });
  return Object.fromEntries(found);
}

/** Gates first: rows that are refused need no description. */
async function describeRows(
  draft: string,
  { splits, report }: ComputedRows,
  columns: readonly DescribedColumn[],
  compiled: readonly CompiledGate[],
  signal: AbortSignal,
  onProgress: (progress: CreateProgress) => void,
): Promise<{ columns: DatasetColumn[]; gates: Gate[] }> {
  const engine = await openEngine({
    threads: 1,
    memory: '1GB',
    spillDirectory: join(draft, 'spill', 'statistics'),
    spillLimit: '100GB',
  });
  try {
    return await engine.session(signal, async (session) => {
      onProgress({ step: 'checks', done: 0, of: compiled.length });
      const gates = [...(await checkGates(session, numberedRelationOf(draft, splits), compiled))];
      refuseBroken(gates);
      const relation = relationOf(draft, splits);
      const described: DatasetColumn[] = [];
      for (const [at, column] of columns.entries()) {
        onProgress({ step: 'statistics', done: at, of: columns.length });
        const one = await describe(session, relation, draft, column, report);
        const bySplit = one.statistics.nulls === 0 ? {} : await countNulls(session, draft, splits, column);
        described.push({ ...one, statistics: { ...one.statistics, ...bySplit } });
      }
      return { columns: described, gates };
    });
  } finally {
    engine.close();
  }
}

async function describe(
  session: Session,
  relation: string | undefined,
  draft: string,
  { field, role, feature }: DescribedColumn,
  report: readonly FeatureReport[],
): Promise<DatasetColumn> {
  const facts = { name: field.name, type: typeText(field), role, feature };
  const counts = role === 'feature' ? countsOf(report, field.name) : {};
  if (relation === undefined) return { ...facts, statistics: { nulls: 0, ...counts }, vocabulary: null };
  if (kindOf(field) !== 'text')
    return { ...facts, statistics: { ...(await describeColumn(session, relation, field)), ...counts }, vocabulary: null };
  const { statistics, vocabulary } = await describeText(session, relation, field.name, draft);
  return { ...facts, statistics: { ...statistics, ...counts }, vocabulary };
}

/** Where the nulls are: what reads a split without any need not mind them. */
async function countNulls(
  session: Session,
  draft: string,
  splits: ComputedRows['splits'],
  { field }: DescribedColumn,
): Promise<Pick<DatasetColumn['statistics'], 'nulls_by_split'>> {
  if (splits.length === 1) return {};
  const counts: [string, number][] = [];
  for (const split of splits) {
    const relation = relationOf(draft, [split]);
    if (relation === undefined) continue;
    const [row] = await session.rows(`select count(*) as n from ${relation} where ${quoteName(field.name)} is null`);
    if (Number(row?.n) > 0) counts.push([split.name, Number(row?.n)]);
  }
  return { nulls_by_split: Object.fromEntries(counts) };
}

function countsOf(report: readonly FeatureReport[], name: string) {
  const found = report.find((feature) => feature.name === name);
  if (found === undefined) return {};
  const { present, null_value, not_found, outside_max_age, defaults } = found;
  return { present, null_value, not_found, outside_max_age, defaults };
}
