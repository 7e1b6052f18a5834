/** The Flight handler: joins the wire's commands to history, uploads and the catalogue. */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Schema } from '../arrow/schema.ts';
import { decodeSchemaMessage, encapsulateMessage, encodeSchemaMessage } from '../arrow/schema-message.ts';
import { didYouMean, FeatureStoreError } from '../errors.ts';
import { decodeCancelRequest, encodeCancelResult } from '../flight/messages.ts';
import type {
  CallContext,
  FlightDescriptor,
  FlightHandler,
  FlightInfo,
  FlightMessage,
  FlightUpload,
} from '../flight/protocol.ts';
import { readFrame } from '../offline/answer/answer.ts';
import type { History } from '../offline/history.ts';
import { planRetrieval, type RetrievalPlan, readsAnyValue } from '../offline/plan.ts';
import { type HistoricalRequest, historicalRequestSchema, parseHistoricalRequest } from '../offline/request.ts';
import { readTableState } from '../offline/source-state.ts';
import type { RegistryDocument } from '../registry/document.ts';
import { answerSchema, streamAnswer } from './answer-stream.ts';
import { catalogueKinds, describeCatalogue, listCatalogue } from './catalogue.ts';
import { type IpcMessage, readFrameBatches, type SentBatch } from './frame.ts';
import { createFrameHash } from './frame-hash.ts';
import { trainingSetIdentity } from './identity.ts';
import { openPathFrame } from './path-frame.ts';
import type { QueryQueue } from './query-queue.ts';
import { openTicket, signTicket } from './tickets.ts';
import type { UploadStore } from './uploads.ts';

export interface HandlerParts {
  readonly history: History;
  readonly uploads: UploadStore;
  readonly queue: QueryQueue;
  readonly root: string;
  readonly readable: readonly string[];
  readonly secret: string;
  /** What has been applied, as of now. */
  registry(): RegistryDocument;
  /** Reads the repository again and applies it; resolves with what changed. */
  apply(): Promise<unknown>;
  /** Facts for `server_info` besides those of this handler. */
  readonly info: Readonly<Record<string, unknown>> & { readonly product: string; readonly version: string };
}

/** An entity frame, wherever it is. */
interface Frame {
  readonly schema: Schema;
  readonly rows: bigint | undefined;
  /** sha256 of what it consists of; undefined while it is still coming in. */
  readonly hash: string | undefined;
  batches(maxRows: number, signal: AbortSignal): AsyncGenerator<SentBatch, void>;
}

const ticketSchema = z.object({ query: z.string(), request: historicalRequestSchema, nowUs: z.string() });
const commandSchema = z.object({ type: z.string() }).loose();
const defaultBatchRows = 65_536;

const actions = [
  { type: 'server_info', description: '{}: product, version, project, addresses and the JSON schemas of all commands' },
  { type: 'list', description: `{"kind": ${catalogueKinds.map((kind) => `"${kind}"`).join(' | ')}}: the rows of the catalogue` },
  { type: 'describe', description: '{"name": …, "kind"?: …}: everything known of one name' },
  { type: 'cancel', description: '{"query": id}: stops a query; the id is in FlightInfo.app_metadata' },
  { type: 'CancelFlightInfo', description: 'A CancelFlightInfoRequest: stops the query of a FlightInfo' },
  { type: 'apply', description: '{}: the server reads its own repository folder again and applies it' },
] as const;

