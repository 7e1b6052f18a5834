/** Rule 1.2 by search: the instants that a zone's clocks show as a given local time. */

export type AmbiguousTime = 'earlier' | 'later' | undefined;

const hourUs = 3_600_000_000n;

/**
 * The instant (microseconds) of a local time (microseconds of its reading, as if it were UTC) in an IANA zone; undefined where the
 * rule refuses it: a reading that exists twice or never, without a policy.
 */
export function resolveNaively(localUs: bigint, zone: string, policy: AmbiguousTime): bigint | undefined {
  const offsets = offsetsNear(localUs, zone);
  const instants = [...offsets].map((offset) => localUs - offset).filter((at) => at + offsetAt(at, zone) === localUs);
  instants.sort((a, b) => (a < b ? -1 : 1));
  if (instants.length === 1) return instants[0];
  if (policy === undefined) return undefined;
  if (instants.length > 1) return policy === 'earlier' ? instants[0] : instants.at(-1);
  const [before, after] = offsetsAroundGap(localUs, zone);
  return localUs - (policy === 'earlier' ? after : before);
}

/** Every offset that the zone has within 26 hours of the reading, looked at every 15 minutes. */
function offsetsNear(localUs: bigint, zone: string): Set<bigint> {
  const offsets = new Set<bigint>();
  for (let at = localUs - 26n * hourUs; at <= localUs + 26n * hourUs; at += hourUs / 4n) offsets.add(offsetAt(at, zone));
  return offsets;
}

/** The offsets before and after the gap that swallows a reading which no instant shows. */
function offsetsAroundGap(localUs: bigint, zone: string): [bigint, bigint] {
  let from = localUs - 26n * hourUs;
  let to = localUs + 26n * hourUs;
  // Shown readings grow with the instant except at the ends of summer time, which are no gap: halve down to the jump over localUs.
  while (to - from > 1n) {
    const middle = (from + to) / 2n;
    if (middle + offsetAt(middle, zone) < localUs) from = middle;
    else to = middle;
  }
  return [offsetAt(from, zone), offsetAt(to, zone)];
}

const formats = new Map<string, Intl.DateTimeFormat>();
const known = new Map<string, bigint>();

/** What the zone's clocks show minus UTC, in microseconds; offsets are whole seconds. */
function offsetAt(atUs: bigint, zone: string): bigint {
  const second = atUs >= 0n ? atUs / 1_000_000n : -((-atUs + 999_999n) / 1_000_000n);
  const key = `${zone} ${second}`;
  let offset = known.get(key);
  if (offset === undefined) {
    offset = (shownSecond(second, zone) - second) * 1_000_000n;
    if (known.size > 500_000) known.clear();
    known.set(key, offset);
  }
  return offset;
}

function shownSecond(second: bigint, zone: string): bigint {
  let format = formats.get(zone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-US-u-ca-iso8601', {
      timeZone: zone,
      hourCycle: 'h23',
      era: 'short',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    formats.set(zone, format);
  }
  const part = Object.fromEntries(format.formatToParts(Number(second) * 1000).map(({ type, value }) => [type, value]));
  const shown = Date.UTC(
    Number(part.year),
    Number(part.month) - 1,
    Number(part.day),
    Number(part.hour),
    Number(part.minute),
    Number(part.second),
  );
  return BigInt(shown / 1000);
}
