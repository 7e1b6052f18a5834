/** The training values of what was served: history as it is now, at the T of each row. */
import { getBit } from '../../arrow/bitmap.ts';
import type { Column } from '../../arrow/column.ts';
import { type StatusName, statusNames } from '../../definitions/status.ts';
import { parseValueType } from '../../definitions/value-type.ts';
import { answerFields, answerFrame, createReport } from '../../offline/answer/answer.ts';
import type { History } from '../../offline/history.ts';
import { literalReader, readLiterals } from '../../offline/literal-column.ts';
import { planRetrieval, type RetrievalPlan } from '../../offline/plan.ts';
import type { RegistryDocument } from '../../registry/document.ts';
import type { Side } from './compare-feature.ts';
import type { ServedBatch } from './pairs.ts';

export function planBatch(registry: RegistryDocument, { request, schema }: ServedBatch): RetrievalPlan {
  return planRetrieval(registry, { ...request, statuses: true }, schema, 0n);
}

/** In the order of the plan's outputs. */
export async function recompute(
  history: Pick<History, 'prepare'>,
  plan: RetrievalPlan,
  { schema, columns, length }: ServedBatch,
  types: readonly string[],
  signal: AbortSignal,
): Promise<readonly Side[]> {
  const answered = { fields: [...schema.fields, ...answerFields(plan)], metadata: new Map<string, string>() };
  const prepared = await history.prepare(plan, signal);
  async function* frame() {
    if (length > 0) yield { columns, length, plain: (index: number) => columns[index] as Column };
  }
  try {
    const parts: (readonly Side[])[] = [];
    for await (const { answer } of answerFrame(prepared, answered, frame(), createReport(plan))) {
      signal.throwIfAborted();
      const added = answer.columns.slice(columns.length);
      parts.push(types.map((type, at) => readSide(added.slice(4 * at, 4 * at + 4), type)));
    }
    return parts[0] ?? types.map(() => emptySide);
  } finally {
    prepared.release();
  }
}

export const emptySide: Side = Object.freeze({
  values: [],
  statuses: new Uint8Array(0),
  isDefault: new Uint8Array(0),
  eventUs: [],
});

/** A value, and the three columns that statuses add beside it (rule 4.4). */
export function readSide(columns: readonly Column[], type: string): Side {
  const [value, status, event, flag] = columns as [Column, Column, Column, Column];
  const { length } = value;
  const statusOf = literalReader(status, { kind: 'string' });
  const isDefault = new Uint8Array(length);
  const [bits] = flag.buffers as [Uint8Array];
  for (let row = 0; row < length; row++) isDefault[row] = getBit(bits, row) ? 1 : 0;
  return {
    values: readLiterals(value, parseValueType(type), 0, length),
    statuses: Uint8Array.from({ length }, (_, row) => statusNames.indexOf(statusOf(row) as StatusName)),
    isDefault,
    eventUs: readLiterals(event, { kind: 'timestamp' }, 0, length) as (bigint | null)[],
  };
}
