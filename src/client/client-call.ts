/** One gRPC call as promises, from the client's side: nothing is read before it is asked for, nothing sent before there is room. */
import { connectivityState, status as grpcStatus } from '@grpc/grpc-js';
import { FeatureStoreError } from '../errors.ts';
import { errorOfAbort, errorOfStatus, unreachableError } from './call-error.ts';
import type { Connection } from './connection.ts';

export interface CallOptions {
  /** Stops the call, here and on the server. */
  readonly signal?: AbortSignal;
  /** How long the whole call may take; default for ever. */
  readonly timeoutMs?: number;
}

export interface ClientCall {
  /** Sends one message, waiting for the server to keep up. Rejects once the call has ended, for which `receive` has the reason. */
  send(message: Uint8Array): Promise<void>;
  /** No more messages will be sent. */
  halfClose(): void;
  /** The server's next message, undefined when the call has ended well. Rejects with the call's error. Not to be called concurrently. */
  receive(): Promise<Uint8Array | undefined>;
  /** Ends the call, here and on the server; nothing happens when it has ended already. */
  cancel(): void;
}

const servicePath = '/arrow.flight.protocol.FlightService/';

/** Starts a call of a Flight method, `DoGet` for example. Throws the abort's error where the signal is aborted already. */
export function startCall(connection: Connection, method: string, options: CallOptions = {}): ClientCall {
  const { address, channel, connectTimeoutMs } = connection;
  const { signal, timeoutMs } = options;
  if (signal?.aborted) throw errorOfAbort(signal.reason, address);
  const deadline = timeoutMs === undefined ? Number.POSITIVE_INFINITY : Date.now() + timeoutMs;
  const call = channel.createCall(servicePath + method, deadline, null, null, null);
  let answered = false;
  let end: { readonly error: FeatureStoreError | undefined } | undefined;
  let reading: Waiting<Uint8Array | undefined> | undefined;
  let sending: Waiting<void> | undefined;

  const finish = (error: FeatureStoreError | undefined): void => {
    if (end !== undefined) return;
    end = { error };
    clearTimeout(connecting);
    signal?.removeEventListener('abort', onAbort);
    if (error === undefined) reading?.resolve(undefined);
    else reading?.reject(error);
    sending?.reject(error ?? endedEarly(address));
    reading = undefined;
    sending = undefined;
  };
  const stop = (error: FeatureStoreError): void => {
    finish(error);
    call.cancelWithStatus(grpcStatus.CANCELLED, error.message);
  };
  const onAbort = (): void => stop(errorOfAbort(signal?.reason, address));
  const connecting = setTimeout(() => {
    if (channel.getConnectivityState(false) === connectivityState.READY) return;
    stop(unreachableError(address, `no connection within ${connectTimeoutMs / 1000} s`));
  }, connectTimeoutMs);
  signal?.addEventListener('abort', onAbort, { once: true });

  call.start(connection.headers(), {
    onReceiveMetadata() {
      answered = true;
    },
    onReceiveMessage(message: Uint8Array) {
      const waiting = reading;
      reading = undefined;
      waiting?.resolve(message);
    },
    onReceiveStatus(status) {
      finish(status.code === grpcStatus.OK ? undefined : errorOfStatus(status, address, answered));
    },
  });

  return {
    async send(message) {
      if (end !== undefined) throw end.error ?? endedEarly(address);
      return new Promise((resolve, reject) => {
        const waiting: Waiting<void> = { resolve, reject };
        sending = waiting;
        const sent = (): void => {
          if (sending !== waiting) return;
          sending = undefined;
          resolve();
        };
        call.sendMessageWithContext({ callback: sent }, asBuffer(message));
      });
    },
    halfClose() {
      if (end === undefined) call.halfClose();
    },
    async receive() {
      if (end?.error !== undefined) throw end.error;
      if (end !== undefined) return undefined;
      return new Promise((resolve, reject) => {
        reading = { resolve, reject };
        call.startRead();
      });
    },
    cancel() {
      if (end === undefined) stop(errorOfAbort(undefined, address));
    },
  };
}

interface Waiting<T> {
  resolve(value: T): void;
  reject(reason: FeatureStoreError): void;
}

function endedEarly(address: string): FeatureStoreError {
  return new FeatureStoreError('INTERNAL', `${address} ended the call before it had the whole of it`);
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
