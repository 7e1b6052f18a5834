/** Events of a shop as their producer writes them, and what counts of a log that holds them (design sections 6.1, 6.6): no code of the product. */

const secondUs = 1_000_000n;
const hourUs = 3_600n * secondUs;

export const users = 24;
export const items = 8;
/** As the source declares it. */
export const latenessUs = 2n * hourUs;
const kinds = ['view', 'click', 'completion'] as const;

export interface ShopEvent {
  /** Of each event another, in the log as often as it was written. */
  readonly seq: number;
  /** The source's `eventId`. */
  readonly id: number | null;
  readonly user_id: number | null;
  readonly item_id: string | null;
  readonly kind: string | null;
  readonly n: number | null;
  readonly seconds: number | null;
  readonly price: string | null;
  readonly at: string;
}

/** Numbers from a seed, each from 0 up to 1. */
export type Random = () => number;

export function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export interface EventDrawer {
  /** An event of about that time: out of order, but never late. */
  event(aboutUs: bigint): ShopEvent;
  /** One that is late once its partition has come near that time; of few users and items alone. */
  lateEvent(aboutUs: bigint): ShopEvent;
  /** What no event of the source is: cut off, of wrong types, of an unknown word, without a time, or of tomorrow. */
  malformed(): string | null;
}

/** Late events are of these alone, so that all others must be the same in training and serving. */
export const lateUser = users + 1;
export const lateItem = 'late';

export function drawEvents(random: Random): EventDrawer {
  let seq = 0;
  const int = (below: number) => Math.floor(random() * below);
  const maybe = <T>(value: T, nulls = 0.08) => (random() < nulls ? null : value);
  const draw = (timeUs: bigint): ShopEvent => {
    seq += 1;
    return {
      seq,
      id: random() < 0.6 ? seq : null,
      user_id: maybe(1 + int(users), 0.03),
      item_id: maybe(`item ${int(items)}`, 0.03),
      kind: maybe(kinds[int(3)] as string),
      n: maybe(int(2000) - 1000),
      seconds: maybe(Math.round(random() * 1e6) / 1000),
      price: maybe(`${int(1000) - 200}.${int(90) + 10}`),
      at: instantText(timeUs),
    };
  };
  return {
    event: (aboutUs) => draw(aboutUs - BigInt(int(random() < 0.8 ? 60 : 5000)) * secondUs - BigInt(int(1_000_000))),
    lateEvent: (aboutUs) => ({
      ...draw(aboutUs - 4n * hourUs - BigInt(int(3600)) * secondUs),
      user_id: lateUser,
      item_id: lateItem,
    }),
    malformed() {
      const event = draw(nowUs() - hourUs);
      const wrong = [
        null,
        JSON.stringify(event).slice(0, 40),
        'no JSON at all \u0000',
        '[]',
        JSON.stringify({ ...event, kind: 'clik' }),
        JSON.stringify({ ...event, n: 'many' }),
        JSON.stringify({ ...event, at: null }),
        JSON.stringify({ ...event, at: 'yesterday' }),
        JSON.stringify({ ...event, at: Math.floor(Date.now() / 1000) }),
        JSON.stringify({ ...event, at: instantText(nowUs() + 24n * hourUs) }),
      ];
      return wrong[int(wrong.length)] as string | null;
    },
  };
}

export function nowUs(): bigint {
  return BigInt(Date.now()) * 1000n;
}

export function instantText(us: bigint): string {
  const micros = String(((us % 1000n) + 1000n) % 1000n).padStart(3, '0');
  return new Date(Number(us / 1000n)).toISOString().replace('Z', `${micros}Z`);
}

export function instantUs(text: string): bigint {
  return BigInt(Date.parse(text)) * 1000n + BigInt(text.slice(23, 26));
}

/** An event that is valid, each as often as it counts. */
export interface JudgedEvent extends ShopEvent {
  readonly timeUs: bigint;
  /** Too late for serving; it counts in training alone. */
  readonly isLate: boolean;
}

export interface JudgedLog {
  readonly events: readonly JudgedEvent[];
  readonly setAside: number;
  readonly duplicates: number;
}

/** What counts of the values of one partition in their order; `seen` are ids that have come in this log or another. */
export function judgeLog(values: readonly (string | null)[], seen: Set<number>): JudgedLog {
  const events: JudgedEvent[] = [];
  let setAside = 0;
  let duplicates = 0;
  let greatestUs: bigint | undefined;
  for (const value of values) {
    const event = parseEvent(value);
    if (event === undefined) {
      setAside += 1;
      continue;
    }
    if (event.id !== null && seen.has(event.id)) {
      duplicates += 1;
      continue;
    }
    if (event.id !== null) seen.add(event.id);
    const timeUs = instantUs(event.at);
    events.push({ ...event, timeUs, isLate: greatestUs !== undefined && timeUs < greatestUs - latenessUs });
    if (greatestUs === undefined || timeUs > greatestUs) greatestUs = timeUs;
  }
  return { events, setAside, duplicates };
}

function parseEvent(value: string | null): ShopEvent | undefined {
  if (value?.startsWith('{') !== true || !value.endsWith('}')) return undefined;
  const event = JSON.parse(value) as ShopEvent;
  const isKnown = event.kind === null || (kinds as readonly string[]).includes(event.kind);
  const isTimed = typeof event.at === 'string' && event.at.endsWith('Z') && instantUs(event.at) < nowUs() + hourUs;
  return isKnown && isTimed && typeof event.n !== 'string' ? event : undefined;
}
