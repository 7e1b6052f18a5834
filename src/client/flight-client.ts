/** A client of one server: its catalogue, its actions, its training sets. */
import type { Schema } from '../arrow/schema.ts';
import { decodeSingleBytes, encodeAction } from '../flight/messages.ts';
import { announceAnswer } from './announce-answer.ts';
import {
  type CatalogueRow,
  type Changes,
  changesSchema,
  checkAnswer,
  decodeJson,
  type Lineage,
  lineageSchema,
  readAnswer,
  rowsSchema,
  type ServerInfo,
  serverInfoSchema,
} from './answers.ts';
import { type CallOptions, startCall } from './client-call.ts';
import { type Connection, type ConnectionOptions, openConnection } from './connection.ts';
import { requestTrainingSet } from './historical-features.ts';
import type { EntityFrame, FrameBatch, HistoricalQuery, TrainingSet } from './historical-query.ts';
import { readDatasetRows } from './read-training-set.ts';
import { uploadFrame } from './upload-frame.ts';

export interface ActionOptions extends CallOptions {
  /** Called with each JSON result as it comes. */
  onResult?(result: unknown): void;
}

/**
 * Everything it rejects with is a FeatureStoreError: the server's own, UNAVAILABLE where the server cannot be reached or went away,
 * ABORTED where the caller's signal stopped the call, DEADLINE_EXCEEDED past its time.
 */
export interface FlightClient {
  /** `grpc://host:port`, as messages show it. */
  readonly address: string;
  /** The last JSON result of an action; undefined where it has none. */
  action(type: string, body?: unknown, options?: ActionOptions): Promise<unknown>;
  /** Product, version, project; within 20 s unless told otherwise. */
  serverInfo(options?: CallOptions): Promise<ServerInfo>;
  /** All `entities`, `sources`, `feature_views`, `feature_services` or `features`. */
  catalogue(kind: string, options?: CallOptions): Promise<readonly CatalogueRow[]>;
  /** Everything of that name, of one kind or of any. */
  describe(name: string, kind?: string, options?: CallOptions): Promise<readonly CatalogueRow[]>;
  /** What a source, view, service or `view:feature` is made of, and what is made of it. */
  lineage(name: string, options?: CallOptions): Promise<Lineage>;
  /** Has the server read its own repository again and say what apply would change. */
  plan(options?: CallOptions): Promise<Changes>;
  /**
   * Has the server read its own repository again and apply it; while features are filled, results say how far that is. FAILED_PRECONDITION
   * where something would go that was read of late, unless `force` is true.
   */
  apply(options?: ActionOptions & { readonly force?: boolean }): Promise<Changes>;
  /** Uploads a frame that another request names by the id that this resolves with. */
  upload(frame: EntityFrame, options?: Pick<CallOptions, 'signal'>): Promise<string>;
  /** Uploads the frame (none where the query names a `path`) and has the request checked; the answer streams when it is read. */
  getHistoricalFeatures(query: HistoricalQuery, frame?: EntityFrame, options?: Pick<CallOptions, 'signal'>): Promise<TrainingSet>;
  /** Rows of a saved dataset, in the frame's order: of one split, where there are several. */
  getDataset(query: DatasetQuery, options?: Pick<CallOptions, 'signal'>): Promise<DatasetRows>;
  /** Ends the connection, and with it all calls. */
  close(): void;
}

export interface DatasetQuery {
  /** `NAME@VERSION`, or NAME for the newest. */
  readonly dataset: string;
  readonly split?: string;
  /** Default all. */
  readonly columns?: readonly string[];
}

export interface DatasetRows {
  readonly schema: Schema;
  readonly rows: number;
  /** To be read once, to the end. */
  batches(): AsyncIterable<FrameBatch>;
}

const serverInfoTimeoutMs = 20_000;

/** Opens a client; it connects with its first call. INVALID_ARGUMENT for an address, a token or a certificate that cannot be used. */
export function openFlightClient(options: ConnectionOptions): FlightClient {
  const connection = openConnection(options);
  const action: FlightClient['action'] = (type, body, callOptions) => act(connection, type, body, callOptions);
  return {
    address: connection.address,
    action,
    async serverInfo(callOptions) {
      const info = await action('server_info', {}, { timeoutMs: serverInfoTimeoutMs, ...callOptions });
      return checkAnswer(serverInfoSchema, info, 'the answer to server_info');
    },
    async catalogue(kind, callOptions) {
      return checkAnswer(rowsSchema, await action('list', { kind }, callOptions), 'the answer to list').rows;
    },
    async describe(name, kind, callOptions) {
      return checkAnswer(rowsSchema, await action('describe', { name, kind }, callOptions), 'the answer to describe').rows;
    },
    async lineage(name, callOptions) {
      return checkAnswer(lineageSchema, await action('lineage', { name }, callOptions), 'the answer to lineage');
    },
    async plan(callOptions) {
      return checkAnswer(changesSchema, await action('plan', {}, callOptions), 'the answer to plan');
    },
    async apply({ force, ...callOptions } = {}) {
      const body = force === true ? { force } : {};
      return checkAnswer(changesSchema, await action('apply', body, callOptions), 'the answer to apply');
    },
    upload: (frame, callOptions = {}) => uploadFrame(connection, frame, callOptions),
    async getDataset(query, callOptions = {}) {
      const announced = await announceAnswer(connection, { type: 'get_dataset', batch_rows: 65_536, ...query }, callOptions);
      const { schema, rows = 0 } = announced;
      return { schema, rows, batches: () => readDatasetRows(connection, announced, callOptions) };
    },
    getHistoricalFeatures: (query, frame, callOptions = {}) => requestTrainingSet(connection, query, frame, callOptions),
    close: () => connection.channel.close(),
  };
}

async function act(connection: Connection, type: string, body: unknown = {}, options?: ActionOptions): Promise<unknown> {
  const call = startCall(connection, 'DoAction', options);
  try {
    await call.send(encodeAction(type, Buffer.from(JSON.stringify(body))));
    call.halfClose();
    const what = `the answer to ${type}`;
    let result: unknown;
    for (let message = await call.receive(); message !== undefined; message = await call.receive()) {
      const bytes = message;
      const json = readAnswer(what, () => decodeSingleBytes(bytes));
      result = json.length === 0 ? undefined : decodeJson(json, what);
      options?.onResult?.(result);
    }
    return result;
  } finally {
    call.cancel();
  }
}
