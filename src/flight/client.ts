/** A Flight client: actions and exchanges with a server, errors as the server threw them. */
import {
  type ChannelCredentials,
  Client,
  type ClientDuplexStream,
  type ClientReadableStream,
  credentials,
  status as grpcStatus,
  Metadata,
  type ServiceError,
} from '@grpc/grpc-js';
import { type ErrorCode, errorCodes, FeatureStoreError } from '../errors.ts';
import { decodeFlightData, encodeFlightData } from './flight-data.ts';
import { decodeSingleBytes, encodeAction } from './messages.ts';
import type { FlightDescriptor, FlightMessage, UploadMessage } from './protocol.ts';
import { errorTrailer } from './status.ts';

export interface FlightClientOptions {
  /** Bearer token. */
  readonly token?: string;
  /** PEM certificates to trust instead of the system's, for `grpc+tls`. */
  readonly rootCertificates?: Buffer;
}

export interface FlightClient {
  /** The results of an action, in order. */
  doAction(type: string, body: Uint8Array, signal?: AbortSignal): AsyncGenerator<Uint8Array, void>;
  /** Sends messages and yields those that come back meanwhile; each side is held back while the other does not keep up. */
  doExchange(
    descriptor: FlightDescriptor,
    messages: AsyncIterable<FlightMessage>,
    signal?: AbortSignal,
  ): AsyncGenerator<UploadMessage, void>;
  close(): void;
}

/** Connects at the first call; INVALID_ARGUMENT for an address that is not `grpc://host:port` or `grpc+tls://host:port`. */
export function connectFlight(url: string, options: FlightClientOptions = {}): FlightClient {
  const { target, secure } = parseAddress(url);
  const security: ChannelCredentials = secure
    ? credentials.createSsl(options.rootCertificates ?? null)
    : credentials.createInsecure();
  const client = new Client(target, security, {
    'grpc.max_receive_message_length': -1,
    'grpc.max_send_message_length': -1,
  });
  const metadata = new Metadata();
  if (options.token !== undefined) metadata.set('authorization', `Bearer ${options.token}`);
  return {
    async *doAction(type, body, signal) {
      const call = client.makeServerStreamRequest(
        pathOf('DoAction'),
        same,
        same,
        Buffer.from(encodeAction(type, body)),
        metadata,
      );
      for await (const result of receive(call, url, signal)) yield decodeSingleBytes(result);
    },
    async *doExchange(descriptor, messages, signal) {
      const call = client.makeBidiStreamRequest(pathOf('DoExchange'), same, same, metadata);
      const failure = new AbortController();
      const sending = send(call, descriptor, messages).catch((error: unknown) => failure.abort(error));
      try {
        const either = signal === undefined ? failure.signal : AbortSignal.any([signal, failure.signal]);
        for await (const data of receive(call, url, either)) yield decodeFlightData(data);
        if (failure.signal.aborted) throw failure.signal.reason;
      } finally {
        call.cancel();
        await sending;
      }
    },
    close: () => client.close(),
  };
}

const same = (bytes: Buffer): Buffer => bytes;

function pathOf(method: string): string {
  return `/arrow.flight.protocol.FlightService/${method}`;
}

function parseAddress(url: string): { target: string; secure: boolean } {
  const [, scheme, target] = /^(grpc|grpc\+tcp|grpc\+tls):\/\/([^/\s]+:\d+)\/?$/.exec(url) ?? [];
  if (target !== undefined) return { target, secure: scheme === 'grpc+tls' };
  throw new FeatureStoreError(
    'INVALID_ARGUMENT',
    `"${url}" is no address of a server: write grpc://host:port or grpc+tls://host:port`,
    {
      details: { url },
    },
  );
}

/** Sends until the messages end or the call does; what is thrown is what making a message threw. */
async function send(
  call: ClientDuplexStream<Buffer, Buffer>,
  descriptor: FlightDescriptor,
  messages: AsyncIterable<FlightMessage>,
): Promise<void> {
  let ended = false;
  call.once('status', () => {
    ended = true;
    call.emit('drain');
  });
  let first: FlightDescriptor | undefined = descriptor;
  try {
    for await (const message of messages) {
      if (ended) return;
      const isFull = !call.write(Buffer.concat(encodeFlightData(message, first)));
      first = undefined;
      if (isFull && !ended) await new Promise<void>((resolve) => call.once('drain', () => resolve()));
    }
  } finally {
    if (!ended) call.end();
  }
}

/** The messages of a call; leaving the loop, or `signal`, cancels it. */
async function* receive(
  call: ClientReadableStream<Buffer> | ClientDuplexStream<Buffer, Buffer>,
  url: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void> {
  const cancel = () => call.cancel();
  if (signal?.aborted) cancel();
  signal?.addEventListener('abort', cancel, { once: true });
  try {
    for await (const message of call as AsyncIterable<Buffer>)
      yield new Uint8Array(message.buffer, message.byteOffset, message.byteLength);
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    throw asServerError(error, url);
  } finally {
    signal?.removeEventListener('abort', cancel);
    call.cancel();
  }
}

/** What the server threw, told by its trailer; without one the status itself (a proxy's, or no connection). */
function asServerError(error: unknown, url: string): unknown {
  if (!(error instanceof Error) || !('metadata' in error)) return error;
  const { code, details, metadata } = error as ServiceError;
  const [trailer] = metadata.get(errorTrailer);
  if (trailer instanceof Buffer) {
    const sent = JSON.parse(trailer.toString('utf8')) as { code: ErrorCode; message: string; details: Record<string, unknown> };
    return new FeatureStoreError(sent.code, sent.message, { details: sent.details, cause: error });
  }
  const name = grpcStatus[code];
  const known = errorCodes.find((candidate) => candidate === name) ?? 'INTERNAL';
  const message = known === 'UNAVAILABLE' ? `no server answers at ${url}: ${details}` : `${url}: ${name}: ${details}`;
  return new FeatureStoreError(known, message, { details: { url }, cause: error });
}
