/** Arrow Flight as plain values: what the messages hold, and the handler interface that is this room's only door. */
import type { FeatureStoreError } from '../errors.ts';

/** Names a flight: an opaque command, or a path. */
export type FlightDescriptor =
  | { readonly type: 'cmd'; readonly cmd: Uint8Array }
  | { readonly type: 'path'; readonly path: readonly string[] };

/**
 * One Arrow IPC message to send: `header` is the flatbuffer Message without the 0xFFFFFFFF and length prefix, `body` the parts of
 * its body in order, padding included. The parts are read until the message has been taken over for sending, that is until the
 * generator that yielded it is asked for its next value; after that their memory may be used again.
 */
export interface FlightMessage {
  readonly header: Uint8Array;
  /** `app_metadata`; legal only on messages that carry a schema or a batch (stock clients end a stream at a frame without one). */
  readonly metadata?: Uint8Array;
  readonly body: readonly Uint8Array[];
}

/** One message of an upload. `header` is empty for a frame that carries only metadata. The bytes stay valid as long as they are held. */
export interface UploadMessage {
  readonly header: Uint8Array;
  readonly metadata?: Uint8Array;
  readonly body: Uint8Array;
}

/** The client's side of DoPut and DoExchange. */
export interface FlightUpload {
  /** Of the first frame; undefined when the client sent none. */
  readonly descriptor: FlightDescriptor | undefined;
  /** Every frame that carries anything besides a descriptor. May be iterated once; the client is held back while nobody iterates. */
  readonly messages: AsyncIterable<UploadMessage>;
  /** Reads and discards what is left, up to the client's half-close. */
  drain(): Promise<void>;
}

/** What a handler knows of the call it answers. */
export interface CallContext {
  /** Aborted when the client cancelled, the connection dropped, the deadline passed or the server stops. */
  readonly signal: AbortSignal;
  /** Address and port of the client. */
  readonly peer: string;
  /** The bearer token of the `authorization` header. */
  readonly token: string | undefined;
  /** Ends the call with an error at once, also while it waits for a client that does not read. */
  abort(reason: FeatureStoreError): void;
  /** Request headers by lower-case name; the values of a repeated one joined by `, `; binary ones (`-bin`) are left out. */
  readonly headers: ReadonlyMap<string, string>;
}

export interface FlightEndpoint {
  readonly ticket: Uint8Array;
  /** URIs where the ticket may be redeemed; empty: on this very server. */
  readonly locations: readonly string[];
  /** Microseconds since the Unix epoch. */
  readonly expiration?: bigint;
  readonly metadata?: Uint8Array;
}

export interface FlightInfo {
  /** An encapsulated schema message (with prefix), or empty where unknown. */
  readonly schema: Uint8Array;
  readonly descriptor?: FlightDescriptor;
  readonly endpoints: readonly FlightEndpoint[];
  /** -1 where unknown. */
  readonly totalRecords: bigint;
  /** -1 where unknown. */
  readonly totalBytes: bigint;
  /** The endpoints are in the order of the data. */
  readonly ordered: boolean;
  readonly metadata?: Uint8Array;
}

export interface PollInfo {
  /** What can be read so far. */
  readonly info: FlightInfo;
  /** What to poll next; absent when the query is done. */
  readonly descriptor?: FlightDescriptor;
  /** Between 0 and 1. */
  readonly progress?: number;
  /** Microseconds since the Unix epoch. */
  readonly expiration?: bigint;
}

export interface FlightAction {
  readonly type: string;
  readonly description: string;
}

/**
 * Answers Flight calls. A thrown FeatureStoreError becomes a gRPC status of the same name, with the product's error trailer; anything
 * else thrown becomes INTERNAL. Generators are closed (`return`) when the call ends early, so that `finally` frees what they hold.
 */
export interface FlightHandler {
  listFlights(criteria: Uint8Array, context: CallContext): AsyncIterable<FlightInfo>;
  getFlightInfo(descriptor: FlightDescriptor, context: CallContext): Promise<FlightInfo>;
  pollFlightInfo(descriptor: FlightDescriptor, context: CallContext): Promise<PollInfo>;
  /** An encapsulated schema message (with prefix). */
  getSchema(descriptor: FlightDescriptor, context: CallContext): Promise<Uint8Array>;
  /** At least a schema message; ending without any message is reported as INTERNAL. */
  doGet(ticket: Uint8Array, context: CallContext): AsyncIterable<FlightMessage>;
  /** Yields the `app_metadata` of each PutResult. */
  doPut(upload: FlightUpload, context: CallContext): AsyncIterable<Uint8Array>;
  doExchange(upload: FlightUpload, context: CallContext): AsyncIterable<FlightMessage>;
  doAction(type: string, body: Uint8Array, context: CallContext): AsyncIterable<Uint8Array>;
  listActions(context: CallContext): readonly FlightAction[];
  /** Answers one handshake message. */
  handshake(payload: Uint8Array, context: CallContext): Promise<Uint8Array>;
}
