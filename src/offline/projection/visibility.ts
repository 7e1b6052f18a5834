/** When each row of a projection becomes visible (section 3), with minima that make looking back for a visible row logarithmic. */

const fanout = 16;

/**
 * `levels[0]` holds the instant at which each row becomes visible, as two words; `levels[k]` the earliest of each 16 entries of
 * the level below. A row that never becomes visible holds the greatest instant.
 */
export interface Visibility {
  readonly levels: readonly Int32Array[];
}

export interface VisibilityParts {
  /** Words of the event timestamps. */
  readonly event: Int32Array;
  readonly delayUs: { readonly low: number; readonly high: number };
  readonly available?: Int32Array;
  /** Only under as-known-at; rows without a created timestamp are marked in `createdNulls`. */
  readonly created?: Int32Array;
  readonly createdNulls?: (row: number) => boolean;
}

/** The latest of event + delay, available and created, by row. */
export function buildVisibility(parts: VisibilityParts): Visibility {
  const rows = parts.event.length / 2;
  const words = new Int32Array(parts.event.length);
  for (let row = 0; row < rows; row++) {
    let low = ((parts.event[2 * row] as number) >>> 0) + parts.delayUs.low;
    let high = (parts.event[2 * row + 1] as number) + parts.delayUs.high;
    if (low > 0xffff_ffff) {
      low -= 0x1_0000_0000;
      high += 1;
    }
    for (const other of [parts.available, parts.created]) {
      if (other === undefined) continue;
      const otherLow = (other[2 * row] as number) >>> 0;
      const otherHigh = other[2 * row + 1] as number;
      if (otherHigh > high || (otherHigh === high && otherLow > low)) {
        low = otherLow;
        high = otherHigh;
      }
    }
    if (high > 0x7fff_ffff || parts.createdNulls?.(row) === true) {
      low = 0xffff_ffff;
      high = 0x7fff_ffff;
    }
    words[2 * row] = low | 0;
    words[2 * row + 1] = high;
  }
  const levels: Int32Array[] = [words];
  while ((levels.at(-1) as Int32Array).length > 2 * fanout) levels.push(minima(levels.at(-1) as Int32Array));
  return { levels };
}

/** The last row from `from` down to `start` that is visible at the instant (high, low), -1 if none is. */
export function lastVisible(visibility: Visibility, start: number, from: number, low: number, high: number): number {
  const { levels } = visibility;
  let level = 0;
  let at = from;
  // At a level, `at` is the entry to look at; entries below `start`'s own are out of reach.
  while (at >= 0) {
    const width = fanout ** level;
    const first = at * width;
    if (first + width - 1 < start) return -1;
    const words = levels[level] as Int32Array;
    const inside = first >= start;
    const entryHigh = words[2 * at + 1] as number;
    const reachable = entryHigh < high || (entryHigh === high && (words[2 * at] as number) >>> 0 <= low);
    if (inside && !reachable) {
      at -= 1;
      while (at >= 0 && (at + 1) % fanout === 0 && level + 1 < levels.length) {
        at = Math.floor(at / fanout);
        level += 1;
      }
      continue;
    }
    if (level === 0) return inside && reachable ? at : -1;
    level -= 1;
    at = at * fanout + fanout - 1;
  }
  return -1;
}

function minima(below: Int32Array): Int32Array {
  const entries = below.length / 2;
  const words = new Int32Array(2 * Math.ceil(entries / fanout));
  for (let group = 0; 2 * group < words.length; group++) {
    let best = group * fanout;
    const end = Math.min(entries, best + fanout);
    for (let entry = best + 1; entry < end; entry++) {
      const high = below[2 * entry + 1] as number;
      const bestHigh = below[2 * best + 1] as number;
      if (high < bestHigh || (high === bestHigh && (below[2 * entry] as number) >>> 0 < (below[2 * best] as number) >>> 0))
        best = entry;
    }
    words[2 * group] = below[2 * best] as number;
    words[2 * group + 1] = below[2 * best + 1] as number;
  }
  return words;
}
