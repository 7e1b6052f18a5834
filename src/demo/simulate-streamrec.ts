/** Plays StreamRec's users, videos and click stream: who watches what and when, from a seed alone. */
import { accumulate, createRandom, type Random } from './random.ts';

export interface World {
  readonly users: Users;
  readonly items: Items;
  readonly events: Events;
  readonly impressions: Impressions;
}

/** Index u is the user with user_id u + 1. */
export interface Users {
  readonly zone: string[];
  /** Day of signing up, 0 is the first day of the stream. */
  readonly joined: Int32Array;
  /** First day without this user. */
  readonly left: Int32Array;
}

/** Index i is the item with item_id i + 1. */
export interface Items {
  readonly category: string[];
  readonly creator: Int32Array;
  readonly seconds: Int32Array;
  readonly published: Int32Array;
}

/** The click stream in order of time; `at` is microseconds since the stream's first midnight. */
export interface Events {
  readonly user: Int32Array;
  readonly item: Int32Array;
  /** Index into eventTypes. */
  readonly type: Int8Array;
  readonly watchedMs: Int32Array;
  readonly at: Float64Array;
}

/** What the ranker showed: rows to learn from, `label` 1 where the video was then watched to its end. */
export interface Impressions {
  readonly user: Int32Array;
  readonly item: Int32Array;
  readonly at: Float64Array;
  readonly label: Int8Array;
}

export interface WorldSize {
  readonly seed: number;
  readonly users: number;
  readonly items: number;
  readonly events: number;
  readonly days: number;
  /** Rows of the entity frame. */
  readonly impressions: number;
}

export const eventTypes = ['view', 'click', 'completion'] as const;
export const categories = ['comedy', 'cooking', 'documentary', 'gaming', 'music', 'news', 'sports', 'travel'] as const;
const zones = [
  ['America/New_York', -5],
  ['America/Los_Angeles', -8],
  ['Europe/Paris', 1],
  ['Asia/Kolkata', 5.5],
  ['Asia/Tokyo', 9],
  ['UTC', 0],
] as const;

const secondUs = 1_000_000;
export const dayUs = 86_400 * secondUs;

/** A whole world; the same size gives the same world. `at` stays below 2^53, so float64 holds every microsecond. */
export function simulateStreamRec(size: WorldSize): World {
  const random = createRandom(size.seed);
  const users = inventUsers(size, random);
  const items = inventItems(size, random);
  const events = sortByTime(watch(size, users, items, random));
  return { users, items, events, impressions: chooseImpressions(size, events, random) };
}

/** Three in five were there before the stream began; one in six leaves. */
function inventUsers({ users, days }: WorldSize, random: Random): Users {
  const zone: string[] = [];
  const joined = new Int32Array(users);
  const left = new Int32Array(users);
  for (let user = 0; user < users; user++) {
    zone.push(zones[random.below(zones.length)]?.[0] as string);
    joined[user] = random.chance(0.6) ? -random.below(400) : random.below(days);
    left[user] = random.chance(1 / 6) ? Math.max(joined[user] as number, 0) + 1 + random.below(days) : days;
  }
  return { zone, joined, left };
}

function inventItems({ items, days }: WorldSize, random: Random): Items {
  const category: string[] = [];
  const creator = new Int32Array(items);
  const seconds = new Int32Array(items);
  const published = new Int32Array(items);
  for (let item = 0; item < items; item++) {
    category.push(categories[random.below(categories.length)] as string);
    creator[item] = 1 + random.below(Math.ceil(items / 8));
    seconds[item] = 30 + random.below(870);
    published[item] = random.chance(0.7) ? -random.below(300) : random.below(days);
  }
  return { category, creator, seconds, published };
}

