/** get_historical_features over Flight: plans that are checked before a ticket is given, and answers that stream in their turn. */
import { randomUUID } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { z } from 'zod';
import type { Caller } from '../access/caller.ts';
import type { AskedFeatures } from '../access/views-asked.ts';
import type { Schema } from '../arrow/schema.ts';
import { encapsulateMessage, encodeSchemaMessage } from '../arrow/schema-message.ts';
import { asFeatureStoreError, FeatureStoreError } from '../errors.ts';
import type { CallContext, FlightDescriptor, FlightInfo, FlightMessage, FlightUpload } from '../flight/protocol.ts';
import { deprecationWarnings } from '../lifecycle/deprecation-warnings.ts';
import { readFrame } from '../offline/answer/answer.ts';
import { trainingSetIdentity } from '../offline/answer/identity.ts';
import type { History } from '../offline/history.ts';
import { planRetrieval, type RetrievalPlan, readsAnyValue } from '../offline/plan.ts';
import {
  type HistoricalRequest,
  historicalRequestSchema,
  parseHistoricalRequest,
  type UploadRequest,
} from '../offline/request.ts';
import type { RegistryDocument } from '../registry/document.ts';
import { listSources } from '../registry/references.ts';
import { answerSchema, streamAnswer } from './answer-stream.ts';
import { type EntityFrame, type FrameParts, findFrame, receiveFrame } from './entity-frame.ts';
import { createMemoryBudget, frameMemory } from './memory-budget.ts';
import type { QueryQueue, Turn } from './query-queue.ts';
import { createRunningQueries } from './running-queries.ts';
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
  /** Fails where the caller's token is not for what is asked of those definitions. */
  authorize(token: string | undefined, asked: AskedFeatures, registry: RegistryDocument): void;
  /** Who calls, by whom turns are counted. */
  callerOf(token: string | undefined): Caller;
  /** Is told of what is read, and by whose token. */
  countRead(token: string | undefined, plan: RetrievalPlan, request: HistoricalRequest): void;
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

const ticketSchema = z.object({ query: z.string(), version: z.int(), nowUs: z.string(), request: historicalRequestSchema });
type Ticket = z.output<typeof ticketSchema>;
const defaultBatchRows = 65_536;

