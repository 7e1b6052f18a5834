/** get_historical_features over Flight: plans that are checked before a ticket is given, and answers that stream in their turn. */
import { randomUUID } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { z } from 'zod';
import type { Schema } from '../arrow/schema.ts';
import { decodeSchemaMessage, encapsulateMessage, encodeSchemaMessage } from '../arrow/schema-message.ts';
import { asFeatureStoreError, FeatureStoreError } from '../errors.ts';
import type { CallContext, FlightDescriptor, FlightInfo, FlightMessage, FlightUpload } from '../flight/protocol.ts';
import { readFrame } from '../offline/answer/answer.ts';
import type { History } from '../offline/history.ts';
import { listSources, planRetrieval, type RetrievalPlan, readsAnyValue } from '../offline/plan.ts';
import {
  type HistoricalRequest,
  historicalRequestSchema,
  parseHistoricalRequest,
  type UploadRequest,
} from '../offline/request.ts';
import { readTableState } from '../offline/source-state.ts';
import type { RegistryDocument } from '../registry/document.ts';
import { answerSchema, streamAnswer } from './answer-stream.ts';
import { type IpcMessage, readFrameBatches, type SentBatch } from './frame.ts';
import { createFrameHash } from './frame-hash.ts';
import { trainingSetIdentity } from './identity.ts';
import { openPathFrame } from './path-frame.ts';
import type { QueryQueue, Turn } from './query-queue.ts';
import { openTicket, signTicket } from './tickets.ts';
import type { UploadStore } from './uploads.ts';
import { encodeJson, readCommand } from './wire-json.ts';

export interface HistoricalParts {
  readonly history: History;
  readonly uploads: UploadStore;
  readonly queue: QueryQueue;
  readonly root: string;
  readonly readable: readonly string[];
  readonly secret: string;
  /** Product and engine, for identities. */
  readonly versions: string;
  /** What has been applied: as of now, or the version that a ticket was made for. */
  registry(version?: number): RegistryDocument;
}

export interface HistoricalFeatures {
  /** Checks a request whole and gives a ticket for its answer. */
  describe(descriptor: FlightDescriptor, context: CallContext): Promise<FlightInfo>;
  /** The encapsulated schema of the answer. */
  schema(descriptor: FlightDescriptor, context: CallContext): Promise<Uint8Array>;
  /** Begins to read the sources of what a frame is uploaded for, unless queries wait for their turn. */
  warm(request: UploadRequest, signal: AbortSignal): void;
  redeem(ticket: Uint8Array, context: CallContext): AsyncGenerator<FlightMessage, void>;
  /** Frame up, answer down, in one call. */
  exchange(upload: FlightUpload, context: CallContext): AsyncGenerator<FlightMessage, void>;
  /** Stops a query by its id or one of its tickets; false when it does not run. */
  cancel(query: { readonly id: string } | { readonly ticket: Uint8Array }): boolean;
}

/** An entity frame, wherever it is. */
interface Frame {
  readonly schema: Schema;
  readonly rows: bigint | undefined;
  /** sha256 of what it consists of; undefined while it is still coming in. */
  readonly hash: string | undefined;
  batches(maxRows: number, signal: AbortSignal, pause?: Turn['pause']): AsyncGenerator<SentBatch, void>;
  /** Fails if the rows that were read are not those that `hash` names. */
  verify?(): Promise<void>;
  /** Must be called once when the frame is no longer read. */
  close(): Promise<void>;
}

const ticketSchema = z.object({ query: z.string(), version: z.int(), nowUs: z.string(), request: historicalRequestSchema });
type Ticket = z.output<typeof ticketSchema>;
const defaultBatchRows = 65_536;

