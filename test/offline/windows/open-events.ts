/** Events of one expression as `evaluateAggregate` reads them, from plain values, and windows over them that move forward. */
import type { LiteralValue } from '../../../src/definitions/literal.ts';
import type { ValueType } from '../../../src/definitions/value-type.ts';
import { literalColumn } from '../../../src/offline/literal-column.ts';
import type { BucketEvents } from '../../../src/offline/windows/bucket-events.ts';
import type { EvaluateInput } from '../../../src/offline/windows/evaluate-input.ts';
import type { Bounds } from '../../../src/offline/windows/window-bounds.ts';

export function openEvents(type: ValueType, values: readonly LiteralValue[]): BucketEvents {
  const column = literalColumn('value', type, values);
  return {
    rows: values.length,
    times: Float64Array.from(values.keys()),
    starts: Int32Array.from([0, values.length]),
    choose: () => ({ name: 'all', rows: Int32Array.from(values.keys()), before: undefined }),
    column: () => column,
    type: () => type,
    sessionStarts: () => new Int32Array(values.length),
    keep: (_, make) => make(),
  };
}

export function inputOf(type: ValueType, values: readonly LiteralValue[], bounds: Bounds, size = 1): EvaluateInput {
  const events = openEvents(type, values);
  return { events, chosen: events.choose([]), bounds, value: 0, size };
}

/** Draws windows whose ends move forward, some of them empty, some far from the one before. */
export function drawBounds(int: (least: number, most: number) => number, events: number, windows: number): Bounds {
  const from = new Int32Array(windows);
  const to = new Int32Array(windows);
  let first = 0;
  let end = 0;
  const step = Math.ceil((3 * events) / windows);
  for (let place = 0; place < windows; place++) {
    end = Math.min(events, end + int(0, step));
    first = Math.min(end, first + int(0, int(0, 9) === 0 ? 4 * step : step));
    from[place] = first;
    to[place] = end;
  }
  return { from, to };
}