/** Makes the command. */
export function createHistoricalFeatures(parts: HistoricalParts): HistoricalFeatures {
  const { history, uploads, queue, versions } = parts;
  const running = createRunningQueries();
  const memory = createMemoryBudget(frameMemory);
  const frames: FrameParts = { ...parts, memory, engine: history.engine };
  const ownerOf = ({ token }: CallContext) => parts.callerOf(token).token ?? '';

  /** Everything that can be wrong with a request is found here, before a ticket is given. Reading a frame waits for its turn. */
  async function check(
    registry: RegistryDocument,
    request: HistoricalRequest,
    nowUs: bigint,
    context: CallContext,
  ): Promise<{ plan: RetrievalPlan; schema: Schema; rows: bigint | undefined }> {
    parts.authorize(context.token, request, registry);
    const named = await findFrame(frames, request);
    const enter = () => queue.enter(ownerOf(context), context.signal);
    let turn: Turn | undefined;
    try {
      if (named.isCostly) turn = await enter();
      const frame = await named.open();
      const plan = planRetrieval(registry, request, frame.schema, nowUs);
      for (const { source } of plan.lookups) await history.readState(source);
      if (readsAnyValue(plan, frame.schema)) {
        turn ??= await enter();
        await readValues(plan, frame, turn);
      }
      return { plan, schema: frame.schema, rows: frame.rows };
    } finally {
      turn?.leave();
      await named.close();
    }
  }

  async function describe(descriptor: FlightDescriptor, context: CallContext): Promise<FlightInfo> {
    const request = readRequest(descriptor);
    const registry = parts.registry();
    const nowUs = BigInt(Date.now()) * 1000n;
    const checked = await check(registry, request, nowUs, context);
    const query = randomUUID();
    const content: Ticket = { query, version: registry.version, nowUs: String(nowUs), request };
    const ticket = signTicket(parts.secret, content);
    return {
      schema: encapsulateMessage(
        encodeSchemaMessage(answerSchema(checked.schema, checked.plan, { warnings: deprecationWarnings(registry, request) })),
      ),
      descriptor,
      endpoints: [{ ticket, locations: [] }],
      totalRecords: checked.rows ?? -1n,
      totalBytes: -1n,
      ordered: true,
      metadata: encodeJson({ query, rows: checked.rows === undefined ? null : Number(checked.rows) }),
    };
  }

  async function schema(descriptor: FlightDescriptor, context: CallContext): Promise<Uint8Array> {
    const checked = await check(parts.registry(), readRequest(descriptor), 0n, context);
    return encapsulateMessage(encodeSchemaMessage(answerSchema(checked.schema, checked.plan)));
  }

  async function* redeem(ticket: Uint8Array, context: CallContext): AsyncGenerator<FlightMessage, void> {
    const content = readTicket(ticket);
    parts.authorize(context.token, content.request, parts.registry(content.version));
    const named = await findFrame(frames, content.request);
    try {
      yield* answer(content, named.open, context);
    } finally {
      await named.close();
    }
  }

  async function* answer(
    { query, version, nowUs, request }: Ticket,
    open: () => Promise<EntityFrame>,
    context: CallContext,
  ): AsyncGenerator<FlightMessage, void> {
    const stream = running.begin(query);
    let turn: Turn | undefined;
    let prepared: Awaited<ReturnType<History['prepare']>> | undefined;
    try {
      turn = await queue.enter(ownerOf(context), AbortSignal.any([context.signal, stream.signal]));
      const { signal, pause } = turn;
      // A client that does not read keeps the answer waiting; its time limit and a cancel must end it all the same.
      signal.addEventListener('abort', () => context.abort(asFeatureStoreError(signal.reason)), { once: true });
      const startedMs = performance.now();
      const frame = await open();
      const plan = planRetrieval(parts.registry(version), request, frame.schema, BigInt(nowUs));
      prepared = await history.prepare(plan, signal);
      parts.countRead(context.token, plan, request);
      const { projections } = prepared;
      const identity = (hash: string) => trainingSetIdentity({ plan, projections, frame: hash, versions });
      const facts = {
        warnings: deprecationWarnings(parts.registry(version), request),
        identity: frame.hash === undefined ? undefined : identity(frame.hash),
        rows: frame.rows,
        compression: request.compression ?? undefined,
        startedMs,
        atOnce: frame.hash === undefined,
        finalIdentity: async () => identity(await frame.finalHash()),
      };
      const batches = frame.batches(request.batch_rows ?? defaultBatchRows, signal, pause);
      for await (const message of streamAnswer(prepared, frame.schema, batches, facts)) {
        signal.throwIfAborted();
        const resume = pause();
        yield message;
        await resume();
      }
    } catch (error) {
      throw turn?.signal.aborted ? turn.signal.reason : error;
    } finally {
      prepared?.release();
      turn?.leave();
      stream.end();
    }
  }

  async function* exchange(upload: FlightUpload, context: CallContext): AsyncGenerator<FlightMessage, void> {
    const request = readRequest(upload.descriptor);
    parts.authorize(context.token, request, parts.registry());
    if (request.upload != null || request.path != null) {
      throw new FeatureStoreError(
        'INVALID_ARGUMENT',
        'in DoExchange the frame comes with the call: leave out `upload` and `path`',
      );
    }
    const spool = uploads.spool();
    try {
      const frame = await receiveFrame(upload, spool, memory);
      const { version } = parts.registry();
      // What names do not exist is found without waiting for a turn.
      planRetrieval(parts.registry(version), request, frame.schema, 0n);
      const ticket = { query: randomUUID(), version, nowUs: String(BigInt(Date.now()) * 1000n), request };
      yield* answer(ticket, async () => frame, context);
    } finally {
      await spool.close();
    }
  }

  function cancel(query: { readonly id: string } | { readonly ticket: Uint8Array }): boolean {
    return running.cancel('id' in query ? query.id : readTicket(query.ticket).query);
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

/** Reads what a plan reads of every row, and so refuses what is no instant or no key. */
async function readValues(plan: RetrievalPlan, frame: EntityFrame, { signal, pause }: Turn): Promise<void> {
  let firstRow = 0;
  for await (const batch of frame.batches(defaultBatchRows, signal, pause)) {
    readFrame(plan, batch, firstRow);
    firstRow += batch.length;
    batch.release?.();
    // A frame may have many rows in few bytes: others must have their turn, and the caller may have gone.
    await setImmediate();
    signal.throwIfAborted();
  }
}
