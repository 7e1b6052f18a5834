/** One gRPC call as promises: receive a message, send a message, finish; nothing is read or buffered before it is asked for. */
import type { Metadata, ServerInterceptingCallInterface, StatusObject } from '@grpc/grpc-js';
import { FeatureStoreError } from '../errors.ts';
import { widenUploadWindow } from './http2-stream.ts';
import type { CallContext } from './protocol.ts';
import { createSender } from './sender.ts';

export interface OpenCall {
  readonly context: CallContext;
  /** The client's next message, undefined after its half-close. Rejects with the signal's reason once the call is aborted. */
  receive(): Promise<Uint8Array | undefined>;
  /** Sends one message, waiting for the client to keep up; see SendMessage. Rejects with the signal's reason once aborted. */
  send(parts: readonly Uint8Array[]): Promise<void>;
  readonly sentMessages: number;
  /** Ends the call with a status; nothing happens when it has ended already. */
  finish(status: StatusObject): void;
  /** Aborts the context's signal, and with it what waits in `receive` and `send`. */
  abort(reason: FeatureStoreError): void;
}

/** Longest delay a timer takes. */
const maxTimerMs = 0x7fffffff;

/** Starts a call of grpc-js and hands it over as soon as its headers are there (which is at once). */
export function openCall(call: ServerInterceptingCallInterface, onOpen: (open: OpenCall) => void): void {
  widenUploadWindow(call);
  const controller = new AbortController();
  const incoming = createSlot<Uint8Array | undefined>();
  const outgoing = createSlot<void>();
  const sendMessage = createSender(call);
  let halfClosed = false;
  let sentMessages = 0;
  let deadline: NodeJS.Timeout | undefined;
  let ended = false;

  const end = (): void => {
    ended = true;
    clearTimeout(deadline);
  };
  const abort = (reason: FeatureStoreError): void => {
    controller.abort(reason);
    incoming.reject(reason);
    outgoing.reject(reason);
  };
  const receive = async (): Promise<Uint8Array | undefined> => {
    while (incoming.pending !== undefined) await incoming.pending;
    controller.signal.throwIfAborted();
    if (halfClosed) return undefined;
    const message = incoming.open();
    call.startRead();
    return message;
  };
  const send = async (parts: readonly Uint8Array[]): Promise<void> => {
    controller.signal.throwIfAborted();
    sentMessages++;
    const sent = outgoing.open();
    sendMessage(parts).then(outgoing.resolve, outgoing.reject);
    return sent;
  };

  call.start({
    onReceiveMetadata(metadata) {
      deadline = watchDeadline(call, abort);
      onOpen({
        context: createContext(call, metadata, controller.signal, abort),
        receive,
        send,
        get sentMessages() {
          return sentMessages;
        },
        finish(status) {
          end();
          call.sendStatus(status);
        },
        abort,
      });
    },
    onReceiveMessage: (message: Uint8Array) => incoming.resolve(message),
    onReceiveHalfClose() {
      // A client that resets its stream looks half-closed for a moment: an upload cut short must not pass for a whole one.
      setImmediate(() => {
        halfClosed = !controller.signal.aborted;
        if (halfClosed) incoming.resolve(undefined);
      });
    },
    onCancel() {
      if (ended) return;
      end();
      abort(Date.now() < Number(call.getDeadline()) ? droppedError() : deadlineError());
    },
  });
}

/** grpc-js sends DEADLINE_EXCEEDED itself, but only tells once the client has read all that was sent before. */
function watchDeadline(
  call: ServerInterceptingCallInterface,
  abort: (reason: FeatureStoreError) => void,
): NodeJS.Timeout | undefined {
  const remainingMs = Number(call.getDeadline()) - Date.now();
  if (remainingMs > maxTimerMs) return undefined;
  return setTimeout(() => abort(deadlineError()), remainingMs);
}

function deadlineError(): FeatureStoreError {
  return new FeatureStoreError('DEADLINE_EXCEEDED', "the call's deadline has passed");
}

function droppedError(): FeatureStoreError {
  return new FeatureStoreError('ABORTED', 'the client cancelled the call, or its connection dropped');
}

function createContext(
  call: ServerInterceptingCallInterface,
  metadata: Metadata,
  signal: AbortSignal,
  abort: CallContext['abort'],
): CallContext {
  const headers = new Map<string, string>();
  for (const [name, value] of Object.entries(metadata.getMap())) {
    if (typeof value === 'string') headers.set(name, value);
  }
  const token = /^bearer +(\S+) *$/i.exec(headers.get('authorization') ?? '')?.[1];
  return { signal, abort, peer: call.getPeer(), token, headers };
}

interface Slot<T> {
  readonly pending: Promise<T> | undefined;
  open(): Promise<T>;
  resolve(value: T): void;
  reject(reason: unknown): void;
}

/** At most one promise that somebody waits for; resolving or rejecting an empty slot does nothing. */
function createSlot<T>(): Slot<T> {
  let waiting: { promise: Promise<T>; resolve(value: T): void; reject(reason: unknown): void } | undefined;
  const take = (): typeof waiting => {
    const taken = waiting;
    waiting = undefined;
    return taken;
  };
  return {
    get pending() {
      return waiting?.promise;
    },
    open() {
      let settle: Pick<NonNullable<typeof waiting>, 'resolve' | 'reject'> | undefined;
      const promise = new Promise<T>((resolve, reject) => {
        settle = { resolve, reject };
      });
      waiting = { promise, ...(settle as NonNullable<typeof settle>) };
      return promise;
    },
    resolve: (value) => take()?.resolve(value),
    reject: (reason) => take()?.reject(reason),
  };
}
