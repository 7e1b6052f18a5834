/** Tallies of what was served in a period, as the feature log has it. */
import { parseValueType } from '../../definitions/value-type.ts';
import { literalReader } from '../../offline/literal-column.ts';
import { type LoggedRows, type LogReader, readLog } from '../log/read-log.ts';
import { shapeFields } from '../log/shape.ts';
import { readSide } from '../parity/recompute.ts';
import { typeOf } from '../parity/versions.ts';
import type { OnProgress } from '../progress.ts';
import { countKeys } from './count-keys.ts';
import { createTallies, type Tallies, type TalliesOptions } from './tallies.ts';

export interface LogPeriod extends TalliesOptions {
  readonly fromUs: bigint;
  readonly toUs: bigint;
  /** Rows of each shape at most, of any time of the period. */
  readonly rowsPerShape: number;
}

export async function tallyLog(
  log: LogReader,
  period: LogPeriod,
  signal: AbortSignal,
  onRows: OnProgress<number>,
): Promise<Tallies> {
  const tallies = createTallies(period);
  const keys = new Map<string, Map<unknown, number>>();
  const { fromUs, toUs, rowsPerShape, wanted } = period;
  const features = wanted && [...wanted];
  for await (const rows of readLog(log, { fromUs, toUs, rowsPerShape, isSpread: true, features }, signal)) {
    signal.throwIfAborted();
    const drawn = keys.get(rows.shape.id) ?? new Map<unknown, number>();
    keys.set(rows.shape.id, drawn);
    addBatch(tallies, rows, drawn, period);
    tallies.addRows(rows.batch.length);
    await onRows(rows.batch.length);
    await new Promise(setImmediate);
  }
  return tallies;
}

function addBatch(tallies: Tallies, { shape, batch }: LoggedRows, drawn: Map<unknown, number>, { registry }: LogPeriod): void {
  const names = shapeFields(shape).map(({ name }) => name);
  const columnOf = (name: string) => batch.columns[names.indexOf(name)] as (typeof batch.columns)[number];
  countKeys(drawn, (shape.sampledBy?.columns ?? [shape.own.requestId]).map(columnOf), batch.length);
  const timeOf = literalReader(columnOf(shape.own.evaluatedAt), { kind: 'timestamp' });
  for (const { name, view, feature, type } of shape.outputs) {
    const found = tallies.of(view, feature);
    // Values of an earlier definition that had another type are not compared.
    if (found === undefined || parseValueType(type).kind !== parseValueType(typeOf(registry, view, feature)).kind) continue;
    const at = names.indexOf(name);
    const side = readSide(batch.columns.slice(at, at + 4), type);
    found.tally.draw(drawn);
    for (let row = 0; row < batch.length; row++) {
      found.tally.add({
        value: side.values[row],
        isDefault: side.isDefault[row] === 1,
        atUs: timeOf(row) as bigint,
        eventUs: side.eventUs[row] as bigint | null,
      });
    }
  }
}