/** Makes the handler. */
export function createFeaturesHandler(parts: HandlerParts): FlightHandler {
  const { history, uploads, queue } = parts;
  const versions = `${parts.info.product} ${parts.info.version}, DuckDB ${history.engineVersion}`;
  /** By query, as a ticket may be redeemed more than once. */
  const running = new Map<string, Set<AbortController>>();

  async function openFrame(request: HistoricalRequest): Promise<Frame> {
    if ((request.upload == null) === (request.path == null)) {
      throw new FeatureStoreError(
        'INVALID_ARGUMENT',
        'get_historical_features: name the frame by `upload` or by `path`, one of them',
      );
    }
    if (request.path != null) return await openPathFrame(history.engine, request.path, parts.root, parts.readable);
    const upload = await uploads.find(request.upload as string);
    return {
      schema: upload.schema,
      rows: BigInt(upload.rows),
      hash: upload.sha256,
      batches: (maxRows) => readFrameBatches(upload.schema, upload.messages(), maxRows),
    };
  }

  /** Everything that can be wrong with a request is found here, before a ticket is given. */
  async function check(
    request: HistoricalRequest,
    nowUs: bigint,
    signal: AbortSignal,
  ): Promise<{ plan: RetrievalPlan; frame: Frame }> {
    const frame = await openFrame(request);
    const plan = planRetrieval(parts.registry(), request, frame.schema, nowUs);
    for (const { source } of plan.lookups) await readTableState(history.engine, source.table, parts.root, source.name);
    if (readsAnyValue(plan, frame.schema)) {
      let firstRow = 0;
      for await (const batch of frame.batches(defaultBatchRows, signal)) {
        readFrame(plan, batch, firstRow);
        firstRow += batch.length;
      }
    }
    return { plan, frame };
  }

  async function describeQuery(
    request: HistoricalRequest,
    descriptor: FlightDescriptor,
    context: CallContext,
  ): Promise<FlightInfo> {
    const nowUs = BigInt(Date.now()) * 1000n;
    const { plan, frame } = await check(request, nowUs, context.signal);
    const query = randomUUID();
    const ticket = signTicket(parts.secret, { query, request, nowUs: String(nowUs) });
    const rows = frame.rows === undefined ? null : Number(frame.rows);
    return {
      schema: encapsulateMessage(encodeSchemaMessage(answerSchema(frame.schema, plan))),
      descriptor,
      endpoints: [{ ticket, locations: [] }],
      totalRecords: frame.rows ?? -1n,
      totalBytes: -1n,
      ordered: true,
      metadata: encodeJson({ query, rows }),
    };
  }

  async function* answer(
    request: HistoricalRequest,
    nowUs: bigint,
    query: string,
    frame: Frame,
    context: CallContext,
    sha256: () => string,
  ): AsyncGenerator<FlightMessage, void> {
    const plan = planRetrieval(parts.registry(), request, frame.schema, nowUs);
    const cancelled = new AbortController();
    const streams = running.get(query) ?? new Set();
    running.set(query, streams.add(cancelled));
    const forget = () => {
      streams.delete(cancelled);
      if (streams.size === 0) running.delete(query);
    };
    const turn = await queue.enter(context.token ?? '', AbortSignal.any([context.signal, cancelled.signal])).catch((error) => {
      forget();
      throw error;
    });
    let prepared: Awaited<ReturnType<History['prepare']>> | undefined;
    try {
      prepared = await history.prepare(plan, turn.signal);
      const { projections } = prepared;
      const identity = (hash: string) => trainingSetIdentity({ plan, projections, frame: hash, versions });
      const facts = {
        identity: frame.hash === undefined ? undefined : identity(frame.hash),
        rows: frame.rows,
        compression: request.compression ?? undefined,
        finalIdentity: () => identity(sha256()),
      };
      const batches = frame.batches(request.batch_rows ?? defaultBatchRows, turn.signal);
      for await (const message of streamAnswer(prepared, frame.schema, batches, facts)) {
        turn.signal.throwIfAborted();
        yield message;
      }
    } catch (error) {
      throw turn.signal.aborted ? turn.signal.reason : error;
    } finally {
      prepared?.release();
      turn.leave();
      forget();
    }
  }

  async function* exchange(upload: FlightUpload, context: CallContext): AsyncGenerator<FlightMessage, void> {
    const request = parseHistoricalRequest(readCommand(upload.descriptor, ['get_historical_features']));
    if (request.upload != null || request.path != null) {
      throw new FeatureStoreError(
        'INVALID_ARGUMENT',
        'in DoExchange the frame comes with the call: leave out `upload` and `path`',
      );
    }
    const messages = withoutEmpty(upload)[Symbol.asyncIterator]();
    const first = await messages.next();
    if (first.done)
      throw new FeatureStoreError('INVALID_ARGUMENT', 'the frame ended before its schema; send a schema and its batches');
    const schema = decodeSchemaMessage(first.value.header);
    const hash = createFrameHash();
    hash.update(first.value);
    const frame: Frame = {
      schema,
      rows: undefined,
      hash: undefined,
      batches: (maxRows) =>
        readFrameBatches(
          schema,
          tap({ [Symbol.asyncIterator]: () => messages }, (message) => hash.update(message)),
          maxRows,
        ),
    };
    yield* answer(request, BigInt(Date.now()) * 1000n, randomUUID(), frame, context, () => hash.digest());
  }

  function cancelQuery(query: string): boolean {
    const streams = running.get(query) ?? [];
    const reason = new FeatureStoreError('ABORTED', `query ${query} was cancelled`, { details: { query } });
    for (const stream of streams) stream.abort(reason);
    return running.has(query);
  }

  async function act(type: string, body: Uint8Array): Promise<unknown> {
    const input = body.length === 0 ? {} : parseJson(body, `the body of action "${type}"`);
    const text = (member: string) => {
      const value = (input as Record<string, unknown>)[member];
      if (typeof value === 'string') return value;
      throw new FeatureStoreError('INVALID_ARGUMENT', `action "${type}" needs a string "${member}" in its JSON body`);
    };
    switch (type) {
      case 'server_info': {
        const registry = parts.registry();
        const schemas = { get_historical_features: z.toJSONSchema(historicalRequestSchema, { io: 'input' }) };
        return {
          ...parts.info,
          engine: `DuckDB ${history.engineVersion}`,
          project: registry.project,
          registry_version: registry.version,
          schemas,
        };
      }
      case 'list':
        return { kind: text('kind'), rows: await listCatalogue(parts.registry(), text('kind'), newestEvent) };
      case 'describe': {
        const kind = (input as { kind?: string }).kind;
        return { rows: await describeCatalogue(parts.registry(), kind, text('name'), newestEvent) };
      }
      case 'cancel':
        return { cancelled: cancelQuery(text('query')) };
      case 'apply':
        return await parts.apply();
      default:
        throw unknownName(
          'action',
          type,
          actions.map((action) => action.type),
        );
    }
  }

  /** A source that cannot be read now has no freshness; asking for its features says why. */
  const newestEvent = (source: RegistryDocument['sources'][number]) => history.newestEventUs(source).catch(() => undefined);

  function catalogueInfo(kind: string, name: string): FlightInfo {
    return {
      schema: new Uint8Array(0),
      descriptor: { type: 'path', path: [kind, name] },
      endpoints: [],
      totalRecords: -1n,
      totalBytes: -1n,
      ordered: false,
    };
  }

  return {
    async *listFlights(criteria) {
      const wanted = criteria.length === 0 ? undefined : (parseJson(criteria, 'the criteria') as { kind?: string }).kind;
      for (const kind of wanted === undefined ? (['feature_services', 'feature_views'] as const) : [wanted]) {
        for (const row of await listCatalogue(parts.registry(), kind, newestEvent)) {
          yield { ...catalogueInfo(kind, row.name), metadata: encodeJson(row) };
        }
      }
    },
    async getFlightInfo(descriptor, context) {
      if (descriptor.type === 'path') {
        const [kind, name = ''] = descriptor.path;
        const [row] = await describeCatalogue(parts.registry(), kind, name, newestEvent);
        return { ...catalogueInfo(kind as string, name), metadata: encodeJson(row) };
      }
      return await describeQuery(
        parseHistoricalRequest(readCommand(descriptor, ['get_historical_features'])),
        descriptor,
        context,
      );
    },
    async pollFlightInfo(descriptor, context) {
      return { info: await this.getFlightInfo(descriptor, context), progress: 1 };
    },
    async getSchema(descriptor, context) {
      const request = parseHistoricalRequest(readCommand(descriptor, ['get_historical_features']));
      const { plan, frame } = await check(request, 0n, context.signal);
      return encapsulateMessage(encodeSchemaMessage(answerSchema(frame.schema, plan)));
    },
    async *doGet(ticket, context) {
      const content = ticketSchema.safeParse(openTicket(parts.secret, ticket));
      if (!content.success)
        throw new FeatureStoreError('INVALID_ARGUMENT', 'this ticket is of another version; ask GetFlightInfo for a new one');
      const { query, request, nowUs } = content.data;
      const frame = await openFrame(request);
      yield* answer(request, BigInt(nowUs), query, frame, context, () => frame.hash as string);
    },
    async *doPut(upload) {
      readCommand(upload.descriptor, ['upload']);
      const saved = await uploads.save(withoutEmpty(upload));
      yield encodeJson({ upload: saved.id, rows: saved.rows, expires_at: new Date(saved.expiresAtMs).toISOString() });
    },
    doExchange: exchange,
    async *doAction(type, body) {
      if (type === 'CancelFlightInfo') {
        const [endpoint] = decodeCancelRequest(body).endpoints;
        const { query } = ticketSchema.parse(openTicket(parts.secret, endpoint?.ticket ?? new Uint8Array(0)));
        yield encodeCancelResult(cancelQuery(query) ? 'cancelled' : 'notCancellable');
        return;
      }
      yield encodeJson(await act(type, body));
    },
    listActions: () => actions,
    async handshake(payload) {
      return payload;
    },
  };
}

