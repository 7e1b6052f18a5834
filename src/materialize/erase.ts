/** The right to erasure (rule 8.4): an entity out of the online store and out of what was pushed, and not back until that is lifted. */
import { formatInstantUs } from '../definitions/literal.ts';
import type { TimesUs } from '../definitions/times-us.ts';
import type { History } from '../offline/history.ts';
import type { KeyPart } from '../online/encoding/decode-key.ts';
import { encodeEntityKey } from '../online/encoding/keys.ts';
import { createOnlineRecords } from '../online/records.ts';
import type { OnlineStore } from '../online/store.ts';
import { createErasureIndex, type Erasure } from '../online/write/erasure-index.ts';
import { createOnlineWriter } from '../online/write/writer.ts';
import type { EntityDocument, RegistryDocument, SourceDocument, ViewDocument } from '../registry/document.ts';
import { findNamed } from '../registry/references.ts';
import { tablesOf } from '../registry/source-tables.ts';
import { readEntityKeys } from './entity-keys.ts';
import { renewEpoch } from './view-state.ts';

export interface ErasureParts {
  readonly history: Pick<History, 'archive' | 'ticks' | 'discardViews'>;
  readonly store: OnlineStore;
  registry(): RegistryDocument;
  /** What was logged of what was served, rewritten without what is erased. */
  readonly featureLog?: { erase(signal?: AbortSignal): Promise<{ readonly files: number; readonly rows: number }> };
  /** Saved datasets that hold rows with these keys. */
  findSaved?(keys: readonly SavedKey[], signal?: AbortSignal): Promise<ErasureReport['datasets']>;
  nowUs?(): bigint;
}

/** A join key of the entity, and its value as a column holds it. */
export interface SavedKey {
  readonly joinKey: string;
  readonly value: string | number | bigint | boolean | Uint8Array;
}

/** What is told of an erasure, in the names of the wire. */
export interface ErasureReport {
  readonly entity: string;
  /** The instant since which it is erased; that of the first time where it was erased before. */
  readonly erased_at: string;
  /** Keys of the online store from which rows were removed, and how many rows of each view. */
  readonly online: { readonly keys: number; readonly rows: Readonly<Record<string, number>> };
  /** By source, what was rewritten of what had been pushed, and of the results of SQL. */
  readonly archives: readonly { readonly source: string; readonly files: number; readonly rows: number }[];
  /** What was rewritten of the feature log. */
  readonly feature_log: { readonly files: number; readonly rows: number };
  /** Saved datasets that hold rows of it, or may where `rows` is null: reported and not changed, they go when they are deleted. */
  readonly datasets: readonly { readonly dataset: string; readonly rows: number | null; readonly problem?: string }[];
  /** Tables that may hold the entity. They belong to others: they are reported and not changed. */
  readonly foreign: readonly {
    readonly source: string;
    readonly format: string;
    readonly paths: readonly string[];
    readonly views: readonly string[];
  }[];
}

/** In the names of the wire. */
export interface LiftReport {
  /** Whether it was erased. */
  readonly lifted: boolean;
  /** Since when it was, where that is known. */
  readonly erased_at: string | null;
}

export interface ShownErasure {
  /** Entities with these join keys; none where they are no more applied. */
  readonly entities: readonly string[];
  /** int64 as text, bytes in base64; of text and bytes longer than 64 bytes `sha256:…`. */
  readonly keys: Readonly<Record<string, string | boolean>>;
  readonly erased_at: string;
  /** False while it is under way, or where it was cut short: then it is to be erased again. */
  readonly finished: boolean;
}

export interface Erasures {
  /** Removes all that is ours of one entity. Cut short, it may be repeated, and readers and writers obey it by then. */
  erase(entity: string, keys: Readonly<Record<string, unknown>>, signal?: AbortSignal): Promise<ErasureReport>;
  /** Takes an erasure back: rows are taken again from then on, and none that was ours comes back. */
  lift(entity: string, keys: Readonly<Record<string, unknown>>, signal?: AbortSignal): Promise<LiftReport>;
  /** All that is erased, the oldest first. */
  list(signal?: AbortSignal): Promise<readonly ShownErasure[]>;
}