/** Makes the command. */
export function createHistoricalFeatures(parts: HistoricalParts): HistoricalFeatures {
  const { history, uploads, queue, versions } = parts;
  /** By query, as a ticket may be redeemed more than once. */
  const running = new Map<string, Set<AbortController>>();

  async function openFrame(request: HistoricalRequest): Promise<Frame> {
    if ((request.upload == null) === (request.path == null)) {
      throw new FeatureStoreError(
        'INVALID_ARGUMENT',
        'get_historical_features: name the frame by `upload` or by `path`, one of them',
      );
    }
    if (request.path != null) return await openNamedFrame(request.path);
    const upload = await uploads.find(request.upload as string);
    return {
      schema: upload.schema,
      rows: BigInt(upload.rows),
      hash: upload.sha256,
      batches: (maxRows) => readFrameBatches(upload.schema, upload.messages(), maxRows),
      close: upload.close,
    };
  }

  /** A file may be replaced while it is read, or while its query waits for its turn: its rows must be those that were announced. */
  async function openNamedFrame(path: string): Promise<Frame> {
    const open = () => openPathFrame(history.engine, path, parts.root, parts.readable);
    const frame = await open();
    return {
      ...frame,
      async verify() {
        if ((await open()).hash === frame.hash) return;
        throw new FeatureStoreError('ABORTED', `"${path}" changed while it was read; ask again`, { details: { path } });
      },
      close: async () => {},
    };
  }

  /** Everything that can be wrong with a request is found here, before a ticket is given. */
  async function check(
    registry: RegistryDocument,
    request: HistoricalRequest,
    nowUs: bigint,
    signal: AbortSignal,
  ): Promise<{ plan: RetrievalPlan; schema: Schema; rows: bigint | undefined }> {
    const frame = await openFrame(request);
    try {
      const plan = planRetrieval(registry, request, frame.schema, nowUs);
      for (const { source } of plan.lookups) await readTableState(history.engine, source.table, parts.root, source.name);
      if (readsAnyValue(plan, frame.schema)) {
        let firstRow = 0;
        for await (const batch of frame.batches(defaultBatchRows, signal)) {
          readFrame(plan, batch, firstRow);
          firstRow += batch.length;
          // A frame may have many rows in few bytes: others must have their turn, and the caller may have gone.
          await setImmediate();
          signal.throwIfAborted();
        }
      }
      return { plan, schema: frame.schema, rows: frame.rows };
    } finally {
      await frame.close();
    }
  }

  async function describe(descriptor: FlightDescriptor, context: CallContext): Promise<FlightInfo> {
    const request = readRequest(descriptor);
    const registry = parts.registry();
    const nowUs = BigInt(Date.now()) * 1000n;
    const checked = await check(registry, request, nowUs, context.signal);
    const query = randomUUID();
    const content: Ticket = { query, version: registry.version, nowUs: String(nowUs), request };
    const ticket = signTicket(parts.secret, content);
    return {
      schema: encapsulateMessage(encodeSchemaMessage(answerSchema(checked.schema, checked.plan))),
      descriptor,
      endpoints: [{ ticket, locations: [] }],
      totalRecords: checked.rows ?? -1n,
      totalBytes: -1n,
      ordered: true,
      metadata: encodeJson({ query, rows: checked.rows === undefined ? null : Number(checked.rows) }),
    };
  }

  async function schema(descriptor: FlightDescriptor, context: CallContext): Promise<Uint8Array> {
    const checked = await check(parts.registry(), readRequest(descriptor), 0n, context.signal);
    return encapsulateMessage(encodeSchemaMessage(answerSchema(checked.schema, checked.plan)));
  }

  async function* redeem(ticket: Uint8Array, context: CallContext): AsyncGenerator<FlightMessage, void> {
    const content = readTicket(ticket);
    const frame = await openFrame(content.request);
    try {
      yield* answer(content, frame, context, async () => {
        await frame.verify?.();
        return frame.hash as string;
      });
    } finally {
      await frame.close();
    }
  }

  async function* answer(
    { query, version, nowUs, request }: Ticket,
    frame: Frame,
    context: CallContext,
    sha256: () => Promise<string>,
  ): AsyncGenerator<FlightMessage, void> {
    const plan = planRetrieval(parts.registry(version), request, frame.schema, BigInt(nowUs));
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
    // A client that does not read keeps the answer waiting; its time limit and a cancel must end it all the same.
    turn.signal.addEventListener('abort', () => context.abort(asFeatureStoreError(turn.signal.reason)), { once: true });
    const startedMs = performance.now();
    let prepared: Awaited<ReturnType<History['prepare']>> | undefined;
    try {
      prepared = await history.prepare(plan, turn.signal);
      const { projections } = prepared;
      const identity = (hash: string) => trainingSetIdentity({ plan, projections, frame: hash, versions });
      const facts = {
        identity: frame.hash === undefined ? undefined : identity(frame.hash),
        rows: frame.rows,
        compression: request.compression ?? undefined,
        startedMs,
        finalIdentity: async () => identity(await sha256()),
      };
      const batches = frame.batches(request.batch_rows ?? defaultBatchRows, turn.signal, turn.pause);
      for await (const message of streamAnswer(prepared, frame.schema, batches, facts)) {
        turn.signal.throwIfAborted();
        const resume = turn.pause();
        yield message;
        await resume();
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
    const request = readRequest(upload.descriptor);
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
      batches: (maxRows, _, pause) =>
        readFrameBatches(
          schema,
          tap(receive(messages, pause), (message) => hash.update(message)),
          maxRows,
        ),
      close: async () => {},
    };
    const ticket = { query: randomUUID(), version: parts.registry().version, nowUs: String(BigInt(Date.now()) * 1000n), request };
    yield* answer(ticket, frame, context, async () => hash.digest());
  }

  function cancel(query: { readonly id: string } | { readonly ticket: Uint8Array }): boolean {
    const id = 'id' in query ? query.id : readTicket(query.ticket).query;
    const reason = new FeatureStoreError('ABORTED', `query ${id} was cancelled`, { details: { query: id } });
    for (const stream of running.get(id) ?? []) stream.abort(reason);
    return running.has(id);
  }

  function readTicket(ticket: Uint8Array): Ticket {
    const content = ticketSchema.safeParse(openTicket(parts.secret, ticket));
    if (content.success) return content.data;
    throw new FeatureStoreError('INVALID_ARGUMENT', 'this ticket is of another version; ask GetFlightInfo for a new one');
  }

  function warm(request: UploadRequest, signal: AbortSignal): void {
    if (queue.waiting > 0) return;
    for (const { view, source } of listSources(parts.registry(), request)) {
      // What is wrong with a source is told by the request that needs it.
      history.warm(view, source, signal).catch(() => {});
    }
  }

  return { describe, schema, warm, redeem, exchange, cancel };
}

function readRequest(descriptor: FlightDescriptor | undefined): HistoricalRequest {
  return parseHistoricalRequest(readCommand(descriptor, ['get_historical_features']));
}

/** The messages of an upload that carry Arrow data. */
export async function* withoutEmpty(upload: FlightUpload): AsyncGenerator<IpcMessage, void> {
  for await (const message of upload.messages) if (message.header.length > 0) yield message;
}

/** What a client sends while its query has a turn: waiting for it is the client's time. */
async function* receive<T>(messages: AsyncIterator<T>, pause: Turn['pause'] | undefined): AsyncGenerator<T, void> {
  for (;;) {
    const resume = pause?.();
    const next = await messages.next();
    await resume?.();
    if (next.done) return;
    yield next.value;
  }
}

async function* tap<T>(items: AsyncIterable<T>, look: (item: T) => void): AsyncGenerator<T, void> {
  for await (const item of items) {
    look(item);
    yield item;
  }
}