function readCommand(descriptor: FlightDescriptor | undefined, types: readonly string[]): unknown {
  if (descriptor?.type !== 'cmd') {
    throw new FeatureStoreError(
      'INVALID_ARGUMENT',
      `the descriptor must be a command: JSON with "type": ${types.map((type) => `"${type}"`).join(' or ')}`,
    );
  }
  const command = commandSchema.safeParse(parseJson(descriptor.cmd, 'the command'));
  if (!command.success) throw new FeatureStoreError('INVALID_ARGUMENT', 'the command needs a string member "type"');
  if (!types.includes(command.data.type)) throw unknownName('command', command.data.type, types);
  return command.data;
}

function unknownName(what: string, name: string, valid: readonly string[]): FeatureStoreError {
  return new FeatureStoreError(
    'INVALID_ARGUMENT',
    `there is no ${what} "${name}" here${didYouMean(name, valid) || ` (there are ${valid.join(', ')})`}`,
  );
}

function parseJson(bytes: Uint8Array, what: string): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch (cause) {
    throw new FeatureStoreError('INVALID_ARGUMENT', `${what} is not JSON in UTF-8`, { cause });
  }
}

function encodeJson(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}

/** The messages of an upload that carry Arrow data. */
async function* withoutEmpty(upload: FlightUpload): AsyncGenerator<IpcMessage, void> {
  for await (const message of upload.messages) if (message.header.length > 0) yield message;
}

async function* tap<T>(items: AsyncIterable<T>, look: (item: T) => void): AsyncGenerator<T, void> {
  for await (const item of items) {
    look(item);
    yield item;
  }
}