export function createErasures({ history, store, registry, featureLog, findSaved, nowUs }: ErasureParts): Erasures {
  const now = nowUs ?? (() => BigInt(Date.now()) * 1000n);

  function open(name: string, keys: Readonly<Record<string, unknown>>) {
    const document = registry();
    const entity = findNamed(document.entities, 'entity', name);
    const values = readEntityKeys(entity, keys);
    const { project } = document;
    return {
      document,
      entity,
      values,
      key: encodeEntityKey(project, entity.joinKeys, values),
      index: createErasureIndex(store, project),
      writer: createOnlineWriter(store, project),
      views: document.views.filter((view) => contains(view, entity)),
    };
  }

  /** What was pushed to the views' sources, or computed by them, and what is kept of it, which holds rows that were read before. */
  async function eraseArchives({ document, views }: ReturnType<typeof open>): Promise<readonly ErasedArchive[]> {
    const archives = [];
    for (const name of new Set(views.map((view) => view.source))) {
      const source = findNamed(document.sources, 'source', name);
      const isComputed = source.query !== undefined;
      const report = await (isComputed ? history.ticks?.erase(source) : history.archive?.erase(name, source.eventTimestamp));
      if (report === undefined) continue;
      await history.discardViews(document.views.filter((view) => view.source === name).map((view) => view.name));
      const { files, rows, timesUs } = report;
      if (files > 0) archives.push({ source: name, files, rows, timesUs: timesUs && widenLocal(timesUs, source) });
    }
    return archives;
  }

  return {
    async erase(name, keys, signal) {
      const opened = open(name, keys);
      const { document, entity, values, key, index, writer, views } = opened;
      // In this order, whoever sees the tombstone, or rows of it gone, finds it in the index as well.
      const atUs = await index.begin(key, now(), signal);
      const online = await writer.erase(entity.joinKeys, values, atUs, signal);
      const erased = await eraseArchives(opened);
      const archives = erased.map(({ source, files, rows }) => ({ source, files, rows }));
      const logged = (await featureLog?.erase(signal)) ?? { files: 0, rows: 0 };
      const removed = erased.map(({ source, rows, timesUs }) => [source, { rows, timesUs }] as const);
      await index.finish(key, Object.fromEntries(removed), signal);
      const foreign = foreignTables(document, views);
      const held = entity.joinKeys.map(({ name: joinKey }, at) => ({ joinKey, value: values[at] as SavedKey['value'] }));
      const datasets = (await findSaved?.(held, signal)) ?? [];
      return { entity: name, erased_at: formatInstantUs(atUs), online, archives, feature_log: logged, datasets, foreign };
    },
    async lift(name, keys, signal) {
      const opened = open(name, keys);
      const { document, entity, values, key, index, writer, views } = opened;
      // What was hidden until now must not be seen again.
      await eraseArchives(opened);
      await featureLog?.erase(signal);
      const hadTombstone = await writer.lift(entity.joinKeys, values, signal);
      const atUs = await index.remove(key, signal);
      // Its rows of foreign tables were not stored, and are to be with the next materialization.
      const records = createOnlineRecords(store, document.project);
      for (const view of views) await renewEpoch(records, view.name, signal);
      return { lifted: hadTombstone || atUs !== undefined, erased_at: atUs === undefined ? null : formatInstantUs(atUs) };
    },
    async list(signal) {
      const { project, entities } = registry();
      const erasures = await createErasureIndex(store, project).read(signal);
      return erasures
        .toSorted((a, b) => (a.atUs < b.atUs ? -1 : a.atUs > b.atUs ? 1 : 0))
        .map((erasure) => showErasure(erasure, entities));
    },
  };
}

type ErasedArchive = ErasureReport['archives'][number] & { readonly timesUs: TimesUs | undefined };

/** Local times were taken for UTC, from which no zone is as far as a day. */
function widenLocal([least, greatest]: TimesUs, { kind, timezone, eventTimestamp, columns }: SourceDocument): TimesUs {
  const type = columns.find(({ name }) => name === eventTimestamp)?.type;
  const isInstant = kind === 'event' || timezone === undefined || type === 'TIMESTAMP WITH TIME ZONE';
  const widthUs = isInstant ? 0n : 86_400_000_000n;
  return [least - widthUs, greatest + widthUs];
}

/** Whether each of a view's keys contains one of the entity. */
function contains(view: ViewDocument, { joinKeys }: EntityDocument): boolean {
  return joinKeys.every(({ name }) => view.keys.some((key) => key.name === name));
}

function foreignTables({ sources }: RegistryDocument, views: readonly ViewDocument[]): ErasureReport['foreign'] {
  const foreign = sources.filter(({ query }) => query === undefined);
  return foreign.flatMap((source) => {
    const { name } = source;
    const reading = views.filter((view) => view.source === name).map((view) => view.name);
    if (reading.length === 0) return [];
    return tablesOf(source).map(({ format, paths }) => ({ source: name, format, paths, views: reading }));
  });
}

function showErasure({ joinKeys, parts, atUs, isFinished }: Erasure, entities: readonly EntityDocument[]): ShownErasure {
  const names = joinKeys.join('\0');
  const own = entities.filter((entity) => entity.joinKeys.map((key) => key.name).join('\0') === names);
  return {
    entities: own.map((entity) => entity.name),
    keys: Object.fromEntries(joinKeys.map((name, at) => [name, showPart(parts[at] as KeyPart)])),
    erased_at: formatInstantUs(atUs),
    finished: isFinished,
  };
}

function showPart({ kind, value }: KeyPart): string | boolean {
  switch (kind) {
    case 'bool':
      return value;
    case 'bytes':
      return Buffer.from(value).toString('base64');
    case 'stringDigest':
    case 'bytesDigest':
      return `sha256:${value}`;
    default:
      return String(value);
  }
}
