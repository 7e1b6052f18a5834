/** Which rows of an answer are logged: those whose key is, and of requests without a key all or none. */
import type { LiteralValue } from '../../definitions/literal.ts';
import type { OnlineAnswer } from '../../online/retrieve/answer.ts';
import type { OnlinePlan } from '../../online/retrieve/plan.ts';
import { createSampler, isRequestSampled } from './sample.ts';
import type { LogShape } from './shape.ts';

/** Places of the rows that are logged; undefined: all. */
export type AnswerSampler = (answer: OnlineAnswer, requestId: string) => readonly number[] | undefined;

const none: readonly number[] = [];

/** For answers of one plan. Rows that are nobody's, with a null in the key, go with their request. */
export function createAnswerSampler({ sampledBy }: LogShape, { columns }: OnlinePlan, share: number): AnswerSampler {
  if (share >= 1) return () => undefined;
  if (sampledBy === null) return (_, requestId) => (isRequestSampled(requestId, share) ? undefined : none);
  const sampler = createSampler(sampledBy.entity, share);
  const places = sampledBy.columns.map((name) => {
    const at = columns.findIndex((column) => column.name === name);
    return { at, type: Math.max(0, columns[at]?.keyTypes.indexOf('int64') ?? 0) };
  });
  const key: LiteralValue[] = places.map(() => null);
  return ({ rows, origin: { given } }, requestId) => {
    const keys = places.map(({ at, type }) => given.columns[at]?.keys[type] as readonly LiteralValue[]);
    const isSampled = (row: number) => {
      for (let at = 0; at < keys.length; at++) {
        const values = keys[at] as readonly LiteralValue[];
        key[at] = values[values.length === 1 ? 0 : row] as LiteralValue;
      }
      return sampler(key) ?? isRequestSampled(requestId, share);
    };
    if (keys.every(({ length }) => length === 1)) return isSampled(0) ? undefined : none;
    const picked: number[] = [];
    for (let row = 0; row < rows; row++) if (isSampled(row)) picked.push(row);
    return picked.length === rows ? undefined : picked;
  };
}