/** Sessions of one to twelve views each, until the stream is full. */
function watch(size: WorldSize, users: Users, items: Items, random: Random): Events {
  const activity = accumulate(Array.from({ length: size.users }, (_, rank) => 1 / (rank + 20)));
  const shelves = stockShelves(size, items, random);
  const patience = Float64Array.from({ length: size.users }, () => 0.1 + 0.8 * random.next());
  const appeal = Float64Array.from({ length: size.items }, () => 0.1 + 0.8 * random.next());
  const tastes = Int32Array.from({ length: size.users * 2 }, () => random.below(categories.length));
  const events = emptyEvents(size.events);
  let filled = 0;
  const emit = (user: number, item: number, type: number, watchedMs: number, at: number): void => {
    if (filled === size.events) return;
    events.user[filled] = user;
    events.item[filled] = item;
    events.type[filled] = type;
    events.watchedMs[filled] = watchedMs;
    events.at[filled] = at;
    filled++;
  };
  while (filled < size.events) {
    const user = random.pick(activity);
    const day = random.below(size.days);
    if (day < (users.joined[user] as number) || day >= (users.left[user] as number)) continue;
    const end = size.days * dayUs;
    let at = day * dayUs + eveningUs(users.zone[user] as string, random);
    for (let views = 1 + random.below(12); views > 0 && at < end; views--) {
      const liked = random.chance(0.7);
      const shelf = liked ? (tastes[user * 2 + random.below(2)] as number) : random.below(categories.length);
      const item = shelves[shelf]?.[pickPopular(shelves[shelf]?.length ?? 0, random)];
      at += (5 + random.below(90)) * secondUs + random.below(secondUs);
      if (item === undefined || (items.published[item] as number) > day || at >= end) continue;
      emit(user, item, 0, 0, at);
      if (!random.chance(liked ? 0.45 : 0.2)) continue;
      at += (1 + random.below(8)) * secondUs + random.below(secondUs);
      const length = (items.seconds[item] as number) * 1000;
      const finishes = random.chance((patience[user] as number) * (appeal[item] as number) * (liked ? 1.6 : 0.7));
      const watchedMs = finishes ? length : random.below(length);
      if (at < end) emit(user, item, 1, finishes ? 0 : watchedMs, at);
      at += watchedMs * 1000;
      if (finishes && at < end) emit(user, item, 2, watchedMs, at);
    }
  }
  return events;
}

function emptyEvents(length: number): Events {
  const [user, item, watchedMs] = [new Int32Array(length), new Int32Array(length), new Int32Array(length)];
  return { user, item, type: new Int8Array(length), watchedMs, at: new Float64Array(length) };
}

/** Items by category, in an order that has nothing to do with their ids; the first of a shelf are the popular ones. */
function stockShelves({ items }: WorldSize, { category }: Items, random: Random): number[][] {
  const shelves = categories.map((): number[] => []);
  for (const item of shuffle(items, random))
    shelves[categories.indexOf(category[item] as (typeof categories)[number])]?.push(item);
  return shelves;
}

/** An index below `length`, small ones far more often. */
function pickPopular(length: number, random: Random): number {
  const share = random.next();
  return Math.floor(share * share * share * length);
}

/** A time of the user's day, mostly in the evening, as microseconds after UTC midnight. */
function eveningUs(zone: string, random: Random): number {
  const offset = zones.find(([name]) => name === zone)?.[1] ?? 0;
  const hour = random.chance(0.7) ? 17 + 6 * random.next() : 24 * random.next();
  return Math.floor((((hour - offset + 24) % 24) / 24) * 86_400) * secondUs + random.below(secondUs);
}

function sortByTime(events: Events): Events {
  const order = Int32Array.from({ length: events.at.length }, (_, index) => index);
  order.sort((a, b) => (events.at[a] as number) - (events.at[b] as number) || a - b);
  return {
    user: order.map((index) => events.user[index] as number),
    item: order.map((index) => events.item[index] as number),
    type: Int8Array.from(order, (index) => events.type[index] as number),
    watchedMs: order.map((index) => events.watchedMs[index] as number),
    at: Float64Array.from(order, (index) => events.at[index] as number),
  };
}

/** Views of the last three weeks in no order, and one in fifty shown to somebody who has never been seen. */
function chooseImpressions(size: WorldSize, events: Events, random: Random): Impressions {
  const since = Math.max(0, size.days - 21) * dayUs;
  const views = Array.from(events.at.keys()).filter((index) => events.type[index] === 0 && (events.at[index] as number) >= since);
  const rows = shuffle(views.length, random).slice(0, size.impressions);
  const chosen = Int32Array.from(rows, (row) => views[row] as number);
  return {
    user: chosen.map((index) => (random.chance(0.02) ? size.users + random.below(size.users) : (events.user[index] as number))),
    item: chosen.map((index) => events.item[index] as number),
    at: Float64Array.from(chosen, (index) => events.at[index] as number),
    label: Int8Array.from(chosen, (index) => (isCompleted(events, index) ? 1 : 0)),
  };
}

/** Whether the view is followed by the same user's completion of the same item, within the next views of everybody. */
function isCompleted(events: Events, view: number): boolean {
  const until = (events.at[view] as number) + 1000 * secondUs;
  for (let index = view + 1; index < events.at.length && (events.at[index] as number) <= until; index++) {
    if (events.user[index] !== events.user[view] || events.item[index] !== events.item[view]) continue;
    if (events.type[index] === 2) return true;
    if (events.type[index] === 0) return false;
  }
  return false;
}

function shuffle(length: number, random: Random): Int32Array {
  const order = Int32Array.from({ length }, (_, index) => index);
  for (let index = length - 1; index > 0; index--) {
    const other = random.below(index + 1);
    const kept = order[index] as number;
    order[index] = order[other] as number;
    order[other] = kept;
  }
  return order;
}
