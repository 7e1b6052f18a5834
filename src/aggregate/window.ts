/** Where sliding windows begin (rule 6.2). Instants and lengths are microseconds. */

const hourUs = 3_600_000_000n;
const dayUs = 24n * hourUs;

/** The hop of a window that names none: 5m below 12h, 1h below 12d, else 1d, and never more than the window. */
export function defaultHopUs(windowUs: bigint): bigint {
  const hopUs = windowUs < 12n * hourUs ? hourUs / 12n : windowUs < 12n * dayUs ? hourUs : dayUs;
  return hopUs < windowUs ? hopUs : windowUs;
}

/** The first instant in the window at T, counted in hops from the epoch. */
export function windowStartUs(timeUs: bigint, windowUs: bigint, hopUs: bigint): bigint {
  return floorUs(timeUs - windowUs, hopUs);
}

/** The start of the hop that holds an instant, before 1970 too (rule 1.4). */
export function floorUs(instantUs: bigint, hopUs: bigint): bigint {
  const rest = instantUs % hopUs;
  return instantUs - (rest < 0n ? rest + hopUs : rest);
}
