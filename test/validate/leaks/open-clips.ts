/** A repository of clips that people watch: events and a daily table of random values, and plain loops over both. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { columnFromValues } from '../../../src/arrow/build.ts';
import { type Field, field, type Schema } from '../../../src/arrow/schema.ts';
import { parseConfig } from '../../../src/config.ts';
import {
  batchSource,
  count,
  entity,
  entropy,
  eventSource,
  featureView,
  fitted,
  parquet,
  streamFeatureView,
  sum,
} from '../../../src/index.ts';
import type { History } from '../../../src/offline/history.ts';
import { bindRepository } from '../../../src/registry/bind.ts';
import type { RegistryDocument } from '../../../src/registry/document.ts';
import type { Definition } from '../../../src/registry/repository.ts';
import { auditLeaks } from '../../../src/validate/leaks/audit-leaks.ts';
import type { LeakFindings } from '../../../src/validate/leaks/report.ts';
import { leakRequestSchema } from '../../../src/validate/leaks/request.ts';
import { writeTables } from '../../integration/make-store.ts';
import { openTestHistory } from '../../support/answer-with-engine.ts';

export const minute = 60_000_000;
export const hour = 60 * minute;
export const day = 24 * hour;
/** 2026-03-01T00:00:00Z, in microseconds: small enough to count exactly. */
export const start = Date.UTC(2026, 2, 1) * 1000;

export interface Clip {
  readonly user: number;
  readonly us: number;
  readonly category: string;
  readonly seconds: number;
}

export interface Daily {
  readonly user: number;
  readonly us: number;
  readonly created: number;
  readonly score: number;
}

export interface Clips {
  readonly events: readonly Clip[];
  readonly daily: readonly Daily[];
  readonly history: History;
  readonly registry: RegistryDocument;
  readonly root: string;
  audit(columns: readonly TableColumn[], request: Readonly<Record<string, unknown>>): Promise<LeakFindings>;
  close(): Promise<void>;
}

export interface TableColumn {
  readonly name: string;
  readonly type: 'int64' | 'float64' | 'utf8' | 'time' | 'bool';
  readonly values: readonly unknown[];
}

const categories = ['comedy', 'news', 'music', 'sport', 'cooking'];

/** Random users' events over 30 days and a row a user and day, created two hours after its day began. */
export function drawClips(seed: number): Pick<Clips, 'events' | 'daily'> {
  const random = createRandom(seed);
  const events: Clip[] = [];
  const daily: Daily[] = [];
  for (let user = 1; user <= 6; user++) {
    const first = random(5);
    const favourites = Array.from({ length: 1 + (user % 4) }, (_, at) => categories[(first + at) % 5] as string);
    for (let at = 0; at < 80; at++) {
      const category = favourites[random(favourites.length)] as string;
      events.push({
        user,
        us: start + random(30 * 24 * 60) * minute + random(60) * 1_000_000,
        category,
        seconds: random(600) / 4,
      });
    }
    for (let of = 0; of < 30; of++) {
      const us = start + of * day;
      daily.push({ user, us, created: us + 2 * hour, score: random(1_000_000) / 1000 });
    }
  }
  return { events, daily };
}

/** Numbers below a bound, the same for the same seed. */
export function createRandom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

export async function openClips({ events, daily }: Pick<Clips, 'events' | 'daily'>): Promise<Clips> {
  const root = mkdtempSync(join(tmpdir(), 'clips-'));
  mkdirSync(join(root, 'data'));
  const time = (us: number) => `make_timestamptz(${us})`;
  const eventRows = events.map(
    ({ user, us, category, seconds }) => `(${user}::bigint, ${time(us)}, '${category}', ${seconds}::double)`,
  );
  const dailyRows = daily.map(
    ({ user, us, created, score }) => `(${user}::bigint, ${time(us)}, ${time(created)}, ${score}::double)`,
  );
  await writeTables(root, [
    ['data/events.parquet', `from (values ${eventRows.join(', ')}) as t(user_id, event_timestamp, category, seconds)`],
    ['data/daily.parquet', `from (values ${dailyRows.join(', ')}) as t(user_id, event_timestamp, created_timestamp, score)`],
  ]);
  const history = await openTestHistory(root);
  const bound = await bindRepository({ root, config: parseConfig({ project: 'clips' }, root), definitions }, history);
  const registry = { ...bound, version: 1, appliedAt: '2026-03-10T12:00:00Z' };
  return {
    events,
    daily,
    history,
    registry,
    root,
    async audit(columns, request) {
      const parts = { history, registry, directory: join(root, 'audits'), signal: new AbortController().signal };
      return await auditLeaks(parts, leakRequestSchema.parse(request), frameOf(columns));
    },
    async close() {
      await history.close();
      rmSync(root, { recursive: true, force: true });
    },
  };
}

