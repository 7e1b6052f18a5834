/** The table of aggregate functions, by the names they have on the wire and in docs. A function is a file and a row here. */
import type { AggregateFunction } from './aggregate.ts';
import { first, last, lastN } from './by-time.ts';
import { count } from './count.ts';
import { countDistinct } from './count-distinct.ts';
import { duration } from './duration.ts';
import { entropy } from './entropy.ts';
import { max, min } from './extremes.ts';
import { mean } from './mean.ts';
import { rate } from './rate.ts';
import { stddev } from './stddev.ts';
import { sum } from './sum.ts';
import { topK } from './top-k.ts';

export const aggregateFunctions = {
  count,
  sum,
  mean,
  min,
  max,
  stddev,
  rate,
  first,
  last,
  last_n: lastN,
  count_distinct: countDistinct,
  top_k: topK,
  entropy,
  duration,
} as const satisfies Readonly<Record<string, AggregateFunction>>;

export type AggregateName = keyof typeof aggregateFunctions;
