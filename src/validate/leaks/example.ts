/** One row of an audit as an example: its place, keys and time, what it holds and what it should. */
import { readValue } from '../../arrow/read-value.ts';
import { formatInstantUs } from '../../definitions/literal.ts';
import { instantAt } from '../../offline/instants.ts';
import type { RetrievalPlan } from '../../offline/plan.ts';
import type { LeakExample } from './report.ts';
import { showValue } from './same-value.ts';
import type { Sample } from './sample.ts';

/** The join keys of a row of a sample, by the frame's names of their columns. */
export type KeyReader = (sample: Sample, row: number) => Readonly<Record<string, string | null>>;

export function readKeysOf(plan: RetrievalPlan): KeyReader {
  const columns = new Set(plan.lookups.flatMap(({ keys }) => keys.map(({ column }) => column)));
  return (sample, row) =>
    Object.fromEntries(
      sample.columns
        .filter((column) => columns.has(column.field.name))
        .map((column) => [column.field.name, showValue(readValue(column, row))]),
    );
}

export function describeExample(
  sample: Sample,
  row: number,
  keysOf: KeyReader,
  value: unknown,
  truth: unknown,
  reachUs: bigint | undefined,
): LeakExample {
  return {
    row: sample.places[row] as number,
    keys: keysOf(sample, row),
    event_timestamp: formatInstantUs(instantAt(sample.times, row)),
    value: showValue(value),
    truth: showValue(truth),
    reach_seconds: reachUs === undefined ? null : Number(reachUs) / 1e6,
  };
}