const user = entity('user', { joinKeys: { user_id: 'int64' } });
const events = eventSource('events', {
  history: parquet('data/events.parquet'),
  eventTimestamp: 'event_timestamp',
  columns: { user_id: 'int64', category: 'string', seconds: 'float64' },
});
const daily = batchSource('daily', {
  table: parquet('data/daily.parquet'),
  eventTimestamp: 'event_timestamp',
  createdTimestamp: 'created_timestamp',
});
const windows = streamFeatureView('windows', {
  entities: [user],
  source: events,
  features: {
    clips_7d: count({ window: '7d', hop: '1h' }),
    seconds_3d: sum('seconds', { window: '3d', hop: '1h' }),
    category_entropy: entropy('category', { window: '10d', hop: '1h' }),
  },
});
const scores = featureView('scores', {
  entities: [user],
  source: daily,
  ttl: '20d',
  features: { score: { type: 'float64', default: fitted('mean') } },
});
const definitions = [user, events, daily, windows, scores].map((definition) => ({
  definition: definition as unknown as Definition,
  file: 'features/clips.ts',
}));

export function frameOf(columns: readonly TableColumn[]): Parameters<typeof auditLeaks>[2] {
  const fields = columns.map(({ name, type }): Field => {
    if (type === 'int64') return field(name, { id: 'int', bits: 64, signed: true });
    if (type === 'float64') return field(name, { id: 'float', bits: 64 });
    return field(name, type === 'time' ? { id: 'timestamp', unit: 'us', timezone: 'UTC' } : { id: type });
  });
  const schema: Schema = { fields, metadata: new Map() };
  const rows = columns[0]?.values.length ?? 0;
  return {
    schema,
    async *batches() {
      for (let from = 0; from === 0 || from < rows; from += 64) {
        const built = columns.map(({ values }, at) => columnFromValues(fields[at] as Field, values.slice(from, from + 64)));
        yield { columns: built, length: Math.min(64, rows - from), plain: (index) => built[index] as (typeof built)[number] };
      }
    },
  };
}

export interface EntityRow {
  readonly user: number;
  readonly us: number;
}

/** Rows at events (the ones that are predicted) and between them. */
export function drawRows({ events: all }: Pick<Clips, 'events'>, seed: number, length = 150): readonly EntityRow[] {
  const random = createRandom(seed);
  return Array.from({ length }, () => {
    const event = all[random(all.length)] as Clip;
    return random(2) === 0
      ? { user: event.user, us: event.us }
      : { user: event.user, us: start + 2 * day + random(26 * 24 * 3600) * 1_000_000 };
  });
}

export function keyColumns(rows: readonly EntityRow[]): readonly TableColumn[] {
  return [
    { name: 'user_id', type: 'int64', values: rows.map((row) => BigInt(row.user)) },
    { name: 'event_timestamp', type: 'time', values: rows.map(({ us }) => BigInt(us)) },
  ];
}

/** The left end of a window with a hop of an hour. */
export function leftEnd(us: number, window: number): number {
  return Math.floor((us - window) / hour) * hour;
}

export function eventsIn(clips: Pick<Clips, 'events'>, ofUser: number, from: number, to: number): readonly Clip[] {
  return clips.events.filter((event) => event.user === ofUser && event.us >= from && event.us < to);
}

export function entropyOf(some: readonly Clip[]): number | null {
  const counts = new Map<string, number>();
  for (const { category } of some) counts.set(category, (counts.get(category) ?? 0) + 1);
  if (some.length === 0) return null;
  return [...counts.values()].reduce((total, n) => total - (n / some.length) * Math.log(n / some.length), 0) + 0;
}

/** The last row of a user that some condition is true of. */
export function lastDaily(clips: Pick<Clips, 'daily'>, ofUser: number, isWanted: (row: Daily) => boolean): Daily | undefined {
  return clips.daily.filter((row) => row.user === ofUser && isWanted(row)).sort((a, b) => b.us - a.us)[0];
}
