/** Online retrieval: one read of the store for a whole request, then decoding, defaults and transforms, all at one T. */
import type { LiteralValue } from '../../definitions/literal.ts';
import type { ValueType } from '../../definitions/value-type.ts';
import type { RegistryDocument } from '../../registry/document.ts';
import type { OnlineStore } from '../store.ts';
import type { OnlineAnswer, OnlineColumn, OnlineFeatures } from './answer.ts';
import { computeColumns, eventsOf, type FilledColumn, fillFeature, repeatColumn } from './answer-columns.ts';
import { entitiesOf, readColumns, spread } from './columns.ts';
import type { OnlineFacts } from './facts.ts';
import type { OnlinePlan, PlannedFeature, PlannedOutput, PlannedTransform, RetrievalColumns } from './plan.ts';
import { createPlanCache } from './plan-cache.ts';
import { createOnlineReader, type ReadAnswer } from './reader.ts';

export interface OnlineFeaturesOptions {
  readonly store: OnlineStore;
  readonly project: string;
  /** What is applied; the same object until something else is. */
  readonly registry: () => RegistryDocument;
  readonly facts: Pick<OnlineFacts, 'fittedDefault' | 'isMaterialized' | 'isReady'> & Partial<Pick<OnlineFacts, 'isSpilled'>>;
  /** The clock, in microseconds since the epoch; default the system's, in whole milliseconds. */
  readonly nowUs?: () => bigint;
}

export function createOnlineFeatures(options: OnlineFeaturesOptions): OnlineFeatures {
  const { store, project, registry, facts, nowUs = systemNowUs } = options;
  const planOf = createPlanCache();
  const reader = createOnlineReader(store, project, facts.isReady, facts.isSpilled);
  return {
    async get(request, { signal } = {}) {
      const atUs = nowUs();
      const applied = registry();
      const plan = planOf(applied, request);
      const columns = readColumns(plan, request);
      const wanted = plan.lookups.map((lookup) => ({ lookup: lookup.lookup, entities: entitiesOf(lookup, columns) }));
      const read = await reader.read(wanted, atUs, signal);
      return { ...answer(plan, columns, read, atUs, facts), origin: { registry: applied, request, plan, given: columns } };
    },
  };
}

function systemNowUs(): bigint {
  return BigInt(Date.now()) * 1000n;
}

function answer(
  plan: OnlinePlan,
  given: RetrievalColumns,
  read: ReadAnswer,
  atUs: bigint,
  facts: OnlineFeaturesOptions['facts'],
): Omit<OnlineAnswer, 'origin'> {
  const { rows } = given;
  const features = fillFeatures(plan, read, rows, facts);
  const computed = rows === 0 ? plan.transforms.map(emptyColumns) : plan.transforms.map(compute);

  function compute(planned: PlannedTransform): readonly FilledColumn[] {
    const inputs = planned.inputs.map((at) => features[at] as FilledColumn);
    const request = planned.request.map((at) => spread(given.columns[at]?.request ?? [], rows));
    return computeColumns(planned, inputs, request, atUs, rows);
  }

  function nameColumn(output: PlannedOutput): OnlineColumn {
    if (output.kind === 'feature') {
      const { view, name: feature, type } = plan.features[output.feature] as PlannedFeature;
      return { name: output.name, type, view, feature, ...(features[output.feature] as FilledColumn) };
    }
    const { view, outputs } = plan.transforms[output.transform] as PlannedTransform;
    const { name: feature, type } = outputs[output.output] as PlannedTransform['outputs'][number];
    return { name: output.name, type, view, feature, ...(computed[output.transform]?.[output.output] as FilledColumn) };
  }

  return {
    evaluatedAtUs: atUs,
    rows,
    entities: listEntities(plan, given),
    columns: plan.outputs.map(nameColumn),
    views: plan.lookups.map(({ view, label }, at) => {
      const isMaterialized = facts.isMaterialized(view);
      return { view, label, found: countFound(read.rows[at] ?? [], rows), isMaterialized };
    }),
    keys: read.keys,
    hits: read.hits,
  };
}

function fillFeatures(
  plan: OnlinePlan,
  read: ReadAnswer,
  rows: number,
  facts: OnlineFeaturesOptions['facts'],
): readonly FilledColumn[] {
  const events = read.rows.map(eventsOf);
  const repeated = events.map((each) => spread(each, rows));
  return plan.features.map((feature) => {
    const found = read.rows[feature.lookup] ?? [];
    const given = feature.default;
    const fallback = given === undefined || 'value' in given ? given : facts.fittedDefault(given.definition);
    const filled = fillFeature(feature, found, events[feature.lookup] ?? [], fallback);
    return found.length === rows ? filled : repeatColumn(filled, rows, repeated[feature.lookup] ?? []);
  });
}

function emptyColumns({ outputs }: PlannedTransform): readonly FilledColumn[] {
  const none = new Uint8Array(0);
  return outputs.map(() => ({ values: [], statuses: none, isDefault: none, eventUs: [], outOfRange: 0 }));
}

function countFound(found: ReadAnswer['rows'][number], rows: number): number {
  let count = 0;
  for (const row of found) if (row !== undefined) count += 1;
  return found.length === rows ? count : count * rows;
}

/** The key columns, as wide as the widest key that is read from them. */
function listEntities({ columns }: OnlinePlan, given: RetrievalColumns): OnlineAnswer['entities'] {
  return columns.flatMap(({ name, keyTypes }, at) => {
    if (keyTypes.length === 0) return [];
    const widest = Math.max(0, keyTypes.indexOf('int64'));
    const type = { kind: keyTypes[widest] } as ValueType;
    return [{ name, type, values: spread(given.columns[at]?.keys[widest] as readonly LiteralValue[], given.rows) }];
  });
}
