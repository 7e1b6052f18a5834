/** The catalogue: what has been applied, as rows that clients show. */
import { formatInstantUs } from '../definitions/literal.ts';
import { didYouMean, FeatureStoreError } from '../errors.ts';
import type { ShownStream } from '../http/stream-answers.ts';
import type { Usage } from '../lifecycle/usage-records.ts';
import { describeTicks } from '../materialize/run-ticks.ts';
import { declaredColumns } from '../offline/archive/archived-columns.ts';
import type { History } from '../offline/history.ts';
import type { Ticks } from '../offline/ticks/ticks.ts';
import type { ColumnDocument, RegistryDocument, SourceDocument, ViewDocument } from '../registry/document.ts';
import { onDemandViewsOf } from '../registry/references.ts';
import type { ViewFreshness } from '../validate/freshness.ts';
import { type CatalogueRow, describeFeature, describeOnDemandView, describeService, describeView } from './catalogue-rows.ts';
import type { Freshness } from './freshness.ts';
import { describeStream } from './stream-status.ts';
import type { UsageFacts } from './usage.ts';

export const catalogueKinds = ['entities', 'sources', 'feature_views', 'feature_services', 'features'] as const;
export type { CatalogueRow };
export type CatalogueKind = (typeof catalogueKinds)[number];

/** The greatest event timestamp of a source in microseconds; undefined where there is none or it cannot be read now. */
export interface NewestEvent {
  (source: SourceDocument): Promise<bigint | undefined>;
  /** Results of SQL sources; absent where there is no folder for them. */
  readonly ticks?: Pick<Ticks, 'list'>;
  /** How far the stream of an event source is; absent where nobody is asked. */
  readonly stream?: (source: string) => Promise<ShownStream | undefined>;
  /** How old what is served of views is, as far as that can be known now. */
  readonly freshness?: (views?: readonly string[]) => Promise<readonly ViewFreshness[]>;
  /** Who has read what last; undefined where that cannot be known now. */
  readonly usage?: () => Promise<Usage | undefined>;
}

/** Freshness and ticks as history knows them: a source that cannot be read now has no freshness, and asking for its features says why. */
export function sourceFactsOf(
  history: Pick<History, 'newestEventUs' | 'ticks'>,
  streams: { list(source: string): Promise<readonly ShownStream[]> },
  { read }: UsageFacts,
  { read: readFreshness }: Freshness,
): NewestEvent {
  const newest = (source: SourceDocument) => history.newestEventUs(source).catch(() => undefined);
  const stream = async (source: string) => (await streams.list(source).catch(() => []))[0];
  const usage = () => read().catch(() => undefined);
  const freshness = (views?: readonly string[]) => readFreshness(views).catch(() => []);
  return Object.assign(newest, { ticks: history.ticks, stream, usage, freshness });
}

/** The rows of one kind, in the order of their names. */
export async function listCatalogue(registry: RegistryDocument, kind: string, newestEvent: NewestEvent): Promise<CatalogueRow[]> {
  const isRead = ['feature_views', 'feature_services', 'features'].includes(kind);
  const usage = isRead ? await newestEvent.usage?.() : undefined;
  switch (kind) {
    case 'entities':
      return registry.entities.map(({ name, joinKeys, description, owner, tags }) => ({
        name,
        join_keys: Object.fromEntries(joinKeys.map((key) => [key.name, key.type])),
        description: description ?? null,
        owner: owner ?? null,
        tags,
      }));
    case 'sources':
      return await Promise.all(
        registry.sources.map(async (source) =>
          describeSource(source, { ...(await tickFacts(source, newestEvent)), ...(await streamFacts(source, newestEvent)) }),
        ),
      );
    case 'feature_views': {
      const ages = new Map((await newestEvent.freshness?.())?.map((each) => [each.view, each]));
      return byName([
        ...(await Promise.all(
          registry.views.map(async (view) =>
            describeView(view, { newest: await newestOf(registry, view, newestEvent), freshness: ages.get(view.name) }, usage),
          ),
        )),
        ...onDemandViewsOf(registry).map((view) => describeOnDemandView(registry, view, usage)),
      ]);
    }
    case 'feature_services':
      return registry.services.map((service) => describeService(service, usage));
    case 'features': {
      const rows = registry.views.map(async (view) => {
        const newest = await newestOf(registry, view, newestEvent);
        return view.features.map((feature) => describeFeature(view, feature, newest, usage));
      });
      const computed = onDemandViewsOf(registry).flatMap((view) =>
        view.features.map((feature) => describeFeature(view, feature, null, usage)),
      );
      // Views by their names, features in the order of their view.
      return byName([...(await Promise.all(rows)).flat(), ...computed], (row) => String(row.view));
    }
    default:
      throw new FeatureStoreError(
        'INVALID_ARGUMENT',
        `the catalogue has no kind "${kind}"${didYouMean(kind, catalogueKinds)} (there are ${catalogueKinds.join(', ')})`,
      );
  }
}

