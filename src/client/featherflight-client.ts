/** The client of a program in Node: online features over HTTP, history over Flight, which is loaded when it is asked for. */
import { randomUUID } from 'node:crypto';
import type { Lineage } from './answers.ts';
import type { ConnectionOptions } from './connection.ts';
import type { DatasetQuery, DatasetRows, FlightClient } from './flight-client.ts';
import type { EntityFrame, HistoricalQuery, TrainingSet } from './historical-query.ts';
import { type HttpConnection, openHttp } from './http/call-server.ts';
import {
  type CheckReport,
  type DriftQuery,
  encodePeriods,
  type LeakQuery,
  type ParityProgress,
  type ParityQuery,
  type ParityReport,
} from './http/checks.ts';
import type {
  AnyDefinitions,
  FeatureColumns,
  FeatureName,
  ServiceColumns,
  ServiceName,
  ServiceRequest,
} from './http/definitions-type.ts';
import { encodeColumns, encodeMembers, type RequestColumns, type RequestValue } from './http/encode-columns.ts';
import {
  encodePlace,
  type LongCallOptions,
  type MaterializeOptions,
  type ReplayOptions,
  type ReplayReport,
  type ResetReport,
  type ResetStreamOptions,
  type RunSqlOptions,
  type RunSqlReport,
  type SetAsideOptions,
  type SetAsideReport,
  type StreamState,
  toIso,
} from './http/long-calls.ts';
import { type Int64Mode, type OnlineAnswer, readOnlineAnswer } from './http/online-answer.ts';

export interface FeatherflightClientOptions {
  /** `http://host:port` or `https://host:port`. */
  readonly url: string;
  /** Where history is asked for; default: grpc, or grpc+tls beside https, at the same host, port 8815. */
  readonly flightUrl?: string;
  readonly token?: string;
  /** PEM of who may have signed the server's certificate; default what Node trusts. */
  readonly ca?: string | Uint8Array;
  /** int64 values are bigint, or with `number` numbers, and OUT_OF_RANGE above 2^53. */
  readonly int64?: Int64Mode;
  /** For one online call, its retries included; default 5000. */
  readonly timeoutMs?: number;
  /** Further tries of calls that failed for the moment; default 2. */
  readonly retries?: number;
}

export interface ClientCallOptions {
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
}

export interface OnlineRequestOptions {
  /** View or prefix -> join key -> column of `entities`, where they differ. */
  readonly keys?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly fullFeatureNames?: boolean;
}

export interface PushOptions extends ClientCallOptions {
  readonly to?: 'online' | 'offline' | 'online_and_offline';
  /** The same for each try of one push, which then counts once; default: one made for this call. */
  readonly idempotencyKey?: string;
}

export type CatalogueKind = 'entities' | 'sources' | 'feature-views' | 'feature-services' | 'features';
type Json = Readonly<Record<string, unknown>>;

/** Safe to share; connections are kept between calls. Everything it rejects with is a FeatureStoreError. */
export class FeatherflightClient<D = AnyDefinitions> {
  readonly #options: FeatherflightClientOptions;
  readonly #http: HttpConnection;
  #flight: Promise<FlightClient> | undefined;

  constructor(options: FeatherflightClientOptions) {
    this.#options = options;
    this.#http = openHttp(options);
  }

