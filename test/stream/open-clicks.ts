/** A source of clicks with a stream, its history and its online answers, in one process: what tests of the room of streams stand on. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseConfig } from '../../src/config.ts';
import {
  count,
  csv,
  type DurationText,
  type EventSourceOptions,
  entity,
  eventSource,
  streamFeatureView,
} from '../../src/index.ts';
import { silentLogger } from '../../src/observe.ts';
import type { History } from '../../src/offline/history.ts';
import { openLmdbStore } from '../../src/online/lmdb-store.ts';
import { createOnlineRecords } from '../../src/online/records.ts';
import { createOnlineFeatures } from '../../src/online/retrieve/retrieve.ts';
import type { OnlineStore } from '../../src/online/store.ts';
import { bindRepository } from '../../src/registry/bind.ts';
import type { RegistryDocument, SourceDocument } from '../../src/registry/document.ts';
import type { Definition } from '../../src/registry/repository.ts';
import { compileDecoder } from '../../src/stream/decode/compile-decoder.ts';
import { type FillOptions, fillFeatures } from '../../src/stream/fill-features.ts';
import type { LogRecord } from '../../src/stream/log/log.ts';
import { createSourceProcessor } from '../../src/stream/process-source.ts';
import { openProgress } from '../../src/stream/progress.ts';
import { compileStreamSource } from '../../src/stream/stream-source.ts';
import { openTestHistory } from '../support/answer-with-engine.ts';

export const noonUs = 1_773_144_000_000_000n;
export const secondUs = 1_000_000n;

export interface Click {
  readonly id?: string;
  readonly user: number | null;
  readonly at: bigint;
}

/** Counts of a user: name of the feature -> its window. */
export type Windows = Readonly<Record<string, DurationText | 'lifetime'>>;

export interface ClicksOptions extends Partial<EventSourceOptions> {
  /** Events in the tables of history; they have one where this is given. */
  readonly past?: readonly Click[];
}

export async function openClicks({ past, ...options }: ClicksOptions = {}) {
  const root = mkdtempSync(join(tmpdir(), 'featherflight-clicks-'));
  const store = openLmdbStore(join(root, 'online'));
  const history = await openTestHistory(root, { archiveDirectory: join(root, 'archive') });
  const records = createOnlineRecords(store, 'test');
  const signal = new AbortController().signal;
  let nowUs = noonUs;
  const land = (name: string, clicks: readonly Click[]) => {
    mkdirSync(join(root, 'data'), { recursive: true });
    const lines = clicks.map(({ id, user, at }) => `${new Date(Number(at / 1000n)).toISOString()},${id ?? ''},${user ?? ''}`);
    writeFileSync(join(root, 'data', `${name}.csv`), ['at,id,user_id', ...lines, ''].join('\n'));
  };
  if (past !== undefined) land('past', past);
  const { archive } = history as History & { archive: NonNullable<History['archive']> };
  const partsOf = (own: OnlineStore) => ({
    ...{ store: own, project: 'test', logger: silentLogger },
    history: { ...history, archive },
    nowUs: () => nowUs,
  });
  return {
    ...{ root, store, history, archive, records, signal, land },
    progress: openProgress(records, 'clicks'),
    partsOf,
    clock(us: bigint) {
      nowUs = us;
    },
    async apply(windows: Windows): Promise<RegistryDocument> {
      const user = entity('user', { joinKeys: { user_id: 'int64' } });
      const clicks = eventSource('clicks', {
        ...{ eventTimestamp: 'at', columns: { id: 'string', user_id: 'int64' } },
        ...(past === undefined ? {} : { history: csv('data/*.csv') }),
        ...options,
      } as EventSourceOptions);
      const view = streamFeatureView('activity', {
        ...{ entities: [user], source: clicks },
        features: Object.fromEntries(Object.entries(windows).map(([name, window]) => [name, count({ window })])),
      } as Parameters<typeof streamFeatureView>[1]);
      const definitions = [user, clicks, view] as unknown as Definition[];
      const config = parseConfig({ project: 'test' }, root);
      const bound = await bindRepository(
        { root, config, definitions: definitions.map((definition) => ({ definition, file: 'a.ts' })) },
        history,
      );
      return { ...bound, version: 1, appliedAt: '2026-03-10T12:00:00Z' };
    },
    fill: (registry: RegistryDocument, given: Partial<FillOptions> & { readonly store?: OnlineStore } = {}) =>
      fillFeatures(partsOf(given.store ?? store), compileStreamSource(sourceOf(registry), registry), { signal, ...given }),
    processor: (registry: RegistryDocument, own: OnlineStore = store) =>
      createSourceProcessor(partsOf(own), compileStreamSource(sourceOf(registry), registry)),
    reader(registry: RegistryDocument, own: OnlineStore = store) {
      const decode = compileDecoder(sourceOf(registry), { format: 'json' });
      return this.processor(registry, own).reader(decode, 'earliest');
    },
    /** A feature online, by user. */
    async online(registry: RegistryDocument, feature: string, users: readonly bigint[]): Promise<readonly unknown[]> {
      const features = createOnlineFeatures({
        ...{ store, project: 'test', registry: () => registry, nowUs: () => nowUs },
        facts: { fittedDefault: () => undefined, isMaterialized: () => true, isReady: () => true },
      });
      const { columns } = await features.get({ features: [`activity:${feature}`], entities: { user_id: users } });
      return columns[0]?.values ?? [];
    },
    async close() {
      await history.close();
      await store.close();
      rmSync(root, { recursive: true, force: true });
    },
  };
}

export function sourceOf({ sources }: RegistryDocument): SourceDocument {
  return sources[0] as SourceDocument;
}

/** The records of a log, from an offset on. */
export function logOf(clicks: readonly Click[], first = 0n): LogRecord[] {
  return clicks.map(({ id, user, at }, place) => ({
    offset: first + BigInt(place),
    value: Buffer.from(JSON.stringify({ at: Number(at), id: id ?? null, user_id: user })),
  }));
}