function byName<T extends CatalogueRow>(rows: readonly T[], nameOf = (row: T): string => row.name): T[] {
  return [...rows].sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : nameOf(a) > nameOf(b) ? 1 : 0));
}

/** Everything of one name, of one kind or of any; NOT_FOUND names the nearest. */
export async function describeCatalogue(
  registry: RegistryDocument,
  kind: string | undefined,
  name: string,
  newestEvent: NewestEvent,
): Promise<(CatalogueRow & { readonly kind_of: CatalogueKind })[]> {
  const kinds = kind === undefined ? catalogueKinds : [kind as CatalogueKind];
  const { stream, freshness } = newestEvent;
  // Other sources' logs need not be asked.
  const own = {
    stream: async (source: string) => (source === name ? await stream?.(source) : undefined),
    freshness: async () => (await freshness?.([name])) ?? [],
  };
  const facts: NewestEvent = Object.assign((source: SourceDocument) => newestEvent(source), newestEvent, own);
  const found: (CatalogueRow & { readonly kind_of: CatalogueKind })[] = [];
  const names: string[] = [];
  for (const each of kinds) {
    for (const row of await listCatalogue(registry, each, facts)) {
      names.push(row.name);
      if (row.name === name) found.push({ ...row, kind_of: each });
    }
  }
  if (found.length === 0)
    throw new FeatureStoreError('NOT_FOUND', `nothing named "${name}" has been applied${didYouMean(name, names)}`, {
      details: { name },
    });
  return found;
}

/** The calendar's last instant, in the year 275760, and its mirror image. */
const calendarUs = 8_640_000_000_000_000_000n;

/** Of an SQL source: its statement, and which ticks have run as it is defined now. */
async function tickFacts(
  { query, ...source }: SourceDocument,
  { ticks }: NewestEvent,
): Promise<Readonly<Record<string, unknown>>> {
  if (query === undefined) return {};
  const found = ticks && (await describeTicks(ticks, { ...source, query }));
  return {
    inputs: query.inputs.map((input) => input.source),
    every: query.every,
    offset: query.offset,
    as_known: query.asKnown,
    sql: query.sql,
    first_tick: found === undefined ? null : formatInstantUs(found.firstUs),
    last_tick: found === undefined ? null : formatInstantUs(found.lastUs),
    ticks: found?.count ?? 0,
    missing_ticks: found?.missing ?? 0,
  };
}

/** Of an event source: where its events come from, and how far they have been applied. */
async function streamFacts(
  { name, kind, stream, events, archive }: SourceDocument,
  newestEvent: NewestEvent,
): Promise<Readonly<Record<string, unknown>>> {
  if (kind !== 'event') return {};
  const shown = await newestEvent.stream?.(name);
  // Where a log, or a partition's end, is not known, nothing can be said of all.
  const isKnown = shown !== undefined && shown.log_error === null;
  const lags = isKnown ? shown.partitions.map((partition) => partition.lag_records) : [null];
  const seconds = isKnown ? shown.partitions.map((partition) => partition.lag_seconds) : [null];
  return {
    stream: stream === undefined ? null : describeStream(stream),
    lateness: events?.lateness ?? null,
    event_id: events?.eventId ?? null,
    archive: archive ?? true,
    partitions: shown?.partitions.length ?? null,
    lag_records: lags.includes(null) ? null : lags.reduce<number>((sum, lag) => sum + (lag ?? 0), 0),
    lag_seconds: seconds.includes(null) ? null : Math.max(0, ...seconds.map(Number)),
    stream_error: shown?.error ?? shown?.log_error ?? null,
  };
}

function describeSource(source: SourceDocument, facts: Readonly<Record<string, unknown>>): CatalogueRow {
  return {
    name: source.name,
    kind: source.kind,
    format: source.kind === 'event' && source.table.paths.length === 0 ? null : source.table.format,
    paths: source.table.paths,
    event_timestamp: source.eventTimestamp,
    created_timestamp: source.createdTimestamp ?? null,
    available_at: source.availableAt ?? null,
    timezone: source.timezone ?? null,
    columns: Object.fromEntries(shownColumns(source).map((column) => [column.name, column.type])),
    description: source.description ?? null,
    owner: source.owner ?? null,
    tags: source.tags,
    ...facts,
  };
}

/** Of an event source those that it declares, whatever its tables have. */
function shownColumns(source: SourceDocument): readonly ColumnDocument[] {
  return source.kind === 'event' ? declaredColumns(source) : source.columns;
}

async function newestOf(registry: RegistryDocument, view: ViewDocument, newestEvent: NewestEvent): Promise<string | null> {
  const source = registry.sources.find((candidate) => candidate.name === view.source);
  const us = source === undefined ? undefined : await newestEvent(source);
  // Beyond the years of the calendar there is an instant, but no way to write it.
  return us === undefined || us < -calendarUs || us > calendarUs ? null : formatInstantUs(us);
}
