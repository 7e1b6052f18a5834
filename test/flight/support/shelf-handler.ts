/** A FlightHandler that keeps what is uploaded on a shelf and hands it out again, and counts what runs: enough to test every method. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type ErrorCode, FeatureStoreError } from '../../../src/errors.ts';
import { decodeCancelRequest, encodeCancelResult } from '../../../src/flight/messages.ts';
import type {
  CallContext,
  FlightDescriptor,
  FlightHandler,
  FlightInfo,
  FlightMessage,
  FlightUpload,
  UploadMessage,
} from '../../../src/flight/protocol.ts';

/** What a ticket of the shelf says, as JSON. */
export interface ShelfTicket {
  name: string;
  /** How often the uploaded batches are sent, default once. */
  repeat?: number;
  delayMs?: number;
  /** An error in place of the end. */
  fail?: { code: ErrorCode; message: string; details?: Record<string, unknown> };
  /** Overwrites the memory of every batch as soon as the transport asks for the next. */
  reuse?: boolean;
  /** Ends without any message. */
  empty?: boolean;
}

export interface ShelfHandler extends FlightHandler {
  /** Calls of doGet, doPut, doExchange and doAction that have started and not returned. */
  readonly running: number;
  /** Batches handed to the transport. */
  readonly yielded: number;
  /** Messages taken from uploads. */
  readonly taken: number;
  /** The reasons with which signals were aborted while their call ran. */
  readonly aborts: FeatureStoreError[];
  readonly contexts: CallContext[];
}

