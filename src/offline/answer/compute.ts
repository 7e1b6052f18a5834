/** Features on demand, for the rows of a span: transforms run over what was looked up, a slice at a time (section 7). */
import type { Column } from '../../arrow/column.ts';
import type { LiteralValue } from '../../definitions/literal.ts';
import { parseValueType } from '../../definitions/value-type.ts';
import type { ResolvedTransform } from '../../registry/resolve.ts';
import type { Transform } from '../../transform/open-transform.ts';
import type { Instants } from '../instants.ts';
import { literalColumn, readLiterals } from '../literal-column.ts';
import { createPace } from '../pace.ts';
import type { RetrievalPlan } from '../plan.ts';
import { found, notFound } from '../projection/look-up.ts';
import { type Completed, type FeatureCounts, nullValue } from './complete.ts';

/** What transforms read of a span. */
export interface ComputeInput {
  /** Values after defaults, by feature of the plan. */
  readonly features: readonly Column[];
  readonly times: Instants;
  /** By request value of the plan, by row. */
  readonly request: readonly (readonly LiteralValue[])[];
  /** What row 0 is in the whole frame. */
  readonly firstRow: number;
}

/** About how long a slice is to take, after which others have their turn: transforms are quick or slow by a factor of thousands. */
const sliceMs = 8;
const firstSliceRows = 16;
const maxSliceRows = 4096;

/** The values of every transform of a plan: by transform, by feature of its view, by row. */
export async function runTransforms(
  plan: RetrievalPlan,
  transforms: readonly Transform[],
  input: ComputeInput,
  signal: AbortSignal | undefined,
): Promise<readonly (readonly (readonly LiteralValue[])[])[]> {
  const pace = createPace(signal);
  const results: LiteralValue[][][] = [];
  for (const [index, resolved] of plan.transforms.entries()) {
    const columns = resolved.view.features.map(() => new Array<LiteralValue>(input.times.length));
    let sliceRows = firstSliceRows;
    let to = 0;
    for (let from = 0; from < input.times.length; from = to) {
      to = Math.min(from + sliceRows, input.times.length);
      const startedMs = performance.now();
      const slice = resolved.view.features.map(() => [] as LiteralValue[]);
      (transforms[index] as Transform).run(readSlice(plan, resolved, input, from, to), 0, to - from, slice);
      for (const [at, values] of slice.entries())
        for (let row = from; row < to; row++) (columns[at] as LiteralValue[])[row] = values[row - from] as LiteralValue;
      const rowsOfTurn = ((to - from) * sliceMs) / Math.max(performance.now() - startedMs, 0.01);
      sliceRows = Math.max(1, Math.min(Math.round(rowsOfTurn), 4 * sliceRows, maxSliceRows));
      await pace();
    }
    results.push(columns);
  }
  return results;
}

function readSlice(plan: RetrievalPlan, { view, inputs }: ResolvedTransform, input: ComputeInput, from: number, to: number) {
  const { words, nulls } = input.times;
  const instants = new BigInt64Array(words.buffer, words.byteOffset, input.times.length);
  return {
    timesUs: Array.from(instants.subarray(from, to), (us, row) => (nulls?.[from + row] === 1 ? null : us)),
    inputs: inputs.map((at) => {
      const type = parseValueType(plan.features[at]?.feature.type as string);
      return readLiterals(input.features[at] as Column, type, from, to);
    }),
    request: view.request.map(({ name }) => {
      const values = input.request[plan.request.findIndex((value) => value.name === name)];
      return (values as readonly LiteralValue[]).slice(from, to);
    }),
    firstRow: input.firstRow + from,
  };
}

/** A computed feature as a column: PRESENT, NULL_VALUE where it is null, NOT_FOUND where T is (rule 7.3). */
export function completeComputed(
  name: string,
  type: string,
  values: readonly LiteralValue[],
  times: Instants,
  counts: FeatureCounts,
): Completed {
  const value = literalColumn(name, parseValueType(type), values);
  const statuses = new Uint8Array(values.length).fill(found);
  let missing = 0;
  for (let row = 0; row < statuses.length; row++) {
    if (values[row] !== null) continue;
    const isMissing = times.nulls?.[row] === 1;
    statuses[row] = isMissing ? notFound : nullValue;
    if (isMissing) missing += 1;
  }
  counts.present += values.length - value.nullCount;
  counts.null_value += value.nullCount - missing;
  counts.not_found += missing;
  return { value, statuses, isDefault: undefined };
}