  /** Features of entities as they are now; a column of one value stands for all rows. */
  getOnlineFeatures<S extends ServiceName<D>>(
    query: { readonly service: S; readonly features?: undefined } & ServiceRequest<D, S> & OnlineRequestOptions,
    options?: ClientCallOptions,
  ): Promise<OnlineAnswer<ServiceColumns<D, S>>>;
  getOnlineFeatures<F extends FeatureName<D>>(
    query: {
      readonly features: readonly F[];
      readonly service?: undefined;
      readonly entities: RequestColumns;
      readonly request?: RequestColumns;
    } & OnlineRequestOptions,
    options?: ClientCallOptions,
  ): Promise<OnlineAnswer<FeatureColumns<D, F>>>;
  async getOnlineFeatures(
    query: {
      readonly service?: string;
      readonly features?: readonly string[];
      readonly entities: object;
      readonly request?: object;
    } & OnlineRequestOptions,
    options: ClientCallOptions = {},
  ): Promise<OnlineAnswer<never>> {
    const body = encodeMembers({
      service: JSON.stringify(query.service),
      features: JSON.stringify(query.features),
      entities: encodeColumns(query.entities as RequestColumns),
      request: query.request === undefined ? undefined : encodeColumns(query.request as RequestColumns),
      keys: JSON.stringify(query.keys),
      full_feature_names: JSON.stringify(query.fullFeatureNames),
    });
    const timeoutMs = options.timeoutMs ?? this.#timeoutMs;
    return readOnlineAnswer(await this.#post('/api/v1/online-features', body, { ...options, timeoutMs }), this.#int64);
  }

  /** Events, or rows of a batch source that takes pushes, by column; a retried push counts once. */
  async push(source: string, rows: RequestColumns, options: PushOptions = {}): Promise<Json> {
    const { to, idempotencyKey = randomUUID(), ...call } = options;
    const body = encodeMembers({
      source: JSON.stringify(source),
      rows: encodeColumns(rows),
      to: JSON.stringify(to),
      idempotency_key: JSON.stringify(idempotencyKey),
    });
    return (await this.#post('/api/v1/push', body, { timeoutMs: this.#timeoutMs, ...call })) as Json;
  }

  /**
   * Rows of a view into the online store alone, by column: its join keys, its features, `event_timestamp` and, where the source has
   * them, `created_timestamp` and `available_at`. Training sets do not see them; writing rows again serves the same.
   */
  async writeToOnlineStore(view: string, rows: RequestColumns, options: ClientCallOptions = {}): Promise<Json> {
    const body = encodeMembers({ view: JSON.stringify(view), rows: encodeColumns(rows) });
    return (await this.#post('/api/v1/write-to-online-store', body, { timeoutMs: this.#timeoutMs, ...options })) as Json;
  }

  /** Moves the newest values of views into the online store; it takes as long as it takes, unless `timeoutMs` says otherwise. */
  async materialize({ views, start, end, ...call }: MaterializeOptions = {}): Promise<Json> {
    return (await this.#long('/api/v1/materialize', { views, start: toIso(start), end: toIso(end) }, call)) as Json;
  }

  /** Runs ticks of an SQL source; one that has run is left, unless `again` is true. */
  async runSql(source: string, { start, end, again, ...call }: RunSqlOptions = {}): Promise<RunSqlReport> {
    const path = `/api/v1/sql-sources/${encodeURIComponent(source)}/run`;
    return (await this.#long(path, { start: toIso(start), end: toIso(end), again }, call)) as RunSqlReport;
  }

  /** Removes an entity, named by its join keys, from the online store and from what was pushed; tells what it removed and what it could not. */
  async erase(entity: string, keys: Readonly<Record<string, RequestValue>>, options: ClientCallOptions = {}): Promise<Json> {
    return (await this.#post('/api/v1/erasures', encodeErasure(entity, keys), options)) as Json;
  }

  /** Takes an erasure back: rows of the entity are taken again, and none that was removed returns by itself. */
  async liftErasure(
    entity: string,
    keys: Readonly<Record<string, RequestValue>>,
    options: ClientCallOptions = {},
  ): Promise<Json> {
    return (await this.#post('/api/v1/erasures/lift', encodeErasure(entity, keys), options)) as Json;
  }

  /** All that is erased, the oldest first. */
  async erasures(options: ClientCallOptions = {}): Promise<readonly Json[]> {
    return ((await this.#get('/api/v1/erasures', options)) as { erasures: readonly Json[] }).erasures;
  }

  /** The rows of what is applied, of one kind. */
  async catalogue(kind: CatalogueKind, options: ClientCallOptions = {}): Promise<readonly Json[]> {
    return ((await this.#get(`/api/v1/${kind}`, options)) as { rows: readonly Json[] }).rows;
  }

  /** What a source, view, service or `view:feature` is made of, and what is made of it. */
  async lineage(name: string, options: ClientCallOptions = {}): Promise<Lineage> {
    return (await this.#get(`/api/v1/lineage/${encodeURIComponent(name)}`, options)) as Lineage;
  }

  /** How far the streams of event sources are: their partitions, lag and counts, and why one stands still. */
  async streams(options: ClientCallOptions = {}): Promise<readonly StreamState[]> {
    return ((await this.#get('/api/v1/streams', options)) as { streams: readonly StreamState[] }).streams;
  }

  /** Events of a source's stream that count nowhere, the newest first, each with its reason. */
  async setAside(source: string, { limit, partition, reason, ...call }: SetAsideOptions = {}): Promise<SetAsideReport> {
    const asked = Object.entries({ limit, partition, reason }).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, String(value)] as [string, string]],
    );
    const path = `${streamPath(source, 'set-aside')}?${new URLSearchParams(asked)}`;
    return (await this.#get(path, call)) as SetAsideReport;
  }

  /** Makes states of a source's features anew from history: of all keys, or of those with an event in a range. */
  async replay(source: string, { from, to, ...call }: ReplayOptions = {}): Promise<ReplayReport> {
    return (await this.#long(streamPath(source, 'replay'), { from: toIso(from), to: toIso(to) }, call)) as ReplayReport;
  }

  /** Reads the stream of a source on from elsewhere, and makes all its states anew from history. */
  async resetStream(source: string, { from, newLog, ...call }: ResetStreamOptions): Promise<ResetReport> {
    return (await this.#long(streamPath(source, 'reset'), { from: encodePlace(from), new_log: newLog }, call)) as ResetReport;
  }

  /** Compares what was served with what training gets, and finds why it differs; a report that fails is no error. */
  async checkParity(query: ParityQuery = {}, options: LongCallOptions<ParityProgress> = {}): Promise<ParityReport> {
    return (await this.#long('/api/v1/validate/parity', encodePeriods(query), options)) as ParityReport;
  }

  /** Compares what was served, or a saved dataset, with the period before, a dataset, or a training set: a frame, or a file that the server may read. */
  async drift(query: DriftQuery = {}, training?: EntityFrame, options: LongCallOptions<Json> = {}): Promise<CheckReport> {
    const upload = await this.#upload(training, options);
    return (await this.#long('/api/v1/validate/drift', { ...encodePeriods(query), upload }, options)) as CheckReport;
  }

  /** Looks for values that rest on the future: in features of a frame, or with `table` in columns that were made elsewhere. */
  async auditLeaks(query: LeakQuery, frame?: EntityFrame, options: LongCallOptions<Json> = {}): Promise<CheckReport> {
    const upload = await this.#upload(frame, options);
    return (await this.#long('/api/v1/validate/leaks', { ...query, upload }, options)) as CheckReport;
  }

  /** A training set over Flight, as Arrow record batches. */
  async getHistoricalFeatures(
    query: HistoricalQuery,
    frame?: EntityFrame,
    options?: Pick<ClientCallOptions, 'signal'>,
  ): Promise<TrainingSet> {
    return await (await this.flight()).getHistoricalFeatures(query, frame, options);
  }

  /** Rows of a saved dataset over Flight, as Arrow record batches in the order of its frame. */
  async getDataset(query: DatasetQuery, options?: Pick<ClientCallOptions, 'signal'>): Promise<DatasetRows> {
    return await (await this.flight()).getDataset(query, options);
  }

  /** The Flight client behind `getHistoricalFeatures` and `getDataset`; gRPC is loaded with the first call. */
  flight(): Promise<FlightClient> {
    this.#flight ??= import('./flight-client.ts').then(({ openFlightClient }) => openFlightClient(this.#flightOptions()));
    return this.#flight;
  }

  /** Ends the connections, and with them all calls. */
  async close(): Promise<void> {
    this.#http.close();
    (await this.#flight?.catch(() => undefined))?.close();
  }

  get #timeoutMs(): number {
    return this.#options.timeoutMs ?? 5000;
  }

  get #int64(): Int64Mode {
    return this.#options.int64 ?? 'bigint';
  }

  async #upload(frame: EntityFrame | undefined, { signal }: Pick<ClientCallOptions, 'signal'>): Promise<string | undefined> {
    return frame === undefined ? undefined : await (await this.flight()).upload(frame, { signal });
  }

  #post(path: string, body: string, options: ClientCallOptions): Promise<unknown> {
    return this.#http.call({ method: 'POST', path, body, isRepeatable: true, ...options });
  }

  #long<Progress>(path: string, body: object, { onProgress, signal, timeoutMs }: LongCallOptions<Progress>): Promise<unknown> {
    const show = onProgress as ((progress: unknown) => void) | undefined;
    return this.#http.call({
      ...{ method: 'POST', path, body: JSON.stringify(body), isRepeatable: true, signal, timeoutMs },
      ...(show === undefined ? {} : { onProgress: show }),
    });
  }

  #get(path: string, options: ClientCallOptions): Promise<unknown> {
    return this.#http.call({ method: 'GET', path, isRepeatable: true, timeoutMs: this.#timeoutMs, ...options });
  }

  #flightOptions(): ConnectionOptions {
    const { url, flightUrl, token, ca } = this.#options;
    const { protocol, hostname } = new URL(url);
    const scheme = protocol === 'https:' ? 'grpc+tls' : 'grpc';
    return {
      url: flightUrl ?? `${scheme}://${hostname}:8815`,
      token,
      ...(ca === undefined ? {} : { tls: { rootCertificates: ca } }),
    };
  }
}

function encodeErasure(entity: string, keys: Readonly<Record<string, RequestValue>>): string {
  return encodeMembers({ entity: JSON.stringify(entity), keys: encodeColumns(keys) });
}

function streamPath(source: string, what: string): string {
  return `/api/v1/streams/${encodeURIComponent(source)}/${what}`;
}