export function createShelfHandler(): ShelfHandler {
  const shelf = new Map<string, UploadMessage[]>();
  const state = { running: 0, yielded: 0, taken: 0, aborts: [] as FeatureStoreError[], contexts: [] as CallContext[] };

  const onShelf = (name: string): UploadMessage[] => {
    const messages = shelf.get(name);
    if (messages === undefined) throw new FeatureStoreError('NOT_FOUND', `nothing named "${name}" – é`, { details: { name } });
    return messages;
  };
  const infoOf = (name: string, descriptor: FlightDescriptor): FlightInfo => ({
    schema: encapsulate((onShelf(name)[0] as UploadMessage).header),
    descriptor,
    endpoints: [
      {
        ticket: Buffer.from(JSON.stringify({ name })),
        locations: ['grpc://127.0.0.1:1'],
        expiration: -1_500_000n,
        metadata: Buffer.from('endpoint'),
      },
    ],
    totalRecords: -1n,
    totalBytes: 12_345_678_901n,
    ordered: true,
    metadata: Buffer.from('info'),
  });
  async function* counted<T>(context: CallContext, values: AsyncIterable<T>): AsyncGenerator<T> {
    state.running++;
    state.contexts.push(context);
    context.signal.addEventListener('abort', () => state.aborts.push(context.signal.reason as FeatureStoreError));
    try {
      yield* values;
    } finally {
      state.running--;
    }
  }

  return {
    get running() {
      return state.running;
    },
    get yielded() {
      return state.yielded;
    },
    get taken() {
      return state.taken;
    },
    aborts: state.aborts,
    contexts: state.contexts,

    async *listFlights(criteria) {
      for (const name of shelf.keys()) {
        if (name.startsWith(Buffer.from(criteria).toString())) yield infoOf(name, { type: 'path', path: ['shelf', name] });
      }
    },
    async getFlightInfo(descriptor) {
      return infoOf(nameOf(descriptor), descriptor);
    },
    async pollFlightInfo(descriptor) {
      return { info: infoOf(nameOf(descriptor), descriptor), descriptor, progress: 0.25, expiration: 1_500_000n };
    },
    async getSchema(descriptor) {
      return infoOf(nameOf(descriptor), descriptor).schema;
    },
    doGet: (bytes, context) => counted(context, get(JSON.parse(Buffer.from(bytes).toString()) as ShelfTicket, context)),
    doPut: (upload, context) => counted(context, put(upload)),
    doExchange: (upload, context) => counted(context, echo(upload)),
    doAction: (type, body, context) => counted(context, act(type, body, context)),
    listActions: () => [
      { type: 'echo', description: 'gives back what it is given' },
      { type: 'hang', description: 'waits until it is aborted' },
    ],
    async handshake(payload, context) {
      if (context.token === undefined) throw new FeatureStoreError('UNAUTHENTICATED', 'send a token');
      return Buffer.from(`${context.token}:${Buffer.from(payload)}`);
    },
  };

  async function* get(ticket: ShelfTicket, context: CallContext): AsyncGenerator<FlightMessage> {
    if (ticket.empty) return;
    const [schema, ...batches] = onShelf(ticket.name) as [UploadMessage, ...UploadMessage[]];
    yield { header: schema.header, body: [] };
    for (let round = 0; round < (ticket.repeat ?? 1); round++) {
      for (const batch of batches) {
        if (ticket.delayMs !== undefined) await sleep(ticket.delayMs, undefined, { signal: context.signal });
        state.yielded++;
        const body = ticket.reuse ? Buffer.from(batch.body) : batch.body;
        yield { ...batch, body: splitAnywhere(body) };
        if (ticket.reuse) body.fill(0xee);
      }
    }
    if (ticket.fail) throw new FeatureStoreError(ticket.fail.code, ticket.fail.message, { details: ticket.fail.details });
  }

  async function* put(upload: FlightUpload): AsyncGenerator<Uint8Array> {
    const name = nameOf(upload.descriptor);
    if (name === 'refused') throw new FeatureStoreError('INVALID_ARGUMENT', 'refused at once', { details: { early: true } });
    if (name === 'drained') {
      await upload.drain();
      yield Buffer.from('drained');
      return;
    }
    const kept: UploadMessage[] = [];
    for await (const message of upload.messages) {
      state.taken++;
      if (name.startsWith('slow')) await sleep(300);
      kept.push(message);
      if (message.body.length > 0) yield Buffer.from(JSON.stringify({ bytes: message.body.length }));
    }
    shelf.set(name, kept);
  }

  async function* echo(upload: FlightUpload): AsyncGenerator<FlightMessage> {
    for await (const message of upload.messages) {
      state.taken++;
      if (Buffer.from(message.metadata ?? []).toString() === 'fail') throw new FeatureStoreError('OUT_OF_RANGE', 'asked to fail');
      yield { ...message, body: [message.body] };
    }
  }

  async function* act(type: string, body: Uint8Array, context: CallContext): AsyncGenerator<Uint8Array> {
    if (type === 'hang') {
      await new Promise((_, reject) => context.signal.addEventListener('abort', () => reject(context.signal.reason)));
    } else if (type === 'linger') {
      await sleep(Number(Buffer.from(body)));
      yield Buffer.from('lingered');
    } else if (type === 'crash') {
      (undefined as unknown as { x(): void }).x();
    } else if (type === 'fail') {
      const { code, message, details } = JSON.parse(Buffer.from(body).toString()) as NonNullable<ShelfTicket['fail']>;
      throw new FeatureStoreError(code, message, { details });
    } else if (type === 'CancelFlightInfo') {
      decodeCancelRequest(body);
      yield encodeCancelResult('cancelled');
    } else {
      yield body;
      yield Buffer.from('done');
    }
  }
}

function nameOf(descriptor: FlightDescriptor | undefined): string {
  if (descriptor === undefined) throw new FeatureStoreError('INVALID_ARGUMENT', 'the upload has no descriptor');
  return descriptor.type === 'cmd' ? Buffer.from(descriptor.cmd).toString() : (descriptor.path.at(-1) ?? '');
}

function encapsulate(header: Uint8Array): Uint8Array {
  const prefix = Buffer.alloc(8);
  prefix.writeInt32LE(-1, 0);
  prefix.writeInt32LE(header.length, 4);
  return Buffer.concat([prefix, header]);
}

/** Parts of very different lengths, empty ones included. */
function splitAnywhere(body: Uint8Array): Uint8Array[] {
  const cuts = [0, 0, 7, 8, 40_000, 40_001, 300_000].filter((cut) => cut <= body.length);
  return [...cuts, body.length].map((cut, index, all) => body.subarray(index === 0 ? 0 : all[index - 1], cut));
}
